package graphtool_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"
)

// filler are words that tell an agent nothing.
var filler = regexp.MustCompile(`(?i)\b(easily|simply|powerful|seamless(ly)?|comprehensive|just|very|really|basically|various|robust|leverage|utili[sz]e|please|in order to|note that)\b`)

const (
	fewestWords = 15
	mostWords   = 125
)

// What an agent chooses by: a description of the right length without filler, that names
// the tool to take instead, and a description for every argument (tool-definition quality:
// purpose, usage, conciseness, parameters).
func TestDefinitionsHelpToChoose(t *testing.T) {
	t.Parallel()
	type definition struct {
		Name, Title, Description string
		InputSchema              struct {
			Properties map[string]struct{ Description string }
		}
		OutputSchema struct{ Properties map[string]any }
	}
	var list []definition
	names := map[string]bool{}
	for _, r := range all() {
		text, err := r.Definition()
		if err != nil {
			t.Fatal(err)
		}
		var d definition
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		names[d.Name] = true
		list = append(list, d)
	}
	name := regexp.MustCompile(`\b(meta|threads|wb|send)_[a-z_0-9]+\b`)
	descriptions := map[string]string{}
	for _, d := range list {
		if n := len(strings.Fields(d.Description)); n < fewestWords || n > mostWords {
			t.Errorf("%s: a description of %d words; %d to %d are right", d.Name, n, fewestWords, mostWords)
		}
		if w := filler.FindString(d.Description); w != "" {
			t.Errorf("%s: %q says nothing", d.Name, w)
		}
		sibling := false
		for _, n := range name.FindAllString(d.Description, -1) {
			sibling = sibling || names[n] && n != d.Name
		}
		if !sibling {
			t.Errorf("%s: no other tool is named that would be right where this one is not", d.Name)
		}
		if other := descriptions[d.Description]; other != "" {
			t.Errorf("%s and %s have one description", d.Name, other)
		}
		descriptions[d.Description] = d.Name
		for arg, p := range d.InputSchema.Properties {
			if p.Description == "" {
				t.Errorf("%s: %s has no description", d.Name, arg)
			}
		}
		if len(d.OutputSchema.Properties) == 0 {
			t.Errorf("%s: its output schema names nothing", d.Name)
		}
	}
}
