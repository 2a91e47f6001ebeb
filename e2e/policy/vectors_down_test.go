package policy

import (
	"testing"

	"github.com/jackc/pgx/v5"

	"sluice/internal/testkit"
	"sluice/internal/testkit/mcptest"
)

// The counters of a database are gone for a while, then the audit log is: calls are
// denied, and let through again afterwards.
func TestVector27StoresDown(t *testing.T) {
	t.Parallel()
	url := testkit.Postgres(t)
	up := mcptest.NewServer(t, "a")
	s := &site{mcptest.Start{
		Policy: tools(`"a":{"limits":[{"counter":"calls","window":"day","max":1000,"scope":"grant"}]}`),
		Env:    []string{"SLUICE_DATABASE_URL=" + url}, Args: []string{"--upstream", up.URL},
	}.Proxy(t), up}
	c := s.client(t)
	s.wants(t, c, "a", `{}`, allowed)
	db, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close(t.Context()) }()
	for _, table := range []string{"gate_counter", "gate_held", "audit_record"} {
		if _, err := db.Exec(t.Context(), "ALTER TABLE "+table+" RENAME TO gone"); err != nil {
			t.Fatal(err)
		}
		s.wants(t, c, "a", `{}`, "store_unavailable")
		s.wants(t, c, "a", `{}`, "store_unavailable")
		if _, err := db.Exec(t.Context(), "ALTER TABLE gone RENAME TO "+table); err != nil {
			t.Fatal(err)
		}
		poll(t, "the way back", func() bool { return c.Call(t.Context(), t, "a", `{}`).Allowed() })
		s.wants(t, c, "a", `{}`, allowed)
	}
	if exit, out := s.Run("audit", "verify"); exit != 0 {
		t.Errorf("verify: exit %d, %s", exit, out)
	}
}
