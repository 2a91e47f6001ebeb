package sqlite_test

import (
	"path/filepath"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/store/sqlite"
)

func open(t testing.TB, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path, time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestReopenKeepsTheName(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "odd name?#.db")
	first := open(t, path)
	if second := open(t, path); first.ID() != second.ID() || first.ID() == "" {
		t.Errorf("%q became %q", first.ID(), second.ID())
	}
}

func TestAStoreThatCannotBeOpenedIsTyped(t *testing.T) {
	t.Parallel()
	_, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "missing", "writeback.db"), time.Now)
	if fault.CodeOf(err) != fault.StoreUnavailable {
		t.Errorf("got %v, want %s", err, fault.StoreUnavailable)
	}
}
