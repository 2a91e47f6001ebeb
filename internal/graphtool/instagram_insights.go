package graphtool

import "sluice/internal/graphtool/tool"

// igNumbers is what insights answer.
var igNumbers = tool.Out{
	List: yes(), Members: "name period title value:float values:list<json> parts:list<json>",
	Columns: []string{"name", "period", "value", "parts", "values"},
}

var instagramInsightTools = []*tool.Tool{
	{
		Name: "meta_get_instagram_account_insights", Title: "Get Instagram account insights", Set: "insights", Core: true,
		Does: "Reads numbers of one of your Instagram accounts over a time: views, reach, interactions, followers gained, and who the followers are.",
		Use:  "For the account as a whole. For one post, reel or story use meta_get_instagram_media_insights, for paid results meta_get_account_insights.",
		Note: "Without metrics you get views, reach, accounts_engaged, total_interactions and its parts. Former names (impressions, …) are replaced, with a notice. The last 24 hours by default, 30 days at most; up to 48 hours late. Below 100 followers follower metrics stay empty.",
		Args: []tool.Arg{
			igAccount(),
			tool.Strings("metrics", "views reach accounts_engaged total_interactions likes comments shares saves replies reposts profile_links_taps follows_and_unfollows profile_views website_clicks content_views follower_count online_followers follower_demographics engaged_audience_demographics reached_audience_demographics.").Min(1).Max(20),
			tool.Enum("period", "day week days_28 month lifetime", "Leave out for what fits each metric: day, or lifetime for demographics and online_followers; week and days_28 only for reach."),
			tool.Time("since", "Start, at most 30 days before until."),
			tool.Time("until", "End; now when left out."),
			tool.Enum("metric_type", "total_value time_series", "total_value adds the days up; time_series gives one value a day (reach and follower_count only)."),
			tool.Enum("breakdown", "age city country gender age,gender follow_type media_product_type contact_button_type",
				"age, city, country, gender for demographics; follow_type and media_product_type for views and reach; contact_button_type for profile_links_taps. Alone it chooses the metrics that take it."),
			tool.Enum("timeframe", "this_week this_month", "For demographics: the last 7 or 30 days. Default this_month.").
				Old("last_14_days", "this_month", "last_30_days", "this_month", "last_90_days", "this_month", "prev_month", "this_month"),
		},
		Rules:    []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: instagramInsights{}, Out: igNumbers,
		Cases: []tool.Case{
			{
				Name: "usual ones", Args: `{"ig_account_id":"5000000000000001"}`,
				Asks: []string{"GET /5000000000000001/insights period=day metric_type=total_value metric=views,reach,accounts_engaged,total_interactions,likes,comments,shares,saves,replies,reposts,profile_links_taps"},
				Has:  []string{"data.length=11", "data.0.name=views", "data.0.value"},
			},
			{
				Name: "kinds that need calls of their own",
				Args: `{"ig_account_id":"5000000000000001","metrics":["views","follower_count","follower_demographics"],"breakdown":"age"}`, Error: "argument_invalid",
				Says: []string{"views can't be broken down by age"},
			},
			{
				Name: "old names", Args: `{"ig_account_id":"5000000000000001","metrics":["impressions","account_repost_count","follower_count","follows_and_unfollows"]}`,
				Asks: []string{
					"GET /5000000000000001/insights metric=views,reposts metric_type=total_value",
					"GET /5000000000000001/insights metric=follower_count metric_type=time_series",
					"GET /5000000000000001/insights metric=follows_and_unfollows breakdown=follow_type",
				},
				Has:   []string{"data.0.name=views", "data.2.values.length=1", "data.3.parts.0.follow_type=FOLLOWER", "notices.length=2"},
				Shows: []string{"2025-04-21"},
			},
			{
				Name: "who follows", Args: `{"ig_account_id":"5000000000000001","breakdown":"age,gender","timeframe":"last_30_days"}`,
				Asks: []string{"GET /5000000000000001/insights metric=follower_demographics period=lifetime timeframe=this_month breakdown=age,gender"},
				Has:  []string{"data.0.parts.0.age=25-34", "data.0.parts.0.gender=F"},
			},
			{
				Name: "old names that are parts of new ones", Args: `{"ig_account_id":"5000000000000001","metrics":["views","phone_call_clicks","audience_city","audience_country"]}`,
				Asks: []string{
					"GET /5000000000000001/insights metric=views",
					"GET /5000000000000001/insights metric=profile_links_taps breakdown=contact_button_type",
					"GET /5000000000000001/insights metric=follower_demographics breakdown=city",
					"GET /5000000000000001/insights metric=follower_demographics breakdown=country",
				},
				Has: []string{"data.1.parts.0.contact_button_type", "data.2.parts.0.city", "data.3.parts.0.country", "notices.length=3"},
			},
			{
				Name: "times that don't fit", Args: `{"ig_account_id":"5000000000000001","metrics":["follower_demographics"],"breakdown":"age","since":"${now-86400}"}`,
				Asks: []string{"GET /5000000000000001/insights timeframe=this_month breakdown=age"}, Has: []string{"notices.length=1"}, Shows: []string{"no effect on demographics"},
			},
			{
				Name: "few followers", Args: `{"ig_account_id":"5000000000000002","metrics":["follower_count"]}`,
				Has: []string{"data.length=0"}, Shows: []string{"100 followers"},
			},
			{
				Name: "too long", Args: `{"ig_account_id":"5000000000000001","since":"${now-7776000}"}`,
				Error: "argument_invalid", Says: []string{"30 days"},
			},
			{
				Name: "no such period", Args: `{"ig_account_id":"5000000000000001","metrics":["likes"],"period":"week"}`,
				Error: "argument_invalid", Says: []string{"likes takes day"},
			},
			{
				Name: "no metric", Args: `{"ig_account_id":"5000000000000001","metrics":["applause"]}`,
				Error: "argument_invalid", Says: []string{"applause", "views"},
			},
			{
				Name: "permission missing", Args: `{"ig_account_id":"5000000000000001"}`, Token: mayReadInstagram,
				Error: "scope_missing", Says: []string{"instagram_manage_insights"},
			},
		},
	},
	{
		Name: "meta_get_instagram_media_insights", Title: "Get Instagram media insights", Set: "insights",
		Does: "Reads the numbers of one of your Instagram posts, reels or stories since it was published: views, reach, likes, saves, watch time.",
		Use:  "For one piece of media. For the account over time use meta_get_instagram_account_insights; plain counts of likes and comments are in meta_get_instagram_media.",
		Note: "Without metrics you get those that fit its product. Former names (impressions, plays, …) are replaced, with a notice. Watch times are milliseconds, reels_skip_rate percent. Organic only, except total_…. Stories: only while live, 24 hours. Parts of a carousel have none.",
		Args: []tool.Arg{
			igMediaID("Post, reel or story of your account."),
			tool.Strings("metrics", "views reach likes comments saved shares reposts total_interactions; posts and stories: profile_visits profile_activity follows; reels: ig_reels_avg_watch_time ig_reels_video_view_total_time reels_skip_rate crossposted_views; stories: replies navigation link_clicks; where shared to Facebook: facebook_views; with ads: total_likes total_comments total_views.").Min(1).Max(20),
			tool.Enum("breakdown", "action_type story_navigation_action_type", "action_type for profile_activity, story_navigation_action_type for navigation. Alone it chooses the metrics that take it."),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: instagramInsights{Media: true}, Out: igNumbers,
		Cases: []tool.Case{
			{
				Name: "photo", Args: `{"media_id":"5100000000000001"}`,
				Asks: []string{
					"GET /5100000000000001 fields=media_product_type,media_type,timestamp",
					"GET /5100000000000001/insights metric=views,reach,likes,comments,saved,shares,reposts,total_interactions",
				},
				Has: []string{"data.length=8", "data.0.value"},
			},
			{
				Name: "reel, old names", Args: `{"media_id":"5100000000000002","metrics":["plays","saves","follows"]}`,
				Asks: []string{"GET /5100000000000002", "GET /5100000000000002/insights metric=views,saved"},
				Has:  []string{"data.length=2", "notices.length=3"}, Shows: []string{"plays is gone since 2025-04-21", "no follows"},
			},
			{Name: "live story", Args: `{"media_id":"5100000000000005","breakdown":"story_navigation_action_type"}`, Has: []string{"data.0.name=navigation", "data.0.parts.length=4"}},
			{
				Name: "former names of a story", Args: `{"media_id":"5100000000000005","metrics":["views","exits","taps_back"]}`,
				Asks: []string{"GET /5100000000000005", "GET /5100000000000005/insights metric=views", "GET /5100000000000005/insights metric=navigation breakdown=story_navigation_action_type"},
				Has:  []string{"data.1.name=navigation", "data.1.parts.length=4", "notices.length=2"},
			},
			{Name: "part of a carousel", Args: `{"media_id":"5100000000000031"}`, Has: []string{"data.length=0"}, Shows: []string{"parts of a carousel"}},
			{Name: "story that is over", Args: `{"media_id":"5100000000000006"}`, Error: "object_not_found", Says: []string{"24 hours"}},
			{
				Name: "no such breakdown", Args: `{"media_id":"5100000000000001","metrics":["likes"],"breakdown":"action_type"}`,
				Error: "argument_invalid", Says: []string{"likes"},
			},
		},
	},
}
