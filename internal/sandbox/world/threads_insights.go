package world

import (
	"slices"
	"time"
)

var threadsNumbers = map[string]Behaviour{
	"GET ThreadsMedia.insights":        postNumbers,
	"GET ThreadsUser.threads_insights": accountNumbers,
}

// threadNumbers are those of one post: made up from its id, so that they stay the same,
// and counted where the world has what they count. An account's are the sums of them.
func threadNumbers(o *Object) map[string]int {
	seed := 0
	for _, r := range o.ID {
		seed = (seed*31 + int(r)) % 9973
	}
	return map[string]int{
		"views": 400 + seed%900, "likes": 20 + seed%60, "reposts": seed%7 + o.count("reposts"),
		"quotes": seed % 3, "shares": seed % 5, "clicks": seed % 11,
	}
}

func numbersOf(w *World, o *Object) map[string]int {
	n := threadNumbers(o)
	n["replies"] = len(w.below(o))
	return n
}

var threadsWords = map[string]string{
	"views": "The number of times the post was viewed.", "likes": "The number of likes.", "replies": "The number of replies.",
	"reposts": "The number of reposts.", "quotes": "The number of quotes.", "shares": "The number of shares.", "clicks": "The number of clicks on links.",
	"followers_count": "The number of followers.", "follower_demographics": "Who the followers are.",
}

func postNumbers(c *Call) (any, *Error) {
	rows := []map[string]any{}
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	if c.On.Str("media_type") == "REPOST_FACADE" {
		return c.Rows("ThreadsInsight", rows)
	}
	numbers := numbersOf(c.World, c.On)
	for _, name := range c.Strings("metric") {
		rows = append(rows, map[string]any{
			"name": name, "period": "lifetime", "values": []any{map[string]any{"value": numbers[name]}}, "title": name, "description": threadsWords[name],
			"id": c.On.ID + "/insights/" + name + "/lifetime",
		})
	}
	return c.Rows("ThreadsInsight", rows)
}

// threadsBegin is the first day that the API has numbers of.
var threadsBegin = time.Date(2024, time.April, 13, 0, 0, 0, 0, time.UTC)

func accountNumbers(c *Call) (any, *Error) {
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	from, to, err := threadsPeriod(c)
	if err != nil {
		return nil, err
	}
	metrics := c.Strings("metric")
	if slices.Contains(metrics, "follower_demographics") && (!c.Has("breakdown") || c.Has("since") || c.Has("until")) {
		return nil, Bad("The metric follower_demographics needs a breakdown, and takes no since and until")
	}
	rows := make([]map[string]any, 0, len(metrics))
	for _, name := range metrics {
		row := map[string]any{"name": name, "period": "day", "title": name, "description": threadsWords[name], "id": c.On.ID + "/insights/" + name + "/day"}
		switch name {
		case "views":
			row["values"] = c.viewsByDay(from, to)
		case "followers_count":
			row["total_value"] = map[string]any{"value": threadsFollowers}
		case "follower_demographics":
			row["period"], row["total_value"] = "lifetime", demographics(c.Param("breakdown"))
		default:
			row["total_value"] = map[string]any{"value": c.sum(name, from, to)}
		}
		rows = append(rows, row)
	}
	return c.Rows("ThreadsInsight", rows)
}

// threadsPeriod reads since and until; without them it is the last two days.
func threadsPeriod(c *Call) (from, to time.Time, err *Error) {
	to = c.Now
	if c.Has("until") {
		if to, err = c.When("until"); err != nil {
			return from, to, err
		}
	}
	from = to.Add(-2 * threadsDay)
	if c.Has("since") {
		if from, err = c.When("since"); err != nil {
			return from, to, err
		}
	}
	if from.Before(threadsBegin) || !from.Before(to) {
		return from, to, Bad("Param since must be before until, and not before 2024-04-13")
	}
	return from, to, nil
}

// viewsByDay adds up the views of the posts by the day they were published.
func (c *Call) viewsByDay(from, to time.Time) []any {
	list := []any{}
	for day := from.Truncate(threadsDay); day.Before(to) && len(list) < 1000; day = day.Add(threadsDay) {
		end := day.Add(threadsDay)
		list = append(list, map[string]any{"value": c.sum("views", day, end), "end_time": GraphTime(end)})
	}
	return list
}

func (c *Call) sum(name string, from, to time.Time) int {
	total := 0
	for _, o := range c.World.Linked(c.On, "posts") {
		if !o.Made.Before(from) && o.Made.Before(to) && o.Str("media_type") != "REPOST_FACADE" {
			total += numbersOf(c.World, o)[name]
		}
	}
	return total
}

// threadsFollowers is how many follow the account; every breakdown adds up to it.
const threadsFollowers = 1250

var threadsShares = map[string][]struct {
	name  string
	count int
}{
	"age":     {{"18-24", 210}, {"25-34", 480}, {"35-44", 330}, {"45-54", 150}, {"55-64", 60}, {"65+", 20}},
	"country": {{"GB", 900}, {"IE", 150}, {"US", 120}, {"DE", 80}},
	"city":    {{"London, England", 620}, {"Leeds, England", 280}, {"Dublin, Leinster", 150}, {"Berlin, Berlin", 200}},
	"gender":  {{"F", 700}, {"M", 480}, {"U", 70}},
}

func demographics(breakdown string) map[string]any {
	results := []any{}
	for _, s := range threadsShares[breakdown] {
		results = append(results, map[string]any{"dimension_values": []any{s.name}, "value": s.count})
	}
	return map[string]any{"breakdowns": []any{map[string]any{"dimension_keys": []any{breakdown}, "results": results}}}
}
