package mapping

// parseISO reads ISO 8601 as databases and programs write it: a date, or a date
// and a time joined by "T" or one space, with seconds and their fraction
// optional, and "Z" or an offset optional.
func parseISO(s string) (c civil, ok bool) {
	if len(s) < 10 || s[4] != '-' || s[7] != '-' {
		return c, false
	}
	if c.year, ok = fixed(s[0:4]); !ok {
		return c, false
	}
	if c.month, ok = fixed(s[5:7]); !ok {
		return c, false
	}
	if c.day, ok = fixed(s[8:10]); !ok {
		return c, false
	}
	c.hasDate = true
	if s = s[10:]; s == "" {
		return c, c.valid()
	}
	if len(s) < 6 || s[0] != 'T' && s[0] != 't' && s[0] != ' ' || s[3] != ':' {
		return c, false
	}
	if c.hour, ok = fixed(s[1:3]); !ok {
		return c, false
	}
	if c.minute, ok = fixed(s[4:6]); !ok {
		return c, false
	}
	c.hasTime = true
	s = s[6:]
	if len(s) >= 3 && s[0] == ':' {
		if c.second, ok = fixed(s[1:3]); !ok {
			return c, false
		}
		s = s[3:]
		if len(s) > 1 && (s[0] == '.' || s[0] == ',') {
			if s, ok = fraction(s[1:]); !ok {
				return c, false
			}
		}
	}
	if len(s) > 0 && s[0] == ' ' {
		s = s[1:] // PostgreSQL and Ruby put a space before the offset
		if s == "" {
			return c, false
		}
	}
	if s != "" {
		if c.offset, s, c.zoned = parseOffset(s); !c.zoned || s != "" {
			return c, false
		}
	}
	return c, c.valid()
}

// parseOffset reads "Z", "UTC", "+01", "+0100" or "+01:00".
func parseOffset(s string) (seconds int, rest string, ok bool) {
	switch {
	case len(s) >= 1 && (s[0] == 'Z' || s[0] == 'z'):
		return 0, s[1:], true
	case len(s) >= 3 && s[:3] == "UTC":
		return 0, s[3:], true
	case len(s) < 3 || s[0] != '+' && s[0] != '-':
		return 0, s, false
	}
	hours, ok := fixed(s[1:3])
	if !ok || hours > 14 {
		return 0, s, false
	}
	rest = s[3:]
	minutes := 0
	if m := rest; len(m) >= 2 {
		if m[0] == ':' {
			m = m[1:]
		}
		if len(m) >= 2 {
			if n, ok := fixed(m[:2]); ok && n < 60 {
				minutes, rest = n, m[2:]
			}
		}
	}
	seconds = hours*3600 + minutes*60
	if s[0] == '-' {
		seconds = -seconds
	}
	return seconds, rest, true
}

// parseEpoch reads a count since 1970 in parts of a second. The number of digits
// is checked, because seconds taken for milliseconds are a date in 1970 and the
// reverse is one in the year 50000: 9 or 10 digits of seconds reach from 1973 to
// 2286.
func parseEpoch(s string, parts int64) (c civil, ok bool) {
	// Data frames write whole seconds as "1700000000.0".
	whole, tail := s, ""
	for i := range len(s) {
		if s[i] == '.' {
			whole, tail = s[:i], s[i+1:]
			if rest, ok := fraction(tail); !ok || rest != "" {
				return c, false
			}
			break
		}
	}
	least, most := 9, 10
	if parts == 1000 {
		least, most = 12, 13
	}
	if len(whole) < least || len(whole) > most {
		return c, false
	}
	var n int64
	for i := range len(whole) {
		if whole[i]-'0' > 9 {
			return c, false
		}
		n = n*10 + int64(whole[i]-'0')
	}
	return civil{isEpoch: true, epoch: n / parts, hasTime: true, zoned: true}, true
}

// fixed reads a text that is digits and nothing else.
func fixed(s string) (n int, ok bool) {
	for i := range len(s) {
		if s[i]-'0' > 9 {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}
