package mcpwire

import (
	"encoding/binary"
	"math/bits"
)

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

func (s *scanner) literal(word string) {
	if end := s.i + len(word); end > len(s.b) || string(s.b[s.i:end]) != word {
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
	for s.err == nil {
		s.i += ordinary(s.b[s.i:])
		switch {
		case s.i >= len(s.b):
			s.fail(CodeParse, "a string does not end")
		case s.b[s.i] == '"':
			s.i++
			return Span{start, s.i}
		case s.b[s.i] == '\\':
			s.escape()
		default:
			s.fail(CodeParse, "a control character stands in a string")
		}
	}
	return Span{}
}

// ordinary is how many bytes of b come before a quote, a backslash or a control
// character. It looks at eight bytes at once, and where a text turns out to be long,
// as most results are, at four times eight.
func ordinary(b []byte) int {
	i := 0
	for i+8 <= len(b) {
		if found := special(b[i:]); found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
		i += 8
		for i >= 32 && i+32 <= len(b) {
			c := b[i : i+32 : i+32]
			if special(c[0:])|special(c[8:])|special(c[16:])|special(c[24:]) != 0 {
				break
			}
			i += 32
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// special marks the bytes of the next eight that end ordinary text with their highest
// bit. The first mark is right; a borrow can set others behind it.
func special(b []byte) uint64 {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	x := binary.LittleEndian.Uint64(b)
	quote, backslash := x^('"'*ones), x^('\\'*ones)
	return ((x-' '*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & high
}

// escape reads one escape sequence, both halves of a surrogate pair at once. Half a
// pair is text to one parser and a replacement character to another.
func (s *scanner) escape() {
	s.escaped = true
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
		case s.check == everywhere:
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
