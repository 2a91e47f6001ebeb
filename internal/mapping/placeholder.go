package mapping

import "slices"

// placeholder is what a proposal writes where a person has to decide.
const placeholder = "CHECK"

// dataKeys hold texts of the data, where CHECK may be a word like another: a way to
// pay. Proposals leave nothing open there.
var dataKeys = []string{"outcome", "lookups", "transforms", "const", "default"}

// placeholders faults every value that a proposal left open. A fault that Parse
// found in the same place only follows from it and goes.
func (d *decoder) placeholders(c cursor) {
	if c.node == nil {
		return
	}
	switch c.kind {
	case scalarNode:
		if c.text == placeholder {
			d.faults = slices.DeleteFunc(d.faults, func(f Fault) bool { return f.Pointer == c.pointer })
			d.fault(c, "replace CHECK by what is right for this data; the comment beside it says what is wanted", "the proposal left this value open: CHECK")
		}
	case listNode:
		for i := range c.items {
			d.placeholders(c.item(i))
		}
	case objectNode:
		for _, m := range c.members {
			if !slices.Contains(dataKeys, m.key) {
				d.placeholders(c.at(m))
			}
		}
	}
}
