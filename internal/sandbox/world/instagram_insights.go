package world

import (
	"hash/fnv"
	"slices"
	"strings"
	"time"

	"sluice/internal/graphspec"
)

// Instagram insights. All numbers follow from the day, or from the id of the post, so
// that sums hold: a total is the sum of its days and of its breakdown, and
// total_interactions that of its parts.

var igInsightBehaviours = map[string]Behaviour{"GET IGUser.insights": igAccountInsights}

// igHash is a number from 0 to below most that a text always gives.
func igHash(text string, most int) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(text))
	return int(h.Sum32() % uint32(most))
}

// igAsk reads and checks what an insights call asks for.
func igAsk(c *Call, known []graphspec.IGMetric, retired []graphspec.IGRetired) ([]*graphspec.IGMetric, *Error) {
	var out []*graphspec.IGMetric
	for _, name := range c.Strings("metric") {
		m := graphspec.FindIGMetric(known, name)
		if m == nil {
			if old := graphspec.FindIGRetired(retired, name); old != nil && old.Since != "" {
				return nil, Bad("Starting from version v22.0 and above, the " + name + " metric is no longer supported for the queried media")
			}
			var names []string
			for _, k := range known {
				names = append(names, k.Name)
			}
			return nil, Bad("metric[" + clip(name) + "] must be one of the following values: " + strings.Join(names, ", "))
		}
		out = append(out, m)
	}
	breakdown := strings.Join(c.Strings("breakdown"), ",")
	for _, m := range out {
		if breakdown != "" && !m.Takes(breakdown) {
			return nil, Bad("The following metrics (" + m.Name + ") do not support breakdown(" + clip(breakdown) + ")")
		}
	}
	return out, nil
}

func igAccountInsights(c *Call) (any, *Error) {
	if c.On.Attrs[igForeign] == true {
		return nil, c.NoObject(c.On.ID)
	}
	asked, err := igAsk(c, graphspec.IGAccountMetrics, graphspec.IGRetiredAccount)
	if err != nil {
		return nil, err
	}
	kind := orWord(c.Param("metric_type"), "default")
	for _, m := range asked {
		types := strings.Fields(m.Types)
		switch {
		case !slices.Contains(strings.Fields(m.Periods), c.Param("period")):
			return nil, Bad("The following metrics (" + m.Name + ") are not available for the period " + c.Param("period"))
		case kind != "default" && !slices.Contains(types, kind):
			return nil, Bad("The following metrics (" + m.Name + ") do not support metric_type=" + kind)
		case kind == "default" && types[0] == "total_value" && m.Name != "reach":
			return nil, Bad("The following metrics (" + m.Name + ") should be specified with parameter metric_type=total_value")
		case m.Timeframe && !c.Has("timeframe"):
			return nil, Bad("The parameter timeframe is required for " + m.Name)
		}
	}
	from, to, err := igRange(c)
	if err != nil {
		return nil, err
	}
	followers, _ := c.On.Attrs["followers_count"].(int)
	var rows []map[string]any
	for _, m := range asked {
		if followers < m.Followers {
			continue // an empty set, as below the threshold
		}
		row := map[string]any{
			"name": m.Name, "period": c.Param("period"), "title": igTitle(m.Name), "description": igTitle(m.Name) + " of the account.",
			"id": c.On.ID + "/insights/" + m.Name + "/" + c.Param("period"),
		}
		switch {
		case m.Timeframe:
			row["total_value"] = igPeople(c, m, followers)
		case m.Name == "online_followers":
			row["values"] = igOnline(to, followers)
		case kind == "total_value":
			row["total_value"] = igTotal(c, m, from, to)
		default:
			row["values"] = igSeries(c, m.Name, from, to)
		}
		rows = append(rows, row)
	}
	return c.Rows("IGInsight", rows)
}

// igRange is the time asked for: the last day by default, 30 at most.
func igRange(c *Call) (from, to time.Time, err *Error) {
	to, from = c.Now, c.Now.Add(-igDay)
	if c.Has("until") {
		if to, err = c.When("until"); err != nil {
			return from, to, err
		}
		from = to.Add(-igDay)
	}
	if c.Has("since") {
		if from, err = c.When("since"); err != nil {
			return from, to, err
		}
	}
	switch {
	case !from.Before(to):
		return from, to, Bad("since must be earlier than until")
	case to.Sub(from) > 30*igDay:
		return from, to, Bad("There cannot be more than 30 days (2592000 s) between since and until")
	}
	return from, to, nil
}

