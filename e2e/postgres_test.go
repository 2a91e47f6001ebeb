package e2e

import (
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

// databaseURL is the database of a world that has one.
func (w *world) databaseURL() string {
	w.t.Helper()
	for _, kv := range w.env {
		if url, ok := strings.CutPrefix(kv, "SLUICE_DATABASE_URL="); ok {
			return url
		}
	}
	w.t.Fatal("this world has no database")
	return ""
}

func TestTheDatabaseGoesAwayInTheMiddle(t *testing.T) {
	t.Parallel()
	w := beginPostgres(t)
	conn, err := pgx.Connect(t.Context(), w.databaseURL())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close(t.Context()) }()
	const n = 6000
	m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", n))
	var p plan
	w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	w.intercept(func(posts int, serve func(), _ http.ResponseWriter) {
		serve()
		if posts == 2 {
			if _, err := conn.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
				WHERE datname = current_database() AND pid <> pg_backend_pid()`); err != nil {
				t.Error(err)
			}
		}
	}, nil)
	o := w.run("confirm", p.ID, "--json")
	if o.code != 3 || !strings.Contains(o.stdout+o.stderr, "store_unavailable") {
		t.Errorf("a confirm without its database: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	w.intercept(nil, nil)
	w.advance(10 * 60e9) // whatever the lost process leased has run out
	var r receipt
	w.ok(&r, "confirm", p.ID)
	if r.Counts["delivered"] != n || len(r.Counts) != 1 {
		t.Errorf("receipt %+v", r.Counts)
	}
	if s := w.stored(); s.Kept != n {
		t.Errorf("the sandbox holds %d of %d", s.Kept, n)
	}
	w.agree(p.ID, n)
}

func TestMachinesShareALedgerOnlyWithTheSameKey(t *testing.T) {
	t.Parallel()
	here := beginPostgres(t)
	m := here.file("mapping.yaml", mappingText)
	var p plan
	here.ok(&p, "preview", here.file("orders.csv", here.orders("soho", 30)), "-m", m, "--dataset", dataset)

	// Another machine: a state directory of its own, the same database and sandbox.
	there := &world{t: t, dir: t.TempDir(), box: here.box, url: here.url, now: here.now, env: here.env}
	o := there.run("runs", "--json")
	if o.code != 3 || !strings.Contains(o.stdout+o.stderr, "SLUICE_MASTER_KEY_FILE") {
		t.Errorf("a machine without the key: exit %d\n%s%s", o.code, o.stdout, o.stderr)
	}
	there.env = append(there.env, "SLUICE_MASTER_KEY_FILE="+filepath.Join(here.dir, "state", "master.key"))
	var r, again receipt
	there.ok(&r, "confirm", p.ID, "--key", "daily")
	if r.Counts["delivered"] != 30 {
		t.Errorf("the other machine's receipt %+v", r.Counts)
	}
	here.ok(&again, "confirm", p.ID, "--key", "daily")
	if !again.Replayed || again.RunID != r.RunID {
		t.Errorf("the first machine does not know of the run: %+v", again)
	}
	var s struct {
		Store string `json:"store"`
	}
	there.ok(&s)
	if s.Store != "postgresql" {
		t.Errorf("status says the store is %q", s.Store)
	}
}
