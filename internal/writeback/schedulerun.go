package writeback

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/schedule"
	"sluice/internal/tenant"
)

// scheduleLease is how long a process keeps a schedule to itself where several
// machines share the store. Nothing depends on it but work done twice: the window's
// key sees to it that nothing is sent twice.
const scheduleLease = 15 * time.Minute

// RunSchedule works on the schedule's window now, whether its time has come or not:
// the one that is open, else the next one.
func (s *Service) RunSchedule(ctx context.Context, name string, progress func(Progress)) (*schedule.Run, error) {
	if err := s.may(tenant.Operator); err != nil {
		return nil, err
	}
	v, err := s.Schedule(ctx, name, 1)
	if err != nil {
		return nil, err
	}
	run, err := s.workSchedule(ctx, &v.Schedule, true, progress)
	if run == nil && err == nil {
		return nil, fault.New(fault.NothingToSend, "schedule %s has sent every day that is over", name)
	}
	return run, err
}

// RunSchedules works on every schedule of the store that is due. It returns whether
// it did anything and when the next one is due; one schedule's failure does not
// keep the others back.
func (s *Service) RunSchedules(ctx context.Context) (worked bool, next time.Time, err error) {
	var list []schedule.Schedule
	err = s.store.View(ctx, func(tx ledger.Tx) (err error) {
		list, err = tx.Schedules().List(ctx, "")
		return err
	})
	if err != nil {
		return false, next, err
	}
	var failed []error
	for i := range list {
		sc := &list[i]
		if sc.State != schedule.Active {
			continue
		}
		run, err := s.In(sc.Profile).workSchedule(ctx, sc, false, nil)
		if err != nil {
			if ctx.Err() != nil {
				return worked, next, err
			}
			s.log.Warn("a schedule failed", "schedule", sc.Name, "code", string(fault.CodeOf(err)))
			failed = append(failed, err)
		}
		worked = worked || run != nil
		at := sc.NextAt
		if run != nil && run.State == schedule.Failed && run.RetryAt.Before(at) {
			at = run.RetryAt
		}
		if next.IsZero() || at.Before(next) {
			next = at
		}
	}
	return worked, next, errors.Join(failed...)
}

// workSchedule works on one schedule if it is due, or at once. It returns the window
// it worked on; nil: none.
func (s *Service) workSchedule(ctx context.Context, sc *schedule.Schedule, atOnce bool, progress func(Progress)) (*schedule.Run, error) {
	if !s.store.Shared() {
		// The kernel knows whether the process that has it lives.
		lock, err := s.lock("schedule-" + sc.ID)
		if err != nil {
			if fault.CodeOf(err) == fault.IdempotencyInProgress && !atOnce {
				return nil, nil // somebody is at it
			}
			return nil, err
		}
		defer lock.release()
	} else {
		owner := ids.New("wk", s.now())
		err := s.store.Do(ctx, func(tx ledger.Tx) error {
			return tx.Schedules().Lease(ctx, sc.ID, owner, tx.Now(), tx.Now().Add(scheduleLease))
		})
		switch {
		case errors.Is(err, ledger.ErrLost) && !atOnce:
			return nil, nil
		case errors.Is(err, ledger.ErrLost):
			return nil, fault.New(fault.IdempotencyInProgress, "another process is working on schedule %s", sc.Name)
		case err != nil:
			return nil, err
		}
		defer func() {
			_ = s.store.Do(context.WithoutCancel(ctx), func(tx ledger.Tx) error { return tx.Schedules().Release(ctx, sc.ID, owner) })
		}()
	}
	run, err := s.choose(ctx, sc, atOnce)
	if run == nil || err != nil {
		return nil, err
	}
	w, err := schedule.ParseWindow(run.Window)
	if err != nil {
		return nil, err
	}
	profile, err := s.profileOf(ctx)
	if err != nil {
		return nil, err
	}
	work := &windowWork{Service: s.As(scheduler(sc, profile, tenant.Operator)), sc: sc, profile: profile, run: run, window: w, progress: progress}
	return run, work.do(ctx)
}

