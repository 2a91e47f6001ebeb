package tool

import "strconv"

// text is the JSON of a schema. There are thousands in a list of all tools, which is written
// while a client waits: that is why it does not go through reflection.
func (s *schema) text() ([]byte, error) {
	var w writer
	w.schema(s)
	return w.b, w.err
}

// writer appends JSON, up to the first mistake.
type writer struct {
	b   []byte
	err error
}

func (w *writer) schema(s *schema) {
	w.b = append(w.b, '{')
	switch t := s.Type.(type) {
	case string:
		w.name("type").string(t)
	case []string:
		w.name("type").strings(t)
	}
	for _, m := range []struct{ name, text string }{{"description", s.Description}, {"enum", ""}, {"pattern", s.Pattern}, {"format", s.Format}} {
		switch {
		case m.name == "enum" && len(s.Enum) > 0:
			w.name(m.name).strings(s.Enum)
		case m.text != "":
			w.name(m.name).string(m.text)
		}
	}
	for _, m := range []struct {
		name  string
		limit *float64
	}{
		{"minimum", s.Minimum}, {"maximum", s.Maximum}, {"minLength", s.MinLength}, {"maxLength", s.MaxLength},
		{"minItems", s.MinItems}, {"maxItems", s.MaxItems},
	} {
		if m.limit != nil {
			w.name(m.name).raw(strconv.AppendFloat(nil, *m.limit, 'f', -1, 64))
		}
	}
	if s.Default != nil {
		w.name("default").value(s.Default)
	}
	if s.Items != nil {
		w.name("items").schema(s.Items)
	}
	if s.Properties != nil {
		w.name("properties").properties(s.Properties)
	}
	if len(s.Required) > 0 {
		w.name("required").strings(s.Required)
	}
	if s.Closed {
		w.name("additionalProperties").raw([]byte("false"))
	}
	w.b = append(w.b, '}')
}

func (w *writer) properties(p *properties) {
	w.b = append(w.b, '{')
	for i, name := range p.names {
		w.name(name).schema(p.of[i])
	}
	w.b = append(w.b, '}')
}

// name begins a member.
func (w *writer) name(name string) *writer {
	if n := len(w.b); n > 0 && w.b[n-1] != '{' {
		w.b = append(w.b, ',')
	}
	w.string(name)
	w.b = append(w.b, ':')
	return w
}

func (w *writer) string(text string) {
	for i := range len(text) {
		if c := text[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			w.value(text)
			return
		}
	}
	w.b = append(append(append(w.b, '"'), text...), '"')
}

func (w *writer) strings(list []string) {
	w.b = append(w.b, '[')
	for i, text := range list {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.string(text)
	}
	w.b = append(w.b, ']')
}

func (w *writer) value(v any) {
	b, err := encode(v)
	if err != nil && w.err == nil {
		w.err = err
	}
	w.b = append(w.b, b...)
}

func (w *writer) raw(b []byte) { w.b = append(w.b, b...) }
