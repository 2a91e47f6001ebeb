package capi

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// asciiKind classifies ASCII for the fast paths.
type asciiKind uint8

const (
	asciiOther asciiKind = iota // punctuation, symbols, controls, space
	asciiDigit
	asciiLower
	asciiUpper
	notASCII
)

var asciiKinds = func() (t [256]asciiKind) {
	for b := range t {
		switch {
		case b >= utf8.RuneSelf:
			t[b] = notASCII
		case '0' <= b && b <= '9':
			t[b] = asciiDigit
		case 'a' <= b && b <= 'z':
			t[b] = asciiLower
		case 'A' <= b && b <= 'Z':
			t[b] = asciiUpper
		}
	}
	return t
}()

// isBlank reports the characters that are trimmed at both ends: Unicode
// White_Space, and the two invisible ones that spreadsheets leave behind.
func isBlank(r rune) bool {
	return unicode.IsSpace(r) || r == '\uFEFF' || r == '\u200B'
}

// trim removes blanks at both ends.
func trim(s string) string {
	if s == "" || (isPlain(s[0]) && isPlain(s[len(s)-1])) {
		return s
	}
	return strings.TrimFunc(s, isBlank)
}

// isPlain reports a visible ASCII character.
func isPlain(b byte) bool { return b > ' ' && b < 0x7f }

// The word-at-a-time checks below look at eight bytes in one step. A text that is
// not a multiple of eight long ends with a word that overlaps the one before.
const (
	wordBytes = 8
	ones      = 0x0101010101010101
	highBits  = 0x80 * ones
)

// word loads eight bytes; the compiler makes one load of it.
func word(s string, i int) uint64 {
	s = s[i : i+wordBytes]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// isASCII reports whether s has no byte above 0x7f.
func isASCII(s string) bool {
	if len(s) < wordBytes {
		var all byte
		for i := range len(s) {
			all |= s[i]
		}
		return all < utf8.RuneSelf
	}
	all := word(s, len(s)-wordBytes)
	for i := 0; i+wordBytes < len(s); i += wordBytes {
		all |= word(s, i)
	}
	return all&highBits == 0
}

// isPlainText reports ASCII that JSON strings hold as it is: no controls, quotes
// or backslashes.
func isPlainText(s string) bool {
	if len(s) < wordBytes {
		for i := range len(s) {
			if b := s[i]; b >= utf8.RuneSelf || needsEscape[b] {
				return false
			}
		}
		return true
	}
	special := specialBytes(word(s, len(s)-wordBytes))
	for i := 0; i+wordBytes < len(s); i += wordBytes {
		special |= specialBytes(word(s, i))
	}
	return special == 0
}

// specialBytes is not zero when a byte of w lies above 0x7f or below 0x20, or is a
// quote or a backslash. Where a byte above 0x7f is there, it may set bits for its
// neighbours too, which does not matter.
func specialBytes(w uint64) uint64 {
	quote, backslash := w^'"'*ones, w^'\\'*ones
	return (w | (w - 0x20*ones) | (quote-ones)&^quote | (backslash-ones)&^backslash) & highBits
}

// folder lower-cases as the Unicode standard says: NFC, full lower-casing, NFC.
// Meta's JavaScript and Python do the same. strings.ToLower does not: it maps
// İ to i and knows no final sigma.
type folder struct {
	caser  cases.Caser
	folded []byte
}

func newFolder() folder { return folder{caser: cases.Lower(language.Und)} }

// appendFolded appends the folded form of s, which must be valid UTF-8.
func (f *folder) appendFolded(dst []byte, s string) []byte {
	start := len(dst)
	for i := range len(s) {
		switch b := s[i]; asciiKinds[b] {
		case asciiUpper:
			dst = append(dst, b|0x20)
		case notASCII:
			return f.appendFoldedUnicode(dst[:start], s)
		default:
			dst = append(dst, b)
		}
	}
	return dst
}

// appendFoldedUnicode avoids the two-pass library for the text most names are
// made of. Full lower-casing differs from mapping each rune only for İ, which
// becomes two runes, and for Σ, which depends on its neighbours.
func (f *folder) appendFoldedUnicode(dst []byte, s string) []byte {
	if !strings.ContainsAny(s, "İΣ") && norm.NFC.IsNormalString(s) {
		start := len(dst)
		for _, r := range s {
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		if norm.NFC.IsNormal(dst[start:]) {
			return dst
		}
		dst = dst[:start]
	}
	// norm's own Append would compose a leading mark with what dst ends in.
	return append(dst, norm.NFC.String(f.caser.String(norm.NFC.String(s)))...)
}

// appendSquashed appends the folded form of s without punctuation, symbols,
// separators, controls and invisible format characters. Letters of all scripts,
// their marks, and digits stay.
func (f *folder) appendSquashed(dst []byte, s string) []byte {
	start := len(dst)
	for i := range len(s) {
		switch b := s[i]; asciiKinds[b] {
		case asciiLower, asciiDigit:
			dst = append(dst, b)
		case asciiUpper:
			dst = append(dst, b|0x20)
		case notASCII:
			return f.appendSquashedUnicode(dst[:start], s)
		}
	}
	return dst
}

func (f *folder) appendSquashedUnicode(dst []byte, s string) []byte {
	f.folded = f.appendFoldedUnicode(f.folded[:0], s)
	start := len(dst)
	for rest := f.folded; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		if !isSquashed(r) {
			dst = append(dst, rest[:size]...)
		}
		rest = rest[size:]
	}
	// Taking a character out can bring two together that compose.
	if !norm.NFC.IsNormal(dst[start:]) {
		return append(dst[:start], norm.NFC.String(string(dst[start:]))...)
	}
	return dst
}

// isSquashed reports the characters that names, towns and states lose.
func isSquashed(r rune) bool {
	if unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r) {
		return false
	}
	return unicode.IsSpace(r) || unicode.In(r, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf)
}
