package testkit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"sluice/internal/testkit"
)

// outcome is what Need or Unavailable did to the test that called it.
type outcome struct {
	skipped, failed bool
	text            string
}

// probe stands in for a running test: the real one would end this test too.
type probe struct {
	testing.TB
	got *outcome
}

func (p probe) Helper()      {}
func (p probe) Name() string { return "TestProbe" }

func (p probe) Skip(args ...any) {
	p.got.skipped = true
	p.got.text = args[0].(string)
	panic(p)
}

func (p probe) Fatalf(format string, args ...any) {
	p.got.failed = true
	for _, a := range args {
		p.got.text += " " + a.(string)
	}
	panic(p)
}

func run(f func(testing.TB)) (got outcome) {
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(probe); !ok {
				panic(r)
			}
		}
	}()
	f(probe{got: &got})
	return got
}

func TestNeed(t *testing.T) {
	tests := []struct {
		name, ci, require, program string
		skipped, failed            bool
	}{
		{name: "present", program: "go"},
		{name: "present in CI", ci: "true", program: "go"},
		{name: "missing at home", program: "no-such-program", skipped: true},
		{name: "missing, CI is off", ci: "false", program: "no-such-program", skipped: true},
		{name: "missing in CI", ci: "true", program: "no-such-program", failed: true},
		{name: "missing and required", require: "1", program: "no-such-program", failed: true},
		{name: "a switch that is not a boolean counts as on", require: "yes", program: "no-such-program", failed: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("CI", tt.ci)
			t.Setenv(testkit.RequireVar, tt.require)
			t.Setenv(testkit.SkipsVar, "")
			got := run(func(tb testing.TB) { testkit.Need(tb, tt.program) })
			if got.skipped != tt.skipped || got.failed != tt.failed {
				t.Errorf("Need(%q) with CI=%q: skipped %v, failed %v; want %v, %v",
					tt.program, tt.ci, got.skipped, got.failed, tt.skipped, tt.failed)
			}
			if (got.skipped || got.failed) && !strings.Contains(got.text, "scripts/need.sh "+tt.program) {
				t.Errorf("message %q does not say how to install", got.text)
			}
		})
	}
}

func TestSkipsAreCollected(t *testing.T) {
	file := filepath.Join(t.TempDir(), "skips")
	t.Setenv("CI", "")
	t.Setenv(testkit.RequireVar, "")
	t.Setenv(testkit.SkipsVar, file)
	for range 2 {
		run(func(tb testing.TB) { testkit.Unavailable(tb, "no network") })
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.Repeat("TestProbe: no network\n", 2); string(got) != want {
		t.Errorf("skips file holds %q, want %q", got, want)
	}
}

func TestRoot(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat(filepath.Join(testkit.Root(t), "internal", "testkit", "testkit.go")); err != nil {
		t.Errorf("Root is not the root of the repository: %v", err)
	}
}
