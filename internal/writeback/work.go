package writeback

import (
	"context"
	"sync"
	"time"

	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// WorkOptions sets up one pass over the open runs.
type WorkOptions struct {
	Concurrency int // requests under way at once, per run; 4 when zero
	Progress    func(run string, p Progress)
}

// Work is what one pass did.
type Work struct {
	Runs []WorkedRun `json:"runs"`
	// Next is when something is due again; zero when nothing waits but for a person.
	Next time.Time `json:"next,omitzero"`
}

// WorkedRun is one run that a pass went on with.
type WorkedRun struct {
	RunID   string   `json:"run_id"`
	PlanID  string   `json:"plan_id"`
	Profile string   `json:"profile"`
	Receipt *Receipt `json:"receipt,omitempty"`
	Code    string   `json:"code,omitempty"` // why it stopped; empty when it was finished
	Err     error    `json:"-"`
}

// How long a pass leaves a run alone whose batches do not say so themselves.
const (
	afterOutage = 30 * time.Second
	afterBusy   = 5 * time.Second
	afterToken  = 30 * time.Minute // only a person mends a token or a permission
)

// waiting remembers, within one process, which runs are not worth a look yet.
type waiting struct {
	mu    sync.Mutex
	until map[string]time.Time
}

func newWaiting() *waiting { return &waiting{until: map[string]time.Time{}} }

func (w *waiting) get(run string, now time.Time) time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if at := w.until[run]; at.Sub(now) <= afterToken { // else the clock was put back
		return at
	}
	return time.Time{}
}

func (w *waiting) set(run string, at time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.until[run] = at; at.IsZero() {
		delete(w.until, run)
	}
}

// Work goes on with every open run of the store, whatever its profile, that is due:
// confirmed by somebody, and interrupted, waiting for its next try, or new on a
// store that several machines share. What waits for a person is left alone: a
// paused canary, a policy block, events that may have arrived beyond the guard
// window. A run that stops does not keep the others from being worked on.
func (s *Service) Work(ctx context.Context, o WorkOptions) (*Work, error) {
	out := &Work{Runs: []WorkedRun{}}
	var open []ledger.Run
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		open, err = tx.Runs().Open(ctx)
		return err
	})
	if err != nil {
		return nil, err
	}
	blocked, err := s.blocked(ctx, open)
	if err != nil {
		return nil, err
	}
	for i := range open {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		if adopted(&open[i]) {
			if err := s.resumeAdoption(ctx, &open[i]); err != nil {
				return out, err
			}
			continue
		}
		if err := s.workOn(ctx, &open[i], blocked, o, out); err != nil {
			return out, err
		}
	}
	return out, nil
}

// workOn goes on with one run if it is due, and notes when it will be.
func (s *Service) workOn(ctx context.Context, run *ledger.Run, blocked map[string]bool, o WorkOptions, out *Work) error {
	at, plan, ok, err := s.runDue(ctx, run.ID)
	if err != nil || !ok || blocked[plan.Realm+" "+plan.Dataset] {
		return err
	}
	now := s.now()
	if wait := s.waiting.get(run.ID, now); wait.After(at) {
		at = wait
	}
	if at.After(now) {
		out.next(at)
		return nil
	}
	done := WorkedRun{RunID: run.ID, PlanID: plan.ID, Profile: run.Profile}
	req := ConfirmRequest{PlanID: plan.ID, Key: run.Key, Resume: true, Concurrency: o.Concurrency}
	if o.Progress != nil {
		req.Progress = func(p Progress) { o.Progress(run.ID, p) }
	}
	done.Receipt, done.Err = s.As(tenant.Local("work")).In(run.Profile).Confirm(ctx, req)
	if done.Err != nil {
		done.Code = string(fault.CodeOf(done.Err))
	}
	s.waiting.set(run.ID, retryAt(done.Err, s.now()))
	if busy(done.Err) { // somebody is at it, which is as well
		out.next(s.now().Add(afterBusy))
		return nil
	}
	out.Runs = append(out.Runs, done)
	if ctx.Err() != nil {
		return nil
	}
	at, _, ok, err = s.runDue(ctx, run.ID)
	if err == nil && ok {
		if wait := s.waiting.get(run.ID, s.now()); wait.After(at) {
			at = wait
		}
		out.next(at)
	}
	return err
}

func (w *Work) next(at time.Time) {
	if w.Next.IsZero() || at.Before(w.Next) {
		w.Next = at
	}
}

// retryAt is when a run that ended with err is worth another look. Its batches may
// say later.
func retryAt(err error, now time.Time) time.Time {
	switch fault.CodeOf(err) {
	case "", fault.OutcomeUnknown:
		return time.Time{}
	case fault.IdempotencyInProgress:
		return now.Add(afterBusy)
	case fault.ConnectorExpired, fault.ConnectionInactive, fault.AuthRequired, fault.DestinationMismatch:
		return now.Add(afterToken)
	}
	if f, ok := fault.As(err); ok && f.RetryAfter > 0 {
		return now.Add(min(time.Duration(f.RetryAfter)*time.Second, afterToken))
	}
	return now.Add(afterOutage)
}

// runDue says when a run can be gone on with; not ok when it is finished or waits for a
// person.
func (s *Service) runDue(ctx context.Context, id string) (at time.Time, plan *ledger.Plan, ok bool, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		run, err := tx.Runs().ByID(ctx, id)
		if err != nil {
			return err
		}
		if plan, err = tx.Plans().ByNo(ctx, run.Plan); err != nil {
			return err
		}
		switch {
		case run.State == ledger.RunFinished || run.Paused || (run.State == ledger.RunStopped && run.Error == string(fault.DestinationRejected)):
			return nil
		case run.State == ledger.RunClaiming:
			ok = true
			return nil
		}
		batches, err := tx.Batches().List(ctx, run.Plan)
		if err != nil {
			return err
		}
		if at, ok = deliver.Due(batches, "", tx.Now()); ok {
			return nil
		}
		// Every batch is final and nobody has finished the run yet.
		ok = run.State == ledger.RunSending && final(batches)
		return nil
	})
	return at, plan, ok, err
}

func final(batches []ledger.Batch) bool {
	for i := range batches {
		if !batches[i].State.Terminal() {
			return false
		}
	}
	return true
}

// blocked names the datasets at which a run was stopped for a policy block or because
// everything was refused: nothing is sent there until a person has looked.
func (s *Service) blocked(ctx context.Context, open []ledger.Run) (map[string]bool, error) {
	out := map[string]bool{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		for i := range open {
			if run := &open[i]; run.State == ledger.RunStopped && run.Error == string(fault.DestinationRejected) {
				p, err := tx.Plans().ByNo(ctx, run.Plan)
				if err != nil {
					return err
				}
				out[p.Realm+" "+p.Dataset] = true
			}
		}
		return nil
	})
	return out, err
}
