package capi

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// appendName appends a first or last name: folded, without punctuation and inner
// spaces. Meta's documents are silent about the spaces; its newest own normaliser
// removes them, and so do we. Titles and suffixes stay, full names are not split.
func (f *folder) appendName(dst []byte, s string) (out []byte, code string) {
	return f.squashedOrEmpty(dst, s)
}

// appendGender appends f or m. Titles are not read as genders, and other values
// are dropped, because Meta takes no third.
func (f *folder) appendGender(dst []byte, s string) (out []byte, code string) {
	start := len(dst)
	dst = f.appendSquashed(dst, s)
	switch string(dst[start:]) {
	case "f", "female", "woman":
		return append(dst[:start], 'f'), ""
	case "m", "male", "man":
		return append(dst[:start], 'm'), ""
	default:
		return dst[:start], CodeGenderUnsupported
	}
}

// squashedOrEmpty is appendSquashed for fields where nothing left is an error.
func (f *folder) squashedOrEmpty(dst []byte, s string) (out []byte, code string) {
	start := len(dst)
	dst = f.appendSquashed(dst, s)
	if !hasLetterOrNumber(dst[start:]) {
		return dst[:start], CodeEmpty
	}
	return dst, ""
}

// hasLetterOrNumber tells text from what emoji leave behind: marks and variation
// selectors without a letter to stand on.
func hasLetterOrNumber(squashed []byte) bool {
	if len(squashed) > 0 && squashed[0] < utf8.RuneSelf {
		return true // squashed ASCII is nothing else
	}
	return bytes.ContainsFunc(squashed, func(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) })
}