// igDayNumber is one metric of an account on one day.
func igDayNumber(account, metric, day string) int {
	views := 180 + igHash(account+day, 120)
	reach := views * 6 / 10
	switch metric {
	case "views", "content_views":
		return views
	case "reach":
		return reach
	case "likes":
		return reach / 9
	case "comments":
		return reach / 40
	case "shares":
		return reach / 50
	case "saves":
		return reach / 30
	case "replies":
		return reach / 60
	case "reposts":
		return reach / 100
	case "total_interactions":
		n := 0
		for _, part := range []string{"likes", "comments", "shares", "saves", "replies", "reposts"} {
			n += igDayNumber(account, part, day)
		}
		return n
	case "accounts_engaged":
		return igDayNumber(account, "total_interactions", day) * 8 / 10
	case "follows_and_unfollows":
		return 9 + igHash(day, 6)
	case "follower_count":
		return 5 + igHash(day, 6)
	case "profile_views":
		return reach / 12
	}
	return reach / 45 // taps on links
}

// igDays are the days from one time to another.
func igDays(from, to time.Time) []time.Time {
	var days []time.Time
	for d := from; d.Before(to); d = d.Add(igDay) {
		days = append(days, d)
	}
	return days
}

func igSum(c *Call, metric string, from, to time.Time) int {
	n := 0
	for _, d := range igDays(from, to) {
		n += igDayNumber(c.On.ID, metric, d.Format(time.DateOnly))
	}
	return n
}

func igSeries(c *Call, metric string, from, to time.Time) []any {
	back := map[string]int{"week": 7, "days_28": 28}[c.Param("period")]
	values := []any{}
	for _, d := range igDays(from, to) {
		n := igDayNumber(c.On.ID, metric, d.Format(time.DateOnly))
		if back > 0 { // people who come again count once
			n = igSum(c, metric, d.Add(-time.Duration(back-1)*igDay), d.Add(igDay)) * 7 / 10
		}
		values = append(values, map[string]any{"value": n, "end_time": GraphTime(d.Add(igDay))})
	}
	return values
}

// igParts are the values of a breakdown and their shares in percent; the first takes
// what rounding leaves.
var igParts = map[string][]igPart{
	"follow_type":                  {{"FOLLOWER", 70}, {"NON_FOLLOWER", 30}},
	"media_product_type":           {{"FEED", 45}, {"REELS", 35}, {"STORY", 20}},
	"contact_button_type":          {{"DIRECTION", 50}, {"EMAIL", 30}, {"CALL", 20}},
	"action_type":                  {{"BIO_LINK_CLICKED", 60}, {"DIRECTION", 25}, {"EMAIL", 15}},
	"story_navigation_action_type": {{"TAP_FORWARD", 60}, {"TAP_BACK", 10}, {"TAP_EXIT", 20}, {"SWIPE_FORWARD", 10}},
	"age":                          {{"25-34", 38}, {"18-24", 22}, {"35-44", 24}, {"45-54", 11}, {"55-64", 5}},
	"gender":                       {{"F", 61}, {"M", 35}, {"U", 4}},
	"country":                      {{"GB", 74}, {"IE", 14}, {"BE", 12}},
	"city":                         {{"London, England", 55}, {"Manchester, England", 25}, {"Dublin, Dublin", 20}},
}

type igPart struct {
	value   string
	percent int
}

// igSplit breaks a number down by one or several dimensions.
func igSplit(total int, dimensions []string) []any {
	rows := [][]string{{}}
	numbers := []int{total}
	for _, dim := range dimensions {
		var nextRows [][]string
		var nextNumbers []int
		for i, row := range rows {
			rest := numbers[i]
			at := len(nextRows)
			for _, part := range igParts[dim] {
				n := numbers[i] * part.percent / 100
				rest -= n
				nextRows = append(nextRows, append(slices.Clone(row), part.value))
				nextNumbers = append(nextNumbers, n)
			}
			if at < len(nextNumbers) {
				nextNumbers[at] += rest
			}
		}
		rows, numbers = nextRows, nextNumbers
	}
	results := []any{}
	for i, row := range rows {
		results = append(results, map[string]any{"dimension_values": row, "value": numbers[i]})
	}
	return results
}

func igBroken(total int, dimensions []string) map[string]any {
	out := map[string]any{"value": total}
	if len(dimensions) > 0 {
		out["breakdowns"] = []any{map[string]any{"dimension_keys": dimensions, "results": igSplit(total, dimensions)}}
	}
	return out
}

func igTotal(c *Call, m *graphspec.IGMetric, from, to time.Time) map[string]any {
	dimensions := c.Strings("breakdown")
	out := igBroken(igSum(c, m.Name, from, to), dimensions)
	if m.Needs {
		delete(out, "value") // comes with its breakdown only
	}
	return out
}

