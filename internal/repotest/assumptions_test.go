package repotest

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"sluice/internal/graphspec"
	"sluice/internal/testkit"
)

// listedBelow separates what is written by hand from what is generated.
const listedBelow = "<!-- The rest is generated from the records: go test ./internal/repotest -run TestAssumptions -update -->\n"

// TestAssumptions keeps docs/assumptions.md complete: every record whose evidence is
// habit (K) or our own decision (R) is listed in it.
func TestAssumptions(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(filepath.Join(testkit.Root(t), "docs", "assumptions.md"))
	if err != nil {
		t.Fatal(err)
	}
	head, _, found := strings.Cut(string(text), listedBelow)
	if !found {
		t.Fatal("docs/assumptions.md has lost the line that separates the written from the generated part")
	}
	compareFile(t, "docs/assumptions.md", head+listedBelow+assumptions())
}

// unproven reports whether a record rests on habit or on our decision.
func unproven(e graphspec.Evidence) bool { return e == graphspec.Known || e == graphspec.Chosen }

// assumption is one line of the list.
type assumption struct{ what, evidence, note string }

func assumptions() string {
	var b strings.Builder
	table := func(title, columns string, list []assumption) {
		slices.SortFunc(list, func(x, y assumption) int { return strings.Compare(x.what, y.what) })
		fmt.Fprintf(&b, "\n## %s (%d)\n\n", title, len(list))
		if len(list) == 0 {
			b.WriteString("None.\n")
			return
		}
		fmt.Fprintf(&b, "| %s | | |\n|---|---|---|\n", columns)
		for _, a := range list {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", a.what, a.evidence, strings.ReplaceAll(a.note, "|", "\\|"))
		}
	}
	reads, writes, types := operations()
	table("Reads", "Call", reads)
	table("Writes", "Call", writes)
	table("Node types", "Type", types)
	table("Errors", "Error", errorAssumptions())
	table("Metrics", "Metric", metricAssumptions())
	return b.String()
}

func operations() (reads, writes, types []assumption) {
	add := func(list *[]assumption, verb, at string, op *graphspec.Op) {
		if op != nil && unproven(op.Evidence) {
			*list = append(*list, assumption{"`" + verb + " " + at + "`", string(op.Evidence), op.Note})
		}
	}
	for _, name := range graphspec.Names() {
		n := graphspec.Lookup(name)
		if unproven(n.Evidence) {
			types = append(types, assumption{"`" + name + "`", string(n.Evidence), ""})
		}
		add(&reads, "GET", name, n.Read)
		add(&writes, "POST", name, n.Update)
		add(&writes, "DELETE", name, n.Delete)
		for _, e := range n.Edges {
			at := name + "/" + e.Name
			add(&reads, "GET", at, e.Get)
			add(&writes, "POST", at, e.Post)
			add(&writes, "DELETE", at, e.Delete)
		}
	}
	return reads, writes, types
}

func errorAssumptions() []assumption {
	var list []assumption
	for _, r := range graphspec.ErrorRows {
		if !unproven(r.Evidence) {
			continue
		}
		code := fmt.Sprint(r.Code)
		if r.Subcode != 0 {
			code += "/" + fmt.Sprint(r.Subcode)
		}
		list = append(list, assumption{"`" + r.Name + "` " + code, string(r.Evidence), "taken for " + string(r.Class) + ": " + r.Message})
	}
	return list
}

func metricAssumptions() []assumption {
	var list []assumption
	add := func(of, name string, e graphspec.Evidence, note string) {
		if unproven(e) {
			list = append(list, assumption{of + " `" + name + "`", string(e), note})
		}
	}
	ended := func(since, by string) string {
		note := "ended"
		if since != "" {
			note += " " + since
		}
		if by != "" {
			note += ", read `" + by + "`"
		}
		return note
	}
	for _, m := range graphspec.PageMetrics {
		add("Page", m.Name, m.Evidence, "")
	}
	for _, m := range graphspec.PostMetrics {
		add("Post", m.Name, m.Evidence, "")
	}
	for _, m := range graphspec.RetiredPageMetrics {
		add("Page or post", m.Name, m.Evidence, ended(m.Since, m.By))
	}
	for of, metrics := range map[string][]graphspec.IGMetric{"Instagram account": graphspec.IGAccountMetrics, "Instagram media": graphspec.IGMediaMetrics} {
		for _, m := range metrics {
			add(of, m.Name, m.Evidence, "")
		}
	}
	for of, metrics := range map[string][]graphspec.IGRetired{"Instagram account": graphspec.IGRetiredAccount, "Instagram media": graphspec.IGRetiredMedia} {
		for _, m := range metrics {
			add(of, m.Name, m.Evidence, ended(m.Since, m.By))
		}
	}
	return list
}
