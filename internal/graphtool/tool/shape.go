package tool

import (
	"encoding/json"
	"strconv"
	"strings"

	"sluice/internal/graphspec"
)

// last is the step that gives the answer; nil for a tool without steps.
func (t *Tool) last() *Step {
	if len(t.Steps) == 0 {
		return nil
	}
	return &t.Steps[len(t.Steps)-1]
}

// op is the operation of the step for its i-th node type.
func (s *Step) op(i int) *graphspec.Op {
	n := graphspec.Lookup(s.nodes()[i])
	if n == nil {
		return nil
	}
	return n.Op(s.Verb, s.Edge)
}

func (s *Step) nodes() []string { return strings.Split(s.On, "|") }

func (s *Step) ids() []string { return strings.Split(s.ID, "|") }

// list reports whether the answer is a page of objects.
func (t *Tool) list() bool {
	if t.Out.List != nil {
		return *t.Out.List
	}
	s := t.last()
	if s == nil || s.Verb != "GET" || s.Edge == "" {
		return false
	}
	op := s.op(0)
	return op != nil && !op.One && (op.Returns != "" || op.Answer != "")
}

// outFields are the members of one object of the answer.
func (t *Tool) outFields() []outField {
	var list []outField
	of, selected := t.Out.Of, ""
	if s := t.last(); s != nil {
		op := s.op(0)
		selected = s.Fields
		if op != nil {
			switch {
			case of != "":
			case s.Verb == "GET" && s.Edge == "" && op.Returns == "":
				of = s.nodes()[0]
			case s.Verb == "GET":
				of = op.Returns
			case s.Verb == "POST" && op.Returns != "":
				list = append(list, outField{name: "id", typ: "id"})
			}
			for _, f := range graphspec.ParseFields(op.Answer) {
				list = append(list, outField{name: f.Name, typ: f.Type})
			}
		}
	}
	if of != "" {
		list = append(list, selectedFields(of, selected)...)
	}
	for _, f := range graphspec.ParseFields(t.Out.Members) {
		list = append(list, outField{name: f.Name, typ: f.Type})
	}
	drop := map[string]bool{"access_token": true}
	for _, name := range t.Out.Drop {
		drop[name] = true
	}
	kept := list[:0]
	for _, f := range list {
		if !drop[f.name] {
			kept = append(kept, f)
		}
	}
	return kept
}

// selectedFields are those of a selection in Graph's notation; without one, the fields
// that come without being asked for.
func selectedFields(node, selection string) []outField {
	n := graphspec.Lookup(node)
	if n == nil {
		return nil
	}
	var list []outField
	if selection == "" {
		for _, f := range n.AllFields() {
			if f.Default || f.Name == "id" {
				list = append(list, outField{name: f.Name, typ: f.Type})
			}
		}
		return list
	}
	if _, has := n.Field("id"); has {
		list = append(list, outField{name: "id", typ: "id"})
	}
	for _, sel := range parseSelection(selection) {
		f := outField{name: sel.name, typ: "json"}
		if known, ok := n.Field(sel.name); ok {
			f.typ = known.Type
		} else if e := n.Edge(sel.name); e != nil && e.Get != nil {
			f.typ = "json" // a page of objects: with a total it is an object, else a list
		}
		if elem, _ := (graphspec.Field{Type: f.typ}).Elem(); sel.sub != "" && graphspec.Lookup(elem) != nil {
			f.sub = selectedFields(elem, sel.sub)
		}
		if f.name != "id" {
			list = append(list, f)
		}
	}
	return list
}

type selection struct{ name, sub string }

// parseSelection reads Graph's notation one level deep.
func parseSelection(text string) []selection {
	var list []selection
	depth, start := 0, 0
	flush := func(end int) {
		part := strings.TrimSpace(text[start:end])
		if part == "" {
			return
		}
		var s selection
		if i := strings.IndexByte(part, '{'); i >= 0 {
			s.sub = strings.TrimSuffix(part[i+1:], "}")
			part = part[:i]
		}
		s.name, _, _ = strings.Cut(part, ".")
		list = append(list, s)
	}
	for i := range len(text) {
		switch text[i] {
		case '{', '(':
			depth++
		case '}', ')':
			depth--
		case ',':
			if depth == 0 {
				flush(i)
				start = i + 1
			}
		}
	}
	flush(len(text))
	return list
}

// fit brings a value into the JSON type that the schema promises: Meta writes numbers
// as text here and there. ok is false where that can't be done.
func (f outField) fit(v any) (any, bool) {
	elem, isList := graphspec.Field{Type: f.typ}.Elem()
	if v == nil {
		return nil, false
	}
	if isList {
		items, ok := unpaged(v).([]any)
		if !ok {
			return nil, false
		}
		one := outField{typ: elem, sub: f.sub}
		out := make([]any, 0, len(items))
		for _, item := range items {
			if w, ok := one.fit(item); ok {
				out = append(out, w)
			}
		}
		return out, true
	}
	if len(f.sub) > 0 {
		m, ok := v.(map[string]any)
		if !ok {
			return nil, false
		}
		return fitObject(m, f.sub), true
	}
	switch jsonType(elem) {
	case "integer":
		return asNumber(v, true)
	case "number":
		return asNumber(v, false)
	case "boolean":
		switch b := v.(type) {
		case bool:
			return b, true
		case string:
			p, err := strconv.ParseBool(b)
			return p, err == nil
		}
		return nil, false
	case "object":
		m, ok := v.(map[string]any)
		return m, ok
	case "string":
		switch s := v.(type) {
		case string:
			return s, true
		case json.Number:
			return s.String(), true
		case bool:
			return strconv.FormatBool(s), true
		}
		return nil, false
	}
	return unpaged(v), true
}

func asNumber(v any, whole bool) (any, bool) {
	text, ok := v.(string)
	if n, isNumber := v.(json.Number); isNumber {
		text, ok = n.String(), true
	}
	if !ok {
		return nil, false
	}
	if whole {
		_, err := strconv.ParseInt(text, 10, 64)
		return json.Number(text), err == nil
	}
	_, err := strconv.ParseFloat(text, 64)
	return json.Number(text), err == nil && json.Valid([]byte(text))
}

// unpaged takes the page off {"data":[…],"paging":…}; one with a summary stays an
// object, without the paging.
func unpaged(v any) any {
	m, ok := v.(map[string]any)
	if !ok {
		return v
	}
	data, ok := m["data"].([]any)
	if !ok {
		return v
	}
	for name := range m {
		if name != "data" && name != "paging" && name != "summary" {
			return v
		}
	}
	if summary, ok := m["summary"]; ok {
		if len(data) == 0 {
			return summary // only the total was asked for
		}
		return map[string]any{"data": data, "summary": summary}
	}
	return data
}

// fitObject brings the members that are known into their types; one that can't be is
// left out. Others stay as they are: a caller may have asked for more.
func fitObject(m map[string]any, fields []outField) map[string]any {
	out := make(map[string]any, len(m))
	for name, v := range m {
		if v != nil {
			out[name] = unpaged(v)
		}
	}
	for _, f := range fields {
		v, ok := m[f.name]
		if !ok {
			continue
		}
		if fitted, ok := f.fit(v); ok {
			out[f.name] = fitted
		} else {
			delete(out, f.name)
		}
	}
	return out
}
