package schedule

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/capi"
)

func TestEveryDayRunsOnceAcrossClockChanges(t *testing.T) {
	t.Parallel()
	tests := []struct {
		zone, cron, after string
		want              []string
	}{
		{"Europe/London", "30 1 * * *", "2026-03-28T00:00:00Z", []string{"2026-03-28T01:30:00Z", "2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z"}},
		{"Europe/London", "30 1 * * *", "2026-10-24T00:00:00Z", []string{"2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"}},
		{"America/New_York", "15 2 * * *", "2026-03-07T12:00:00Z", []string{"2026-03-08T07:00:00Z", "2026-03-09T06:15:00Z"}},
		{"America/Santiago", "0 0 * * *", "2026-09-05T12:00:00Z", []string{"2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z"}},
		{"Australia/Lord_Howe", "45 1 * * *", "2026-04-04T00:00:00Z", []string{"2026-04-04T14:45:00Z", "2026-04-05T15:15:00Z"}},
		{"UTC", "*/20 6-7 * * mon-fri", "2026-11-20T07:39:00Z", []string{"2026-11-20T07:40:00Z", "2026-11-23T06:00:00Z"}},
		{"UTC", "0 9 1,15 * fri", "2026-11-14T00:00:00Z", []string{"2026-11-15T09:00:00Z", "2026-11-20T09:00:00Z"}},
		{"UTC", "0 0 29 2 *", "2026-11-20T00:00:00Z", []string{"2028-02-29T00:00:00Z"}},
		{"UTC", "0 5 * * 7", "2026-11-20T00:00:00Z", []string{"2026-11-22T05:00:00Z"}},
	}
	for _, tt := range tests {
		c, err := ParseCron(tt.cron)
		if err != nil {
			t.Fatal(err)
		}
		loc, err := Zone(tt.zone)
		if err != nil {
			t.Fatal(err)
		}
		at, err := time.Parse(time.RFC3339, tt.after)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for range tt.want {
			at = c.Next(at.In(loc))
			got = append(got, at.UTC().Format(time.RFC3339))
		}
		if diff := cmp.Diff(tt.want, got); diff != "" {
			t.Errorf("%s in %s (-want +got):\n%s", tt.cron, tt.zone, diff)
		}
	}
}

func TestAMalformedCronIsRefused(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "* * * *", "60 * * * *", "* 24 * * *", "* * 0 * *", "* * * 13 *", "* * * * 8", "*/0 * * * *", "5-1 * * * *", "x * * * *", "0 0 31 2 *"} {
		if _, err := ParseCron(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestJitterStaysInItsShare(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	starts := map[time.Time]bool{}
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		s := Schedule{ID: id, Spec: Spec{Cron: "0 6 * * *", Zone: "UTC", Jitter: 10}}
		got, err := s.Tick(at)
		if err != nil {
			t.Fatal(err)
		}
		again, _ := s.Tick(at)
		late := got.Sub(time.Date(2026, 11, 21, 6, 0, 0, 0, time.UTC))
		if late < 0 || late > 144*time.Minute || !got.Equal(again) {
			t.Errorf("%s starts %s late", id, late)
		}
		starts[got] = true
	}
	if len(starts) < 3 {
		t.Error("the schedules start together")
	}
}

func TestOneWindowCoversWhatWasMissed(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC) // the 21st in Berlin
	tests := []struct {
		name      string
		spec      Spec
		completed string
		want      string
	}{
		{"first", Spec{WindowDays: 1, LagDays: 1}, "", "2026-11-20..2026-11-20"},
		{"first week", Spec{WindowDays: 7, LagDays: 1}, "", "2026-11-14..2026-11-20"},
		{"next day", Spec{WindowDays: 1, LagDays: 1}, "2026-11-19", "2026-11-20..2026-11-20"},
		{"four days missed", Spec{WindowDays: 1, LagDays: 1}, "2026-11-16", "2026-11-17..2026-11-20"},
		{"with overlap", Spec{WindowDays: 1, LagDays: 1, OverlapDays: 2}, "2026-11-19", "2026-11-18..2026-11-20"},
		{"all sent", Spec{WindowDays: 1, LagDays: 1}, "2026-11-20", ""},
		{"today again", Spec{WindowDays: 1}, "2026-11-21", "2026-11-21..2026-11-21"},
		{"no older than can be sent", Spec{WindowDays: 1, LagDays: 1}, "2026-01-01", "2026-09-19..2026-11-20"},
	}
	for _, tt := range tests {
		tt.spec.Zone = "Europe/Berlin"
		s := Schedule{Spec: tt.spec, Completed: tt.completed}
		w, ok, err := s.Due(now)
		got := w.String()
		if !ok {
			got = ""
		}
		if err != nil || got != tt.want {
			t.Errorf("%s: %q %v, want %q", tt.name, got, err, tt.want)
		}
	}
}

