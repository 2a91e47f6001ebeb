package graphtool

import (
	"time"

	"sluice/internal/graphtool/tool"
)

const adSetFields = "id,account_id,campaign_id,name,status,effective_status,daily_budget,lifetime_budget,budget_remaining,bid_amount,bid_strategy," +
	"billing_event,optimization_goal,destination_type,start_time,end_time,created_time,targeting"

const (
	billingEvents = "IMPRESSIONS LINK_CLICKS CLICKS POST_ENGAGEMENT PAGE_LIKES APP_INSTALLS THRUPLAY PURCHASE LISTING_INTERACTION OFFER_CLAIMS NONE"
	adGoals       = "REACH IMPRESSIONS LINK_CLICKS LANDING_PAGE_VIEWS OFFSITE_CONVERSIONS VALUE THRUPLAY AD_RECALL_LIFT POST_ENGAGEMENT PAGE_LIKES " +
		"LEAD_GENERATION QUALITY_LEAD QUALITY_CALL CONVERSATIONS MESSAGING_PURCHASE_CONVERSION MESSAGING_APPOINTMENT_CONVERSION APP_INSTALLS " +
		"APP_INSTALLS_AND_OFFSITE_CONVERSIONS IN_APP_VALUE ENGAGED_USERS ENGAGED_PAGE_VIEWS EVENT_RESPONSES REMINDERS_SET SUBSCRIBERS VISIT_INSTAGRAM_PROFILE " +
		"PROFILE_VISIT PROFILE_AND_PAGE_ENGAGEMENT MEANINGFUL_CALL_ATTEMPT DERIVED_EVENTS"
	adDestinations = "WEBSITE APP MESSENGER WHATSAPP INSTAGRAM_DIRECT INSTAGRAM_PROFILE FACEBOOK FACEBOOK_PAGE ON_AD ON_POST ON_PAGE ON_VIDEO ON_EVENT " +
		"SHOP_AUTOMATIC APPLINKS_AUTOMATIC INSTAGRAM_PROFILE_AND_FACEBOOK_PAGE MESSAGING_MESSENGER_WHATSAPP MESSAGING_INSTAGRAM_DIRECT_MESSENGER " +
		"MESSAGING_INSTAGRAM_DIRECT_WHATSAPP MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP"
	promotedEvents = "PURCHASE LEAD COMPLETE_REGISTRATION ADD_TO_CART INITIATED_CHECKOUT ADD_PAYMENT_INFO ADD_TO_WISHLIST CONTENT_VIEW SEARCH CONTACT " +
		"CUSTOMIZE_PRODUCT DONATE FIND_LOCATION SCHEDULE START_TRIAL SUBMIT_APPLICATION SUBSCRIBE RATE TUTORIAL_COMPLETION LISTING_INTERACTION OTHER"
	targetingDoc = `Who sees the ads, in Meta's syntax: {"geo_locations":{"countries":["GB"]},"age_min":25,"flexible_spec":[{"interests":[{"id":"…"}]}],"custom_audiences":[{"id":"…"}]}. A place or an audience is needed.`
)

// promotedObject is what an ad set's goal is about.
var promotedObject = tool.Object("promoted_object", "What the goal is about: dataset and event for conversions, Page for leads and messages, app for installs, product set for catalog sales.",
	tool.ID("pixel_id", "AdsPixel", "Dataset (pixel) that receives the event.").Opt(),
	tool.Enum("custom_event_type", promotedEvents, "Event to optimize for; with OTHER name it in custom_event_str."),
	tool.Text("custom_event_str", "Name of an event of your own."),
	tool.ID("custom_conversion_id", "CustomConversion", "Custom conversion instead of an event.").Opt(),
	tool.ID("page_id", "Page", "Page of lead forms, likes or messages.").Opt(),
	tool.ID("application_id", "Application", "App to promote.").Opt(),
	tool.URL("object_store_url", "Store page of the app."),
	tool.ID("product_set_id", "ProductSet", "Product set of catalog ads.").Opt(),
	tool.ID("product_catalog_id", "ProductCatalog", "Catalog.").Opt(),
	tool.ID("offline_conversion_data_set_id", "AdsPixel", "Dataset of offline events.").Opt(),
	tool.ID("event_id", "", "Facebook event to promote.").Opt().Like(tool.PlainFormat),
	tool.Text("whatsapp_phone_number", "WhatsApp number of message ads."),
	tool.Text("pixel_rule", "Rule on the dataset's events, as JSON text."),
)

