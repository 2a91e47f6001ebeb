package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"

	"sluice/internal/fault"
	"sluice/internal/suggest"
)

// elsewhere are keys of other programs' configurations, and what is meant here.
var elsewhere = map[string]string{
	"mcpservers": "MCP servers stand under `mcp.servers`",
	"args":       "`command` is one list: the program and its arguments",
	"transport":  "a server with `command` speaks stdio, one with `url` HTTP",
}

// explain turns what the YAML library says about a file into a fault that names the
// key that was meant. It repeats no value: one may be a token that does not belong there.
func explain(path string, text []byte, err error) *fault.Error {
	if key, ok := firstUnknown(text); ok {
		f := fault.New(fault.Usage, "%s:%d: there is no key %s %s", path, key.line, key.shown(), key.where())
		return f.WithFix("%s", key.fix())
	}
	var kind *yaml.TypeError
	var node *yaml.UnexpectedNodeTypeError
	switch {
	case errors.As(err, &kind) && kind.Token != nil && kind.DstType != nil:
		return wrongForm(path, kind.Token, form(kind.DstType))
	case errors.As(err, &node) && node.Token != nil:
		return wrongForm(path, node.Token, expected(node.Expected))
	}
	// Without the source excerpt.
	return fault.New(fault.Usage, "%s: %s", path, yaml.FormatError(err, false, false)).WithFix("mend the YAML at that place: [line:column]")
}

func wrongForm(path string, at *token.Token, wanted string) *fault.Error {
	return fault.New(fault.Usage, "%s:%d: the value at column %d has the wrong form", path, at.Position.Line, at.Position.Column).
		WithFix("%s belongs there; see docs/gateway.md", wanted)
}

// form says what a value of a type looks like in the file.
func form(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list such as [one, two]"
	case reflect.Map, reflect.Struct, reflect.Pointer:
		return "`key: value` lines, or {key: value},"
	case reflect.Bool:
		return "true or false"
	case reflect.String:
		return "text"
	default:
		return "a whole number"
	}
}

func expected(n ast.NodeType) string {
	switch n {
	case ast.SequenceType:
		return form(reflect.TypeFor[[]string]())
	case ast.MappingType, ast.MappingValueType:
		return form(reflect.TypeFor[MCP]())
	default:
		return "text"
	}
}

// unknown is a key that its level does not have.
type unknown struct {
	key   string
	level string // dotted path; empty: the top
	line  int
	keys  []string // that the level has
}

func (u unknown) shown() string {
	if suggest.LooksLikeData(u.key) {
		return "of that name"
	}
	return fmt.Sprintf("%q", u.key)
}

func (u unknown) where() string {
	if u.level == "" {
		return "at the top"
	}
	return "under " + u.level
}

func (u unknown) fix() string {
	list := "the keys " + u.where() + " are " + strings.Join(u.keys, ", ")
	if meant := elsewhere[strings.ToLower(u.key)]; meant != "" {
		return meant + "; " + list
	}
	if near := suggest.Closest(u.key, u.keys); near != "" {
		return "did you mean " + near + "? " + list
	}
	for _, other := range []struct {
		prefix string
		of     reflect.Type
	}{{"", reflect.TypeFor[Config]()}, {"mcp.", reflect.TypeFor[MCP]()}, {"mcp.servers.NAME.", reflect.TypeFor[MCPServer]()}, {"mcp.servers.NAME.oauth.", reflect.TypeFor[MCPOAuth]()}} {
		if keys, _ := keysOf(other.of); slices.Contains(keys, u.key) {
			return "it belongs to " + other.prefix + u.key + "; " + list
		}
	}
	return list
}

// firstUnknown finds the first key of a file that the configuration does not have.
func firstUnknown(text []byte) (unknown, bool) {
	file, err := parser.ParseBytes(text, 0)
	if err != nil {
		return unknown{}, false
	}
	for _, doc := range file.Docs {
		if u, ok := unknownIn(doc.Body, reflect.TypeFor[Config](), ""); ok {
			return u, true
		}
	}
	return unknown{}, false
}

func unknownIn(n ast.Node, t reflect.Type, level string) (unknown, bool) {
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	switch n := n.(type) {
	case *ast.AnchorNode:
		return unknownIn(n.Value, t, level)
	case *ast.TagNode:
		return unknownIn(n.Value, t, level)
	case *ast.MappingValueNode:
		return unknownAt(n, t, level)
	case *ast.MappingNode:
		for _, v := range n.Values {
			if u, ok := unknownAt(v, t, level); ok {
				return u, true
			}
		}
	case *ast.SequenceNode:
		for _, v := range n.Values {
			if t.Kind() != reflect.Slice {
				break
			}
			if u, ok := unknownIn(v, t.Elem(), level); ok {
				return u, true
			}
		}
	}
	return unknown{}, false
}

func unknownAt(v *ast.MappingValueNode, t reflect.Type, level string) (unknown, bool) {
	at := v.Key.GetToken()
	if v.Key.IsMergeKey() || at == nil {
		return unknown{}, false
	}
	below := strings.TrimPrefix(level+"."+at.Value, ".")
	switch t.Kind() {
	case reflect.Map:
		return unknownIn(v.Value, t.Elem(), below)
	case reflect.Struct:
		keys, types := keysOf(t)
		inner, ok := types[at.Value]
		if !ok {
			return unknown{key: at.Value, level: level, line: at.Position.Line, keys: keys}, true
		}
		return unknownIn(v.Value, inner, below)
	default:
		return unknown{}, false
	}
}

// keysOf lists the keys of a level in the order they are declared.
func keysOf(t reflect.Type) (keys []string, types map[string]reflect.Type) {
	types = map[string]reflect.Type{}
	for i := range t.NumField() {
		f := t.Field(i)
		if key := f.Tag.Get("yaml"); key != "" && f.IsExported() {
			keys = append(keys, key)
			types[key] = f.Type
		}
	}
	return keys, types
}
