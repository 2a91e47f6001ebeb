package mapping

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func timeRuleOf(t testing.TB, zoneName string, formats ...string) (*timeRule, *zone) {
	t.Helper()
	r := &timeRule{}
	for _, f := range formats {
		l, problem := compileLayout(f)
		if problem != "" {
			t.Fatalf("format %q: %s", f, problem)
		}
		r.formats = append(r.formats, l)
	}
	if zoneName != "" {
		location, err := time.LoadLocation(zoneName)
		if err != nil {
			t.Fatal(err)
		}
		r.location = location
	}
	return r, &zone{location: r.location}
}

func TestMoment(t *testing.T) {
	t.Parallel()
	const london, utc = "Europe/London", "UTC"
	tests := []struct {
		name, zone, format, in, want string // want in RFC 3339, "" for a reject
		warning                      string
	}{
		{"winter", london, "iso", "2026-01-05 10:30:00", "2026-01-05T10:30:00Z", ""},
		{"summer", london, "iso", "2026-07-05 10:30:00", "2026-07-05T09:30:00Z", ""},
		{"before 1970", london, "iso", "1969-12-31 23:59:59", "1969-12-31T22:59:59Z", ""},
		{"the text's offset wins over the zone", london, "iso", "2026-07-05T10:30:00+02:00", "2026-07-05T08:30:00Z", ""},
		{"Z", "", "iso", "2026-07-05T10:30:00.999Z", "2026-07-05T10:30:00Z", ""},
		{"offset without colon", "", "iso", "2026-07-05T10:30:00-0530", "2026-07-05T16:00:00Z", ""},
		{"offset of hours", "", "iso", "2026-07-05 10:30:00+02", "2026-07-05T08:30:00Z", ""},
		{"offset after a space", "", "iso", "2026-07-05 10:30:00 +0200", "2026-07-05T08:30:00Z", ""},
		{"UTC in words", "", "iso", "2026-07-05 10:30:00 UTC", "2026-07-05T10:30:00Z", ""},
		{"date only", london, "iso", "2026-07-05", "2026-07-04T23:00:00Z", WarnDateOnlyTime},
		{"midnight", utc, "iso", "2026-07-05 00:00", "2026-07-05T00:00:00Z", WarnDateOnlyTime},
		{"leap second", utc, "iso", "2016-12-31 23:59:60", "2016-12-31T23:59:59Z", ""},
		{"leap day", utc, "iso", "2024-02-29 10:00", "2024-02-29T10:00:00Z", ""},
		{"no leap day", utc, "iso", "2100-02-29 10:00", "", ""},
		{"hour 24", utc, "iso", "2026-01-05 24:00", "", ""},
		{"text behind", utc, "iso", "2026-01-05 10:30 pm", "", ""},
		{"clocks showed it twice: the first", london, "iso", "2026-10-25 01:30:00", "2026-10-25T00:30:00Z", WarnAmbiguousLocalTime},
		{"an hour before that", london, "iso", "2026-10-25 00:59:59", "2026-10-24T23:59:59Z", ""},
		{"an hour after that", london, "iso", "2026-10-25 02:00:00", "2026-10-25T02:00:00Z", ""},
		{"clocks jumped over it: moved forward", london, "iso", "2026-03-29 01:30:00", "2026-03-29T01:30:00Z", WarnNonexistentLocalTime},
		{"just before the jump", london, "iso", "2026-03-29 00:59:59", "2026-03-29T00:59:59Z", ""},
		{"just after the jump", london, "iso", "2026-03-29 02:00:00", "2026-03-29T01:00:00Z", ""},
		{"twice, west of Greenwich", "America/New_York", "iso", "2026-11-01 01:30:00", "2026-11-01T05:30:00Z", WarnAmbiguousLocalTime},
		{"jump, west of Greenwich", "America/New_York", "iso", "2026-03-08 02:30:00", "2026-03-08T07:30:00Z", WarnNonexistentLocalTime},
		{"half an hour of summer time", "Australia/Lord_Howe", "iso", "2026-04-05 01:45:00", "2026-04-04T14:45:00Z", WarnAmbiguousLocalTime},
		{"a day that did not exist", "Pacific/Apia", "iso", "2011-12-30 12:00:00", "2011-12-30T22:00:00Z", WarnNonexistentLocalTime},
		{"epoch", "", "epoch", "1767609000", "2026-01-05T10:30:00Z", ""},
		{"epoch of a data frame", "", "epoch", "1767609000.0", "2026-01-05T10:30:00Z", ""},
		{"epoch in milliseconds", "", "epoch", "1767609000000", "", ""},
		{"milliseconds", "", "epoch_ms", "1767609000123", "2026-01-05T10:30:00Z", ""},
		{"seconds are no milliseconds", "", "epoch_ms", "1767609000", "", ""},
		{"a date of Excel with a time", london, "excel", "46347.375", "2026-11-21T09:00:00Z", ""},
		{"a date of Excel in summer time", london, "excel", "46208,4375", "2026-07-05T09:30:00Z", ""},
		{"a date of Excel alone", utc, "excel", "46347", "2026-11-21T00:00:00Z", WarnDateOnlyTime},
		{"thirds of a day are rounded to seconds", utc, "excel", "46347.3333333333333", "2026-11-21T08:00:00Z", ""},
		{"rounding reaches the next day", utc, "excel", "46347.9999999999", "2026-11-22T00:00:00Z", WarnDateOnlyTime},
		{"a short number is no date of Excel", utc, "excel", "1001.5", "", ""},
		{"a long number is no date of Excel", utc, "excel", "463475.5", "", ""},
		{"a point without digits", utc, "excel", "46347.", "", ""},
		{"an exponent is no date of Excel", utc, "excel", "46347.3E1", "", ""},
		{"day first", london, "DD/MM/YYYY HH:mm", "05/01/2026 10:30", "2026-01-05T10:30:00Z", ""},
		{"one digit where two are asked for", london, "DD/MM/YYYY", "5/1/2026", "", ""},
		{"one digit or two", london, "D/M/YYYY H:mm", "5/1/2026 9:05", "2026-01-05T09:05:00Z", ""},
		{"two-digit years", utc, "DD.MM.YY HH:mm", "05.01.68 10:00", "2068-01-05T10:00:00Z", ""},
		{"two-digit years of the last century", utc, "DD.MM.YY HH:mm", "05.01.69 10:00", "1969-01-05T10:00:00Z", ""},
		{"month names", utc, "DD MMM YYYY HH:mm", "05 jan 2026 10:30", "2026-01-05T10:30:00Z", ""},
		{"noon", utc, "MM/DD/YYYY hh:mm A", "01/05/2026 12:30 PM", "2026-01-05T12:30:00Z", ""},
		{"just after midnight", utc, "MM/DD/YYYY h:mm A", "01/05/2026 12:30 am", "2026-01-05T00:30:00Z", ""},
		{"thirteen o'clock pm", utc, "MM/DD/YYYY hh:mm A", "01/05/2026 13:30 PM", "", ""},
		{"offset and fraction", "", "YYYY-MM-DD[T]HH:mm:ss.SSSZZ", "2026-01-05T10:30:00.123+01:00", "2026-01-05T09:30:00Z", ""},
		{"compact", utc, "YYYYMMDDHHmmss", "20260105103000", "2026-01-05T10:30:00Z", ""},
		{"literal in brackets", utc, "DD/MM/YYYY [at] HH:mm", "05/01/2026 at 10:30", "2026-01-05T10:30:00Z", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, z := timeRuleOf(t, tt.zone, tt.format)
			unix, reject, warning := r.moment(z, tt.in)
			got := ""
			if reject == "" {
				got = time.Unix(unix, 0).UTC().Format(time.RFC3339)
			}
			if got != tt.want || warning != tt.warning {
				t.Errorf("%q is %q (warning %q), want %q (%q)", tt.in, got, warning, tt.want, tt.warning)
			}
		})
	}
}

