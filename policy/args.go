package policy

import (
	"bytes"
	"strconv"
	"unicode/utf8"
)

// value is what stands at a path: its kind, and the text as the call wrote it.
type value struct {
	kind kind
	raw  []byte
}

// text is what a string stands for. It allocates only where there are escapes.
func (v value) text() ([]byte, bool) {
	inner := v.raw[1 : len(v.raw)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return inner, true
	}
	return appendText(nil, v.raw)
}

// readValue finds the value that begins at i and where it ends. Objects and arrays are
// stepped over by their brackets.
func readValue(b []byte, i int) (v value, end int) {
	if i >= len(b) {
		return value{kind: kindBad}, i
	}
	var ok bool
	switch c := b[i]; c {
	case '"':
		v.kind = kindString
		end, ok = stringEnd(b, i)
	case '{':
		v.kind = kindObject
		end, ok = closing(b, i)
	case '[':
		v.kind = kindArray
		end, ok = closing(b, i)
	default:
		if c == '-' || '0' <= c && c <= '9' {
			v.kind = kindNumber
			end, ok = numberEnd(b, i)
			break
		}
		for _, l := range literals {
			if end = i + len(l.text); end <= len(b) && string(b[i:end]) == l.text {
				return value{l.kind, b[i:end]}, end
			}
		}
	}
	if !ok {
		return value{kind: kindBad}, len(b)
	}
	v.raw = b[i:end]
	return v, end
}

// closing is where the object or array that begins at i ends.
func closing(b []byte, i int) (int, bool) {
	depth := 0
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			end, ok := stringEnd(b, i)
			if !ok {
				return end, false
			}
			i = end - 1
		case '{', '[':
			depth++
		case '}', ']':
			if depth--; depth == 0 {
				return i + 1, true
			}
		}
	}
	return i, false
}

// members is a loop over the members of an object:
//
//	for m := (members{b: raw}); m.next(); { … m.key … m.value … }
type members struct {
	b     []byte
	i     int    // behind the member read last, or at the opening brace
	key   []byte // with its quotes
	value value
	begun bool
	bad   bool // it ended because the object is malformed
}

// next reads one member.
func (m *members) next() bool { return m.name() && m.read() }

// name reads the key and stands before the value, which read or the caller then has to
// step over. At the end it stands behind the closing brace.
func (m *members) name() bool {
	b := m.b
	i := m.i
	if m.begun {
		if i = skipSpace(b, i); i < len(b) && b[i] == '}' {
			m.i = i + 1
			return false
		}
		if i >= len(b) || b[i] != ',' {
			return m.stop()
		}
	}
	i = skipSpace(b, i+1)
	if !m.begun && i < len(b) && b[i] == '}' {
		m.i = i + 1
		return false
	}
	m.begun = true
	if i >= len(b) || b[i] != '"' {
		return m.stop()
	}
	end, ok := stringEnd(b, i)
	if !ok {
		return m.stop()
	}
	m.key = b[i:end]
	if i = skipSpace(b, end); i >= len(b) || b[i] != ':' {
		return m.stop()
	}
	m.i = skipSpace(b, i+1)
	return true
}

func (m *members) read() bool {
	if m.value, m.i = readValue(m.b, m.i); m.value.kind == kindBad {
		return m.stop()
	}
	return true
}

func (m *members) stop() bool {
	m.bad = true
	return false
}

// elements is the same for the elements of an array.
type elements struct {
	b     []byte
	i     int
	value value
	bad   bool
}

func (e *elements) next() bool {
	i := skipSpace(e.b, e.i+1)
	if e.i == 0 && i < len(e.b) && e.b[i] == ']' || e.i > 0 && e.b[e.i] == ']' {
		return false
	}
	if e.value, i = readValue(e.b, i); e.value.kind == kindBad {
		e.bad = true
		return false
	}
	if e.i = skipSpace(e.b, i); e.i >= len(e.b) || e.b[e.i] != ',' && e.b[e.i] != ']' {
		e.bad = true
		return false
	}
	return true
}

// likeness says how a member's name compares with the one that a path has.
type likeness uint8

const (
	other likeness = iota
	same
	// variant: the same letters in other capitals. Some readers of JSON take it for the
	// name itself, so nothing can be said of the value.
	variant
)

// compareName compares a member's key, given with its quotes, with a name; plain says
// whether both are nothing but ASCII without escapes.
func compareName(key []byte, name string, plain bool) likeness {
	if !plain {
		return compareOdd(key, name)
	}
	k := key[1 : len(key)-1]
	switch {
	case string(k) == name:
		return same
	case len(k) != len(name) || len(k) == 0 || (k[0]^name[0])&^0x20 != 0: // capitals differ in this one bit
		return other
	case equalFold(k, name):
		return variant
	}
	return other
}

func isPlain[T string | []byte](s T) bool {
	for i := range len(s) {
		if s[i] == '\\' || s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// compareOdd does it for a key or a name that is written with escapes or other letters.
func compareOdd(key []byte, name string) likeness {
	var room [64]byte
	text, ok := appendText(room[:0], key)
	switch {
	case !ok:
		return variant // half a surrogate pair: nobody knows what it is to others
	case string(text) == name:
		return same
	case equalFold(text, name):
		return variant
	}
	return other
}

// member is the value of one member of an object, as a path sees it.
func (v value) member(name string) value {
	switch v.kind {
	case kindObject:
	case kindBad:
		return v
	default:
		return value{} // nothing stands below what is not an object
	}
	var found value
	plain := isPlain(name)
	m := members{b: v.raw}
	for m.next() {
		switch compareName(m.key, name, plain && isPlain(m.key)) {
		case same:
			if found.kind != kindAbsent {
				return value{kind: kindBad}
			}
			found = m.value
		case variant:
			return value{kind: kindBad}
		}
	}
	if m.bad {
		return value{kind: kindBad}
	}
	return found
}

// length is what .$length makes of a value.
func (v value) length() value {
	n := 0
	switch v.kind {
	case kindAbsent, kindNull:
		return value{}
	case kindArray:
		e := elements{b: v.raw}
		for e.next() {
			n++
		}
		if e.bad {
			return value{kind: kindBad}
		}
	case kindString:
		text, ok := v.text()
		if !ok {
			return value{kind: kindBad}
		}
		n = utf8.RuneCount(text)
	default:
		return value{kind: kindBad}
	}
	if n < len(counts) {
		return value{kindNumber, counts[n]}
	}
	return value{kindNumber, strconv.AppendInt(nil, int64(n), 10)}
}

// counts are the numbers that most lengths are, written once.
var counts = func() (c [1024][]byte) {
	for i := range c {
		c[i] = strconv.AppendInt(nil, int64(i), 10)
	}
	return c
}()
