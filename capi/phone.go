package capi

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	minPhoneDigits = 7
	maxPhoneDigits = 15 // ITU-T E.164
	// maxExtension is the longest extension that is cut off.
	maxExtension = 6
)

// phonePlan is what is needed of a country's numbering plan.
type phonePlan struct {
	calling uint16 // country calling code
	lengths uint32 // bit n: a national number may have n digits
	trunk   string // prefix dialled inside the country, not part of the number
	// keepsZero: national numbers begin with a zero that is part of them.
	keepsZero bool
}

func (p *phonePlan) hasLength(n int) bool { return n < 32 && p.lengths>>n&1 == 1 }

const nanpCalling = 1

// appendPhone appends the digits of a phone number with its country code and
// without symbols or leading zeros. A number without country code is completed
// from the hint; without a hint its digits are taken as they are, because that is
// what Meta documents, and a warning says so.
func (n *normalizer) appendPhone(dst []byte, s string, hint countryCode) (out []byte, code, warning string) {
	start := len(dst)
	if out, ok := appendCleanInternational(dst, s); ok {
		return out, "", ""
	}
	if !isASCII(s) {
		n.ascii = appendASCIIDigits(n.ascii[:0], s)
		s = string(n.ascii)
	}
	s = cutExtension(s)
	international := hasPlus(s)
	if !international {
		s, international = cutExitPrefix(s, hint)
	}
	if !international {
		international = leadingZeros(s) >= 2
	}
	if international {
		return finishInternational(appendDigits(dst, cutOptionalZero(s)), start)
	}
	dst = appendDigits(dst, s)
	digits := dst[start:]
	switch {
	case allZeros(digits):
		return dst[:start], CodePhoneNoDigits, ""
	case hint != noCountry && phonePlans[hint.index()].calling != 0:
		return completeNational(dst, start, &phonePlans[hint.index()], hint, strings.Contains(s, "(0)"))
	case digits[0] == '0':
		return dst[:start], CodePhoneMissingCountryCode, ""
	case !phoneLength(len(digits)):
		return dst[:start], CodePhoneLength, ""
	}
	return dst, "", CodePhoneAssumedInternational
}

// exitPrefix returns what is dialled before the country code of a foreign number,
// where that is not 00, which needs no hint. Source: annex Dialling Procedures
// of the ITU Operational Bulletin.
func exitPrefix(hint countryCode) string {
	switch {
	case hint == noCountry:
		return ""
	case hint == countryAU:
		return "0011"
	case phonePlans[hint.index()].calling == nanpCalling:
		return "011"
	default:
		return ""
	}
}

// cutExitPrefix removes the hint's exit prefix, when enough digits for a complete
// number follow it.
func cutExitPrefix(s string, hint countryCode) (rest string, cut bool) {
	prefix := exitPrefix(hint)
	for i := 0; i < len(s) && prefix != ""; i++ {
		switch {
		case s[i]-'0' > 9:
		case s[i] != prefix[0]:
			return s, false
		case len(prefix) == 1:
			rest = s[i+1:]
			if countDigits(rest) <= minPhoneDigits {
				return s, false
			}
			return rest, true
		default:
			prefix = prefix[1:]
		}
	}
	return s, false
}

// appendCleanInternational is the fast path: a plus and nothing but digits.
func appendCleanInternational(dst []byte, s string) ([]byte, bool) {
	if len(s) < minPhoneDigits+1 || len(s) > maxPhoneDigits+1 || s[0] != '+' || s[1] == '0' || !isDigits(s[1:]) {
		return dst, false
	}
	if possibleTrunkZero(s[1:]) {
		return dst, false
	}
	return append(dst, s[1:]...), true
}

// finishInternational strips leading zeros of a number that says it is complete.
func finishInternational(dst []byte, start int) (out []byte, code, warning string) {
	digits := dst[start:]
	if allZeros(digits) {
		return dst[:start], CodePhoneNoDigits, ""
	}
	zeros := 0
	for digits[zeros] == '0' {
		zeros++
	}
	digits = digits[:copy(digits, digits[zeros:])]
	if !phoneLength(len(digits)) {
		return dst[:start], CodePhoneLength, ""
	}
	if possibleTrunkZero(string(digits)) {
		warning = CodePhoneTrunkZero
	}
	return dst[:start+len(digits)], "", warning
}

// completeNational puts the country code before a national number, or finds that
// it is there already.
func completeNational(dst []byte, start int, plan *phonePlan, hint countryCode, markedZero bool) (out []byte, code, warning string) {
	var calling [3]byte
	cc := appendCalling(calling[:0], plan.calling)
	digits := dst[start:]
	hasCode := len(digits) > len(cc) && string(digits[:len(cc)]) == string(cc)
	prefix := func(skip int) []byte {
		var national [maxPhoneDigits]byte
		n := copy(national[:], digits[skip:])
		return append(append(dst[:start], cc...), national[:n]...)
	}
	switch {
	case len(digits) > maxPhoneDigits:
		return dst[:start], CodePhoneLength, ""

	case hint == countryIT:
		// Italian numbers keep their zero abroad, and vary too much in length to
		// be judged by it.
		if !hasCode || len(digits) < 11 {
			dst = prefix(0)
		}
		if !phoneLength(len(dst) - start) {
			return dst[:start], CodePhoneLength, ""
		}
		return dst, "", ""

	case plan.calling == nanpCalling:
		switch {
		case len(digits) == 10:
			return prefix(0), "", ""
		case len(digits) == 11 && hasCode:
			return dst, "", ""
		}
		return dst[:start], CodePhoneLength, ""
	}

	skip := 0
	if !plan.keepsZero {
		for skip < len(digits) && digits[skip] == '0' {
			skip++
		}
	}
	if plan.hasLength(len(digits) - skip) {
		if skip == 0 && hasCode && plan.hasLength(len(digits)-len(cc)) {
			warning = CodePhoneAmbiguous
		}
		return checkedLength(prefix(skip), start, warning)
	}
	rest := digits[skip:]
	if len(rest) > len(cc) && string(rest[:len(cc)]) == string(cc) {
		national := rest[len(cc):]
		if plan.hasLength(len(national)) {
			return checkedLength(append(dst[:start], rest...), start, "")
		}
		if markedZero && national[0] == '0' && plan.hasLength(len(national)-1) {
			return checkedLength(prefix(skip+len(cc)+1), start, "")
		}
	}
	// Russia, Hungary and their neighbours dial a trunk prefix other than 0.
	if t := plan.trunk; t != "" && t != "0" && len(digits) > len(t) && string(digits[:len(t)]) == t && plan.hasLength(len(digits)-len(t)) {
		return checkedLength(prefix(len(t)), start, "")
	}
	return dst[:start], CodePhoneLength, ""
}