// scheduler is a schedule as a caller: inside its authorisation it confirms as the
// admin who signed could, outside it proposes.
func scheduler(sc *schedule.Schedule, profile *tenant.Profile, role tenant.Role) tenant.Caller {
	return tenant.Caller{
		Type: tenant.ScheduleCaller, ID: sc.ID, Workspace: profile.Workspace, Role: role, Scopes: []tenant.Scope{tenant.Read, tenant.Write}, Via: "schedule",
	}
}

// choose decides which window is worked on, and books it: the open one that can go
// on, or, at a tick, the next one. Open windows that a later one covers are dropped.
func (s *Service) choose(ctx context.Context, sc *schedule.Schedule, atOnce bool) (chosen *schedule.Run, err error) {
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		chosen = nil
		fresh, err := tx.Schedules().Get(ctx, sc.Profile, sc.Name)
		if err != nil {
			return err
		}
		*sc = *fresh
		now := tx.Now()
		runs, err := tx.Schedules().Runs(ctx, sc.ID, openWindows)
		if err != nil {
			return err
		}
		due := atOnce || !now.Before(sc.NextAt)
		var open *schedule.Run
		for i := range runs {
			if runs[i].State.Open() {
				open = &runs[i]
				break
			}
		}
		w, any, err := sc.Due(now)
		if err != nil {
			return err
		}
		switch {
		case open != nil && open.State == schedule.Sending, open != nil && !due, open != nil && open.Window == w.String(), open != nil && !any:
			// What was sent in part is finished first. At a tick meanwhile the overlap
			// policy decides: skip moves on to the next tick, queue leaves this one due.
			ready := open.State != schedule.Failed || !now.Before(open.RetryAt) || atOnce
			if due && (sc.Spec.Overlap == schedule.Skip || open.Window == w.String()) {
				if err := s.tick(ctx, tx, sc, now); err != nil {
					return err
				}
			}
			if ready {
				chosen = open
			}
			return nil
		case !due:
			return nil
		case !any:
			return s.tick(ctx, tx, sc, now)
		}
		for i := range runs {
			if r := &runs[i]; r.State.Open() && r.State != schedule.Sending {
				r.State, r.FinishedAt = schedule.Dropped, now
				if err := tx.Schedules().PutRun(ctx, r); err != nil {
					return err
				}
			}
		}
		chosen, err = tx.Schedules().Run(ctx, sc.ID, w.String())
		if errors.Is(err, ledger.ErrNotFound) {
			chosen, err = &schedule.Run{Schedule: sc.ID, Window: w.String(), StartedAt: now}, nil
		}
		if err != nil {
			return err
		}
		if chosen.State == schedule.Completed {
			chosen.Again(now) // its last day was not over, or something of it was held
		}
		chosen.State = schedule.Started
		if err := tx.Schedules().PutRun(ctx, chosen); err != nil {
			return err
		}
		return s.tick(ctx, tx, sc, now)
	})
	return chosen, err
}

// openWindows is how many of the newest windows are looked at for open ones.
const openWindows = 50

func (s *Service) tick(ctx context.Context, tx ledger.Tx, sc *schedule.Schedule, now time.Time) (err error) {
	if sc.NextAt, err = sc.Tick(now); err != nil {
		return err
	}
	return tx.Schedules().Put(ctx, sc)
}

// windowWork takes one window as far as it goes.
type windowWork struct {
	*Service
	sc       *schedule.Schedule
	profile  *tenant.Profile
	run      *schedule.Run
	window   schedule.Window
	through  string // the last day that needs no other window once this one is completed
	progress func(Progress)
}

// do goes on where the window stands. Repeating it after any crash is the same work:
// the plan is known before anything is confirmed, and the key is the window's.
func (w *windowWork) do(ctx context.Context) error {
	err := w.step(ctx)
	if err == nil || ctx.Err() != nil {
		return err
	}
	w.run.Attempts++
	w.run.Code = string(fault.CodeOf(err))
	if w.run.State != schedule.Sending {
		w.run.State = schedule.Failed
	}
	w.run.RetryAt = w.now().Add(retryAfter(w.run.Attempts))
	return errors.Join(err, w.book(ctx, "schedule.failed", w.run.Code))
}

