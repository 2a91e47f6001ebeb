package sqlite_test

import (
	"context"
	"crypto/rand"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/sqlite"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestLedger(t *testing.T) {
	t.Parallel()
	ledgertest.Exercise(t, func(t *testing.T) ledger.Store {
		return open(t, filepath.Join(t.TempDir(), "writeback.db"))
	})
}

func TestReopenKeepsTheName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name?#.db")
	first := open(t, path)
	if second := open(t, path); first.ID() != second.ID() || first.ID() == "" {
		t.Errorf("%q became %q", first.ID(), second.ID())
	}
}

func TestAStoreThatCannotBeOpenedIsTyped(t *testing.T) {
	t.Parallel()
	_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "missing", "writeback.db"), time.Now)
	if fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("got %v, want %s", err, fault.StoreUnavailable)
	}
}

func BenchmarkPlanAndClaim(b *testing.B) {
	const n = 200_000
	s := open(b, filepath.Join(b.TempDir(), "writeback.db"))
	ctx := context.Background()
	plan := int64(0)
	for b.Loop() {
		plan++
		events := make([]ledger.Event, n)
		for i := range events {
			events[i] = ledger.Event{Ref: ledger.RefOf(plan, i), EventID: "wb1_6u3wnuiphlyncmqpemde62gz5imsv7e2", Time: 1, Length: 1000, Offset: int64(i) * 1000}
			_, _ = rand.Read(events[i].Key[:])
		}
		start := time.Now()
		for chunk := range slices.Chunk(events, 5000) {
			if err := s.Do(ctx, func(tx ledger.Tx) error { return tx.Events().Put(ctx, chunk) }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/event-row")
		slices.SortFunc(events, func(x, y ledger.Event) int { return slices.Compare(x.Key[:], y.Key[:]) })
		start = time.Now()
		for chunk := range slices.Chunk(events, 5000) {
			if err := s.Do(ctx, func(tx ledger.Tx) error {
				list := make([]ledger.Claim, len(chunk))
				for i := range chunk {
					list[i] = ledger.Claim{Key: chunk[i].Key, Ref: chunk[i].Ref}
				}
				_, err := tx.Claims().Take(ctx, list)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/claim")
	}
}
