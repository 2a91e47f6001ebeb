package policy

import "strings"

// closest is the candidate that a word is probably a slip of, or empty. Capitals,
// spaces, "_" and "-" do not count as differences.
func closest(word string, candidates []string) string {
	w := letters(word)
	if len(w) == 0 || len(w) > maxName {
		return ""
	}
	best, limit := "", max(1, len(w)/3)
	for _, c := range candidates {
		if d := slips(w, letters(c)); d <= limit && d < len(w) {
			best, limit = c, d-1
		}
	}
	return best
}

func letters(s string) []rune {
	return []rune(strings.Map(func(r rune) rune {
		if r == '_' || r == '-' || r == ' ' {
			return -1
		}
		return r
	}, strings.ToLower(s)))
}

// slips counts letters left out, added or mistaken, and neighbours swapped.
func slips(a, b []rune) int {
	var before []int
	last := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range a {
		row := make([]int, len(b)+1)
		row[0] = i + 1
		for j := range b {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last = last, row
	}
	return last[len(b)]
}
