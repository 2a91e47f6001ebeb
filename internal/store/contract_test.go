// Package store_test runs what every engine of the ledger has to satisfy.
package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
	"sluice/internal/store/sqlite"
	"sluice/internal/testkit"
)

// engines opens a fresh store of each kind.
var engines = map[string]func(t testing.TB) ledger.Store{
	"sqlite": func(t testing.TB) ledger.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "writeback.db"), time.Now)
		return opened(t, s, err)
	},
	"postgres": func(t testing.TB) ledger.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), ledgertest.PostgresURL(t), postgres.Options{})
		return opened(t, s, err)
	},
}

func opened[S ledger.Store](t testing.TB, s S, err error) ledger.Store {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestContract(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ledgertest.Exercise(t, func(t *testing.T) ledger.Store { return open(t) })
		})
	}
}

// TestFromTheFirstSchema opens stores that the first release made, with rows in
// every table of its schema.
func TestFromTheFirstSchema(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "writeback.db")
		ledgertest.WriteFirst(t, first(t, "sqlite", path, filepath.Join("sqlite", "migrations", "0001_ledger.sql")))
		s, err := sqlite.Open(t.Context(), path, time.Now)
		ledgertest.CheckFirst(t, opened(t, s, err))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		url := testkit.Postgres(t)
		ledgertest.WriteFirst(t, first(t, "pgx", url, filepath.Join("postgres", "migrations", "0001_ledger.sql")))
		s, err := postgres.Open(t.Context(), url, postgres.Options{})
		ledgertest.CheckFirst(t, opened(t, s, err))
	})
}

func TestAReaderSeesOneSnapshot(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			count := func(tx ledger.Tx) int {
				found, err := tx.Claims().Find(t.Context(), []ledger.Key{{1}})
				if err != nil {
					t.Error(err)
				}
				return len(found)
			}
			err := s.View(t.Context(), func(tx ledger.Tx) error {
				before := count(tx)
				if err := s.Do(t.Context(), func(tx ledger.Tx) error {
					_, err := tx.Claims().Take(t.Context(), []ledger.Claim{{Key: ledger.Key{1}, Ref: 1}})
					return err
				}); err != nil {
					return err
				}
				if after := count(tx); before != 0 || after != 0 {
					t.Errorf("a snapshot saw %d, then %d claims", before, after)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			if err := s.View(t.Context(), func(tx ledger.Tx) error {
				if count(tx) != 1 {
					t.Error("a later snapshot does not see what was committed")
				}
				_, err := tx.Claims().Take(t.Context(), []ledger.Claim{{Key: ledger.Key{2}, Ref: 1}})
				if err == nil {
					t.Error("a reader wrote")
				}
				return nil
			}); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAStatementInsideARowLoop(t *testing.T) {
	t.Parallel()
	for name, open := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := open(t)
			const n = 700
			var claims []ledger.Claim
			for i := range n {
				claims = append(claims, ledger.Claim{Key: ledger.Key{byte(i >> 8), byte(i)}, Ref: ledger.EventRef(i + 1)})
			}
			ctx := context.Background()
			err := s.Do(ctx, func(tx ledger.Tx) error {
				plan := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: time.Now(), ExpiresAt: time.Now(), File: "f", WrappedKey: []byte("w")}
				if err := tx.Plans().Create(ctx, &plan); err != nil {
					return err
				}
				events := make([]ledger.Event, n)
				for i := range events {
					events[i] = ledger.Event{Ref: ledger.RefOf(plan.No, i), Key: claims[i].Key, EventID: "e"}
				}
				if err := tx.Events().Put(ctx, events); err != nil {
					return err
				}
				seen := 0
				err := tx.Events().Range(ctx, plan.No, 0, n, func(e *ledger.Event) error {
					if e.Ref != events[seen].Ref {
						t.Errorf("row %d is %d", seen, e.Ref.Ord())
					}
					seen++
					if _, err := tx.Claims().Take(ctx, claims[seen-1:seen]); err != nil {
						return err
					}
					return tx.Events().Set(ctx, []ledger.EventRef{e.Ref}, ledger.Skipped, "duplicate")
				})
				if seen != n {
					t.Errorf("%d rows of %d", seen, n)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
