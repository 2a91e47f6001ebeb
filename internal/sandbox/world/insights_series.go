package world

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"
)

// numbers are what is counted, and what everything else is worked out from. Amounts are
// in the currency's minor unit, watched is in seconds.
type numbers struct {
	impressions, reach, clicks, linkClicks, spend, engagements, landings, adds, purchases, value, leads, videoViews, thruplays, watched int64
}

func (n *numbers) add(o numbers) {
	n.impressions += o.impressions
	n.reach += o.reach
	n.clicks += o.clicks
	n.linkClicks += o.linkClicks
	n.spend += o.spend
	n.engagements += o.engagements
	n.landings += o.landings
	n.adds += o.adds
	n.purchases += o.purchases
	n.value += o.value
	n.leads += o.leads
	n.videoViews += o.videoViews
	n.thruplays += o.thruplays
	n.watched += o.watched
}

// chance is a number from 0 to below n that hangs on the texts alone.
func chance(n int64, parts ...string) int64 {
	h := fnv.New64a()
	for _, p := range parts {
		_, _ = h.Write([]byte(p))
		_, _ = h.Write([]byte{0})
	}
	return int64(h.Sum64()>>1) % n
}

// historyDays is how long the documented ads have run when the world begins.
const historyDays = 180

// delivered is when an ad was shown: documented ones for half a year before the world
// began, others from when they were made, and only on days on which they and what they
// belong to were active. What was paused from the start never was.
func delivered(w *World, ad *Object, day time.Time) bool {
	active, documented := true, len(ad.ID) == len(PageID) && ad.ID < "8"
	for o, i := ad, 0; o != nil && i < 3; o, i = w.Get(o.Owner), i+1 {
		active = active && ran(o, day)
	}
	born := today(ad.Made, "UTC")
	if documented {
		from := born.AddDate(0, 0, -historyDays)
		// One that is paused ran until ten days before.
		return !day.Before(from) && (active || day.Before(born.AddDate(0, 0, -10)))
	}
	return active && !day.Before(born)
}

// dayOf are the numbers of one ad on one day. share is how much of the day is over.
func dayOf(ad *Object, day time.Time, share float64) numbers {
	date := day.Format(time.DateOnly)
	size := 900 + chance(2600, ad.ID, "size")
	weekday := []int64{108, 92, 95, 98, 100, 112, 118}[day.Weekday()]
	imp := size * weekday / 100 * (80 + chance(41, ad.ID, date, "impressions")) / 100
	imp = int64(float64(imp) * share)
	rate := func(base, spread int64, what string) int64 { // per 100,000
		return imp * (base + chance(spread, ad.ID, what) + chance(spread/3+1, ad.ID, date, what)) / 100_000
	}
	n := numbers{impressions: imp}
	n.reach = imp * (78 + chance(14, ad.ID, date, "reach")) / 100
	n.clicks = rate(1400, 1200, "clicks")
	n.linkClicks = n.clicks * 72 / 100
	n.engagements = n.clicks + rate(2200, 800, "engagements")
	n.landings = n.linkClicks * 81 / 100
	n.adds = n.landings * (16 + chance(8, ad.ID, date, "adds")) / 100
	n.purchases = n.landings * (4 + chance(5, ad.ID, date, "purchases")) / 100
	n.value = n.purchases * (2900 + chance(2600, ad.ID, date, "value"))
	n.leads = n.landings * chance(3, ad.ID, date, "leads") / 100
	n.spend = imp * (520 + chance(420, ad.ID, "price") + chance(90, ad.ID, date, "price")) / 1000
	n.videoViews = rate(18_000, 9000, "views")
	n.thruplays = n.videoViews * 31 / 100
	n.watched = n.videoViews * 6
	return n
}

// cell is one value, or combination, of breakdowns, and its share of the whole in
// thousandths.
type cell struct {
	values []string
	share  int64
}

// group is breakdowns that can be combined; the cells are those of all of them, so that
// each alone adds up to the same as together.
type group struct {
	dims  []string
	cells []cell
}

