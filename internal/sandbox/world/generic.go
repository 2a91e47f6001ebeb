package world

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"sluice/internal/graphspec"
)

// Generic does what the record of an operation says, without a behaviour: read, list,
// create on an edge, update, delete. A behaviour may call it after checks of its own.
func (c *Call) Generic() (any, *Error) {
	switch {
	case c.On == nil && c.Verb == "GET":
		return c.Rows(c.Op.Returns, nil)
	case c.On == nil:
		return c.answer(nil), nil
	case c.Verb == "GET" && c.Edge == "":
		return c.Show(c.On)
	case c.Verb == "GET":
		return c.linked()
	case c.Verb == "POST" && c.Edge == "":
		return c.Update()
	case c.Verb == "POST" && c.Op.Returns != "":
		_, answer, err := c.Create()
		return answer, err
	case c.Verb == "DELETE" && c.Edge == "":
		c.World.Delete(c.On)
		return OK(), nil
	case c.Verb == "DELETE":
		return c.unlink()
	}
	return c.answer(nil), nil
}

// assigned are the node types that people are given access to one by one.
var assigned = []string{"Page", "AdAccount", "Business", "ProductCatalog", "IGUser"}

// linked answers a GET of an edge.
func (c *Call) linked() (any, *Error) {
	list, err := c.filtered(c.World.Linked(c.On, c.Edge))
	if err != nil {
		return nil, err
	}
	if c.Token != nil && c.Token.Sees != nil {
		list = slices.DeleteFunc(list, func(o *Object) bool { return slices.Contains(assigned, o.Kind) && !c.Token.Sees(o.ID) })
	}
	if !c.Op.One {
		return c.List(list)
	}
	if len(list) == 0 {
		return map[string]any{}, nil
	}
	return c.Show(list[0])
}

// filtered keeps the objects whose field has the value, or one of the values, of the
// parameter of the same name: effective_status=["ACTIVE"].
func (c *Call) filtered(list []*Object) ([]*Object, *Error) {
	node := graphspec.Lookup(c.Op.Returns)
	if node == nil {
		return list, nil
	}
	for _, p := range graphspec.ParseFields(c.Op.Params) {
		if _, isField := node.Field(p.Name); !isField || !c.Has(p.Name) || p.Name == "fields" {
			continue
		}
		wanted := c.Strings(p.Name)
		list = slices.DeleteFunc(slices.Clone(list), func(o *Object) bool {
			return !slices.Contains(wanted, text(c.Value(o, p.Name)))
		})
	}
	return list, nil
}

// text is a value as a parameter has it.
func text(v any) string {
	switch x := v.(type) {
	case string:
		return x
	case Ref:
		return string(x)
	case bool:
		return strconv.FormatBool(x)
	case nil:
		return ""
	}
	b, err := json.Marshal(v)
	if err != nil {
		return ""
	}
	return string(b)
}

// ValidateOnly reports whether the call wants its parameters checked and nothing done.
func (c *Call) ValidateOnly() bool {
	return c.Has("execution_options") && slices.Contains(c.Strings("execution_options"), "validate_only")
}

// Create makes an object of the operation's type from the parameters that are fields
// of it, links it on the edge, and gives the answer of the create. With validate_only
// nothing is made and the object is nil.
func (c *Call) Create() (*Object, map[string]any, *Error) {
	if c.ValidateOnly() {
		return nil, c.validated(), nil
	}
	node := graphspec.Lookup(c.Op.Returns)
	if node == nil {
		panic("world: " + c.Name() + " creates " + c.Op.Returns + ", which graphspec lacks")
	}
	attrs, err := c.Given(node.Name)
	if err != nil {
		return nil, nil, err
	}
	id := c.World.NextID()
	if node.ID == graphspec.Composite && c.On.Kind == "Page" {
		id = c.On.ID + "_" + id
	}
	o := c.World.AddAs(id, node.Name, c.On, attrs)
	c.World.Link(c.On, c.Edge, o)
	return o, c.answer(o), nil
}

