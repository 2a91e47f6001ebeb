package world

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// pageMetrics reads the parameter metric. One that is retired or unknown fails the
// whole call, as it does at Meta.
func (c *Call) pageMetrics(known []graphspec.PageMetric) ([]*graphspec.PageMetric, *Error) {
	var list []*graphspec.PageMetric
	for _, name := range c.Strings("metric") {
		m := graphspec.FindPageMetric(known, name)
		if m == nil {
			return nil, Fail("page_metric")
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		return nil, Fail("no_metric")
	}
	return list, nil
}

// pageSpan reads since and until, until excluded; without them it is yesterday and the
// day before.
func (c *Call) pageSpan() (span, *Error) {
	day := today(c.Now, "America/Los_Angeles")
	s := span{day.AddDate(0, 0, -2), day.AddDate(0, 0, -1)}
	if c.Has("date_preset") {
		s, _ = preset(c.Param("date_preset"), day)
	}
	for name, into := range map[string]*time.Time{"since": &s.since, "until": &s.until} {
		if !c.Has(name) {
			continue
		}
		t, err := c.When(name)
		if err != nil {
			day, bad := time.Parse(time.DateOnly, c.Param(name))
			if bad != nil {
				return span{}, err
			}
			t = day
		}
		*into = t.Truncate(24 * time.Hour)
		if name == "until" {
			*into = into.AddDate(0, 0, -1)
		}
	}
	if s.days() > 93 {
		return span{}, Fail("page_range")
	}
	s.until = earlier(s.until, day.AddDate(0, 0, -1))
	return s, nil
}

// endTime is how a day's end is written: midnight in California.
func endTime(day time.Time) string {
	loc, err := time.LoadLocation("America/Los_Angeles")
	if err != nil {
		loc = time.FixedZone("PST", -8*3600)
	}
	next := day.AddDate(0, 0, 1)
	return GraphTime(time.Date(next.Year(), next.Month(), next.Day(), 0, 0, 0, 0, loc))
}

// pageInsights answers with a series for each metric, oldest value first.
func pageInsights(c *Call) (any, *Error) {
	metrics, err := c.pageMetrics(graphspec.PageMetrics)
	if err != nil {
		return nil, err
	}
	s, err := c.pageSpan()
	if err != nil {
		return nil, err
	}
	period := c.Param("period")
	var rows []map[string]any
	for _, m := range metrics {
		use := period
		if use == "" {
			use = strings.Fields(m.Periods)[0]
		}
		if use == "month" || use == "total_over_range" || use == "lifetime" || !m.Has(use) {
			return nil, Fail("page_period", "metric", m.Name, "period", use)
		}
		values := []any{}
		for day := s.since; !day.After(s.until); day = day.AddDate(0, 0, 1) {
			values = append(values, map[string]any{"value": c.pageValue(m, day, use), "end_time": endTime(day)})
		}
		rows = append(rows, metricRow(c.On.ID, m.Name, use, values))
	}
	return c.Rows("InsightsResult", rows)
}

func metricRow(owner, metric, period string, values []any) map[string]any {
	title := strings.ReplaceAll(metric, "_", " ")
	title = strings.ToUpper(title[:1]) + title[1:]
	return map[string]any{
		"id": owner + "/insights/" + metric + "/" + period, "name": metric, "period": period, "values": values,
		"title": title, "description": title + ".",
	}
}

// pageValue is a metric's value of a day, or of the seven or 28 days that end with it.
func (c *Call) pageValue(m *graphspec.PageMetric, day time.Time, period string) any {
	days := map[string]int{"week": 7, "days_28": 28}[period]
	if m.Map {
		return c.mapValue(m.Name, day)
	}
	if m.Name == "page_follows" {
		return c.follows(day)
	}
	total := int64(0)
	for i := range max(1, days) {
		total += onDay(c.On.ID, m.Name, day.AddDate(0, 0, -i))
	}
	return total
}

// onDay is the number of one metric on one day.
func onDay(page, metric string, day time.Time) int64 {
	typical := map[string]int64{
		"page_media_view": 2400, "page_total_media_view_unique": 1500, "page_post_engagements": 180, "page_views_total": 95,
		"page_daily_follows_unique": 5, "page_daily_unfollows_unique": 3, "page_video_views": 410, "page_video_view_time": 2_600_000,
	}
	base, ok := typical[metric]
	if !ok {
		base = 40
	}
	return base*(70+chance(61, page, metric, day.Format(time.DateOnly)))/100 + chance(2, page, metric, day.Weekday().String())
}

// follows is how many follow the Page at the end of a day: as many as it has now, without
// those that came since.
func (c *Call) follows(day time.Time) int64 {
	n, err := strconv.ParseInt(text(c.Value(c.On, "followers_count")), 10, 64)
	if err != nil {
		n = 1000
	}
	for d := today(c.Now, "America/Los_Angeles"); d.After(day); d = d.AddDate(0, 0, -1) {
		n -= onDay(c.On.ID, "page_daily_follows_unique", d) - onDay(c.On.ID, "page_daily_unfollows_unique", d)
	}
	return max(n, 100)
}

func (c *Call) mapValue(metric string, day time.Time) map[string]any {
	out := map[string]any{}
	switch metric {
	case "page_follows_country":
		shareOut(out, c.follows(day), []string{"GB", "IE", "FR", "DE"}, []int64{82, 11, 4, 3})
	case "page_follows_city":
		shareOut(out, c.follows(day), []string{"London, England, United Kingdom", "Bristol, England, United Kingdom", "Dublin, Leinster, Ireland"}, []int64{46, 14, 9})
	default:
		shareOut(out, onDay(c.On.ID, metric, day), []string{"like", "love", "haha", "wow"}, []int64{70, 20, 6, 4})
	}
	return out
}

func shareOut(into map[string]any, whole int64, names []string, shares []int64) {
	for i, name := range names {
		if n := whole * shares[i] / 100; n > 0 {
			into[name] = n
		}
	}
}

// postInsights answers with the value of each metric since the post was made.
func postInsights(c *Call) (any, *Error) {
	metrics, err := c.pageMetrics(graphspec.PostMetrics)
	if err != nil {
		return nil, err
	}
	period := c.Param("period")
	views := 300 + chance(2200, c.On.ID, "views")
	var rows []map[string]any
	for _, m := range metrics {
		if period != "" && !m.Has(period) {
			return nil, Fail("page_period", "metric", m.Name, "period", period)
		}
		var value any
		switch m.Name {
		case "post_media_view":
			value = views
		case "post_total_media_view_unique":
			value = views * 71 / 100
		case "post_clicks":
			value = views * 4 / 100
		case "post_video_views":
			value = views * 30 / 100
		case "post_reactions_by_type_total":
			of := map[string]any{}
			shareOut(of, views*3/100, []string{"like", "love", "wow"}, []int64{72, 22, 6})
			value = of
		case "post_clicks_by_type":
			of := map[string]any{}
			shareOut(of, views*4/100, []string{"link clicks", "other clicks"}, []int64{60, 40})
			value = of
		default:
			value = views * 2 / 100
		}
		rows = append(rows, metricRow(c.On.ID, m.Name, "lifetime", []any{map[string]any{"value": value}}))
	}
	return c.Rows("InsightsResult", slices.Clip(rows))
}
