package mapping

import (
	"fmt"
	"unicode/utf8"
)

// Mask returns what may be shown of a personal value: its first character and its
// length in characters, "j…(18)". An empty value stays empty.
func Mask(s string) string {
	if s == "" {
		return ""
	}
	r, _ := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError || r < ' ' {
		r = '?'
	}
	return fmt.Sprintf("%c…(%d)", r, utf8.RuneCountInString(s))
}
