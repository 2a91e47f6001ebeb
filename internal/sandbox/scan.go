package sandbox

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"maps"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds nesting. An event needs six levels.
const maxDepth = 64

// scanner reads strict JSON in one pass without building values: RFC 8259 with
// valid UTF-8, paired surrogates, no duplicate names at any level and bounded
// depth. Methods return false once the text is wrong; err then says why.
//
// Strings are handed out as views of the input, so they live as long as it does.
type scanner struct {
	b     []byte
	i     int
	depth int
	err   error
	names [][]byte // names of the open objects that are checked here, innermost last
	// large holds the names of open objects with many members, by where their
	// names begin; an outer object's name is always recorded before an inner
	// object opens, so no two begin at the same place.
	large map[int]map[string]struct{}
}

// fail records the first fault. It always returns false.
func (s *scanner) fail(what string) bool {
	if s.err == nil {
		s.err = fmt.Errorf("%s at byte %d", what, s.i)
	}
	return false
}

func (s *scanner) reset(b []byte) {
	clear(s.names)
	*s = scanner{b: b, names: s.names[:0]}
}

// peek returns the next byte that is not white space, 0 at the end.
func (s *scanner) peek() byte {
	for s.i < len(s.b) {
		switch c := s.b[s.i]; c {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return c
		}
	}
	return 0
}

// open enters an object or array. The caller has seen the bracket.
func (s *scanner) open() bool {
	if s.depth++; s.depth > maxDepth {
		return s.fail("nested too deeply")
	}
	s.i++
	return true
}

// member moves to the next member of an object and returns its name. more is
// false at the closing brace. Duplicates are the caller's to refuse.
func (s *scanner) member(first bool) (name []byte, more, ok bool) {
	switch c := s.peek(); {
	case c == '}':
		s.i++
		s.depth--
		return nil, false, true
	case first:
	case c != ',':
		return nil, false, s.fail("expected , or }")
	default:
		s.i++
	}
	if s.peek() != '"' {
		return nil, false, s.fail("expected a name")
	}
	name, ok = s.text()
	if !ok {
		return nil, false, false
	}
	if s.peek() != ':' {
		return nil, false, s.fail("expected :")
	}
	s.i++
	s.peek()
	return name, true, true
}

// element moves to the next element of an array. more is false at the bracket.
func (s *scanner) element(first bool) (more, ok bool) {
	switch c := s.peek(); {
	case c == ']' && first:
	case first:
		return true, true
	case c == ',':
		s.i++
		s.peek()
		return true, true
	case c != ']':
		return false, s.fail("expected , or ]")
	}
	s.i++
	s.depth--
	return false, true
}

// Masks for looking at eight bytes at once.
const (
	lsb    = 0x0101010101010101
	msb    = 0x8080808080808080
	quotes = lsb * '"'
	slants = lsb * '\\'
	spaces = lsb * ' '
)

// str reads a string and returns what stands between the quotes, still escaped.
func (s *scanner) str() (raw []byte, escaped, ok bool) {
	b, start := s.b, s.i+1
	i := start
	for {
		// Skip plain ASCII: a byte that is a quote, a backslash, a control character
		// or not ASCII sets its top bit in stop. A borrow can set bits only above
		// the first such byte, so the lowest one is exact.
		for i+8 <= len(b) {
			x := binary.LittleEndian.Uint64(b[i:])
			q, e := x^quotes, x^slants
			stop := ((x-spaces)&^x | (q-lsb)&^q | (e-lsb)&^e | x) & msb
			if stop != 0 {
				i += bits.TrailingZeros64(stop) / 8
				break
			}
			i += 8
		}
		if i >= len(b) {
			s.i = i
			return nil, false, s.fail("string does not end")
		}
		switch c := b[i]; {
		case c == '"':
			s.i = i + 1
			return b[start:i], escaped, true
		case c == '\\':
			n := escapeLen(b[i:])
			if n == 0 {
				s.i = i
				return nil, false, s.fail("bad escape")
			}
			escaped = true
			i += n
		case c < ' ':
			s.i = i
			return nil, false, s.fail("control character in string")
		case c < utf8.RuneSelf:
			i++
		default:
			r, n := utf8.DecodeRune(b[i:])
			if r == utf8.RuneError && n == 1 {
				s.i = i
				return nil, false, s.fail("text is not UTF-8")
			}
			i += n
		}
	}
}

