package tools

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testkit/mcptest"
)

// TestVersionStays: the version is written down when a server is first used, and another
// default changes nothing for it; the warnings of a version that ends reach the caller.
func TestVersionStays(t *testing.T) {
	t.Parallel()
	state, env := mcptest.Environment(t)
	s := server{env: env}.client(t, mcptest.Legacy, nil)
	file := filepath.Join(state, "graph-versions.json")
	text, err := os.ReadFile(file)
	if err != nil || !json.Valid(text) || !strings.Contains(string(text), `"meta": "v26.0"`) {
		t.Fatalf("the first start pinned %s, %v", text, err)
	}
	_ = s.Close()
	box := meta(t)
	older := `{"meta":"v25.0","` + box + `":"v25.0"}`
	if err := os.WriteFile(file, []byte(older), 0o600); err != nil { // as an older Sluice left it
		t.Fatal(err)
	}
	_ = server{env: env}.client(t, mcptest.Legacy, nil).Close()
	if text, err := os.ReadFile(file); err != nil || string(text) != older {
		t.Errorf("the pin was changed: %s, %v", text, err)
	}
	asked := func(want string, more ...string) {
		t.Helper()
		s := server{box: box, env: append(more, env...)}.client(t, mcptest.Legacy, nil)
		plan(t, box, `{"kind":"version_warning","edge":"Campaign","next":1}`)
		a := call(t, s, "meta_get_campaign", campaign)
		if a.code != "" || !strings.Contains(a.text, "auto-upgraded") {
			t.Errorf("no word of the version that ends: %q %s", a.code, a.text)
		}
		_ = s.Close()
		if got := versions(t, box); got[len(got)-1] != want {
			t.Errorf("asked for %v, want %s", got, want)
		}
	}
	asked("v25.0")
	asked("v26.0", "SLUICE_GRAPH_VERSION=v26.0")
	asked("v25.0")
	if err := os.WriteFile(file, []byte(`{"meta":`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := server{env: env}.command(t)
	cmd.Stdin = strings.NewReader("")
	if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), "graph-versions.json") {
		t.Errorf("a damaged file: %v, %s", err, out)
	}
}

// versions are those that a sandbox was asked for.
func versions(t testing.TB, box string) (list []string) {
	t.Helper()
	for _, p := range paths(t, box) {
		_, p, _ = strings.Cut(p, " /")
		version, _, _ := strings.Cut(p, "/")
		list = append(list, version)
	}
	return list
}
