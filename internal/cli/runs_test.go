package cli_test

import (
	"database/sql"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"
)

func TestNumericFlags(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, args := range []string{"runs --limit 0", "runs --limit -3", "audit tail --from 0"} {
		o := s.run(strings.Fields(args)...)
		if o.code != 2 {
			t.Errorf("sluice %s: exit %d", args, o.code)
		}
		has(t, o.stderr, "must be 1 or more", "[usage]")
	}
}

// TestStatusNext: the hint is a command that works as it stands.
func TestStatusNext(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", good)
	o := s.run()
	has(t, o.stdout, "sluice confirm "+plan)
	lacks(t, o.stdout, "--graph-url")
	if o := s.run("confirm", plan); o.code != 0 {
		t.Fatalf("confirm: exit %d %s", o.code, o.stderr)
	}
	lacks(t, s.run().stdout, "sluice confirm "+plan)
	has(t, s.run("runs").stdout, plan, "finished")
}

// TestDeadRun: a run that the ledger holds for under way is stopped when no process
// is at work on it, wherever one looks.
func TestDeadRun(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", good)
	var during, overview outcome
	s.meanwhile = func() { during, overview = s.run("runs"), s.run() }
	if o := s.run("confirm", plan); o.code != 0 {
		t.Fatalf("confirm: exit %d %s", o.code, o.stderr)
	}
	has(t, during.stdout, plan, "sending")
	has(t, overview.stdout, "running     "+plan)

	db, err := sql.Open("sqlite", filepath.Join(s.dir, "state", "writeback.db"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE run SET state = 'sending'"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	has(t, s.run("runs").stdout, plan, "stopped")
	has(t, s.run("runs", "--json").stdout, `"state":"stopped"`)
	has(t, s.run().stdout, "stopped     "+plan, "sluice confirm "+plan)
}

func TestMappingCheckAll(t *testing.T) {
	t.Parallel()
	s := open(t)
	bad, worse, fine := s.file("bad.yaml", "version: 1\nid: []\n"), s.file("worse.yaml", "- \n"), s.file("fine.yaml", mappingText)
	o := s.run("mapping", "check", bad, worse, fine)
	if o.code != 2 {
		t.Errorf("exit %d", o.code)
	}
	has(t, o.stderr, "bad.yaml", "worse.yaml", "2 of 3 mappings have faults")
	has(t, o.stdout, "no faults:", "fine.yaml")

	var docs []bool
	for text := range strings.Lines(s.run("mapping", "check", bad, fine, "--json").stdout) {
		var d struct {
			OK    bool
			Error *struct{ Code string }
		}
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		if d.OK == (d.Error != nil) {
			t.Errorf("both or neither: %s", text)
		}
		docs = append(docs, d.OK)
	}
	if len(docs) != 2 || docs[0] || !docs[1] {
		t.Errorf("got %v", docs)
	}
	has(t, s.runWith(mappingText, "mapping", "check", "-").stdout, "no faults: -")
	has(t, s.runWith("version: 1\nid: []\n", "mapping", "check", "-").stderr, "stdin:", "mapping_invalid")
}

func TestGroupsWithoutSubcommand(t *testing.T) {
	t.Parallel()
	s := open(t)
	for _, group := range []string{"audit", "mapping"} {
		has(t, s.run(group).stdout, "Usage:")
		o := s.run(group, "--json")
		has(t, o.stdout, `"code":"usage"`, group+" needs a subcommand")
	}
}
