package writetool

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sluice/internal/writeback"
)

// planText is a plan in words: what would be sent, what not and why, how well it may
// match.
func planText(v *writeback.PlanView, next string) string {
	s := v.Summary
	var b strings.Builder
	fmt.Fprintf(&b, "## Plan %s\n\nNothing was sent. Dataset %s, hash %s, until %s.\n\n", v.ID, v.Dataset, v.Hash, v.ExpiresAt.UTC().Format("2006-01-02 15:04 MST"))
	c := s.Counts
	fmt.Fprintf(&b, "%d rows: %d planned, %d held, %d rejected, %d skipped, %d expired\n", c.Rows, c.Planned, c.Held, c.Rejected, c.Skipped, c.Expired)
	for _, currency := range slices.Sorted(maps.Keys(s.Value)) {
		fmt.Fprintf(&b, "- value: %s %s\n", s.Value[currency].String(), currency)
	}
	counted(&b, "events", s.Events)
	counted(&b, "match quality", s.Tiers)
	counted(&b, "identifiers", s.Coverage)
	counted(&b, "rejected", s.Rejects)
	counted(&b, "skipped", s.Skips)
	if s.Expiring > 0 {
		fmt.Fprintf(&b, "- less than 24 h left: %d\n", s.Expiring)
	}
	for _, code := range slices.Sorted(maps.Keys(s.Warnings)) {
		fmt.Fprintf(&b, "- warning %s: %d. %s\n", code, s.Warnings[code].Count, s.Warnings[code].Hint)
	}
	for i, sample := range s.Samples {
		fmt.Fprintf(&b, "\nSample %d, identifiers masked:\n```json\n%s\n```\n", i+1, sample)
	}
	b.WriteString("\nNext: " + next)
	return b.String()
}

func counted(b *strings.Builder, what string, counts map[string]int) {
	if len(counts) == 0 {
		return
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		parts = append(parts, fmt.Sprintf("%s %d", name, counts[name]))
	}
	b.WriteString("- " + what + ": " + strings.Join(parts, ", ") + "\n")
}
