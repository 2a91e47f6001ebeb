package e2e

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "modernc.org/sqlite" // tampering goes past the product
)

// database opens the ledger's database as somebody would who owns the machine.
func (w *world) database() (exec func(query string), query func(query string) []byte) {
	w.t.Helper()
	if w.dsn() == "" {
		db, err := sql.Open("sqlite", filepath.Join(w.dir, "state", "writeback.db"))
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(func() { _ = db.Close() })
		exec = func(q string) {
			if _, err := db.Exec(q); err != nil {
				w.t.Fatalf("%s: %v", q, err)
			}
		}
		query = func(q string) (b []byte) {
			if err := db.QueryRow(q).Scan(&b); err != nil {
				w.t.Fatalf("%s: %v", q, err)
			}
			return b
		}
		return exec, query
	}
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, w.dsn())
	if err != nil {
		w.t.Fatal(err)
	}
	w.t.Cleanup(func() { _ = conn.Close(ctx) })
	exec = func(q string) {
		if _, err := conn.Exec(ctx, q); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
	}
	query = func(q string) (b []byte) {
		if err := conn.QueryRow(ctx, q).Scan(&b); err != nil {
			w.t.Fatalf("%s: %v", q, err)
		}
		return b
	}
	return exec, query
}

// dsn is the PostgreSQL database of this world; empty on SQLite.
func (w *world) dsn() string {
	for _, kv := range w.env {
		if dsn, ok := strings.CutPrefix(kv, "SLUICE_DATABASE_URL="); ok {
			return dsn
		}
	}
	return ""
}

// blob writes bytes as a literal of the engine.
func (w *world) blob(b []byte) string {
	if w.dsn() == "" {
		return "x'" + hex.EncodeToString(b) + "'"
	}
	return `'\x` + hex.EncodeToString(b) + "'::bytea"
}

// unlock removes what keeps the log append-only.
func (w *world) unlock(exec func(string)) {
	if w.dsn() != "" {
		exec("DROP FUNCTION audit_append_only CASCADE")
		return
	}
	for _, t := range []string{"audit_record_no_update", "audit_record_no_delete", "audit_checkpoint_no_update", "audit_checkpoint_no_delete", "audit_chain_no_delete"} {
		exec("DROP TRIGGER " + t)
	}
}

type verification struct {
	OK       bool   `json:"ok"`
	Records  int64  `json:"records"`
	BadChain string `json:"bad_chain"`
	BadSeq   int64  `json:"bad_seq"`
	Problem  string `json:"problem"`
	Exported int    `json:"exported_checkpoints"`
	Unsigned int64  `json:"unsigned"`
	Problems []struct {
		Kind string `json:"kind"`
		Seq  int64  `json:"seq"`
	} `json:"problems"`
	Chains []struct {
		Chain   string `json:"chain"`
		Records int64  `json:"records"`
	} `json:"chains"`
}

func (w *world) confirmSome(shop string, n int) receipt {
	w.t.Helper()
	var p plan
	w.ok(&p, "preview", w.file(shop+".csv", w.orders(shop, n)), "-m", w.file("mapping.yaml", mappingText), "--dataset", dataset)
	return w.sendPlan(p.ID)
}

func TestVector29_audit_row_edited_deleted_cut_off_reordered(t *testing.T) {
	t.Parallel()
	const body, where = "SELECT body FROM audit_record WHERE seq = ", "audit_record WHERE seq"
	tests := map[string]struct {
		kind   string
		seq    int64
		tamper func(w *world, exec func(string), query func(string) []byte)
	}{
		"edited": {"edited", 2, func(w *world, exec func(string), query func(string) []byte) {
			b := bytes.Replace(query(body+"2"), []byte(`"op":"`), []byte(`"op":"x`), 1)
			exec("UPDATE audit_record SET body = " + w.blob(b) + " WHERE seq = 2")
		}},
		"deleted": {"missing", 2, func(_ *world, exec func(string), _ func(string) []byte) {
			exec("DELETE FROM " + where + " = 2")
		}},
		"reordered": {"misplaced", 2, func(_ *world, exec func(string), _ func(string) []byte) {
			exec("UPDATE audit_record SET seq = -1 WHERE seq = 2")
			exec("UPDATE audit_record SET seq = 2 WHERE seq = 3")
			exec("UPDATE audit_record SET seq = 3 WHERE seq = -1")
		}},
		"tail cut off": {"truncated", 5, func(_ *world, exec func(string), _ func(string) []byte) {
			exec("DELETE FROM " + where + " > 4")
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				w.confirmSome("north", 5)
				w.confirmSome("south", 5)
				var v verification
				w.ok(&v, "audit", "verify")
				if !v.OK || v.Records < 6 || v.Unsigned != 0 || v.Exported == 0 || len(v.Chains) != 1 {
					t.Fatalf("before: %+v", v)
				}
				exec, query := w.database()
				w.unlock(exec)
				tt.tamper(w, exec, query)
				o := w.run("audit", "verify", "--json")
				decode(t, o.stdout, &v)
				if o.code != 1 || v.OK || len(v.Problems) == 0 || v.Problems[0].Kind != tt.kind || v.BadSeq != tt.seq || v.BadChain != v.Chains[0].Chain {
					t.Errorf("exit %d, %+v", o.code, v)
				}
				if text := w.run("audit", "verify").stdout; !strings.Contains(text, "broken:") || !strings.Contains(text, v.BadChain) {
					t.Errorf("text: %s", text)
				}
			})
		})
	}
}

