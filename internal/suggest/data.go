package suggest

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// longestName is longer than the names that systems give their columns. Free
// text and browser strings are above it.
const longestName = 40

// LooksLikeData reports whether a text that stands where a column's name should
// be is rather a value: it holds "@", is mostly digits (a phone number, an amount,
// a date), is over 40 characters long, or begins as JSON does. Such texts must
// not reach a message, as a file without a header has a customer in its place.
//
// A value that is a plain word, such as a first name, can't be told from a name
// of a column; ask LooksLikeRow about the whole line.
func LooksLikeData(cell string) bool {
	return utf8.RuneCountInString(cell) > longestName || looksLikeValue(cell)
}

// LooksLikeRow reports whether a line that should name columns holds values: one
// cell that does not only look too long is enough.
func LooksLikeRow(cells []string) bool {
	for _, c := range cells {
		if looksLikeValue(c) {
			return true
		}
	}
	return false
}

func looksLikeValue(cell string) bool {
	cell = strings.TrimSpace(cell)
	if strings.ContainsRune(cell, '@') || strings.HasPrefix(cell, "[") || strings.HasPrefix(cell, "{") {
		return true
	}
	digits, letters := 0, 0
	for _, r := range cell {
		switch {
		case unicode.IsDigit(r):
			digits++
		case unicode.IsLetter(r):
			letters++
		}
	}
	// "f1" and "Q12" are names, "12.50 EUR", "2026-01-05T10:30:00Z" and "5 Jan 2026" are not.
	return letters == 0 && digits > 0 || digits > letters && digits >= 3
}
