package graphtool

import (
	"time"

	"sluice/internal/graphtool/tool"
)

const (
	campaignFields = "id,account_id,name,objective,status,effective_status,daily_budget,lifetime_budget,budget_remaining,bid_strategy," +
		"special_ad_categories,start_time,stop_time,created_time,updated_time"
	specialCategories = "HOUSING EMPLOYMENT FINANCIAL_PRODUCTS_SERVICES ISSUES_ELECTIONS_POLITICS ONLINE_GAMBLING_AND_GAMING NONE"
	advantageGone     = "Meta ended Advantage+ shopping and app campaigns as a type of their own: they can't be created, copied or changed"
)

// justNow is how far a start may lie in the past, for clocks that differ.
const justNow = -5 * time.Minute

var campaignTools = []*tool.Tool{
	{
		Name: "meta_list_campaigns", Title: "List Campaigns", Set: "ads.read", Core: true,
		Does:     "List the campaigns of an ad account with status, objective and budget.",
		Use:      "Use it to find a campaign id. For all settings of one use meta_get_campaign; for its results meta_get_campaign_insights.",
		Note:     moneyNote + " effective_status says what happens; status is only what was set. A campaign without budget has it on its ad sets.",
		Args:     tool.Join([]tool.Arg{adAccount("Ad account whose campaigns to list."), statusFilter()}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "campaigns", Fields: campaignFields}},
		Out:   tool.Out{Heading: "Campaigns of {ad_account_id}", Columns: []string{"id", "name", "effective_status", "objective", "daily_budget", "lifetime_budget"}},
		Cases: []tool.Case{
			{
				Name: "only active ones", Args: `{"ad_account_id":"act_3000000000000001","status_filter":["ACTIVE"]}`,
				Asks: []string{`GET /act_3000000000000001/campaigns effective_status=["ACTIVE"]`}, Has: []string{"data.0.effective_status=ACTIVE"},
			},
			{Name: "unknown status", Args: `{"ad_account_id":"act_3000000000000001","status_filter":["RUNNING"]}`, Error: "argument_invalid", Says: []string{"status_filter.0"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_campaign", Title: "Get Campaign Details", Set: "ads.read",
		Does: "Read one campaign: status, objective, budget, bid strategy, special categories, delivery issues and Advantage+ state.",
		Use:  "Read it before changing the campaign. To find the id use meta_list_campaigns; its ad sets come from meta_list_adsets.",
		Note: moneyNote,
		Args: []tool.Arg{tool.ID("campaign_id", "Campaign", "Campaign to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "Campaign", ID: "campaign_id",
			Fields: campaignFields + ",spend_cap,buying_type,is_adset_budget_sharing_enabled,special_ad_category_country," +
				"promoted_object,advantage_state_info{advantage_state,advantage_budget_state,advantage_audience_state,advantage_placement_state}," + issueFields,
		}},
		Out: tool.Out{Heading: "Campaign {name}"},
		Cases: []tool.Case{
			{Name: "the autumn sale", Args: `{"campaign_id":"3100000000000001"}`, Asks: []string{"GET /3100000000000001"}, Has: []string{"data.objective=OUTCOME_SALES", "data.daily_budget=5000"}},
			{Name: "unknown", Args: `{"campaign_id":"3199999999999999"}`, Error: "object_not_found"},
			{Name: "query in the id", Args: `{"campaign_id":"3100000000000001?fields=account_id"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_create_campaign", Title: "Create Campaign", Set: "ads.write", Core: true,
		Does: "Create a campaign in an ad account: the objective, and either one budget for all its ad sets or none.",
		Use:  "First step of a new advertisement; then meta_create_adset, meta_create_ad_creative, meta_create_ad. To repeat an existing campaign use meta_duplicate_campaign.",
		Note: "Give a budget here or on each ad set, never both. lifetime_budget needs stop_time. Without a campaign budget is_adset_budget_sharing_enabled is sent as false. " +
			"Above the configured ceiling the call is refused. Try validate_only first.",
		Args: tool.Join(
			[]tool.Arg{
				adAccount("Ad account to create it in."),
				tool.Text("name", "Name, seen only by the team.").Min(1).Max(400).Req(),
				tool.Enum("objective", "OUTCOME_AWARENESS OUTCOME_TRAFFIC OUTCOME_ENGAGEMENT OUTCOME_LEADS OUTCOME_APP_PROMOTION OUTCOME_SALES",
					"What the campaign is for; it decides which optimization goals its ad sets can have.").
					Old("CONVERSIONS", "OUTCOME_SALES", "LINK_CLICKS", "OUTCOME_TRAFFIC", "LEAD_GENERATION", "OUTCOME_LEADS",
						"BRAND_AWARENESS", "OUTCOME_AWARENESS", "REACH", "OUTCOME_AWARENESS", "APP_INSTALLS", "OUTCOME_APP_PROMOTION",
						"POST_ENGAGEMENT", "OUTCOME_ENGAGEMENT", "PAGE_LIKES", "OUTCOME_ENGAGEMENT", "MESSAGES", "OUTCOME_ENGAGEMENT",
						"VIDEO_VIEWS", "OUTCOME_ENGAGEMENT", "PRODUCT_CATALOG_SALES", "OUTCOME_SALES").Req(),
				tool.Enum("status", startStatuses, pausedDoc).Is("PAUSED"),
			},
			budgets(" Shared by all ad sets."),
			[]tool.Arg{
				tool.Time("start_time", "When it starts; without it, once it is active.").Within(justNow, 0),
				tool.Time("stop_time", "When it ends.").Within(time.Minute, 0),
				tool.List("special_ad_categories",
					tool.Enum("", specialCategories, "").Old("CREDIT", "FINANCIAL_PRODUCTS_SERVICES"),
					"Legally restricted subject; it limits targeting. Always sent: an empty list, or NONE, declares that there is none.").Is([]string{}),
				tool.List("special_ad_category_country", tool.Text("", "").Like(tool.CountryFormat), "Countries that a special category holds for, as two letters."),
				tool.Enum("bid_strategy", bidStrategies, "How Meta bids; only with a campaign budget or with shared ad set budgets, else it belongs on the ad sets."),
				tool.Enum("buying_type", "AUCTION RESERVED", "AUCTION unless reach was reserved."),
				tool.Int("spend_cap", "Hard limit of what the campaign may ever spend, in minor units; Meta wants about 100 USD or more.").Min(1),
				tool.Bool("is_adset_budget_sharing_enabled", "Whether ad sets with budgets of their own may share up to 20 % of them; true needs bid_strategy and excludes a campaign budget. Can't be switched on later."),
			},
			dryRun(),
		),
		Rules: []tool.Rule{
			tool.AtMostOne("daily_budget", "lifetime_budget"), tool.Needs("lifetime_budget", "stop_time"),
			tool.InOrder("start_time", "stop_time"), tool.Needs("include_recommendations", "validate_only"),
			tool.Needs("bid_strategy", "daily_budget|lifetime_budget|is_adset_budget_sharing_enabled"),
			tool.Needs("is_adset_budget_sharing_enabled", "bid_strategy"), tool.AtMostOne("is_adset_budget_sharing_enabled", "daily_budget", "lifetime_budget"),
			tool.DefaultUnless("is_adset_budget_sharing_enabled", false, "daily_budget", "lifetime_budget"),
		},
		Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "campaigns"}},
		Out:   tool.Out{Heading: "Campaign {name}"},
		Cases: []tool.Case{
			{
				Name: "paused, without budget", Args: `{"ad_account_id":"3000000000000001","name":"Winter","objective":"OUTCOME_TRAFFIC"}`,
				Asks: []string{"POST /act_3000000000000001/campaigns name=Winter objective=OUTCOME_TRAFFIC status=PAUSED special_ad_categories=[] is_adset_budget_sharing_enabled=false"},
				Has:  []string{"data.id"},
			},
			{
				Name: "only checked", Args: `{"ad_account_id":"act_3000000000000001","name":"Winter","objective":"OUTCOME_SALES","daily_budget":2000,"validate_only":true,"include_recommendations":true}`,
				Asks: []string{`POST /act_3000000000000001/campaigns daily_budget=2000 execution_options=["validate_only","include_recommendations"]`},
				Has:  []string{"data.success=true"},
			},
			{
				Name: "old objective and category", Args: `{"ad_account_id":"act_3000000000000001","name":"Winter","objective":"CONVERSIONS","special_ad_categories":["CREDIT"],"special_ad_category_country":["GB"]}`,
				Asks: []string{`POST /act_3000000000000001/campaigns objective=OUTCOME_SALES special_ad_categories=["FINANCIAL_PRODUCTS_SERVICES"] special_ad_category_country=["GB"]`},
				Has:  []string{"notices.0", "notices.1"},
			},
			{
				Name: "shared ad set budgets", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","is_adset_budget_sharing_enabled":true,"bid_strategy":"LOWEST_COST_WITHOUT_CAP"}`,
				Asks: []string{"POST /act_3000000000000001/campaigns is_adset_budget_sharing_enabled=true bid_strategy=LOWEST_COST_WITHOUT_CAP"}, Has: []string{"data.id"},
			},
			{Name: "shared without bid strategy", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","is_adset_budget_sharing_enabled":true}`, Error: "argument_invalid", Says: []string{"bid_strategy"}, Asks: []string{}},
			{Name: "two budgets", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","daily_budget":2000,"lifetime_budget":9000,"stop_time":"2030-01-01T00:00:00Z"}`, Error: "argument_invalid", Says: []string{"lifetime_budget"}, Asks: []string{}},
			{Name: "lifetime budget without end", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","lifetime_budget":9000}`, Error: "argument_invalid", Says: []string{"stop_time"}, Asks: []string{}},
			{Name: "end in the past", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","stop_time":"2020-01-01T00:00:00Z"}`, Error: "argument_invalid", Says: []string{"stop_time"}, Asks: []string{}},
			{Name: "zero budget", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","daily_budget":0}`, Error: "argument_invalid", Says: []string{"daily_budget"}, Asks: []string{}},
			{Name: "below Meta's minimum", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","daily_budget":10}`, Error: "meta_refused"},
			{
				Name: "above the ceiling", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","daily_budget":5001}`,
				Settings: ceiling("act_3000000000000001", "GBP", 5000), Error: "budget_ceiling", Says: []string{"daily_budget"},
			},
			{
				Name: "at the ceiling", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","daily_budget":5000}`,
				Settings: ceiling("act_3000000000000001", "GBP", 5000), Has: []string{"data.id"},
			},
			{
				Name: "above the ceiling in yen, which have no minor unit", Args: `{"ad_account_id":"act_3000000000000002","name":"W","objective":"OUTCOME_SALES","daily_budget":5001}`,
				Settings: ceiling("act_3000000000000002", "JPY", 5000), Error: "budget_ceiling", Says: []string{"5001", "JPY"},
			},
			{
				Name: "a lifetime budget under a daily ceiling alone", Args: `{"ad_account_id":"act_3000000000000001","name":"W","objective":"OUTCOME_SALES","lifetime_budget":9000,"stop_time":"2030-01-01T00:00:00Z"}`,
				Settings: func(s *tool.Settings) { s.Ceilings = map[string]tool.Ceiling{"*": {Daily: 10000}} }, Error: "budget_ceiling", Says: []string{"lifetime_budget", "names no limit"},
			},
			{
				Name: "ceiling in another currency", Args: `{"ad_account_id":"act_3000000000000002","name":"W","objective":"OUTCOME_SALES","daily_budget":4000}`,
				Settings: ceiling("*", "GBP", 5000), Error: "budget_ceiling", Says: []string{"JPY"},
			},
		},
	},
	{
		Name: "meta_update_campaign", Title: "Update Campaign", Set: "ads.write", Core: true,
		Does: "Change a campaign's name, status, budget, bid strategy, dates or spend cap; what is not given stays.",
		Use:  "Use it to pause, start or re-budget a campaign. For one ad set use meta_update_adset; to get rid of a campaign set status ARCHIVED, which keeps its reports, instead of meta_delete_campaign.",
		Note: "ACTIVE starts everything below that is active itself and spends money. A daily budget can't become a lifetime budget. Above the configured ceiling a budget is refused.",
		Args: tool.Join(
			[]tool.Arg{
				tool.ID("campaign_id", "Campaign", "Campaign to change."),
				tool.Text("name", "New name.").Min(1).Max(400),
				tool.Enum("status", updateStatuses, "PAUSED stops, ACTIVE starts, ARCHIVED ends it for good."),
			},
			budgets(""),
			[]tool.Arg{
				tool.Enum("bid_strategy", bidStrategies, "How Meta bids."),
				tool.Time("start_time", "New start, while it has not begun.").Within(justNow, 0),
				tool.Time("stop_time", "New end.").Within(time.Minute, 0),
				tool.Int("spend_cap", "New hard limit in minor units; 922337203685478 removes it.").Min(1),
				tool.Bool("is_adset_budget_sharing_enabled", "false switches the sharing of ad set budgets off; it can't be switched on."),
				tool.Bool("migrate_to_advantage_plus", "Was: turn it into an Advantage+ campaign.").NoEffect(advantageGone + " since 2026-05-19."),
			},
			dryRun(),
		),
		AnyOf: []string{"name status daily_budget lifetime_budget bid_strategy start_time stop_time spend_cap is_adset_budget_sharing_enabled"},
		Rules: []tool.Rule{
			tool.AtMostOne("daily_budget", "lifetime_budget"), tool.InOrder("start_time", "stop_time"),
			tool.Needs("include_recommendations", "validate_only"),
		},
		Category: tool.Financial, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "Campaign", ID: "campaign_id"}},
		Out:   tool.Out{Heading: "Campaign {campaign_id} was changed"},
		Cases: []tool.Case{
			{
				Name: "only what has no effect any more", Args: `{"campaign_id":"3100000000000001","migrate_to_advantage_plus":true}`,
				Error: "argument_invalid", Says: []string{"Advantage+", "2026-05-19"}, Asks: []string{},
			},
			{
				Name: "pause", Args: `{"campaign_id":"3100000000000001","status":"PAUSED"}`,
				Asks: []string{"POST /3100000000000001 status=PAUSED"}, Has: []string{"data.success=true"},
			},
			{
				Name: "start of one above the ceiling", Args: `{"campaign_id":"3100000000000001","status":"ACTIVE"}`,
				Settings: ceiling("*", "GBP", 4999), Error: "budget_ceiling", Says: []string{"the daily_budget that it has"},
			},
			{Name: "pause of one above the ceiling", Args: `{"campaign_id":"3100000000000001","status":"PAUSED"}`, Settings: ceiling("*", "GBP", 1), Asks: []string{"POST /3100000000000001 status=PAUSED"}},
			{Name: "nothing to change", Args: `{"campaign_id":"3100000000000001"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "only what Meta dropped", Args: `{"campaign_id":"3100000000000001","migrate_to_advantage_plus":true}`, Error: "argument_invalid", Asks: []string{}},
			{
				Name: "above the ceiling of its account", Args: `{"campaign_id":"3100000000000001","daily_budget":20000}`,
				Settings: ceiling("act_3000000000000001", "GBP", 10000), Error: "budget_ceiling", Says: []string{"100.00"},
			},
			{Name: "an Advantage+ campaign of old", Args: `{"campaign_id":"3100000000000004","name":"New"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_delete_campaign", Title: "Delete Campaign", Set: "ads.write",
		Does:     "Delete a campaign together with all its ad sets and ads.",
		Use:      "Only when it must go for good. To stop it use meta_update_campaign with status PAUSED, to put it away ARCHIVED.",
		Note:     "Delivery stops at once and can't be resumed; it disappears from lists, and its reports are found only by id.",
		Args:     []tool.Arg{tool.ID("campaign_id", "Campaign", "Campaign to delete.")},
		Category: tool.Destructive, Severity: tool.Critical, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "Campaign", ID: "campaign_id"}},
		Out:   tool.Out{Heading: "Campaign {campaign_id} was deleted"},
		Cases: []tool.Case{
			{Name: "the brand film", Args: `{"campaign_id":"3100000000000003"}`, Asks: []string{"GET /3100000000000003", "DELETE /3100000000000003"}, Has: []string{"data.success=true"}},
			{Name: "not there", Args: `{"campaign_id":"3199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_migrate_campaign_to_advantage_plus", Title: "Migrate Campaign to Advantage+", Set: "ads.write",
		Does: "Explains what took the place of turning a campaign into an Advantage+ shopping campaign; it makes no request.",
		Args: []tool.Arg{
			tool.ID("campaign_id", "Campaign", "Campaign that was to be turned."),
			adAccount("Its ad account."),
		},
		Category: tool.Financial, Severity: tool.Critical,
		Gone: &tool.Gone{
			Why:     advantageGone,
			Instead: "create a campaign with meta_create_campaign whose settings give the Advantage+ state: a campaign budget, advantage_audience 1 and no narrowed placements; meta_get_campaign shows it in advantage_state_info",
			Since:   "2026-05-19",
		},
		Cases: []tool.Case{
			{Name: "says what to do", Args: `{"campaign_id":"3100000000000001","ad_account_id":"act_3000000000000001"}`, Error: "unsupported", Says: []string{"2026-05-19", "meta_create_campaign"}, Asks: []string{}},
			{Name: "no campaign", Args: `{"ad_account_id":"act_3000000000000001"}`, Error: "argument_invalid", Says: []string{"campaign_id"}, Asks: []string{}},
		},
	},
}

// ceiling is the setting of one account's limit of daily and lifetime budgets.
func ceiling(account, currency string, most int64) func(*tool.Settings) {
	return func(s *tool.Settings) {
		s.Ceilings = map[string]tool.Ceiling{account: {Daily: most, Lifetime: most * 30, Currency: currency}}
	}
}
