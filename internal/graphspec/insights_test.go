package graphspec

import (
	"slices"
	"strings"
	"testing"
	"time"
)

// TestSafeInsights: what a report asks for without being told exists, and is no breakdown.
func TestSafeInsights(t *testing.T) {
	t.Parallel()
	node := Lookup("AdsInsights")
	breakdowns, _ := IsEnum("InsightsBreakdown")
	for _, name := range strings.Split(SafeInsights, ",") {
		if _, ok := node.Field(name); !ok || slices.Contains(breakdowns, name) {
			t.Errorf("%s is no column", name)
		}
	}
	if _, ok := node.Field("unique_impressions"); ok {
		t.Error("unique_impressions fails every call that asks for it")
	}
	if slices.Contains(breakdowns, "placement") {
		t.Error("placement is no breakdown of the API")
	}
	for _, kind := range []string{"AdAccount", "Campaign", "AdSet", "Ad"} {
		if n := Lookup(kind); n.Op("GET", "insights") == nil || n.Op("POST", "insights") == nil {
			t.Errorf("%s has no insights", kind)
		}
	}
}

// TestPageMetrics: no metric is both alive and retired, what takes a retired one's place
// is alive, and every period and day is one.
func TestPageMetrics(t *testing.T) {
	t.Parallel()
	periods, _ := IsEnum("PageInsightsPeriod")
	live := slices.Concat(PageMetrics, PostMetrics)
	seen := map[string]bool{}
	for _, m := range live {
		if seen[m.Name] {
			t.Errorf("%s is listed twice", m.Name)
		}
		seen[m.Name] = true
		for _, p := range strings.Fields(m.Periods) {
			if !slices.Contains(periods, p) {
				t.Errorf("%s: %s is no period", m.Name, p)
			}
		}
		if m.Periods == "" || m.Evidence == "" {
			t.Errorf("%s says no period or no evidence", m.Name)
		}
	}
	for _, r := range RetiredPageMetrics {
		if seen[r.Name] {
			t.Errorf("%s is listed twice, or is alive", r.Name)
		}
		seen[r.Name] = true
		if _, err := time.Parse(time.DateOnly, r.Since); err != nil {
			t.Errorf("%s ended on %q", r.Name, r.Since)
		}
		for _, by := range strings.Fields(r.By) {
			if FindPageMetric(live, by) == nil {
				t.Errorf("%s is replaced by %s, which there is not", r.Name, by)
			}
		}
	}
}

func TestRetiredWindows(t *testing.T) {
	t.Parallel()
	values, _ := IsEnum("InsightsWindow")
	for _, w := range RetiredWindows {
		if !slices.Contains(values, w) { // the specification still has them
			t.Errorf("%s is no window", w)
		}
	}
}
