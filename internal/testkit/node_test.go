package testkit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testkit"
)

// project writes a package.json and its lock file; without dependencies npm
// needs no network for it.
func project(t *testing.T, lock string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{"package.json": `{"name":"x","version":"1.0.0"}`, "package-lock.json": lock} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestNodeModules(t *testing.T) {
	testkit.Need(t, "node", "npm")
	const lock = `{"name":"x","version":"1.0.0","lockfileVersion":3,"packages":{"":{"name":"x","version":"1.0.0"}}}`

	t.Run("installs once per lock file", func(t *testing.T) {
		t.Setenv("XDG_CACHE_HOME", t.TempDir())
		t.Setenv("HOME", t.TempDir())
		first, err := testkit.NodeModules(project(t, lock))
		if err != nil {
			t.Fatal(err)
		}
		mark := filepath.Join(first, "mark")
		if err := os.WriteFile(mark, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		second, err := testkit.NodeModules(project(t, lock))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(mark); err != nil || first != second {
			t.Errorf("the same lock file was installed again: %s, then %s (%v)", first, second, err)
		}
		other, err := testkit.NodeModules(project(t, lock+"\n"))
		if err != nil {
			t.Fatal(err)
		}
		if other == first {
			t.Error("another lock file got the same directory")
		}
	})

	t.Run("a lock file that does not fit leaves nothing behind", func(t *testing.T) {
		cache := t.TempDir()
		t.Setenv("XDG_CACHE_HOME", cache)
		t.Setenv("HOME", cache)
		_, err := testkit.NodeModules(project(t, "not JSON"))
		if err == nil || !strings.Contains(err.Error(), "npm ci") {
			t.Fatalf("NodeModules with a broken lock file: %v, want npm's own error", err)
		}
		left, err := filepath.Glob(filepath.Join(cache, "sluice", "npm", "*"))
		if err != nil || len(left) > 0 {
			t.Errorf("left behind: %v (%v)", left, err)
		}
	})
}
