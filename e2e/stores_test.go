package e2e

import (
	"os"
	"testing"

	"sluice/internal/ledger/ledgertest"
)

// eachStore runs a test once per engine, each in a world of its own.
func eachStore(t *testing.T, test func(t *testing.T, w *world)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, begin(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, beginPostgres(t))
	})
}

// beginPostgres starts a world whose ledger is a PostgreSQL database of its own.
func beginPostgres(t *testing.T) *world {
	t.Helper()
	w := begin(t)
	w.env = []string{"SLUICE_DATABASE_URL=" + ledgertest.PostgresURL(t)}
	return w
}

// environ is the environment of a process that a test starts itself.
func (w *world) environ() []string { return append(os.Environ(), w.env...) }
