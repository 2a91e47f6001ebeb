package mapping

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"sluice/internal/suggest"
)

// cursor is a node and its place in the document. A zero cursor is an absent key.
type cursor struct {
	*node
	pointer string
}

func (c cursor) present() bool { return c.node != nil }

func (c cursor) item(i int) cursor {
	return cursor{c.items[i], fmt.Sprintf("%s/%d", c.pointer, i)}
}

func (c cursor) at(m member) cursor {
	return cursor{m.value, c.pointer + "/" + escapePointer(m.key)}
}

// decoder reads a tree into a Mapping and collects every fault on the way.
type decoder struct {
	faults  []Fault
	files   fs.FS
	columns []string
	tables  map[string]*lookupTable
	used    map[string]bool // names of tables
}

func (d *decoder) fault(c cursor, fix, format string, args ...any) {
	f := Fault{Pointer: c.pointer, Line: 1, Column: 1, Message: fmt.Sprintf(format, args...), Fix: fix}
	if c.node != nil {
		f.Line, f.Column = c.line, c.col
	}
	d.faults = append(d.faults, f)
}

// keyFault is fault with the place of a key rather than of its value.
func (d *decoder) keyFault(c cursor, m member, fix, format string, args ...any) {
	d.faults = append(d.faults, Fault{Pointer: c.at(m).pointer, Line: m.line, Column: m.col, Message: fmt.Sprintf(format, args...), Fix: fix})
}

// column registers a column of the input and returns its place in a row.
func (d *decoder) column(name string) int {
	if i := slices.Index(d.columns, name); i >= 0 {
		return i
	}
	d.columns = append(d.columns, name)
	return len(d.columns) - 1
}

// object returns the members of c by key, after refusing keys that are not known.
func (d *decoder) object(c cursor, known ...string) map[string]cursor {
	if c.kind != objectNode {
		d.fault(c, "write `key: value` pairs", "expected a set of keys, found %s", c.said())
		return nil
	}
	found := make(map[string]cursor, len(c.members))
	for _, m := range c.members {
		if !slices.Contains(known, m.key) {
			d.unknownKey(c, m, known)
			continue
		}
		found[m.key] = c.at(m)
	}
	return found
}

func (d *decoder) unknownKey(c cursor, m member, known []string) {
	fix := "known keys: " + strings.Join(known, ", ")
	if near := suggest.Closest(m.key, known); near != "" {
		fix = fmt.Sprintf("did you mean %q?", near)
	}
	d.keyFault(c, m, fix, "key %q is not known here", clip(m.key))
}

// said names what a node is, for messages.
func (n *node) said() string {
	switch {
	case n == nil || n.kind == nullNode:
		return "nothing"
	case n.kind == listNode:
		return "a list"
	case n.kind == objectNode:
		return "a set of keys"
	}
	return fmt.Sprintf("%q", clip(n.text))
}

// clip keeps messages short, whatever the document holds.
func clip(s string) string {
	const most = 60
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

// text returns a scalar that is not empty. ok is false after a fault.
func (d *decoder) text(c cursor, what string) (s string, ok bool) {
	if c.node == nil || c.kind != scalarNode || strings.TrimSpace(c.text) == "" {
		d.fault(c, "", "%s must be a text, found %s", what, c.node.said())
		return "", false
	}
	return c.text, true
}

// choice returns a scalar out of a fixed set.
func (d *decoder) choice(c cursor, what string, choices ...string) (string, bool) {
	s, ok := d.text(c, what)
	if !ok {
		return "", false
	}
	if slices.Contains(choices, s) {
		return s, true
	}
	fix := "use one of: " + strings.Join(choices, ", ")
	if near := suggest.Closest(s, choices); near != "" {
		fix = fmt.Sprintf("did you mean %q? Known: %s", near, strings.Join(choices, ", "))
	}
	d.fault(c, fix, "%s can't be %q", what, clip(s))
	return "", false
}

// flag returns a yes or a no.
func (d *decoder) flag(c cursor, what string) bool {
	s, _ := d.choice(c, what, "yes", "no", "true", "false")
	return s == "yes" || s == "true"
}

// texts returns a list of texts; a single text is a list of one.
func (d *decoder) texts(c cursor, what string) []string {
	if c.kind != listNode {
		s, ok := d.text(c, what)
		if !ok {
			return nil
		}
		return []string{s}
	}
	var out []string
	for i := range c.items {
		if s, ok := d.text(c.item(i), what); ok {
			out = append(out, s)
		}
	}
	if len(c.items) == 0 {
		d.fault(c, "", "%s is an empty list", what)
	}
	return out
}
