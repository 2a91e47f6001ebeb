package writeback

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// The answers a person can give about events that may have arrived.
const (
	AsDelivered = "delivered" // they did: delivered(assumed)
	AsResend    = "resend"    // send them again, whatever the guard says
	AsRejected  = "rejected"  // they did not, and are not to be sent by this run
)

// Codes of events that a person decided about.
const (
	codeAssumed  = "assumed"
	codeResolved = "resolved"
	codeHeldBack = "held_back"
)

// ResolveRequest decides about unknown events.
type ResolveRequest struct {
	Target string // a plan or a run
	As     string
	Reason string
	Events []string // event ids; every unknown event when empty
}

// Resolution is what was decided.
type Resolution struct {
	PlanID  string   `json:"plan_id"`
	RunID   string   `json:"run_id,omitempty"`
	As      string   `json:"as"`
	Events  int      `json:"events"`
	TooLate int      `json:"too_late,omitempty"` // can't be sent again: their window has closed
	Receipt *Receipt `json:"receipt,omitempty"`  // when nothing is open any more
}

// mayAdminister is for acts that change what the rules decided: a person who is an
// admin, never an agent, and with a reason for the record.
func (s *Service) mayAdminister(reason string) error {
	if err := s.requireReason(reason); err != nil {
		return err
	}
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{}); err != nil {
		return err
	}
	if s.caller.Agent {
		return fault.New(fault.RoleRequired, "an agent's token can't do this").WithFix("an admin does it, with a token of their own")
	}
	return nil
}

// Resolve records what a person knows about events whose answer was lost.
func (s *Service) Resolve(ctx context.Context, req ResolveRequest) (*Resolution, error) {
	if !slices.Contains([]string{AsDelivered, AsResend, AsRejected}, req.As) {
		return nil, fault.New(fault.Usage, "an unknown event is resolved as delivered, resend or rejected")
	}
	if err := s.mayAdminister(req.Reason); err != nil {
		return nil, err
	}
	r, err := s.take(ctx, req.Target)
	if err != nil {
		return nil, err
	}
	defer r.lock.release()
	r.req, r.reason = req, req.Reason
	return r.resolve(ctx)
}

// handling is a person's hand on a plan that nobody works on meanwhile.
type handling struct {
	*confirm
	lock   *lock
	req    ResolveRequest
	reason string
	out    *Resolution
	wanted map[string]bool
}

// take finds a plan by its own id or its run's, and keeps others from it.
func (s *Service) take(ctx context.Context, target string) (*handling, error) {
	planID := target
	if strings.HasPrefix(target, "run_") {
		err := s.store.View(ctx, func(tx ledger.Tx) error {
			run, err := tx.Runs().ByID(ctx, target)
			if err != nil {
				return err
			}
			p, err := tx.Plans().ByNo(ctx, run.Plan)
			if err == nil {
				planID = p.ID
			}
			return err
		})
		if errors.Is(err, ledger.ErrNotFound) {
			return nil, fault.New(fault.NotFound, "there is no run %s", target).WithFix("list runs with `sluice runs`")
		}
		if err != nil {
			return nil, err
		}
	}
	c, err := s.confirmOf(ctx, ConfirmRequest{PlanID: planID})
	if err != nil {
		return nil, err
	}
	if c.run, err = c.existing(ctx); err != nil {
		return nil, err
	}
	if c.run != nil {
		c.confirmKey()
	}
	l, err := c.lockPatiently(ctx)
	if err != nil {
		return nil, err
	}
	if c.kinds, c.files, err = c.lookups(ctx, c.plan.No); err != nil {
		l.release()
		return nil, err
	}
	return &handling{confirm: c, lock: l}, nil
}

// confirmKey takes over the key of the run, for the record.
func (c *confirm) confirmKey() { c.req.Key = c.run.Key }

// lockPatiently waits a little for whoever is at the plan to end.
func (c *confirm) lockPatiently(ctx context.Context) (*lock, error) {
	for left := 35 * time.Second; ; left -= pollEvery {
		l, err := c.lock("plan-" + c.plan.ID)
		if !busy(err) || left <= 0 {
			return l, err
		}
		if err := c.sleep(ctx, pollEvery); err != nil {
			return nil, err
		}
	}
}

