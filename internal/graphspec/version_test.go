package graphspec_test

import (
	"strings"
	"testing"
	"time"

	"sluice/internal/graphspec"
)

func day(t *testing.T, text string) time.Time {
	t.Helper()
	d, err := time.Parse(time.DateOnly, text)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestVersionsEnd(t *testing.T) {
	t.Parallel()
	tests := []struct {
		version   string
		marketing bool
		want      string // empty: not announced, or unknown
	}{
		{"v21.0", false, "2027-01-21"}, {"v21.0", true, "2025-09-09"}, {"v24.0", true, "2026-10-06"}, {"v25.0", false, "2028-07-29"},
		{"v25.0", true, ""}, {"v26.0", false, ""}, {"v1.0", false, ""}, {"x", true, ""},
	}
	for _, tt := range tests {
		got := graphspec.Ends(tt.version, tt.marketing)
		if tt.want == "" && !got.IsZero() || tt.want != "" && !got.Equal(day(t, tt.want)) {
			t.Errorf("%s, marketing %v: %v, want %s", tt.version, tt.marketing, got, tt.want)
		}
	}
}

func TestVersionWarnings(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		version, day string
		want         []string
	}{
		"newest":                {"v26.0", "2026-11-21", nil},
		"both far off":          {"v24.0", "2026-01-01", nil},
		"marketing ended":       {"v24.0", "2026-11-21", []string{"Marketing API (ads, audiences, insights) ended on 2026-10-06"}},
		"marketing, last day":   {"v24.0", "2026-10-06", []string{"Marketing API (ads, audiences, insights) ends on 2026-10-06"}},
		"both ended":            {"v20.0", "2026-11-21", []string{"the Graph API ended on 2026-09-24", "Marketing API (ads, audiences, insights) ended on 2025-05-06"}},
		"graph, 59 days before": {"v21.0", "2026-11-23", []string{"the Graph API ends on 2027-01-21", "ended on 2025-09-09"}},
		"graph, 62 days before": {"v21.0", "2026-11-20", []string{"ended on 2025-09-09"}},
		"unknown":               {"v99.0", "2026-11-21", []string{"not a version that this release knows"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := graphspec.Warnings(tt.version, day(t, tt.day).Add(12*time.Hour))
			if len(got) != len(tt.want) {
				t.Fatalf("warnings %q, want %q", got, tt.want)
			}
			for i, w := range tt.want {
				if !strings.Contains(got[i], w) {
					t.Errorf("warning %q, want %q", got[i], w)
				}
			}
		})
	}
}

func TestVersionTableIsInOrder(t *testing.T) {
	t.Parallel()
	for i, v := range graphspec.Versions {
		if !graphspec.ValidVersion(v.Name) {
			t.Errorf("%s is not written as versions are", v.Name)
		}
		if i > 0 && !graphspec.Older(graphspec.Versions[i-1].Name, v.Name) {
			t.Errorf("%s stands behind %s", v.Name, graphspec.Versions[i-1].Name)
		}
		if g, m := graphspec.Ends(v.Name, false), graphspec.Ends(v.Name, true); !g.IsZero() && m.After(g) {
			t.Errorf("%s: the Marketing API outlives the Graph API", v.Name)
		}
	}
	if last := graphspec.Versions[len(graphspec.Versions)-1].Name; last != graphspec.Newest {
		t.Errorf("the last of the table is %s", last)
	}
	if !graphspec.Older("v9.0", "v10.0") || graphspec.Older("v26.0", "v26.0") {
		t.Error("versions are not compared by number")
	}
}

func TestCurrencies(t *testing.T) {
	t.Parallel()
	for code, want := range map[string]bool{"GBP": true, "EUR": true, "XCG": true, "gbp": false, "": false, "   ": false, "GBP ": false, "XAU": false, "ABC": false} {
		if graphspec.IsCurrency(code) != want {
			t.Errorf("%q: %v", code, !want)
		}
	}
	tests := []struct {
		amount int64
		code   string
		want   string
	}{
		{12345, "GBP", "123.45 GBP"}, {5, "usd", "0.05 USD"}, {0, "EUR", "0.00 EUR"}, {-7, "EUR", "-0.07 EUR"}, {-12345, "EUR", "-123.45 EUR"},
		{500, "JPY", "500 JPY"}, {1200, "HUF", "1200 HUF"}, {100, "KWD", "1.00 KWD"}, {-9223372036854775808, "EUR", "-92233720368547758.08 EUR"},
	}
	for _, tt := range tests {
		if got := graphspec.FormatMinor(tt.amount, tt.code); got != tt.want {
			t.Errorf("%d %s is %q, want %q", tt.amount, tt.code, got, tt.want)
		}
	}
	for _, code := range strings.Fields("CLP COP CRC HUF IDR ISK JPY KRW PYG TWD VND") {
		if graphspec.MinorUnits(code) != 1 {
			t.Errorf("%s has no minor unit at Meta", code)
		}
	}
	if graphspec.MinorUnits("GBP") != 100 {
		t.Error("GBP has 100")
	}
}
