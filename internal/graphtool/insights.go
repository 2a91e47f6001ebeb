package graphtool

import (
	"strings"

	"sluice/internal/graphtool/tool"
)

var isList = true

// breakdownNames are the breakdowns that are offered; the API has more, for apps,
// stores and assets.
const breakdownNames = "age gender country region dma publisher_platform platform_position device_platform impression_device product_id " +
	"frequency_value hourly_stats_aggregated_by_advertiser_time_zone hourly_stats_aggregated_by_audience_time_zone placement " +
	"ad_format_asset body_asset call_to_action_asset description_asset image_asset link_url_asset title_asset video_asset media_type"

const presetNames = "today yesterday last_3d last_7d last_14d last_28d last_30d last_90d this_week_mon_today this_week_sun_today " +
	"last_week_mon_sun last_week_sun_sat this_month last_month this_quarter last_quarter this_year last_year maximum data_maximum"

// insightArgs are what every report takes.
var insightArgs = []tool.Arg{
	tool.Strings("fields", "Columns, such as impressions, spend, actions, purchase_roas. Without it a set that works at every level.").Max(60),
	tool.Enum("date_preset", presetNames, "Days in the account's time zone. last_…d ends yesterday. since and until win over it.").Is("last_30d"),
	tool.Date("since", "First day, with until. At most 37 months back."),
	tool.Date("until", "Last day, included."),
	tool.Text("time_increment", "\"1\" to \"90\" days a row, monthly, or all_days: one row for everything."),
	tool.Enums("breakdowns", breakdownNames, "Divide the rows. Combine within one group only: age and gender; country, region, dma each alone; publisher_platform, platform_position, device_platform, impression_device; placement is platform and position.").Max(4),
	tool.Enums("action_breakdowns", "action_type action_device action_destination action_reaction action_target_id action_carousel_card_name action_video_type conversion_destination", "Divide the entries of actions.").Max(4),
	tool.Enums("action_attribution_windows", "1d_click 7d_click 28d_click 1d_view 1d_ev default", "Count actions by window as well. 7d_view and 28d_view have ended (2026-01-12).").Max(6),
	tool.List("filtering", tool.Object("", "field, operator, value"), "Keep rows: {\"field\":\"campaign.name\",\"operator\":\"CONTAIN\",\"value\":\"sale\"}; operators EQUAL, IN, CONTAIN, GREATER_THAN and their opposites; fields also ad.id, adset.id, spend, impressions.").Max(20),
	tool.Text("sort", "A column and _ascending or _descending: spend_descending."),
	tool.Bool("use_unified_attribution_setting", "Count as each ad set's attribution setting says, as Meta's own screens do."),
}

// insightRules hold the two days together.
var insightRules = []tool.Rule{tool.Needs("since", "until"), tool.Needs("until", "since")}

// adsRow are the usual members of a row.
const adsRow = "account_id:id account_name campaign_id:id campaign_name adset_id:id adset_name ad_id:id ad_name account_currency " +
	"reach:int frequency:decimal clicks:int ctr:decimal cpc:decimal cpm:decimal inline_link_clicks:int actions:list<AdsActionStats> " +
	"action_values:list<AdsActionStats> cost_per_action_type:list<AdsActionStats> purchase_roas:list<AdsActionStats> age gender country region " +
	"publisher_platform platform_position device_platform impression_device action_summary"

func insightOut(columns string) tool.Out {
	return tool.Out{Of: "AdsInsights", List: &isList, Members: adsRow, Columns: strings.Fields(columns)}
}

const insightNote = "Amounts are decimal text in the account's major unit (account_currency), rates in percent. A missing reach means not available, not 0. " +
	"What is too large at once is read as a report made in the background; one that needs longer than a call answers not_ready with its id."

// theAccount, theCampaign, theSet and theAd are ids of the sandbox.
const (
	aAccount  = "act_3000000000000001"
	aCampaign = "3100000000000001"
	anAdSet   = "3200000000000001"
	anAd      = "3300000000000001"
)

