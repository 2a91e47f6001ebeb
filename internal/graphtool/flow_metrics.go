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

// metricsFlow reads metrics of a Page or a post. One retired metric fails the whole
// call at Meta, so former names are replaced or left out first, with a notice, and what
// is still refused is asked for metric by metric, so that the rest comes through.
type metricsFlow struct {
	On    string // Page or Post
	ID    string
	Known []graphspec.PageMetric
	// Argument names the metrics: a list, or a single one that is all there is to read.
	Argument string
}

// Calls documents the course.
func (f metricsFlow) Calls() []tool.Call {
	return []tool.Call{{Verb: "GET", On: f.On, Edge: "insights", Note: "one for each period and each 90 days; metric by metric where Meta refuses one"}}
}

// metricRun is one call on its way.
type metricRun struct {
	metricsFlow
	e      *tool.Env
	period string
	groups []metricGroup
	rows   []any
	last   error
}

// metricGroup is metrics that go into one call.
type metricGroup struct {
	period string
	names  []string
}

// Run reads the metrics.
func (f metricsFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	r := &metricRun{metricsFlow: f, e: e, period: e.Args.Str("period")}
	if r.period == "" {
		r.period = strings.Fields(f.Known[0].Periods)[0]
	}
	if err := r.choose(); err != nil {
		return nil, err
	}
	windows, err := r.windows()
	if err != nil {
		return nil, err
	}
	for _, g := range r.groups {
		for _, w := range windows {
			if err := r.read(ctx, g, w); err != nil {
				return nil, err
			}
		}
	}
	if len(r.rows) == 0 && r.last != nil {
		return nil, r.last
	}
	if !slices.ContainsFunc(r.rows, hasValue) {
		e.Notice("Meta answered without a value: a Page needs about 100 likes before it has any, and new days come after a day or two.")
	}
	for _, row := range r.rows {
		addLatest(row)
	}
	return &tool.Answer{Data: r.rows}, nil
}

// wanted are the names that the caller gave, or the ones that are known to be good.
func (r *metricRun) wanted() []string {
	names := r.e.Args.Strings(r.Argument)
	if one := r.e.Args.Str(r.Argument); one != "" {
		names = []string{one}
	}
	if len(names) > 0 {
		return names
	}
	for _, m := range r.Known {
		if m.Default {
			names = append(names, m.Name)
		}
	}
	return names
}

// choose puts today's metrics into groups that go together.
func (r *metricRun) choose() error {
	var gone []string
	for _, name := range r.wanted() {
		old := graphspec.FindRetired(name)
		switch {
		case old == nil:
			r.put(name)
		case old.By == "":
			gone = append(gone, fmt.Sprintf("%s ended on %s and nothing replaces it", name, old.Since))
		default:
			by := strings.Fields(old.By)
			r.e.Notice(fmt.Sprintf("%s ended on %s; read %s instead.", name, old.Since, strings.Join(by, " and ")))
			for _, n := range by {
				r.put(n)
			}
		}
	}
	if len(r.groups) == 0 {
		return fault.New(fault.Unsupported, "%s", strings.Join(gone, "; ")).
			WithFix("Leave it out for the metrics that there are. Age and gender of an Instagram audience are in meta_get_instagram_account_insights (follower_demographics), of people reached by ads in meta_get_account_insights with breakdowns age and gender.")
	}
	for _, g := range gone {
		r.e.Notice(g + "; it was left out.")
	}
	return nil
}

// put adds a metric to the group of its period. One that is not known goes alone: it
// may fail without the others.
func (r *metricRun) put(name string) {
	m := graphspec.FindPageMetric(r.Known, name)
	if m == nil {
		r.groups = append(r.groups, metricGroup{r.period, []string{name}})
		return
	}
	period := r.period
	if !m.Has(period) {
		period = strings.Fields(m.Periods)[0]
		r.e.Notice(fmt.Sprintf("%s does not have the period %s; it was read by %s.", name, r.period, period))
	}
	for i := range r.groups {
		g := &r.groups[i]
		if g.period == period && graphspec.FindPageMetric(r.Known, g.names[0]) != nil {
			if !slices.Contains(g.names, name) {
				g.names = append(g.names, name)
			}
			return
		}
	}
	r.groups = append(r.groups, metricGroup{period, []string{name}})
}

