package world

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// Fields is what the call asks for; nil without a fields parameter.
func (c *Call) Fields() ([]Selection, *Error) { return ParseSelection(c.Param("fields")) }

// Show renders an object with the fields that the call asks for.
func (c *Call) Show(o *Object) (any, *Error) {
	wanted, err := c.Fields()
	if err != nil {
		return nil, err
	}
	out, err := c.Render(o, wanted)
	if err == nil && c.Bool("metadata") {
		out["metadata"] = c.metadata(o)
	}
	return out, err
}

// metadata lists the fields and connections of an object.
func (c *Call) metadata(o *Object) map[string]any {
	node := graphspec.Lookup(o.Kind)
	fields := make([]any, 0, len(node.AllFields()))
	for _, f := range node.AllFields() {
		fields = append(fields, map[string]any{"name": f.Name, "type": f.Type})
	}
	connections := map[string]any{}
	for _, e := range node.Edges {
		if e.Get != nil {
			connections[e.Name] = c.Base + "/" + o.ID + "/" + e.Name
		}
	}
	return map[string]any{"type": strings.ToLower(o.Kind), "fields": fields, "connections": connections}
}

// Render writes an object with the wanted fields, or the ones that come without being
// asked for. A field without a value is left out, as Graph does.
func (c *Call) Render(o *Object, wanted []Selection) (map[string]any, *Error) {
	node := graphspec.Lookup(o.Kind)
	if node == nil {
		panic("world: object of unknown type " + o.Kind)
	}
	out := map[string]any{}
	if node.ID != graphspec.NoID {
		out["id"] = o.ID
	}
	if len(wanted) == 0 {
		for _, f := range node.AllFields() {
			if f.Default {
				wanted = append(wanted, Selection{Name: f.Name})
			}
		}
	}
	for _, sel := range wanted {
		v, err := c.selected(node, o, sel)
		if err != nil {
			return nil, err
		}
		if v == nil {
			continue
		}
		if sel.As != "" {
			out[sel.As] = v
			continue
		}
		out[sel.Name] = v
	}
	return out, nil
}

// selected is one wanted member of an object: a field, or an edge read as one.
func (c *Call) selected(node *graphspec.Compiled, o *Object, sel Selection) (any, *Error) {
	f, ok := node.Field(sel.Name)
	if ok {
		if v := c.Value(o, sel.Name); v != nil {
			return c.shown(f, v, sel)
		}
	}
	if node.Op("GET", sel.Name) != nil && c.depth < maxNesting {
		params := url.Values{}
		maps.Copy(params, sel.Params)
		if len(sel.Sub) > 0 {
			params.Set("fields", Text(sel.Sub))
		}
		v, err := c.Sub("GET", o, sel.Name, params)
		if page, isPage := v.(*Page); isPage && len(page.Data) == 0 && page.Summary == nil {
			return nil, err
		}
		return v, err
	}
	if !ok && sel.Name != "id" {
		return nil, noField(sel.Name, o.Kind)
	}
	return nil, nil
}

// Text writes a selection as a fields parameter.
func Text(wanted []Selection) string {
	var b strings.Builder
	for i, sel := range wanted {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(sel.Name)
		for _, name := range slices.Sorted(maps.Keys(sel.Params)) {
			fmt.Fprintf(&b, ".%s(%s)", name, sel.Params.Get(name))
		}
		if sel.As != "" {
			fmt.Fprintf(&b, ".as(%s)", sel.As)
		}
		if len(sel.Sub) > 0 {
			b.WriteString("{" + Text(sel.Sub) + "}")
		}
	}
	return b.String()
}

