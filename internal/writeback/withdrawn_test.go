package writeback

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/store/sqlite"
)

// Between the look at a plan's events and the hold, a worker may have delivered some
// of a batch and given the rest back. Those are no longer anybody's to take out.
func TestAHoldLooksAgain(t *testing.T) {
	t.Parallel()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, filepath.Join(t.TempDir(), "writeback.db"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	var seen []ledger.Event
	err = store.Do(ctx, func(tx ledger.Tx) error {
		plan := &ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: time.Now(), ExpiresAt: time.Now().Add(time.Hour), File: "f", WrappedKey: []byte("k")}
		if err := tx.Plans().Create(ctx, plan); err != nil {
			return err
		}
		for i := range 3 {
			id := string(rune('a' + i))
			seen = append(seen, ledger.Event{Ref: ledger.RefOf(plan.No, i), Key: ledger.KeyOf("meta", "1", "Purchase", id), EventID: id})
		}
		if err := tx.Events().Put(ctx, seen); err != nil {
			return err
		}
		if err := tx.Batches().Put(ctx, []ledger.Batch{{Plan: plan.No, Count: 3, Class: "62d", State: ledger.Queued, Fence: 1}}); err != nil {
			return err
		}
		return tx.Events().Set(ctx, []ledger.EventRef{seen[1].Ref}, ledger.Delivered, "")
	})
	if err != nil {
		t.Fatal(err)
	}
	err = store.Do(ctx, func(tx ledger.Tx) error {
		waiting, busy, err := hold(ctx, tx, seen[0].Ref.Plan(), seen, ledger.Skipped)
		if len(waiting) != 2 || len(busy) != 1 || busy[0].EventID != "b" {
			t.Errorf("waiting %v, busy %v", waiting, busy)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
