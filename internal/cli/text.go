package cli

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// thousands writes 1234567 as "1 234 567".
func thousands[T ~int | ~int64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	sign := ""
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	var parts []string
	for len(s) > 3 {
		parts = append([]string{s[len(s)-3:]}, parts...)
		s = s[:len(s)-3]
	}
	return sign + strings.Join(append([]string{s}, parts...), " ")
}

// amount writes decimal text with two places and grouped thousands, more places
// only when they say something.
func amount(s string) string {
	whole, frac, _ := strings.Cut(s, ".")
	for len(frac) < 2 {
		frac += "0"
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return s
	}
	text := thousands(n)
	if n == 0 && strings.HasPrefix(whole, "-") {
		text = "-0"
	}
	return text + "." + frac
}

// byCount writes "a 3 · b 1", the most frequent first.
func byCount(m map[string]int) string {
	keys := slices.SortedFunc(maps.Keys(m), func(a, b string) int {
		if m[a] != m[b] {
			return m[b] - m[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, k := range keys {
		parts = append(parts, k+" "+thousands(m[k]))
	}
	return strings.Join(parts, " · ")
}

// inOrder writes "a 3 · b 1" in the given order, leaving out what is zero.
func inOrder(m map[string]int, order []string) string {
	var parts []string
	for _, k := range order {
		if m[k] > 0 {
			parts = append(parts, k+" "+thousands(m[k]))
		}
	}
	return strings.Join(parts, " · ")
}

func stamp(t time.Time) string { return t.UTC().Format("2006-01-02 15:04 UTC") }

// style paints text when stdout is a terminal.
func (c *command) style(code, s string) string {
	if !c.color {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

func (c *command) bold(s string) string   { return c.style("1", s) }
func (c *command) dim(s string) string    { return c.style("2", s) }
func (c *command) good(s string) string   { return c.style("32", s) }
func (c *command) bad(s string) string    { return c.style("31", s) }
func (c *command) notice(s string) string { return c.style("33", s) }

// field writes one line "  name   value".
func field(w io.Writer, name, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	_, _ = fmt.Fprintf(w, "  %-11s %s\n", name, strings.TrimRight(text, " "))
}

func line(w io.Writer, format string, args ...any) {
	_, _ = fmt.Fprintf(w, format+"\n", args...)
}

// shown makes text from a file safe for a terminal: control, bidirectional and
// other invisible characters, and bytes that are no UTF-8, are written as Go
// escapes. Ordinary text of any script stays as it is.
func shown(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r == utf8.RuneError || !unicode.IsPrint(r) }) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		r, n := utf8.DecodeRuneInString(s)
		if unicode.IsPrint(r) && (r != utf8.RuneError || n > 1) {
			b.WriteString(s[:n])
		} else {
			quoted := strconv.Quote(s[:n])
			b.WriteString(quoted[1 : len(quoted)-1])
		}
		s = s[n:]
	}
	return b.String()
}
