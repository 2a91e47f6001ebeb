package sandbox

import "strings"

// selection is one entry of a fields parameter: a name and what is asked of the
// object behind it, as in owner_business{id,name}.
type selection struct {
	name string
	sub  []selection
}

// parseFields reads a fields parameter. Modifiers such as .limit(5) are read and
// ignored; unbalanced braces and empty names are an error.
func parseFields(text string) ([]selection, *apiError) {
	p := fieldParser{rest: text}
	out, ok := p.list(0)
	if !ok || p.rest != "" {
		return nil, errParam.with("what", "Syntax error in the fields parameter")
	}
	return out, nil
}

type fieldParser struct{ rest string }

func (p *fieldParser) list(depth int) ([]selection, bool) {
	var out []selection
	if depth > maxDepth {
		return nil, false
	}
	for {
		p.rest = strings.TrimLeft(p.rest, " ")
		end := strings.IndexAny(p.rest, ",{}. ")
		if end < 0 {
			end = len(p.rest)
		}
		sel := selection{name: p.rest[:end]}
		if sel.name == "" {
			return nil, false
		}
		p.rest = p.rest[end:]
		for strings.HasPrefix(p.rest, ".") {
			_, after, closed := strings.Cut(p.rest, ")")
			if !closed {
				return nil, false
			}
			p.rest = after
		}
		if strings.HasPrefix(p.rest, "{") {
			p.rest = p.rest[1:]
			var ok bool
			if sel.sub, ok = p.list(depth + 1); !ok || !strings.HasPrefix(p.rest, "}") {
				return nil, false
			}
			p.rest = p.rest[1:]
		}
		out = append(out, sel)
		p.rest = strings.TrimLeft(p.rest, " ")
		if !strings.HasPrefix(p.rest, ",") {
			return out, true
		}
		p.rest = p.rest[1:]
	}
}

// choose picks the selected members out of a tree of maps and lists; a member
// that does not exist is refused under the name of its node type.
func choose(tree any, wanted []selection, typeName string) (any, *apiError) {
	if len(wanted) == 0 {
		return tree, nil
	}
	switch t := tree.(type) {
	case []map[string]any:
		out := make([]any, 0, len(t))
		for _, item := range t {
			v, err := choose(item, wanted, typeName)
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	case map[string]any:
		out := map[string]any{}
		for _, w := range wanted {
			v, exists := t[w.name]
			if !exists {
				return nil, errNoField.with("field", w.name, "type", typeName)
			}
			chosen, err := choose(v, w.sub, typeName)
			if err != nil {
				return nil, err
			}
			out[w.name] = chosen
		}
		return out, nil
	}
	return tree, nil
}