var insightTools = []*tool.Tool{
	{
		Name: "meta_get_account_insights", Title: "Read an ad account's results", Set: "insights", Core: true,
		Does: "Reads the delivery and results of a whole ad account as one report: spend, reach, clicks, conversions.",
		Use:  "For totals, trends by day and audience splits of the account. For a row per campaign use meta_get_campaign_insights, per ad set or ad its sisters.",
		Note: insightNote,
		Args: tool.Join([]tool.Arg{tool.ID("ad_account_id", "AdAccount", "Account to report on.")}, insightArgs, tool.Page(500)), Rules: insightRules,
		Category: tool.Read, Severity: tool.Low, Repeat: true, Flow: insightsFlow{Level: "account"},
		Out: insightOut("date_start date_stop impressions reach clicks spend account_currency"),
		Cases: []tool.Case{
			{
				Name: "last week by day", Args: `{"ad_account_id":"` + aAccount + `","date_preset":"last_7d","time_increment":"1"}`,
				Asks: []string{"GET /" + aAccount + "/insights level=account date_preset=last_7d time_increment=1"},
				Has:  []string{"data.6.spend", "data.0.account_currency=GBP", "data.0.account_id=3000000000000001", "has_more=false", "notices"},
			},
			{
				Name: "placement is two breakdowns", Args: `{"ad_account_id":"3000000000000001","breakdowns":["placement"],"since":"2026-11-01","until":"2026-11-07"}`,
				Asks: []string{"GET /" + aAccount + `/insights breakdowns=publisher_platform,platform_position time_range={"since":"2026-11-01","until":"2026-11-07"}`},
				Has:  []string{"data.0.publisher_platform", "data.0.platform_position", "notices"},
			},
			{
				Name: "a column that never was", Args: `{"ad_account_id":"` + aAccount + `","fields":["unique_impressions","spend"]}`,
				Asks: []string{"GET /" + aAccount + "/insights fields=account_id,account_name,reach,spend,account_currency"}, Has: []string{"data.0.reach", "notices"},
			},
			{
				Name: "a year by sex goes into the background", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["gender"],"date_preset":"this_year"}`,
				Has: []string{"data.0.gender", "notices"},
			},
			{
				Name: "too large at once", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["age","gender"],"time_increment":"1","since":"2026-09-01","until":"2026-11-18"}`,
				Faults: `{"kind":"error","edge":"insights","method":"GET","next":1,"code":100,"subcode":1487534}`, Has: []string{"data.0.age", "has_more=true", "next_cursor", "notices"},
			},
			{
				Name: "the next page of a report", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["gender"],"date_preset":"this_year","after":"aW5zaWdodHM"}`,
				Error: "argument_invalid", Says: []string{"meta_get_insights_report"}, Asks: []string{},
			},
			{Name: "half a range", Args: `{"ad_account_id":"` + aAccount + `","since":"2026-11-01"}`, Error: "argument_invalid", Says: []string{"until"}, Asks: []string{}},
			{Name: "a window that ended", Args: `{"ad_account_id":"` + aAccount + `","action_attribution_windows":["28d_view"]}`, Error: "argument_invalid", Says: []string{"action_attribution_windows"}, Asks: []string{}},
			{Name: "groups that don't combine", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["age","publisher_platform"]}`, Error: "meta_refused", Says: []string{"breakdowns"}},
			{Name: "the days are turned round", Args: `{"ad_account_id":"` + aAccount + `","since":"2026-11-09","until":"2026-11-01"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "an id that leaves its place", Args: `{"ad_account_id":"act_1/../me"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_campaign_insights", Title: "Read results by campaign", Set: "insights",
		Does: "Reads the delivery and results of one campaign, or of each campaign of an ad account, a row per campaign.",
		Use:  "To compare campaigns. For ad sets or ads below them use meta_get_adset_insights or meta_get_ad_insights; for settings and budgets meta_get_campaign.",
		Note: insightNote,
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "Account whose campaigns are listed; not needed with campaign_id.").Opt(),
			tool.ID("campaign_id", "Campaign", "Only this campaign.").Opt(),
		}, insightArgs, tool.Page(500)),
		AnyOf: []string{"campaign_id ad_account_id"}, Rules: insightRules,
		Category: tool.Read, Severity: tool.Low, Repeat: true, Flow: insightsFlow{Level: "campaign"},
		Out: insightOut("campaign_name date_start date_stop impressions clicks spend account_currency"),
		Cases: []tool.Case{
			{
				Name: "all campaigns, the dearest first", Args: `{"ad_account_id":"` + aAccount + `","sort":"spend_descending"}`,
				Asks: []string{"GET /" + aAccount + `/insights level=campaign sort=["spend_descending"] date_preset=last_30d`}, Has: []string{"data.0.campaign_name", "data.0.spend"},
			},
			{
				Name: "one campaign", Args: `{"ad_account_id":"` + aAccount + `","campaign_id":"` + aCampaign + `"}`,
				Asks: []string{"GET /" + aCampaign + "/insights level=campaign"}, Has: []string{"data.0.campaign_id=" + aCampaign, "data.0.actions"},
			},
			{
				Name: "actions by device are summed in words", Args: `{"campaign_id":"` + aCampaign + `","fields":["actions","action_values"],"action_breakdowns":["action_type","action_device"]}`,
				Has: []string{"data.0.actions.2.action_device", "data.0.action_summary=purchase 74 (worth 3087.03), add_to_cart 370, landing_page_view 2103, link_click 2646"},
			},
			{Name: "of nothing", Args: `{}`, Error: "argument_invalid", Says: []string{"campaign_id", "ad_account_id"}, Asks: []string{}},
			{Name: "no such campaign", Args: `{"campaign_id":"3999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_adset_insights", Title: "Read results by ad set", Set: "insights",
		Does: "Reads the delivery and results of one ad set, or of each ad set of a campaign or account, a row per ad set.",
		Use:  "To compare audiences, placements and bids. For the ads inside use meta_get_ad_insights; for whole campaigns meta_get_campaign_insights.",
		Note: insightNote,
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "All ad sets of this account.").Opt(),
			tool.ID("campaign_id", "Campaign", "All ad sets of this campaign.").Opt(),
			tool.ID("adset_id", "AdSet", "Only this ad set.").Opt(),
		}, insightArgs, tool.Page(500)),
		AnyOf: []string{"adset_id campaign_id ad_account_id"}, Rules: insightRules,
		Category: tool.Read, Severity: tool.Low, Repeat: true, Flow: insightsFlow{Level: "adset"},
		Out: insightOut("adset_name date_start date_stop impressions clicks spend account_currency"),
		Cases: []tool.Case{
			{Name: "those of a campaign", Args: `{"campaign_id":"` + aCampaign + `","date_preset":"last_14d"}`, Asks: []string{"GET /" + aCampaign + "/insights level=adset"}, Has: []string{"data.0.adset_id", "data.0.campaign_id=" + aCampaign}},
			{Name: "one by age", Args: `{"adset_id":"` + anAdSet + `","breakdowns":["age"]}`, Asks: []string{"GET /" + anAdSet + "/insights level=adset breakdowns=age"}, Has: []string{"data.5.age=65+"}},
			{Name: "of nothing", Args: `{"date_preset":"today"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_insights", Title: "Read results by ad", Set: "insights",
		Does: "Reads the delivery and results of one ad, or of each ad of an ad set, campaign or account, a row per ad.",
		Use:  "To find which creative works. For sums over ad sets or campaigns use meta_get_adset_insights or meta_get_campaign_insights; for a large account start meta_start_insights_report.",
		Note: insightNote,
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "All ads of this account.").Opt(),
			tool.ID("campaign_id", "Campaign", "All ads of this campaign.").Opt(),
			tool.ID("adset_id", "AdSet", "All ads of this ad set.").Opt(),
			tool.ID("ad_id", "Ad", "Only this ad.").Opt(),
		}, insightArgs, tool.Page(500)),
		AnyOf: []string{"ad_id adset_id campaign_id ad_account_id"}, Rules: insightRules,
		Category: tool.Read, Severity: tool.Low, Repeat: true, Flow: insightsFlow{Level: "ad"},
		Out: insightOut("ad_name date_start date_stop impressions clicks spend account_currency"),
		Cases: []tool.Case{
			{
				Name: "by a part of it", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["image_asset"],"fields":["spend"],"sort":"spend_ascending","limit":1}`,
				Has: []string{"data.0.image_asset.hash", "has_more=true"},
			},
			{Name: "sorted by nothing", Args: `{"ad_id":"` + anAd + `","sort":"spend"}`, Error: "argument_invalid", Says: []string{"spend_descending"}, Asks: []string{}},
			{Name: "one ad", Args: `{"ad_id":"` + anAd + `","fields":["impressions","spend","quality_ranking"]}`, Asks: []string{"GET /" + anAd + "/insights level=ad"}, Has: []string{"data.0.ad_id=" + anAd, "data.0.quality_ranking"}},
			{Name: "those of an account", Args: `{"ad_account_id":"` + aAccount + `","limit":2}`, Asks: []string{"GET /" + aAccount + "/insights level=ad limit=2"}, Has: []string{"data.1.ad_name", "has_more=true", "next_cursor"}},
			{Name: "a column that does not exist", Args: `{"ad_id":"` + anAd + `","fields":["sales"]}`, Error: "argument_invalid", Says: []string{"sales"}, Asks: []string{}},
			{Name: "without permission", Args: `{"ad_id":"` + anAd + `"}`, Token: "only:pages_show_list", Error: "scope_missing", Says: []string{"ads_read"}},
		},
	},
	{
		Name: "meta_start_insights_report", Title: "Start an ads report in the background", Set: "insights",
		Does: "Starts a report about an account, campaign, ad set or ad in the background and answers its id.",
		Use:  "For many ads, long ranges or several breakdowns. For what fits one answer use meta_get_account_insights and its sisters, which switch to a report by themselves.",
		Note: "Changes nothing in the account. Ask meta_get_insights_report_status until it is done, then meta_get_insights_report. Reports with reach and breakdowns are limited to about ten a day for an account.",
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "Report on this account.").Opt(),
			tool.ID("campaign_id", "Campaign", "Report on this campaign.").Opt(),
			tool.ID("adset_id", "AdSet", "Report on this ad set.").Opt(),
			tool.ID("ad_id", "Ad", "Report on this ad.").Opt(),
			tool.Enum("level", "account campaign adset ad", "A row for each of these; not above the object.").Is("ad"),
		}, insightArgs),
		OneOf: []string{"ad_id adset_id campaign_id ad_account_id"}, Rules: insightRules,
		Category: tool.Execute, Severity: tool.Low, Flow: insightsFlow{Start: true},
		Out: tool.Out{Members: "report_run_id:id"},
		Cases: []tool.Case{
			{Name: "ads by day of last year", Args: `{"ad_account_id":"` + aAccount + `","date_preset":"last_year","time_increment":"1"}`, Asks: []string{"POST /" + aAccount + "/insights level=ad date_preset=last_year time_increment=1"}, Has: []string{"data.report_run_id"}},
			{Name: "two objects", Args: `{"ad_account_id":"` + aAccount + `","ad_id":"` + anAd + `"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_insights_report_status", Title: "Ask how far an ads report is", Set: "insights",
		Does: "Reads how far a report in the background is, in percent, and why it failed if it did.",
		Use:  "After meta_start_insights_report, or when a reading tool answered not_ready. To read the rows use meta_get_insights_report.",
		Note: "Ready when async_status is Job Completed and async_percent_completion 100. Ask every 5 to 60 seconds; a large one takes up to an hour.",
		Args: []tool.Arg{tool.ID("report_run_id", "AdReportRun", "Id of the report.")},
		Steps: []tool.Step{{
			Verb: "GET", On: "AdReportRun", ID: "report_run_id",
			Fields: "id,async_status,async_percent_completion,is_running,date_start,date_stop,error_code,error_subcode,error_message,error_user_title,error_user_msg",
		}},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Cases: []tool.Case{
			{
				Name: "just started", Before: []tool.Prior{{Tool: "meta_start_insights_report", Args: `{"ad_account_id":"` + aAccount + `"}`, Save: "run=report_run_id"}},
				Args: `{"report_run_id":"${run}"}`, Has: []string{"data.async_status=Job Not Started", "data.async_percent_completion=0", "data.is_running=true"},
			},
			{Name: "no such report", Args: `{"report_run_id":"6999999999"}`, Error: "object_not_found"},
			{Name: "no id", Args: `{"report_run_id":"me?fields=access_token"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_insights_report", Title: "Read an ads report", Set: "insights",
		Does: "Reads the rows of a report that was made in the background, a page at a time.",
		Use:  "When meta_get_insights_report_status says the report is done. To ask a new question use meta_start_insights_report.",
		Note: "Answers not_ready with the percentage while the report is made. Readable for about 30 days. Amounts are in the account's major unit.",
		Args: tool.Join([]tool.Arg{tool.ID("report_run_id", "AdReportRun", "Id of the report.")}, tool.Page(500)),
		Flow: reportFlow{}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Out: insightOut("ad_name adset_name campaign_name date_start date_stop impressions clicks spend account_currency"),
		Cases: []tool.Case{
			{
				Name: "too early", Before: []tool.Prior{{Tool: "meta_start_insights_report", Args: `{"ad_account_id":"` + aAccount + `"}`, Save: "run=report_run_id"}},
				Args: `{"report_run_id":"${run}"}`, Error: "not_ready", Says: []string{"Job Not Started", "meta_get_insights_report"},
			},
			{
				Name: "its rows", Before: []tool.Prior{
					{Tool: "meta_start_insights_report", Args: `{"ad_account_id":"` + aAccount + `","level":"campaign"}`, Save: "run=report_run_id"},
					// Waits for a report of its own, so that the clock moves on.
					{Tool: "meta_get_account_insights", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["age"],"date_preset":"this_year"}`},
				},
				Args: `{"report_run_id":"${run}","limit":1}`, Has: []string{"data.0.campaign_id", "data.0.account_currency=GBP"},
			},
			{
				Name: "one that failed", Before: []tool.Prior{
					{Tool: "meta_start_insights_report", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["publisher_platform"],"date_preset":"maximum","time_increment":"1"}`, Save: "run=report_run_id"},
					{Tool: "meta_get_account_insights", Args: `{"ad_account_id":"` + aAccount + `","breakdowns":["age"],"date_preset":"this_year"}`},
				},
				Args: `{"report_run_id":"${run}"}`, Error: "meta_unavailable", Says: []string{"report"},
			},
			{Name: "no such report", Args: `{"report_run_id":"6999999999"}`, Error: "object_not_found"},
		},
	},
}
