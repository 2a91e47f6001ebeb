package writeback

import (
	"context"
	"fmt"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/schedule"
	"sluice/internal/tenant"
)

// Condition is something that somebody should know of, while it lasts.
type Condition struct {
	Profile, Code, Label string
	Message, Fix         string
}

func (c *Condition) subject() string { return c.Code + " " + c.Profile + " " + c.Label }

// The codes of conditions.
const (
	AlertCoverageLow   = "coverage_low"
	AlertCoverageDrop  = "coverage_drop"
	AlertTierDrop      = "tier_drop"
	AlertUnknown       = "unknown_old"
	AlertExpiring      = "expiring"
	AlertCircuit       = "circuit_open"
	AlertWindowEmpty   = "window_empty"
	AlertWindowParked  = "window_parked"
	AlertWindowLate    = "window_late"
	AlertFile          = "file_unexpected"
	AlertEnding        = "token_expiring"
	AlertConnection    = "connection_inactive"
	AlertCheckpoint    = "checkpoint_old"
	coverageLeast      = 0.95
	coverageFall       = 0.20
	tierFall           = 0.15
	trendRows          = 20 // fewer say nothing
	unknownOld         = time.Hour
	expiringSoon       = 24 * time.Hour
	tokenSoon          = 7 * 24 * time.Hour
	checkpointOld      = 2 * time.Hour
	scheduleLate       = time.Hour
	measureEvery       = time.Hour
	channelUndelivered = 50
)

// measured are the conditions that need the receipts of two weeks; they are judged
// once an hour.
var measured = map[string]bool{AlertCoverageLow: true, AlertCoverageDrop: true, AlertTierDrop: true}

// conditions lists what is so now; with measure those too that take a while.
func (s *Service) conditions(ctx context.Context, measure bool) ([]Condition, error) {
	var out []Condition
	var profiles []tenant.Profile
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		if profiles, err = tx.Tenants().Profiles(ctx, ""); err != nil {
			return err
		}
		for _, check := range []func(context.Context, ledger.Tx) ([]Condition, error){
			s.openConditions, s.circuitConditions, s.scheduleConditions, s.connectionConditions, s.checkpointConditions,
		} {
			found, err := check(ctx, tx)
			if err != nil {
				return err
			}
			out = append(out, found...)
		}
		return nil
	})
	if err != nil || !measure {
		return out, err
	}
	for i := range profiles {
		loc, err := schedule.Zone(profiles[i].Timezone)
		if err != nil {
			return nil, err
		}
		list, err := s.In(profiles[i].ID).trends(ctx, loc)
		if err != nil {
			return nil, err
		}
		for j := range list {
			out = append(out, judgeTrend(profiles[i].ID, &list[j])...)
		}
	}
	return out, nil
}

func judgeTrend(profile string, t *trend) (out []Condition) {
	label, what := "", "of the profile"
	if t.Name != "" {
		label, what = t.Name+"="+t.Label, "of "+t.Name+" "+t.Label
	}
	say := func(code, fix, format string, args ...any) {
		out = append(out, Condition{profile, code, label, fmt.Sprintf(format, args...), fix})
	}
	if t.Now.Rows >= trendRows && t.Now.Ratio < coverageLeast {
		say(AlertCoverageLow, "see `sluice reconcile --days 8` for where they went", "%.0f %% of the last week's rows %s were delivered or left out on purpose; %.0f %% is the least", 100*t.Now.Ratio, what, 100*coverageLeast)
	}
	if t.Now.Rows < trendRows || t.Before.Rows < trendRows {
		return out
	}
	if t.Before.Ratio-t.Now.Ratio >= coverageFall {
		say(AlertCoverageDrop, "see `sluice reconcile --days 15`", "coverage %s fell from %.0f to %.0f %% within a week", what, 100*t.Before.Ratio, 100*t.Now.Ratio)
	}
	if t.Before.Good-t.Now.Good > tierFall {
		say(AlertTierDrop, "an identifier may be missing from the export: see `sluice preview`", "events %s of tier good or great fell from %.0f to %.0f %% within a week", what, 100*t.Before.Good, 100*t.Now.Good)
	}
	return out
}

// openConditions looks at what was confirmed and is not final.
func (s *Service) openConditions(ctx context.Context, tx ledger.Tx) (out []Condition, err error) {
	runs, err := tx.Runs().Open(ctx)
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	for _, run := range runs {
		p, err := tx.Plans().ByNo(ctx, run.Plan)
		if err != nil {
			return nil, err
		}
		counts, err := tx.Events().Counts(ctx, p.No)
		if err != nil {
			return nil, err
		}
		batches, err := tx.Batches().List(ctx, p.No)
		if err != nil {
			return nil, err
		}
		since, expiring := run.StartedAt, 0
		for i := range batches {
			b := &batches[i]
			if b.State.Terminal() {
				continue
			}
			if b.State == ledger.Unknown && !b.FirstAttempt.IsZero() && b.FirstAttempt.Before(since) {
				since = b.FirstAttempt
			}
			err := tx.Events().Range(ctx, p.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
				if (e.State == "" || !e.State.Terminal()) && leaves(e.Time, b.Class).Sub(now) < expiringSoon {
					expiring++
				}
				return nil
			})
			if err != nil {
				return nil, err
			}
		}
		if n := counts[ledger.Unknown]; n > 0 && now.Sub(since) > unknownOld {
			out = append(out, Condition{run.Profile, AlertUnknown, "run " + run.ID, fmt.Sprintf("%d events of plan %s may or may not have arrived, since %s", n, p.ID, since.UTC().Format(time.RFC3339)),
				"compare with Events Manager, then `sluice resolve " + p.ID + "`"})
		}
		if expiring > 0 {
			out = append(out, Condition{run.Profile, AlertExpiring, "run " + run.ID, fmt.Sprintf("%d events of plan %s leave their window within 24 hours", expiring, p.ID), "`sluice confirm " + p.ID + "` goes on with it"})
		}
	}
	return out, nil
}

