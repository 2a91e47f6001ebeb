package app

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"sluice/internal/config"
	"sluice/internal/ledger"
)

// A sluice.yaml that happens to lie in the current directory does not choose a program
// that runs when an approval is decided there.
func TestAFileThatWasOnlyFoundTellsNobody(t *testing.T) { //nolint:paralleltest // it changes the working directory
	dir := t.TempDir()
	text := "mcp: {servers: {default: {url: https://a.example.com/mcp, approvals: {notify: [{command: [x]}]}}}}\n"
	if err := os.WriteFile(filepath.Join(dir, "sluice.yaml"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Chdir(dir)
	for file, told := range map[string]int{"": 0, "sluice.yaml": 1} {
		c, err := config.Load(file, nil)
		if err != nil {
			t.Fatal(err)
		}
		c.StateDir = t.TempDir()
		a, err := Open(t.Context(), c, Options{Via: "cli"})
		if err != nil {
			t.Fatal(err)
		}
		p, err := a.place(t.Context(), "default", "default")
		if len(p.Approvals.Notify) != told || told == 0 != errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("with %q: %+v, %v", file, p, err)
		}
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	}
}
