package graphtool

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// instagramInsights reads numbers of an account or of one post. Metrics differ in what
// they have to be asked with, and one that doesn't fit fails the whole call: so they are
// checked by graphspec's records, former names are replaced, and what doesn't go
// together is asked for in calls of its own.
type instagramInsights struct{ Media bool }

// Calls documents the course.
func (f instagramInsights) Calls() []tool.Call {
	if f.Media {
		return []tool.Call{{Verb: "GET", On: "IGMedia", Note: "which product it is"}, {Verb: "GET", On: "IGMedia", Edge: "insights"}}
	}
	return []tool.Call{{Verb: "GET", On: "IGUser", Edge: "insights", Note: "one for each kind of metric, at most 4"}}
}

// Run reads them.
func (f instagramInsights) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	r := &insightsRun{env: e, known: graphspec.IGAccountMetrics, retired: graphspec.IGRetiredAccount, breakdown: e.Args.Str("breakdown")}
	if f.Media {
		r.known, r.retired = graphspec.IGMediaMetrics, graphspec.IGRetiredMedia
	}
	if err := r.choose(); err != nil {
		return nil, err
	}
	if f.Media {
		return r.media(ctx)
	}
	return r.account(ctx)
}

type insightsRun struct {
	env       *tool.Env
	known     []graphspec.IGMetric
	retired   []graphspec.IGRetired
	breakdown string
	named     bool // the caller named metrics
	wanted    []wantedMetric
}

// wantedMetric is a metric with the breakdown that it is read by.
type wantedMetric struct {
	*graphspec.IGMetric
	by string
}

// choose finds the metrics that are meant, today's for those that are gone.
func (r *insightsRun) choose() error {
	names := r.env.Args.Strings("metrics")
	r.named = len(names) > 0
	if !r.named {
		for i := range r.known {
			m := &r.known[i]
			if r.breakdown != "" && m.Takes(r.breakdown) && (!m.Timeframe || m.Name == "follower_demographics") || r.breakdown == "" && m.Default {
				r.wanted = append(r.wanted, wantedMetric{m, r.breakdown})
			}
		}
		return nil
	}
	for _, name := range names {
		m, by := graphspec.FindIGMetric(r.known, name), r.breakdown
		if m == nil {
			old := graphspec.FindIGRetired(r.retired, name)
			if old == nil {
				return tool.Bad("metrics", name+" is no metric here", "there are: "+strings.Join(r.names(), ", "))
			}
			if old.By == "" {
				return tool.Bad("metrics", fmt.Sprintf("Meta took %s away on %s, and nothing replaces it", name, old.Since), "leave it out")
			}
			m = graphspec.FindIGMetric(r.known, old.By)
			by = orElse(by, old.Breakdown)
			r.replaced(old, by)
		}
		if by != "" && !m.Takes(by) {
			return tool.Bad("breakdown", m.Name+" can't be broken down by "+by, r.wouldTake(m))
		}
		if w := (wantedMetric{m, by}); !slices.Contains(r.wanted, w) {
			r.wanted = append(r.wanted, w)
		}
	}
	return nil
}

func (r *insightsRun) wouldTake(m *graphspec.IGMetric) string {
	if m.Breakdowns == "" {
		return "leave breakdown out for " + m.Name + ", or ask for it in another call"
	}
	return m.Name + " takes " + strings.Join(strings.Fields(m.Breakdowns), ", ")
}

func (r *insightsRun) names() []string {
	var list []string
	for _, m := range r.known {
		list = append(list, m.Name)
	}
	return list
}

// replaced tells that another metric was asked for, by the breakdown that shows the old
// number.
func (r *insightsRun) replaced(old *graphspec.IGRetired, by string) {
	why := "was never a metric here"
	if old.Since != "" {
		why = "is gone since " + old.Since
	}
	words := fmt.Sprintf("%s %s; read %s instead", old.Name, why, old.By)
	if by != "" {
		words += ", broken down by " + by
	}
	r.env.Notice(words + ".")
}

// manner is what metrics of one call share.
type manner struct{ kind, period, breakdown, timeframe string }

