package graphtool

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// insightsFlow reads a report about ads while the caller waits. What is too much for
// that it has made in the background, and waits for it as long as a tool call may.
type insightsFlow struct {
	Level string // account, campaign, adset, ad; empty: the argument level
	Start bool   // only start the report in the background
}

// insightObjects are the arguments that may name the object of a report, the narrowest
// first, and their node types.
const (
	insightObjects = "ad_id|adset_id|campaign_id|ad_account_id"
	insightNodes   = "Ad|AdSet|Campaign|AdAccount"
)

// Calls documents the course.
func (f insightsFlow) Calls() []tool.Call {
	verb, list := "GET", []tool.Call{}
	if f.Start {
		verb = "POST"
	}
	nodes := strings.Split(insightNodes, "|")
	if i := slices.Index([]string{"ad", "adset", "campaign", "account"}, f.Level); i >= 0 {
		nodes = nodes[i:]
	}
	for _, on := range nodes {
		list = append(list, tool.Call{Verb: verb, On: on, Edge: "insights", Note: "the narrowest object that is named"})
	}
	if f.Start {
		return list
	}
	for _, on := range nodes {
		list = append(list, tool.Call{Verb: "POST", On: on, Edge: "insights", Note: "where that is too much at once: a report in the background"})
	}
	return append(list, tool.Call{Verb: "GET", On: "AdReportRun"}, tool.Call{Verb: "GET", On: "AdReportRun", Edge: "insights"})
}

// longRange is how many days with breakdowns are asked for in the background at once
// (best practices of the Insights API: ask asynchronously for what is large).
const longRange = 90

// Run reads the report.
func (f insightsFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	question, err := f.question(e)
	if err != nil {
		return nil, err
	}
	step := func(verb string) tool.Step {
		return tool.Step{Verb: verb, On: insightNodes, ID: insightObjects, Edge: "insights", Takes: []string{}}
	}
	if f.Start {
		body, err := e.Call(ctx, step("POST"), question)
		if err != nil {
			return nil, err
		}
		return &tool.Answer{Data: body}, nil
	}
	if days := f.days(e); days <= longRange || !e.Args.Has("breakdowns") {
		page := map[string]any{"limit": e.Args.Str("limit")}
		if e.Args.Has("after") {
			page["after"] = e.Args.Str("after")
		}
		for name, v := range question {
			page[name] = v
		}
		body, err := e.Call(ctx, step("GET"), page)
		if err == nil {
			m, _ := body.(map[string]any)
			return f.answer(e, tool.Paged(m)), nil
		}
		if fault.CodeOf(err) != fault.TooMuchData {
			return nil, err
		}
		e.Notice("The answer was too large to be read at once; it was made in the background as a report.")
	} else {
		e.Notice("More than " + strconv.Itoa(longRange) + " days with breakdowns are read as a report made in the background.")
	}
	if e.Args.Has("after") {
		// A new report would begin again at its first row, and the caller turn in a circle.
		return nil, tool.Bad("after", "the rows are those of a report made in the background, which is read by its id",
			"call meta_get_insights_report with the report_run_id that the notices of the answer before named, and this cursor")
	}
	body, err := e.Call(ctx, step("POST"), question)
	if err != nil {
		return nil, err
	}
	m, _ := body.(map[string]any)
	id := text(m, "report_run_id")
	if _, ok := graphspec.Digits.Parse(id); !ok {
		return nil, fault.New(fault.MetaRefused, "Meta named no id for the report")
	}
	e.Notice("The report is " + id + "; meta_get_insights_report reads its further pages.")
	return readReport(ctx, e, id, reportWaits)
}

