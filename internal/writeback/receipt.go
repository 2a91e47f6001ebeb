package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"sluice/internal/crash"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// Receipt is the answer to a confirm. Its counts add up to the plan's events.
type Receipt struct {
	RunID          string               `json:"run_id"`
	PlanID         string               `json:"plan_id"`
	Replayed       bool                 `json:"replayed"`
	Counts         map[ledger.State]int `json:"counts"`
	Reasons        map[string]int       `json:"reasons,omitempty"` // of skipped, expired and rejected events
	EventsReceived int                  `json:"events_received"`
	Requests       int                  `json:"requests"`
	TraceIDs       []string             `json:"fbtrace_ids"`
	AuditSeq       int64                `json:"audit_seq"`
	StartedAt      time.Time            `json:"started_at"`
	FinishedAt     time.Time            `json:"finished_at"`
	Paused         bool                 `json:"paused,omitempty"` // a canary was sent; the rest waits for a yes
	Result         string               `json:"result,omitempty"` // nothing_to_send, when nothing was left
	Error          string               `json:"error,omitempty"`  // why a replayed run stopped
}

// Leftover is the number of events that are in no final state.
func (r *Receipt) Leftover() int {
	n := 0
	for s, c := range r.Counts {
		if !s.Terminal() {
			n += c
		}
	}
	return n
}

// Outcome is the fault that describes a finished confirm, nil when everything was
// delivered.
func (r *Receipt) Outcome() error {
	rejected, unknown := r.Counts[ledger.Rejected], r.Counts[ledger.Unknown]
	if rejected+unknown > 0 {
		return fault.New(fault.Partial, "%d events were rejected, %d are unknown", rejected, unknown).
			WithFix("see `sluice rejects %s`", r.PlanID)
	}
	return nil
}

// errConcluded says that another worker has ended the run.
var errConcluded = errors.New("the run was concluded by another worker")

// errMoved says that somebody moved the run, or its key, while it was being ended.
var errMoved = errors.New("the run was moved by another worker")

// errWorked says that there is more to do, or that others are still doing it.
var errWorked = errors.New("the run is being worked on")

// finish ends this worker's part of the run. Where several share one, the first that
// sees no open batch finishes it; the others return what that one has written.
// A worker that leaves for a reason of its own ends nothing while others are at it.
func (c *confirm) finish(ctx context.Context, sent error) (*Receipt, error) {
	for {
		r, err := c.conclude(context.WithoutCancel(ctx), sent)
		switch {
		case errors.Is(err, errMoved) && c.store.Shared():
			continue // somebody moved the run between our look and our write: look again
		case errors.Is(err, errConcluded):
			return c.concluded(context.WithoutCancel(ctx))
		case errors.Is(err, errWorked):
			sent = c.engine.Send(ctx)
			continue
		}
		crash.Point("C6")
		return r, err
	}
}

// concluded returns what the worker that ended the run left behind.
func (c *confirm) concluded(ctx context.Context) (*Receipt, error) {
	var r *Receipt
	err := c.store.View(ctx, func(tx ledger.Tx) error {
		key, err := tx.Runs().Key(ctx, c.plan.Profile, c.run.Key)
		if err != nil {
			return err
		}
		if len(key.Result) > 0 {
			r = &Receipt{}
			return json.Unmarshal(key.Result, r)
		}
		if r, err = c.count(ctx, tx); err != nil {
			return err
		}
		run, err := tx.Runs().ByID(ctx, c.run.ID)
		if err != nil {
			return err
		}
		r.Paused, r.Error = run.Paused, run.Error
		return nil
	})
	switch {
	case err != nil:
		return nil, err
	case r.Error != "":
		return r, fault.New(fault.Code(r.Error), "another worker stopped the run; %d events are left", r.Leftover())
	}
	return r, nil
}

