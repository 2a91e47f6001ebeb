package writeback

import (
	"context"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/mapping"
	"sluice/internal/schedule"
	"sluice/internal/tenant"
)

// LoadMapping reads a mapping file and what it refers to beside it.
func LoadMapping(path string) (*mapping.Mapping, error) {
	unreadable := func(err error) error {
		return fault.New(fault.SourceUnavailable, "the mapping %s can't be read", path).Wrap(err)
	}
	root, err := os.OpenRoot(filepath.Dir(path))
	if err != nil {
		return nil, unreadable(err)
	}
	defer func() { _ = root.Close() }()
	text, err := root.ReadFile(filepath.Base(path))
	if err != nil {
		return nil, unreadable(errors.Unwrap(err))
	}
	return mapping.Parse(path, text, root.FS())
}

func (s *Service) may(role tenant.Role) error {
	return tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: role}, tenant.Facts{})
}

// AddSchedule stores a schedule. It sends nothing by itself until somebody signs a
// standing authorisation for it.
func (s *Service) AddSchedule(ctx context.Context, name string, spec schedule.Spec) (*schedule.Schedule, error) {
	if err := s.may(tenant.Operator); err != nil {
		return nil, err
	}
	if len(spec.Files) > 0 && s.caller.Type != tenant.LocalCaller {
		return nil, fault.New(fault.RoleRequired, "a schedule over files reads the disk of this machine; only its owner adds one").
			WithFix("run `sluice schedule add` on the machine itself, or schedule stored outcomes")
	}
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	if spec.Zone == "" {
		spec.Zone = profile.Timezone
	}
	if err := checkSpec(name, &spec); err != nil {
		return nil, err
	}
	now := s.now().UTC()
	sc := &schedule.Schedule{ID: ids.New("sc", now), Profile: s.profile, Name: name, Spec: spec, State: schedule.Active, CreatedAt: now}
	if sc.NextAt, err = sc.Tick(now); err != nil {
		return nil, err
	}
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Schedules().Get(ctx, s.profile, name)
		switch {
		case err == nil:
			return fault.New(fault.Usage, "there is a schedule of that name already").WithFix("`sluice schedule remove` it first, or choose another name")
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		if err := tx.Schedules().Put(ctx, sc); err != nil {
			return err
		}
		return s.noteSchedule(ctx, tx, sc, "schedule.added", "ok", "")
	})
	return sc, err
}

// checkSpec refuses what can't work, before it fails at night.
func checkSpec(name string, spec *schedule.Spec) error {
	if name == "" || len(name) > 64 || slices.ContainsFunc([]byte(name), func(b byte) bool {
		return (b < 'a' || b > 'z') && (b < '0' || b > '9') && b != '-' && b != '_'
	}) {
		return fault.New(fault.Usage, "a schedule's name is 1 to 64 of a-z, 0-9, - and _")
	}
	if _, err := schedule.ParseCron(spec.Cron); err != nil {
		return err
	}
	if _, err := schedule.Zone(spec.Zone); err != nil {
		return err
	}
	switch {
	case spec.Jitter < 0 || spec.Jitter > 10:
		return fault.New(fault.Usage, "the jitter is 0 to 10 per cent of the time between two runs")
	case spec.Overlap != schedule.Skip && spec.Overlap != schedule.Queue:
		return fault.New(fault.Usage, "the overlap policy is skip or queue")
	case (len(spec.Files) == 0) == (len(spec.Outcomes) == 0):
		return fault.New(fault.Usage, "a schedule reads files or stored outcomes").WithFix("pass --files PATTERN or --outcome NAME")
	case spec.WindowDays < 1 || spec.WindowDays > 62 || spec.OverlapDays < 0 || spec.OverlapDays > 62:
		return fault.New(fault.Usage, "window and overlap are at most 62 days")
	case spec.LagDays < 0 || spec.LagDays > 7:
		return fault.New(fault.Usage, "the lag is 0 (today too) to 7 days")
	case spec.MinShare < 0 || spec.MinShare > 1:
		return fault.New(fault.Usage, "the least share of the usual rows is 0 to 1")
	case spec.Dataset == "":
		return fault.New(fault.Usage, "no dataset is named").WithFix("pass --dataset ID")
	}
	if err := spec.CheckPatterns(); err != nil {
		return err
	}
	if len(spec.Files) == 0 {
		return nil
	}
	_, err := LoadMapping(spec.Mapping)
	return err
}

func (s *Service) noteSchedule(ctx context.Context, tx ledger.Tx, sc *schedule.Schedule, op, result, reason string) error {
	r := audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: sc.Profile, Op: op, Object: sc.ID, Dataset: sc.Spec.Dataset, Realm: sc.Spec.Realm,
		Result: result, Reason: reason, AppVersion: s.version,
	}
	if sc.Signed != nil {
		r.MappingDigest = sc.Signed.Mapping
	}
	_, err := tx.Audit().Append(ctx, s.now(), r)
	return err
}

// ScheduleView is a schedule with its newest windows.
type ScheduleView struct {
	schedule.Schedule
	Runs []schedule.Run `json:"runs"`
}

