package ledgertest

import (
	"context"
	"sync"
	"testing"
	"time"

	"sluice/internal/ledger"
)

// queued makes a confirmed plan with n batches of ten.
func queued(t *testing.T, s ledger.Store, id string, n int) ledger.Plan {
	t.Helper()
	p := plan(t, s, id, 10*n)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		moved, err := tx.Batches().MoveAll(ctx, p.No, ledger.Planned, ledger.Queued, 1)
		if moved != n {
			t.Errorf("%d batches were queued, want %d", moved, n)
		}
		return err
	})
	return p
}

func testLeases(t *testing.T, s ledger.Store) {
	p := queued(t, s, "pl_leases", 3)
	lease := func(owner string, n int) []ledger.Batch {
		var list []ledger.Batch
		do(t, s, func(ctx context.Context, tx ledger.Tx) (err error) {
			list, err = tx.Batches().Lease(ctx, p.No, owner, time.Minute, n)
			return err
		})
		return list
	}
	first := lease("a", 2)
	if len(first) != 2 || first[0].No != 0 || first[0].Fence != 2 || first[0].Owner != "a" {
		t.Fatalf("the oldest come first, with a new fence: %+v", first)
	}
	if list := lease("b", 5); len(list) != 1 || list[0].No != 2 {
		t.Fatalf("what others hold is not free: %+v", list)
	}
	// a lets one go for later and one for a person; b's lease runs out.
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		now := tx.Now()
		later, person := first[0], first[1]
		later.State, later.LeaseUntil, later.NextAt = ledger.RetryWait, time.Time{}, now.Add(-time.Second)
		if err := tx.Batches().Move(ctx, &later, ledger.Queued, later.Fence); err != nil {
			return err
		}
		person.State, person.LeaseUntil, person.NextAt = ledger.Unknown, time.Time{}, ledger.Never
		if err := tx.Batches().Move(ctx, &person, ledger.Queued, person.Fence); err != nil {
			return err
		}
		lost, err := tx.Batches().Get(ctx, p.No, 2)
		if err != nil {
			return err
		}
		lost.LeaseUntil = now.Add(-time.Second)
		return tx.Batches().Move(ctx, lost, ledger.Queued, lost.Fence)
	})
	if list := lease("a", 5); len(list) != 1 || list[0].No != 2 {
		t.Errorf("an owner does not get back what it has let go: %+v", list)
	}
	if list := lease("c", 5); len(list) != 1 || list[0].No != 0 {
		t.Errorf("others get what is due, and never what waits for a person: %+v", list)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Batches().Release(ctx, p.No, "c") })
	if list := lease("a", 5); len(list) != 1 || list[0].No != 0 {
		t.Errorf("what was released is free: %+v", list)
	}
	// Leases and waits that are longer than any can be: the clock was put back.
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		list, err := tx.Batches().List(ctx, p.No)
		if err != nil {
			return err
		}
		b := list[2]
		b.LeaseUntil = tx.Now().Add(time.Hour)
		if err := tx.Batches().Move(ctx, &b, b.State, b.Fence); err != nil {
			return err
		}
		b = list[0]
		b.Owner, b.LeaseUntil, b.NextAt = "", time.Time{}, tx.Now().Add(ledger.MaxWait+time.Minute)
		return tx.Batches().Move(ctx, &b, b.State, b.Fence)
	})
	if list := lease("d", 5); len(list) != 1 || list[0].No != 0 {
		t.Errorf("an impossible wait is over: %+v", list)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		b, err := tx.Batches().Get(ctx, p.No, 2)
		if err == nil && b.LeaseUntil.Sub(tx.Now()) > time.Minute {
			t.Errorf("an impossible lease stays: %v", b.LeaseUntil.Sub(tx.Now()))
		}
		return err
	})
}

func testLeaseRace(t *testing.T, s ledger.Store) {
	const batches, workers = 40, 4
	p := queued(t, s, "pl_race", batches)
	var mu sync.Mutex
	holder := map[int]string{}
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			owner := string(rune('a' + w))
			for {
				var list []ledger.Batch
				err := s.Do(context.Background(), func(tx ledger.Tx) (err error) {
					list, err = tx.Batches().Lease(context.Background(), p.No, owner, time.Minute, 3)
					return err
				})
				if err != nil {
					t.Error(err)
				}
				if len(list) == 0 || err != nil {
					return
				}
				mu.Lock()
				for _, b := range list {
					if other := holder[b.No]; other != "" {
						t.Errorf("batch %d was given to %s and to %s", b.No, other, owner)
					}
					holder[b.No] = owner
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	// A row that somebody holds is passed over, so a worker may leave early; nobody
	// may get one twice, and what is left is free.
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		list, err := tx.Batches().Lease(ctx, p.No, "last", time.Minute, batches)
		if len(list)+len(holder) != batches {
			t.Errorf("%d given, %d left of %d", len(holder), len(list), batches)
		}
		return err
	})
}
