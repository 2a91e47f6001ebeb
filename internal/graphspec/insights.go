package graphspec

// Numbers about ads, Pages and posts. Ads have one edge on four levels, with a
// synchronous GET and a POST that starts a report in the background; Pages and posts
// have metrics by name, some of which are retired (page_metrics.go).

// insightParams are what both ways of asking for ads insights take (AdAccount.insights
// of the published specification; the four levels are the same).
const insightParams = "level:InsightsLevel date_preset:InsightsDatePreset time_range:map time_ranges:json time_increment " +
	"breakdowns:list<InsightsBreakdown> action_breakdowns:list<InsightsActionBreakdown> " +
	"action_attribution_windows:list<InsightsWindow> action_report_time:InsightsReportTime filtering:json sort:list<string> " +
	"use_unified_attribution_setting:bool use_account_attribution_setting:bool default_summary:bool summary:list<string> " +
	"summary_action_breakdowns:list<InsightsActionBreakdown> product_id_limit:int export_format export_columns:list<string> export_name"

// insightEdges are on accounts, campaigns, ad sets and ads.
var insightEdges = []Edge{{
	Name: "insights",
	Get: &Op{
		Params: insightParams + " fields:list<string> limit:int", Returns: "AdsInsights", Scopes: adsRead, Token: UserToken, Evidence: Specified,
		Note: "Days are those of the account's time zone. unique_impressions and the breakdown placement do not exist; 7d_view and 28d_view return nothing since 2026-01-12.",
	},
	Post: &Op{
		Params: insightParams + " fields:list<string>", Answer: "report_run_id:id", Scopes: adsRead, Token: UserToken, Evidence: Documented,
		Note: "Starts a report in the background and changes nothing. Ten a day for an account with reach and breakdowns.",
	},
}}

// pageInsightEdges and postInsightEdges are of Pages and their posts.
var pageInsightEdges = []Edge{{
	Name: "insights",
	Get: &Op{
		Params:  "metric:list<string> period:PageInsightsPeriod since:time until:time date_preset:InsightsDatePreset breakdown:list<string> show_description_from_api_doc:bool",
		Returns: "InsightsResult", Scopes: "read_insights pages_read_engagement", Token: PageToken, Evidence: Specified,
		Note: "At most 90 days in one call, two years back, from 100 likes on. One retired metric fails the whole call.",
	},
}}

var postInsightEdges = []Edge{{
	Name: "insights",
	Get: &Op{
		Params:  "metric:list<string> period:PageInsightsPeriod since:time until:time date_preset:InsightsDatePreset",
		Returns: "InsightsResult", Scopes: "read_insights pages_read_engagement", Token: PageToken, Evidence: Specified,
	},
}}

var insightNodes = []*Node{
	{Name: "AdsInsights", ID: NoID, Fields: adsInsightsFields, Evidence: Specified},
	{Name: "AdsActionStats", ID: NoID, Fields: adsActionFields, Evidence: Specified},
	{
		Name: "AdReportRun", ID: Digits, Evidence: Specified,
		Fields: "id* account_id:id async_status* async_percent_completion*:int is_running:bool date_start:date date_stop:date " +
			"time_ref:unix time_completed:unix error_code:int error_subcode:int error_message error_user_title error_user_msg " +
			"friendly_name is_bookmarked:bool is_async_export:int schedule_id:id emails:list<string> async_report_url:url",
		Read: &Op{Scopes: adsRead, Token: UserToken, Evidence: Documented, Note: "Done when async_status is Job Completed and async_percent_completion 100. Readable for about 30 days [K]."},
		Edges: []Edge{{
			Name: "insights",
			Get:  &Op{Params: "limit:int", Returns: "AdsInsights", Scopes: adsRead, Token: UserToken, Evidence: Specified},
		}},
	},
	{
		Name: "InsightsResult", ID: Opaque, Evidence: Specified,
		Fields: "id* name* period* title* description* values*:list<json> description_from_api_doc",
	},
}

