package capi

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"
)

// folded is the definition the fast paths have to agree with.
func folded(s string) string {
	return norm.NFC.String(cases.Lower(language.Und).String(norm.NFC.String(s)))
}

// TestFoldingEveryCharacter compares the fast path with the definition for every
// character alone, inside a word, at its end, and before a combining mark.
func TestFoldingEveryCharacter(t *testing.T) {
	t.Parallel()
	f := newFolder()
	var got []byte
	for r := rune(0); r <= unicode.MaxRune; r++ {
		// Scripts without case, which are most of the code space, are left out.
		if !utf8.ValidRune(r) || !unicode.IsLetter(r) && !unicode.IsMark(r) || unicode.In(r, unicode.Han, unicode.Hangul, unicode.Tangut) {
			continue
		}
		for _, s := range []string{string(r), "A" + string(r), "A" + string(r) + "b", string(r) + "\u0301"} {
			if got = f.appendFolded(got[:0], s); string(got) != folded(s) {
				t.Fatalf("%U in %q: %q, want %q", r, s, got, folded(s))
			}
		}
	}
}

func TestSquashProperties(t *testing.T) {
	t.Parallel()
	f := newFolder()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.SampledFrom([]rune("aAeİΣσ!- \u0300\u0301\u0307\u1e9b\u0323가\u11a8")))).Draw(t, "s")
		got := string(f.appendSquashed([]byte("before"), s)[len("before"):])
		if again := string(f.appendSquashed(nil, got)); again != got {
			t.Fatalf("%q becomes %q, then %q", s, got, again)
		}
		for _, r := range got {
			if unicode.In(r, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf) || unicode.IsSpace(r) {
				t.Fatalf("%U is left of %q", r, s)
			}
		}
		want := norm.NFC.String(strings.Map(func(r rune) rune {
			if unicode.In(r, unicode.P, unicode.S, unicode.Z, unicode.Cc, unicode.Cf) || unicode.IsSpace(r) {
				return -1
			}
			return r
		}, folded(s)))
		if got != want {
			t.Fatalf("%q becomes %q, want %q", s, got, want)
		}
	})
}

// TestWordChecks compares the eight-bytes-at-a-time checks with the plain ones.
func TestWordChecks(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := []byte(strings.Repeat("a", rapid.IntRange(0, 40).Draw(t, "length")))
		for range rapid.IntRange(0, 2).Draw(t, "odd") {
			if len(text) > 0 {
				text[rapid.IntRange(0, len(text)-1).Draw(t, "at")] = rapid.Byte().Draw(t, "byte")
			}
		}
		ascii, plain := true, true
		for _, b := range text {
			ascii = ascii && b < 0x80
			plain = plain && b < 0x80 && b >= 0x20 && b != '"' && b != '\\'
		}
		if isASCII(string(text)) != ascii {
			t.Fatalf("isASCII(%q) = %t", text, !ascii)
		}
		if isPlainText(string(text)) != plain {
			t.Fatalf("isPlainText(%q) = %t", text, !plain)
		}
	})
}

// TestDecimalDigits checks the assumption behind decimalDigit: that the decimal
// digits of a script lie in runs of whole tens.
func TestDecimalDigits(t *testing.T) {
	t.Parallel()
	run := 0
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		if unicode.IsDigit(r) {
			if got := decimalDigit(r); got != run%10 {
				t.Errorf("%U is %d, want %d", r, got, run%10)
			}
			run++
			continue
		}
		if run%10 != 0 {
			t.Errorf("a run of %d digits ends before %U", run, r)
		}
		run = 0
	}
}
