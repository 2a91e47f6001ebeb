package cli_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/cli"
)

const good = "1,2026-11-20T10:00:00Z,5.00,GBP,a@example.com\n"

func TestRejectsOfEveryPlan(t *testing.T) {
	t.Parallel()
	s := open(t)
	older := s.preview("a.csv", good+"2,never,5.00,GBP,b@example.com\n")
	newer := s.preview("b.csv", good+"3,2026-11-20T10:00:00Z,5.00,XXX,c@example.com\n")
	var got []string
	for text := range strings.Lines(s.run("rejects", "--json").stdout) {
		var r struct {
			PlanID string `json:"plan_id"`
			Line   int
		}
		if err := json.Unmarshal([]byte(text), &r); err != nil {
			t.Fatal(err)
		}
		if r.Line != 3 {
			t.Errorf("line %d, want 3", r.Line)
		}
		got = append(got, r.PlanID)
	}
	if diff := cmp.Diff([]string{newer, older}, got); diff != "" {
		t.Errorf("plans (-want +got)\n%s", diff)
	}
	o := s.run("rejects")
	has(t, o.stdout, "plan  ", "what to do", older, newer)
	lacks(t, s.run("rejects", older).stdout, older, newer)
	has(t, s.run("rejects", "--format", "csv").stdout, ",labels,plan_id\n", ","+newer+"\n")
}

func TestRejectsAlign(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", "2,never,5.00,GBP,b@example.com\n3,2026-11-20T10:00:00Z,5.00,XXX,c@example.com\n")
	rows := strings.Split(strings.TrimSpace(s.run("rejects", plan).stdout), "\n")
	if len(rows) != 3 {
		t.Fatalf("%d lines", len(rows))
	}
	at := strings.Index(rows[0], "code")
	for _, r := range rows {
		if at < 1 || r[at-1] != ' ' || r[at] == ' ' {
			t.Errorf("no column begins at %d: %s", at, r)
		}
	}
}

func TestRejectsUnknownCode(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", good+"2,never,5.00,GBP,b@example.com\n")
	known := s.run("rejects", plan, "--json").stdout
	var r struct{ Code string }
	if err := json.Unmarshal([]byte(known), &r); err != nil {
		t.Fatal(err)
	}
	o := s.run("rejects", plan, "--code", r.Code+"x")
	has(t, o.stdout, "did you mean "+r.Code+"?")
	if o.code != 0 {
		t.Errorf("exit %d", o.code)
	}
	has(t, s.run("rejects", plan, "--code", "zzz").stdout, "There are: "+r.Code+" 1")
	o = s.run("rejects", plan, "--code", "zzz", "--json")
	has(t, o.stderr, "There are: "+r.Code)
	if o.stdout != "" {
		t.Errorf("stdout: %s", o.stdout)
	}
	if got := s.run("rejects", plan, "--code", r.Code, "--json").stdout; got != known {
		t.Errorf("with its own code: %s", got)
	}
	clean := s.preview("b.csv", "8,2026-11-20T10:00:00Z,5.00,GBP,h@example.com\n")
	has(t, s.run("rejects", clean).stdout, "No rejects.")
	has(t, s.run("rejects", clean, "--code", "zzz").stdout, "this code or any other")
}

func TestEventsText(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", good)
	o := s.run("events", plan)
	rows := strings.Split(strings.TrimSpace(o.stdout), "\n")
	if len(rows) != 2 {
		t.Fatalf("%d lines\n%s", len(rows), o.stdout)
	}
	if diff := cmp.Diff([]string{"state", "event_id", "event", "time", "value", "where"}, strings.Fields(rows[0])); diff != "" {
		t.Error(diff)
	}
	has(t, rows[1], "planned", "Purchase", "2026-11-20T10:00:00Z", "5.00 GBP", "a.csv:2")
}

// TestTerminal: a file's name can't steer the terminal of whoever lists its rows.
func TestTerminal(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a\x1b[2J\u202e.csv", good+"2,never,5.00,GBP,b@example.com\n")
	for _, command := range []string{"events", "rejects"} {
		o := s.run(command, plan)
		lacks(t, o.stdout, "\x1b", "\u202e")
		has(t, o.stdout, `a\x1b[2J\u202e.csv:`)
	}
}

func TestShown(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                      "",
		"Žofie 東京 😀 a/b.csv":    "Žofie 東京 😀 a/b.csv",
		"a\tb\nc":               `a\tb\nc`,
		"\x1b]0;x\a":            `\x1b]0;x\a`,
		"\u202egnp\u2066":       `\u202egnp\u2066`,
		"zero\u200bwidth":       `zero\u200bwidth`,
		"latin1 \xe9":           `latin1 \xe9`,
		"replacement \ufffd ok": "replacement \ufffd ok",
	} {
		if got := cli.Shown(in); got != want {
			t.Errorf("Shown(%q) = %q, want %q", in, got, want)
		}
	}
}