// Whoever cuts off the tail, the head and the stored checkpoints leaves a log that
// agrees with itself; the exported checkpoint tells.
func TestACutTailIsFoundThroughTheExportedCheckpoint(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.confirmSome("north", 5)
		var before verification
		w.ok(&before, "audit", "verify")
		exec, query := w.database()
		hash := query("SELECT hash FROM audit_record WHERE seq = 2")
		w.unlock(exec)
		exec("DELETE FROM audit_record WHERE seq > 2")
		exec("UPDATE audit_chain SET size = 2, frontier = NULL, hash = " + w.blob(hash))
		exec("DELETE FROM audit_checkpoint")
		var v verification
		o := w.run("audit", "verify", "--json")
		decode(t, o.stdout, &v)
		if o.code != 1 || v.BadSeq != 3 || v.Problems[0].Kind != "truncated" {
			t.Errorf("exit %d, %+v", o.code, v)
		}
	})
}

func TestTheDatabaseRefusesToChangeTheLog(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		w.confirmSome("north", 2)
		for _, q := range []string{
			"UPDATE audit_record SET seq = 9 WHERE seq = 1", "DELETE FROM audit_record WHERE seq = 1",
			"UPDATE audit_checkpoint SET no = 9", "DELETE FROM audit_checkpoint", "DELETE FROM audit_chain",
		} {
			if err := w.try(q); err == nil || !strings.Contains(err.Error(), "append-only") {
				t.Errorf("%s: %v", q, err)
			}
		}
	})
}

// try runs one statement of which an error is expected.
func (w *world) try(q string) error {
	if w.dsn() == "" {
		db, err := sql.Open("sqlite", filepath.Join(w.dir, "state", "writeback.db"))
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		_, err = db.Exec(q)
		return err
	}
	conn, err := pgx.Connect(w.t.Context(), w.dsn())
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.Background()) }()
	_, err = conn.Exec(w.t.Context(), q)
	return err
}

func TestAnExportAndAProofVerifyWithoutTheStore(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		r := w.confirmSome("north", 5)
		w.confirmSome("south", 5)
		export, proof := filepath.Join(w.dir, "log.jsonl"), filepath.Join(w.dir, "proof.json")
		if o := w.run("audit", "export", "-o", export); o.code != 0 {
			t.Fatal(o.stderr)
		}
		if o := w.run("audit", "prove", r.RunID, "-o", proof); o.code != 0 {
			t.Fatal(o.stderr)
		}
		if err := os.RemoveAll(filepath.Join(w.dir, "state")); err != nil {
			t.Fatal(err)
		}
		elsewhere := []string{"--state-dir", filepath.Join(w.dir, "nowhere")}
		var v verification
		w.ok(&v, append(elsewhere, "audit", "verify", "--file", export)...)
		if !v.OK || v.Records < 6 || v.Exported == 0 {
			t.Errorf("export: %+v", v)
		}
		var p struct {
			OK      bool
			Records int
			Key     string
		}
		w.ok(&p, append(elsewhere, "audit", "check-proof", proof)...)
		if !p.OK || p.Records != 2 { // accepted and finished
			t.Errorf("proof: %+v", p)
		}
		w.fails("audit_broken", 1, "audit", "check-proof", proof, "--key", "ck_0000000000000000")
		for _, file := range []string{export, proof} {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			w.file(filepath.Base(file), strings.Replace(string(text), `"op":"confirm.accepted"`, `"op":"confirm.repeated"`, 1))
		}
		w.fails("audit_broken", 1, "audit", "check-proof", proof)
		if o := w.run("audit", "verify", "--file", export); o.code != 1 || !strings.Contains(o.stdout, "was changed") {
			t.Errorf("exit %d: %s", o.code, o.stdout)
		}
		if _, err := os.Stat(filepath.Join(w.dir, "nowhere")); err == nil {
			t.Error("verifying a file made a state directory")
		}
	})
}

