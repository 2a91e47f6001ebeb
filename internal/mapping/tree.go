package mapping

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxDocument bounds a document. The YAML parser's time grows with the square
	// of some inputs; within these bounds the worst of them stays under a second.
	maxDocument = 64 << 10
	maxDepth    = 32
)

type nodeKind uint8

const (
	nullNode nodeKind = iota
	scalarNode
	listNode
	objectNode
)

// node is a YAML value without its notation: what a document says, and where.
type node struct {
	kind      nodeKind
	text      string // of a scalar or a null, as written
	line, col int
	items     []*node
	members   []member
}

type member struct {
	key       string
	line, col int
	value     *node
}

// parseTree reads one YAML document. Anchors, aliases, tags and merge keys are
// refused: a mapping is to be read from top to bottom, and aliases can be made to
// unfold without end.
func parseTree(src []byte) (*node, []Fault) {
	top := func(message, fix string) []Fault {
		return []Fault{{Pointer: "", Line: 1, Column: 1, Message: message, Fix: fix}}
	}
	if len(src) > maxDocument {
		return nil, top(fmt.Sprintf("the document is larger than %d KiB", maxDocument>>10), "move lookup tables to files: `{file: table.csv}`")
	}
	if !utf8.Valid(src) {
		return nil, top("the document is not UTF-8", "save it as UTF-8")
	}
	if line := tooDeep(src); line > 0 {
		return nil, []Fault{{Line: line, Column: 1, Message: fmt.Sprintf("values are nested more than %d deep", maxDepth), Fix: "a mapping needs a handful of levels"}}
	}
	file, err := safeParse(src)
	if err != nil {
		return nil, []Fault{syntaxFault(err)}
	}
	var bodies []ast.Node
	for _, d := range file.Docs {
		if d.Body != nil {
			bodies = append(bodies, d.Body)
		}
	}
	switch {
	case len(bodies) == 0:
		return nil, top("the document is empty", "start with `version: 1`; `sluice mapping init` writes one for you")
	case len(bodies) > 1:
		return nil, top("the file holds more than one document", "remove the `---` line and what follows it")
	}
	b := &treeBuilder{}
	return b.node(bodies[0], "", 0), b.faults
}

// safeParse turns a panic of the parser into an error: what it is given may come
// from anybody.
func safeParse(src []byte) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the YAML can't be parsed")
		}
	}()
	return parser.ParseBytes(src, 0, parser.AllowDuplicateMapKey())
}

// tooDeep returns the line at which a document opens more flow collections or
// block sequences than any mapping needs, 0 when it does not. It counts without
// knowing about strings, which is good enough for a bound.
func tooDeep(src []byte) int {
	open, n := 0, 0
	for line := range bytes.Lines(src) {
		n++
		lead := 0
		for rest := bytes.TrimLeft(line, " "); len(rest) > 1 && (rest[0] == '-' || rest[0] == '?') && rest[1] == ' '; rest = bytes.TrimLeft(rest[1:], " ") {
			lead++
		}
		open += bytes.Count(line, []byte("{")) + bytes.Count(line, []byte("["))
		if lead > maxDepth || open > maxDepth {
			return n
		}
		open -= bytes.Count(line, []byte("}")) + bytes.Count(line, []byte("]"))
		open = max(open, 0)
	}
	return 0
}

func syntaxFault(err error) Fault {
	f := Fault{Line: 1, Column: 1, Message: err.Error(), Fix: "correct the YAML; quote values that contain `: `, `#`, `[` or `{`"}
	var y interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &y) {
		f.Message = "not valid YAML: " + y.GetMessage()
		if t := y.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	f.Message, _, _ = strings.Cut(f.Message, "\n")
	return f
}

type treeBuilder struct{ faults []Fault }

func (b *treeBuilder) fault(n ast.Node, pointer, message, fix string) {
	line, col := place(n)
	b.faults = append(b.faults, Fault{Pointer: pointer, Line: line, Column: col, Message: message, Fix: fix})
}

// place is where a node starts. The token of a block mapping is the colon after
// its first key, so its place is that key's.
func place(n ast.Node) (line, col int) {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return place(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return place(m.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1, 1
	}
	p := n.GetToken().Position
	return p.Line, p.Column
}

func (b *treeBuilder) node(n ast.Node, pointer string, depth int) *node {
	out := &node{}
	out.line, out.col = place(n)
	if depth > maxDepth {
		b.fault(n, pointer, fmt.Sprintf("values are nested more than %d deep", maxDepth), "a mapping needs a handful of levels")
		return out
	}
	switch n := n.(type) {
	case nil:
	case *ast.NullNode:
		out.text = n.GetToken().Value
	case *ast.LiteralNode:
		out.kind, out.text = scalarNode, n.Value.Value
	case *ast.StringNode:
		out.kind, out.text = scalarNode, n.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		// The text as written: "007" and "1.50" keep what YAML's numbers would lose.
		out.kind, out.text = scalarNode, n.GetToken().Value
	case *ast.SequenceNode:
		out.kind = listNode
		for i, v := range n.Values {
			out.items = append(out.items, b.node(v, fmt.Sprintf("%s/%d", pointer, i), depth+1))
		}
	case *ast.MappingNode:
		out.kind = objectNode
		b.members(out, n.Values, pointer, depth)
	case *ast.MappingValueNode:
		out.kind = objectNode
		b.members(out, []*ast.MappingValueNode{n}, pointer, depth)
	default:
		b.fault(n, pointer, "anchors, aliases, tags and merge keys are not read", "write the value out")
	}
	return out
}

func (b *treeBuilder) members(out *node, values []*ast.MappingValueNode, pointer string, depth int) {
	first := map[string]int{}
	for _, v := range values {
		k := b.node(v.Key, pointer, depth+1)
		if k.kind != scalarNode {
			if len(b.faults) == 0 || v.Key.IsMergeKey() {
				b.fault(v.Key, pointer, "the key is not plain text", "write `key: value`")
			}
			continue
		}
		at := pointer + "/" + escapePointer(k.text)
		if line, twice := first[k.text]; twice {
			b.fault(v.Key, at, fmt.Sprintf("key %q was given on line %d already", k.text, line), "keep one of the two")
			continue
		}
		first[k.text] = k.line
		out.members = append(out.members, member{key: k.text, line: k.line, col: k.col, value: b.node(v.Value, at, depth+1)})
	}
}

var pointerEscapes = strings.NewReplacer("~", "~0", "/", "~1")

func escapePointer(key string) string { return pointerEscapes.Replace(key) }