func (s *Service) circuitConditions(ctx context.Context, tx ledger.Tx) (out []Condition, err error) {
	list, err := tx.Circuits().List(ctx, "")
	for _, c := range list {
		if c.State != ledger.CircuitClosed && c.State != "" {
			out = append(out, Condition{c.Profile, AlertCircuit, c.Realm, fmt.Sprintf("too many confirms failed; the circuit is %s since %s", c.State, c.OpenedAt.UTC().Format(time.RFC3339)), "see `sluice circuit show`"})
		}
	}
	return out, err
}

func (s *Service) scheduleConditions(ctx context.Context, tx ledger.Tx) (out []Condition, err error) {
	list, err := tx.Schedules().List(ctx, "")
	if err != nil {
		return nil, err
	}
	now := tx.Now()
	for _, sc := range list {
		if sc.State != schedule.Active {
			continue
		}
		say := func(code, label, fix, format string, args ...any) {
			if label != "" {
				label = " " + label
			}
			out = append(out, Condition{sc.Profile, code, "schedule " + sc.Name + label, fmt.Sprintf(format, args...), fix})
		}
		if now.Sub(sc.NextAt) > scheduleLate {
			say(AlertWindowLate, "", "check that `sluice work --until-idle` is called, or that `sluice serve` runs", "schedule %s was due at %s and nobody ran it", sc.Name, sc.NextAt.UTC().Format(time.RFC3339))
		}
		runs, err := tx.Schedules().Runs(ctx, sc.ID, 1)
		if err != nil {
			return nil, err
		}
		if len(runs) == 0 {
			continue
		}
		r := &runs[0]
		show := "`sluice schedule show " + sc.Name + "`"
		switch {
		case r.State == schedule.Failed:
			say(AlertWindowEmpty, "", show, "window %s of schedule %s could not be sent: %s", r.Window, sc.Name, r.Code)
		case r.State == schedule.Completed && r.Planned == 0:
			say(AlertWindowEmpty, "", show, "window %s of schedule %s held nothing to send", r.Window, sc.Name)
		case r.State == schedule.Parked:
			say(AlertWindowParked, "", show, "window %s of schedule %s waits for a person", r.Window, sc.Name)
		}
		for _, f := range r.Findings {
			say(AlertFile, f.Code+" "+f.Member, show, "%s", f.Text)
		}
	}
	return out, nil
}

func (s *Service) connectionConditions(ctx context.Context, tx ledger.Tx) (out []Condition, err error) {
	list, err := tx.Tenants().Connections(ctx, "")
	for _, c := range list {
		if left := c.TokenExpires.Sub(tx.Now()); !c.TokenExpires.IsZero() && left < tokenSoon {
			out = append(out, Condition{c.Profile, AlertEnding, c.Dataset, fmt.Sprintf("the token for dataset %s ends in %d days", c.Dataset, int(max(0, left)/(24*time.Hour))), "make a new one and `sluice connect " + c.Dataset + "`"})
		}
		if c.State != tenant.ConnActive {
			out = append(out, Condition{c.Profile, AlertConnection, c.Dataset, fmt.Sprintf("the connection to dataset %s is inactive", c.Dataset), "`sluice connect check " + c.Dataset + "`"})
		}
	}
	return out, err
}

func (s *Service) checkpointConditions(ctx context.Context, tx ledger.Tx) ([]Condition, error) {
	lag, err := checkpointLag(ctx, tx)
	if err != nil || lag <= checkpointOld {
		return nil, err
	}
	return []Condition{{tenant.Default, AlertCheckpoint, "", fmt.Sprintf("audit records are not covered by a checkpoint since %d hours", int(lag/time.Hour)), "`sluice work --until-idle` makes one; check the checkpoint file or command"}}, nil
}

// checkpointLag is how long the newest checkpoint has not covered the log; zero when
// it does, or when there never was one.
func checkpointLag(ctx context.Context, tx ledger.Tx) (time.Duration, error) {
	last, err := tx.Audit().LastCheckpoint(ctx)
	if err != nil || last == nil {
		return 0, err
	}
	heads, err := tx.Audit().Heads(ctx)
	if err != nil {
		return 0, err
	}
	covered := map[string]int64{}
	for _, h := range last.Checkpoint.Heads {
		covered[h.Chain] = h.Size
	}
	for _, h := range heads {
		if h.Size > covered[h.Chain] {
			at, err := time.Parse(time.RFC3339, last.Checkpoint.TS)
			return max(0, tx.Now().Sub(at)), err
		}
	}
	return 0, nil
}
