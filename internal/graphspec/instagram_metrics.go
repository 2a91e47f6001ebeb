package graphspec

import (
	"slices"
	"strings"
)

// IGMetric is one metric of Instagram insights: what it is asked with. Meta answers a
// wrong combination with error 100, or with an empty list.
type IGMetric struct {
	Name string
	// Of are "account", or the products of media: FEED REELS STORY.
	Of string
	// Types are the values of metric_type; the first is what we send. Media have none.
	Types string
	// Periods are those of an account's metric, the first is the usual one.
	Periods string
	// Breakdowns are those it takes; Needs says that without one nothing comes back.
	Breakdowns string
	Needs      bool
	// Followers is how many an account must have, Timeframe that it wants one.
	Followers int
	Timeframe bool
	Default   bool // among the metrics that are asked for when the caller names none
	Evidence  Evidence
}

const demographics = "age city country gender"

// IGAccountMetrics are the metrics of an account.
var IGAccountMetrics = []IGMetric{
	{Name: "views", Types: "total_value", Periods: "day", Breakdowns: "follow_type media_product_type", Default: true, Evidence: Documented},
	{Name: "reach", Types: "total_value time_series", Periods: "day week days_28", Breakdowns: "follow_type media_product_type", Default: true, Evidence: Documented},
	{Name: "accounts_engaged", Types: "total_value", Periods: "day", Default: true, Evidence: Documented},
	{Name: "total_interactions", Types: "total_value", Periods: "day", Breakdowns: "media_product_type", Default: true, Evidence: Documented},
	{Name: "likes", Types: "total_value", Periods: "day", Breakdowns: "media_product_type", Default: true, Evidence: Documented},
	{Name: "comments", Types: "total_value", Periods: "day", Breakdowns: "media_product_type", Default: true, Evidence: Documented},
	{Name: "shares", Types: "total_value", Periods: "day", Breakdowns: "media_product_type", Default: true, Evidence: Documented},
	{Name: "saves", Types: "total_value", Periods: "day", Breakdowns: "media_product_type", Default: true, Evidence: Documented},
	{Name: "replies", Types: "total_value", Periods: "day", Default: true, Evidence: Documented},
	{Name: "reposts", Types: "total_value", Periods: "day", Default: true, Evidence: Documented},
	{Name: "profile_links_taps", Types: "total_value", Periods: "day", Breakdowns: "contact_button_type", Default: true, Evidence: Documented},
	{Name: "follows_and_unfollows", Types: "total_value", Periods: "day", Breakdowns: "follow_type", Needs: true, Followers: 100, Evidence: Documented},
	{Name: "profile_views", Types: "total_value", Periods: "day", Evidence: Specified},
	{Name: "website_clicks", Types: "total_value", Periods: "day", Evidence: Specified},
	{Name: "content_views", Types: "total_value", Periods: "day", Evidence: Specified},
	{Name: "follower_count", Types: "time_series", Periods: "day", Followers: 100, Evidence: Documented},
	{Name: "online_followers", Types: "default", Periods: "lifetime", Followers: 100, Evidence: Documented},
	{Name: "follower_demographics", Types: "total_value", Periods: "lifetime", Breakdowns: demographics, Needs: true, Followers: 100, Timeframe: true, Evidence: Documented},
	{Name: "engaged_audience_demographics", Types: "total_value", Periods: "lifetime", Breakdowns: demographics, Needs: true, Followers: 100, Timeframe: true, Evidence: Documented},
	{Name: "reached_audience_demographics", Types: "total_value", Periods: "lifetime", Breakdowns: demographics, Needs: true, Followers: 100, Timeframe: true, Evidence: Specified},
}

// IGMediaMetrics are the metrics of a post, reel or story.
var IGMediaMetrics = []IGMetric{
	{Name: "views", Of: "FEED REELS STORY", Default: true, Evidence: Documented},
	{Name: "reach", Of: "FEED REELS STORY", Default: true, Evidence: Documented},
	{Name: "likes", Of: "FEED REELS", Default: true, Evidence: Documented},
	{Name: "comments", Of: "FEED REELS", Default: true, Evidence: Documented},
	{Name: "saved", Of: "FEED REELS", Default: true, Evidence: Documented},
	{Name: "shares", Of: "FEED REELS STORY", Default: true, Evidence: Documented},
	{Name: "reposts", Of: "FEED REELS STORY", Default: true, Evidence: Documented},
	{Name: "replies", Of: "STORY", Default: true, Evidence: Documented},
	{Name: "total_interactions", Of: "FEED REELS STORY", Default: true, Evidence: Documented},
	{Name: "profile_visits", Of: "FEED STORY", Evidence: Documented},
	{Name: "profile_activity", Of: "FEED STORY", Breakdowns: "action_type", Evidence: Documented},
	{Name: "follows", Of: "FEED STORY", Evidence: Documented},
	{Name: "navigation", Of: "STORY", Breakdowns: "story_navigation_action_type", Default: true, Evidence: Documented},
	{Name: "ig_reels_avg_watch_time", Of: "REELS", Default: true, Evidence: Documented},
	{Name: "ig_reels_video_view_total_time", Of: "REELS", Default: true, Evidence: Documented},
	{Name: "reels_skip_rate", Of: "REELS", Default: true, Evidence: Documented},
	{Name: "link_clicks", Of: "STORY", Default: true, Evidence: Documented},
	// These two fail where the media isn't shown on Facebook as well.
	{Name: "crossposted_views", Of: "REELS", Evidence: Documented},
	{Name: "facebook_views", Of: "FEED REELS STORY", Evidence: Documented},
	{Name: "total_likes", Of: "FEED REELS", Evidence: Documented},
	{Name: "total_comments", Of: "FEED REELS", Evidence: Documented},
	{Name: "total_views", Of: "FEED REELS STORY", Evidence: Documented},
}