func checkedLength(dst []byte, start int, warning string) (out []byte, code, warn string) {
	if !phoneLength(len(dst) - start) {
		return dst[:start], CodePhoneLength, ""
	}
	return dst, "", warning
}

// possibleTrunkZero reports a complete number whose national part begins with a
// trunk zero that should have been left out: +44 07700 900123. Where the trunk
// prefix is 0 and no number keeps it, such a number can't be reached whatever its
// length.
func possibleTrunkZero(digits string) bool {
	for n := 1; n <= 3 && n < len(digits)-1; n++ {
		if digits[n] != '0' {
			continue
		}
		if plan := planOfCalling(digits[:n]); plan != nil && plan.trunk == "0" && !plan.keepsZero {
			return true
		}
	}
	return false
}

// planOfCalling returns a plan with this calling code, nil if there is none.
func planOfCalling(code string) *phonePlan {
	if hint := callingCountries[number(code)]; hint != noCountry {
		return &phonePlans[hint.index()]
	}
	return nil
}

// cutOptionalZero removes the one "(0)" of +44 (0)20 …, except in Italy, where the
// zero is part of the number.
func cutOptionalZero(s string) string {
	before, after, found := strings.Cut(s, "(0)")
	if !found {
		return s
	}
	var digits [4]byte
	if string(appendDigits(digits[:0], before)) == "39" {
		return s
	}
	return before + after
}

// cutExtension removes ext, extn, extension, x, ;ext= or # and the one to six
// digits after it, also in parentheses, when at least seven digits stand before.
func cutExtension(s string) string {
	s = strings.TrimRight(s, " \t")
	inside := strings.TrimRight(strings.TrimSuffix(s, ")"), " \t")
	end := len(inside)
	for end > 0 && inside[end-1]-'0' <= 9 {
		end--
	}
	if end == 0 || end == len(inside) || len(inside)-end > maxExtension {
		return s
	}
	head := strings.TrimRight(inside[:end], " \t.:")
	for _, mark := range extensionMarks {
		if len(head) < len(mark) || !strings.EqualFold(head[len(head)-len(mark):], mark) {
			continue
		}
		if body := head[:len(head)-len(mark)]; countDigits(body) >= minPhoneDigits {
			return strings.TrimRight(body, " \t(")
		}
	}
	return s
}

// extensionMarks are tried longest first.
var extensionMarks = []string{"extension", ";ext=", "extn", "ext", "x", "#"}

// appendASCIIDigits appends s with decimal digits of other scripts as ASCII ones
// and the full-width plus and parentheses as theirs.
func appendASCIIDigits(dst []byte, s string) []byte {
	for _, r := range s {
		switch {
		case r == '＋':
			r = '+'
		case r == '（':
			r = '('
		case r == '）':
			r = ')'
		case r >= utf8.RuneSelf && unicode.IsDigit(r):
			r = '0' + rune(decimalDigit(r))
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// decimalDigit returns the value of a decimal digit of any script. Unicode encodes
// each script's digits as ten consecutive code points starting at zero, and a
// script's runs adjoin without gaps, so the distance to the start of the run of
// digits, modulo ten, is the value.
func decimalDigit(r rune) int {
	first := r
	for unicode.IsDigit(first - 1) {
		first--
	}
	return int(r-first) % 10
}

func appendDigits(dst []byte, s string) []byte {
	for i := range len(s) {
		if s[i]-'0' <= 9 {
			dst = append(dst, s[i])
		}
	}
	return dst
}

func countDigits(s string) int {
	n := 0
	for i := range len(s) {
		if s[i]-'0' <= 9 {
			n++
		}
	}
	return n
}

// hasPlus reports whether a plus stands before the first digit.
func hasPlus(s string) bool {
	plus := strings.IndexByte(s, '+')
	return plus >= 0 && countDigits(s[:plus]) == 0
}

// leadingZeros counts the zeros before the first other digit.
func leadingZeros(s string) int {
	n := 0
	for i := range len(s) {
		switch d := s[i] - '0'; {
		case d == 0:
			n++
		case d <= 9:
			return n
		}
	}
	return n
}

func allZeros(digits []byte) bool {
	for _, d := range digits {
		if d != '0' {
			return false
		}
	}
	return true
}

func phoneLength(n int) bool { return n >= minPhoneDigits && n <= maxPhoneDigits }

func appendCalling(dst []byte, code uint16) []byte {
	switch {
	case code >= 100:
		return append(dst, byte('0'+code/100), byte('0'+code/10%10), byte('0'+code%10))
	case code >= 10:
		return append(dst, byte('0'+code/10), byte('0'+code%10))
	default:
		return append(dst, byte('0'+code))
	}
}