func (w *windowWork) step(ctx context.Context) error {
	confirmed, view, err := w.known(ctx)
	if err != nil {
		return err
	}
	if view == nil {
		if view, err = w.plan(ctx); err != nil {
			return err
		}
	}
	loc, err := schedule.Zone(w.sc.Spec.Zone)
	if err != nil {
		return err
	}
	w.through = w.window.Through(view.CreatedAt, view.Summary.HeldSince, loc)
	if view.Events == 0 && confirmed == nil {
		return w.complete(ctx, nil)
	}
	role := tenant.Admin
	if confirmed == nil {
		reasons, err := w.outside(ctx, view)
		if err != nil {
			return err
		}
		w.run.Reasons = reasons
		if len(reasons) > 0 {
			role = tenant.Operator
			a, err := w.Propose(ctx, view.ID, "schedule "+w.sc.Name+": "+strings.Join(reasons, "; "))
			if err != nil {
				return err
			}
			if w.run.Approval = a.ID; a.State != ledger.ApprovalApproved {
				return w.park(ctx)
			}
		}
		if err := w.rehearsed(ctx, view); err != nil {
			return err
		}
	}
	return w.send(ctx, view, confirmed, role)
}

// known returns the plan of an earlier try, if it can still be used, and its run if
// it has one.
func (w *windowWork) known(ctx context.Context) (*ledger.Run, *PlanView, error) {
	if w.run.Plan == "" {
		return nil, nil, nil
	}
	p, err := w.Service.plan(ctx, w.run.Plan)
	if fault.CodeOf(err) == fault.PlanNotFound {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	var run *ledger.Run
	err = w.store.View(ctx, func(tx ledger.Tx) (err error) {
		run, err = tx.Runs().OfPlan(ctx, p.No)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		if err = nil; p.State != ledger.PlanReady || !w.now().Before(p.ExpiresAt) {
			return nil, nil, nil // nothing was sent of it: preview again
		}
	}
	if err != nil {
		return nil, nil, err
	}
	view, err := viewOf(p)
	return run, view, err
}

// plan previews the window and books the plan with what was found about its files.
func (w *windowWork) plan(ctx context.Context) (*PlanView, error) {
	var view *PlanView
	var files *windowFiles
	var err error
	if len(w.sc.Spec.Files) > 0 {
		view, files, err = w.previewFiles(ctx, w.sc, w.window, w.progress)
	} else {
		view, err = w.previewStored(ctx, w.sc, w.window, w.progress)
	}
	if err != nil {
		return nil, err
	}
	w.run.Plan, w.run.State, w.run.Rows, w.run.Planned = view.ID, schedule.Previewed, view.Summary.Counts.Rows, view.Events
	w.run.Findings = nil
	if files != nil {
		w.run.Findings = files.findings
	}
	return view, w.store.Do(ctx, func(tx ledger.Tx) error {
		if files != nil {
			if err := files.remember(ctx, tx); err != nil {
				return err
			}
		}
		return tx.Schedules().PutRun(ctx, w.run)
	})
}

// outside lists why the plan may not confirm itself.
func (w *windowWork) outside(ctx context.Context, view *PlanView) ([]string, error) {
	f := schedule.Facts{
		Source: w.sc.Spec.SourceDigest(), Policy: policyDigest(w.profile), Dataset: view.Dataset, Realm: view.Realm,
		Events: view.Events, Value: view.Summary.Value, Good: view.Summary.Tiers["good"] + view.Summary.Tiers["great"],
	}
	for outcome, n := range view.Summary.Outcomes {
		if n.Planned > 0 {
			f.Outcomes = append(f.Outcomes, outcome)
		}
	}
	slices.Sort(f.Outcomes)
	if len(w.sc.Spec.Files) > 0 {
		p, err := w.Service.plan(ctx, view.ID)
		if err != nil {
			return nil, err
		}
		f.Mapping = p.MappingDigest
	}
	reasons := w.sc.Signed.Outside(f, w.now())
	if w.sc.Spec.ParkOnGap {
		for _, finding := range w.run.Findings {
			reasons = append(reasons, finding.Text)
		}
	}
	if len(reasons) > maxReasons {
		reasons = append(reasons[:maxReasons], "and more")
	}
	return reasons, nil
}

const maxReasons = 12

// rehearsed makes sure that the plan has passed a dry run.
func (w *windowWork) rehearsed(ctx context.Context, view *PlanView) error {
	if !view.Rehearsed.IsZero() || w.double == nil {
		return nil
	}
	to, err := w.double(view.Dataset)
	if err != nil {
		return err
	}
	r, err := w.Rehearse(ctx, RehearseRequest{PlanID: view.ID, Level: Offline, Destination: to, Progress: quiet(w.progress)})
	if err != nil {
		return err
	}
	if !r.OK {
		return fault.New(fault.DryRunFailed, "the dry run of plan %s found %d kinds of fault; nothing was sent", view.ID, len(r.Rules))
	}
	return nil
}

func quiet(p func(Progress)) func(Progress) {
	if p == nil {
		return func(Progress) {}
	}
	return p
}

// send confirms with the window's key, or with the key of whoever confirmed the plan
// first.
func (w *windowWork) send(ctx context.Context, view *PlanView, confirmed *ledger.Run, role tenant.Role) error {
	key := w.run.Key()
	if confirmed != nil {
		key = confirmed.Key
	}
	if w.run.State != schedule.Sending {
		w.run.State = schedule.Sending
		if err := w.store.Do(ctx, func(tx ledger.Tx) error { return tx.Schedules().PutRun(ctx, w.run) }); err != nil {
			return err
		}
	}
	receipt, err := w.As(scheduler(w.sc, w.profile, role)).Confirm(ctx, ConfirmRequest{
		PlanID: view.ID, Hash: view.Hash, Key: key, AcceptRejects: w.sc.Spec.AcceptRejects, Progress: quiet(w.progress),
	})
	if receipt != nil {
		w.run.Run, w.run.Delivered = receipt.RunID, receipt.Counts[ledger.Delivered]
	}
	switch code := fault.CodeOf(err); {
	case err == nil:
		return w.complete(ctx, receipt)
	case code == fault.NothingToSend:
		return w.complete(ctx, receipt)
	case code == fault.OutcomeUnknown && receipt != nil && receipt.Leftover() == receipt.Counts[ledger.Unknown]:
		// What is unknown waits for a person or for its guard; the window is done.
		return w.complete(ctx, receipt)
	case code == fault.ApprovalRequired, code == fault.CapExceeded, code == fault.RejectThreshold, code == fault.DoubleCount, code == fault.RunPaused:
		w.run.Reasons = append(w.run.Reasons, err.Error())
		return w.park(ctx)
	case receipt == nil && confirmed == nil:
		w.run.State = schedule.Previewed // nothing was accepted
	}
	return err
}

// park leaves the window to a person.
func (w *windowWork) park(ctx context.Context) error {
	w.run.State = schedule.Parked
	return w.book(ctx, "schedule.parked", "parked")
}

// complete ends the window; the next one begins after it, or with the first day of
// it that may still have something to send.
func (w *windowWork) complete(ctx context.Context, receipt *Receipt) error {
	w.run.State, w.run.Code, w.run.Reasons, w.run.FinishedAt = schedule.Completed, "", nil, w.now().UTC()
	w.run.RetryAt = time.Time{}
	return w.book(ctx, "schedule.completed", "ok")
}

// book stores the window, and its record, together.
func (w *windowWork) book(ctx context.Context, op, result string) error {
	return w.store.Do(context.WithoutCancel(ctx), func(tx ledger.Tx) error {
		before, err := tx.Schedules().Run(ctx, w.sc.ID, w.run.Window)
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		if err := tx.Schedules().PutRun(ctx, w.run); err != nil {
			return err
		}
		if w.run.State == schedule.Completed {
			sc, err := tx.Schedules().Get(ctx, w.sc.Profile, w.sc.Name)
			if err != nil {
				return err
			}
			if w.through > sc.Completed {
				sc.Completed = w.through
				if err := tx.Schedules().Put(ctx, sc); err != nil {
					return err
				}
				w.sc.Completed = sc.Completed
			}
		}
		if before != nil && before.State == w.run.State && before.Plan == w.run.Plan && w.run.State == schedule.Parked {
			return nil // it waits as it did
		}
		return w.noteSchedule(ctx, tx, w.sc, op, result, strings.Join(w.run.Reasons, "; "))
	})
}
