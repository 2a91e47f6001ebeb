package conformance_test

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// exception is a scenario whose checks differ behind the relay on one way, and why that
// is right. One that no longer differs has to be removed.
type exception struct {
	revision, scenario, way, why string
}

// serverExceptions are differences of server scenarios.
var serverExceptions = []exception{
	{"2025-11-25", "server-sse-polling", toStdio, "a server on stdio has no stream that it could end and no event ids, so nothing " +
		"is there to resume; the call is answered with JSON, and the scenario then has nothing to check"},
	{"2025-11-25", "server-sse-multiple-streams", toStdio, jsonAnswers},
	{"2026-07-28", "server-sse-multiple-streams", toStdio, jsonAnswers},
}

const jsonAnswers = "a server on stdio does not say whether its answers are streams, so a call that had " +
	"nothing but a result is answered with JSON; the scenario checks that all calls are answered, and notes that none was a stream"

// clientExceptions are differences of client scenarios.
var clientExceptions []exception

// clean fails the test for every check that did not pass on the first way.
func (c comparison) clean(t *testing.T) {
	t.Helper()
	for s, checks := range c.found[0] {
		if !passed(checks) {
			t.Errorf("%s %s, %s:\n%s", s.revision, s.name, c.ways[0], difference(nil, checks))
		}
	}
}

// judge fails the test for every difference between the first way and another that is
// no exception, and for every exception that is none.
func (c comparison) judge(t *testing.T, exceptions []exception) {
	t.Helper()
	for i, way := range c.ways[1:] {
		for _, s := range c.scenarios() {
			direct, relayed := c.found[0][s], c.found[i+1][s]
			diff := difference(direct, relayed)
			if strings.HasPrefix(s.name, "auth/") { // two OAuth clients: the verdict counts
				diff = ""
				if passed(direct) && !passed(relayed) {
					diff = difference(nil, relayed)
				}
			}
			e := find(exceptions, s, way)
			switch {
			case diff != "" && e == nil:
				t.Errorf("%s %s, %s, is not what it is direct:\n%s", s.revision, s.name, way, diff)
			case diff == "" && e != nil:
				t.Errorf("%s %s, %s, is excepted but does not differ; remove the exception", s.revision, s.name, way)
			}
		}
	}
	for _, e := range exceptions {
		if !slices.Contains(c.ways, e.way) || !slices.Contains(c.scenarios(), scenario{e.revision, e.scenario}) {
			t.Errorf("the exception %s %s, %s, is about nothing that ran", e.revision, e.scenario, e.way)
		}
	}
}

func find(exceptions []exception, s scenario, way string) *exception {
	for i, e := range exceptions {
		if e.way == way && e.scenario == s.name && e.revision == s.revision {
			return &exceptions[i]
		}
	}
	return nil
}

// scenarios are all that ran on any way, ordered.
func (c comparison) scenarios() []scenario {
	all := map[scenario]bool{}
	for _, f := range c.found {
		for s := range f {
			all[s] = true
		}
	}
	return slices.SortedFunc(maps.Keys(all), func(a, b scenario) int {
		return cmp.Or(strings.Compare(a.revision, b.revision), strings.Compare(a.name, b.name))
	})
}

// passed reports whether every check of a run passed.
func passed(checks []check) bool {
	return checks != nil && !slices.ContainsFunc(checks, func(c check) bool { return c.Status == "FAILURE" || c.Status == "WARNING" })
}

// difference says which checks two runs do not share. Notes of the suite (INFO) about
// single messages are no checks.
func difference(direct, relayed []check) string {
	if relayed == nil {
		return "  it did not run"
	}
	counts := map[string]int{}
	messages := map[string]string{}
	count := func(checks []check, by int) {
		for _, c := range checks {
			if c.Status == "INFO" {
				continue
			}
			key := c.Status + " " + c.ID + " (" + c.Name + ")"
			counts[key] += by
			messages[key] = c.Message
		}
	}
	count(relayed, 1)
	count(direct, -1)
	var lines []string
	for key, n := range counts {
		if n != 0 {
			lines = append(lines, fmt.Sprintf("  %+d %s %s", n, key, messages[key]))
		}
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
