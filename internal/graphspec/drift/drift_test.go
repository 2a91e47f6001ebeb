package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func lines(t *testing.T, args ...string) []string {
	t.Helper()
	var out bytes.Buffer
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	return strings.Split(out.String(), "\n")
}

// The specification in testdata is invented: it has a field, an operation and a value
// that we don't have, needs a parameter that we don't know, and lacks what we have.
func TestDrift(t *testing.T) {
	t.Parallel()
	short, long := lines(t, "testdata"), lines(t, "-all", "testdata")
	for _, want := range []string{
		"node types compared: 2",
		"  AdReportRun: field async_percent_completion",
		"  AdReportRun.insights GET: parameter shape (missing here)",
		"  Campaign.insights GET: parameter breakdowns",
		"  Campaign.insights GET: parameter level: value ad",
		"  Campaign.insights POST: operation",
	} {
		if !slices.Contains(short, want) {
			t.Errorf("the report lacks %q:\n%s", want, strings.Join(short, "\n"))
		}
	}
	for _, only := range []string{"  AdReportRun: field colour", "  AdReportRun. DELETE: operation", "  Campaign.insights GET: parameter level: value galaxy"} {
		if slices.Contains(short, only) || !slices.Contains(long, only) {
			t.Errorf("%q belongs into the long report alone", only)
		}
	}
	if i := slices.Index(short, "  AdReportRun: field id"); i >= 0 {
		t.Error("a field that both have is reported")
	}
}

func TestNoSpecification(t *testing.T) {
	t.Parallel()
	for name, args := range map[string][]string{"no folder": {}, "an empty one": {t.TempDir()}, "two": {"a", "b"}} {
		if err := run(args, &bytes.Buffer{}); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := load(fstest.MapFS{"Page.json": {Data: []byte("{")}}); err == nil || !strings.Contains(err.Error(), "Page.json") {
		t.Errorf("a broken file: %v", err)
	}
}
