package testkit_test

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testkit"
)

func TestEveryTestGetsADatabaseOfItsOwn(t *testing.T) {
	t.Parallel()
	for range 2 {
		conn, err := pgx.Connect(t.Context(), testkit.Postgres(t))
		if err != nil {
			t.Fatal(err)
		}
		// Fails when the second database is the first one again.
		if _, err := conn.Exec(t.Context(), `CREATE TABLE mine (x int)`); err != nil {
			t.Error(err)
		}
		if err := conn.Close(t.Context()); err != nil {
			t.Error(err)
		}
	}
}