// conclude counts, writes the audit record and the receipt in one transaction. A run
// with leftovers stays open: the same key resumes it.
func (c *confirm) conclude(ctx context.Context, sent error) (*Receipt, error) {
	now := c.now()
	var r *Receipt
	err := c.store.Do(ctx, func(tx ledger.Tx) (err error) {
		run, err := tx.Runs().ByID(ctx, c.run.ID)
		if err != nil {
			return err
		}
		if r, err = c.count(ctx, tx); err != nil {
			return err
		}
		if run.State == ledger.RunFinished || (run.State == ledger.RunStopped && r.Leftover() > 0) {
			return errConcluded
		}
		if c.run = run; errors.Is(sent, deliver.ErrEnded) {
			sent = nil // whoever ended it has gone, and nothing is left, or it was taken up again
		}
		leaves, err := c.leaves(ctx, tx, r, sent)
		if err != nil {
			return err
		}
		if leaves {
			rec := c.record("confirm.left", leftBecause(sent))
			rec.CountsByState = stated(r.Counts)
			r.AuditSeq, err = tx.Audit().Append(ctx, now, rec)
			return unaudited(err)
		}
		if total := sum(r.Counts); total != c.plan.Events {
			return fault.New(fault.Internal, "the ledger holds %d events of a plan of %d", total, c.plan.Events)
		}
		if r.Leftover() == 0 && ownFailure(sent) {
			sent = nil // it came too late to keep anything from being sent
		}
		done := sent == nil && r.Leftover() == 0
		if done && r.Requests == 0 && r.Counts[ledger.Rejected] == 0 {
			r.Result = string(fault.NothingToSend)
		}
		// A canary whose answer was lost waits for a person as well.
		r.Paused = c.run.Canary > 0 && r.Counts[ledger.Queued]+r.Counts[ledger.RetryWait] > 0 && (sent == nil || fault.CodeOf(sent) == fault.OutcomeUnknown)
		op, result := "confirm.stopped", string(fault.CodeOf(sent))
		switch {
		case errors.Is(sent, context.Canceled):
			result = string(fault.Cancelled)
		case done:
			op, result = "confirm.finished", "ok"
		case r.Paused:
			if op = "confirm.paused"; sent == nil {
				result = "ok"
			}
		case sent == nil:
			result = string(fault.OutcomeUnknown)
		}
		c.run.State, c.run.Error = ledger.RunStopped, result
		if r.Paused {
			c.run.Paused, c.run.Error = true, ""
		}
		if done {
			c.run.State, c.run.Error, c.run.FinishedAt = ledger.RunFinished, "", now
		}
		// Rows are locked in one order by whoever ends, goes on with or cancels a run:
		// circuit, run, audit log. The fence decides between two that finish at once.
		if _, err := tx.Circuits().Lock(ctx, c.plan.Profile, c.plan.Realm); err != nil {
			return err
		}
		fence := c.run.Fence
		c.run.Fence++
		if err := tx.Runs().Move(ctx, c.run, fence); err != nil {
			return err
		}
		if err := c.settleCircuit(ctx, tx, r, sent); err != nil {
			return err
		}
		rec := c.record(op, result)
		rec.CountsByState, rec.SubmissionIDs = stated(r.Counts), shortened(r.TraceIDs)
		if r.AuditSeq, err = tx.Audit().Append(ctx, now, rec); err != nil {
			return err
		}
		crash.Point("C7")
		if !done {
			return nil
		}
		key, err := json.Marshal(r)
		if err != nil {
			return err
		}
		return tx.Runs().FinishKey(ctx, c.plan.Profile, c.run.Key, key)
	})
	if errors.Is(err, ledger.ErrLost) {
		err = errors.Join(errMoved, err)
	}
	switch {
	case err != nil:
		return nil, errors.Join(err, sent)
	case errors.Is(sent, context.Canceled):
		return r, fault.New(fault.Cancelled, "interrupted; %d events are left", r.Leftover()).Wrap(sent)
	case sent != nil:
		return r, sent
	case r.Paused:
		return r, nil
	case r.Leftover() > 0:
		return r, fault.New(fault.OutcomeUnknown, "%d events may or may not have arrived", r.Counts[ledger.Unknown]).
			WithFix("confirm again: what is still inside the guard window is sent again with the same bytes; compare the rest with Events Manager")
	}
	return r, nil
}

// leaves reports whether this worker goes without ending the run, because it is the
// worker that failed and not the run, or because others still have a part of it. It
// is errWorked when this worker is as well and there is more to do.
func (c *confirm) leaves(ctx context.Context, tx ledger.Tx, r *Receipt, sent error) (bool, error) {
	if !c.store.Shared() || c.run.State != ledger.RunSending || r.Leftover() == 0 {
		return false, nil
	}
	batches, err := tx.Batches().List(ctx, c.plan.No)
	if err != nil {
		return false, err
	}
	held, open := false, false
	for i := range batches {
		b := &batches[i]
		held = held || (!b.State.Terminal() && b.Owner != "" && b.LeaseUntil.After(tx.Now()))
		open = open || b.State == ledger.Queued || b.State == ledger.InFlight
	}
	trial := c.probe || c.run.Canary > 0 // whose end is a verdict, or a person's turn
	switch code := fault.CodeOf(sent); {
	case sent == nil && (held || open) && c.run.Canary == 0:
		return false, errWorked
	case sent == nil:
		return false, nil
	case ownFailure(sent):
		return held || !trial, nil
	case code == fault.DestinationUnreached, code == fault.OutcomeUnknown:
		return held && !trial, nil
	}
	return false, nil
}

// ownFailure reports whether a worker failed for a reason of its own, which says
// nothing about the run: its caller has gone, or the ledger did not answer it.
func ownFailure(sent error) bool {
	return errors.Is(sent, context.Canceled) || errors.Is(sent, context.DeadlineExceeded) || fault.CodeOf(sent) == fault.StoreUnavailable
}

func leftBecause(sent error) string {
	if errors.Is(sent, context.Canceled) {
		return string(fault.Cancelled)
	}
	return string(fault.CodeOf(sent))
}

func stated(counts map[ledger.State]int) map[string]int {
	out := make(map[string]int, len(counts))
	for s, n := range counts {
		out[string(s)] = n
	}
	return out
}

// count makes the receipt of the run as the ledger stands.
func (c *confirm) count(ctx context.Context, tx ledger.Tx) (r *Receipt, err error) {
	r = &Receipt{RunID: c.run.ID, PlanID: c.plan.ID, StartedAt: c.run.StartedAt, FinishedAt: c.now(), Reasons: map[string]int{}, TraceIDs: []string{}}
	if r.Counts, err = tx.Events().Counts(ctx, c.plan.No); err != nil {
		return nil, err
	}
	codes, err := tx.Events().Codes(ctx, c.plan.No)
	if err != nil {
		return nil, err
	}
	for state, byCode := range codes {
		for code, n := range byCode {
			if code != "" {
				r.Reasons[string(state)+"("+code+")"] += n
			}
		}
	}
	return r, tx.Runs().Attempts(ctx, c.run.ID, func(a *ledger.Attempt) error {
		r.Requests++
		if a.Result == string(ledger.Delivered) {
			r.EventsReceived += a.Received
			r.TraceIDs = append(r.TraceIDs, a.TraceID)
		}
		return nil
	})
}

// auditedTraces is how many trace ids an audit record names; the receipt has all.
const auditedTraces = 20

func shortened(traces []string) []string {
	if len(traces) <= auditedTraces {
		return traces
	}
	return append(slices.Clone(traces[:auditedTraces]), fmt.Sprintf("and %d more", len(traces)-auditedTraces))
}

func sum(counts map[ledger.State]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