// escapeLen returns the length of the escape b starts with, 0 when it is wrong. A
// surrogate must be followed by its other half.
func escapeLen(b []byte) int {
	if len(b) < 2 {
		return 0
	}
	switch b[1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2
	case 'u':
		r, ok := hex4(b[2:])
		if !ok {
			return 0
		}
		if !utf16.IsSurrogate(r) {
			return 6
		}
		if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
			return 0
		}
		low, ok := hex4(b[8:])
		if !ok || utf16.DecodeRune(r, low) == utf8.RuneError {
			return 0
		}
		return 12
	}
	return 0
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

// text reads a string and decodes its escapes; without any it is a view.
func (s *scanner) text() ([]byte, bool) {
	raw, escaped, ok := s.str()
	if !ok {
		return nil, false
	}
	if escaped {
		raw = unescape(raw)
	}
	return raw, true
}

// unescape decodes the escapes of a string that str has accepted.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for len(raw) > 0 {
		n := bytes.IndexByte(raw, '\\')
		if n < 0 {
			return append(out, raw...)
		}
		out = append(out, raw[:n]...)
		raw = raw[n:]
		size := 2
		switch raw[1] {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			size = escapeLen(raw)
			r, _ := hex4(raw[2:])
			if size == 12 {
				low, _ := hex4(raw[8:])
				r = utf16.DecodeRune(r, low)
			}
			out = utf8.AppendRune(out, r)
		default:
			out = append(out, raw[1])
		}
		raw = raw[size:]
	}
	return out
}

// number reads a number and returns its text.
func (s *scanner) number() ([]byte, bool) {
	b, start := s.b, s.i
	i := start
	run := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '-' {
		i++
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !run() {
		return nil, s.fail("expected a value")
	}
	if i < len(b) && b[i] == '.' {
		i++
		if !run() {
			return nil, s.fail("bad number")
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !run() {
			return nil, s.fail("bad number")
		}
	}
	s.i = i
	return b[start:i], true
}

// literal reads one of the three words.
func (s *scanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return s.fail("expected a value")
	}
	s.i += len(word)
	return true
}

// skip reads any value and keeps nothing.
func (s *scanner) skip() bool {
	switch s.peek() {
	case '{':
		if !s.open() {
			return false
		}
		mark := len(s.names)
		for first := true; ; first = false {
			name, more, ok := s.member(first)
			if !ok {
				return false
			}
			if !more {
				s.forget(mark)
				return true
			}
			if !s.unique(mark, name) || !s.skip() {
				return false
			}
		}
	case '[':
		if !s.open() {
			return false
		}
		for first := true; ; first = false {
			more, ok := s.element(first)
			if !ok || !more {
				return ok
			}
			if !s.skip() {
				return false
			}
		}
	case '"':
		_, _, ok := s.str()
		return ok
	case 't':
		return s.literal("true")
	case 'f':
		return s.literal("false")
	case 'n':
		return s.literal("null")
	default:
		_, ok := s.number()
		return ok
	}
}

// end accepts white space until the end of the text.
func (s *scanner) end() bool {
	if s.peek(); s.i < len(s.b) {
		return s.fail("text after the value")
	}
	return true
}

// manyNames is where comparing names one by one ends and a map begins, so that a
// huge object costs no quadratic time.
const manyNames = 32

// unique records a name of the object whose names begin at mark, and refuses one
// that was there already.
func (s *scanner) unique(mark int, name []byte) bool {
	open := s.names[mark:]
	if len(open) < manyNames {
		for _, n := range open {
			if bytes.Equal(n, name) {
				return s.fail("duplicate name")
			}
		}
		s.names = append(s.names, name)
		return true
	}
	set := s.large[mark]
	if set == nil {
		set = make(map[string]struct{}, 2*manyNames)
		for _, n := range open {
			set[string(n)] = struct{}{}
		}
		if s.large == nil {
			s.large = map[int]map[string]struct{}{}
		}
		s.large[mark] = set
	}
	if _, again := set[string(name)]; again {
		return s.fail("duplicate name")
	}
	set[string(name)] = struct{}{}
	s.names = append(s.names, name)
	return true
}

// forget drops the names recorded since mark, also those of objects that were
// left halfway.
func (s *scanner) forget(mark int) {
	s.names = s.names[:mark]
	if len(s.large) > 0 {
		maps.DeleteFunc(s.large, func(at int, _ map[string]struct{}) bool { return at >= mark })
	}
}
