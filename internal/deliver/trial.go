package deliver

import (
	"context"
	"errors"
	"time"

	"sluice/internal/ledger"
)

// trial sends the oldest First events before anything else: a canary, or the probe
// of a circuit that is half open. It ends with an error when they were not
// delivered; there is no second try, a person or the circuit decides about that. A
// canary that was interrupted sends what is missing of it; what may have arrived
// is none of that.
func (e *Engine) trial(ctx context.Context) error {
	for sent := 0; ; {
		left := e.First - sent
		if e.Only { // others may have sent some of it
			if err := e.recount(ctx); err != nil {
				return err
			}
			left = e.First - e.tally[ledger.Delivered] - e.tally[ledger.Unknown]
		}
		if left <= 0 {
			return nil
		}
		list, wait, err := e.lease(ctx, 1)
		if err == nil && len(list) > 0 {
			wait, err = e.behind(ctx, &list[0])
		}
		if err == nil && len(list) > 0 && e.Only { // taking it may have shown that more was sent
			if err = e.recount(ctx); err == nil {
				if left = e.First - e.tally[ledger.Delivered] - e.tally[ledger.Unknown]; left <= 0 {
					return nil
				}
			}
		}
		switch {
		case err != nil:
			return err
		case len(list) == 0 && wait < 0:
			return nil
		case wait > 0:
			if err := e.Sleep(ctx, wait); err != nil {
				return err
			}
			continue
		}
		var s shipment
		s.reset(e, list[0])
		s.most = left
		failure, err := s.once(ctx)
		switch {
		case errors.Is(err, ledger.ErrLost):
			continue
		case err != nil:
			return err
		case failure != nil:
			return stop(failure)
		}
		sent += s.sent
	}
}

// behind gives a batch back when an older one is in somebody else's hands: that one
// has the trial. It returns how long to wait then.
func (e *Engine) behind(ctx context.Context, b *ledger.Batch) (wait time.Duration, err error) {
	return wait, e.Store.Do(ctx, func(tx ledger.Tx) error {
		list, err := tx.Batches().List(ctx, e.Plan.No)
		if err != nil {
			return err
		}
		for i := range list {
			other := &list[i]
			if other.No < b.No && !other.State.Terminal() && other.Owner != e.owner && other.NextAt.Before(ledger.Never) {
				wait = poll
				return tx.Batches().Release(ctx, e.Plan.No, e.owner)
			}
		}
		return nil
	})
}
