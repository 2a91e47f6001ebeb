package writeback

import (
	"context"
	"errors"
	"time"

	"golang.org/x/time/rate"

	"sluice/internal/crash"
	"sluice/internal/deliver"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// work claims what has to be claimed, sends, and writes the receipt. On a shared
// store others may be at the same run.
func (c *confirm) work(ctx context.Context) (*Receipt, error) {
	crash.Point("C2")
	if err := c.takeOver(ctx); err != nil {
		return nil, err
	}
	for c.run.State == ledger.RunClaiming {
		err := c.claim(ctx)
		switch {
		case errors.Is(err, ledger.ErrLost) && c.store.Shared():
			err = c.awaitClaims(ctx)
		case errors.Is(err, ledger.ErrLost):
			err = c.reread(ctx) // it was cancelled meanwhile
		}
		if err != nil {
			return nil, typed(err)
		}
	}
	err := c.send(ctx)
	return c.finish(ctx, err)
}

// takeOver makes the run this worker's, or joins those that are at it. A new owner
// has a new fence: what an older one still writes is refused.
func (c *confirm) takeOver(ctx context.Context) error {
	shared := c.store.Shared()
	if shared && (c.run.State == ledger.RunSending || c.run.State == ledger.RunFinished) {
		return nil
	}
	if shared && c.run.State == ledger.RunClaiming && c.run.Fence > 0 {
		return c.awaitClaims(ctx) // somebody has begun
	}
	old := c.run.Fence
	c.run.Fence++
	if c.run.State == ledger.RunStopped {
		unclaimed, err := c.unclaimed(ctx)
		if err != nil {
			return err
		}
		if c.run.State = ledger.RunSending; unclaimed {
			c.run.State = ledger.RunClaiming
		}
	}
	err := c.store.Do(ctx, func(tx ledger.Tx) error { return tx.Runs().Move(ctx, c.run, old) })
	if !errors.Is(err, ledger.ErrLost) || !shared {
		return err
	}
	if err := c.reread(ctx); err != nil || c.run.State != ledger.RunClaiming {
		return err
	}
	return c.awaitClaims(ctx)
}

// unclaimed reports whether the run was stopped before it had claimed everything.
func (c *confirm) unclaimed(ctx context.Context) (found bool, err error) {
	err = c.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Batches().List(ctx, c.plan.No)
		for i := range list {
			found = found || list[i].State == ledger.Planned
		}
		return err
	})
	return found, err
}

func (c *confirm) reread(ctx context.Context) error {
	return c.store.View(ctx, func(tx ledger.Tx) (err error) {
		c.run, err = tx.Runs().ByID(ctx, c.run.ID)
		return err
	})
}

// awaitClaims waits while another worker claims the run's keys. Every chunk that it
// claims moves the run's fence; once that has stood still for the time of a lease,
// the other one is dead and this worker goes on in its place.
func (c *confirm) awaitClaims(ctx context.Context) error {
	seen, since := int64(-1), c.now()
	for {
		if err := c.reread(ctx); err != nil || c.run.State != ledger.RunClaiming {
			return err
		}
		if c.run.Fence != seen {
			seen, since = c.run.Fence, c.now()
		} else if c.now().Sub(since) >= c.leaseTime() {
			c.run.Fence++
			err := c.store.Do(ctx, func(tx ledger.Tx) error { return tx.Runs().Move(ctx, c.run, seen) })
			if !errors.Is(err, ledger.ErrLost) {
				return err
			}
			continue
		}
		if err := c.sleep(ctx, min(time.Second, c.leaseTime()/4)); err != nil {
			return err
		}
	}
}

func (s *Service) leaseTime() time.Duration {
	if s.lease > 0 {
		return s.lease
	}
	return deliver.LeaseTime
}

func (c *confirm) send(ctx context.Context) error {
	if c.plan.Events == 0 {
		return nil
	}
	e := &deliver.Engine{
		Store: c.store, Sender: c.to, Payload: c.payload, Kinds: c.kinds, Files: c.files, Plan: c.plan, Run: c.run, Window: c.summary.window(),
		Concurrency: c.req.Concurrency, Now: c.now, Sleep: c.sleep, Log: c.log,
		Lease: c.leaseTime(), Exclusive: !c.store.Shared(), Hosts: c.hosts, Hold: c.owner.Policy.UnknownPolicy == tenant.HoldUnknown, Alert: c.alert,
	}
	if e.Concurrency == 0 {
		e.Concurrency = 4
	}
	switch {
	case c.run.Canary > 0:
		tested, err := c.tested(ctx)
		if err != nil {
			return err
		}
		e.First, e.Only = c.run.Canary+tested, true
		if c.probe { // while the circuit is half open, the canary is no larger than its trial
			e.First = min(c.run.Canary, probeEvents) + tested
		}
	case c.probe:
		e.First = probeEvents
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
	c.engine = e
	if err := c.leaveOut(ctx); err != nil {
		return err
	}
	return e.Send(ctx)
}

// tested is how many events of the plan a live test has sent: they are none of a
// canary's.
func (c *confirm) tested(ctx context.Context) (n int, err error) {
	err = c.store.View(ctx, func(tx ledger.Tx) error {
		codes, err := tx.Events().Codes(ctx, c.plan.No)
		n = codes[ledger.Delivered][codeTest] + codes[ledger.Unknown][codeLive]
		return err
	})
	return n, err
}

// alert writes down that Meta acknowledged another number of events than were sent:
// nobody can say which of them it has.
func (c *confirm) alert(ctx context.Context, tx ledger.Tx, a *ledger.Attempt) error {
	r := c.record("delivery.short_count", "unknown")
	r.EventCount, r.CountsByState = a.Count, map[string]int{"acknowledged": a.Received}
	if a.TraceID != "" {
		r.SubmissionIDs = []string{a.TraceID}
	}
	_, err := tx.Audit().Append(ctx, c.now(), r)
	return err
}
