package mcpwire

import (
	"bytes"
	"strings"
	"sync"
)

// scanner walks over JSON once, checks it and finds where values stand.
type scanner struct {
	b      []byte
	i      int
	depth  int
	max    int
	strict bool
	err    *SyntaxError

	key  Span   // of the member being read, with its quotes
	keys []Span // of all objects being read, outer ones first
}

var scannerPool = sync.Pool{New: func() any { return new(scanner) }}

func (s *scanner) reset(b []byte, depth int, strict bool) {
	*s = scanner{b: b, max: depth, strict: strict, keys: s.keys[:0]}
}

// release gives the scanner back, without the message and without what an unusually
// large one made it grow to.
func (s *scanner) release() {
	s.b, s.err = nil, nil
	if cap(s.keys) > 4096 {
		s.keys = nil
	}
	scannerPool.Put(s)
}

func (s *scanner) fail(code int, problem string) {
	if s.err == nil {
		s.err = &SyntaxError{Code: code, Problem: problem, Offset: s.i}
	}
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// peek is the next byte; 0, which JSON has nowhere, at the end.
func (s *scanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

// object is the state of a loop over the members of one object:
//
//	for o := s.object(); s.next(&o); { … s.key … s.value() … }
type object struct {
	first   int // of its keys in scanner.keys
	members int
	seen    map[string]struct{} // of a large object
}

func (s *scanner) object() object {
	if s.err == nil && s.peek() != '{' {
		s.fail(CodeParse, "an object was expected")
	}
	s.down()
	return object{first: len(s.keys)}
}

// down enters an array or object.
func (s *scanner) down() {
	if s.depth++; s.depth > s.max {
		s.fail(CodeInvalidRequest, "the message is nested too deeply")
	}
	s.i++
}

// next reads the next key and stands before its value; false after the last member.
func (s *scanner) next(o *object) bool {
	if s.err != nil {
		return false
	}
	s.space()
	switch c := s.peek(); {
	case c == '}':
		s.i++
		s.depth--
		s.keys = s.keys[:o.first]
		return false
	case o.members == 0:
	case c == ',':
		s.i++
		s.space()
	default:
		s.fail(CodeParse, "a comma or the end of the object was expected")
		return false
	}
	if s.peek() != '"' {
		s.fail(CodeParse, "the name of a member was expected")
		return false
	}
	if s.key = s.text(); s.err != nil {
		return false
	}
	o.members++
	s.unique(o)
	s.space()
	if s.err == nil && s.peek() != ':' {
		s.fail(CodeParse, "a colon was expected")
	}
	s.i++
	s.space()
	return s.err == nil
}

// manyMembers is where comparing each key with each gives way to a set.
const manyMembers = 24

// unique refuses a name that the object has already.
func (s *scanner) unique(o *object) {
	if s.err != nil || (!s.strict && s.depth > 2) {
		return
	}
	here := s.b[s.key.Start:s.key.End]
	if o.members > manyMembers {
		if o.seen == nil {
			o.seen = make(map[string]struct{}, 2*manyMembers)
			for _, k := range s.keys[o.first:] {
				o.seen[plain(s.b[k.Start:k.End])] = struct{}{}
			}
		}
		name := plain(here)
		if _, twice := o.seen[name]; twice {
			s.fail(s.twice(), "a member comes twice")
		}
		o.seen[name] = struct{}{}
		return
	}
	escaped := bytes.IndexByte(here, '\\') >= 0
	for _, k := range s.keys[o.first:] {
		there := s.b[k.Start:k.End]
		if bytes.Equal(here, there) || ((escaped || bytes.IndexByte(there, '\\') >= 0) && plain(here) == plain(there)) {
			s.fail(s.twice(), "a member comes twice")
			return
		}
	}
	s.keys = append(s.keys, s.key)
}

func (s *scanner) twice() int { return CodeInvalidRequest }

// plain is the name that a quoted key stands for.
func plain(quoted []byte) string {
	name, _ := Unquote(quoted)
	return name
}

// value reads one value of any kind and returns where it stands.
func (s *scanner) value() Span {
	start := s.i
	if s.err != nil {
		return Span{}
	}
	switch c := s.peek(); c {
	case '"':
		return s.text()
	case '{':
		for o := s.object(); s.next(&o); {
			s.value()
		}
	case '[':
		s.array()
	case 't':
		s.literal("true")
	case 'f':
		s.literal("false")
	case 'n':
		s.literal("null")
	default:
		s.number()
	}
	if s.err != nil {
		return Span{}
	}
	return Span{start, s.i}
}

func (s *scanner) array() {
	s.down()
	s.space()
	if s.err == nil && s.peek() == ']' {
		s.i++
		s.depth--
		return
	}
	for s.err == nil {
		s.space()
		s.value()
		s.space()
		switch {
		case s.err != nil:
		case s.peek() == ',':
			s.i++
		case s.peek() == ']':
			s.i++
			s.depth--
			return
		default:
			s.fail(CodeParse, "a comma or the end of the array was expected")
		}
	}
}

func (s *scanner) literal(word string) {
	if !bytes.HasPrefix(s.b[s.i:], []byte(word)) {
		s.fail(CodeParse, "not a JSON value")
		return
	}
	s.i += len(word)
}

func (s *scanner) digits() bool {
	start := s.i
	for s.i < len(s.b) && '0' <= s.b[s.i] && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > start
}

// number checks the form only: its value is never computed.
func (s *scanner) number() {
	if s.peek() == '-' {
		s.i++
	}
	zero := s.peek() == '0'
	start := s.i
	ok := s.digits() && (!zero || s.i == start+1)
	if ok && s.peek() == '.' {
		s.i++
		ok = s.digits()
	}
	if c := s.peek(); ok && (c == 'e' || c == 'E') {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		ok = s.digits()
	}
	if !ok {
		s.fail(CodeParse, "not a JSON value")
	}
}

// text reads a string. The scanner stands on its opening quote.
func (s *scanner) text() Span {
	start := s.i
	s.i++
	for s.i < len(s.b) {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return Span{start, s.i}
		case c == '\\':
			s.escape()
		case c < ' ':
			s.fail(CodeParse, "a control character stands in a string")
		default:
			s.i++
			continue
		}
		if s.err != nil {
			return Span{}
		}
	}
	s.fail(CodeParse, "a string does not end")
	return Span{}
}

// escape reads one escape sequence, both halves of a surrogate pair at once. Half a
// pair is text to one parser and a replacement character to another.
func (s *scanner) escape() {
	if s.i+1 >= len(s.b) {
		s.fail(CodeParse, "a string does not end")
		return
	}
	switch s.b[s.i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		s.i += 2
	case 'u':
		r, ok := hex4(s.b, s.i+2)
		if !ok {
			s.fail(CodeParse, "an escape sequence is malformed")
			return
		}
		s.i += 6
		if r < 0xD800 || r > 0xDFFF {
			return
		}
		low, ok := rune(0), false
		if r <= 0xDBFF && s.i+1 < len(s.b) && s.b[s.i] == '\\' && s.b[s.i+1] == 'u' {
			low, ok = hex4(s.b, s.i+2)
		}
		switch {
		case ok && low >= 0xDC00 && low <= 0xDFFF:
			s.i += 6
		case s.strict:
			s.fail(CodeParse, "half a surrogate pair stands in a string")
		}
	default:
		s.fail(CodeParse, "an escape sequence is malformed")
	}
}

func hex4(b []byte, at int) (rune, bool) {
	if at+4 > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[at : at+4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c && c <= 'f':
			c -= 'a' - 10
		case 'A' <= c && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// names is a set of member names that something is decided on.
type names struct{ exact map[string]string }

func newNames(list ...string) names {
	n := names{exact: map[string]string{}}
	for _, name := range list {
		n.exact[name] = name
	}
	return n
}

// known is the name of the member being read when it is one of the set, else empty. A
// name that is one of them in another spelling is refused.
func (s *scanner) known(set names) string {
	quoted := s.b[s.key.Start:s.key.End]
	if name, ok := set.exact[string(quoted[1:len(quoted)-1])]; ok {
		return name
	}
	if !s.strict {
		return ""
	}
	for name := range set.exact {
		if len(quoted) >= len(name)+2 && strings.EqualFold(plain(quoted), name) {
			s.fail(CodeInvalidRequest, "a member has the name of another in a different spelling")
		}
	}
	return ""
}
