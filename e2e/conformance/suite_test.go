package conformance_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// revisions are the suite's requirement sets. Each run covers what its revision
// requires and what the suite runs beside it without counting.
var revisions = []string{"2025-11-25", "2026-07-28"}

// extensionRevision marks scenarios of extensions, which belong to no revision.
const extensionRevision = "extension"

// skills are the server scenarios that no requirement set names.
var skills = []string{"sep-2640-skills-directory", "sep-2640-skills-enumeration", "sep-2640-skills-manifest"}

// check is one finding of the suite.
type check struct {
	ID      string `json:"id"`
	Name    string `json:"name"`
	Status  string `json:"status"`
	Message string `json:"errorMessage"`
}

// scenario names one run of a scenario.
type scenario struct {
	revision, name string
}

// findings are the checks of every scenario that ran.
type findings map[scenario][]check

var stamped = regexp.MustCompile(`-\d{4}-\d{2}-\d{2}T[\d-]+Z$`)

// suite runs the conformance suite once and adds what it found. What the suite itself
// thinks of the result does not matter here, as long as it finds something.
func (n node) suite(t *testing.T, into findings, revision string, env []string, args ...string) {
	t.Helper()
	dir := t.TempDir()
	args = append([]string{n.script("@modelcontextprotocol/conformance/dist/index.js")}, args...)
	out, err := n.output(t, env, append(args, "-o", dir)...)
	files, globErr := filepath.Glob(filepath.Join(dir, "*", "checks.json"))
	auth, _ := filepath.Glob(filepath.Join(dir, "*", "*", "checks.json"))
	files = append(files, auth...)
	if globErr != nil || len(files) == 0 {
		t.Fatalf("the suite found nothing: %v\n%s", err, out)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name, err := filepath.Rel(dir, filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		name = stamped.ReplaceAllString(filepath.ToSlash(name), "")
		name = strings.TrimPrefix(name, "server-")
		var checks []check
		if err := json.Unmarshal(b, &checks); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		into[scenario{revision, name}] = checks
	}
}
