package capi

import (
	"unicode"
	"unicode/utf8"
)

// appendCity appends a town: folded and squashed. Meta says both "no special
// characters" and "UTF-8 if you use special characters"; only the second lets
// names outside English match, so letters of all scripts stay.
func (f *folder) appendCity(dst []byte, s string) (out []byte, code string) {
	return f.squashedOrEmpty(dst, s)
}

// appendState appends a state or province. American names become their two-letter
// code; with the hint us nothing else is accepted. Elsewhere the name or code
// stays as it was given.
func (f *folder) appendState(dst []byte, s string, hint countryCode) (out []byte, code string) {
	start := len(dst)
	dst, code = f.squashedOrEmpty(dst, s)
	if code != "" || (hint != countryUS && hint != noCountry) {
		return dst, code
	}
	if state, ok := usStateCodes[string(dst[start:])]; ok {
		return append(dst[:start], state...), ""
	}
	if hint == countryUS && !usStates[string(dst[start:])] {
		return dst[:start], CodeUSStateUnknown
	}
	return dst, ""
}

// appendZip appends a postal code without spaces and dashes. American codes keep
// five digits; British ones stay whole, as in Meta's own example m11ae.
func (f *folder) appendZip(dst []byte, s string, hint countryCode) (out []byte, code string) {
	if hint == noCountry && looksLikeZipPlus4(s) {
		return append(dst, s[:5]...), ""
	}
	start := len(dst)
	f.folded = f.appendFolded(f.folded[:0], s)
	for rest := f.folded; len(rest) > 0; {
		r, size := utf8.DecodeRune(rest)
		switch {
		case unicode.IsSpace(r), unicode.In(r, unicode.Z, unicode.Pd):
		case r < utf8.RuneSelf && asciiKinds[r] == asciiOther, r >= utf8.RuneSelf && !isLetterMarkDigit(r):
			return dst[:start], CodeZipInvalid
		default:
			dst = append(dst, rest[:size]...)
		}
		rest = rest[size:]
	}
	zip := dst[start:]
	if hint == countryUS {
		if (len(zip) != 5 && len(zip) != 9) || !isDigits(string(zip)) {
			return dst[:start], CodeUSZipInvalid
		}
		return dst[:start+5], ""
	}
	if utf8.RuneCount(zip) < 2 {
		return dst[:start], CodeZipInvalid
	}
	return dst, ""
}

func isLetterMarkDigit(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsMark(r) || unicode.IsDigit(r)
}

// looksLikeZipPlus4 reports the two ways Americans write nine digits. No other
// postal code has that shape, so no country is needed to know it.
func looksLikeZipPlus4(s string) bool {
	return len(s) == 10 && (s[5] == '-' || s[5] == ' ') && isDigits(s[:5]) && isDigits(s[6:])
}

// appendCountry appends an ISO 3166-1 alpha-2 code in lower case, from the code,
// the alpha-3 code, the English short name or a common alias. Prefixes and parts
// of names are never guessed at.
func (f *folder) appendCountry(dst []byte, s string) (out []byte, code string) {
	start := len(dst)
	dst = f.appendSquashed(dst, s)
	if len(dst) == start {
		return dst, CodeEmpty
	}
	cc, ok := lookupCountry(dst[start:])
	if !ok {
		return dst[:start], CodeCountryUnknown
	}
	return cc.append(dst[:start]), ""
}