// adSetShared are what a new ad set and a change of one have in common.
func adSetShared() []tool.Arg {
	return []tool.Arg{
		tool.Budget("bid_amount", "bid", "Bid cap or cost goal per result, as bid_strategy says."),
		tool.Enum("bid_strategy", bidStrategies, "How Meta bids; with a campaign budget it is the campaign's."),
		tool.Object("bid_constraints", "Least return on ad spend for LOWEST_COST_WITH_MIN_ROAS.",
			tool.Int("roas_average_floor", "Times 10000: 20000 is 2.0.").Min(100).Req()),
		tool.Time("end_time", "When it ends; needed with a lifetime budget.").Within(time.Minute, 0),
		tool.Int("advantage_audience", "1 lets Meta reach beyond the targeting (Advantage+ audience), 0 keeps to it.").Min(0).Max(1).
			To("targeting.targeting_automation.advantage_audience"),
		tool.List("placement_soft_opt_out", tool.Text("", "").Max(80),
			"Placements that may get only little of the budget, as platform:position, such as facebook:marketplace or instagram:story."),
		tool.Text("dsa_beneficiary", "Who benefits from the ads; needed where EU countries are targeted, unless the account has a default.").Max(512),
		tool.Text("dsa_payor", "Who pays for the ads; as dsa_beneficiary.").Max(512),
	}
}

