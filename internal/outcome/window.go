package outcome

import (
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
)

// Window is a span of whole days in a profile's zone.
type Window struct {
	From, To time.Time // half open
	Text     string    // as dates, end inclusive
}

const dateForm = "2006-01-02"

// maxWindowDays bounds what one preview looks at.
const maxWindowDays = 3660

// ParseWindow reads `today`, `yesterday`, `last-N-days` (today and the days before
// it) or `2026-11-01..2026-11-07`, both ends inclusive, in a zone.
func ParseWindow(text string, zone *time.Location, now time.Time) (Window, error) {
	now = now.In(zone)
	today := time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, zone)
	days := func(back, n int) (Window, error) {
		from := time.Date(today.Year(), today.Month(), today.Day()-back, 0, 0, 0, 0, zone)
		to := time.Date(today.Year(), today.Month(), today.Day()-back+n, 0, 0, 0, 0, zone)
		return span(from, to), nil
	}
	switch text {
	case "today":
		return days(0, 1)
	case "yesterday":
		return days(1, 1)
	}
	if n, ok := strings.CutPrefix(text, "last-"); ok {
		if n, ok = strings.CutSuffix(n, "-days"); ok {
			if count, err := strconv.Atoi(n); err == nil && count >= 1 && count <= maxWindowDays {
				return days(count-1, count)
			}
		}
	}
	first, last, ok := strings.Cut(text, "..")
	if !ok {
		last = first
	}
	from, err := time.ParseInLocation(dateForm, first, zone)
	if err != nil {
		return Window{}, badWindow()
	}
	to, err := time.ParseInLocation(dateForm, last, zone)
	if err != nil {
		return Window{}, badWindow()
	}
	if to.Before(from) {
		return Window{}, fault.New(fault.Usage, "the window ends before it begins").WithFix("write FIRST..LAST")
	}
	if to.Sub(from) > maxWindowDays*24*time.Hour {
		return Window{}, fault.New(fault.Usage, "the window is longer than %d days", maxWindowDays)
	}
	return span(from, time.Date(to.Year(), to.Month(), to.Day()+1, 0, 0, 0, 0, zone)), nil
}

func span(from, to time.Time) Window {
	return Window{From: from, To: to, Text: from.Format(dateForm) + ".." + to.Add(-time.Second).Format(dateForm)}
}

func badWindow() error {
	return fault.New(fault.Usage, "the window is not one").
		WithFix("write today, yesterday, last-7-days, 2026-11-01 or 2026-11-01..2026-11-07")
}
