package schedule

import (
	"math/bits"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
)

// Cron is a five-field cron expression: minute, hour, day of month, month, day of
// week. Fields take *, numbers, names (jan, mon), ranges, lists and steps; when both
// day fields are restricted either may match, as cron has always done.
//
// It is DST-safe: a time that the clock skips runs when the gap ends, a time that
// the clock shows twice runs the first time. Every day has its run, and one.
type Cron struct {
	text               string
	minute, hour, dom  uint64
	month, dow         uint64
	anyDay, anyWeekday bool
}

// field is one of the five with its bounds.
type field struct {
	name     string
	low, top int
	names    []string // of the values from low on
}

var fields = [5]field{
	{name: "minute", top: 59}, {name: "hour", top: 23}, {name: "day of month", low: 1, top: 31},
	{name: "month", low: 1, top: 12, names: []string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}},
	{name: "day of week", top: 7, names: []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}},
}

var shorthands = map[string]string{
	"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@weekly": "0 0 * * 0", "@monthly": "0 0 1 * *",
}

// ParseCron reads an expression.
func ParseCron(text string) (Cron, error) {
	c := Cron{text: text}
	if long, ok := shorthands[text]; ok {
		text = long
	}
	parts := strings.Fields(text)
	if len(parts) != len(fields) {
		return Cron{}, fault.New(fault.Usage, "a cron expression has five fields: minute, hour, day of month, month, day of week").
			WithFix("for every day at half past six: \"30 6 * * *\"")
	}
	into := [5]*uint64{&c.minute, &c.hour, &c.dom, &c.month, &c.dow}
	for i, part := range parts {
		set, err := fields[i].parse(strings.ToLower(part))
		if err != nil {
			return Cron{}, err
		}
		*into[i] = set
	}
	if c.dow&(1<<7) != 0 { // Sunday is 0 and 7
		c.dow |= 1
	}
	c.anyDay, c.anyWeekday = strings.HasPrefix(parts[2], "*"), strings.HasPrefix(parts[4], "*")
	if c.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return Cron{}, fault.New(fault.Usage, "the cron expression names a day that never comes")
	}
	return c, nil
}

func (f field) parse(text string) (set uint64, err error) {
	bad := func() (uint64, error) {
		return 0, fault.New(fault.Usage, "the %s field of the cron expression must hold %d to %d", f.name, f.low, f.top).
			WithFix("use numbers, ranges (1-5), lists (1,15) and steps (*/10)")
	}
	for item := range strings.SplitSeq(text, ",") {
		span, stepText, stepped := strings.Cut(item, "/")
		step := 1
		if stepped {
			if step, err = strconv.Atoi(stepText); err != nil || step < 1 || step > f.top {
				return bad()
			}
		}
		from, to := f.low, f.top
		if span != "*" {
			low, high, ranged := strings.Cut(span, "-")
			var ok bool
			if from, ok = f.value(low); !ok {
				return bad()
			}
			switch {
			case ranged:
				if to, ok = f.value(high); !ok || to < from {
					return bad()
				}
			case !stepped:
				to = from
			}
		}
		for v := from; v <= to; v += step {
			set |= 1 << v
		}
	}
	return set, nil
}

func (f field) value(text string) (int, bool) {
	for i, name := range f.names {
		if name == text {
			return f.low + i, true
		}
	}
	v, err := strconv.Atoi(text)
	return v, err == nil && v >= f.low && v <= f.top
}

// String is the expression as it was written.
func (c Cron) String() string { return c.text }

// Next returns the first time after t at which the clock of t's location shows what
// the expression asks for; zero when there is none in five years.
func (c Cron) Next(t time.Time) time.Time {
	loc := t.Location()
	year, month, day := t.Date()
	for n := range 5*366 + 2 {
		d := time.Date(year, month, day+n, 12, 0, 0, 0, time.UTC) // a calendar day, of no zone
		if !c.on(d) {
			continue
		}
		for hours := c.hour; hours != 0; hours &= hours - 1 {
			for minutes := c.minute; minutes != 0; minutes &= minutes - 1 {
				at := wall(d, bits.TrailingZeros64(hours), bits.TrailingZeros64(minutes), loc)
				if at.After(t) {
					return at
				}
			}
		}
	}
	return time.Time{}
}

// on reports whether a calendar day is asked for.
func (c Cron) on(d time.Time) bool {
	if c.month&(1<<d.Month()) == 0 {
		return false
	}
	byDay, byWeekday := c.dom&(1<<d.Day()) != 0, c.dow&(1<<d.Weekday()) != 0
	if c.anyDay || c.anyWeekday {
		return byDay && byWeekday
	}
	return byDay || byWeekday
}

// wall is the instant at which a clock shows a time of a day: the first one where
// it shows it twice, the end of the gap where it never does.
func wall(d time.Time, hour, minute int, loc *time.Location) time.Time {
	at := time.Date(d.Year(), d.Month(), d.Day(), hour, minute, 0, 0, loc)
	start, end := at.ZoneBounds()
	wanted := time.Date(d.Year(), d.Month(), d.Day(), hour, minute, 0, 0, time.UTC)
	_, offset := at.Zone()
	shown := at.Add(time.Duration(offset) * time.Second).UTC()
	switch {
	case shown.Before(wanted):
		return end.In(loc)
	case shown.After(wanted):
		return start.In(loc)
	case start.IsZero():
		return at
	}
	_, before := start.Add(-time.Second).Zone()
	if first := at.Add(time.Duration(offset-before) * time.Second); before > offset && first.Before(start) {
		return first
	}
	return at
}
