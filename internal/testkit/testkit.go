// Package testkit says what a test needs from the machine and what happens when
// the machine does not have it.
//
// A test that cannot run skips at home and fails where it is required: with
// CI=true or SLUICE_REQUIRE_SERVICES=1. A skip is never silent: it is printed by
// `go test -v`, and when SLUICE_SKIPS names a file, one line per skipped test is
// appended to it (`make test` prints that file after the run).
//
// Only tests import this package; the product never links it.
package testkit

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// Environment variables that this package reads.
const (
	// RequireVar set to a true value turns every skip of this package into a failure.
	RequireVar = "SLUICE_REQUIRE_SERVICES"
	// SkipsVar names the file that collects what was skipped.
	SkipsVar = "SLUICE_SKIPS"
)

// Need makes the calling test end unless every named program is on PATH. The
// message holds the command that installs what is missing.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	var missing []string
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing = append(missing, p)
		}
	}
	if len(missing) > 0 {
		names := strings.Join(missing, " ")
		Unavailable(t, "not on PATH: "+names+"; install with: sh scripts/need.sh "+names)
	}
}

// Unavailable ends the calling test because of something the machine lacks:
// a failure where the test is required, else a skip. reason says what is
// missing and what to do about it.
func Unavailable(t testing.TB, reason string) {
	t.Helper()
	if Required() {
		t.Fatalf("cannot run here, and CI or %s forbids a skip: %s", RequireVar, reason)
	}
	record(t, reason)
	t.Skip("SKIPPED, not run here: " + reason)
}

// Required reports whether a test that cannot run has to fail.
func Required() bool {
	return truthy(os.Getenv("CI")) || truthy(os.Getenv(RequireVar))
}

// Root is the directory of the repository: the nearest parent of the working
// directory that holds go.mod. Tests run in their package's directory, so it
// does not depend on where `go test` was started.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatalf("working directory: %v", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the working directory")
		}
		dir = parent
	}
}

// record appends to the file of SkipsVar. One write of one line per skip keeps
// the lines of test binaries that run side by side whole.
func record(t testing.TB, reason string) {
	name := os.Getenv(SkipsVar)
	if name == "" {
		return
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		t.Fatalf("%s: %v", SkipsVar, err)
	}
	_, err = f.WriteString(t.Name() + ": " + reason + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		t.Fatalf("%s: %v", SkipsVar, err)
	}
}

// truthy reads a switch of the environment. What strconv does not know ("yes")
// counts as set, so that a typing slip never weakens a run.
func truthy(v string) bool {
	if v == "" {
		return false
	}
	on, err := strconv.ParseBool(v)
	return err != nil || on
}