// account reads an account's numbers.
func (r *insightsRun) account(ctx context.Context) (*tool.Answer, error) {
	if err := r.days(); err != nil {
		return nil, err
	}
	groups := map[manner][]string{}
	var order []manner
	for _, m := range r.wanted {
		how, err := r.manner(m)
		if err != nil {
			return nil, err
		}
		if groups[how] == nil {
			order = append(order, how)
		}
		groups[how] = append(groups[how], m.Name)
	}
	r.ineffective(order)
	var rows []any
	for _, how := range order {
		ask := map[string]any{"metric": strings.Join(groups[how], ","), "period": how.period, "metric_type": how.kind}
		setUnless(ask, "breakdown", how.breakdown)
		setUnless(ask, "timeframe", how.timeframe)
		if how.timeframe == "" {
			setUnless(ask, "since", r.env.Args.Str("since"))
			setUnless(ask, "until", r.env.Args.Str("until"))
		}
		body, err := r.env.Ask(ctx, tool.Target{Verb: "GET", On: "IGUser", ID: r.env.Args.Str("ig_account_id"), Edge: "insights"}, ask)
		if err != nil {
			return nil, err
		}
		list, _ := body["data"].([]any)
		rows = append(rows, list...)
	}
	return r.answer(rows, "Meta has nothing for it: below 100 followers some metrics stay empty, and numbers come up to 48 hours late"), nil
}

// ineffective tells of times that have no effect on what is read.
func (r *insightsRun) ineffective(order []manner) {
	demographics := slices.ContainsFunc(order, func(how manner) bool { return how.timeframe != "" })
	if a := r.env.Args; demographics && (a.Has("since") || a.Has("until")) {
		r.env.Notice("since and until have no effect on demographics: timeframe says what they cover.")
	} else if !demographics && a.Has("timeframe") {
		r.env.Notice("timeframe has no effect: it is for demographics only.")
	}
}

func setUnless(m map[string]any, name, value string) {
	if value != "" {
		m[name] = value
	}
}

// manner says how one metric of an account has to be asked for.
func (r *insightsRun) manner(m wantedMetric) (manner, error) {
	types, periods := strings.Fields(m.Types), strings.Fields(m.Periods)
	how := manner{kind: types[0], period: periods[0], breakdown: m.by}
	if given := r.env.Args.Str("metric_type"); given != "" {
		if !slices.Contains(types, given) {
			return how, tool.Bad("metric_type", m.Name+" does not come as "+given, m.Name+" comes as "+strings.Join(types, " or "))
		}
		how.kind = given
	}
	if given := r.env.Args.Str("period"); given != "" {
		if !slices.Contains(periods, given) {
			return how, tool.Bad("period", m.Name+" has none of "+given, m.Name+" takes "+strings.Join(periods, ", ")+"; leave period out for what fits each metric")
		}
		how.period = given
	}
	if how.period == "week" || how.period == "days_28" {
		how.kind = "time_series"
	}
	if m.Timeframe {
		how.timeframe = orElse(r.env.Args.Str("timeframe"), "this_month")
	}
	if m.Needs && how.breakdown == "" {
		if m.Timeframe {
			return how, tool.Bad("breakdown", "it is missing, and "+m.Name+" needs one", r.wouldTake(m.IGMetric))
		}
		how.breakdown = m.Breakdowns
	}
	if how.breakdown != "" && how.kind != "total_value" {
		return how, tool.Bad("breakdown", "there is none for a series over time", "leave metric_type or breakdown out")
	}
	return how, nil
}

// insightDays is the longest time that one call may cover.
const insightDays = 30 * 24 * time.Hour

// days checks the time asked for, which Meta bounds at 30 days.
func (r *insightsRun) days() error {
	a := r.env.Args
	if !a.Has("since") {
		return nil
	}
	until := r.env.Now()
	if a.Has("until") {
		until = time.Unix(a.Int("until"), 0)
	}
	if since := time.Unix(a.Int("since"), 0); until.Sub(since) > insightDays {
		return tool.Bad("since", fmt.Sprintf("it is %d days before until", int(until.Sub(since).Hours()/24)), "ask for at most 30 days at once")
	}
	return nil
}