// IGRetired is a metric that Meta has taken away, or a name that never was one and is
// often used.
type IGRetired struct {
	Name string
	By   string // what took its place; empty: nothing did
	// Breakdown is what shows the old number among the new ones.
	Breakdown string
	Since     string // the day it stopped, on every version; empty: it never was one
	Evidence  Evidence
}

// IGRetiredAccount are the former metrics of an account.
var IGRetiredAccount = []IGRetired{
	{Name: "impressions", By: "views", Since: "2025-04-21", Evidence: Documented},
	{Name: "video_views", By: "views", Evidence: Specified},
	{Name: "email_contacts", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Documented},
	{Name: "get_direction_clicks", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Documented},
	{Name: "get_directions_clicks", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Known},
	{Name: "get_direction_links", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Documented},
	{Name: "phone_call_clicks", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Documented},
	{Name: "text_message_clicks", By: "profile_links_taps", Breakdown: "contact_button_type", Since: "2025-01-08", Evidence: Documented},
	{Name: "audience_city", By: "follower_demographics", Breakdown: "city", Since: "2023-12-11", Evidence: Documented},
	{Name: "audience_country", By: "follower_demographics", Breakdown: "country", Since: "2023-12-11", Evidence: Documented},
	{Name: "audience_gender_age", By: "follower_demographics", Breakdown: "age", Since: "2023-12-11", Evidence: Documented},
	{Name: "audience_locale", Since: "2023-12-11", Evidence: Documented},
	{Name: "account_repost_count", By: "reposts", Evidence: Specified},
	{Name: "saved", By: "saves", Evidence: Specified},
}

// IGRetiredMedia are the former metrics of media.
var IGRetiredMedia = []IGRetired{
	{Name: "impressions", By: "views", Since: "2025-04-21", Evidence: Documented},
	{Name: "plays", By: "views", Since: "2025-04-21", Evidence: Documented},
	{Name: "video_views", By: "views", Since: "2025-01-08", Evidence: Documented},
	{Name: "clips_replays_count", By: "views", Since: "2025-04-21", Evidence: Documented},
	{Name: "ig_reels_aggregated_all_plays_count", By: "views", Since: "2025-04-21", Evidence: Documented},
	{Name: "engagement", By: "total_interactions", Since: "2023-12-11", Evidence: Documented},
	{Name: "carousel_album_engagement", By: "total_interactions", Since: "2023-12-11", Evidence: Documented},
	{Name: "carousel_album_impressions", By: "views", Since: "2023-12-11", Evidence: Documented},
	{Name: "carousel_album_reach", By: "reach", Since: "2023-12-11", Evidence: Documented},
	{Name: "carousel_album_saved", By: "saved", Since: "2023-12-11", Evidence: Documented},
	{Name: "carousel_album_video_views", By: "views", Since: "2023-12-11", Evidence: Documented},
	{Name: "exits", By: "navigation", Breakdown: "story_navigation_action_type", Since: "2023-12-11", Evidence: Documented},
	{Name: "taps_forward", By: "navigation", Breakdown: "story_navigation_action_type", Since: "2023-12-11", Evidence: Documented},
	{Name: "taps_back", By: "navigation", Breakdown: "story_navigation_action_type", Since: "2023-12-11", Evidence: Documented},
	{Name: "repost_count", By: "reposts", Evidence: Specified},
	{Name: "saves", By: "saved", Evidence: Specified},
}

// FindIGMetric finds a metric in a list, nil when there is none.
func FindIGMetric(list []IGMetric, name string) *IGMetric {
	i := slices.IndexFunc(list, func(m IGMetric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// FindIGRetired finds a former metric in a list, nil when there is none.
func FindIGRetired(list []IGRetired, name string) *IGRetired {
	i := slices.IndexFunc(list, func(m IGRetired) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// Takes reports whether the metric can be broken down so; parts are joined by commas.
func (m *IGMetric) Takes(breakdown string) bool {
	for _, part := range strings.Split(breakdown, ",") {
		if !slices.Contains(strings.Fields(m.Breakdowns), part) {
			return false
		}
	}
	return true
}

// For reports whether media of a product have the metric.
func (m *IGMetric) For(product string) bool { return slices.Contains(strings.Fields(m.Of), product) }