var adSetTools = []*tool.Tool{
	{
		Name: "meta_list_adsets", Title: "List Ad Sets", Set: "ads.read", Core: true,
		Does: "List the ad sets of one campaign or of a whole ad account, with status, budget, schedule, goal and targeting.",
		Use:  "Use it to find an ad set id. For all settings of one use meta_get_adset; for results meta_get_adset_insights.",
		Note: "Give campaign_id or ad_account_id; with both the campaign counts. " + moneyNote,
		Args: tool.Join([]tool.Arg{
			tool.ID("campaign_id", "Campaign", "Campaign whose ad sets to list.").Opt(),
			adAccount("Ad account whose ad sets to list.").Opt(), statusFilter(),
		}, tool.Page(100)),
		AnyOf: []string{"campaign_id ad_account_id"}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "Campaign|AdAccount", ID: "campaign_id|ad_account_id", Edge: "adsets", Fields: adSetFields}},
		Out:   tool.Out{Heading: "Ad sets", Columns: []string{"id", "name", "effective_status", "optimization_goal", "daily_budget", "lifetime_budget"}},
		Cases: []tool.Case{
			{Name: "of a campaign", Args: `{"campaign_id":"3100000000000001"}`, Asks: []string{"GET /3100000000000001/adsets"}, Has: []string{"data.0.campaign_id=3100000000000001"}},
			{Name: "of the account", Args: `{"ad_account_id":"act_3000000000000001","limit":2}`, Asks: []string{"GET /act_3000000000000001/adsets limit=2"}, Has: []string{"has_more=true"}},
			{Name: "of nothing", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_adset", Title: "Get Ad Set Details", Set: "ads.read",
		Does: "Read one ad set: budget, bid, goal, targeting, schedule, learning phase and delivery issues.",
		Use:  "Read it before changing the ad set. To find the id use meta_list_adsets.",
		Note: moneyNote + " learning_stage_info.status LEARNING means that results still vary; changes start it again.",
		Args: []tool.Arg{tool.ID("adset_id", "AdSet", "Ad set to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdSet", ID: "adset_id",
			Fields: adSetFields + ",updated_time,promoted_object,attribution_spec,bid_constraints,placement_soft_opt_out,dsa_beneficiary,dsa_payor," +
				"is_dynamic_creative,learning_stage_info{status,conversions,last_sig_edit_ts}," + issueFields,
		}},
		Out: tool.Out{Heading: "Ad set {name}"},
		Cases: []tool.Case{
			{Name: "visitors", Args: `{"adset_id":"3200000000000001"}`, Has: []string{"data.optimization_goal=OFFSITE_CONVERSIONS", "data.learning_stage_info.status=SUCCESS"}},
			{Name: "unknown", Args: `{"adset_id":"3299999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_adset", Title: "Create Ad Set", Set: "ads.write", Core: true,
		Does: "Create an ad set in a campaign: budget, schedule, optimization goal, what it promotes and who sees it.",
		Use:  "After meta_create_campaign and before meta_create_ad. Find targeting ids with meta_search_targeting_interests and meta_search_targeting_geolocations. To repeat one use meta_duplicate_adset.",
		Note: "Give a budget only if the campaign has none. The goal has to fit the campaign's objective, and promoted_object the goal. " +
			"advantage_audience is sent as 0 unless you say 1. EU countries need dsa_beneficiary and dsa_payor. Above the configured ceiling the call is refused.",
		Args: tool.Join(
			[]tool.Arg{
				adAccount("Ad account of the campaign."),
				tool.ID("campaign_id", "Campaign", "Campaign to put it in."),
				tool.Text("name", "Name, seen only by the team.").Min(1).Max(400).Req(),
			},
			budgets(" Leave both out where the campaign has the budget."),
			[]tool.Arg{
				tool.Enum("billing_event", billingEvents, "What is paid for; IMPRESSIONS fits every goal.").Old("VIDEO_VIEWS", "THRUPLAY").Req(),
				tool.Enum("optimization_goal", adGoals, "What Meta looks for.").
					Old("CONVERSIONS", "OFFSITE_CONVERSIONS", "VIDEO_VIEWS", "THRUPLAY", "BRAND_AWARENESS", "AD_RECALL_LIFT").Req(),
				tool.Object("targeting", targetingDoc).Req(),
				promotedObject,
				tool.Enum("destination_type", adDestinations, "Where people are led."),
				tool.Time("start_time", "When it starts; without it, once it is active.").Within(justNow, 0),
				tool.Enum("status", startStatuses, pausedDoc).Is("PAUSED"),
				tool.Bool("is_dynamic_creative", "Whether its one ad mixes parts of an asset feed."),
				tool.List("attribution_spec", tool.Object("", "",
					tool.Enum("event_type", "CLICK_THROUGH VIEW_THROUGH ENGAGED_VIDEO_VIEW", "What counts.").Req(),
					tool.Int("window_days", "1 or 7 days for clicks, 1 for the rest.").Min(1).Max(7).Req()), "Which clicks and views results are credited to."),
			},
			adSetShared(), dryRun(),
		),
		Rules: []tool.Rule{
			tool.AtMostOne("daily_budget", "lifetime_budget"), tool.Needs("lifetime_budget", "end_time"), tool.InOrder("start_time", "end_time"),
			tool.WhenIs("bid_strategy", "LOWEST_COST_WITH_BID_CAP|COST_CAP", "bid_amount"),
			tool.WhenIs("bid_strategy", "LOWEST_COST_WITH_MIN_ROAS", "bid_constraints"),
			tool.WhenIs("optimization_goal", "OFFSITE_CONVERSIONS|VALUE",
				"promoted_object.pixel_id|promoted_object.custom_conversion_id|promoted_object.product_set_id|promoted_object.offline_conversion_data_set_id|promoted_object.application_id"),
			tool.WhenIs("optimization_goal", "LEAD_GENERATION|QUALITY_LEAD|PAGE_LIKES|CONVERSATIONS|QUALITY_CALL|MESSAGING_PURCHASE_CONVERSION|MESSAGING_APPOINTMENT_CONVERSION", "promoted_object.page_id"),
			tool.WhenIs("optimization_goal", "APP_INSTALLS|IN_APP_VALUE|APP_INSTALLS_AND_OFFSITE_CONVERSIONS", "promoted_object.application_id", "promoted_object.object_store_url"),
			tool.Needs("promoted_object.custom_event_type", "promoted_object.pixel_id|promoted_object.application_id|promoted_object.product_set_id|promoted_object.offline_conversion_data_set_id"),
			tool.Needs("include_recommendations", "validate_only"),
			tool.DefaultUnless("targeting.targeting_automation.advantage_audience", 0, "advantage_audience"),
		},
		Check:    softOptOut,
		Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adsets"}},
		Out:   tool.Out{Heading: "Ad set {name}"},
		Cases: adSetCases,
	},
	{
		Name: "meta_update_adset", Title: "Update Ad Set", Set: "ads.write",
		Does: "Change an ad set's name, status, budget, bid, end, targeting or placement opt-outs; what is not given stays.",
		Use:  "Use it to pause, start or re-budget one ad set. Where the campaign has the budget use meta_update_campaign; to end it for good set status ARCHIVED rather than meta_delete_adset.",
		Note: "targeting replaces the whole targeting: read it first and send all of it. Changes of budget, bid or targeting can restart the learning phase. A budget above the configured ceiling is refused.",
		Args: tool.Join(
			[]tool.Arg{
				tool.ID("adset_id", "AdSet", "Ad set to change."),
				tool.Text("name", "New name.").Min(1).Max(400),
				tool.Enum("status", updateStatuses, "PAUSED stops, ACTIVE starts, ARCHIVED ends it for good."),
			},
			budgets(""),
			[]tool.Arg{
				tool.Time("start_time", "New start, while it has not begun.").Within(justNow, 0),
				tool.Object("targeting", targetingDoc),
				tool.Enum("optimization_goal", adGoals, "New goal; it has to fit the campaign's objective.").
					Old("CONVERSIONS", "OFFSITE_CONVERSIONS", "VIDEO_VIEWS", "THRUPLAY", "BRAND_AWARENESS", "AD_RECALL_LIFT"),
			},
			adSetShared(), dryRun(),
		),
		AnyOf: []string{"name status daily_budget lifetime_budget start_time end_time targeting optimization_goal bid_amount bid_strategy bid_constraints advantage_audience placement_soft_opt_out dsa_beneficiary dsa_payor"},
		Rules: []tool.Rule{
			tool.AtMostOne("daily_budget", "lifetime_budget"), tool.InOrder("start_time", "end_time"),
			tool.WhenIs("bid_strategy", "LOWEST_COST_WITH_BID_CAP|COST_CAP", "bid_amount"), tool.Needs("include_recommendations", "validate_only"),
			tool.Needs("advantage_audience", "targeting"),
		},
		Check:    softOptOut,
		Category: tool.Financial, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdSet", ID: "adset_id"}},
		Out:   tool.Out{Heading: "Ad set {adset_id} was changed"},
		Cases: []tool.Case{
			{Name: "daily budget", Args: `{"adset_id":"3200000000000003","daily_budget":2500}`, Asks: []string{"POST /3200000000000003 daily_budget=2500"}, Has: []string{"data.success=true"}},
			{
				Name: "placement opt-outs", Args: `{"adset_id":"3200000000000003","placement_soft_opt_out":["facebook:marketplace","instagram:story"]}`,
				Asks: []string{`POST /3200000000000003 placement_soft_opt_out={"facebook_positions":["marketplace"],"instagram_positions":["story"]}`},
			},
			{Name: "budget where the campaign has one", Args: `{"adset_id":"3200000000000001","daily_budget":2500}`, Error: "meta_refused"},
			{Name: "nothing to change", Args: `{"adset_id":"3200000000000003"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "the audience without its targeting", Args: `{"adset_id":"3200000000000003","advantage_audience":1}`, Error: "argument_invalid", Says: []string{"targeting: it is missing"}, Asks: []string{}},
			{Name: "unknown placement", Args: `{"adset_id":"3200000000000003","placement_soft_opt_out":["billboard"]}`, Error: "argument_invalid", Says: []string{"placement_soft_opt_out"}, Asks: []string{}},
			{
				Name:   "above the ceiling with a raise that is planned",
				Before: []tool.Prior{{Tool: "meta_create_budget_schedule", Args: `{"adset_id":"3200000000000003","raise_amount":7000,"start_time":"${now+86400}","end_time":"${now+172800}"}`}},
				Args:   `{"adset_id":"3200000000000003","daily_budget":9000}`, Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Says: []string{"raise", "160.00"},
			},
			{
				Name: "above the ceiling", Args: `{"adset_id":"3200000000000003","daily_budget":99900}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling",
			},
		},
	},
	{
		Name: "meta_delete_adset", Title: "Delete Ad Set", Set: "ads.write",
		Does:     "Delete an ad set together with its ads.",
		Use:      "Only when it must go for good. To stop it use meta_update_adset with status PAUSED, to put it away ARCHIVED.",
		Note:     "Delivery stops at once and can't be resumed.",
		Args:     []tool.Arg{tool.ID("adset_id", "AdSet", "Ad set to delete.")},
		Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "AdSet", ID: "adset_id"}},
		Out:   tool.Out{Heading: "Ad set {adset_id} was deleted"},
		Cases: []tool.Case{
			{Name: "paused one", Args: `{"adset_id":"3200000000000004"}`, Asks: []string{"GET /3200000000000004", "DELETE /3200000000000004"}, Has: []string{"data.success=true"}},
			{Name: "a name for an id", Args: `{"adset_id":"Visitors"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

var adSetCases = []tool.Case{
	{
		Name: "conversions, with its own budget",
		Args: `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000002","name":"Sales","daily_budget":1500,"billing_event":"IMPRESSIONS","optimization_goal":"OFFSITE_CONVERSIONS",` +
			`"promoted_object":{"pixel_id":"1000000000000001","custom_event_type":"LEAD"},"targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Asks: []string{`POST /act_3000000000000001/adsets campaign_id=3100000000000002 status=PAUSED daily_budget=1500 targeting={"geo_locations":{"countries":["GB"]},"targeting_automation":{"advantage_audience":0}}`},
		Has:  []string{"data.id"},
	},
	{
		Name: "values that Meta has dropped",
		Args: `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000003","name":"Film","billing_event":"VIDEO_VIEWS","optimization_goal":"VIDEO_VIEWS",` +
			`"targeting":{"geo_locations":{"countries":["GB"]},"targeting_automation":{"advantage_audience":1}}}`,
		Asks: []string{`POST /act_3000000000000001/adsets billing_event=THRUPLAY optimization_goal=THRUPLAY targeting={"geo_locations":{"countries":["GB"]},"targeting_automation":{"advantage_audience":1}}`},
		Has:  []string{"notices.1"},
	},
	{
		Name:  "goal without what it is about",
		Args:  `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000002","name":"S","daily_budget":1500,"billing_event":"IMPRESSIONS","optimization_goal":"OFFSITE_CONVERSIONS","targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Error: "argument_invalid", Says: []string{"promoted_object.pixel_id"}, Asks: []string{},
	},
	{
		Name:  "bid strategy without bid",
		Args:  `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000002","name":"S","daily_budget":1500,"billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","bid_strategy":"COST_CAP","targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Error: "argument_invalid", Says: []string{"bid_amount"}, Asks: []string{},
	},
	{
		Name:  "end before start",
		Args:  `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000002","name":"S","lifetime_budget":1500,"start_time":"2035-02-01T00:00:00Z","end_time":"2035-01-01T00:00:00Z","billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Error: "argument_invalid", Says: []string{"end_time"}, Asks: []string{},
	},
	{
		Name:  "budget on both levels",
		Args:  `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000001","name":"S","daily_budget":1500,"billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Error: "meta_refused",
	},
	{
		Name:  "a place in the EU, and nobody named",
		Args:  `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000002","name":"S","daily_budget":1500,"billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","targeting":{"geo_locations":{"countries":["DE"]}}}`,
		Error: "meta_refused",
	},
	{
		Name:     "bid above the ceiling",
		Args:     `{"ad_account_id":"act_3000000000000001","campaign_id":"3100000000000001","name":"S","bid_amount":90000,"bid_strategy":"COST_CAP","billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","targeting":{"geo_locations":{"countries":["GB"]}}}`,
		Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Says: []string{"bid_amount"},
	},
}
