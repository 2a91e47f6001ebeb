package mapping

import "time"

// excelEpoch is day 0 of a workbook's dates, in seconds since 1970. It is two days
// before 1900-01-01: Excel counts from 1, and takes 1900 for a leap year, which
// all days after February 1900 include.
var excelEpoch = time.Date(1899, time.December, 30, 0, 0, 0, 0, time.UTC).Unix()

// parseExcel reads a date as a cell without a date format shows it: days since
// 1899-12-30, with the time of day as a fraction behind a point or a comma, rounded
// to seconds. Five digits of days reach from 1927 to 2173; other counts are no
// dates of a sale. Workbooks that count from 1904 can't be told apart, and would
// be four years early.
func parseExcel(s string) (c civil, ok bool) {
	const dayDigits, maxFraction = 5, 12
	if len(s) < dayDigits || s[0] == '0' {
		return c, false
	}
	days, ok := fixed(s[:dayDigits])
	if !ok {
		return c, false
	}
	seconds := int64(0)
	if rest := s[dayDigits:]; rest != "" {
		if rest[0] != '.' && rest[0] != ',' || len(rest) < 2 || digitsOnly(rest[1:]) != rest[1:] {
			return c, false
		}
		part, unit := int64(0), int64(1)
		for _, d := range rest[1:min(len(rest), maxFraction+1)] {
			part, unit = part*10+int64(d-'0'), unit*10
		}
		seconds = (part*day + unit/2) / unit
	}
	at := time.Unix(excelEpoch+int64(days)*day+seconds, 0).UTC()
	c.year, c.day, c.month = at.Year(), at.Day(), int(at.Month())
	c.hour, c.minute, c.second = at.Clock()
	c.hasDate, c.hasTime = true, true
	return c, c.valid()
}
