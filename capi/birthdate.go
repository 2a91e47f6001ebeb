package capi

import (
	"strings"
	"time"
)

// civilDate is a date without a zone.
type civilDate struct{ year, month, day int }

const firstBirthYear = 1900

// civilToday is the UTC date of a moment. It bounds birth dates, so a day more or
// less at the date line decides nothing.
func civilToday(now time.Time) civilDate {
	y, m, d := now.UTC().Date()
	return civilDate{y, int(m), d}
}

// appendBirthDate appends YYYYMMDD. Three numbers with separators are year-month-
// day when the year comes first, month-day-year when it comes last, and month and
// day change places when only that makes a date. Eight digits are YYYYMMDD, or
// else MMDDYYYY.
func appendBirthDate(dst []byte, s string, today civilDate) (out []byte, code, warning string) {
	date, code, warning := parseBirthDate(s, today)
	if code != "" {
		return dst, code, ""
	}
	return date.append(dst), "", warning
}

func parseBirthDate(s string, today civilDate) (date civilDate, code, warning string) {
	if len(s) == 8 && isDigits(s) {
		date, code = parseEightDigits(s, today)
		return date, code, ""
	}
	groups, code := splitDate(dateOfTimestamp(s))
	if code != "" {
		return civilDate{}, code, ""
	}
	yearFirst, yearLast := len(groups[0]) == 4, len(groups[2]) == 4
	a, b, c := number(groups[0]), number(groups[1]), number(groups[2])
	switch {
	case yearFirst == yearLast || len(groups[1]) > 2:
		return civilDate{}, CodeDOBInvalid, ""
	case yearFirst:
		date = civilDate{a, b, c}
	default:
		date = civilDate{c, a, b}
		if a <= 12 && b <= 12 && a != b {
			warning = CodeDOBAmbiguous
		}
	}
	if date.month > 12 && date.day <= 12 {
		date.month, date.day = date.day, date.month
	}
	return date, date.check(today), warning
}

// parseEightDigits prefers the reading that is a possible birth date.
func parseEightDigits(s string, today civilDate) (civilDate, string) {
	yearFirst := civilDate{number(s[:4]), number(s[4:6]), number(s[6:])}
	yearLast := civilDate{number(s[4:]), number(s[:2]), number(s[2:4])}
	code := yearFirst.check(today)
	if code == "" {
		return yearFirst, ""
	}
	if yearLast.check(today) == "" {
		return yearLast, ""
	}
	return yearFirst, code
}

// dateOfTimestamp cuts the time of day from YYYY-MM-DD followed by T or a space
// and a time. Other text is returned whole.
func dateOfTimestamp(s string) string {
	i := strings.IndexAny(s, "Tt ")
	if i < 0 || len(s) < 4 || !isDigits(s[:4]) || strings.IndexByte(s, ':') < i {
		return s
	}
	for _, b := range []byte(s[i+1:]) {
		if b-'0' > 9 && !strings.ContainsRune(":.,+-Zz ", rune(b)) {
			return s
		}
	}
	return s[:i]
}

// splitDate splits a text into three groups of one to four digits.
func splitDate(s string) (groups [3]string, code string) {
	rest := s
	for i := range groups {
		n := 0
		for n < len(rest) && rest[n]-'0' <= 9 {
			n++
		}
		if n == 0 || n > 4 || n == 3 {
			return groups, CodeDOBInvalid
		}
		groups[i], rest = rest[:n], rest[n:]
		if i == len(groups)-1 {
			break
		}
		after := strings.TrimLeft(rest, dateSeparators)
		if len(after) == len(rest) {
			return groups, CodeDOBInvalid
		}
		rest = after
	}
	if rest != "" {
		return groups, CodeDOBInvalid
	}
	if len(groups[0]) <= 2 && len(groups[1]) <= 2 && len(groups[2]) <= 2 {
		return groups, CodeDOBTwoDigitYear
	}
	return groups, ""
}

const dateSeparators = "/-. ,"

// check returns the code that says why a date can't be a birth date.
func (d civilDate) check(today civilDate) string {
	if d.month < 1 || d.month > 12 || d.day < 1 || d.day > daysIn(d.month, d.year) {
		return CodeDOBInvalid
	}
	if d.year < firstBirthYear || today.before(d) {
		return CodeDOBOutOfRange
	}
	return ""
}

func (d civilDate) before(e civilDate) bool {
	return d.year < e.year || d.year == e.year && (d.month < e.month || d.month == e.month && d.day < e.day)
}

func (d civilDate) append(dst []byte) []byte {
	return append(dst,
		byte('0'+d.year/1000), byte('0'+d.year/100%10), byte('0'+d.year/10%10), byte('0'+d.year%10),
		byte('0'+d.month/10), byte('0'+d.month%10), byte('0'+d.day/10), byte('0'+d.day%10))
}

func daysIn(month, year int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	default:
		return 31
	}
}

// number reads at most four digits.
func number(digits string) int {
	n := 0
	for i := range len(digits) {
		n = n*10 + int(digits[i]-'0')
	}
	return n
}
