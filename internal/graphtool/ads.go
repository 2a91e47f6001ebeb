package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// adTools are the ad objects: accounts, campaigns, ad sets and ads.
var adTools = slices.Concat(adAccountTools, campaignTools, adSetTools, adItemTools, adCopyTools, adScheduleTools)

const (
	accountFields = "id,account_id,name,account_status,disable_reason,currency,timezone_name,spend_cap,amount_spent,balance," +
		"business{id,name}"
	issueFields = "issues_info{level,error_code,error_summary,error_message}"

	adStatuses     = "ACTIVE PAUSED ARCHIVED DELETED CAMPAIGN_PAUSED ADSET_PAUSED PENDING_REVIEW DISAPPROVED PREAPPROVED PENDING_BILLING_INFO IN_PROCESS WITH_ISSUES"
	startStatuses  = "ACTIVE PAUSED"
	updateStatuses = "ACTIVE PAUSED ARCHIVED"
	bidStrategies  = "LOWEST_COST_WITHOUT_CAP LOWEST_COST_WITH_BID_CAP COST_CAP LOWEST_COST_WITH_MIN_ROAS"

	pausedDoc = "PAUSED unless you say ACTIVE; ACTIVE spends money as soon as everything above it is active too."
	moneyNote = "Money is in minor units of the account's currency: 5000 is 50.00 GBP but 5000 JPY."
)

// adAccount is the account that a call is about.
func adAccount(doc string) tool.Arg {
	return tool.ID("ad_account_id", "AdAccount", doc)
}

// statusFilter narrows a list of campaigns, ad sets or ads down.
func statusFilter() tool.Arg {
	return tool.Enums("status_filter", adStatuses,
		"Effective statuses to list. Without it archived and deleted ones are left out.").To("effective_status")
}

// dryRun are the arguments of a create or update that has it only checked.
func dryRun() []tool.Arg {
	return []tool.Arg{
		tool.Bool("validate_only", "Only let Meta check the call: nothing is stored, and the answer is success instead of an id.").
			Flag("execution_options", "validate_only"),
		tool.Bool("include_recommendations", "Add Meta's advice on the settings to the check; only together with validate_only.").
			Flag("execution_options", "include_recommendations"),
	}
}

// budgets are the two forms of a budget.
func budgets(more string) []tool.Arg {
	return []tool.Arg{
		tool.Budget("daily_budget", "daily", "Average to spend per day; single days may cost up to 75 % more. Excludes lifetime_budget."+more),
		tool.Budget("lifetime_budget", "lifetime", "The most to spend in all. Excludes daily_budget."+more),
	}
}

