package graphtool_test

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

var toolName = regexp.MustCompile(`\b(?:meta|threads)_[a-z_]+`)

// TestSiblingsExist: a definition that sends an agent to another tool names one that
// there is.
func TestSiblingsExist(t *testing.T) {
	t.Parallel()
	others := []string{"meta_search_tools"}
	for _, row := range fault.Catalogue {
		others = append(others, string(row.Code)) // meta_refused and its kin
	}
	for _, r := range all() {
		for _, scope := range r.AllScopes() {
			others = append(others, strings.Split(scope, "|")...) // threads_delete
		}
	}
	known := func(r *tool.Tool, name string) bool {
		isArg := func(a tool.Arg) bool { return a.Name == name || a.As == name }
		return find(name) != nil || slices.Contains(others, name) || slices.ContainsFunc(r.Args, isArg)
	}
	for _, r := range all() {
		texts := []string{r.Description()}
		for _, a := range r.Args {
			texts = append(texts, a.Doc, a.Gone)
		}
		for _, text := range texts {
			for _, name := range toolName.FindAllString(text, -1) {
				if !known(r, name) {
					t.Errorf("%s speaks of %s, which is no tool", r.Name, name)
				}
			}
		}
	}
}
