package writeback

import (
	"context"

	"golang.org/x/time/rate"

	"sluice/internal/deliver"
	"sluice/internal/ledger"
)

// work claims what has to be claimed, sends, and writes the receipt.
func (c *confirm) work(ctx context.Context) (*Receipt, error) {
	// A new owner has a new fence: what an older one still writes is refused.
	old := c.run.Fence
	c.run.Fence++
	if c.run.State == ledger.RunStopped {
		c.run.State = ledger.RunSending
	}
	if err := c.store.Do(ctx, func(tx ledger.Tx) error { return tx.Runs().Move(ctx, c.run, old) }); err != nil {
		return nil, err
	}
	if c.run.State == ledger.RunClaiming {
		if err := c.claim(ctx); err != nil {
			return nil, typed(err)
		}
	}
	err := c.send(ctx)
	return c.finish(context.WithoutCancel(ctx), err)
}

func (c *confirm) send(ctx context.Context) error {
	if c.plan.Events == 0 {
		return nil
	}
	e := &deliver.Engine{
		Store: c.store, Sender: c.to, Payload: c.payload, Kinds: c.kinds, Files: c.files, Plan: c.plan, Run: c.run, Window: c.summary.window(),
		Concurrency: c.req.Concurrency, Now: c.now, Sleep: c.sleep,
	}
	if e.Concurrency == 0 {
		e.Concurrency = 4
	}
	if c.to.Remote() {
		// Meta states no limit for this edge and counts it as a Marketing API call.
		e.Limiter = rate.NewLimiter(10, 10)
	}
	if c.req.Progress != nil {
		total := int64(c.plan.Events)
		e.Progress = func(counts map[ledger.State]int) {
			p := Progress{Phase: "sending", Total: total, Counts: map[string]int64{}}
			for s, n := range counts {
				p.Counts[string(s)] = int64(n)
				if s.Terminal() {
					p.Done += int64(n)
				}
			}
			c.req.Progress(p)
		}
	}
	return e.Send(ctx)
}
