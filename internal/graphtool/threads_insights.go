package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

const threadsDemographics = "follower_demographics"

var threadsMeasureTools = []*tool.Tool{
	{
		Name: "threads_get_post_insights", Title: "Read Threads post insights", Set: "insights",
		Does: "Reads the numbers of one Threads post of the token's account since it was published: views, likes, replies, reposts, quotes, shares.",
		Use:  "For the whole account and for periods use threads_get_user_insights.",
		Note: "Numbers are of the whole life of the post. A repost has none: the list is empty.",
		Args: []tool.Arg{
			threadsPost("Post to measure."),
			tool.Enums("metrics", "views likes replies reposts quotes shares", "Numbers to read.").Min(1).Is([]any{"views", "likes", "replies", "reposts", "quotes", "shares"}).To("metric").Comma(),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsMedia", ID: "media_id", Edge: "insights"}},
		Out:   tool.Out{Heading: "Insights of {media_id}", Columns: []string{"name", "period", "values", "description"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"media_id":"6100000000000001"}`, Asks: []string{"GET /6100000000000001/insights metric=views,likes,replies,reposts,quotes,shares"}, Has: []string{"data.0.name=views", "data.0.period=lifetime", "data.0.values.0.value", "data.5.name=shares"}},
			{Name: "one", Args: `{"media_id":"6100000000000001","metrics":["replies"]}`, Has: []string{"data.0.values.0.value=3"}},
			{Name: "unknown metric", Args: `{"media_id":"6100000000000001","metrics":["reach"]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"metrics"}},
			{Name: "no such post", Args: `{"media_id":"6199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "threads_get_user_insights", Title: "Read Threads account insights", Set: "insights",
		Does: "Reads the numbers of the token's Threads account: views by day, and likes, replies, reposts, quotes, link clicks and followers of a period.",
		Use:  "For one post use threads_get_post_insights. Give breakdown with metrics follower_demographics to see who follows.",
		Note: "Without dates Meta takes the last two days. Nothing before 2024-04-13. followers_count and follower_demographics ignore dates; demographics need 100 followers, and are read alone.",
		Args: []tool.Arg{
			threadsUser(),
			tool.List("metrics", tool.Enum("", "views likes replies reposts quotes clicks followers_count "+threadsDemographics, "").Old("reach", "views"), "Numbers to read; with breakdown only follower_demographics is.").
				Min(1).Is([]any{"views", "likes", "replies", "reposts", "quotes", "clicks", "followers_count"}).To("metric").Comma(),
			tool.Time("since", "Start of the period, from 2024-04-13 on."),
			tool.Time("until", "End of the period."),
			tool.Enum("breakdown", "age city country gender", "Split of follower_demographics."),
		},
		Rules: []tool.Rule{tool.InOrder("since", "until")}, Check: threadsPeriod,
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{
				Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "threads_insights", When: "breakdown",
				Takes: []string{"breakdown"}, Fixed: map[string]string{"metric": threadsDemographics},
			},
			{Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "threads_insights", When: "!breakdown", Takes: []string{"metrics", "since", "until"}},
		},
		Out: tool.Out{Heading: "Threads insights", Columns: []string{"name", "period", "total_value", "values"}},
		Cases: []tool.Case{
			{
				Name: "defaults", Args: `{"threads_user_id":"6000000000000001"}`,
				Asks: []string{"GET /6000000000000001/threads_insights metric=views,likes,replies,reposts,quotes,clicks,followers_count"},
				Has:  []string{"data.0.name=views", "data.0.values.0.value", "data.1.total_value.value", "data.6.total_value.value=1250"},
			},
			{Name: "a metric that is gone", Args: `{"metrics":["reach"],"since":"${now-604800}","until":"${now}"}`, Asks: []string{"GET /me/threads_insights metric=views since=${now-604800} until=${now}"}, Has: []string{"data.0.name=views", "notices"}},
			{Name: "who follows", Args: `{"breakdown":"country"}`, Asks: []string{"GET /me/threads_insights metric=follower_demographics breakdown=country"}, Has: []string{"data.0.total_value.breakdowns.0.results.0.value", "notices"}},
			{Name: "demographics of what", Args: `{"metrics":["follower_demographics"]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"breakdown"}},
			{Name: "too early", Args: `{"since":"2024-01-01T00:00:00Z"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"2024-04-13"}},
		},
	},
}

// threadsStart is the first second that Threads has numbers of, 2024-04-13.
const threadsStart = 1712991600

// threadsPeriod refuses what Meta has no numbers of.
func threadsPeriod(e *tool.Env) error {
	for _, name := range []string{"since", "until"} {
		if e.Args.Has(name) && e.Args.Int(name) < threadsStart {
			return tool.Bad(name, "is before 2024-04-13", "Threads has no numbers from before that day.")
		}
	}
	if e.Args.Has("breakdown") {
		e.Notice("With breakdown only " + threadsDemographics + " is read, of today: other metrics and dates have no effect.")
		return nil
	}
	if slices.Contains(e.Args.Strings("metrics"), threadsDemographics) {
		return tool.Bad("breakdown", "is needed for "+threadsDemographics, "Choose age, city, country or gender.")
	}
	return nil
}