// answer adds what the reader of amounts has to know.
func (f insightsFlow) answer(e *tool.Env, a *tool.Answer) *tool.Answer {
	list, _ := a.Data.([]any)
	if len(list) == 0 {
		e.Notice("No row: nothing was delivered in these days, or the filters leave nothing.")
		return a
	}
	first, _ := list[0].(map[string]any)
	if c := text(first, "account_currency"); c != "" {
		e.Notice("Amounts are in " + c + ", in its major unit; days are those of the account's time zone.")
	}
	for _, item := range list {
		if row, ok := item.(map[string]any); ok {
			if s := actionSummary(row); s != "" {
				row["action_summary"] = s
			}
		}
	}
	a.Columns = insightTable(e, first)
	return a
}

// question makes the parameters of a report from the arguments.
func (f insightsFlow) question(e *tool.Env) (map[string]any, error) {
	level := f.Level
	if level == "" {
		level = e.Args.Str("level")
	}
	q := map[string]any{}
	if level != "" {
		q["level"] = level
	}
	fields, err := insightColumns(e, level)
	if err != nil {
		return nil, err
	}
	q["fields"] = strings.Join(fields, ",")
	if e.Args.Has("since") {
		since, until := e.Args.Str("since"), e.Args.Str("until")
		if until < since {
			return nil, tool.Bad("until", "it is before since", "give the earlier day as since")
		}
		q["time_range"] = map[string]any{"since": since, "until": until}
	} else {
		q["date_preset"] = e.Args.Str("date_preset")
	}
	if inc := e.Args.Str("time_increment"); inc != "" {
		if n, err := strconv.Atoi(inc); inc != "monthly" && inc != "all_days" && (err != nil || n < 1 || n > 90) {
			return nil, tool.Bad("time_increment", "it is neither a number of days from 1 to 90 nor monthly nor all_days", "write \"1\" for a row a day")
		}
		q["time_increment"] = inc
	}
	if list := breakdownsOf(e); len(list) > 0 {
		q["breakdowns"] = strings.Join(list, ",")
	}
	for _, name := range []string{"action_breakdowns", "action_attribution_windows"} {
		if list := e.Args.Strings(name); len(list) > 0 {
			q[name] = strings.Join(list, ",")
		}
	}
	if e.Args.Has("filtering") {
		q["filtering"] = e.Args.List("filtering")
	}
	if sort := e.Args.Str("sort"); sort != "" {
		if !sortable(sort) {
			return nil, tool.Bad("sort", "it is no column with a direction", "write a column and _ascending or _descending, such as spend_descending")
		}
		q["sort"] = []any{sort}
	}
	if e.Args.Has("use_unified_attribution_setting") {
		q["use_unified_attribution_setting"] = e.Args.Bool("use_unified_attribution_setting")
	}
	return q, nil
}

// sortable reports whether rows can be sorted so: by a column, or by an action as
// actions:link_click_descending.
func sortable(text string) bool {
	name, up := strings.CutSuffix(text, "_ascending")
	if !up {
		var down bool
		if name, down = strings.CutSuffix(text, "_descending"); !down {
			return false
		}
	}
	name, _, _ = strings.Cut(name, ":")
	_, known := graphspec.Lookup("AdsInsights").Field(name)
	return known
}

// breakdownsOf are the breakdowns; placement, which the API doesn't have, is platform
// and position.
func breakdownsOf(e *tool.Env) []string {
	var list []string
	for _, name := range e.Args.Strings("breakdowns") {
		parts := []string{name}
		if name == "placement" {
			parts = []string{"publisher_platform", "platform_position"}
			e.Notice("placement is no breakdown of the API; publisher_platform and platform_position were asked for.")
		}
		for _, p := range parts {
			if !slices.Contains(list, p) {
				list = append(list, p)
			}
		}
	}
	return list
}

// neverAsked are columns that older callers name and that fail the whole call.
var neverAsked = map[string]string{"unique_impressions": "reach", "relevance_score": "quality_ranking", "website_clicks": "inline_link_clicks"}

