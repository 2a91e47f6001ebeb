package main

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"
)

// table writes the rows as Markdown, one line per point and store.
func table(rows []row) string {
	var b strings.Builder
	type line struct{ point, store string }
	var order []line
	kills, events := 0, 0
	by := map[line]map[string]row{}
	for _, r := range rows {
		l := line{r.point.name, r.store}
		if by[l] == nil {
			by[l] = map[string]row{}
			order = append(order, l)
		}
		by[l][r.policy] = r
		kills, events = kills+r.kills, events+r.events
	}
	slices.SortStableFunc(order, func(x, y line) int { return place(x.point) - place(y.point) })
	fmt.Fprintf(&b, "%d kills, %d events, %s, %d CPUs.\n\n", kills, events, time.Now().UTC().Format("2006-01-02"), runtime.NumCPU())
	b.WriteString("| Point | Dies after | Store | Kills | Lost | Doubled: `resend` | Doubled: `hold` | Outside the rule | Unresolved: `hold` |\n|---|---|---|---:|---:|---:|---:|---:|---:|\n")
	for _, l := range order {
		var all row
		for _, r := range by[l] {
			all.kills, all.lost, all.outside = all.kills+r.kills, all.lost+r.lost, all.outside+r.outside
		}
		resend, hold := by[l]["resend"], by[l]["hold"]
		if other, foreign := by[l]["–"]; foreign {
			resend = other
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %d | %d | %d | %d | %d | %d |\n", l.point, points[place(l.point)].what, l.store, all.kills, all.lost, resend.doubled, hold.doubled, all.outside, hold.unresolved)
	}
	return b.String()
}

// place is where a point lies in a confirm.
func place(name string) int {
	return slices.IndexFunc(points, func(p point) bool { return p.name == name })
}

// verdict fails when an event was lost, or sent twice where no rule allows it.
func verdict(rows []row) error {
	for _, r := range rows {
		if r.lost > 0 || r.outside > 0 {
			return fmt.Errorf("%s on %s, %s: %d lost, %d doubled outside the rule", r.point.name, r.store, r.policy, r.lost, r.outside)
		}
	}
	return nil
}
