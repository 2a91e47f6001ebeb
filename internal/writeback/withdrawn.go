package writeback

import (
	"context"
	"slices"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/outcome"
	"sluice/internal/privacy"
)

// clockSlack is how far the clock of a preview and that of the store may differ
// when what has changed since the preview is looked up.
const clockSlack = time.Hour

// withdrawn lists, by code, the events of the plan that still follow their batch and
// may not be sent any more: somebody came onto the suppression list since the
// preview, or a stored outcome was cancelled or lost its consent. Usually nobody did, and the plan's
// index is not even read.
func (c *confirm) withdrawn(ctx context.Context) (map[string][]ledger.Event, error) {
	since := c.plan.CreatedAt.Add(-clockSlack)
	out := map[string][]ledger.Event{}
	var list *privacy.List
	var places []privacy.Span
	lost := map[ledger.Key]string{}
	err := c.store.View(ctx, func(tx ledger.Tx) (err error) {
		if list, err = privacy.Load(ctx, tx.Privacy(), c.plan.Profile, since); err != nil {
			return err
		}
		if places, err = c.find(ctx, tx, c.plan, list); err != nil {
			return err
		}
		return tx.Outcomes().Gone(ctx, c.plan.Profile, since, func(o *outcome.Row) error {
			if code := leftCodes[o.State]; code != "" {
				lost[ledger.KeyOf(c.plan.Realm, c.plan.Dataset, o.EventName, o.EventID)] = code
			}
			return nil
		})
	})
	if err != nil || len(places) == 0 && len(lost) == 0 {
		return nil, err
	}
	at := map[int64]bool{}
	for _, p := range places {
		at[p.Offset] = true
	}
	err = c.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Events().Range(ctx, c.plan.No, 0, c.plan.Events, func(e *ledger.Event) error {
			switch {
			case e.State != "":
			case at[e.Offset]:
				out[SkipSuppressed] = append(out[SkipSuppressed], *e)
			case lost[e.Key] != "":
				out[lost[e.Key]] = append(out[lost[e.Key]], *e)
			}
			return nil
		})
	})
	return out, err
}

// find looks everybody on a list up in a plan's subject index.
func (s *Service) find(ctx context.Context, tx ledger.Tx, p *ledger.Plan, list *privacy.List) ([]privacy.Span, error) {
	if list.Len() == 0 || len(p.WrappedKey) == 0 {
		return nil, nil
	}
	key, err := s.keys.Unwrap(p.WrappedKey, p.File)
	if err != nil {
		return nil, err
	}
	finder := privacy.NewFinder(list)
	var places []privacy.Span
	err = tx.Privacy().SubjectParts(ctx, p.No, func(part privacy.Part) error {
		found, err := finder.In(key, part)
		places = append(places, found...)
		return err
	})
	return places, err
}

// leaveOut takes events that may not be sent any more out of the run, before
// anything of it leaves: at the end of claiming, and again whenever it is resumed.
// Only what waits is touched; what is under way or unknown has left already.
func (c *confirm) leaveOut(ctx context.Context) error {
	gone, err := c.withdrawn(ctx)
	if err != nil {
		return err
	}
	for code, events := range gone {
		for chunk := range slices.Chunk(events, putRows) {
			err := c.store.Do(ctx, func(tx ledger.Tx) error { return c.skip(ctx, tx, chunk, code) })
			if err != nil {
				return err
			}
		}
	}
	return nil
}

// skip moves the events of a chunk whose batch waits to skipped and gives their
// claims back.
func (c *confirm) skip(ctx context.Context, tx ledger.Tx, chunk []ledger.Event, code string) error {
	waiting, _, err := hold(ctx, tx, c.plan.No, chunk, ledger.Skipped)
	if err != nil || len(waiting) == 0 {
		return err
	}
	refs, claims := refsOf(waiting)
	if err := tx.Events().Set(ctx, refs, ledger.Skipped, code); err != nil {
		return err
	}
	return tx.Claims().Release(ctx, claims)
}

// hold keeps the events whose batch may still move to a state: it has provably not
// sent them. A worker that has such a batch on lease loses it here, by the fence,
// before it could read what it is about to send; the others are busy. So are events
// that have got a state of their own since they were read: once a batch is held,
// nobody else gives them one.
func hold(ctx context.Context, tx ledger.Tx, plan int64, events []ledger.Event, to ledger.State) (waiting, busy []ledger.Event, err error) {
	batches, err := tx.Batches().List(ctx, plan)
	if err != nil {
		return nil, nil, err
	}
	taken := map[int]bool{}
	for _, e := range events {
		b := batchOf(batches, e.Ref.Ord())
		if b == nil || !ledger.CanMove(b.State, to) {
			busy = append(busy, e)
			continue
		}
		waiting = append(waiting, e)
		// Nobody works on a planned batch, and its fence is compared with the run's.
		if b.State == ledger.Planned || taken[b.No] {
			continue
		}
		taken[b.No] = true
		fence := b.Fence
		b.Fence, b.Owner, b.LeaseUntil = fence+1, "", time.Time{}
		if err := tx.Batches().Move(ctx, b, b.State, fence); err != nil {
			return nil, nil, err
		}
	}
	still := waiting[:0:0]
	for _, e := range waiting {
		if b := batchOf(batches, e.Ref.Ord()); taken[b.No] {
			now, err := tx.Events().Get(ctx, e.Ref)
			if err != nil {
				return nil, nil, err
			}
			if now.State != "" {
				busy = append(busy, e)
				continue
			}
		}
		still = append(still, e)
	}
	return still, busy, nil
}

// batchOf finds the batch that an event travels in. Batches lie in plan order.
func batchOf(batches []ledger.Batch, ord int) *ledger.Batch {
	i, found := slices.BinarySearchFunc(batches, ord, func(b ledger.Batch, ord int) int {
		switch {
		case ord < b.First:
			return 1
		case ord >= b.First+b.Count:
			return -1
		default:
			return 0
		}
	})
	if !found {
		return nil
	}
	return &batches[i]
}
