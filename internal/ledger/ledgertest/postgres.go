package ledgertest

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/store/postgres"
	"sluice/internal/testkit"
)

// PostgresURL names an empty ledger in a database of the test's own. Its schema is
// made once per process and copied.
func PostgresURL(t testing.TB) string {
	t.Helper()
	return testkit.PostgresCopy(t, migrated)
}

// migrated makes the schema, and forgets the store's name again: the first process
// that opens a copy gives it one.
func migrated(url string) error {
	ctx := context.Background()
	s, err := postgres.Open(ctx, url, postgres.Options{})
	if err != nil {
		return err
	}
	if err := s.Close(); err != nil {
		return err
	}
	conn, err := pgx.Connect(ctx, url)
	if err != nil {
		return err
	}
	if _, err := conn.Exec(ctx, `DELETE FROM meta`); err != nil {
		return err
	}
	return conn.Close(ctx)
}
