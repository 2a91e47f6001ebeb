package mapping

import (
	"fmt"
	"strings"
	"time"
)

// layout is a compiled date or time format, written as people write them:
// "DD/MM/YYYY HH:mm".
type layout struct {
	name  string
	parts []layoutPart
	// epoch layouts are a count of seconds (1) or milliseconds (1000) since 1970.
	epoch   int64
	iso     bool
	excel   bool // days since 1899-12-30
	hasTime bool
	zoned   bool // the text itself holds the offset from UTC
}

type layoutPart struct {
	token   string // "" for a literal
	literal string
}

// tokens of a format, longest first where one is the start of another.
var layoutTokens = []string{"YYYY", "YY", "MMM", "MM", "M", "DD", "D", "HH", "H", "hh", "h", "mm", "ss", "SSS", "A", "ZZ"}

// Formats with a name.
const (
	formatISO     = "iso"
	formatEpoch   = "epoch"
	formatEpochMS = "epoch_ms"
	formatExcel   = "excel"
)

// civil is a date and time of day as written, not yet a moment.
type civil struct {
	year, month, day     int
	hour, minute, second int
	hasDate, hasTime     bool
	zoned                bool
	offset               int   // seconds east of UTC, when zoned
	epoch                int64 // seconds since 1970, when isEpoch
	isEpoch              bool
}

func (c civil) date() string { return fmt.Sprintf("%04d-%02d-%02d", c.year, c.month, c.day) }

// seconds is the number of seconds since 1970 if the civil time were UTC.
func (c civil) seconds() int64 {
	return time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC).Unix()
}

// layout compiles a format of the mapping.
func (d *decoder) layout(c cursor, s string) (*layout, bool) {
	l, problem := compileLayout(s)
	if problem != "" {
		d.fault(c, "use iso, epoch, epoch_ms, excel, or a pattern of "+strings.Join(layoutTokens, " ")+` with literal text in [brackets], such as "DD/MM/YYYY HH:mm"`,
			"time format %q: %s", clip(s), problem)
		return nil, false
	}
	return l, true
}

func compileLayout(s string) (*layout, string) {
	switch s {
	case formatISO:
		return &layout{name: s, iso: true, hasTime: true}, ""
	case formatEpoch:
		return &layout{name: s, epoch: 1, zoned: true, hasTime: true}, ""
	case formatEpochMS:
		return &layout{name: s, epoch: 1000, zoned: true, hasTime: true}, ""
	case formatExcel:
		return &layout{name: s, excel: true, hasTime: true}, ""
	}
	l := &layout{name: s}
	seen := map[byte]bool{}
	for rest := s; rest != ""; {
		if text, after, ok := bracketed(rest); ok {
			l.parts = append(l.parts, layoutPart{literal: text})
			rest = after
			continue
		}
		token := ""
		for _, t := range layoutTokens {
			if strings.HasPrefix(rest, t) {
				token = t
				break
			}
		}
		if token == "" {
			c := rest[0]
			if c|0x20 >= 'a' && c|0x20 <= 'z' && c != 'T' && c != 'Z' {
				return nil, fmt.Sprintf("%q is not a token", string(c))
			}
			l.parts = append(l.parts, layoutPart{literal: rest[:1]})
			rest = rest[1:]
			continue
		}
		kind := layoutKind(token)
		if seen[kind] {
			return nil, fmt.Sprintf("%s is given twice", token)
		}
		seen[kind] = true
		l.parts = append(l.parts, layoutPart{token: token})
		rest = rest[len(token):]
	}
	if !seen['Y'] || !seen['M'] || !seen['D'] {
		return nil, "a year, a month and a day are needed"
	}
	if seen['h'] && !seen['A'] {
		return nil, "hh counts to twelve and needs A (AM or PM); HH counts to 24"
	}
	if seen['A'] && !seen['h'] {
		return nil, "A (AM or PM) goes with hh, not with HH"
	}
	l.hasTime, l.zoned = seen['H'] || seen['h'], seen['Z']
	if !l.hasTime && (seen['m'] || seen['s']) {
		return nil, "minutes without an hour"
	}
	return l, ""
}