// media reads one post's numbers: those that its product has.
func (r *insightsRun) media(ctx context.Context) (*tool.Answer, error) {
	id := r.env.Args.Str("media_id")
	about, err := r.env.Ask(ctx, tool.Target{Verb: "GET", On: "IGMedia", ID: id}, map[string]any{"fields": "media_product_type,media_type,timestamp"})
	if err != nil {
		return nil, err
	}
	product := text(about, "media_product_type")
	if made, bad := time.Parse("2006-01-02T15:04:05-0700", text(about, "timestamp")); product == "STORY" && bad == nil && r.env.Now().Sub(made) >= 24*time.Hour {
		return nil, fault.New(fault.ObjectNotFound, "the story is older than 24 hours, and Meta keeps a story's numbers no longer").
			WithFix("Read insights while a story is live; afterwards only the webhook story_insights has them.")
	}
	r.wanted = r.fitting(product)
	groups := map[string][]string{}
	var order []string
	for _, m := range r.wanted {
		if groups[m.by] == nil {
			order = append(order, m.by)
		}
		groups[m.by] = append(groups[m.by], m.Name)
	}
	var rows []any
	for _, by := range order {
		ask := map[string]any{"metric": strings.Join(groups[by], ",")}
		setUnless(ask, "breakdown", by)
		body, err := r.env.Ask(ctx, tool.Target{Verb: "GET", On: "IGMedia", ID: id, Edge: "insights"}, ask)
		if err != nil {
			return nil, err
		}
		list, _ := body["data"].([]any)
		rows = append(rows, list...)
	}
	return r.answer(rows, "Meta has nothing for it: parts of a carousel have no numbers, and others come up to 48 hours late"), nil
}

// fitting are the metrics that media of a product have; when none of those asked for
// fits, the usual ones.
func (r *insightsRun) fitting(product string) []wantedMetric {
	var list []wantedMetric
	var left []string
	for _, m := range r.wanted {
		if m.For(product) {
			list = append(list, m)
		} else if r.named {
			left = append(left, m.Name)
		}
	}
	if len(left) > 0 {
		r.env.Notice("Media of product " + product + " have no " + strings.Join(left, ", ") + "; left out.")
	}
	if len(list) > 0 {
		return list
	}
	if r.breakdown != "" {
		r.env.Notice("Media of product " + product + " have no breakdown by " + r.breakdown + "; these are the usual metrics.")
	}
	for i := range r.known {
		if m := &r.known[i]; m.Default && m.For(product) {
			list = append(list, wantedMetric{m, ""})
		}
	}
	return list
}

// answer makes one row of each metric: its value, or values over time, or parts.
func (r *insightsRun) answer(rows []any, empty string) *tool.Answer {
	there := map[string]bool{}
	out := []any{}
	for _, v := range rows {
		m, ok := v.(map[string]any)
		if !ok {
			continue
		}
		there[text(m, "name")] = true
		out = append(out, insightRow(m))
	}
	var missing []string
	for _, m := range r.wanted {
		if !there[m.Name] && !slices.Contains(missing, m.Name) {
			missing = append(missing, m.Name)
		}
	}
	if len(missing) > 0 {
		r.env.Notice("No answer for " + strings.Join(missing, ", ") + ". " + empty + ".")
	}
	return &tool.Answer{Data: out}
}

// insightRow flattens one metric of Meta's answer.
func insightRow(m map[string]any) map[string]any {
	row := map[string]any{"name": m["name"], "period": m["period"], "title": m["title"]}
	if total, ok := m["total_value"].(map[string]any); ok {
		if v, ok := total["value"]; ok {
			row["value"] = v
		}
		if parts := insightParts(total); len(parts) > 0 {
			row["parts"] = parts
		}
		return row
	}
	values, _ := m["values"].([]any)
	if len(values) == 1 {
		only, _ := values[0].(map[string]any)
		if _, nested := only["value"].(map[string]any); !nested && only["end_time"] == nil {
			row["value"] = only["value"]
			return row
		}
	}
	row["values"] = values
	return row
}

// insightParts turns {"dimension_keys":["age"],"results":[…]} into {"age":"25-34","value":9}.
func insightParts(total map[string]any) []any {
	var parts []any
	breakdowns, _ := total["breakdowns"].([]any)
	for _, b := range breakdowns {
		broken, _ := b.(map[string]any)
		keys, _ := broken["dimension_keys"].([]any)
		results, _ := broken["results"].([]any)
		for _, v := range results {
			result, _ := v.(map[string]any)
			part := map[string]any{"value": result["value"]}
			values, _ := result["dimension_values"].([]any)
			for i, key := range keys {
				if name, ok := key.(string); ok && i < len(values) {
					part[name] = values[i]
				}
			}
			parts = append(parts, part)
		}
	}
	return parts
}
