package graphtool

import (
	"math/big"
	"slices"
	"strings"

	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// insightTable are the columns that a report is shown with: whose row it is, what it is
// divided by, the days, and the numbers that were asked for. Lists of actions are one
// column of words; all of them are in the structured answer.
func insightTable(e *tool.Env, row map[string]any) []string {
	var list []string
	add := func(names ...string) {
		for _, name := range names {
			if _, there := row[name]; there && !slices.Contains(list, name) {
				list = append(list, name)
			}
		}
	}
	for _, name := range []string{"ad_name", "adset_name", "campaign_name"} {
		if add(name); len(list) > 0 {
			break
		}
	}
	breakdowns, _ := graphspec.IsEnum("InsightsBreakdown")
	add(breakdowns...)
	add("date_start", "date_stop")
	numbers := e.Args.Strings("fields")
	if len(numbers) == 0 {
		numbers = strings.Fields("impressions reach clicks ctr spend")
	}
	for _, name := range numbers {
		if _, scalar := row[name].(string); scalar && name != "account_currency" {
			add(name)
		}
	}
	add("action_summary")
	return list
}

// told are the actions that a summary names, the one that matters most first.
var told = []string{"purchase", "lead", "complete_registration", "add_to_cart", "landing_page_view", "link_click", "post_engagement"}

// mostTold is how many of them.
const mostTold = 4

// actionSummary says in words how often what was done, and what each pound brought.
func actionSummary(row map[string]any) string {
	done, worth := totals(row["actions"]), totals(row["action_values"])
	var parts []string
	for _, kind := range told {
		n, ok := done[kind]
		if !ok || len(parts) == mostTold {
			continue
		}
		if v := worth[kind]; v != "" {
			n += " (worth " + v + ")"
		}
		parts = append(parts, kind+" "+n)
	}
	if roas, _ := row["purchase_roas"].([]any); len(roas) == 1 { // of parts there is no sum
		each(roas, func(_, value string) { parts = append(parts, "ROAS "+value) })
	}
	return strings.Join(parts, ", ")
}

// totals are the values by kind. With action_breakdowns a kind has an entry for each
// part, which are added up; what is no number is left out.
func totals(v any) map[string]string {
	sums, digits := map[string]*big.Rat{}, map[string]int{}
	each(v, func(kind, value string) {
		n, ok := new(big.Rat).SetString(value)
		if !ok || len(value) > 40 {
			return
		}
		if sums[kind] == nil {
			sums[kind] = new(big.Rat)
		}
		sums[kind].Add(sums[kind], n)
		if _, fraction, has := strings.Cut(value, "."); has {
			digits[kind] = max(digits[kind], len(fraction))
		}
	})
	out := map[string]string{}
	for kind, sum := range sums {
		out[kind] = sum.FloatString(digits[kind])
	}
	return out
}

// each walks the entries of a list of actions.
func each(v any, do func(kind, value string)) {
	list, _ := v.([]any)
	for _, item := range list {
		if m, ok := item.(map[string]any); ok {
			do(text(m, "action_type"), text(m, "value"))
		}
	}
}
