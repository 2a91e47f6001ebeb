package graphtool

import (
	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

const (
	aPage = "4000000000000001"
	aPost = "4000000000000001_4100000000000001"
)

var metricOut = tool.Out{Of: "InsightsResult", List: &isList, Members: "latest:json", Columns: []string{"name", "period", "latest"}}

var pageInsightTools = []*tool.Tool{
	{
		Name: "meta_get_page_insights", Title: "Read a Page's numbers", Set: "insights",
		Does: "Reads metrics of a Page as series by day, week or 28 days: views, people reached, engagement, follows.",
		Use:  "For a Page as a whole. For one post use meta_get_post_insights, for ads meta_get_account_insights, for Instagram meta_get_instagram_account_insights.",
		Note: "Former metrics are replaced by today's, or left out where there is none, and the notices say so; one that Meta refuses does not fail the others. Days end at midnight in California. Pages with under 100 likes have no numbers.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page to read."),
			tool.Strings("metrics", "Names such as page_media_view, page_total_media_view_unique, page_post_engagements, page_follows. Without it the usual seven.").Max(30),
			tool.Enum("period", "day week days_28", "What a value covers; week and days_28 end with each day.").Old("month", "days_28").Is("day"),
			tool.Date("since", "First day, at most two years back. Without since and until: the last two days."),
			tool.Date("until", "Last day, included. More than 90 days take several calls."),
		},
		Rules: insightRules, Flow: metricsFlow{On: "Page", ID: "page_id", Known: graphspec.PageMetrics, Argument: "metrics"},
		Category: tool.Read, Severity: tool.Low, Repeat: true, Out: metricOut,
		Cases: []tool.Case{
			{
				Name: "the usual ones", Args: `{"page_id":"` + aPage + `","since":"2026-11-01","until":"2026-11-14"}`,
				Asks: []string{"GET /" + aPage + "/insights metric=page_media_view,page_total_media_view_unique,page_post_engagements,page_views_total,page_follows,page_daily_follows_unique,page_video_views period=day since=2026-11-01 until=2026-11-15"},
				Has:  []string{"data.6.latest", "data.0.values.13.value"},
			},
			{
				Name: "former names", Args: `{"page_id":"` + aPage + `","metrics":["page_impressions","page_fans","page_fans_locale"]}`,
				Asks: []string{"GET /" + aPage + "/insights metric=page_media_view,page_follows"}, Has: []string{"data.0.name=page_media_view", "data.1.name=page_follows", "notices.2"},
			},
			{
				Name: "one that Meta does not know fails alone", Args: `{"page_id":"` + aPage + `","metrics":["page_media_view","page_happiness"]}`,
				Asks: []string{"GET /" + aPage + "/insights metric=page_media_view", "GET /" + aPage + "/insights metric=page_happiness"},
				Has:  []string{"data.0.name=page_media_view", "notices"},
			},
			{
				Name: "half a year in pieces", Args: `{"page_id":"` + aPage + `","metrics":["page_media_view"],"since":"2026-05-01","until":"2026-10-31"}`,
				Asks: []string{"GET /" + aPage + "/insights since=2026-05-01 until=2026-07-30", "GET /" + aPage + "/insights since=2026-07-30 until=2026-10-28", "GET /" + aPage + "/insights since=2026-10-28 until=2026-11-01"},
				Has:  []string{"data.0.values.183.value"},
			},
			{Name: "a day that has no values yet", Args: `{"page_id":"` + aPage + `","metrics":["page_media_view"],"since":"2026-11-20","until":"2026-11-20"}`, Has: []string{"data.length=1", "notices.0"}},
			{Name: "a metric that has another period", Args: `{"page_id":"` + aPage + `","metrics":["page_follows"],"period":"week"}`, Asks: []string{"GET /" + aPage + "/insights metric=page_follows period=day"}, Has: []string{"notices"}},
			{Name: "only what is gone", Args: `{"page_id":"` + aPage + `","metrics":["page_fans_locale"]}`, Error: "unsupported", Says: []string{"2025-11-15"}, Asks: []string{}},
			{Name: "without permission", Args: `{"page_id":"` + aPage + `"}`, Token: "only:pages_show_list", Error: "scope_missing"},
		},
	},
	{
		Name: "meta_get_post_insights", Title: "Read a Page post's numbers", Set: "insights",
		Does: "Reads the metrics of one Page post since it was published: views, people reached, clicks, reactions.",
		Use:  "For one post. For the Page as a whole use meta_get_page_insights; likes, comments and shares without insights come with meta_get_post.",
		Note: "Former metrics are replaced by today's or left out, and the notices say so. Values are totals up to now.",
		Args: []tool.Arg{
			tool.ID("post_id", "PagePost", "Post to read, as page_post."),
			tool.ID("page_id", "Page", "Page that the post is on; taken from post_id where that names it.").Opt().Local(),
			tool.Strings("metrics", "Names such as post_media_view, post_clicks, post_reactions_by_type_total, post_video_views. Without it the usual four.").Max(30),
		},
		Flow:     metricsFlow{On: "PagePost", ID: "post_id", Known: graphspec.PostMetrics, Argument: "metrics"},
		Category: tool.Read, Severity: tool.Low, Repeat: true, Out: metricOut,
		Cases: []tool.Case{
			{
				Name: "the usual ones", Args: `{"post_id":"` + aPost + `","page_id":"` + aPage + `"}`,
				Asks: []string{"GET /" + aPost + "/insights metric=post_media_view,post_total_media_view_unique,post_clicks,post_reactions_by_type_total"},
				Has:  []string{"data.0.latest", "data.3.latest.like"},
			},
			{
				Name: "former names", Args: `{"post_id":"` + aPost + `","metrics":["post_impressions","post_impressions_unique","post_negative_feedback"]}`,
				Asks: []string{"GET /" + aPost + "/insights metric=post_media_view,post_total_media_view_unique"}, Has: []string{"notices.2"},
			},
			{Name: "no such post", Args: `{"post_id":"` + aPage + `_4199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_page_fan_demographics", Title: "Read where a Page's followers are", Set: "insights",
		Does: "Reads how the followers of a Page are spread over countries or cities.",
		Use:  "For the audience of a Facebook Page. For age and gender of an Instagram audience use meta_get_instagram_account_insights; of people reached by ads meta_get_account_insights with breakdowns.",
		Note: "Meta ended the split by age, gender (2024-03-14) and language (2025-11-15) for Pages: those values answer unsupported. Its documents disagree on whether the two that are left still answer; a refusal says so.",
		Args: []tool.Arg{
			tool.ID("page_id", "Page", "Page whose followers."),
			tool.Enum("metric", "page_follows_country page_follows_city page_fans_gender_age page_fans_locale", "What to split by.").
				Old("page_fans_city", "page_follows_city", "page_fans_country", "page_follows_country").Is("page_follows_country"),
		},
		Flow:     metricsFlow{On: "Page", ID: "page_id", Known: graphspec.PageMetrics, Argument: "metric"},
		Category: tool.Read, Severity: tool.Low, Repeat: true, Out: metricOut,
		Cases: []tool.Case{
			{Name: "countries", Args: `{"page_id":"` + aPage + `"}`, Asks: []string{"GET /" + aPage + "/insights metric=page_follows_country period=day"}, Has: []string{"data.0.latest.GB"}},
			{Name: "the former name of cities", Args: `{"page_id":"` + aPage + `","metric":"page_fans_city"}`, Asks: []string{"GET /" + aPage + "/insights metric=page_follows_city"}, Has: []string{"data.0.latest", "notices"}},
			{Name: "age and gender", Args: `{"page_id":"` + aPage + `","metric":"page_fans_gender_age"}`, Error: "unsupported", Says: []string{"2024-03-14", "meta_get_instagram_account_insights"}, Asks: []string{}},
		},
	},
}
