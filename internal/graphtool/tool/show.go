package tool

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"sluice/internal/graphspec"
)

// show renders an answer: structured in every case, and as the text that was asked for.
func (t *Tool) show(a *Answer, args Args) (*Result, error) {
	fields := t.outFields()
	data := t.fitted(a.Data, fields)
	envelope := map[string]any{"data": data}
	if t.list() {
		envelope["has_more"] = a.HasMore
		if a.Next != "" {
			envelope["next_cursor"] = a.Next
		}
	}
	if len(a.Notices) > 0 {
		envelope["notices"] = a.Notices
	}
	untrusted := t.untrusted(data, fields)
	if len(untrusted) > 0 {
		envelope["untrusted_fields"] = untrusted
	}
	structured, err := encode(envelope)
	if err != nil {
		return nil, err
	}
	r := &Result{Structured: structured, Images: a.Images}
	switch {
	case args.Str("response_format") == "json":
		r.Text = string(structured)
	case a.Text != "":
		r.Text = a.Text
	default:
		r.Text = t.markdown(a, data, args, untrusted)
	}
	return r, nil
}

func (t *Tool) fitted(data any, fields []outField) any {
	if len(fields) == 0 {
		fields = nil
	}
	switch d := data.(type) {
	case map[string]any:
		return t.without(fitObject(d, fields))
	case []any:
		out := make([]any, 0, len(d))
		for _, item := range d {
			if m, ok := item.(map[string]any); ok {
				item = t.without(fitObject(m, fields))
			}
			out = append(out, item)
		}
		return out
	case nil:
		return map[string]any{}
	case bool: // as old operations answer
		return map[string]any{"success": d}
	}
	return data
}

func (t *Tool) without(m map[string]any) map[string]any {
	delete(m, "access_token")
	for _, name := range t.Out.Drop {
		delete(m, name)
	}
	return m
}

// untrusted are the paths of members that hold words of people outside and are there.
func (t *Tool) untrusted(data any, fields []outField) []string {
	found := map[string]bool{}
	for _, name := range t.outsiders(fields) {
		if has(data, strings.Split(name, ".")) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// outsiders are the paths at which words of people outside may stand: members of type
// text, however deep in what is asked for, and those that the record names.
func (t *Tool) outsiders(fields []outField) []string {
	list := slices.Clone(t.Out.Untrusted)
	var walk func(fields []outField, at string)
	walk = func(fields []outField, at string) {
		for _, f := range fields {
			elem, _ := graphspec.Field{Type: f.typ}.Elem()
			if elem == "text" {
				list = append(list, at+f.name)
			}
			if len(f.sub) > 0 {
				walk(f.sub, at+f.name+".")
			} else if graphspec.Lookup(elem) != nil {
				list = append(list, texts(elem, "", at+f.name+".", 0)...)
			}
		}
	}
	walk(fields, "")
	s := t.last()
	if s == nil || s.Fields == "" {
		return list
	}
	of := t.Out.Of
	if op := s.op(0); of == "" && op != nil {
		if of = op.Returns; of == "" && s.Edge == "" {
			of = s.nodes()[0]
		}
	}
	return append(list, texts(of, s.Fields, "", 0)...)
}

// deepest is how far into an answer texts are looked for.
const deepest = 4

// texts are the paths of members of type text in a selection of a node. Without a
// selection they are those of the fields that come without being asked for.
func texts(node, selection, at string, depth int) []string {
	n := graphspec.Lookup(node)
	if n == nil || depth > deepest {
		return nil
	}
	var list []string
	inside := func(name, typ, sub string) {
		elem, _ := graphspec.Field{Type: typ}.Elem()
		if elem == "text" {
			list = append(list, at+name)
		}
		list = append(list, texts(elem, sub, at+name+".", depth+1)...)
	}
	if selection == "" {
		for _, f := range n.AllFields() {
			if f.Default {
				inside(f.Name, f.Type, "")
			}
		}
		return list
	}
	for _, sel := range parseSelection(selection) {
		if f, ok := n.Field(sel.name); ok {
			inside(sel.name, f.Type, sel.sub)
		} else if e := n.Edge(sel.name); e != nil && e.Get != nil {
			inside(sel.name, e.Get.Returns, sel.sub)         // a page that was taken apart
			inside(sel.name+".data", e.Get.Returns, sel.sub) // one with a summary
		}
	}
	return list
}

func has(v any, path []string) bool {
	if len(path) == 0 {
		return true
	}
	switch d := v.(type) {
	case []any:
		return slices.ContainsFunc(d, func(item any) bool { return has(item, path) })
	case map[string]any:
		inner, ok := d[path[0]]
		return ok && has(inner, path[1:])
	}
	return false
}

// text is a scalar as people read it; ok is false for lists and objects.
func text(v any) (string, bool) {
	switch s := v.(type) {
	case string:
		return s, true
	case json.Number:
		return s.String(), true
	case bool:
		if s {
			return "yes", true
		}
		return "no", true
	case int:
		return whole(int64(s)), true
	case int64:
		return whole(s), true
	case float64:
		return trim(s), true
	}
	return "", false
}
