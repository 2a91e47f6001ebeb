package repotest

import (
	"fmt"
	"strings"
	"testing"

	"sluice/internal/fault"
)

func TestErrorDocs(t *testing.T) {
	t.Parallel()
	compareFile(t, "docs/errors.md", errorDocs(fault.Catalogue))
}

// errorDocs renders the catalogue as docs/errors.md.
func errorDocs(rows []fault.Row) string {
	var b strings.Builder
	b.WriteString(`# Errors

Every error has a stable code: it never changes its meaning, so scripts may branch
on it. With --json an error is one document on standard output; the HTTP status is
that of the JSON API, the exit code that of the command line. "Retry" says whether
the same call can succeed later without any change.

This page is written from internal/fault/catalogue.go by ` + "`make update`" + `.

## Codes

| Code | HTTP | Exit | Retry | When | What to do |
|---|---|---|---|---|---|
`)
	for _, r := range rows {
		retry := "no"
		if r.Retryable {
			retry = "yes"
		}
		fmt.Fprintf(&b, "| `%s` | %d | %d | %s | %s | %s |\n", r.Code, r.HTTP, r.Exit, retry, cell(r.When), cell(r.Fix))
	}
	b.WriteString(`
## Exit codes

| Exit | Meaning |
|---|---|
`)
	for _, e := range []struct {
		code int
		text string
	}{
		{fault.ExitOK, "done, or nothing to do"},
		{fault.ExitRuntime, "failed while running; the code says why"},
		{fault.ExitValidation, "the input, the mapping or the call is wrong: mend it, repeating changes nothing"},
		{fault.ExitEnv, "something outside is missing or unreachable: a token, a file, the network, the store"},
		{fault.ExitGate, "refused by a gate that you can open: a threshold, a confirmation, a running twin"},
		{fault.ExitPartial, "finished, with rejected or unknown events"},
		{fault.Lookup(fault.Cancelled).Exit, "interrupted; the same command resumes"},
	} {
		fmt.Fprintf(&b, "| %d | %s |\n", e.code, e.text)
	}
	return b.String()
}

// cell escapes what would end a table cell.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func TestCatalogueRowsAreComplete(t *testing.T) {
	t.Parallel()
	seen := map[fault.Code]bool{}
	for _, r := range fault.Catalogue {
		if seen[r.Code] {
			t.Errorf("%s is in the catalogue twice", r.Code)
		}
		seen[r.Code] = true
		if r.When == "" || r.Fix == "" {
			t.Errorf("%s: When and Fix must both say something", r.Code)
		}
		if strings.Trim(string(r.Code), "abcdefghijklmnopqrstuvwxyz0123456789_") != "" {
			t.Errorf("%s: a code has lower-case letters, digits and underscores only", r.Code)
		}
		if r.HTTP < 200 || r.HTTP > 599 {
			t.Errorf("%s: HTTP status %d", r.Code, r.HTTP)
		}
		if got := fault.Lookup(r.Code); got != r {
			t.Errorf("Lookup(%s) = %+v, want its own row", r.Code, got)
		}
	}
}