func TestFirstFormatThatFitsWins(t *testing.T) {
	t.Parallel()
	r, z := timeRuleOf(t, "UTC", "DD/MM/YYYY HH:mm", "iso", "epoch")
	for in, want := range map[string]int64{"05/01/2026 10:30": 1767609000, "2026-01-05 10:30": 1767609000, "1767609000": 1767609000} {
		if got, reject, _ := r.moment(z, in); got != want || reject != "" {
			t.Errorf("%q is %d (%s), want %d", in, got, reject, want)
		}
	}
}

func TestLayoutProblems(t *testing.T) {
	t.Parallel()
	for _, in := range []string{"", "YYYY", "MM/DD", "DD/MM/YYYY hh:mm", "DD/MM/YYYY HH:mm A", "DD/MM/YYYY mm", "DD/MM/YYYY DD", "yyyy-mm-dd", "%Y-%m-%d", "DD/MM/YYYY x"} {
		if _, problem := compileLayout(in); problem == "" {
			t.Errorf("format %q was accepted", in)
		}
	}
}

// TestZoneAgreesWithTheClock: every moment, written as its local time, must be
// read back as itself, or as the other moment with the same local time.
func TestZoneAgreesWithTheClock(t *testing.T) {
	t.Parallel()
	zones := map[string]*zone{}
	for _, name := range []string{"Europe/London", "America/New_York", "Australia/Lord_Howe", "Asia/Kolkata", "Africa/Casablanca", "Pacific/Apia", "America/St_Johns"} {
		location, err := time.LoadLocation(name)
		if err != nil {
			t.Fatal(err)
		}
		zones[name] = &zone{location: location}
	}
	rapid.Check(t, func(t *rapid.T) {
		unix := rapid.Int64Range(0, 2_000_000_000).Draw(t, "unix")
		for name, z := range zones {
			local := unix + z.offset(unix)
			got, warning := z.moment(local)
			switch {
			case got+z.offset(got) != local:
				t.Fatalf("%s: %d was read as %d, whose local time differs (%s)", name, unix, got, warning)
			case got != unix && (warning != WarnAmbiguousLocalTime || got > unix):
				t.Fatalf("%s: %d was read as %d (%s)", name, unix, got, warning)
			case warning == WarnNonexistentLocalTime:
				t.Fatalf("%s: %d was taken for a time that does not exist", name, unix)
			}
		}
	})
}

// FuzzTime holds the ISO reader against the standard library, and every format
// against panics and impossible dates.
func FuzzTime(f *testing.F) {
	for _, s := range []string{"2026-01-05T10:30:00Z", "2026-01-05 10:30", "2026-01-05", "2026-02-30", "05/01/2026 10:30", "1767609000", "2026-01-05T10:30:00.5+14:59", "5 Jan 2026", "12/31/2026 12:00 AM"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, l := range guessedLayouts {
			c, ok := l.parse(s)
			if ok && !c.isEpoch && !c.valid() {
				t.Fatalf("%s reads %q as %+v", l.name, s, c)
			}
		}
		if !utf8.ValidString(s) {
			return
		}
		want, err := time.Parse(time.RFC3339, s)
		// The library takes a comma and offsets of a whole day, and no leap second.
		if err != nil || strings.Contains(s, ",") || want.Year() < 1000 {
			return
		}
		if _, offset := want.Zone(); offset >= 15*3600 || offset <= -15*3600 {
			return
		}
		c, ok := parseISO(s)
		if !ok || c.seconds()-int64(c.offset) != want.Unix() {
			t.Fatalf("%q is %+v (%v), want %s", s, c, ok, want)
		}
	})
}
