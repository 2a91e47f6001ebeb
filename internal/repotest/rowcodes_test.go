package repotest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"sluice/capi"
	"sluice/internal/testkit"
	"sluice/internal/writeback"
)

func TestRowCodeDocs(t *testing.T) {
	t.Parallel()
	compareFile(t, "docs/row-codes.md", rowCodeDocs())
}

// rowCodeDocs renders docs/row-codes.md.
func rowCodeDocs() string {
	var b strings.Builder
	b.WriteString(`# Codes of rows

Why a row was not sent, why an identifier was dropped, what to know about an event.
The codes of the mapping step are in [mapping.md](mapping.md); those of commands in
[errors.md](errors.md). This page is written by ` + "`make update`" + `.

## Of the plan and of sending

| Code | State | When | What to do |
|---|---|---|---|
`)
	for _, r := range writeback.RowCodes() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", r.Code, r.State, cell(r.When), cell(r.Fix))
	}
	b.WriteString(`
## Of an event

Refused: the event is not sent. Dropped: the one value is left out, the event is sent if
what remains is enough. Warned: sent as it is.

| Code | Effect | What is wrong | What to do |
|---|---|---|---|
`)
	effect := map[capi.Effect]string{capi.Refuse: "refused", capi.Drop: "dropped", capi.Warn: "warned"}
	for _, c := range capi.Codes() {
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", c.Code, effect[c.Effect], cell(c.Message), cell(c.Fix))
	}
	return b.String()
}

// stateCode finds the codes that deliver and writeback give to events and rejects.
var stateCode = regexp.MustCompile(`(?:setApart\([^\n]*ledger\.\w+, |ledger\.(?:Skipped|Expired), |p\.drop\(k, |Code: |rejectAll\([^\n]*rest, |code := |refuse\("map", )"([a-z_]+)"`)

func TestEveryRowCodeIsDocumented(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, r := range writeback.RowCodes() {
		known[r.Code] = true
	}
	found := 0
	for _, dir := range []string{"internal/deliver", "internal/writeback"} {
		files, err := filepath.Glob(filepath.Join(testkit.Root(t), dir, "*.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range files {
			if strings.HasSuffix(path, "_test.go") || strings.HasSuffix(path, "codes.go") {
				continue
			}
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range stateCode.FindAllStringSubmatch(string(text), -1) {
				if found++; !known[m[1]] {
					t.Errorf("%s gives the code %s, which writeback.RowCodes does not list", filepath.Base(path), m[1])
				}
			}
		}
	}
	if found < 8 {
		t.Errorf("only %d codes were found in the sources: the pattern no longer fits them", found)
	}
}
