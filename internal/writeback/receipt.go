package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"time"

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

// finish counts, writes the audit record and the receipt in one transaction. A run
// with leftovers stays open: the same key resumes it.
func (c *confirm) finish(ctx context.Context, sent error) (*Receipt, error) {
	now := c.now()
	r := &Receipt{RunID: c.run.ID, PlanID: c.plan.ID, StartedAt: c.run.StartedAt, FinishedAt: now, Reasons: map[string]int{}, TraceIDs: []string{}}
	err := c.store.Do(ctx, func(tx ledger.Tx) error {
		var err error
		if r.Counts, err = tx.Events().Counts(ctx, c.plan.No); err != nil {
			return err
		}
		codes, err := tx.Events().Codes(ctx, c.plan.No)
		if err != nil {
			return err
		}
		for state, byCode := range codes {
			for code, n := range byCode {
				if code != "" {
					r.Reasons[string(state)+"("+code+")"] += n
				}
			}
		}
		err = tx.Runs().Attempts(ctx, c.run.ID, func(a *ledger.Attempt) error {
			r.Requests++
			if a.Result == string(ledger.Delivered) {
				r.EventsReceived += a.Received
				r.TraceIDs = append(r.TraceIDs, a.TraceID)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if total := sum(r.Counts); total != c.plan.Events {
			return fault.New(fault.Internal, "the ledger holds %d events of a plan of %d", total, c.plan.Events)
		}
		done := sent == nil && r.Leftover() == 0
		op, result := "confirm.stopped", string(fault.CodeOf(sent))
		switch {
		case errors.Is(sent, context.Canceled):
			result = string(fault.Cancelled)
		case done:
			op, result = "confirm.finished", "ok"
		case sent == nil:
			result = string(fault.OutcomeUnknown)
		}
		rec := c.record(op, result)
		rec.CountsByState, rec.SubmissionIDs = map[string]int{}, r.TraceIDs
		for s, n := range r.Counts {
			rec.CountsByState[string(s)] = n
		}
		if r.AuditSeq, err = tx.Audit().Append(ctx, now, rec); err != nil {
			return err
		}
		c.run.State, c.run.Error = ledger.RunStopped, result
		if done {
			c.run.State, c.run.Error, c.run.FinishedAt = ledger.RunFinished, "", now
			result, err := json.Marshal(r)
			if err != nil {
				return err
			}
			if err := tx.Runs().FinishKey(ctx, c.plan.Profile, c.req.Key, result); err != nil {
				return err
			}
		}
		return tx.Runs().Move(ctx, c.run, c.run.Fence)
	})
	switch {
	case err != nil:
		return nil, errors.Join(err, sent)
	case errors.Is(sent, context.Canceled):
		return r, fault.New(fault.Cancelled, "interrupted; %d events are left", r.Leftover()).Wrap(sent)
	case sent != nil:
		return r, sent
	case r.Leftover() > 0:
		return r, fault.New(fault.OutcomeUnknown, "%d events may or may not have arrived", r.Counts[ledger.Unknown]).
			WithFix("confirm again: what is still inside the guard window is sent again with the same bytes; compare the rest with Events Manager")
	}
	return r, nil
}

func sum(counts map[ledger.State]int) int {
	n := 0
	for _, c := range counts {
		n += c
	}
	return n
}
