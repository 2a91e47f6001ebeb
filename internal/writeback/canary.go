package writeback

import (
	"context"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// maxCanary is the most events a canary has: one request.
const maxCanary = 1000

// waits answers whatever is asked of a run whose canary was sent, but its
// continuation.
func (c *confirm) waits(ctx context.Context, run *ledger.Run) error {
	c.run = run
	var r *Receipt
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		r, err = c.count(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	return fault.New(fault.RunPaused, "the canary of plan %s was sent; %d events wait for a yes", c.plan.ID, r.Counts[ledger.Queued]+r.Counts[ledger.RetryWait]).
		WithFix("look at its trace ids in Events Manager, then send the rest with `sluice confirm %s --continue`, or end it with `sluice runs cancel %s --reason TEXT`", c.plan.ID, run.ID).
		WithCommand("sluice", "confirm", c.plan.ID, "--continue").
		With("run_id", run.ID).With("plan_id", c.plan.ID).With("fbtrace_ids", r.TraceIDs).With("counts", r.Counts)
}