// Value is a field of an object before it is shown: worked out, or as it is kept.
// created_time and its sisters are the time the object was made, where nothing else is
// kept.
func (c *Call) Value(o *Object, name string) any {
	if name == "id" {
		return o.ID
	}
	if of := c.World.fields[o.Kind+"."+name]; of != nil {
		return of(c, o)
	}
	if v, ok := o.Attrs[name]; ok {
		return v
	}
	if c.World.Computed != nil {
		if v := c.World.Computed(o, name); v != nil {
			return v
		}
	}
	switch name {
	case "created_time", "creation_time", "timestamp", "updated_time", "time_created", "time_updated":
		return o.Made
	}
	return nil
}

// shown writes a value as the API writes its type.
func (c *Call) shown(f graphspec.Field, v any, sel Selection) (any, *Error) {
	elem, _ := f.Elem()
	switch x := v.(type) {
	case time.Time:
		switch elem {
		case "unix", "int":
			return x.Unix(), nil
		case "date":
			return x.Format(time.DateOnly), nil
		}
		if x.IsZero() {
			return nil, nil
		}
		return GraphTime(x), nil
	case Ref:
		return c.reference(elem, string(x), sel)
	case *Object:
		if x == nil {
			return nil, nil
		}
		return c.reference(elem, x.ID, sel)
	case string:
		if graphspec.Lookup(elem) != nil && c.World.Get(x) != nil {
			return c.reference(elem, x, sel)
		}
		return x, nil
	case []Ref:
		return showEach(x, func(r Ref) (any, *Error) { return c.reference(elem, string(r), sel) })
	case []*Object:
		return showEach(x, func(o *Object) (any, *Error) { return c.reference(elem, o.ID, sel) })
	case []any:
		return showEach(x, func(item any) (any, *Error) { return c.shown(graphspec.Field{Type: elem}, item, sel) })
	case []map[string]any:
		return showEach(x, func(item map[string]any) (any, *Error) { return c.chosen(elem, item, sel.Sub) })
	case map[string]any:
		return c.chosen(elem, x, sel.Sub)
	case int, int64, float64, json.Number:
		if elem == "minor" || elem == "decimal" || elem == "id" || elem == "string" {
			return fmt.Sprint(x), nil
		}
	}
	return v, nil
}

func showEach[T any](items []T, show func(T) (any, *Error)) (any, *Error) {
	out := make([]any, 0, len(items))
	for _, item := range items {
		v, err := show(item)
		if err != nil {
			return nil, err
		}
		if v != nil {
			out = append(out, v)
		}
	}
	return out, nil
}

// reference writes another object: its id where the field is a mere id, else what is
// asked of it, id and name by default.
func (c *Call) reference(kind, id string, sel Selection) (any, *Error) {
	if kind == "id" || kind == "string" {
		return id, nil
	}
	o := c.World.Get(id)
	if o == nil {
		return map[string]any{"id": id}, nil
	}
	wanted := sel.Sub
	if len(wanted) == 0 {
		if node := graphspec.Lookup(o.Kind); node != nil {
			if _, named := node.Field("name"); named {
				wanted = []Selection{{Name: "id"}, {Name: "name"}}
			}
		}
	}
	if c.depth > maxNesting {
		return map[string]any{"id": id}, nil
	}
	c.depth++
	defer func() { c.depth-- }()
	return c.Render(o, wanted)
}

// chosen picks the wanted members of a value that is no object of its own. Where its
// type has a record, a member that the record lacks is refused.
func (c *Call) chosen(kind string, m map[string]any, wanted []Selection) (any, *Error) {
	if len(wanted) == 0 {
		return m, nil
	}
	node := graphspec.Lookup(kind)
	out := map[string]any{}
	for _, sel := range wanted {
		f := graphspec.Field{Type: "json"}
		if node != nil {
			var ok bool
			if f, ok = node.Field(sel.Name); !ok {
				return nil, noField(sel.Name, kind)
			}
		}
		v, ok := m[sel.Name]
		if !ok || v == nil {
			continue
		}
		shown, err := c.shown(f, v, sel)
		if err != nil {
			return nil, err
		}
		out[sel.Name] = shown
	}
	return out, nil
}
