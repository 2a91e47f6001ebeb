package cli_test

import (
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/cli"
)

func TestCompletion(t *testing.T) {
	t.Parallel()
	s := open(t)
	plan := s.preview("a.csv", "1,2026-11-20T10:00:00Z,5.00,GBP,a@example.com\n")
	state := filepath.Join(s.dir, "state")
	for _, command := range []string{"confirm", "dry-run", "rejects", "events"} {
		has(t, cli.Completed(t.Context(), command, "--state-dir", state, ""), plan, "ready, 1 event")
		lacks(t, cli.Completed(t.Context(), command, "--state-dir", state, plan, ""), plan)
	}
	for _, tt := range []struct{ command, flag, want string }{
		{"dry-run", "--level", "offline"},
		{"rejects", "--format", "jsonl"},
		{"payload", "--source", "physical_store"},
		{"payload", "--event", "Purchase"},
		{"normalize", "--field", "external_id"},
		{"sandbox", "--keep", "keys"},
		{"runs", "--log-level", "debug"},
		{"preview", "--progress", "plain"},
	} {
		has(t, cli.Completed(t.Context(), tt.command, tt.flag, ""), tt.want)
	}
}

func TestCompletionIsSilent(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	lacks(t, cli.Completed(t.Context(), "confirm", "--state-dir", dir, ""), "pl_", "rror")
	if _, err := os.Stat(dir); err == nil {
		t.Error("completing made a state directory")
	}
	broken := t.TempDir()
	if err := os.WriteFile(filepath.Join(broken, "writeback.db"), []byte("no database"), 0o600); err != nil {
		t.Fatal(err)
	}
	lacks(t, cli.Completed(t.Context(), "confirm", "--state-dir", broken, ""), "pl_", "rror")
}
