package mapping

import (
	"slices"
	"strings"
)

// expression is where a value comes from: a constant, or columns of the row, and
// what is done to it.
type expression struct {
	target   string // what it fills: "user.em", "value"
	constant string
	columns  []int // none for a constant
	names    []string
	join     string
	steps    []transform
	// personal values are shown masked.
	personal bool
	// idLike values are checked for the damage that spreadsheets do to ids.
	idLike bool
}

// bare says what a plain text stands for where an expression is expected.
type bare uint8

const (
	bareColumn bare = iota
	bareConstant
	bareURL // a constant if it is a URL, else a column
)

// label names the columns of e for messages.
func (e *expression) label() string { return strings.Join(e.names, "+") }

// isConstant reports whether e does not depend on the row.
func (e *expression) isConstant() bool { return len(e.columns) == 0 }

// raw is the value before the transforms: trimmed columns, joined where there are
// several. Columns that are empty take their separator with them.
func (e *expression) raw(row []string) string {
	switch len(e.columns) {
	case 0:
		return e.constant
	case 1:
		return trimSpace(row[e.columns[0]])
	}
	parts := make([]string, 0, len(e.columns))
	for _, c := range e.columns {
		if v := trimSpace(row[c]); v != "" {
			parts = append(parts, v)
		}
	}
	return strings.Join(parts, e.join)
}

// same reports whether two rows agree in all columns of e.
func (e *expression) same(a, b []string) bool {
	for _, c := range e.columns {
		if a[c] != b[c] {
			return false
		}
	}
	return true
}

// has reports whether a transform is among the steps.
func (e *expression) has(name string) bool {
	return slices.ContainsFunc(e.steps, func(t transform) bool { return t.name == name })
}

var expressionKeys = []string{"column", "columns", "join", "const", "transforms", "lookup", "default"}

// expression decodes one. extra are further keys that the place allows; they are
// returned for the caller to read.
func (d *decoder) expression(c cursor, target string, b bare, extra ...string) (*expression, map[string]cursor) {
	e := &expression{target: target}
	if c.kind == scalarNode {
		s, ok := d.text(c, target)
		if !ok {
			return nil, nil
		}
		isURL := strings.HasPrefix(s, "https://") || strings.HasPrefix(s, "http://")
		if b == bareConstant || b == bareURL && isURL {
			e.constant = s
		} else {
			d.addColumn(e, s)
		}
		return e, nil
	}
	if c.kind != objectNode {
		d.fault(c, "name a column, or write `{column: …}` or `{const: …}`", "%s: expected a column, found %s", target, c.said())
		return nil, nil
	}
	keys := d.object(c, append(slices.Clone(expressionKeys), extra...)...)
	if !d.origin(c, e, keys) {
		return nil, keys
	}
	if t, ok := keys["transforms"]; ok {
		e.steps = d.transforms(t)
	}
	// The short forms come after the list: what is looked up is the cleaned value.
	if l, ok := keys["lookup"]; ok {
		if s, ok := d.text(l, "lookup"); ok {
			e.steps = append(e.steps, d.lookup(l, s))
		}
	}
	if v, ok := keys["default"]; ok {
		if s, ok := d.text(v, "default"); ok {
			e.steps = append(e.steps, defaultTo(s))
		}
	}
	return e, keys
}

// origin reads where the value of e comes from.
func (d *decoder) origin(c cursor, e *expression, keys map[string]cursor) bool {
	n := 0
	for _, k := range []string{"column", "columns", "const"} {
		if keys[k].present() {
			n++
		}
	}
	if n != 1 {
		d.fault(c, "give exactly one of `column`, `columns` and `const`", "%s: where the value comes from is not clear", e.target)
		return false
	}
	if j, ok := keys["join"]; ok {
		if !keys["columns"].present() {
			d.fault(j, "use it together with `columns`", "`join` has nothing to join")
		}
		if j.kind == scalarNode {
			e.join = j.text
		} else {
			d.fault(j, "", "`join` must be a text")
		}
	}
	switch {
	case keys["const"].present():
		s, ok := d.text(keys["const"], "const")
		e.constant = s
		return ok
	case keys["column"].present():
		s, ok := d.text(keys["column"], "column")
		if ok {
			d.addColumn(e, s)
		}
		return ok
	}
	for _, s := range d.texts(keys["columns"], "columns") {
		d.addColumn(e, s)
	}
	return len(e.columns) > 0
}

func (d *decoder) addColumn(e *expression, name string) {
	name = strings.TrimSpace(name)
	e.columns = append(e.columns, d.column(name))
	e.names = append(e.names, name)
}

// expressions decodes one or a list of them.
func (d *decoder) expressions(c cursor, target string, b bare, extra ...string) []*expression {
	if c.kind != listNode {
		if e, _ := d.expression(c, target, b, extra...); e != nil {
			return []*expression{e}
		}
		return nil
	}
	var out []*expression
	for i := range c.items {
		if e, _ := d.expression(c.item(i), target, b, extra...); e != nil {
			out = append(out, e)
		}
	}
	if len(c.items) == 0 {
		d.fault(c, "name at least one column", "%s is an empty list", target)
	}
	return out
}
