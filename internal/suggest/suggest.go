// Package suggest finds the name a person probably meant, and tells what may not be
// shown as a name because it looks like a value.
package suggest

import (
	"strings"
	"unicode/utf8"
)

// maxLength bounds the work on hostile input: longer words are never compared.
const maxLength = 64

// Closest returns the candidate most like word, or "" when none is near enough
// to be worth saying. Case, spaces, "_" and "-" do not count as differences;
// among equally near candidates the first wins.
func Closest(word string, candidates []string) string {
	w := fold(word)
	n := utf8.RuneCountInString(w)
	if n == 0 || n > maxLength {
		return ""
	}
	// One slip in a short word, more in a long one: "ctiy" is "city", "abc" is not "xyz".
	best, limit := "", max(1, n/3)
	for _, c := range candidates {
		f := fold(c)
		if l := utf8.RuneCountInString(f); l == 0 || l > maxLength {
			continue
		}
		if d := distance([]rune(w), []rune(f)); d <= limit && d < n {
			best, limit = c, d-1
		}
		if limit < 0 {
			break
		}
	}
	return best
}

// fold removes what people vary without meaning another name.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '_', '-':
			return -1
		}
		return r
	}, strings.ToLower(s))
}

// distance counts insertions, deletions, replacements and swaps of neighbours
// (the "optimal string alignment" variant of Damerau and Levenshtein).
func distance(a, b []rune) int {
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := 1; i <= len(a); i++ {
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