func (h *handling) resolve(ctx context.Context) (*Resolution, error) {
	h.out = &Resolution{PlanID: h.plan.ID, As: h.req.As}
	if h.run != nil {
		h.out.RunID = h.run.ID
	}
	h.wanted = map[string]bool{}
	for _, id := range h.req.Events {
		h.wanted[id] = true
	}
	var batches []ledger.Batch
	err := h.store.View(ctx, func(tx ledger.Tx) (err error) {
		batches, err = tx.Batches().List(ctx, h.plan.No)
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, b := range batches {
		err := h.store.Do(ctx, func(tx ledger.Tx) error { return h.batch(ctx, tx, b.No) })
		if errors.Is(err, ledger.ErrLost) {
			return nil, h.busy(err) // a worker took the batch between our look and our write
		}
		if err != nil {
			return nil, err
		}
	}
	if h.out.Events == 0 && h.out.TooLate == 0 {
		return nil, fault.New(fault.NothingToResolve, "no such event of plan %s is unknown", h.plan.ID)
	}
	if h.out.Events == 0 {
		return nil, fault.New(fault.NothingToResolve, "%d events left their window and can't be sent again", h.out.TooLate).
			WithFix("compare with Events Manager, then resolve them as delivered or rejected")
	}
	h.out.Receipt, err = h.settle(ctx)
	return h.out, err
}

// batch decides about the unknown events of one batch, in one transaction with its
// record.
func (h *handling) batch(ctx context.Context, tx ledger.Tx, no int) error {
	b, err := tx.Batches().Get(ctx, h.plan.No, no)
	if err != nil {
		return err
	}
	var chosen, others []ledger.Event // unknown and wanted; following the batch otherwise
	err = tx.Events().Range(ctx, h.plan.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
		unknown := e.State == ledger.Unknown || (e.State == "" && b.State == ledger.Unknown)
		switch {
		case unknown && (len(h.wanted) == 0 || h.wanted[e.EventID]):
			chosen = append(chosen, *e)
		case e.State == "":
			others = append(others, *e)
		}
		return nil
	})
	if err != nil || len(chosen) == 0 {
		return err
	}
	if b.Owner != "" && b.LeaseUntil.After(tx.Now()) {
		f := fault.New(fault.IdempotencyInProgress, "a worker has these events now")
		f.RetryAfter = int(b.LeaseUntil.Sub(tx.Now())/time.Second) + 1
		return f
	}
	if h.run == nil {
		err = h.unsent(ctx, tx, chosen)
	} else if h.req.As == AsResend {
		chosen, err = h.again(ctx, tx, b, chosen, others)
	} else {
		err = h.decide(ctx, tx, b, chosen, others)
	}
	if err != nil || len(chosen) == 0 {
		return err
	}
	h.out.Events += len(chosen)
	return h.recorded(ctx, tx, "resolve."+h.req.As, len(chosen))
}

// unsent decides about a live test of a plan that was not confirmed: what did not
// arrive may be confirmed with the rest.
func (h *handling) unsent(ctx context.Context, tx ledger.Tx, chosen []ledger.Event) error {
	if err := h.unconfirmed(ctx, tx); err != nil {
		return err
	}
	refs, claims := refsOf(chosen)
	if h.req.As == AsDelivered {
		return tx.Events().Set(ctx, refs, ledger.Delivered, codeTest)
	}
	if err := tx.Events().Set(ctx, refs, "", ""); err != nil {
		return err
	}
	return tx.Claims().Release(ctx, claims)
}

// decide ends the chosen events. A batch that nothing follows any more is over.
func (h *handling) decide(ctx context.Context, tx ledger.Tx, b *ledger.Batch, chosen, others []ledger.Event) error {
	refs, claims := refsOf(chosen)
	if h.req.As == AsDelivered {
		if err := tx.Events().Set(ctx, refs, ledger.Delivered, codeAssumed); err != nil {
			return err
		}
	} else {
		if err := tx.Events().Set(ctx, refs, ledger.Rejected, codeResolved); err != nil {
			return err
		}
		if err := tx.Claims().Release(ctx, claims); err != nil {
			return err
		}
		if err := tx.Rejects().Put(ctx, h.listed(chosen)); err != nil {
			return err
		}
	}
	switch {
	case b.State != ledger.Unknown:
		return nil // the batch is not repeated
	case len(others) > 0:
		return h.moved(ctx, tx, b, ledger.Unknown) // a worker that is about to repeat it reads it anew
	}
	return h.moved(ctx, tx, b, ledger.Delivered)
}

func (h *handling) listed(events []ledger.Event) []ledger.Reject {
	out := make([]ledger.Reject, len(events))
	for i := range events {
		e := &events[i]
		out[i] = ledger.Reject{
			Plan: h.plan.No, File: h.files[e.File], Line: e.Line, Stage: "send", Code: codeResolved,
			Hint: "an answer was lost, and a person decided that this event did not arrive; a new preview may send it", Labels: h.kinds[e.Kind].Labels,
		}
	}
	return out
}

// again queues the chosen events once more. A batch is sent as a whole, so what of
// it is not to be sent gets a state of its own first.
func (h *handling) again(ctx context.Context, tx ledger.Tx, b *ledger.Batch, chosen, others []ledger.Event) ([]ledger.Event, error) {
	now := h.now()
	before := len(chosen)
	chosen = slices.DeleteFunc(chosen, func(e ledger.Event) bool {
		window := capi.Window(capi.ActionSource(h.kinds[e.Kind].ActionSource), h.summary.window())
		late := now.Sub(time.Unix(e.Time, 0)) > window-sendMargin
		if late && e.State == "" {
			others = append(others, e)
		}
		return late
	})
	h.out.TooLate += before - len(chosen)
	if len(chosen) == 0 {
		return nil, nil
	}
	state, code := b.State, ""
	if state == ledger.Unknown {
		code = codeHeldBack
	}
	if state != ledger.Queued && state != ledger.RetryWait { // what waits travels with them
		apart, _ := refsOf(others)
		if err := tx.Events().Set(ctx, apart, state, code); err != nil {
			return nil, err
		}
	}
	refs, _ := refsOf(chosen)
	if err := tx.Events().Set(ctx, refs, "", ""); err != nil {
		return nil, err
	}
	b.Attempts, b.FirstAttempt, b.NextAt = 0, time.Time{}, time.Time{}
	return chosen, h.moved(ctx, tx, b, ledger.Queued)
}

func (h *handling) moved(ctx context.Context, tx ledger.Tx, b *ledger.Batch, to ledger.State) error {
	from, fence := b.State, b.Fence
	b.State, b.Fence, b.Owner, b.LeaseUntil = to, fence+1, "", time.Time{}
	return tx.Batches().Move(ctx, b, from, fence)
}

func (h *handling) recorded(ctx context.Context, tx ledger.Tx, op string, n int) error {
	r := audit.Record{
		Actor: h.actor(), Via: h.caller.Via, Profile: h.profile, Op: op, Dataset: h.plan.Dataset, Realm: h.plan.Realm,
		Plan: h.plan.ID, PlanHash: h.plan.Hash, EventCount: n, Reason: h.reason, Result: "ok", AppVersion: h.version,
	}
	if h.run != nil {
		r.Run = h.run.ID
	}
	return h.append(ctx, tx, r)
}

// settle finishes the run when nothing of it is open any more.
func (h *handling) settle(ctx context.Context) (*Receipt, error) {
	if h.run == nil {
		return nil, nil
	}
	var r *Receipt
	err := h.store.View(ctx, func(tx ledger.Tx) (err error) {
		r, err = h.count(ctx, tx)
		return err
	})
	if err != nil || r.Leftover() > 0 {
		return nil, err
	}
	return h.finish(context.WithoutCancel(ctx), nil)
}
