package world

import (
	"net/url"
	"strings"
)

// Selection is one entry of a fields parameter: a name, what is asked of the object
// behind it, and its modifiers: comments.limit(5).order(chronological){id,message}.
type Selection struct {
	Name   string
	Sub    []Selection
	Params url.Values // modifiers, as the parameters of the edge
	As     string     // another name in the answer: .as(first)
}

// maxNesting bounds how deep a selection goes.
const maxNesting = 16

// ParseSelection reads a fields parameter. Unbalanced brackets and empty names are
// a mistake.
func ParseSelection(text string) ([]Selection, *Error) {
	if text == "" {
		return nil, nil
	}
	p := selectionParser{rest: text}
	out, ok := p.list(0)
	if !ok || p.rest != "" {
		return nil, Bad("Syntax error in the fields parameter")
	}
	return out, nil
}

type selectionParser struct{ rest string }

func (p *selectionParser) list(depth int) ([]Selection, bool) {
	if depth > maxNesting {
		return nil, false
	}
	var out []Selection
	for {
		sel, ok := p.one(depth)
		if !ok {
			return nil, false
		}
		out = append(out, sel)
		p.rest = strings.TrimLeft(p.rest, " \n\t")
		if !strings.HasPrefix(p.rest, ",") {
			return out, true
		}
		p.rest = p.rest[1:]
	}
}

func (p *selectionParser) one(depth int) (Selection, bool) {
	p.rest = strings.TrimLeft(p.rest, " \n\t")
	end := strings.IndexAny(p.rest, ",{}.() ")
	if end < 0 {
		end = len(p.rest)
	}
	sel := Selection{Name: p.rest[:end]}
	if sel.Name == "" {
		return sel, false
	}
	p.rest = p.rest[end:]
	for strings.HasPrefix(p.rest, ".") {
		name, value, ok := p.modifier()
		if !ok {
			return sel, false
		}
		if name == "as" {
			sel.As = value
			continue
		}
		if sel.Params == nil {
			sel.Params = url.Values{}
		}
		sel.Params.Set(name, value)
	}
	if strings.HasPrefix(p.rest, "{") {
		p.rest = p.rest[1:]
		var ok bool
		if sel.Sub, ok = p.list(depth + 1); !ok || !strings.HasPrefix(p.rest, "}") {
			return sel, false
		}
		p.rest = p.rest[1:]
	}
	return sel, true
}

// modifier reads .name(value); value may hold brackets of its own.
func (p *selectionParser) modifier() (name, value string, ok bool) {
	name, after, found := strings.Cut(p.rest[1:], "(")
	if !found || name == "" || strings.ContainsAny(name, ",{}. ") {
		return "", "", false
	}
	depth := 1
	for i := range len(after) {
		switch after[i] {
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				p.rest = after[i+1:]
				return name, after[:i], true
			}
		}
	}
	return "", "", false
}