// insightColumns are the columns to ask for: those the caller names, or the safe ones,
// with what says whose row it is and in which currency.
func insightColumns(e *tool.Env, level string) ([]string, error) {
	node := graphspec.Lookup("AdsInsights")
	breakdowns, _ := graphspec.IsEnum("InsightsBreakdown")
	var list []string
	add := func(name string) {
		if !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	for _, l := range []string{"account", "campaign", "adset", "ad"} {
		if l != "account" || level == "account" {
			add(l + "_id")
			add(l + "_name")
		}
		if l == level {
			break
		}
	}
	names := e.Args.Strings("fields")
	if len(names) == 0 {
		names = strings.Split(graphspec.SafeInsights, ",")
	}
	for _, name := range names {
		if by, old := neverAsked[name]; old {
			e.Notice(name + " is no column of the API; " + by + " was asked for.")
			name = by
		}
		if slices.Contains(breakdowns, name) {
			e.Notice(name + " is a breakdown and no column; it was left out. Give it in breakdowns.")
			continue
		}
		if _, ok := node.Field(name); !ok {
			return nil, tool.Bad("fields", "there is no column "+name, "take columns such as "+strings.ReplaceAll(graphspec.SafeInsights, ",", ", "))
		}
		add(name)
	}
	add("account_currency")
	return list, nil
}

// days is about how many days the question covers.
func (f insightsFlow) days(e *tool.Env) int {
	if e.Args.Has("since") {
		from, err := time.Parse(time.DateOnly, e.Args.Str("since"))
		to, err2 := time.Parse(time.DateOnly, e.Args.Str("until"))
		if err != nil || err2 != nil {
			return 0
		}
		return int(to.Sub(from).Hours()/24) + 1
	}
	switch e.Args.Str("date_preset") {
	case "maximum", "data_maximum", "this_year", "last_year":
		return 366
	case "this_quarter", "last_quarter":
		return 92
	}
	return 30
}

// reportWaits are the waits between questions for a report, as long as a tool call may
// take; what needs longer is fetched by its id.
var reportWaits = []time.Duration{2, 3, 5, 8, 12, 15, 15}

// readReport waits for a report and reads the first of its rows.
func readReport(ctx context.Context, e *tool.Env, id string, waits []time.Duration) (*tool.Answer, error) {
	for i := 0; ; i++ {
		r, err := graph.ReportStatus(ctx, e.Graph, id, graph.TokenRef{Kind: "user"})
		if err != nil {
			return nil, err
		}
		if r.Failure != nil {
			return nil, r.Failure.With("report_run_id", id)
		}
		if r.Done {
			break
		}
		e.Progress(float64(r.Percent), 100, "report: "+r.Status)
		if i == len(waits) {
			return nil, fault.New(fault.NotReady, "report %s is not ready: %s, %d %%", id, r.Status, r.Percent).
				WithFix("call meta_get_insights_report with report_run_id %s in a minute", id).With("report_run_id", id).With("percent", r.Percent)
		}
		if err := e.Wait(ctx, waits[i]*time.Second); err != nil {
			return nil, err
		}
	}
	page := map[string]any{"limit": e.Args.Str("limit")}
	if e.Args.Has("after") && e.Args.Has("report_run_id") {
		page["after"] = e.Args.Str("after")
	}
	m, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "AdReportRun", ID: id, Edge: "insights"}, page)
	if err != nil {
		return nil, err
	}
	return insightsFlow{}.answer(e, tool.Paged(m)), nil
}

// reportFlow reads a report that was started before.
type reportFlow struct{}

// Calls documents the course.
func (reportFlow) Calls() []tool.Call {
	return []tool.Call{{Verb: "GET", On: "AdReportRun", Note: "whether it is ready"}, {Verb: "GET", On: "AdReportRun", Edge: "insights"}}
}

// Run asks once whether the report is ready, and reads it.
func (reportFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	return readReport(ctx, e, e.Args.Str("report_run_id"), nil)
}