var adAccountTools = []*tool.Tool{
	{
		Name: "meta_list_ad_accounts", Title: "List Meta Ad Accounts", Set: "ads.read", Core: true,
		Does: "List the ad accounts that the token's user can reach, with currency, time zone, status and money spent.",
		Use:  "Start here when no ad account id is known. For one account with more detail use meta_get_ad_account; for who has access use meta_get_ad_account_users.",
		Note: "spend_cap, amount_spent and balance are in minor units of currency; spend_cap 0 means no cap. account_status: 1 active, 2 disabled, 3 unsettled, 7 in review, 9 grace period, 101 closed.",
		Args: tool.Page(100), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "User", ID: "me", Edge: "adaccounts", Fields: accountFields}},
		Out:   tool.Out{Heading: "Ad accounts", Columns: []string{"id", "name", "account_status", "currency", "amount_spent"}},
		Cases: []tool.Case{
			{
				Name: "both accounts of the business", Args: `{}`,
				Asks: []string{"GET /me/adaccounts"}, Has: []string{"data.0.id", "data.1.currency"}, Shows: []string{"JPY", "GBP"},
			},
			{Name: "first page", Args: `{"limit":1}`, Has: []string{"has_more=true", "next_cursor"}},
			{Name: "limit too large", Args: `{"limit":500}`, Error: "argument_invalid", Says: []string{"limit"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_account", Title: "Get Ad Account Details", Set: "ads.read",
		Does: "Read one ad account: status, currency, time zone, spending, least daily budget and EU transparency defaults.",
		Use:  "Read it before setting budgets, to know currency and time zone. To find accounts use meta_list_ad_accounts; for performance meta_get_account_insights.",
		Note: "Money is in minor units of currency. default_dsa_beneficiary and default_dsa_payor fill in for EU ad sets that name none.",
		Args: []tool.Arg{adAccount("Ad account to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdAccount", ID: "ad_account_id",
			Fields: accountFields + ",min_daily_budget,timezone_offset_hours_utc,default_dsa_beneficiary,default_dsa_payor,user_tasks,created_time,is_prepay_account",
		}},
		Out: tool.Out{Heading: "Ad account {name}"},
		Cases: []tool.Case{
			{
				Name: "by bare digits", Args: `{"ad_account_id":"3000000000000001"}`,
				Asks: []string{"GET /act_3000000000000001"}, Has: []string{"data.currency=GBP", "data.timezone_name=Europe/London"},
			},
			{Name: "no id", Args: `{"ad_account_id":"act_1/users"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "unknown account", Args: `{"ad_account_id":"act_99"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_ad_account_users", Title: "Get Ad Account Users", Set: "ads.read",
		Does: "List the people and system users who can work in an ad account, with their tasks (MANAGE, ADVERTISE, ANALYZE, DRAFT).",
		Use:  "Use it to see who has access. What those people changed is in meta_get_ad_account_activity.",
		Note: "Meta no longer gives roles or e-mail addresses here, only tasks. Names are personal data.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose users to list.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "users", Fields: "id,name,tasks"}},
		Out:   tool.Out{Heading: "Users of {ad_account_id}"},
		Cases: []tool.Case{
			{Name: "users with tasks", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.tasks", "data.0.name"}},
			{Name: "no access", Args: `{"ad_account_id":"act_12"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_ad_account_activity", Title: "Get Ad Account Activity Log", Set: "ads.read",
		Does: "Read an ad account's change log: who changed which budget, status, bid or targeting, and when.",
		Use:  "Use it to find out why delivery or spend changed. For results use the insights tools; for people with access meta_get_ad_account_users.",
		Note: "Newest first. Without since Meta returns about the last week. extra_data is JSON text with old and new values; budgets in it are minor units.",
		Args: tool.Join([]tool.Arg{
			adAccount("Ad account whose log to read."),
			tool.Time("since", "Oldest change to return."), tool.Time("until", "Newest change to return."),
			tool.Enum("category", "ACCOUNT AD AD_KEYWORDS AD_SET AUDIENCE BID BUDGET CAMPAIGN DATE STATUS TARGETING", "Only changes of this kind."),
			tool.ID("object_id", "Campaign|AdSet|Ad", "Only changes of this campaign, ad set or ad.").Opt().To("oid"),
			tool.ID("user_id", "User", "Only changes made by this user.").Opt().To("uid"),
			tool.Bool("include_children", "With object_id: its ad sets and ads as well.").To("add_children"),
		}, tool.Page(100)),
		Rules:    []tool.Rule{tool.InOrder("since", "until"), tool.Needs("include_children", "object_id")},
		Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "activities",
			Fields: "event_type,event_time,actor_id,actor_name,object_id,object_name,object_type,translated_event_type,extra_data,application_name",
		}},
		Out: tool.Out{Heading: "Changes in {ad_account_id}", Columns: []string{"event_time", "translated_event_type", "object_name", "actor_name", "extra_data"}},
		Cases: []tool.Case{
			{
				Name: "a change is in the log",
				Before: []tool.Prior{{
					Tool: "meta_update_campaign", Args: `{"campaign_id":"3100000000000001","daily_budget":6000}`,
				}},
				Args: `{"ad_account_id":"act_3000000000000001","category":"BUDGET","object_id":"3100000000000001"}`,
				Has:  []string{"data.0.event_type=update_campaign_budget", "data.0.object_id=3100000000000001"},
			},
			{Name: "until before since", Args: `{"ad_account_id":"act_3000000000000001","since":"2026-11-02T00:00:00Z","until":"2026-11-01T00:00:00Z"}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "unknown category", Args: `{"ad_account_id":"act_3000000000000001","category":"BUDGETS"}`, Error: "argument_invalid", Says: []string{"BUDGET"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_minimum_budgets", Title: "Get Minimum Ad Budgets", Set: "ads.read",
		Does: "List the least daily budget per currency that an ad account may set, by kind of billing.",
		Use:  "Check it before creating or lowering a budget. The account's own currency comes from meta_get_ad_account.",
		Note: "Whole numbers in minor units of each currency: billed by impressions, by frequent actions (clicks), by rare ones (conversions), and by video views.",
		Args: []tool.Arg{
			adAccount("Ad account to ask for."),
			tool.Int("bid_amount", "Bid in minor units; the least budgets grow with it.").Min(1),
		},
		Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "minimum_budgets"}},
		Out:   tool.Out{Heading: "Least daily budgets"},
		Cases: []tool.Case{
			{Name: "per currency", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.currency", "data.0.min_daily_budget_imp"}, Shows: []string{"GBP"}},
			{Name: "unknown argument", Args: `{"ad_account_id":"act_3000000000000001","currency":"GBP"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}
