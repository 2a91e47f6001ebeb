package world

import (
	"slices"
	"strconv"

	"sluice/internal/graphspec"
)

// row is all columns of one row that the sandbox knows; the rest of the record's are
// left out, as Meta leaves out what has no value.
func (r *report) row(w *World, entity *Object, s span, n numbers) map[string]any {
	row := map[string]any{
		"date_start": s.since.Format("2006-01-02"), "date_stop": s.until.Format("2006-01-02"),
		"account_currency": r.currency, "attribution_setting": "7d_click_1d_view", "buying_type": "AUCTION",
		"impressions": count(n.impressions), "reach": count(n.reach), "frequency": ratio(n.impressions, n.reach, 1),
		"clicks": count(n.clicks), "unique_clicks": count(n.clicks * 93 / 100), "ctr": ratio(n.clicks, n.impressions, 100),
		"unique_ctr": ratio(n.clicks*93/100, n.reach, 100), "spend": r.money(n.spend), "social_spend": r.money(0),
		"cpc": r.price(n.spend, n.clicks, 1), "cpm": r.price(n.spend, n.impressions, 1000), "cpp": r.price(n.spend, n.reach, 1000),
		"inline_link_clicks": count(n.linkClicks), "inline_link_click_ctr": ratio(n.linkClicks, n.impressions, 100),
		"cost_per_inline_link_click": r.price(n.spend, n.linkClicks, 1), "inline_post_engagement": count(n.engagements),
		"unique_inline_link_clicks": count(n.linkClicks * 94 / 100), "cost_per_unique_click": r.price(n.spend, n.clicks*93/100, 1),
		"cost_per_inline_post_engagement": r.price(n.spend, n.engagements, 1),
		"actions":                         r.actions(n), "action_values": r.values(n), "cost_per_action_type": r.costs(n), "purchase_roas": r.roas(n, "omni_purchase"),
		"website_purchase_roas": r.roas(n, "offsite_conversion.fb_pixel_purchase"),
		"outbound_clicks":       r.one("outbound_click", n.linkClicks*9/10), "outbound_clicks_ctr": one("outbound_click", ratio(n.linkClicks*9/10, n.impressions, 100)),
		"cost_per_outbound_click": one("outbound_click", r.price(n.spend, n.linkClicks*9/10, 1)),
		"conversions":             r.one("contact_total", n.leads), "conversion_values": r.one("contact_total", 0),
		"cost_per_conversion": one("contact_total", r.price(n.spend, n.leads, 1)),
		"video_play_actions":  r.one("video_view", n.videoViews*2), "video_thruplay_watched_actions": r.one("video_view", n.thruplays),
		"cost_per_thruplay":              one("video_view", r.price(n.spend, n.thruplays, 1)),
		"video_30_sec_watched_actions":   r.one("video_view", n.thruplays*6/10),
		"video_avg_time_watched_actions": one("video_view", ratio(n.watched, n.videoViews*2, 1)),
		"video_p25_watched_actions":      r.one("video_view", n.videoViews*7/10), "video_p50_watched_actions": r.one("video_view", n.videoViews*5/10),
		"video_p75_watched_actions": r.one("video_view", n.videoViews*35/100), "video_p95_watched_actions": r.one("video_view", n.videoViews*22/100),
		"video_p100_watched_actions": r.one("video_view", n.videoViews*18/100),
		"quality_ranking":            "AVERAGE", "engagement_rate_ranking": "ABOVE_AVERAGE", "conversion_rate_ranking": "AVERAGE",
	}
	if len(r.dims) > 0 || r.level != "ad" { // relevance is of single ads, in all
		delete(row, "quality_ranking")
		delete(row, "engagement_rate_ranking")
		delete(row, "conversion_rate_ranking")
	}
	for _, level := range levels[:slices.Index(levels, r.level)+1] {
		if o := w.Above(entity, levelKinds[level]); o != nil {
			row[level+"_id"], row[level+"_name"] = o.ID, o.Str("name")
			if level == "account" {
				row["account_id"] = o.Str("account_id")
			}
		}
	}
	if o := w.Above(entity, "Campaign"); o != nil {
		row["objective"] = o.Str("objective")
	}
	if o := w.Above(entity, "AdSet"); o != nil {
		row["optimization_goal"] = o.Str("optimization_goal")
	}
	for name, v := range row {
		if v == "" || v == nil {
			delete(row, name)
		}
	}
	return row
}