func TestAWindowIsThroughWithTheDaysThatAreOverAndNotHeld(t *testing.T) {
	t.Parallel()
	berlin, err := Zone("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	w := Window{"2026-11-18", "2026-11-20"}
	morning := time.Date(2026, 11, 21, 6, 0, 0, 0, berlin)
	tests := []struct {
		name string
		at   time.Time
		held time.Time
		want string
	}{
		{"all over", morning, time.Time{}, "2026-11-20"},
		{"today is not over", morning.Add(-7 * time.Hour), time.Time{}, "2026-11-19"},
		{"held from the last day", morning, time.Date(2026, 11, 20, 0, 30, 0, 0, berlin), "2026-11-19"},
		{"held from the first day", morning, time.Date(2026, 11, 18, 23, 0, 0, 0, berlin), "2026-11-17"},
		{"held from before it", morning, time.Date(2026, 11, 3, 23, 0, 0, 0, berlin), "2026-11-17"},
	}
	for _, tt := range tests {
		since := int64(0)
		if !tt.held.IsZero() {
			since = tt.held.Unix()
		}
		if got := w.Through(tt.at, since, berlin); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

func TestFilesAreComparedWithWhatIsExpected(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"soho/orders-2026-11-19.csv", "soho/orders-2026-11-20.csv", "leeds/orders-2026-11-20.csv", "leeds/refunds-2026-11-20.csv"} {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(name), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := Spec{Files: []string{filepath.Join(dir, "{shop}", "orders-{date}.csv")}, Expect: []string{"leeds", "soho", "york"}}
	w := Window{"2026-11-19", "2026-11-20"}
	found, err := s.Expand(w)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for i := range found {
		found[i].Digest, found[i].Rows = "same", 10
		got = append(got, found[i].Member+" "+found[i].Day)
	}
	if diff := cmp.Diff([]string{"soho 2026-11-19", "leeds 2026-11-20", "soho 2026-11-20"}, got); diff != "" {
		t.Fatal(diff)
	}
	past := []File{{Member: "soho", Day: "2026-11-18", Rows: 90}, {Member: "soho", Day: "2026-11-17", Rows: 100}, {Member: "soho", Day: "2026-11-16", Rows: 110}}
	var codes []string
	for _, f := range s.Judge(w, found, func(string) *File { return &File{Member: "soho", Day: "2026-11-01"} }, past) {
		codes = append(codes, f.Code+" "+f.Member+" "+f.Day)
	}
	want := []string{
		"missing_file leeds 2026-11-19", "missing_file york 2026-11-19", "missing_file york 2026-11-20",
		"repeated_file soho 2026-11-19", "short_file soho 2026-11-19", "repeated_file leeds 2026-11-20", "repeated_file soho 2026-11-20", "short_file soho 2026-11-20",
	}
	if diff := cmp.Diff(want, codes); diff != "" {
		t.Error(diff)
	}
}

func TestAnAuthorisationCoversOnlyItsTerms(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC)
	signed := func() *Authorization {
		return &Authorization{
			At: now, Expires: now.Add(MaxAuthorization), Source: "s", Mapping: "m", Policy: "p", Dataset: "1", Realm: "meta", Outcomes: []string{"payment_received"},
			MaxEvents: 100, MaxValue: map[string]string{"GBP": "500.00"}, MinGoodShare: 0.5,
		}
	}
	within := func() Facts {
		return Facts{Source: "s", Mapping: "m", Policy: "p", Dataset: "1", Realm: "meta", Outcomes: []string{"payment_received"}, Events: 100, Good: 50, Value: map[string]capi.Decimal{"GBP": 500 * 10_000}}
	}
	if err := signed().Check(); err != nil {
		t.Fatal(err)
	}
	if why := signed().Outside(within(), now); len(why) > 0 {
		t.Fatalf("not covered: %v", why)
	}
	tests := []struct {
		part string
		edit func(*Facts)
		late time.Duration
	}{
		{"mapping was edited", func(f *Facts) { f.Mapping = "n" }, 0},
		{"source was changed", func(f *Facts) { f.Source = "t" }, 0},
		{"policy was changed", func(f *Facts) { f.Policy = "q" }, 0},
		{"another dataset", func(f *Facts) { f.Dataset = "2" }, 0},
		{"another dataset", func(f *Facts) { f.Realm = "sandbox" }, 0},
		{"outcome order_placed", func(f *Facts) { f.Outcomes = []string{"order_placed"} }, 0},
		{"101 events", func(f *Facts) { f.Events, f.Good = 101, 101 }, 0},
		{"more than the authorised 500", func(f *Facts) { f.Value["GBP"]++ }, 0},
		{"no value in EUR", func(f *Facts) { f.Value["EUR"] = 1 }, 0},
		{"tier good or great", func(f *Facts) { f.Good = 49 }, 0},
		{"ended on", func(*Facts) {}, MaxAuthorization},
	}
	for _, tt := range tests {
		f := within()
		tt.edit(&f)
		why := signed().Outside(f, now.Add(tt.late))
		if len(why) != 1 || !strings.Contains(why[0], tt.part) {
			t.Errorf("want one reason with %q, got %v", tt.part, why)
		}
	}
	if (*Authorization)(nil).Outside(within(), now) == nil {
		t.Error("nobody signed, and it was covered")
	}
	for _, edit := range []func(*Authorization){
		func(a *Authorization) { a.MaxEvents = 0 }, func(a *Authorization) { a.MaxValue = nil },
		func(a *Authorization) { a.Expires = a.Expires.Add(time.Second) }, func(a *Authorization) { a.MaxValue["GBP"] = "much" },
	} {
		a := signed()
		if edit(a); a.Check() == nil {
			t.Errorf("open terms were taken: %+v", a)
		}
	}
}