var insightEnums = map[string]string{
	"InsightsLevel": "account campaign adset ad",
	"InsightsDatePreset": "today yesterday this_month last_month this_quarter last_quarter this_year last_year maximum data_maximum " +
		"last_3d last_7d last_14d last_28d last_30d last_90d last_week_mon_sun last_week_sun_sat this_week_mon_today this_week_sun_today",
	"InsightsBreakdown": "age gender country region dma publisher_platform platform_position device_platform impression_device " +
		"product_id frequency_value place_page_id hourly_stats_aggregated_by_advertiser_time_zone hourly_stats_aggregated_by_audience_time_zone " +
		"ad_format_asset body_asset call_to_action_asset description_asset image_asset link_url_asset title_asset video_asset " +
		"ad_extension_domain ad_extension_url app_id breakdown_ad_objective breakdown_reporting_ad_id coarse_conversion_value comscore_market " +
		"conversion_destination creative_automation_asset_id creative_relaxation_asset_type crm_advertiser_l12_territory_ids " +
		"crm_advertiser_subvertical_id crm_advertiser_vertical_id crm_ult_advertiser_id fidelity_type flexible_format_asset_type " +
		"gen_ai_asset_type hsid impression_view_time_advertiser_hour_v2 is_auto_advance is_conversion_id_modeled is_rendered_as_delayed_skip_ad " +
		"landing_destination marketing_messages_btn_name mdsa_landing_destination media_asset_url media_creator media_destination_url " +
		"media_format media_origin_url media_text_content media_type mmm postback_sequence_index product_brand_breakdown " +
		"product_category_breakdown product_custom_label_0_breakdown product_custom_label_1_breakdown product_custom_label_2_breakdown " +
		"product_custom_label_3_breakdown product_custom_label_4_breakdown product_group_content_id_breakdown redownload reels_trending_topic " +
		"rta_ugc_topic rule_set_id rule_set_name signal_source_bucket skan_campaign_id skan_conversion_id skan_version " +
		"sot_attribution_model_type sot_attribution_window sot_channel sot_event_type sot_source standard_event_content_type " +
		"user_persona_id user_persona_name",
	"InsightsActionBreakdown": "action_type action_device action_destination action_reaction action_target_id action_video_sound action_video_type " +
		"action_carousel_card_id action_carousel_card_name action_canvas_component_name conversion_destination is_business_ai_assisted " +
		"matched_persona_id matched_persona_name signal_source_bucket standard_event_content_type",
	"InsightsWindow": "1d_click 7d_click 28d_click 1d_view 1d_ev 7d_view 28d_view default dda skan_click skan_view skan_click_second_postback " +
		"skan_click_third_postback skan_view_second_postback skan_view_third_postback 7d_view_all_conversions 7d_view_first_conversion " +
		"28d_view_all_conversions 28d_view_first_conversion",
	"InsightsReportTime": "impression conversion mixed lifetime",
	"PageInsightsPeriod": "day week days_28 month lifetime total_over_range",
	"AdLibraryType":      "ALL POLITICAL_AND_ISSUE_ADS HOUSING_ADS EMPLOYMENT_ADS FINANCIAL_PRODUCTS_AND_SERVICES_ADS",
	"AdLibraryStatus":    "ALL ACTIVE INACTIVE",
	"AdLibrarySearch":    "KEYWORD_UNORDERED KEYWORD_EXACT_PHRASE",
	"AdLibraryMedia":     "ALL IMAGE MEME VIDEO NONE",
	"AdLibraryPlatform":  "FACEBOOK INSTAGRAM AUDIENCE_NETWORK MESSENGER WHATSAPP OCULUS THREADS",
}

// RetiredWindows are attribution windows that return nothing any more, on any version.
var RetiredWindows = []string{"7d_view", "28d_view"}

// WindowsRetired is the day they ended.
const WindowsRetired = "2026-01-12"
