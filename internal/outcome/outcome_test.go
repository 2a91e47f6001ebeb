package outcome_test

import (
	"testing"
	"time"

	"sluice/internal/outcome"
)

func TestParseWindow(t *testing.T) {
	t.Parallel()
	london, err := time.LoadLocation("Europe/London")
	if err != nil {
		t.Fatal(err)
	}
	// A quarter to one in London, a quarter to midnight the day before in UTC.
	now := time.Date(2026, 10, 26, 23, 45, 0, 0, time.UTC)
	summer := time.Date(2026, 6, 10, 23, 45, 0, 0, time.UTC)
	tests := []struct {
		text     string
		zone     *time.Location
		now      time.Time
		want     string
		from, to string // UTC
	}{
		{"today", time.UTC, now, "2026-10-26..2026-10-26", "2026-10-26T00:00:00Z", "2026-10-27T00:00:00Z"},
		{"today", london, summer, "2026-06-11..2026-06-11", "2026-06-10T23:00:00Z", "2026-06-11T23:00:00Z"},
		{"yesterday", london, summer, "2026-06-10..2026-06-10", "2026-06-09T23:00:00Z", "2026-06-10T23:00:00Z"},
		// The clocks went back on the 25th: that day has 25 hours.
		{"last-7-days", london, now, "2026-10-20..2026-10-26", "2026-10-19T23:00:00Z", "2026-10-27T00:00:00Z"},
		{"2026-10-25", london, now, "2026-10-25..2026-10-25", "2026-10-24T23:00:00Z", "2026-10-26T00:00:00Z"},
		{"2026-11-01..2026-11-07", time.UTC, now, "2026-11-01..2026-11-07", "2026-11-01T00:00:00Z", "2026-11-08T00:00:00Z"},
	}
	for _, tt := range tests {
		w, err := outcome.ParseWindow(tt.text, tt.zone, tt.now)
		if err != nil {
			t.Errorf("%s: %v", tt.text, err)
			continue
		}
		from, to := w.From.UTC().Format(time.RFC3339), w.To.UTC().Format(time.RFC3339)
		if w.Text != tt.want || from != tt.from || to != tt.to {
			t.Errorf("%s: %s from %s to %s", tt.text, w.Text, from, to)
		}
	}
	for _, bad := range []string{"", "last-0-days", "last-x-days", "2026-11-07..2026-11-01", "2026-02-30", "tomorrow", "1900-01-01..2026-01-01", "2026-11-01.."} {
		if w, err := outcome.ParseWindow(bad, time.UTC, now); err == nil {
			t.Errorf("%q gives %s", bad, w.Text)
		}
	}
}

func TestTouchOfMeta(t *testing.T) {
	t.Parallel()
	for _, meta := range []outcome.Touch{{Source: "Facebook"}, {Channel: "instagram"}, {Source: " IG "}, {ClickID: "fb.1.1700000000000.AbC"}, {ClickID: "IwAR0abc"}, {Source: "Audience Network"}} {
		if !meta.Meta() {
			t.Errorf("%+v is not taken for Meta's", meta)
		}
	}
	for _, other := range []outcome.Touch{{}, {Source: "google"}, {Channel: "email", ClickID: "EAIaIQ"}, {Source: "facebook-newsletter.example"}} {
		if other.Meta() {
			t.Errorf("%+v is taken for Meta's", other)
		}
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	if !(outcome.Rank(nil, "payment_received") < outcome.Rank(nil, "order_placed") && outcome.Rank(nil, "order_placed") < outcome.Rank(nil, "subscription")) {
		t.Error("a payment comes before an order, an order before what has no rank")
	}
	if outcome.Rank([]string{"closed_won"}, "closed_won") != 0 || outcome.Rank([]string{"closed_won"}, "payment_received") != 1 {
		t.Error("the profile's own order does not count")
	}
}
