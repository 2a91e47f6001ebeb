package policy

import (
	"fmt"
	"strconv"
	"unicode/utf8"
)

// kind is what a JSON value is. kindAbsent stands for no value, and kindBad for one that
// can't be judged: malformed, or written so that two readers may take it for two things.
type kind uint8

const (
	kindAbsent kind = iota
	kindNull
	kindBool
	kindNumber
	kindString
	kindArray
	kindObject
	kindBad
)

var kindNames = [...]string{"absent", "null", "a boolean", "a number", "a string", "an array", "an object", "not judgeable"}

func (k kind) String() string { return kindNames[k] }

// node is a value of a document, read whole: documents are read once and judged often.
type node struct {
	kind    kind
	text    string // of a string what it stands for, of anything else as it is written
	keys    []string
	members []node // of an object in the order of keys, of an array its elements
}

func (n *node) member(key string) *node {
	for i, k := range n.keys {
		if k == key {
			return &n.members[i]
		}
	}
	return nil
}

// MaxSize is how large a document may be, in bytes; maxDepth how deeply it may nest.
const (
	MaxSize  = 256 << 10
	maxDepth = 32
)

// parser reads one JSON document. It stops at the first thing that is not JSON; a member
// that comes twice is noted, and the first one stands.
type parser struct {
	b      []byte
	i      int
	depth  int
	faults []Fault
	failed bool
}

// parseNode reads a document; the node is nil where it is not JSON.
func parseNode(raw []byte) (*node, []Fault) {
	p := &parser{b: raw}
	switch {
	case len(raw) > MaxSize:
		p.fault(codeSize, "", fmt.Sprintf("the document has %d bytes; at most %d are read", len(raw), MaxSize), "split it over several servers")
		return nil, p.faults
	case !utf8.Valid(raw):
		p.fault(codeJSON, "", "the document is not valid UTF-8", "save it as UTF-8")
		return nil, p.faults
	case len(raw) >= 3 && string(raw[:3]) == "\ufeff":
		p.fault(codeJSON, "", "the document begins with a byte order mark", "save it as UTF-8 without one")
		return nil, p.faults
	}
	p.space()
	if p.i >= len(raw) || raw[p.i] != '{' {
		p.stop("the document is not a JSON object")
		return nil, p.faults
	}
	n := p.value("")
	p.space()
	if !p.failed && p.i < len(raw) {
		p.stop("something follows the document")
	}
	if p.failed {
		return nil, p.faults
	}
	return &n, p.faults
}

func (p *parser) fault(code, at, message, fix string) {
	p.faults = append(p.faults, Fault{Code: code, Pointer: at, Message: message, Fix: fix})
}

// stop notes that the text is not JSON from here on.
func (p *parser) stop(problem string) {
	if p.failed {
		return
	}
	p.failed = true
	line, column := 1, 1
	for _, c := range string(p.b[:min(p.i, len(p.b))]) {
		if column++; c == '\n' {
			line, column = line+1, 1
		}
	}
	p.fault(codeJSON, "", fmt.Sprintf("line %d, column %d: %s", line, column, problem), "")
}

func (p *parser) space() {
	for p.i < len(p.b) && isSpace(p.b[p.i]) {
		p.i++
	}
}

func (p *parser) peek() byte {
	if p.i < len(p.b) {
		return p.b[p.i]
	}
	return 0
}

// value reads one value; at is its pointer.
func (p *parser) value(at string) node {
	start := p.i
	switch c := p.peek(); {
	case c == '{':
		return p.object(at)
	case c == '[':
		return p.array(at)
	case c == '"':
		return node{kind: kindString, text: p.str()}
	case c == '-' || '0' <= c && c <= '9':
		end, ok := numberEnd(p.b, p.i)
		if p.i = end; !ok {
			p.stop("a number is malformed")
		}
		return node{kind: kindNumber, text: string(p.b[start:end])}
	}
	for _, l := range literals {
		if end := p.i + len(l.text); end <= len(p.b) && string(p.b[p.i:end]) == l.text {
			p.i = end
			return node{kind: l.kind, text: l.text}
		}
	}
	p.stop("a value was expected" + slipAt(p.peek()))
	return node{}
}

// slipAt is what probably happened where a name or a value should begin.
func slipAt(c byte) string {
	switch c {
	case '}', ']':
		return "; is there a comma too many?"
	case '/', '#':
		return "; JSON has no comments"
	}
	return ""
}

var literals = [...]struct {
	text string
	kind kind
}{{"true", kindBool}, {"false", kindBool}, {"null", kindNull}}

func (p *parser) down(at string) bool {
	if p.depth++; p.depth > maxDepth {
		p.failed = true
		p.fault(codeSize, at, fmt.Sprintf("nested deeper than %d levels", maxDepth), "")
		return false
	}
	p.i++
	return true
}

func (p *parser) object(at string) node {
	n := node{kind: kindObject}
	if !p.down(at) {
		return n
	}
	seen := map[string]bool{}
	for first := true; !p.failed; first = false {
		p.space()
		if p.peek() == '}' && first {
			break
		}
		if p.peek() != '"' {
			p.stop("the name of a member was expected, in double quotes" + slipAt(p.peek()))
			return n
		}
		key := p.str()
		p.space()
		if p.peek() != ':' {
			p.stop("a colon was expected")
			return n
		}
		p.i++
		p.space()
		here := at + "/" + escapePointer(key)
		v := p.value(here)
		if seen[key] {
			p.fault(codeDupKey, here, fmt.Sprintf("the member %s comes twice", strconv.Quote(key)), "keep one of the two")
		} else {
			seen[key] = true
			n.keys, n.members = append(n.keys, key), append(n.members, v)
		}
		p.space()
		if p.peek() == ',' {
			p.i++
			continue
		}
		if p.peek() != '}' {
			p.stop("a comma or the end of the object was expected")
			return n
		}
		break
	}
	p.i++
	p.depth--
	return n
}

func (p *parser) array(at string) node {
	n := node{kind: kindArray}
	if !p.down(at) {
		return n
	}
	for first := true; !p.failed; first = false {
		p.space()
		if p.peek() == ']' && first {
			break
		}
		n.members = append(n.members, p.value(at+"/"+strconv.Itoa(len(n.members))))
		p.space()
		if p.peek() == ',' {
			p.i++
			continue
		}
		if p.peek() != ']' {
			p.stop("a comma or the end of the array was expected")
			return n
		}
		break
	}
	p.i++
	p.depth--
	return n
}

func (p *parser) str() string {
	end, ok := stringEnd(p.b, p.i)
	if !ok {
		p.stop("a string does not end, or a control character stands in it")
		return ""
	}
	text, ok := appendText(nil, p.b[p.i:end])
	if !ok {
		p.stop("an escape sequence in a string is malformed")
		return ""
	}
	p.i = end
	return string(text)
}
