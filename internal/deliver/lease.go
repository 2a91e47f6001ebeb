package deliver

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

// recountEvery is how many calls for work lie between two checks of the counts, and
// poll how long a worker waits for what others hold before it looks again.
const (
	recountEvery = 64
	poll         = time.Second
)

// dispatch hands out batches as they come due, until nothing is left that this
// worker may send. What others hold may come back, so it waits for that.
func (e *Engine) dispatch(ctx context.Context, queue chan<- ledger.Batch) error {
	for n := 1; ; n++ {
		list, wait, err := e.lease(ctx, e.Concurrency)
		if err != nil {
			return err
		}
		for _, b := range list {
			select {
			case queue <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		if len(list) == 0 && wait < 0 {
			return nil
		}
		if len(list) == 0 {
			if err := e.Sleep(ctx, wait); err != nil {
				return err
			}
		}
		if n%recountEvery == 0 || (len(list) == 0 && e.Store.Shared()) {
			if err := e.recount(ctx); err != nil {
				return err
			}
		}
	}
}

// lease takes up to n batches. When there is none, wait says how long until one may
// be free, negative when no batch of others is open.
func (e *Engine) lease(ctx context.Context, n int) (list []ledger.Batch, wait time.Duration, err error) {
	err = e.Store.Do(ctx, func(tx ledger.Tx) error {
		run, err := tx.Runs().ByID(ctx, e.Run.ID)
		if err != nil {
			return err
		}
		if run.State != ledger.RunSending || run.Paused {
			return ErrEnded
		}
		if list, err = tx.Batches().Lease(ctx, e.Plan.No, e.owner, e.Lease, n); err != nil {
			return err
		}
		for i := range list {
			if list[i].State == ledger.InFlight {
				if err := e.recover(ctx, tx, &list[i]); err != nil {
					return err
				}
			}
		}
		if len(list) == 0 {
			wait, err = e.idle(ctx, tx)
		}
		return err
	})
	return list, wait, err
}

// recover judges a batch whose owner died or lost it between an attempt and its
// answer. An open attempt may have been processed. Inside a split whose every part
// had been answered, what is left provably was not.
func (e *Engine) recover(ctx context.Context, tx ledger.Tx, b *ledger.Batch) error {
	var open []ledger.Attempt
	var since time.Time // start of the first attempt that may have been processed
	err := tx.Runs().Attempts(ctx, e.Run.ID, func(a *ledger.Attempt) error {
		if a.Batch != b.No {
			return nil
		}
		if a.EndedAt.IsZero() {
			open = append(open, *a)
		}
		if (a.EndedAt.IsZero() || a.Result == string(ledger.Unknown)) && since.IsZero() {
			since = a.StartedAt
		}
		return nil
	})
	if err != nil {
		return err
	}
	now := e.Now()
	if done, err := e.recoverTrial(ctx, tx, b, open); done || err != nil {
		return err
	}
	for i := range open {
		open[i].EndedAt, open[i].Result = now, string(ledger.Unknown)
		if err := tx.Runs().End(ctx, &open[i]); err != nil {
			return err
		}
	}
	if b.State = ledger.RetryWait; !since.IsZero() {
		b.State, b.FirstAttempt = ledger.Unknown, since
	}
	e.Log.Info("a batch was left in flight", "plan", e.Plan.ID, "batch", b.No, "now", string(b.State))
	return tx.Batches().Move(ctx, b, ledger.InFlight, b.Fence)
}

// recoverTrial judges a batch of which a trial had sent a part when its owner died:
// what the request held is unknown and waits for a person, the rest was never sent.
func (e *Engine) recoverTrial(ctx context.Context, tx ledger.Tx, b *ledger.Batch, open []ledger.Attempt) (bool, error) {
	if len(open) != 1 || e.First == 0 {
		return false, nil
	}
	a := &open[0]
	following := 0
	var sent []ledger.EventRef
	err := tx.Events().Range(ctx, b.Plan, b.First, b.First+b.Count, func(ev *ledger.Event) error {
		if ev.State != "" {
			return nil
		}
		if following++; ev.Ref.Ord() >= a.From && ev.Ref.Ord() < a.To {
			sent = append(sent, ev.Ref)
		}
		return nil
	})
	if err != nil || len(sent) != a.Count || following == a.Count {
		return false, err
	}
	a.EndedAt, a.Result = e.Now(), string(ledger.Unknown)
	if err := tx.Runs().End(ctx, a); err != nil {
		return false, err
	}
	if err := tx.Events().Set(ctx, sent, ledger.Unknown, codeTrial); err != nil {
		return false, err
	}
	b.State, b.FirstAttempt = ledger.Queued, time.Time{}
	e.Log.Info("a trial was left in flight", "plan", e.Plan.ID, "batch", b.No, "events", len(sent))
	return true, tx.Batches().Move(ctx, b, ledger.InFlight, b.Fence)
}

// idle says how long until a batch that is not this worker's may be free.
func (e *Engine) idle(ctx context.Context, tx ledger.Tx) (time.Duration, error) {
	list, err := tx.Batches().List(ctx, e.Plan.No)
	if err != nil {
		return 0, err
	}
	due, any := Due(list, e.owner, tx.Now())
	if !any {
		return -1, nil
	}
	wait := max(due.Sub(tx.Now()), 10*time.Millisecond) // somebody is taking it this moment
	if !e.Exclusive {
		wait = min(wait, poll)
	}
	return wait, nil
}

// more reports whether batches are open that are not this worker's: one that it lost
// while its last requests were under way, or one that somebody else gave back.
func (e *Engine) more(ctx context.Context) (any bool, err error) {
	err = e.Store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Batches().List(ctx, e.Plan.No)
		_, any = Due(list, e.owner, tx.Now())
		return err
	})
	return any, err
}

// Due returns when the first of the open batches that are not owner's can be worked
// on, and whether there is one. What waits for a person never is.
func Due(list []ledger.Batch, owner string, now time.Time) (due time.Time, any bool) {
	for i := range list {
		b := &list[i]
		switch b.State {
		case ledger.Queued, ledger.RetryWait, ledger.Unknown, ledger.InFlight:
		default:
			continue
		}
		if (owner != "" && b.Owner == owner) || !b.NextAt.Before(ledger.Never) {
			continue
		}
		at := b.LeaseUntil
		if b.NextAt.After(at) && b.NextAt.Sub(now) <= ledger.MaxWait {
			at = b.NextAt
		}
		if !any || at.Before(due) {
			due, any = at, true
		}
	}
	return due, any
}
