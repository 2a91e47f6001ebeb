package writeback

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// Cancellation is what cancelling a run came to.
type Cancellation struct {
	RunID     string   `json:"run_id"`
	PlanID    string   `json:"plan_id"`
	Cancelled int      `json:"cancelled"`
	Unknown   int      `json:"unknown,omitempty"` // may have arrived; only a person can say
	Receipt   *Receipt `json:"receipt,omitempty"` // when nothing is open any more
}

// CancelRun ends a run: what provably was not sent is cancelled and may be planned
// again, what may have arrived stays unknown. A process that is sending it finishes
// the requests it is at and stops.
func (s *Service) CancelRun(ctx context.Context, target, reason string) (*Cancellation, error) {
	if err := s.mayAdminister(reason); err != nil {
		return nil, err
	}
	if err := s.halt(ctx, target); err != nil {
		return nil, err
	}
	h, err := s.take(ctx, target)
	if err != nil {
		return nil, err
	}
	defer h.lock.release()
	h.reason = reason
	if h.run == nil {
		return nil, fault.New(fault.Usage, "plan %s has no run", h.plan.ID).WithFix("a plan that is not confirmed ends by itself when it expires")
	}
	if h.run.State == ledger.RunFinished {
		return nil, fault.New(fault.Usage, "run %s is finished; a sent event can't be recalled", h.run.ID)
	}
	return h.cancel(ctx)
}

// halt tells whoever works on the run to stop.
func (s *Service) halt(ctx context.Context, target string) error {
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		run, err := s.runNamed(ctx, tx, target)
		if err != nil || run == nil || (run.State != ledger.RunSending && run.State != ledger.RunClaiming) {
			return err
		}
		if adopted(run) {
			return fault.New(fault.Usage, "run %s records what was sent before; it sends nothing that could be cancelled", run.ID)
		}
		run.State, run.Error = ledger.RunStopped, string(fault.Cancelled)
		fence := run.Fence
		run.Fence++
		return tx.Runs().Move(ctx, run, fence)
	})
}

// runNamed finds a run by its id or its plan's; nil when there is none.
func (s *Service) runNamed(ctx context.Context, tx ledger.Tx, target string) (*ledger.Run, error) {
	open, err := tx.Runs().Open(ctx)
	if err != nil {
		return nil, err
	}
	for i := range open {
		if open[i].ID == target {
			return &open[i], nil
		}
		p, err := tx.Plans().ByNo(ctx, open[i].Plan)
		if err != nil {
			return nil, err
		}
		if p.ID == target {
			return &open[i], nil
		}
	}
	return nil, nil
}

func (h *handling) cancel(ctx context.Context) (*Cancellation, error) {
	out := &Cancellation{RunID: h.run.ID, PlanID: h.plan.ID}
	var batches []ledger.Batch
	err := h.store.View(ctx, func(tx ledger.Tx) (err error) {
		batches, err = tx.Batches().List(ctx, h.plan.No)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		n, err := h.giveSoon(ctx, b.No)
		if err != nil {
			return nil, err
		}
		out.Cancelled += n
	}
	err = h.store.Do(ctx, func(tx ledger.Tx) error {
		run, err := tx.Runs().ByID(ctx, h.run.ID)
		if err != nil {
			return err
		}
		fence := run.Fence
		run.State, run.Error, run.Paused, run.Canary = ledger.RunStopped, string(fault.Cancelled), false, 0
		run.Fence++
		if err := tx.Runs().Move(ctx, run, fence); err != nil {
			return err
		}
		h.run = run
		r, err := h.count(ctx, tx)
		if err != nil {
			return err
		}
		out.Unknown = r.Counts[ledger.Unknown]
		return h.recorded(ctx, tx, "run.cancelled", out.Cancelled)
	})
	if err != nil {
		return nil, err
	}
	out.Receipt, err = h.settle(ctx)
	return out, err
}

// giveSoon gives one batch, once the request that a worker may have under way with
// it has been answered.
func (h *handling) giveSoon(ctx context.Context, no int) (n int, err error) {
	for {
		err := h.store.Do(ctx, func(tx ledger.Tx) (err error) {
			n, err = h.give(ctx, tx, no)
			return err
		})
		if !errors.Is(err, errUnderWay) && !errors.Is(err, ledger.ErrLost) {
			return n, err
		}
		if err := h.sleep(ctx, pollEvery); err != nil {
			return 0, err
		}
	}
}

// errUnderWay says that a worker waits for the answer to a batch.
var errUnderWay = errors.New("a request is under way")

// give cancels one batch that waits, and gives its claims back. What may have
// arrived is left to a person: nobody repeats it by himself after this.
func (h *handling) give(ctx context.Context, tx ledger.Tx, no int) (int, error) {
	b, err := tx.Batches().Get(ctx, h.plan.No, no)
	if err != nil {
		return 0, err
	}
	switch {
	case b.State == ledger.InFlight && h.store.Shared() && b.LeaseUntil.After(tx.Now()):
		return 0, errUnderWay
	case b.State == ledger.InFlight || b.State == ledger.Unknown:
		b.NextAt = ledger.Never
		from, fence := b.State, b.Fence
		b.State, b.Fence, b.Owner, b.LeaseUntil = ledger.Unknown, fence+1, "", time.Time{}
		return 0, tx.Batches().Move(ctx, b, from, fence)
	}
	if !slices.Contains([]ledger.State{ledger.Planned, ledger.Queued, ledger.RetryWait}, b.State) {
		return 0, nil
	}
	var events []ledger.Event
	err = tx.Events().Range(ctx, h.plan.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
		if e.State == "" {
			events = append(events, *e)
		}
		return nil
	})
	if err != nil {
		return 0, err
	}
	_, claims := refsOf(events)
	if err := tx.Claims().Release(ctx, claims); err != nil {
		return 0, err
	}
	return len(events), h.moved(ctx, tx, b, ledger.Cancelled)
}

// expireAtOnce is how many plans one sweep ends in one go.
const expireAtOnce = 100

// ExpirePlans ends plans whose time is over: nothing of them was sent, and their
// events are cancelled(plan_expired). It returns how many.
func (s *Service) ExpirePlans(ctx context.Context) (n int, err error) {
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		plans, err := tx.Plans().Expired(ctx, tx.Now(), expireAtOnce)
		if err != nil {
			return err
		}
		for i := range plans {
			if err := s.expire(ctx, tx, &plans[i]); err != nil {
				return err
			}
		}
		n = len(plans)
		return nil
	})
	return n, err
}

func (s *Service) expire(ctx context.Context, tx ledger.Tx, p *ledger.Plan) error {
	if err := tx.Plans().Move(ctx, p.No, ledger.PlanReady, ledger.PlanCancelled); err != nil {
		return err
	}
	if _, err := tx.Batches().MoveAll(ctx, p.No, ledger.Planned, ledger.Cancelled, 0); err != nil {
		return err
	}
	open, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Plan: p.No})
	if err != nil {
		return err
	}
	for i := range open {
		from := open[i].State
		if from != ledger.ApprovalPending && from != ledger.ApprovalApproved {
			continue
		}
		open[i].State = ledger.ApprovalExpired
		if err := tx.Approvals().Move(ctx, &open[i], from); err != nil {
			return err
		}
	}
	_, err = tx.Audit().Append(ctx, s.now(), audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: p.Profile, Op: "plan.expired", Dataset: p.Dataset, Realm: p.Realm,
		Plan: p.ID, PlanHash: p.Hash, EventCount: p.Events, Result: "cancelled(plan_expired)", AppVersion: s.version,
	})
	return unaudited(err)
}