// backup copies the state directory and the database; the returned function puts the
// copy back in its place.
func (w *world) backup() (restore func()) {
	w.t.Helper()
	state, kept := filepath.Join(w.dir, "state"), filepath.Join(w.dir, "backup")
	copyTree(w.t, state, kept)
	var copied string
	if w.dsn() != "" {
		u, err := url.Parse(w.dsn())
		if err != nil {
			w.t.Fatal(err)
		}
		name := strings.TrimPrefix(u.Path, "/")
		u.Path = "/postgres"
		conn, err := pgx.Connect(w.t.Context(), u.String())
		if err != nil {
			w.t.Fatal(err)
		}
		_, err = conn.Exec(w.t.Context(), "CREATE DATABASE "+name+"_kept TEMPLATE "+name)
		_ = conn.Close(w.t.Context())
		if err != nil {
			w.t.Fatal(err)
		}
		u.Path = "/" + name + "_kept"
		copied = "SLUICE_DATABASE_URL=" + u.String()
	}
	return func() {
		if err := os.RemoveAll(state); err != nil {
			w.t.Fatal(err)
		}
		copyTree(w.t, kept, state)
		if copied != "" {
			w.env = append([]string{copied}, w.env[1:]...)
		}
	}
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(to, rel), 0o700)
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, rel), text, 0o600)
	})
	if err != nil {
		t.Fatal(err)
	}
}

// Yesterday's copy of the store restored, confirm today: nothing is sent, whichever
// of the two traces is left.
func TestARestoredBackupSendsNothing(t *testing.T) {
	t.Parallel()
	for _, trace := range []string{"uploads", "checkpoint"} {
		t.Run("found by the "+trace, func(t *testing.T) {
			t.Parallel()
			eachStore(t, func(t *testing.T, w *world) {
				if trace == "uploads" {
					w.env = append(w.env, "SLUICE_CHECKPOINT_FILE=none")
				}
				m := w.file("mapping.yaml", mappingText)
				w.confirmSome("monday", 20)
				restore := w.backup()
				w.advance(24 * time.Hour)
				today := w.file("tuesday.csv", w.orders("tuesday", 20))
				var p plan
				w.ok(&p, "preview", today, "-m", m, "--dataset", dataset)
				w.sendPlan(p.ID)
				restore()
				if trace == "checkpoint" {
					w.post("/_emulator/reset") // Meta has forgotten, too
				}
				sent := w.requests()
				w.ok(&p, "preview", today, "-m", m, "--dataset", dataset)
				if p.Counts.Planned != 20 {
					t.Fatalf("the restored ledger plans %+v: it should know nothing of today", p.Counts)
				}
				w.ok(nil, "dry-run", p.ID)
				w.fails("ledger_forked", 4, "confirm", p.ID)
				w.fails("ledger_forked", 4, "confirm", p.ID, "--first-upload")
				if w.requests() != sent {
					t.Fatal("the restored ledger sent something")
				}

				// An admin resolves it: what was sent is recorded, the fork accepted.
				var a struct{ Counts map[string]int }
				w.ok(&a, "adopt", today, "-m", m, "--dataset", dataset, "--reason", "sent on Tuesday before the restore")
				if a.Counts["delivered"] != 20 {
					t.Errorf("adopted %+v", a.Counts)
				}
				if trace == "uploads" {
					w.ok(nil, "connect", "accept-store", dataset, "self", "--reason", "adopted")
				} else {
					w.ok(nil, "audit", "checkpoints", "reset", "--reason", "adopted")
				}
				w.ok(&p, "preview", today, "-m", m, "--dataset", dataset)
				if p.Counts.Planned != 0 || p.Counts.Skipped != 20 {
					t.Errorf("after the adoption: %+v", p.Counts)
				}
				if r := w.confirmSome("wednesday", 5); r.Counts["delivered"] != 5 {
					t.Errorf("after the resolution: %+v", r.Counts)
				}
				var v verification
				w.ok(&v, "audit", "verify")
			})
		})
	}
}

