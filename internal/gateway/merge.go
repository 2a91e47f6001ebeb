package gateway

import (
	"sluice/internal/mcpwire"
)

// field is a member of an object that is put together from several.
type field struct {
	name  string
	value []byte
}

// object collects members in the order they came in.
type object struct{ fields []field }

func (o *object) find(name string) *field {
	for i := range o.fields {
		if o.fields[i].name == name {
			return &o.fields[i]
		}
	}
	return nil
}

// set gives a member its value, in its old place where it has one.
func (o *object) set(name string, value []byte) {
	if f := o.find(name); f != nil {
		f.value = value
		return
	}
	o.fields = append(o.fields, field{name, value})
}

// merge takes over what the object at span has: objects become the union of both, of
// two booleans true wins, of everything else what was there first.
func (o *object) merge(raw []byte, span mcpwire.Span, skip func(name string) bool) {
	for key, value := range mcpwire.Members(raw, span) {
		name, ok := mcpwire.Unquote(raw[key.Start:key.End])
		if !ok || skip != nil && skip(name) {
			continue
		}
		now := raw[value.Start:value.End]
		switch f := o.find(name); {
		case f == nil:
			o.fields = append(o.fields, field{name, now})
		case isObject(f.value) && isObject(now):
			var union object
			union.merge(f.value, mcpwire.Span{End: len(f.value)}, nil)
			union.merge(now, mcpwire.Span{End: len(now)}, nil)
			f.value = union.bytes()
		case string(f.value) == "false" && string(now) == "true":
			f.value = now
		}
	}
}

func isObject(value []byte) bool { return len(value) > 0 && value[0] == '{' }

func (o *object) bytes() []byte {
	size := 2
	for _, f := range o.fields {
		size += len(f.name) + len(f.value) + 4
	}
	out := append(make([]byte, 0, size), '{')
	for i, f := range o.fields {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(mcpwire.AppendQuote(out, f.name), ':'), f.value...)
	}
	return append(out, '}')
}

// quoteAll is a JSON list of strings.
func quoteAll(list []string) []byte {
	out := []byte{'['}
	for i, s := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = mcpwire.AppendQuote(out, s)
	}
	return append(out, ']')
}