var groups = []group{
	{[]string{"age", "gender"}, cross(
		[]cell{{[]string{"18-24"}, 140}, {[]string{"25-34"}, 290}, {[]string{"35-44"}, 240}, {[]string{"45-54"}, 160}, {[]string{"55-64"}, 100}, {[]string{"65+"}, 70}},
		[]cell{{[]string{"female"}, 560}, {[]string{"male"}, 410}, {[]string{"unknown"}, 30}},
	)},
	{[]string{"country", "region"}, []cell{
		{[]string{"GB", "England"}, 700}, {[]string{"GB", "Scotland"}, 120}, {[]string{"GB", "Wales"}, 60}, {[]string{"IE", "Leinster"}, 90}, {[]string{"IE", "Munster"}, 30},
	}},
	{[]string{"publisher_platform", "platform_position", "device_platform", "impression_device"}, cross(
		[]cell{
			{[]string{"facebook", "feed"}, 330}, {[]string{"facebook", "facebook_stories"}, 60}, {[]string{"facebook", "facebook_reels"}, 110}, {[]string{"facebook", "marketplace"}, 40},
			{[]string{"instagram", "feed"}, 150}, {[]string{"instagram", "instagram_stories"}, 130}, {[]string{"instagram", "instagram_reels"}, 120},
			{[]string{"audience_network", "an_classic"}, 30}, {[]string{"messenger", "messenger_inbox"}, 10}, {[]string{"threads", "threads_feed"}, 20},
		},
		[]cell{{[]string{"mobile_app", "android_smartphone"}, 460}, {[]string{"mobile_app", "iphone"}, 390}, {[]string{"mobile_web", "android_smartphone"}, 40}, {[]string{"desktop", "desktop"}, 110}},
	)},
	{[]string{"product_id"}, []cell{
		{[]string{"7100000000000001, Sandbox mug"}, 450}, {[]string{"7100000000000002, Sandbox apron"}, 330}, {[]string{"7100000000000003, Sandbox teapot"}, 220},
	}},
	{[]string{"hourly_stats_aggregated_by_advertiser_time_zone"}, hours()},
	{[]string{"hourly_stats_aggregated_by_audience_time_zone"}, hours()},
	{[]string{"dma"}, []cell{{[]string{"Unknown"}, 1000}}}, // market areas are of the United States
	{[]string{"media_type"}, []cell{{[]string{"image"}, 640}, {[]string{"video"}, 360}}},
	{[]string{"ad_format_asset"}, []cell{{[]string{"single_image"}, 640}, {[]string{"single_video"}, 360}}},
	assets("body_asset", `{"text":"Warm through the winter.","id":"3490000000000001"}`, `{"text":"How a scarf is made.","id":"3490000000000002"}`),
	assets("title_asset", `{"text":"The wool scarf","id":"3490000000000003"}`, `{"text":"From wool to scarf","id":"3490000000000004"}`),
	assets("description_asset", `{"text":"Made by hand","id":"3490000000000005"}`, `{"text":"Free returns","id":"3490000000000006"}`),
	assets("link_url_asset", `{"website_url":"https://shop.example.com/scarf","id":"3490000000000007"}`, `{"website_url":"https://shop.example.com/","id":"3490000000000008"}`),
	assets("call_to_action_asset", `{"name":"SHOP_NOW","id":"3490000000000009"}`, `{"name":"LEARN_MORE","id":"3490000000000010"}`),
	assets("image_asset", `{"hash":"`+firstImage+`","image_name":"scarf.jpg","url":"https://cdn.example.com/scarf.jpg","id":"3490000000000011"}`,
		`{"hash":"5f1a1e0000000000000000000000aa02","image_name":"mug.jpg","url":"https://cdn.example.com/mug.jpg","id":"3490000000000012"}`),
	assets("video_asset", `{"video_id":"3500000000000001","video_name":"Film","url":"https://cdn.example.com/film.mp4","thumbnail_url":"https://cdn.example.com/still.jpg","id":"3490000000000013"}`,
		`{"video_id":"3500000000000002","video_name":"Film, short","url":"https://cdn.example.com/short.mp4","thumbnail_url":"https://cdn.example.com/still.jpg","id":"3490000000000014"}`),
	{[]string{"frequency_value"}, []cell{{[]string{"1"}, 620}, {[]string{"2"}, 230}, {[]string{"3"}, 90}, {[]string{"4"}, 40}, {[]string{"5-7"}, 20}}},
}