// metricDays is since and until of one call, as Meta takes them.
type metricDays struct{ since, until string }

// mostMetricDays is how many days one call takes.
const mostMetricDays = 90

// windows cuts the days into stretches that one call takes.
func (r *metricRun) windows() ([]metricDays, error) {
	since, until := r.e.Args.Str("since"), r.e.Args.Str("until")
	if since == "" || until == "" {
		return []metricDays{{since, until}}, nil
	}
	from, err := time.Parse(time.DateOnly, since)
	to, err2 := time.Parse(time.DateOnly, until)
	if err != nil || err2 != nil || to.Before(from) {
		return nil, tool.Bad("until", "it is before since", "give the earlier day as since")
	}
	if from.Before(r.e.Now().AddDate(-2, 0, -1)) {
		return nil, tool.Bad("since", "Meta keeps two years", "ask for days of the last two years")
	}
	var list []metricDays
	// Meta leaves the last day out; ours is included.
	for end := to.AddDate(0, 0, 1); from.Before(end); from = from.AddDate(0, 0, mostMetricDays) {
		stop := from.AddDate(0, 0, mostMetricDays)
		if stop.After(end) {
			stop = end
		}
		list = append(list, metricDays{from.Format(time.DateOnly), stop.Format(time.DateOnly)})
	}
	return list, nil
}

// read makes the call of a group. Where Meta refuses it for one of its metrics, they are
// asked for one by one.
func (r *metricRun) read(ctx context.Context, g metricGroup, w metricDays) error {
	list, err := r.ask(ctx, g.names, g.period, w)
	if err == nil {
		r.add(list)
		return nil
	}
	if !aboutMetric(err) {
		return err
	}
	r.last = err
	if len(g.names) == 1 {
		r.e.Notice(fmt.Sprintf("Meta refused %s, so it was left out.", g.names[0]))
		return nil
	}
	for _, name := range g.names {
		list, err := r.ask(ctx, []string{name}, g.period, w)
		switch {
		case err == nil:
			r.add(list)
		case aboutMetric(err):
			r.last = err
			r.e.Notice(fmt.Sprintf("Meta refused %s, so it was left out.", name))
		default:
			return err
		}
	}
	return nil
}

// aboutMetric reports whether a refusal is of the question, and not of the token.
func aboutMetric(err error) bool {
	code := fault.CodeOf(err)
	return code == fault.MetaRefused || code == fault.ArgumentInvalid || code == fault.Unsupported
}

func (r *metricRun) ask(ctx context.Context, names []string, period string, w metricDays) ([]any, error) {
	params := map[string]any{"metric": strings.Join(names, ",")}
	if r.On == "Page" {
		params["period"] = period
	}
	if w.since != "" {
		params["since"] = w.since
	}
	if w.until != "" {
		params["until"] = w.until
	}
	body, err := r.e.Call(ctx, tool.Step{Verb: "GET", On: r.On, ID: r.ID, Edge: "insights", PageOf: "page_id", Takes: []string{}}, params)
	if err != nil {
		return nil, err
	}
	m, _ := body.(map[string]any)
	list, _ := tool.Paged(m).Data.([]any)
	return list, nil
}

// add puts rows together: the values of a later metricDays go behind those of an earlier.
func (r *metricRun) add(list []any) {
	for _, item := range list {
		row, ok := item.(map[string]any)
		if !ok {
			continue
		}
		i := slices.IndexFunc(r.rows, func(have any) bool {
			m, _ := have.(map[string]any)
			return text(m, "name") == text(row, "name") && text(m, "period") == text(row, "period")
		})
		if i < 0 {
			r.rows = append(r.rows, row)
			continue
		}
		have, _ := r.rows[i].(map[string]any)
		a, _ := have["values"].([]any)
		b, _ := row["values"].([]any)
		have["values"] = append(a, b...)
	}
}

// hasValue reports whether a series has any value.
func hasValue(row any) bool {
	m, _ := row.(map[string]any)
	values, _ := m["values"].([]any)
	return len(values) > 0
}

// addLatest puts the newest value beside the series, for tables.
func addLatest(row any) {
	m, _ := row.(map[string]any)
	values, _ := m["values"].([]any)
	if len(values) == 0 {
		return
	}
	if last, ok := values[len(values)-1].(map[string]any); ok {
		m["latest"] = last["value"]
	}
}
