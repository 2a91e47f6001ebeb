package graphtool_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// TestReference keeps docs/reference/tools.md what the records say: every tool, its calls,
// scopes, risk and scenarios.
func TestReference(t *testing.T) {
	t.Parallel()
	file := filepath.Join("..", "..", "docs", "reference", "tools.md")
	got := reference()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("docs/reference/tools.md is not what the records say (go test ./internal/graphtool -update writes it):\n%s", diff)
	}
}

const referenceHead = `# Tools of the Meta server

Written by ` + "`go test ./internal/graphtool -update`" + ` from the records; the definitions that clients read are in
` + "`internal/graphtool/testdata/definitions`" + `. How to use them: [meta.md](../meta.md).

- **Calls**: operations of the Graph API, in order; the letter says how well each is known: D read in Meta's documentation, S in its
  published specification, I in public reports, K long known, R our decision ([assumptions](../assumptions.md)).
- **Risk**: category and severity; ↯ can't be taken back.
- **Scenarios**: what the sandbox shows of it; each is a test. Bad calls stand with the code they answer.
- ★ is in the list that clients see by default.

`

func reference() string {
	var b strings.Builder
	b.WriteString(referenceHead)
	list := all()
	gone := 0
	for _, r := range list {
		if r.Gone != nil {
			gone++
		}
	}
	fmt.Fprintf(&b, "%d tools; %d of them say that Meta offers nothing for it, and what to do instead.\n", len(list), gone)
	for _, set := range tool.Sets {
		b.WriteString("\n## " + set + "\n\n| Tool | Does | Calls | Scopes | Risk | Scenarios |\n|---|---|---|---|---|---|\n")
		for _, r := range list {
			if r.Set == set {
				b.WriteString(row(r))
			}
		}
	}
	return b.String()
}

func row(r *tool.Tool) string {
	name := "`" + r.Name + "`"
	if r.Core {
		name += " ★"
	}
	var calls []string
	for _, o := range r.Operations() {
		on := o.On + "."
		if o.On == graphspec.Root {
			on = "/"
		}
		call := o.Verb + " " + strings.TrimSuffix(on+o.Edge, ".")
		if n := graphspec.Lookup(o.On); n != nil {
			if op := n.Op(o.Verb, o.Edge); op != nil {
				call += " (" + string(op.Evidence) + ")"
			}
		}
		calls = append(calls, call)
	}
	does := r.Does
	if r.Gone != nil {
		does += " **Not offered by Meta**: " + strings.TrimSuffix(r.Gone.Instead, ".") + "."
	}
	risk := string(r.Category) + ", " + string(r.Severity)
	if r.Irreversible {
		risk += " ↯"
	}
	var cases []string
	for _, c := range r.Cases {
		text := c.Name
		if c.Error != "" {
			text += " → `" + c.Error + "`"
		}
		cases = append(cases, text)
	}
	var scopes []string
	for _, s := range r.AllScopes() {
		scopes = append(scopes, strings.ReplaceAll(s, "|", " or "))
	}
	cells := []string{name, does, strings.Join(calls, "<br>"), strings.Join(scopes, ", "), risk, strings.Join(cases, "<br>")}
	for i := range cells {
		cells[i] = strings.ReplaceAll(cells[i], "|", `\|`)
	}
	return "| " + strings.Join(cells, " | ") + " |\n"
}
