package world

import (
	"strconv"
	"time"
)

// span is a stretch of days, both included, at midnight UTC of the account's calendar.
type span struct{ since, until time.Time }

func (s span) days() int { return int(s.until.Sub(s.since).Hours()/24) + 1 }

// today is the day that it is in a time zone.
func today(now time.Time, zone string) time.Time {
	now = clockIn(now, zone)
	return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC)
}

// clockIn is what clocks show in a time zone.
func clockIn(now time.Time, zone string) time.Time {
	if loc, err := time.LoadLocation(zone); err == nil {
		return now.In(loc)
	}
	return now.UTC()
}

// monthsBack is how far reports reach (Insights API, limits).
const monthsBack = 37

// preset is the span of a date_preset on a day. Presets that count days leave today out,
// those that begin with this_ hold it.
func preset(name string, day time.Time) (span, bool) {
	yesterday := day.AddDate(0, 0, -1)
	weekday := func(start time.Weekday) time.Time { // the last such day, or today
		back := (int(day.Weekday()) - int(start) + 7) % 7
		return day.AddDate(0, 0, -back)
	}
	month := time.Date(day.Year(), day.Month(), 1, 0, 0, 0, 0, time.UTC)
	quarter := time.Date(day.Year(), (day.Month()-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	year := time.Date(day.Year(), 1, 1, 0, 0, 0, 0, time.UTC)
	switch name {
	case "today":
		return span{day, day}, true
	case "yesterday":
		return span{yesterday, yesterday}, true
	case "last_3d", "last_7d", "last_14d", "last_28d", "last_30d", "last_90d":
		n, err := strconv.Atoi(name[len("last_") : len(name)-1])
		return span{day.AddDate(0, 0, -n), yesterday}, err == nil
	case "this_week_mon_today":
		return span{weekday(time.Monday), day}, true
	case "this_week_sun_today":
		return span{weekday(time.Sunday), day}, true
	case "last_week_mon_sun":
		start := weekday(time.Monday).AddDate(0, 0, -7)
		return span{start, start.AddDate(0, 0, 6)}, true
	case "last_week_sun_sat":
		start := weekday(time.Sunday).AddDate(0, 0, -7)
		return span{start, start.AddDate(0, 0, 6)}, true
	case "this_month":
		return span{month, day}, true
	case "last_month":
		return span{month.AddDate(0, -1, 0), month.AddDate(0, 0, -1)}, true
	case "this_quarter":
		return span{quarter, day}, true
	case "last_quarter":
		return span{quarter.AddDate(0, -3, 0), quarter.AddDate(0, 0, -1)}, true
	case "this_year":
		return span{year, day}, true
	case "last_year":
		return span{year.AddDate(-1, 0, 0), year.AddDate(0, 0, -1)}, true
	case "maximum", "data_maximum":
		return span{day.AddDate(0, -monthsBack, 0), day}, true
	}
	return span{}, false
}

// spanOf reads date_preset, or time_range, which comes before it. Without either it is
// the last 30 days.
func (c *Call) spanOf(zone string) (span, *Error) {
	day := today(c.Now, zone)
	if !c.Has("time_range") {
		name := c.Param("date_preset")
		if name == "" {
			name = "last_30d"
		}
		s, _ := preset(name, day)
		return s, nil
	}
	var given struct{ Since, Until string }
	if err := c.JSON("time_range", &given); err != nil {
		return span{}, err
	}
	return readSpan(given.Since, given.Until, day)
}

func readSpan(since, until string, day time.Time) (span, *Error) {
	from, bad := time.Parse(time.DateOnly, since)
	to, bad2 := time.Parse(time.DateOnly, until)
	switch {
	case bad != nil || bad2 != nil:
		return span{}, Bad("time_range must be an object with since and until as YYYY-MM-DD")
	case to.Before(from):
		return span{}, Fail("insights_range_reversed")
	case from.Before(day.AddDate(0, -monthsBack, 0)):
		return span{}, Fail("insights_range_old")
	}
	if to.After(day) {
		to = day
	}
	return span{from, to}, nil
}

// cut divides a span as time_increment says: all_days, monthly, or so many days.
func (s span) cut(increment string) ([]span, *Error) {
	if s.until.Before(s.since) {
		return nil, nil
	}
	var list []span
	switch increment {
	case "", "all_days":
		return []span{s}, nil
	case "monthly":
		for from := s.since; !from.After(s.until); {
			next := time.Date(from.Year(), from.Month()+1, 1, 0, 0, 0, 0, time.UTC)
			list = append(list, span{from, earlier(next.AddDate(0, 0, -1), s.until)})
			from = next
		}
		return list, nil
	}
	n, err := strconv.Atoi(increment)
	if err != nil || n < 1 || n > 90 {
		return nil, Bad("Param time_increment must be an integer between 1 and 90, monthly or all_days")
	}
	for from := s.since; !from.After(s.until); from = from.AddDate(0, 0, n) {
		list = append(list, span{from, earlier(from.AddDate(0, 0, n-1), s.until)})
	}
	return list, nil
}

func earlier(a, b time.Time) time.Time {
	if b.Before(a) {
		return b
	}
	return a
}
