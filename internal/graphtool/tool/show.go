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
	var walk func(v any, fields []outField, at string)
	walk = func(v any, fields []outField, at string) {
		switch d := v.(type) {
		case []any:
			for _, item := range d {
				walk(item, fields, at)
			}
		case map[string]any:
			for _, f := range fields {
				inner, there := d[f.name]
				if !there {
					continue
				}
				elem, _ := graphspec.Field{Type: f.typ}.Elem()
				if elem == "text" {
					found[at+f.name] = true
				}
				walk(inner, f.sub, at+f.name+".")
			}
		}
	}
	walk(data, fields, "")
	for _, name := range t.Out.Untrusted {
		if has(data, strings.Split(name, ".")) {
			found[name] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
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
