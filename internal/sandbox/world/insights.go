package world

import (
	"maps"
	"math"
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
		if r.sort = list[0]; !sortable(r.sort) {
			return nil, Bad("sort must be a column followed by _ascending or _descending")
		}
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
		ads := r.leaves(c.World, adsOf(c.World, entity))
		for _, s := range r.spans {
			for _, sum := range r.sums(c.World, ads, s, c.Now, zone) {
				if sum.n.impressions == 0 {
					continue
				}
				sum.n.reach = once(sum.n.reach, s.days())
				row := r.row(c.World, entity, s, sum.n)
				for i, dim := range r.dims {
					row[dim] = shownAs(sum.values[i])
					if strings.HasPrefix(dim, "hourly_stats") { // people can't be told apart by the hour
						maps.DeleteFunc(row, func(name string, _ any) bool { return slices.Contains(ofPeople, name) })
					}
				}
				if !r.keeps(row) {
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

// ofPeople are columns that count people, not what they did.
var ofPeople = strings.Fields("reach frequency cpp unique_clicks unique_ctr unique_inline_link_clicks cost_per_unique_click")

// shownAs is a breakdown's value: text, or the object that names an asset.
func shownAs(value string) any {
	if strings.HasPrefix(value, "{") {
		if v, ok := decoded(value); ok {
			return v
		}
	}
	return value
}

// sortable reports whether reports can be sorted so: by a column, or an action as
// actions:link_click.
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
				at := clockIn(now, zone)
				share = float64(at.Hour()*60+at.Minute()) / (24 * 60)
			}
			n := dayOf(ad, day, share)
			if r.group == nil {
				put("", nil, n)
				continue
			}
			for i, p := range r.group.part(n, ad.ID, day.Format(time.DateOnly)) {
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

// count is a number as reports write it: text.
func count(n int64) string { return strconv.FormatInt(n, 10) }
