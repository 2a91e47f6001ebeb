package policy

import (
	"bytes"
	"encoding/binary"
	"math/bits"
	"unicode/utf8"
)

// What JSON is made of, for both readers: the one of documents and the one of
// arguments. None of it allocates.

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func skipSpace(b []byte, i int) int {
	for i < len(b) && isSpace(b[i]) {
		i++
	}
	return i
}

// numberEnd is where the number that begins at i ends, and whether it is one.
func numberEnd(b []byte, i int) (int, bool) {
	if i < len(b) && b[i] == '-' {
		i++
	}
	start := i
	i = skipDigits(b, i)
	if i == start || b[start] == '0' && i > start+1 {
		return i, false
	}
	if i < len(b) && b[i] == '.' {
		start = i + 1
		if i = skipDigits(b, start); i == start {
			return i, false
		}
	}
	if i < len(b) && (b[i] == 'e' || b[i] == 'E') {
		i++
		if i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		start = i
		if i = skipDigits(b, start); i == start {
			return i, false
		}
	}
	return i, true
}

func skipDigits(b []byte, i int) int {
	for i < len(b) && '0' <= b[i] && b[i] <= '9' {
		i++
	}
	return i
}

// stringEnd is where the string whose opening quote stands at i ends. Escape sequences
// are stepped over; appendText looks at them.
func stringEnd(b []byte, i int) (int, bool) {
	for i++; i < len(b); i++ {
		i += ordinary(b[i:])
		switch {
		case i >= len(b):
		case b[i] == '"':
			return i + 1, true
		case b[i] == '\\':
			i++
		default:
			return i, false
		}
	}
	return len(b), false
}

// ordinary is how many bytes come before a quote, a backslash or a control character. It
// looks at eight at once.
func ordinary(b []byte) int {
	const ones, high = 0x0101010101010101, 0x8080808080808080
	i := 0
	for ; i+8 <= len(b); i += 8 {
		x := binary.LittleEndian.Uint64(b[i:])
		quote, backslash := x^('"'*ones), x^('\\'*ones)
		// The lowest mark is right; a borrow can set others above it.
		if found := ((x-' '*ones)&^x | (quote-ones)&^quote | (backslash-ones)&^backslash) & high; found != 0 {
			return i + bits.TrailingZeros64(found)/8
		}
	}
	for ; i < len(b); i++ {
		if c := b[i]; c == '"' || c == '\\' || c < ' ' {
			break
		}
	}
	return i
}

// appendText appends what a string, given with its quotes, stands for. It is false for a
// malformed escape sequence and for half a surrogate pair, which is a different text to
// different readers.
func appendText(dst, quoted []byte) ([]byte, bool) {
	b := quoted[1 : len(quoted)-1]
	for len(b) > 0 {
		at := bytes.IndexByte(b, '\\')
		if at < 0 {
			return append(dst, b...), true
		}
		dst = append(dst, b[:at]...)
		r, n := unescape(b[at:])
		if n == 0 {
			return dst, false
		}
		dst = utf8.AppendRune(dst, r)
		b = b[at+n:]
	}
	return dst, true
}

// unescape reads one escape sequence, both halves of a surrogate pair at once; 0 bytes
// where it is malformed.
func unescape(b []byte) (rune, int) {
	if len(b) < 2 {
		return 0, 0
	}
	switch b[1] {
	case '"', '\\', '/':
		return rune(b[1]), 2
	case 'b':
		return '\b', 2
	case 'f':
		return '\f', 2
	case 'n':
		return '\n', 2
	case 'r':
		return '\r', 2
	case 't':
		return '\t', 2
	case 'u':
	default:
		return 0, 0
	}
	high, ok := hex4(b[2:])
	switch {
	case !ok || high >= 0xDC00 && high <= 0xDFFF:
		return 0, 0
	case high < 0xD800 || high > 0xDFFF:
		return high, 6
	}
	if len(b) < 12 || b[6] != '\\' || b[7] != 'u' {
		return 0, 0
	}
	low, ok := hex4(b[8:])
	if !ok || low < 0xDC00 || low > 0xDFFF {
		return 0, 0
	}
	return (high-0xD800)<<10 | (low - 0xDC00) + 0x10000, 12
}

func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
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

// appendQuoted appends a string as JSON, with no escape that is not needed.
func appendQuoted(dst []byte, s string) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c >= ' ':
			dst = append(dst, c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// escapePointer writes a name as a segment of a JSON pointer, RFC 6901 §3.
func escapePointer(s string) string {
	var out []byte
	for i := range len(s) {
		switch c := s[i]; {
		case c == '~' || c == '/':
			if out == nil {
				out = append(make([]byte, 0, len(s)+8), s[:i]...)
			}
			out = append(out, '~', '0'+b2i(c == '/'))
		case out != nil:
			out = append(out, c)
		}
	}
	if out == nil {
		return s
	}
	return string(out)
}

func b2i(b bool) byte {
	if b {
		return 1
	}
	return 0
}
