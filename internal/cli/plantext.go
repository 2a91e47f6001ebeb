package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"sluice/capi"
	"sluice/internal/graph"
	"sluice/internal/writeback"
)

// writePlan prints a plan on one screen.
func (c *command) writePlan(w io.Writer, v *writeback.PlanView) {
	s, n := v.Summary, v.Summary.Counts
	where := ""
	if v.Realm != graph.RealmMeta {
		where = " at the " + v.Realm
	}
	line(w, "%s %s  dataset %s%s  valid until %s", c.bold("Plan"), c.bold(v.ID), v.Dataset, where, stamp(v.ExpiresAt))
	line(w, "%s", c.dim("hash "+v.Hash))
	line(w, "")
	if n.Held > 0 && s.HeldUntil != nil {
		line(w, "%s", c.notice(heldFirst(s)))
		line(w, "")
	}
	from := fmt.Sprintf("%s, %s", plural(s.Lines, "line"), plural(int64(s.Files), "file"))
	if s.Window != "" {
		from = "stored outcomes, " + s.Window
	}
	if worth := values(s.Mapped); worth != "" {
		from += "; as events " + worth
	}
	field(w, "rows", "%11s   %s", thousands(n.Rows), from)
	field(w, "planned", "%11s   %s", thousands(n.Planned), values(s.Value))
	field(w, "held", "%11s   %s", thousands(n.Held), heldText(s))
	field(w, "rejected", "%11s   %s", thousands(n.Rejected), byCount(s.Rejects))
	field(w, "skipped", "%11s   %s", thousands(n.Skipped), byCount(s.Skips))
	field(w, "expired", "%11s   %s", thousands(n.Expired), expiredText(n.Expired))
	line(w, "")
	if n.Planned > 0 {
		field(w, "events", "%s", byCount(s.Events))
		field(w, "sources", "%s", byCount(s.Sources))
		field(w, "age", "%s", inOrder(s.Ages, writeback.AgeNames()))
		field(w, "match", "%s%s", inOrder(s.Tiers, []string{"great", "good", "weak"}), liftText(s))
		field(w, "coverage", "%s", coverage(s))
		field(w, "requests", "%s, %.1f MB", thousands(s.Requests), float64(s.Bytes)/1e6)
	}
	if s.Expiring > 0 {
		field(w, "expiring", "%s", c.notice(plural(int64(s.Expiring), "event")+" with less than 24 h left"))
	}
	c.writeLabels(w, s)
	c.writeNotes(w, "identifiers dropped (the event is kept)", s.Dropped)
	c.writeNotes(w, "warnings", s.Warnings)
	for _, n := range s.Notes {
		line(w, "  %s %s: %s", c.notice(n.Code), shown(n.File), shown(n.Message))
	}
	if len(s.Samples) > 0 {
		line(w, "\n%s", c.bold("first events, customer values masked"))
		for _, e := range s.Samples {
			line(w, "  %s", c.dim(shorten(shown(compact(e)), sampleWidth)))
		}
	}
}

func plural(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return thousands(n) + " " + noun + "s"
}

func values(by map[string]capi.Decimal) string {
	var parts []string
	for _, cur := range slices.Sorted(maps.Keys(by)) {
		parts = append(parts, cur+" "+amount(by[cur].String()))
	}
	return strings.Join(parts, " · ")
}

func heldText(s *writeback.Summary) string {
	if s.HeldUntil == nil {
		return ""
	}
	return "the last until " + stamp(*s.HeldUntil) + "; preview again then"
}

// heldFirst says before anything else what waits, and until when.
func heldFirst(s *writeback.Summary) string {
	what := plural(int64(s.Counts.Held), "event") + " held back for cancellations"
	if s.HeldFrom == nil || s.HeldFrom.Equal(*s.HeldUntil) {
		return what + " until " + stamp(*s.HeldUntil)
	}
	return what + ", from " + stamp(*s.HeldFrom) + " to " + stamp(*s.HeldUntil)
}

func expiredText(n int) string {
	if n == 0 {
		return ""
	}
	return "outside the send window (7 days, 62 for store sales)"
}

func liftText(s *writeback.Summary) string {
	if s.Tiers["weak"] == 0 || len(s.Lift) == 0 {
		return ""
	}
	return "   (weak would lift with: " + byCount(s.Lift) + ")"
}

func coverage(s *writeback.Summary) string {
	keys := slices.SortedFunc(maps.Keys(s.Coverage), func(a, b string) int {
		if s.Coverage[a] != s.Coverage[b] {
			return s.Coverage[b] - s.Coverage[a]
		}
		return strings.Compare(a, b)
	})
	var parts []string
	for _, k := range keys {
		parts = append(parts, fmt.Sprintf("%s %d %%", k, 100*s.Coverage[k]/max(1, s.Counts.Planned)))
	}
	return strings.Join(parts, " · ")
}

// labelRows is how many values of a label the screen shows; --json has them all.
const labelRows = 12

func (c *command) writeLabels(w io.Writer, s *writeback.Summary) {
	for _, name := range slices.Sorted(maps.Keys(s.Labels)) {
		byValue := s.Labels[name]
		line(w, "\n%s", c.bold("by "+name))
		line(w, "  %-24s %9s %9s %9s %9s %9s %9s", "", "rows", "planned", "held", "rejected", "skipped", "expired")
		values := slices.Sorted(maps.Keys(byValue))
		for i, v := range values {
			if i == labelRows {
				line(w, "  … %d more, see --json", len(values)-labelRows)
				break
			}
			n := byValue[v]
			if v == "" {
				v = "(none)"
			}
			line(w, "  %-24s %9s %9s %9s %9s %9s %9s", shown(v), thousands(n.Rows), thousands(n.Planned), thousands(n.Held),
				thousands(n.Rejected), thousands(n.Skipped), thousands(n.Expired))
		}
	}
}

func (c *command) writeNotes(w io.Writer, title string, notes map[string]*writeback.Note) {
	if len(notes) == 0 {
		return
	}
	line(w, "\n%s", c.bold(title))
	for _, code := range slices.Sorted(maps.Keys(notes)) {
		n := notes[code]
		var at []string
		for _, p := range n.First {
			at = append(at, fmt.Sprintf("%s:%d", shown(p.File), p.Line))
		}
		line(w, "  %s %s  %s", c.notice(fmt.Sprintf("%-22s", code)), fmt.Sprintf("%7s", thousands(n.Count)), n.Hint)
		if len(at) > 0 {
			line(w, "  %-22s %7s  %s", "", "", c.dim("first at "+strings.Join(at, ", ")))
		}
	}
}

// sampleWidth is how much of a sample event the screen shows; --json has it all.
const sampleWidth = 400

func shorten(s string, most int) string {
	if r := []rune(s); len(r) > most {
		return string(r[:most]) + "…"
	}
	return s
}

func compact(raw json.RawMessage) string {
	var b bytes.Buffer
	if json.Compact(&b, raw) != nil {
		return string(raw)
	}
	return b.String()
}
