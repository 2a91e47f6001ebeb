package writeback_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func TestACheckpointIsDueAfterAnHourWithActivity(t *testing.T) {
	t.Parallel()
	m := begin(t)
	checkpoints := func(n int) {
		t.Helper()
		if err := m.s.Checkpoint(t.Context(), false); err != nil {
			t.Fatal(err)
		}
		list, err := m.s.AuditCheckpoints(t.Context())
		if err != nil || len(list) != n {
			t.Fatalf("%d checkpoints, want %d (%v)", len(list), n, err)
		}
	}
	preview := func(id string) {
		t.Helper()
		if _, err := m.s.Preview(t.Context(), m.input(map[string]time.Duration{id: time.Hour})); err != nil {
			t.Fatal(err)
		}
	}
	checkpoints(0)
	preview("1")
	checkpoints(1)
	preview("2")
	checkpoints(1)
	m.now = m.now.Add(time.Hour)
	checkpoints(2)
	m.now = m.now.Add(2 * time.Hour)
	checkpoints(2) // nothing happened
	v, err := m.s.VerifyAudit(t.Context())
	if err != nil || !v.OK || v.Exported != 2 || v.Unsigned != 0 {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestAConfirmThatCanNotExportItsCheckpointSendsNothing(t *testing.T) {
	t.Parallel()
	m := begin(t)
	if err := os.Mkdir(filepath.Join(m.dir, "checkpoints.jsonl"), 0o700); err != nil {
		t.Fatal(err)
	}
	_, err := m.confirm(false, map[string]time.Duration{"1": time.Hour})
	if fault.CodeOf(err) != fault.AuditUnavailable {
		t.Fatalf("got %v, want %s", err, fault.AuditUnavailable)
	}
	if err := os.Remove(filepath.Join(m.dir, "checkpoints.jsonl")); err != nil {
		t.Fatal(err)
	}
	if r, err := m.confirm(false, map[string]time.Duration{"1": time.Hour}); err != nil || r.Counts["delivered"] != 1 {
		t.Errorf("once it can: %+v, %v", r, err)
	}
}

func TestTheExportCommandGetsEveryCheckpointOnce(t *testing.T) {
	t.Parallel()
	m := begin(t)
	out := filepath.Join(m.dir, "handed.jsonl")
	m.anchor(writeback.Anchors{Command: []string{"tee", "-a", out}})
	for _, id := range []string{"1", "2"} {
		if _, err := m.confirm(false, map[string]time.Duration{id: time.Hour}); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := m.s.AuditCheckpoints(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	if len(lines) != len(stored) || len(lines) < 4 {
		t.Fatalf("%d lines for %d checkpoints", len(lines), len(stored))
	}
	for i, line := range lines {
		var s audit.Signed
		if err := json.Unmarshal(line, &s); err != nil || s.Hash() != stored[i].Hash() || !s.Valid(s.Public) {
			t.Errorf("line %d: %v", i+1, err)
		}
	}

	failing := begin(t)
	failing.anchor(writeback.Anchors{Command: []string{"false"}})
	if _, err := failing.confirm(false, map[string]time.Duration{"1": time.Hour}); fault.CodeOf(err) != fault.AuditUnavailable {
		t.Errorf("a command that fails: %v, want %s", err, fault.AuditUnavailable)
	}
}
