package schedule

import (
	"strings"
	"time"

	"sluice/internal/fault"
)

const dayLayout = "2006-01-02"

// Zone loads a time zone by its IANA name.
func Zone(name string) (*time.Location, error) {
	if name == "Local" { // differs between machines
		name = "?"
	}
	loc, err := time.LoadLocation(name)
	if err != nil {
		return nil, fault.New(fault.Usage, "there is no such time zone").WithFix("use a name like Europe/London or UTC")
	}
	return loc, nil
}

// Window is a span of calendar days, both ends included.
type Window struct{ From, To string }

// String is its name: part of the idempotency key.
func (w Window) String() string { return w.From + ".." + w.To }

// ParseWindow reads 2026-11-01..2026-11-07, or one day.
func ParseWindow(text string) (Window, error) {
	from, to, span := strings.Cut(text, "..")
	if !span {
		to = from
	}
	a, errA := time.Parse(dayLayout, from)
	b, errB := time.Parse(dayLayout, to)
	if errA != nil || errB != nil || b.Before(a) {
		return Window{}, fault.New(fault.Usage, "a window is a day or two days with two dots between them, oldest first").
			WithFix("write 2026-11-01..2026-11-07")
	}
	return Window{from, to}, nil
}

// Days lists the days of the window, oldest first.
func (w Window) Days() []string {
	var days []string
	d, err := time.Parse(dayLayout, w.From)
	for ; err == nil && d.Format(dayLayout) <= w.To && len(days) < maxDays; d = d.AddDate(0, 0, 1) {
		days = append(days, d.Format(dayLayout))
	}
	return days
}

// maxDays bounds a window: nothing older than 62 days can be sent.
const maxDays = 63

// Bounds returns the window as instants, half open.
func (w Window) Bounds(loc *time.Location) (from, to time.Time) {
	a, _ := time.ParseInLocation(dayLayout, w.From, loc)
	b, _ := time.ParseInLocation(dayLayout, w.To, loc)
	return a, time.Date(b.Year(), b.Month(), b.Day()+1, 0, 0, 0, 0, loc)
}

// Through is the last day that a window is done with, once everything that a preview
// at a time found sendable was sent: no day that was not over, and none of which
// something was held (since, Unix seconds; 0: nothing). The days after it are read
// again by the next window.
func (w Window) Through(at time.Time, since int64, loc *time.Location) string {
	before := func(t time.Time) string {
		y, m, d := t.In(loc).Date()
		return time.Date(y, m, d-1, 0, 0, 0, 0, time.UTC).Format(dayLayout)
	}
	day := min(w.To, before(at))
	if since != 0 {
		day = min(day, before(time.Unix(since, 0)))
	}
	from, _ := w.Bounds(loc)
	return max(day, before(from))
}

// Due is the window to send at a time: from the day after the last completed one,
// less the overlap, to the newest day that is over. One window covers whatever was
// missed. ok is false when every day was sent already.
func (s *Schedule) Due(now time.Time) (w Window, ok bool, err error) {
	loc, err := Zone(s.Spec.Zone)
	if err != nil {
		return Window{}, false, err
	}
	local := now.In(loc)
	last := time.Date(local.Year(), local.Month(), local.Day()-s.Spec.LagDays, 0, 0, 0, 0, time.UTC)
	first := last.AddDate(0, 0, 1-max(1, s.Spec.WindowDays))
	if s.Completed != "" {
		done, err := time.Parse(dayLayout, s.Completed)
		if err != nil {
			return Window{}, false, err
		}
		if !done.Before(last) && s.Spec.LagDays > 0 {
			return Window{}, false, nil
		}
		first = done.AddDate(0, 0, 1-s.Spec.OverlapDays)
		if first.After(last) {
			first = last
		}
	}
	if oldest := last.AddDate(0, 0, 1-maxDays); first.Before(oldest) {
		first = oldest
	}
	return Window{first.Format(dayLayout), last.Format(dayLayout)}, true, nil
}
