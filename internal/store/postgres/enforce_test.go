package postgres_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/enforce/enforcetest"
	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
)

// patient is for tests that are about something else on a machine that is busy.
const patient = 30 * time.Second

func openEnforcement(t testing.TB, url string, o postgres.EnforceOptions) *postgres.Enforcement {
	t.Helper()
	e, err := postgres.OpenEnforcement(t.Context(), url, o)
	if err != nil {
		t.Fatal(err, errors.Unwrap(err))
	}
	t.Cleanup(func() { _ = e.Close() })
	return e
}

// bodies reads the audit log through the ledger, as everybody else does, and checks it.
func bodies(t testing.TB, s *postgres.Store) (out [][]byte) {
	t.Helper()
	err := s.View(context.WithoutCancel(t.Context()), func(tx ledger.Tx) error {
		return tx.Audit().Each(t.Context(), 0, func(k audit.Link) error {
			out = append(out, k.Body)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestEnforcement(t *testing.T) {
	t.Parallel()
	enforcetest.Run(t, func(t testing.TB, now func() time.Time) enforcetest.Installation {
		url := ledgertest.PostgresURL(t)
		log := open(t, url)
		return enforcetest.Installation{
			Open: func(t testing.TB) enforce.Store {
				return openEnforcement(t, url, postgres.EnforceOptions{Now: now, Patience: patient})
			},
			Kill: func(t testing.TB, s enforce.Store) {
				if err := s.(*postgres.Enforcement).Kill(t.Context()); err != nil {
					t.Fatal(err)
				}
			},
			Log: func(t testing.TB) [][]byte { return bodies(t, log) },
		}
	})
}
