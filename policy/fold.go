package policy

import (
	"unicode"
	"unicode/utf8"
)

// equalFold compares letter by letter, capitals aside, as bytes.EqualFold does and
// without making a string.
func equalFold(a []byte, b string) bool {
	for len(a) > 0 && len(b) > 0 {
		x, n := utf8.DecodeRune(a)
		y, m := utf8.DecodeRuneInString(b)
		a, b = a[n:], b[m:]
		if x != y && foldOf(x) != foldOf(y) {
			return false
		}
	}
	return len(a) == 0 && len(b) == 0
}

// foldOf is the least letter among those that fold to each other.
func foldOf(r rune) rune {
	if 'a' <= r && r <= 'z' {
		return r - 'a' + 'A'
	}
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return least
}
