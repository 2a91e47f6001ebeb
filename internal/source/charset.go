package source

import (
	"unicode/utf8"

	"golang.org/x/text/encoding/charmap"
)

// decodeTable returns what each byte of a single-byte encoding means; nil for
// UTF-8. Bytes that the encoding leaves open map to utf8.RuneError.
func decodeTable(e Encoding) *[256]rune {
	var m *charmap.Charmap
	switch e {
	case Windows1252:
		m = charmap.Windows1252
	case Latin1:
		m = charmap.ISO8859_1
	default:
		return nil
	}
	t := new([256]rune)
	for b := range t {
		t[b] = m.DecodeByte(byte(b))
	}
	return t
}

// appendDecoded is appendField for a single-byte encoding. It returns false at a
// byte that the encoding does not define.
func appendDecoded(dst, rec []byte, f field, quote byte, table *[256]rune) ([]byte, bool) {
	from := len(dst)
	dst = appendField(dst, rec, f, quote)
	raw := dst[from:]
	for i, c := range raw {
		if c >= utf8.RuneSelf {
			high := append([]byte(nil), raw[i:]...)
			return appendText(dst[:from+i], high, table)
		}
	}
	return dst, true
}

// appendText appends b, decoded with table, as UTF-8.
func appendText(dst, b []byte, table *[256]rune) ([]byte, bool) {
	for _, c := range b {
		if c < utf8.RuneSelf {
			dst = append(dst, c)
			continue
		}
		r := table[c]
		if r == utf8.RuneError {
			return dst, false
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}

// validHead tells whether a head is UTF-8, not minding a character that its end cuts.
func validHead(head []byte, whole bool) bool {
	if whole {
		return utf8.Valid(head)
	}
	for len(head) > 0 {
		r, n := utf8.DecodeRune(head)
		if r == utf8.RuneError && n == 1 {
			return !utf8.FullRune(head)
		}
		head = head[n:]
	}
	return true
}
