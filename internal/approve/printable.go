package approve

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
)

// printable writes everything that could hide or reorder text as an escape. What an
// agent sends must look to the person who decides as it will to the server: characters
// without width, and those that turn the reading direction, are how it would not.
func printable(s string) string {
	if strings.IndexFunc(s, hides) < 0 {
		return s
	}
	var b strings.Builder
	for _, r := range s {
		switch {
		case !hides(r):
			b.WriteRune(r)
		case r > 0xFFFF:
			hi, lo := utf16.EncodeRune(r)
			_, _ = fmt.Fprintf(&b, `\u%04x\u%04x`, hi, lo) // a Builder takes everything
		default:
			_, _ = fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}

// hides reports characters that show nothing, or show others elsewhere.
func hides(r rune) bool {
	switch {
	case r == ' ':
		return false
	case r == unicode.ReplacementChar:
		return false
	case unicode.In(r, unicode.Cc, unicode.Cf, unicode.Co, unicode.Cs, unicode.Zl, unicode.Zp, unicode.Zs, unicode.Variation_Selector):
		return true
	case r == 0x115F, r == 0x1160, r == 0x3164, r == 0xFFA0, r == 0x2800, r == 0x034F:
		return true // blanks that count as letters or marks
	}
	return !unicode.IsGraphic(r)
}

// Pretty indents JSON for a person to read, nothing in it hidden. What is longer than
// most is cut off, and how much is said.
func Pretty(raw json.RawMessage, most int) (text string, left int) {
	var b bytes.Buffer
	if json.Indent(&b, raw, "", "  ") != nil {
		return "", 0
	}
	lines := strings.Split(b.String(), "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	text = strings.Join(lines, "\n")
	if len(text) > most {
		left = len(text) - most
		text = strings.ToValidUTF8(text[:most], "")
	}
	return text, left
}
