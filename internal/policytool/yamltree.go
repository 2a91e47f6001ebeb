package policytool

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

const (
	// maxYAML bounds a document: the parser's time grows with the square of some inputs.
	maxYAML      = 64 << 10
	maxYAMLDepth = 32
)

// Trouble is something in a file that keeps it from being imported.
type Trouble struct {
	Line    int    `json:"line"`
	Column  int    `json:"column"`
	Message string `json:"message"`
	Fix     string `json:"fix,omitempty"`
}

type nodeKind uint8

const (
	nullNode nodeKind = iota
	textNode
	numberNode
	boolNode
	listNode
	objectNode
)

var nodeNames = [...]string{"nothing", "text", "a number", "true or false", "a list", "an object"}

// node is a YAML value and where it stands.
type node struct {
	kind      nodeKind
	text      string // of a scalar, as written
	line, col int
	items     []*node
	members   []yamlMember
}

type yamlMember struct {
	key       string
	line, col int
	value     *node
}

// get is the value of a member; nil: there is none.
func (n *node) get(key string) *node {
	for i := range n.members {
		if n.members[i].key == key {
			return n.members[i].value
		}
	}
	return nil
}

// parseYAML reads one document. Anchors, aliases, tags and merge keys are refused: what
// is imported is to be read from top to bottom.
func parseYAML(text []byte) (*node, []Trouble) {
	top := func(message, fix string) []Trouble { return []Trouble{{1, 1, message, fix}} }
	if len(text) > maxYAML {
		return nil, top(fmt.Sprintf("the file is larger than %d KiB", maxYAML>>10), "split it")
	}
	if !utf8.Valid(text) {
		return nil, top("the file is not UTF-8", "save it as UTF-8")
	}
	if strings.Count(string(text), "[")+strings.Count(string(text), "{") > 4000 || nestedLists(string(text)) {
		return nil, top("the file is nested more deeply than any policy", "write lists on lines of their own")
	}
	file, err := safeParse(text)
	if err != nil {
		return nil, []Trouble{syntaxTrouble(err)}
	}
	r := &yamlReader{}
	var root *node
	for _, d := range file.Docs {
		switch {
		case d.Body == nil:
		case root != nil:
			r.say(d.Body, "the file holds more than one document", "remove the `---` line and what follows it")
		default:
			root = r.node(d.Body, 0)
		}
	}
	if root == nil {
		return nil, top("the file is empty", `a policy begins with version: "1"`)
	}
	return root, r.troubles
}

// nestedLists reports whether a line opens more lists in lists than a policy has.
func nestedLists(text string) bool {
	for line := range strings.Lines(text) {
		if strings.Contains(line, strings.Repeat("- ", 8)) {
			return true
		}
	}
	return false
}

// safeParse turns a panic of the parser into an error: a file may come from anybody.
func safeParse(text []byte) (file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the YAML can't be parsed")
		}
	}()
	return parser.ParseBytes(text, 0, parser.AllowDuplicateMapKey())
}

func syntaxTrouble(err error) Trouble {
	t := Trouble{1, 1, err.Error(), "quote values that contain `: `, `#`, `[` or `{`"}
	var y interface {
		GetMessage() string
		GetToken() *token.Token
	}
	if errors.As(err, &y) {
		t.Message = "not valid YAML: " + y.GetMessage()
		if at := y.GetToken(); at != nil && at.Position != nil {
			t.Line, t.Column = at.Position.Line, at.Position.Column
		}
	}
	t.Message, _, _ = strings.Cut(t.Message, "\n")
	return t
}

type yamlReader struct{ troubles []Trouble }

func (r *yamlReader) say(n ast.Node, message, fix string) {
	line, col := yamlPlace(n)
	r.troubles = append(r.troubles, Trouble{line, col, message, fix})
}

// yamlPlace is where a node starts. The token of a block mapping is the colon after its
// first key, so its place is that key's.
func yamlPlace(n ast.Node) (line, col int) {
	switch m := n.(type) {
	case *ast.MappingNode:
		if !m.IsFlowStyle && len(m.Values) > 0 {
			return yamlPlace(m.Values[0].Key)
		}
	case *ast.MappingValueNode:
		return yamlPlace(m.Key)
	}
	if n == nil || n.GetToken() == nil || n.GetToken().Position == nil {
		return 1, 1
	}
	p := n.GetToken().Position
	return p.Line, p.Column
}

func (r *yamlReader) node(n ast.Node, depth int) *node {
	out := &node{}
	out.line, out.col = yamlPlace(n)
	if depth > maxYAMLDepth {
		r.say(n, fmt.Sprintf("values are nested more than %d deep", maxYAMLDepth), "a policy needs a handful of levels")
		return out
	}
	scalar := func(k nodeKind, text string) *node {
		out.kind, out.text = k, text
		return out
	}
	switch n := n.(type) {
	case nil, *ast.NullNode:
		return out
	case *ast.LiteralNode:
		return scalar(textNode, n.Value.Value)
	case *ast.StringNode:
		return scalar(textNode, n.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return scalar(numberNode, n.GetToken().Value)
	case *ast.BoolNode:
		return scalar(boolNode, n.GetToken().Value)
	case *ast.SequenceNode:
		out.kind = listNode
		for _, v := range n.Values {
			out.items = append(out.items, r.node(v, depth+1))
		}
	case *ast.MappingNode:
		out.kind = objectNode
		r.members(out, n.Values, depth)
	case *ast.MappingValueNode:
		out.kind = objectNode
		r.members(out, []*ast.MappingValueNode{n}, depth)
	default:
		r.say(n, "anchors, aliases, tags and merge keys are not read", "write the value out")
	}
	return out
}

func (r *yamlReader) members(out *node, values []*ast.MappingValueNode, depth int) {
	for _, v := range values {
		k := r.node(v.Key, depth+1)
		if k.kind != textNode && k.kind != numberNode && k.kind != boolNode {
			r.say(v.Key, "the key is not plain text", "write `key: value`")
			continue
		}
		if out.get(k.text) != nil {
			r.say(v.Key, fmt.Sprintf("the key %q comes twice", k.text), "keep one of the two")
			continue
		}
		out.members = append(out.members, yamlMember{k.text, k.line, k.col, r.node(v.Value, depth+1)})
	}
}
