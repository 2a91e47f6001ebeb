package mapping_test

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"

	"sluice/internal/mapping"
)

const manual = "../../docs/mapping.md"

var fence = regexp.MustCompile("(?s)```yaml\n(.*?)```")

// TestManualExamplesAreValid parses every example of the manual. A fragment takes
// the place of the keys it has in a minimal document.
func TestManualExamplesAreValid(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	examples := fence.FindAllStringSubmatch(string(text), -1)
	if len(examples) < 10 {
		t.Fatalf("%d examples found", len(examples))
	}
	files := fstest.MapFS{"shops.csv": {Data: []byte("shop,region\nLDN,South\n")}}
	for i, e := range examples {
		t.Run(fmt.Sprint(i+1), func(t *testing.T) {
			t.Parallel()
			doc := e[1]
			if !strings.HasPrefix(doc, "version:") {
				for _, l := range strings.Split(strings.TrimSpace(minimal), "\n") {
					key, _, _ := strings.Cut(l, ":")
					if !strings.Contains("\n"+doc, "\n"+key+":") {
						doc += l + "\n"
					}
				}
			}
			if _, err := mapping.Parse("example", []byte(doc), files); err != nil {
				t.Errorf("%v\n%s", mapping.FaultsOf(err), doc)
			}
		})
	}
}

// TestManualIsComplete looks for every key, transform and customer key in the
// manual, and compares its table of codes with the one that the program has.
func TestManualIsComplete(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(manual)
	if err != nil {
		t.Fatal(err)
	}
	names := append(mapping.DocumentKeys(), mapping.TransformNames()...)
	names = append(names, mapping.UserKeys()...)
	names = append(names, mapping.DefaultOutcomes()...)
	for _, n := range names {
		if !strings.Contains(string(text), "`"+n+"`") && !strings.Contains(string(text), "`{"+n+":") {
			t.Errorf("the manual does not name %q", n)
		}
	}
	var table strings.Builder
	table.WriteString("<!-- codes -->\n| Code | Kind | When | What to do |\n|---|---|---|---|\n")
	for _, c := range mapping.Codes() {
		kind := map[mapping.Kind]string{mapping.Mapped: "warning", mapping.Skipped: "skip", mapping.Rejected: "reject"}[c.Kind]
		fmt.Fprintf(&table, "| `%s` | %s | %s | %s |\n", c.Code, kind, c.When, c.Fix)
	}
	table.WriteString("<!-- end of codes -->")
	block := regexp.MustCompile(`(?s)<!-- codes -->.*?<!-- end of codes -->`)
	if *update {
		out := block.ReplaceAllLiteralString(string(text), table.String())
		if err := os.WriteFile(manual, []byte(out), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got := block.FindString(string(text)); got != table.String() {
		t.Error("the table of codes is not that of the program; run with -update")
	}
}
