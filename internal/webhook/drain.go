package webhook

import (
	"context"
	"time"

	"sluice/internal/fault"
	"sluice/internal/inbox"
	"sluice/internal/ledger"
)

const (
	drainRows  = 100
	drainLease = 5 * time.Minute
	// giveUp is how long a delivery is tried; its body goes with it.
	giveUp = 24 * time.Hour
	// giveUpTries is how often it is tried at least: what waited for a day while
	// nothing ran has not been tried yet.
	giveUpTries = 12
)

// Drain takes what waits into the outcome store: up to some hundred deliveries. It
// reports whether there may be more.
func (s *Service) Drain(ctx context.Context) (busy bool, err error) {
	var due []inbox.Delivery
	var now time.Time
	err = s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		now = tx.Now()
		if _, err := tx.Inbox().Sweep(ctx, now.Add(-keepSettled)); err != nil {
			return err
		}
		if due, err = tx.Inbox().Due(ctx, now, drainRows); err != nil || len(due) == 0 {
			return err
		}
		names := make([]string, len(due))
		for i := range due {
			names[i] = due[i].ID
		}
		return tx.Inbox().Lease(ctx, names, now.Add(drainLease))
	})
	if err != nil {
		return false, err
	}
	full := len(due) == drainRows
	for len(due) > 0 {
		// What one hook delivered goes together, in the order in which it came.
		var mine, rest []inbox.Delivery
		for _, d := range due {
			if d.Hook == due[0].Hook {
				mine = append(mine, d)
			} else {
				rest = append(rest, d)
			}
		}
		if err := s.take(ctx, mine, now); err != nil {
			return false, err
		}
		due = rest
	}
	return full, nil
}

// take brings deliveries of one hook into the outcome store. Doing it twice does no
// harm: an outcome that is there and says the same stays as it is.
func (s *Service) take(ctx context.Context, list []inbox.Delivery, now time.Time) error {
	results, err := s.ingest(ctx, list)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		row := fault.Lookup(fault.CodeOf(err))
		never := row.HTTP >= 400 && row.HTTP < 500 && !row.Retryable
		if len(list) > 1 && never {
			// Something in one of them can't be read: the others are not to suffer.
			for i := range list {
				if err := s.take(ctx, list[i:i+1], now); err != nil {
					return err
				}
			}
			return nil
		}
		if !never && (now.Sub(list[0].ReceivedAt) <= giveUp || list[0].Attempts < giveUpTries) {
			s.o.Log.Warn("deliveries could not be taken in; they are tried again", "hook", list[0].Hook, "deliveries", len(list), "error", err)
			return nil // their lease is the wait
		}
		code := string(row.Code)
		if !never {
			code = "gave_up"
		}
		return s.settle(ctx, list, func(int) (inbox.State, string) { return inbox.Failed, code })
	}
	return s.settle(ctx, list, func(i int) (inbox.State, string) {
		if results[i] == nil {
			return inbox.Done, ""
		}
		code := string(fault.CodeOf(results[i]))
		if f, ok := fault.As(results[i]); ok {
			if row, ok := f.Details["row_code"].(string); ok {
				code = row
			}
		}
		return inbox.Failed, code
	})
}

func (s *Service) settle(ctx context.Context, list []inbox.Delivery, verdict func(int) (inbox.State, string)) error {
	return s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		for i := range list {
			state, code := verdict(i)
			if err := tx.Inbox().Settle(ctx, list[i].ID, state, code); err != nil {
				return err
			}
			if state == inbox.Failed {
				s.o.Log.Warn("a delivery can't become an outcome", "hook", list[i].Hook, "code", code)
			}
		}
		return nil
	})
}

func (s *Service) ingest(ctx context.Context, list []inbox.Delivery) ([]error, error) {
	var hook *inbox.Hook
	err := s.o.Store.View(ctx, func(tx ledger.Tx) (err error) {
		hook, err = tx.Inbox().Hook(ctx, list[0].Hook)
		return err
	})
	if err != nil {
		return nil, missing(err, "the webhook is gone")
	}
	bodies := make([]Body, len(list))
	for i := range list {
		body, err := s.o.Keys.Open(list[i].Body, "delivery "+list[i].ID)
		if err != nil {
			return nil, fault.New(fault.PayloadInvalid, "the delivery can't be read: %v", err)
		}
		bodies[i] = Body{list[i].Sender, body}
	}
	return s.o.Ingest(ctx, hook, bodies)
}