// money is an amount in the major unit, as text: 12345 GBP is 123.45.
func (r *report) money(minor int64) string {
	if graphspec.MinorUnits(r.currency) == 1 {
		return count(minor)
	}
	return strconv.FormatFloat(float64(minor)/100, 'f', 2, 64)
}

// price is an amount for each of so many; nothing where there are none.
func (r *report) price(minor, each, times int64) string {
	if each == 0 {
		return ""
	}
	major := float64(minor) / float64(graphspec.MinorUnits(r.currency))
	return strconv.FormatFloat(major*float64(times)/float64(each), 'f', 6, 64)
}

func ratio(a, b, times int64) string {
	if b == 0 {
		return ""
	}
	return strconv.FormatFloat(float64(a)*float64(times)/float64(b), 'f', 6, 64)
}

// kinds are the actions of a row, in the order that Meta's own screens have.
func kinds(n numbers) []struct {
	name string
	n    int64
} {
	type kind = struct {
		name string
		n    int64
	}
	list := []kind{
		{"link_click", n.linkClicks}, {"post_engagement", n.engagements}, {"page_engagement", n.engagements}, {"landing_page_view", n.landings},
		{"video_view", n.videoViews}, {"add_to_cart", n.adds}, {"offsite_conversion.fb_pixel_add_to_cart", n.adds},
		{"purchase", n.purchases}, {"omni_purchase", n.purchases}, {"offsite_conversion.fb_pixel_purchase", n.purchases}, {"lead", n.leads},
	}
	return slices.DeleteFunc(list, func(k kind) bool { return k.n == 0 })
}

// windowShare is how much of a conversion an attribution window sees, in hundredths of
// the default (seven days after a click, one after a view).
var windowShare = map[string]int64{"1d_click": 61, "7d_click": 83, "28d_click": 92, "1d_view": 17, "1d_ev": 6, "default": 100}

// entry is one member of actions: the value, and that of each window that was asked for.
// Retired windows give nothing.
func (r *report) entry(name string, n int64, write func(int64) string) map[string]any {
	e := map[string]any{"action_type": name, "value": write(n)}
	for _, w := range r.windows {
		if share, ok := windowShare[w]; ok && w != "default" {
			e[w] = write(n * share / 100)
		}
	}
	return e
}

func (r *report) actions(n numbers) any {
	var list []any
	for _, k := range kinds(n) {
		if !r.device {
			list = append(list, r.entry(k.name, k.n, count))
			continue
		}
		left := k.n
		for _, d := range []struct {
			name  string
			share int64
		}{{"iphone", 39}, {"desktop", 11}, {"android_smartphone", 0}} {
			part := k.n * d.share / 100
			if d.share == 0 {
				part = left
			}
			left -= part
			if part > 0 {
				e := r.entry(k.name, part, count)
				e["action_device"] = d.name
				list = append(list, e)
			}
		}
	}
	return some(list)
}

func (r *report) values(n numbers) any {
	if n.value == 0 {
		return nil
	}
	var list []any
	for _, name := range []string{"purchase", "omni_purchase", "offsite_conversion.fb_pixel_purchase"} {
		list = append(list, r.entry(name, n.value, r.money))
	}
	return list
}

func (r *report) costs(n numbers) any {
	var list []any
	for _, k := range kinds(n) {
		list = append(list, map[string]any{"action_type": k.name, "value": r.price(n.spend, k.n, 1)})
	}
	return some(list)
}

func (r *report) roas(n numbers, name string) any {
	if n.value == 0 {
		return nil
	}
	return one(name, ratio(n.value, n.spend, 1))
}

// one is a list of actions with a single entry.
func (r *report) one(name string, n int64) any {
	if n == 0 {
		return nil
	}
	return []any{r.entry(name, n, count)}
}

func one(name, value string) any {
	if value == "" {
		return nil
	}
	return []any{map[string]any{"action_type": name, "value": value}}
}

func some(list []any) any {
	if len(list) == 0 {
		return nil
	}
	return list
}