// post calls the sandbox's own surface.
func (w *world) post(path string) {
	w.t.Helper()
	res, err := http.Post(w.url+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		w.t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s", path, res.Status)
	}
}

// Two ledgers for one dataset: the second one is refused until an admin says that
// they never send the same event.
func TestASecondLedgerIsRefusedUntilItIsAccepted(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.confirmSome("north", 5)
	other := begin(t)
	other.url, other.now = w.url, w.now
	var p plan
	m, in := other.file("mapping.yaml", mappingText), other.file("a.csv", other.orders("south", 5))
	other.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
	other.ok(nil, "dry-run", p.ID)
	sent := w.requests()
	message := other.fails("ledger_forked", 4, "confirm", p.ID)
	if w.requests() != sent {
		t.Fatal("the second ledger sent something")
	}
	at := strings.Index(message, "st_")
	if at < 0 {
		t.Fatalf("the other ledger is not named: %s", message)
	}
	store := strings.TrimRight(strings.Fields(message[at:])[0], ").,")
	other.fails("usage", 2, "connect", "accept-store", dataset, store)
	other.ok(nil, "connect", "accept-store", dataset, store, "--reason", "that one sends the northern shops only")
	var r receipt
	other.ok(&r, "confirm", p.ID)
	if r.Counts["delivered"] != 5 {
		t.Errorf("%+v", r)
	}
	if tail := other.run("audit", "tail").stdout; !strings.Contains(tail, "connection.accept_store") || !strings.Contains(tail, "northern shops only") {
		t.Error("the decision and its reason are not in the audit log")
	}
}

// What something else has sent is recorded once and never sent.
func TestAnAdoptedFileIsNeverSent(t *testing.T) {
	t.Parallel()
	eachStore(t, func(t *testing.T, w *world) {
		m, in := w.file("mapping.yaml", mappingText), w.file("october.csv", w.orders("north", 30))
		var a struct {
			Counts map[string]int
			PlanID string `json:"plan_id"`
			RunID  string `json:"run_id"`
		}
		w.ok(&a, "adopt", in, "-m", m, "--dataset", dataset, "--reason", "sent by the old uploader")
		if a.Counts["delivered"] != 30 || w.requests() != 0 {
			t.Fatalf("%+v, %d requests", a, w.requests())
		}
		for line := range strings.Lines(w.run("events", a.PlanID, "--json").stdout) {
			var e struct{ State, Code string }
			decode(t, line, &e)
			if e.State != "delivered" || e.Code != "assumed" {
				t.Fatalf("event %+v", e)
			}
		}
		var again struct{ Counts map[string]int }
		w.ok(&again, "adopt", in, "-m", m, "--dataset", dataset, "--reason", "twice")
		if len(again.Counts) != 0 {
			t.Errorf("the second adoption recorded %+v", again.Counts)
		}
		w.fails("usage", 2, "adopt", in, "-m", m, "--dataset", dataset)
		var p plan
		w.ok(&p, "preview", w.file("november.csv", w.orders("north", 35)), "-m", m, "--dataset", dataset)
		if p.Counts.Planned != 5 || p.Counts.Skipped != 30 {
			t.Errorf("%+v", p.Counts)
		}
		if r := w.sendPlan(p.ID); r.Counts["delivered"] != 5 || w.stored().Kept != 5 {
			t.Errorf("%+v, stored %+v", r, w.stored())
		}
		tail := w.run("audit", "tail").stdout
		for _, want := range []string{"adopt.accepted", "adopt.finished", "sent by the old uploader"} {
			if !strings.Contains(tail, want) {
				t.Errorf("%s is not in the audit log", want)
			}
		}
	})
}

// The log of a tail is JSON as it is signed.
func TestAuditTailShowsTheNewest(t *testing.T) {
	t.Parallel()
	w := begin(t)
	w.confirmSome("north", 3)
	lines := strings.Split(strings.TrimSpace(w.run("audit", "tail", "-n", "2").stdout), "\n")
	var r struct{ Op string }
	if len(lines) != 2 || json.Unmarshal([]byte(lines[1]), &r) != nil || r.Op != "confirm.finished" {
		t.Errorf("%q", lines)
	}
}