// assets is the breakdown by one kind of what an ad is made of.
func assets(dim, first, second string) group {
	return group{[]string{dim}, []cell{{[]string{first}, 610}, {[]string{second}, 390}}}
}

func hours() []cell {
	weights := []int64{12, 8, 6, 5, 6, 12, 24, 38, 48, 50, 50, 52, 54, 52, 48, 46, 48, 54, 62, 72, 84, 80, 57, 32}
	list := make([]cell, len(weights))
	for h, w := range weights {
		text := time.Date(2000, 1, 1, h, 0, 0, 0, time.UTC).Format("15")
		list[h] = cell{[]string{text + ":00:00 - " + text + ":59:59"}, w}
	}
	return list
}

// cross makes all combinations; shares are of a million where both sides are of a
// thousand.
func cross(a, b []cell) []cell {
	var list []cell
	for _, x := range a {
		for _, y := range b {
			list = append(list, cell{slices.Concat(x.values, y.values), x.share * y.share})
		}
	}
	return list
}

// breakdown is the group that holds all of the wanted dimensions, and where each stands
// in it; nil where Meta would refuse the combination.
func breakdown(wanted []string) (*group, []int) {
	for i := range groups {
		g := &groups[i]
		at := make([]int, 0, len(wanted))
		for _, dim := range wanted {
			if j := slices.Index(g.dims, dim); j >= 0 {
				at = append(at, j)
			}
		}
		if len(at) == len(wanted) {
			return g, at
		}
	}
	return nil, nil
}

// part divides the numbers among the cells of a group: whole numbers that add up to the
// whole exactly. Where they are cut hangs on the texts, so that the odd ones that a day
// has over don't all fall to the last cell.
func (g *group) part(n numbers, texts ...string) []numbers {
	total := int64(0)
	for _, c := range g.cells {
		total += c.share
	}
	out := make([]numbers, len(g.cells))
	phase := chance(1000, texts...)
	spread := func(whole int64, into func(*numbers) *int64) {
		sum, given := int64(0), int64(0)
		phase = (phase + 617) % 1000
		for i, c := range g.cells {
			sum += c.share
			upTo := (whole*sum*1000 + phase*total) / (total * 1000)
			*into(&out[i]) = upTo - given
			given = upTo
		}
	}
	spread(n.impressions, func(p *numbers) *int64 { return &p.impressions })
	spread(n.reach, func(p *numbers) *int64 { return &p.reach })
	spread(n.clicks, func(p *numbers) *int64 { return &p.clicks })
	spread(n.linkClicks, func(p *numbers) *int64 { return &p.linkClicks })
	spread(n.spend, func(p *numbers) *int64 { return &p.spend })
	spread(n.engagements, func(p *numbers) *int64 { return &p.engagements })
	spread(n.landings, func(p *numbers) *int64 { return &p.landings })
	spread(n.adds, func(p *numbers) *int64 { return &p.adds })
	spread(n.purchases, func(p *numbers) *int64 { return &p.purchases })
	spread(n.value, func(p *numbers) *int64 { return &p.value })
	spread(n.leads, func(p *numbers) *int64 { return &p.leads })
	spread(n.videoViews, func(p *numbers) *int64 { return &p.videoViews })
	spread(n.thruplays, func(p *numbers) *int64 { return &p.thruplays })
	spread(n.watched, func(p *numbers) *int64 { return &p.watched })
	return out
}

// key is the values of the wanted dimensions of a cell.
func (c cell) key(at []int) string {
	parts := make([]string, len(at))
	for i, j := range at {
		parts[i] = c.values[j]
	}
	return strings.Join(parts, "\x00")
}