// Schedules lists the profile's schedules with their newest windows.
func (s *Service) Schedules(ctx context.Context, windows int) ([]ScheduleView, error) {
	out := []ScheduleView{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Schedules().List(ctx, s.profile)
		if err != nil {
			return err
		}
		for _, sc := range list {
			v := ScheduleView{Schedule: sc}
			if v.Runs, err = tx.Schedules().Runs(ctx, sc.ID, windows); err != nil {
				return err
			}
			out = append(out, v)
		}
		return nil
	})
	return out, err
}

// Schedule returns one schedule with its newest windows.
func (s *Service) Schedule(ctx context.Context, name string, windows int) (*ScheduleView, error) {
	var v ScheduleView
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		sc, err := s.scheduleOf(ctx, tx, name)
		if err != nil {
			return err
		}
		v.Schedule = *sc
		v.Runs, err = tx.Schedules().Runs(ctx, sc.ID, windows)
		return err
	})
	return &v, err
}

func (s *Service) scheduleOf(ctx context.Context, tx ledger.Tx, name string) (*schedule.Schedule, error) {
	sc, err := tx.Schedules().Get(ctx, s.profile, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, fault.New(fault.NotFound, "there is no schedule of that name in profile %s", s.profile).WithFix("see `sluice schedule list`")
	}
	return sc, err
}

// Terms are what an authorisation is signed with; source, mapping, dataset and
// policy are those of the schedule at that moment.
type Terms struct {
	Days         int
	Outcomes     []string // all that the mapping or query can make when empty
	MaxEvents    int
	MaxValue     map[string]string
	MinGoodShare float64
}

// AuthorizeSchedule signs a standing authorisation: an owner's or admin's word that
// runs inside its terms need nobody to look at them.
func (s *Service) AuthorizeSchedule(ctx context.Context, name string, t Terms) (*schedule.Schedule, error) {
	if err := s.may(tenant.Admin); err != nil {
		return nil, err
	}
	if s.caller.Agent {
		return nil, fault.New(fault.RoleRequired, "an agent's token can't sign an authorisation").WithFix("a person signs, with a token of their own")
	}
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	return s.editSchedule(ctx, name, "schedule.authorized", "", func(sc *schedule.Schedule) error {
		now := s.now().UTC()
		a := &schedule.Authorization{
			By: s.person(), At: now, Expires: now.AddDate(0, 0, t.Days), Source: sc.Spec.SourceDigest(), Outcomes: t.Outcomes, Dataset: sc.Spec.Dataset,
			Realm: sc.Spec.Realm, MaxEvents: t.MaxEvents, MaxValue: t.MaxValue, MinGoodShare: t.MinGoodShare, Policy: policyDigest(profile),
		}
		able := sc.Spec.Outcomes
		if len(sc.Spec.Files) > 0 {
			m, err := LoadMapping(sc.Spec.Mapping)
			if err != nil {
				return err
			}
			d := m.Digest()
			a.Mapping = hex.EncodeToString(d[:])
			able = nil
			for outcome := range m.Outcomes() {
				able = append(able, outcome)
			}
			slices.Sort(able)
		}
		if len(a.Outcomes) == 0 {
			a.Outcomes = able
		}
		if err := a.Check(); err != nil {
			return err
		}
		sc.Signed = a
		return nil
	})
}

// SetSchedule pauses or resumes. A schedule that resumes does not run at once: its
// next tick covers what was missed.
func (s *Service) SetSchedule(ctx context.Context, name string, state schedule.State) (*schedule.Schedule, error) {
	if err := s.may(tenant.Operator); err != nil {
		return nil, err
	}
	op := "schedule.paused"
	if state == schedule.Active {
		op = "schedule.resumed"
	}
	return s.editSchedule(ctx, name, op, "", func(sc *schedule.Schedule) (err error) {
		sc.State = state
		sc.NextAt, err = sc.Tick(s.now())
		return err
	})
}

func (s *Service) editSchedule(ctx context.Context, name, op, reason string, edit func(*schedule.Schedule) error) (sc *schedule.Schedule, err error) {
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		if sc, err = s.scheduleOf(ctx, tx, name); err != nil {
			return err
		}
		if err := edit(sc); err != nil {
			return err
		}
		if err := tx.Schedules().Put(ctx, sc); err != nil {
			return err
		}
		return s.noteSchedule(ctx, tx, sc, op, "ok", reason)
	})
	return sc, err
}

// RemoveSchedule deletes a schedule; what it sent stays in the ledger.
func (s *Service) RemoveSchedule(ctx context.Context, name string) error {
	if err := s.may(tenant.Operator); err != nil {
		return err
	}
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		sc, err := s.scheduleOf(ctx, tx, name)
		if err != nil {
			return err
		}
		if err := tx.Schedules().Delete(ctx, sc.ID); err != nil {
			return err
		}
		return s.noteSchedule(ctx, tx, sc, "schedule.removed", "ok", "")
	})
}

// retryAfter is how long a failed window waits: minutes at first, an hour at most.
func retryAfter(attempts int) time.Duration {
	return min(time.Hour, 5*time.Minute<<min(attempts, 5))
}