// layoutKind tells which part of a time a token is.
func layoutKind(token string) byte {
	if token == "SSS" {
		return 'f'
	}
	return token[0]
}

func bracketed(s string) (text, after string, ok bool) {
	if !strings.HasPrefix(s, "[") {
		return "", "", false
	}
	return strings.Cut(s[1:], "]")
}

var monthNames = [12]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// parse reads s, all of it.
func (l *layout) parse(s string) (c civil, ok bool) {
	switch {
	case l.iso:
		return parseISO(s)
	case l.excel:
		return parseExcel(s)
	case l.epoch > 0:
		return parseEpoch(s, l.epoch)
	}
	pm, twelve := false, false
	for _, p := range l.parts {
		if p.token == "" {
			if !strings.HasPrefix(s, p.literal) {
				return civil{}, false
			}
			s = s[len(p.literal):]
			continue
		}
		switch p.token {
		case "MMM":
			c.month, s, ok = monthName(s)
		case "A":
			pm, s, ok = meridiem(s)
		case "ZZ":
			c.offset, s, ok = parseOffset(s)
			c.zoned = ok
		case "SSS":
			s, ok = fraction(s)
		default:
			var n int
			n, s, ok = digitsOf(s, p.token)
			twelve = c.set(p.token, n) || twelve
		}
		if !ok {
			return civil{}, false
		}
	}
	if twelve {
		if c.hour < 1 || c.hour > 12 {
			return civil{}, false
		}
		c.hour %= 12
		if pm {
			c.hour += 12
		}
	}
	c.hasDate, c.hasTime = true, l.hasTime
	return c, s == "" && c.valid()
}

// set stores a number; it reports whether it is an hour of twelve.
func (c *civil) set(token string, n int) bool {
	switch token[0] {
	case 'Y':
		if token == "YY" {
			// The rule of POSIX strptime: 69 to 99 are the last century.
			if n += 2000; n >= 2069 {
				n -= 100
			}
		}
		c.year = n
	case 'M':
		c.month = n
	case 'D':
		c.day = n
	case 'H':
		c.hour = n
	case 'h':
		c.hour = n
		return true
	case 'm':
		c.minute = n
	case 's':
		c.second = n
	}
	return false
}

// valid reports whether the date exists. A leap second counts as the second before.
func (c *civil) valid() bool {
	if c.second == 60 {
		c.second = 59
	}
	if c.month < 1 || c.month > 12 || c.day < 1 || c.hour > 23 || c.minute > 59 || c.second > 59 || c.year < 1000 || c.year > 9999 {
		return false
	}
	return c.day <= daysIn(c.year, c.month)
}

func daysIn(year, month int) int {
	switch month {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// digitsOf reads the number of a token: as many digits as its letters, or one or
// two where the token is a single letter.
func digitsOf(s, token string) (n int, rest string, ok bool) {
	least, most := len(token), len(token)
	if most == 1 {
		most = 2
	}
	i := 0
	for i < len(s) && i < most && s[i]-'0' <= 9 {
		n = n*10 + int(s[i]-'0')
		i++
	}
	return n, s[i:], i >= least
}

func monthName(s string) (month int, rest string, ok bool) {
	if len(s) < 3 {
		return 0, s, false
	}
	for i, name := range monthNames {
		if strings.EqualFold(s[:3], name) {
			return i + 1, s[3:], true
		}
	}
	return 0, s, false
}

func meridiem(s string) (pm bool, rest string, ok bool) {
	if len(s) < 2 {
		return false, s, false
	}
	switch strings.ToLower(s[:2]) {
	case "am":
		return false, s[2:], true
	case "pm":
		return true, s[2:], true
	}
	return false, s, false
}

// fraction passes over one to nine digits of a second; events are in seconds.
func fraction(s string) (rest string, ok bool) {
	i := 0
	for i < len(s) && i < 9 && s[i]-'0' <= 9 {
		i++
	}
	return s[i:], i > 0
}
