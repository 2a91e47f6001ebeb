package world

import (
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

var insightBehaviours = map[string]Behaviour{
	"GET AdAccount.insights":   adInsights,
	"GET Campaign.insights":    adInsights,
	"GET AdSet.insights":       adInsights,
	"GET Ad.insights":          adInsights,
	"POST AdAccount.insights":  startReport,
	"POST Campaign.insights":   startReport,
	"POST AdSet.insights":      startReport,
	"POST Ad.insights":         startReport,
	"GET AdReportRun.insights": reportRows,
	"GET Page.insights":        pageInsights,
	"GET PagePost.insights":    postInsights,
	"GET Root.ads_archive":     adsArchive,
	"GET Root.pages/search":    pagesSearch,
}

var insightFields = map[string]fieldOf{
	// Meta puts the caller's token into this address.
	"ArchivedAd.ad_snapshot_url": func(c *Call, o *Object) any {
		return "https://www.facebook.com/ads/archive/render_ad/?id=" + o.ID + "&access_token=" + snapshotToken(c)
	},
	"AdReportRun.async_status":             func(c *Call, o *Object) any { return reportState(c.Now, o).status },
	"AdReportRun.async_percent_completion": func(c *Call, o *Object) any { return reportState(c.Now, o).percent },
	"AdReportRun.is_running":               func(c *Call, o *Object) any { return reportState(c.Now, o).running },
	"AdReportRun.time_completed":           reportDone,
	"AdReportRun.error_code":               reportFault("code"),
	"AdReportRun.error_subcode":            reportFault("subcode"),
	"AdReportRun.error_message":            reportFault("message"),
	"AdReportRun.error_user_title":         reportFault("title"),
	"AdReportRun.error_user_msg":           reportFault("msg"),
}

// levels are the node types of a report's levels, from the account down.
var levels = []string{"account", "campaign", "adset", "ad"}

var levelKinds = map[string]string{"account": "AdAccount", "campaign": "Campaign", "adset": "AdSet", "ad": "Ad"}

// The sandbox's limits: how many rows a call may work out while the caller waits, and
// how many a report in the background. Meta's are not published.
const (
	waitingRows = 2500
	reportMost  = 20_000
)

// report is a question for numbers, read and checked.
type report struct {
	account  *Object
	currency string
	level    string
	spans    []span
	dims     []string
	group    *group
	at       []int
	fields   []string
	windows  []string
	device   bool // action_breakdowns=action_device
	filters  []filter
	sort     string
}

func adInsights(c *Call) (any, *Error) {
	r, err := c.report(c.On)
	if err != nil {
		return nil, err
	}
	if r.size(c.World, c.On) > waitingRows {
		return nil, Fail("insights_slow")
	}
	rows, err := r.rows(c, c.On)
	if err != nil {
		return nil, err
	}
	return c.reportPage(rows)
}

// reportPage cuts the page that a call asks for; the columns are chosen already.
func (c *Call) reportPage(rows []map[string]any) (any, *Error) {
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	return Paged(c, at, strconv.Itoa, func(i int) (any, *Error) { return rows[i], nil })
}

// report reads the parameters of a call on one of the four levels.
func (c *Call) report(on *Object) (*report, *Error) {
	account := c.World.Above(on, "AdAccount")
	r := &report{account: account, currency: "USD", level: c.Param("level"), dims: c.Strings("breakdowns"), windows: c.Strings("action_attribution_windows")}
	zone := "UTC"
	if account != nil {
		r.currency, zone = account.Str("currency"), account.Str("timezone_name")
	}
	if r.level == "" {
		r.level = levelOf(on.Kind)
	}
	if slices.Index(levels, r.level) < slices.Index(levels, levelOf(on.Kind)) {
		return nil, Bad("level must be " + levelOf(on.Kind) + " or one below it for this object")
	}
	if len(r.dims) > 0 {
		if r.group, r.at = breakdown(r.dims); r.group == nil {
			return nil, Fail("insights_breakdown")
		}
	}
	r.device = slices.Contains(c.Strings("action_breakdowns"), "action_device")
	var err *Error
	if r.spans, err = c.spans(zone); err != nil {
		return nil, err
	}
	if r.fields, err = c.columns(); err != nil {
		return nil, err
	}
	if r.filters, err = c.filters(); err != nil {
		return nil, err
	}
	if list := c.Strings("sort"); len(list) > 0 {
		r.sort = list[0]
	}
	return r, nil
}

func levelOf(kind string) string {
	for level, k := range levelKinds {
		if k == kind {
			return level
		}
	}
	return "account"
}

// spans are the stretches that get a row each.
func (c *Call) spans(zone string) ([]span, *Error) {
	if !c.Has("time_ranges") {
		whole, err := c.spanOf(zone)
		if err != nil {
			return nil, err
		}
		return whole.cut(c.Param("time_increment"))
	}
	var given []struct{ Since, Until string }
	if err := c.JSON("time_ranges", &given); err != nil {
		return nil, err
	}
	var list []span
	for _, g := range given {
		s, err := readSpan(g.Since, g.Until, today(c.Now, zone))
		if err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, nil
}

// columns are the fields that are asked for. One that does not exist fails the call.
func (c *Call) columns() ([]string, *Error) {
	node := graphspec.Lookup("AdsInsights")
	names := c.Strings("fields")
	if len(names) == 0 {
		names = []string{"account_id", "impressions", "spend"}
	}
	for _, name := range names {
		if _, ok := node.Field(name); !ok || isBreakdown(name) {
			return nil, Fail("insights_field", "field", clip(name))
		}
	}
	return names, nil
}

func isBreakdown(name string) bool {
	values, _ := graphspec.IsEnum("InsightsBreakdown")
	return slices.Contains(values, name)
}

// size is about how many rows the question has.
func (r *report) size(w *World, on *Object) int {
	n := max(1, len(r.entities(w, on))) * max(1, len(r.spans))
	if r.group != nil {
		n *= len(r.group.cells)
	}
	return n
}

// entities are the objects that get rows, those of the wanted level at or below one.
func (r *report) entities(w *World, on *Object) []*Object {
	kind := levelKinds[r.level]
	if on.Kind == kind {
		return []*Object{on}
	}
	return slices.DeleteFunc(w.All(kind), func(o *Object) bool {
		above := w.Above(o, on.Kind)
		return above == nil || above.ID != on.ID
	})
}

// ads are the ads at or below an object.
func adsOf(w *World, o *Object) []*Object {
	r := report{level: "ad"}
	return r.entities(w, o)
}

// rows works the answer out: a row for each object, stretch and cell that was delivered.
func (r *report) rows(c *Call, on *Object) ([]map[string]any, *Error) {
	type line struct {
		row   map[string]any
		n     numbers
		value float64
	}
	var lines []line
	zone := "UTC"
	if r.account != nil {
		zone = r.account.Str("timezone_name")
	}
	for _, entity := range r.entities(c.World, on) {
		ads := adsOf(c.World, entity)
		for _, s := range r.spans {
			for _, sum := range r.sums(c.World, ads, s, c.Now, zone) {
				if sum.n.impressions == 0 {
					continue
				}
				sum.n.reach = once(sum.n.reach, s.days())
				row := r.row(c.World, entity, s, sum.n)
				for i, dim := range r.dims {
					row[dim] = sum.values[i]
				}
				if !r.keeps(c.World, entity, row, sum.n) {
					continue
				}
				lines = append(lines, line{r.choose(row), sum.n, sortValue(row, r.sort)})
			}
		}
	}
	if r.sort != "" {
		slices.SortStableFunc(lines, func(a, b line) int {
			if strings.HasSuffix(r.sort, "_descending") {
				a, b = b, a
			}
			switch {
			case a.value < b.value:
				return -1
			case a.value > b.value:
				return 1
			}
			return 0
		})
	}
	out := make([]map[string]any, len(lines))
	for i, l := range lines {
		out[i] = l.row
	}
	return out, nil
}

// once is how many different people were reached over some days: fewer than the sum of
// the days.
func once(sum int64, days int) int64 {
	if days <= 1 {
		return sum
	}
	return int64(float64(sum) * (0.35 + 0.65/math.Sqrt(float64(days))))
}

func sortValue(row map[string]any, sort string) float64 {
	name := strings.TrimSuffix(strings.TrimSuffix(sort, "_descending"), "_ascending")
	text, _ := row[name].(string)
	v, err := strconv.ParseFloat(text, 64)
	if err != nil {
		return 0
	}
	return v
}

type sum struct {
	values []string
	n      numbers
}

// sums adds the ads and days of a row up, in the order of the cells.
func (r *report) sums(w *World, ads []*Object, s span, now time.Time, zone string) []sum {
	current := today(now, zone)
	index := map[string]int{}
	list := []sum{}
	put := func(key string, values []string, n numbers) {
		i, ok := index[key]
		if !ok {
			i = len(list)
			index[key] = i
			list = append(list, sum{values: values})
		}
		list[i].n.add(n)
	}
	for _, ad := range ads {
		for day := s.since; !day.After(s.until) && !day.After(current); day = day.AddDate(0, 0, 1) {
			if !delivered(w, ad, day) {
				continue
			}
			share := 1.0
			if day.Equal(current) {
				share = float64(now.UTC().Hour()*60+now.UTC().Minute()) / (24 * 60)
			}
			n := dayOf(ad, day, share)
			if r.group == nil {
				put("", nil, n)
				continue
			}
			for i, p := range r.group.part(n) {
				c := r.group.cells[i]
				values := make([]string, len(r.at))
				for k, j := range r.at {
					values[k] = c.values[j]
				}
				put(c.key(r.at), values, p)
			}
		}
	}
	return list
}

// choose keeps the wanted columns; the breakdowns and the days come with every row.
func (r *report) choose(row map[string]any) map[string]any {
	out := map[string]any{"date_start": row["date_start"], "date_stop": row["date_stop"]}
	for _, name := range slices.Concat(r.fields, r.dims) {
		if v, ok := row[name]; ok && v != nil {
			out[name] = v
		}
	}
	return out
}

// filter is one entry of filtering.
type filter struct {
	Field    string
	Operator string
	Value    any
}

func (c *Call) filters() ([]filter, *Error) {
	if !c.Has("filtering") {
		return nil, nil
	}
	var list []filter
	if err := c.JSON("filtering", &list); err != nil {
		return nil, err
	}
	known := []string{"EQUAL", "NOT_EQUAL", "GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "IN", "NOT_IN", "CONTAIN", "NOT_CONTAIN"}
	for _, f := range list {
		if f.Field == "" || !slices.Contains(known, f.Operator) {
			return nil, Bad("filtering: each entry must have a field, an operator of {" + strings.Join(known, ", ") + "} and a value")
		}
	}
	return list, nil
}

// keeps reports whether a row passes all filters: campaign.id, ad.name, spend.
func (r *report) keeps(w *World, entity *Object, row map[string]any, _ numbers) bool {
	for _, f := range r.filters {
		var have string
		if kind, attr, dotted := strings.Cut(f.Field, "."); dotted {
			o := w.Above(entity, levelKinds[kind])
			if o == nil {
				continue
			}
			have = o.Str(attr)
			if attr == "id" {
				have = o.ID
			}
			if attr == "effective_status" {
				have = o.Str("status")
			}
		} else {
			have, _ = row[f.Field].(string)
		}
		if !f.holds(have) {
			return false
		}
	}
	return true
}

func (f filter) holds(have string) bool {
	list := []string{}
	switch v := f.Value.(type) {
	case []any:
		for _, item := range v {
			list = append(list, text(item))
		}
	default:
		list = append(list, text(v))
	}
	if len(list) == 0 {
		return false
	}
	number := func(s string) float64 {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0
		}
		return v
	}
	switch f.Operator {
	case "EQUAL", "IN":
		return slices.Contains(list, have)
	case "NOT_EQUAL", "NOT_IN":
		return !slices.Contains(list, have)
	case "GREATER_THAN":
		return number(have) > number(list[0])
	case "GREATER_THAN_OR_EQUAL":
		return number(have) >= number(list[0])
	case "LESS_THAN":
		return number(have) < number(list[0])
	case "LESS_THAN_OR_EQUAL":
		return number(have) <= number(list[0])
	case "CONTAIN":
		return strings.Contains(have, list[0])
	}
	return !strings.Contains(have, list[0])
}

// startReport makes a report in the background. The question is checked at once, so
// that a wrong one fails here and not in the report.
func startReport(c *Call) (any, *Error) {
	r, err := c.report(c.On)
	if err != nil {
		return nil, err
	}
	attrs := Attrs{"question": c.Params.Encode(), "size": r.size(c.World, c.On), "account_id": "", "time_ref": c.Now}
	if r.account != nil {
		attrs["account_id"] = r.account.Str("account_id")
	}
	if len(r.spans) > 0 {
		attrs["date_start"], attrs["date_stop"] = r.spans[0].since.Format(time.DateOnly), r.spans[len(r.spans)-1].until.Format(time.DateOnly)
	}
	o := c.World.Add("AdReportRun", c.On, attrs)
	return map[string]any{"report_run_id": o.ID}, nil
}

// state is how far a report in the background is.
type state struct {
	status  string
	percent int
	running bool
}

// The pace of a report: not started for a second, then ten seconds of work.
const (
	reportStarts = time.Second
	reportTakes  = 10 * time.Second
)

func reportState(now time.Time, o *Object) state {
	age := now.Sub(o.Made)
	size, _ := o.Attrs["size"].(int)
	switch {
	case age < reportStarts:
		return state{"Job Not Started", 0, true}
	case age < reportStarts+reportTakes/5:
		return state{"Job Started", 0, true}
	case size > reportMost:
		return state{"Job Failed", 40, false}
	case age < reportStarts+reportTakes:
		return state{"Job Running", int((age - reportStarts) * 100 / reportTakes), true}
	}
	return state{"Job Completed", 100, false}
}

func reportDone(c *Call, o *Object) any {
	if reportState(c.Now, o).running {
		return nil
	}
	return o.Made.Add(reportStarts + reportTakes)
}

// reportFault are the error members of a failed report, which exist since v25.
func reportFault(what string) fieldOf {
	row := graphspec.ErrorNamed("report_failed")
	return func(c *Call, o *Object) any {
		if reportState(c.Now, o).status != "Job Failed" {
			return nil
		}
		switch what {
		case "code":
			return row.Code
		case "subcode":
			return row.Subcode
		case "title":
			return "Report failed"
		}
		return row.Message
	}
}

// reportRows reads a report that is done.
func reportRows(c *Call) (any, *Error) {
	s := reportState(c.Now, c.On)
	if s.status == "Job Failed" {
		return nil, Fail("report_failed")
	}
	if s.percent != 100 {
		return nil, Bad("The report is not ready: " + s.status)
	}
	question, bad := url.ParseQuery(c.On.Str("question"))
	on := c.World.Get(c.On.Owner)
	if bad != nil || on == nil {
		return nil, c.NoObject(c.On.ID)
	}
	sub := c.derive("GET", on, "insights", question)
	sub.Now = c.On.Made // a report shows what was known when it was started
	r, err := sub.report(on)
	if err != nil {
		return nil, err
	}
	rows, err := r.rows(sub, on)
	if err != nil {
		return nil, err
	}
	if text := c.Param("fields"); text != "" {
		wanted, err := c.columns()
		if err != nil {
			return nil, err
		}
		r.fields = wanted
		for i := range rows {
			rows[i] = r.choose(rows[i])
		}
	}
	return c.reportPage(rows)
}

// number is a count as reports write it: text.
func count(n int64) string { return strconv.FormatInt(n, 10) }