// igPeople breaks down who follows; of those who engaged or were reached it is a part.
func igPeople(c *Call, m *graphspec.IGMetric, followers int) map[string]any {
	switch {
	case strings.HasPrefix(m.Name, "engaged"):
		followers = followers * 12 / 100
	case strings.HasPrefix(m.Name, "reached"):
		followers = followers * 48 / 100
	}
	dimensions := c.Strings("breakdown")
	if len(dimensions) == 0 {
		return map[string]any{}
	}
	out := igBroken(followers, dimensions)
	delete(out, "value")
	return out
}

func igOnline(at time.Time, followers int) []any {
	hours := map[string]any{}
	for h := range 24 {
		hours[igHours[h]] = followers * (5 + igHash(igHours[h], 20)) / 100
	}
	return []any{map[string]any{"value": hours, "end_time": GraphTime(at)}}
}

var igHours = strings.Fields("0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23")

func igTitle(name string) string {
	words := strings.ReplaceAll(name, "_", " ")
	return strings.ToUpper(words[:1]) + words[1:]
}

func orWord(word, otherwise string) string {
	if word == "" {
		return otherwise
	}
	return word
}

// igNumbers are the numbers of one post. They grow for a week.
func igNumbers(c *Call, o *Object) map[string]int {
	hours := int(min(c.Now.Sub(igTime(o)), 7*igDay) / time.Hour)
	views := (400 + igHash(o.ID, 600)) * max(hours, 0) / (7 * 24)
	reach := views * 7 / 10
	n := map[string]int{
		"views": views, "reach": reach, "likes": reach * 8 / 100, "comments": igComments(c.World, o), "saved": reach * 2 / 100,
		"shares": reach / 100, "reposts": reach / 200, "profile_visits": reach * 3 / 100, "profile_activity": reach / 100,
		"link_clicks": reach / 60, "follows": reach / 300, "navigation": views * 9 / 10, "crossposted_views": views, "facebook_views": 0,
		"ig_reels_avg_watch_time": 6200, "ig_reels_video_view_total_time": 6200 * views, "reels_skip_rate": 31,
	}
	if o.Attrs[igLiked] == true {
		n["likes"]++
	}
	if o.Str("media_product_type") == "STORY" {
		n["replies"] = reach / 80
		n["total_interactions"] = n["replies"] + n["shares"] + n["reposts"]
	} else {
		n["total_interactions"] = n["likes"] + n["comments"] + n["saved"] + n["shares"] + n["reposts"]
	}
	n["total_likes"], n["total_comments"], n["total_views"] = n["likes"], n["comments"], n["views"]
	return n
}

// igMediaInsights answers for one post. Parts of an album have none, stories for 24
// hours only (reference/instagram-media/insights).
func igMediaInsights(c *Call) (any, *Error) {
	product := c.On.Str("media_product_type")
	asked, err := igAsk(c, graphspec.IGMediaMetrics, graphspec.IGRetiredMedia)
	if err != nil {
		return nil, err
	}
	for _, m := range asked {
		if !m.For(product) {
			return nil, Bad("The Media Insights API does not support the " + m.Name + " metric for this media product type")
		}
		if (m.Name == "crossposted_views" || m.Name == "facebook_views") && c.On.Attrs["crossposted"] != true {
			return nil, Bad("The " + m.Name + " metric is only available for media shared to Facebook")
		}
	}
	if product == "STORY" && c.Now.Sub(igTime(c.On)) >= igDay || c.World.inAlbum(c.On) {
		return c.Rows("IGInsight", nil)
	}
	numbers := igNumbers(c, c.On)
	if product == "STORY" && numbers["reach"] < 5 {
		return nil, Fail("ig_few_viewers")
	}
	var rows []map[string]any
	for _, m := range asked {
		row := map[string]any{
			"name": m.Name, "period": "lifetime", "title": igTitle(m.Name), "description": igTitle(m.Name) + " of the media.",
			"id": c.On.ID + "/insights/" + m.Name + "/lifetime",
		}
		if c.Has("breakdown") {
			row["total_value"] = igBroken(numbers[m.Name], c.Strings("breakdown"))
		} else {
			row["values"] = []any{map[string]any{"value": numbers[m.Name]}}
		}
		rows = append(rows, row)
	}
	return c.Rows("IGInsight", rows)
}

// inAlbum reports whether a post is a part of an album.
func (w *World) inAlbum(o *Object) bool {
	for _, album := range w.All("IGMedia") {
		if album.Str("media_type") == "CAROUSEL_ALBUM" && slices.Contains(w.Linked(album, "children"), o) {
			return true
		}
	}
	return false
}