func (c *Call) validated() map[string]any {
	out := OK()
	if slices.Contains(c.Strings("execution_options"), "include_recommendations") {
		out["recommendations"] = []any{}
	}
	return out
}

// Update sets the fields that the call gives.
func (c *Call) Update() (any, *Error) {
	attrs, err := c.Given(c.On.Kind)
	if err != nil {
		return nil, err
	}
	if c.ValidateOnly() {
		return c.validated(), nil
	}
	for name, v := range attrs {
		c.On.Attrs[name] = v
	}
	if node := graphspec.Lookup(c.On.Kind); node != nil {
		if _, ok := node.Field("updated_time"); ok {
			c.On.Attrs["updated_time"] = c.Now
		}
	}
	return c.answer(c.On), nil
}

// answer is what a write answers: the id of what it made, success, or both.
func (c *Call) answer(made *Object) map[string]any {
	out := map[string]any{}
	for _, f := range graphspec.ParseFields(c.Op.Answer) {
		switch {
		case f.Name == "success":
			out["success"] = true
		case f.Name == "id" && made != nil:
			out["id"] = made.ID
		case made != nil:
			if v, ok := made.Attrs[f.Name]; ok {
				out[f.Name] = v
			}
		}
	}
	if c.Op.Returns != "" && c.Edge != "" && made != nil {
		out["id"] = made.ID
	}
	if len(out) == 0 {
		out["success"] = true
	}
	return out
}

// Given are the parameters of the call as fields of a node type: what has a field of
// the same name, in that field's type. Others that the operation knows are kept as they
// are, where no field shows them.
func (c *Call) Given(kind string) (Attrs, *Error) {
	node := graphspec.Lookup(kind)
	attrs := Attrs{}
	for _, p := range graphspec.ParseFields(c.Op.Params) {
		if !c.Has(p.Name) || p.Name == "execution_options" || p.Name == "id" {
			continue
		}
		f, ok := node.Field(p.Name)
		if !ok {
			f = p
		}
		attrs[p.Name] = typed(f, c.Param(p.Name))
	}
	return attrs, nil
}

// typed reads a parameter into the form of a field's type.
func typed(f graphspec.Field, value string) any {
	elem, list := f.Elem()
	if list {
		return typedList(elem, value)
	}
	switch elem {
	case "int", "unix", "float":
		return json.Number(value)
	case "bool":
		return strings.EqualFold(value, "true") || value == "1"
	case "time":
		if t, ok := readTime(value); ok {
			return t
		}
	case "json", "map":
		if v, ok := decoded(value); ok {
			return v
		}
	default:
		if graphspec.Lookup(elem) != nil {
			if v, ok := decoded(value); ok {
				if m, isMap := v.(map[string]any); isMap {
					return m
				}
			}
			return Ref(value)
		}
	}
	return value
}

func typedList(elem, value string) any {
	v, ok := decoded(value)
	list, isList := v.([]any)
	if !ok || !isList {
		list = nil
		for _, part := range strings.Split(value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				list = append(list, part)
			}
		}
	}
	if graphspec.Lookup(elem) != nil {
		for i, item := range list {
			if id, isText := item.(string); isText {
				list[i] = Ref(id)
			}
		}
	}
	return list
}

func decoded(text string) (any, bool) {
	d := json.NewDecoder(strings.NewReader(text))
	d.UseNumber()
	var v any
	if d.Decode(&v) != nil {
		return nil, false
	}
	return v, true
}

// unlink answers a DELETE of an edge: the objects that a parameter names are taken off.
func (c *Call) unlink() (any, *Error) {
	for _, p := range graphspec.ParseFields(c.Op.Params) {
		for _, id := range c.Strings(p.Name) {
			if o := c.World.Get(id); o != nil {
				c.World.Unlink(c.On, c.Edge, o)
			}
		}
	}
	return c.answer(nil), nil
}
