package graphspec

import (
	"slices"
	"strings"
)

// PageMetric is a metric of a Page or of its posts that can be asked for.
type PageMetric struct {
	Name string
	// Periods it can be asked for with, the usual one first.
	Periods string
	// Map says that a value is an object of numbers by key: a country, a reaction.
	Map      bool
	Default  bool
	Evidence Evidence
}

// PageMetrics are the metrics of a Page, PostMetrics those of a post.
var (
	PageMetrics = []PageMetric{
		{Name: "page_media_view", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_total_media_view_unique", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_post_engagements", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_views_total", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_follows", Periods: "day", Default: true, Evidence: Documented},
		{Name: "page_daily_follows_unique", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_daily_unfollows_unique", Periods: "day week days_28", Evidence: Documented},
		{Name: "page_video_views", Periods: "day week days_28", Default: true, Evidence: Documented},
		{Name: "page_actions_post_reactions_total", Periods: "day", Map: true, Evidence: Documented},
		{Name: "page_actions_post_reactions_like_total", Periods: "day week days_28", Evidence: Known},
		{Name: "page_total_actions", Periods: "day week days_28", Evidence: Known},
		{Name: "page_video_view_time", Periods: "day", Evidence: Known},
		// The documents disagree on these two: they are named as successors and as retired.
		{Name: "page_follows_city", Periods: "day", Map: true, Evidence: Reported},
		{Name: "page_follows_country", Periods: "day", Map: true, Evidence: Reported},
	}
	PostMetrics = []PageMetric{
		{Name: "post_media_view", Periods: "lifetime", Default: true, Evidence: Documented},
		{Name: "post_total_media_view_unique", Periods: "lifetime", Default: true, Evidence: Documented},
		{Name: "post_clicks", Periods: "lifetime", Default: true, Evidence: Documented},
		{Name: "post_reactions_by_type_total", Periods: "lifetime", Map: true, Default: true, Evidence: Documented},
		{Name: "post_video_views", Periods: "lifetime day", Evidence: Documented},
		{Name: "post_clicks_by_type", Periods: "lifetime", Map: true, Evidence: Known},
		{Name: "post_reactions_like_total", Periods: "lifetime", Evidence: Known},
		{Name: "post_video_avg_time_watched", Periods: "lifetime", Evidence: Known},
		{Name: "post_video_view_time", Periods: "lifetime", Evidence: Known},
	}
)

// RetiredMetric is one that every version of the API refuses.
type RetiredMetric struct {
	Name  string
	Since string // the day it ended
	// By are today's metrics for the same, separated by blanks; empty: nothing is.
	By       string
	Evidence Evidence
}

// Days on which Meta retired metrics of Pages and posts, of all versions
// (pages-api/changelog, platforminsights/page/deprecated-metrics).
const (
	retired2024   = "2024-03-14"
	retired2025   = "2025-11-15"
	retiredUnique = "2026-06-15"
)

// RetiredPageMetrics are the former metrics of Pages and posts that callers still name.
var RetiredPageMetrics = []RetiredMetric{
	{"page_impressions", retired2025, "page_media_view", Documented},
	{"page_impressions_paid", retired2025, "page_media_view", Documented},
	{"page_impressions_viral", retired2025, "page_media_view", Documented},
	{"page_impressions_nonviral", retired2025, "page_media_view", Documented},
	{"page_impressions_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_impressions_paid_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_impressions_viral_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_impressions_nonviral_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_impressions_organic_unique", retired2024, "page_total_media_view_unique", Documented},
	{"page_posts_impressions", retiredUnique, "page_media_view", Documented},
	{"page_posts_impressions_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_posts_impressions_paid", retiredUnique, "page_media_view", Documented},
	{"page_posts_impressions_viral", retiredUnique, "page_media_view", Documented},
	{"page_posts_impressions_nonviral", retiredUnique, "page_media_view", Documented},
	{"page_posts_impressions_organic_unique", retiredUnique, "page_total_media_view_unique", Documented},
	{"page_engaged_users", retired2024, "page_post_engagements", Documented},
	{"page_consumptions", retired2024, "page_post_engagements", Documented},
	{"page_content_activity", retired2024, "page_post_engagements", Documented},
	{"page_fans", retired2025, "page_follows", Documented},
	{"page_fan_adds", retired2025, "page_daily_follows_unique", Documented},
	{"page_fan_adds_unique", retired2025, "page_daily_follows_unique", Documented},
	{"page_fan_removes", retired2025, "page_daily_unfollows_unique", Documented},
	{"page_fan_removes_unique", retired2025, "page_daily_unfollows_unique", Documented},
	{"page_fans_city", retired2025, "page_follows_city", Documented},
	{"page_fans_country", retired2025, "page_follows_country", Documented},
	{"page_fans_locale", retired2025, "", Documented},
	{"page_fans_gender_age", retired2024, "", Documented},
	{"page_follows_gender_age", retired2024, "", Documented},
	{"page_follows_locale", retired2024, "", Documented},
	{"page_fans_online", retired2025, "", Known},
	{"page_negative_feedback", retired2024, "", Known},
	{"post_impressions", retired2025, "post_media_view", Documented},
	{"post_impressions_paid", retired2025, "post_media_view", Documented},
	{"post_impressions_organic", retired2025, "post_media_view", Documented},
	{"post_impressions_viral", retired2025, "post_media_view", Documented},
	{"post_impressions_nonviral", retired2025, "post_media_view", Documented},
	{"post_impressions_fan", retired2025, "post_media_view", Documented},
	{"post_impressions_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_impressions_paid_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_impressions_organic_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_impressions_viral_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_impressions_nonviral_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_impressions_fan_unique", retiredUnique, "post_total_media_view_unique", Documented},
	{"post_engaged_users", retired2024, "post_clicks post_reactions_by_type_total", Known},
	{"post_engaged_fan", retired2024, "post_clicks", Known},
	{"post_negative_feedback", retired2024, "", Known},
	{"post_clicks_unique", retired2024, "post_clicks", Known},
}

// FindPageMetric finds a metric of a Page or a post, nil when none is known.
func FindPageMetric(list []PageMetric, name string) *PageMetric {
	i := slices.IndexFunc(list, func(m PageMetric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &list[i]
}

// FindRetired finds a former metric of a Page or a post, nil when it is none.
func FindRetired(name string) *RetiredMetric {
	i := slices.IndexFunc(RetiredPageMetrics, func(m RetiredMetric) bool { return m.Name == name })
	if i < 0 {
		return nil
	}
	return &RetiredPageMetrics[i]
}

// Has reports whether the metric can be asked for with a period. month is not among
// Meta's documented ones any more and is left to it.
func (m *PageMetric) Has(period string) bool {
	return slices.Contains(strings.Fields(m.Periods), period)
}
