package graphspec_test

import (
	"testing"

	"sluice/internal/graphspec"
)

// TestInstagramMetricsHoldTogether: what takes a retired metric's place is there, takes
// the breakdown that is named, and no name is both retired and alive.
func TestInstagramMetricsHoldTogether(t *testing.T) {
	t.Parallel()
	for _, part := range []struct {
		name    string
		alive   []graphspec.IGMetric
		retired []graphspec.IGRetired
	}{
		{"account", graphspec.IGAccountMetrics, graphspec.IGRetiredAccount},
		{"media", graphspec.IGMediaMetrics, graphspec.IGRetiredMedia},
	} {
		seen := map[string]bool{}
		for _, m := range part.alive {
			if seen[m.Name] || m.Evidence == "" {
				t.Errorf("%s: %s is there twice, or without evidence", part.name, m.Name)
			}
			seen[m.Name] = true
		}
		for _, old := range part.retired {
			by := graphspec.FindIGMetric(part.alive, old.By)
			switch {
			case seen[old.Name]:
				t.Errorf("%s: %s is both alive and retired", part.name, old.Name)
			case old.By != "" && by == nil:
				t.Errorf("%s: %s is replaced by %s, which is no metric", part.name, old.Name, old.By)
			case old.Breakdown != "" && !by.Takes(old.Breakdown):
				t.Errorf("%s: %s does not take %s", part.name, old.By, old.Breakdown)
			case old.Evidence == "":
				t.Errorf("%s: %s has no evidence", part.name, old.Name)
			}
		}
	}
}
