package graphtool

import (
	"time"

	"sluice/internal/graphtool/tool"
)

// copyArgs are what the copies of all levels take.
func copyArgs() []tool.Arg {
	return []tool.Arg{
		tool.Enum("status_option", "PAUSED INHERITED_FROM_SOURCE ACTIVE", "Status of the copies. Only PAUSED spends nothing.").Is("PAUSED"),
		tool.Text("name_prefix", "Put before the names of the copies.").Max(100).To("rename_options.rename_prefix"),
		tool.Text("name_suffix", "Put behind the names of the copies.").Max(100).To("rename_options.rename_suffix"),
	}
}

func copyTimes() []tool.Arg {
	return []tool.Arg{
		tool.Bool("deep_copy", "Copy what is inside as well: at most three objects in one call."),
		tool.Time("start_time", "Start of the copies, instead of the original's.").Within(justNow, 0),
		tool.Time("end_time", "End of the copies, instead of the original's.").Within(time.Minute, 0),
	}
}

const copyNote = "The copy has the original's budget and spends it in addition once it runs; above the configured ceiling it is refused. More than three objects at once are refused: copy without deep_copy, then level by level."

var adCopyTools = []*tool.Tool{
	{
		Name: "meta_duplicate_campaign", Title: "Duplicate Campaign", Set: "ads.write",
		Does:  "Copy a campaign inside its ad account, alone or with its ad sets and ads.",
		Use:   "Use it to try a variant without touching the original. For one level further down use meta_duplicate_adset or meta_duplicate_ad.",
		Note:  copyNote + " Advantage+ campaigns of the old type can't be copied.",
		Args:  tool.Join([]tool.Arg{tool.ID("campaign_id", "Campaign", "Campaign to copy.")}, copyArgs(), copyTimes()),
		Rules: []tool.Rule{tool.InOrder("start_time", "end_time")}, Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "Campaign", ID: "campaign_id", Edge: "copies"}},
		Out:   tool.Out{Heading: "Copy of campaign {campaign_id}"},
		Cases: []tool.Case{
			{
				Name: "alone, paused", Args: `{"campaign_id":"3100000000000002","name_suffix":" v2"}`,
				Asks: []string{"GET /3100000000000002", "POST /3100000000000002/copies status_option=PAUSED"}, Has: []string{"data.copied_campaign_id"},
			},
			{
				Name: "its budget is above the ceiling", Args: `{"campaign_id":"3100000000000001"}`, Settings: ceiling("*", "GBP", 4999),
				Error: "budget_ceiling", Says: []string{"the original's daily_budget", "50.00"}, Asks: []string{"GET /3100000000000001", "GET /3100000000000001", "GET /3100000000000001", "GET /act_3000000000000001"},
			},
			{Name: "at the ceiling", Args: `{"campaign_id":"3100000000000001"}`, Settings: ceiling("*", "GBP", 5000), Has: []string{"data.copied_campaign_id"}},
			{
				Name: "an ad set inside is above the ceiling", Args: `{"campaign_id":"3100000000000002","deep_copy":true,"status_option":"ACTIVE"}`,
				Settings: ceiling("*", "GBP", 500), Error: "budget_ceiling", Says: []string{"the original's daily_budget"},
			},
			{Name: "too many at once", Args: `{"campaign_id":"3100000000000001","deep_copy":true}`, Error: "too_much_data"},
			{Name: "an Advantage+ campaign of old", Args: `{"campaign_id":"3100000000000004"}`, Error: "meta_refused"},
			{Name: "status of no copy", Args: `{"campaign_id":"3100000000000002","status_option":"ARCHIVED"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_duplicate_adset", Title: "Duplicate Ad Set", Set: "ads.write",
		Does: "Copy an ad set into the same or another campaign, alone or with its ads.",
		Use:  "Use it to try another audience or budget beside the original. For whole campaigns use meta_duplicate_campaign.",
		Note: copyNote,
		Args: tool.Join([]tool.Arg{
			tool.ID("adset_id", "AdSet", "Ad set to copy."),
			tool.ID("campaign_id", "Campaign", "Campaign for the copy; without it, the original's.").Opt(),
		}, copyArgs(), copyTimes()),
		Rules: []tool.Rule{tool.InOrder("start_time", "end_time")}, Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "AdSet", ID: "adset_id", Edge: "copies"}},
		Out:   tool.Out{Heading: "Copy of ad set {adset_id}"},
		Cases: []tool.Case{
			{Name: "with its ad", Args: `{"adset_id":"3200000000000003","deep_copy":true}`, Asks: []string{"GET /3200000000000003", "POST /3200000000000003/copies deep_copy=true status_option=PAUSED"}, Has: []string{"data.copied_adset_id", "data.ad_object_ids.1.copied_id"}},
			{Name: "above the ceiling", Args: `{"adset_id":"3200000000000003"}`, Settings: ceiling("*", "GBP", 500), Error: "budget_ceiling", Says: []string{"the original's"}},
			{Name: "unknown", Args: `{"adset_id":"3299999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_duplicate_ad", Title: "Duplicate Ad", Set: "ads.write",
		Does: "Copy an ad into the same or another ad set, with the same creative.",
		Use:  "Use it to show one ad to several audiences. For a new text or picture make a creative and use meta_create_ad.",
		Note: "The copy goes through review of its own.",
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_id", "Ad", "Ad to copy."),
			tool.ID("adset_id", "AdSet", "Ad set for the copy; without it, the original's.").Opt(),
		}, copyArgs()),
		Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "Ad", ID: "ad_id", Edge: "copies"}},
		Out:   tool.Out{Heading: "Copy of ad {ad_id}"},
		Cases: []tool.Case{
			{Name: "into another ad set", Args: `{"ad_id":"3300000000000001","adset_id":"3200000000000003"}`, Asks: []string{"GET /3300000000000001", "POST /3300000000000001/copies adset_id=3200000000000003 status_option=PAUSED"}, Has: []string{"data.copied_ad_id"}},
			{Name: "a campaign", Args: `{"ad_id":"3100000000000002","status_option":"ACTIVE"}`, Asks: []string{"GET /3100000000000002"}, Error: "object_not_found", Says: []string{"is no Ad"}},
			{Name: "no ad", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

const scheduleFields = "id,ad_object_id,budget_value,budget_value_type,time_start,time_end,recurrence_type"

var adScheduleTools = []*tool.Tool{
	{
		Name: "meta_list_budget_schedules", Title: "List Budget Schedules", Set: "ads.read",
		Does: "List the planned temporary budget raises of a campaign or ad set.",
		Use:  "Use it before adding one with meta_create_budget_schedule, or to find the id that meta_delete_budget_schedule needs.",
		Note: "budget_value is an amount in minor units with ABSOLUTE, and a factor with MULTIPLIER.",
		Args: tool.Join([]tool.Arg{
			tool.ID("campaign_id", "Campaign", "Campaign whose raises to list.").Opt(),
			tool.ID("adset_id", "AdSet", "Ad set whose raises to list.").Opt(),
		}, tool.Page(100)),
		OneOf: []string{"campaign_id adset_id"}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "Campaign|AdSet", ID: "campaign_id|adset_id", Edge: "budget_schedules", Fields: scheduleFields}},
		Out:   tool.Out{Heading: "Budget schedules"},
		Cases: []tool.Case{
			{
				Name:   "after making one",
				Before: []tool.Prior{{Tool: "meta_create_budget_schedule", Args: `{"adset_id":"3200000000000003","raise_amount":1000,"start_time":"${now+86400}","end_time":"${now+172800}"}`, Save: "raise=id"}},
				Args:   `{"adset_id":"3200000000000003"}`, Has: []string{"data.0.id=${raise}", "data.0.budget_value=1000"},
			},
			{Name: "two levels", Args: `{"adset_id":"3200000000000003","campaign_id":"3100000000000002"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_create_budget_schedule", Title: "Create Budget Schedule", Set: "ads.write",
		Does: "Plan a temporary raise of a campaign's or ad set's daily budget, by an amount or a factor.",
		Use:  "Use it for days of high demand; afterwards the budget falls back by itself. For a lasting change use meta_update_campaign or meta_update_adset.",
		Note: "Works on the level that has the daily budget, for at least three hours. Where a ceiling is configured, the budget during the raise has to stay below it.",
		Args: []tool.Arg{
			tool.ID("campaign_id", "Campaign", "Campaign to raise.").Opt(),
			tool.ID("adset_id", "AdSet", "Ad set to raise.").Opt(),
			tool.Int("raise_amount", "Amount that is added to each day, in the minor unit of the account's currency.").Min(1).Max(1e12).Local(),
			tool.Int("multiplier", "Factor from 2 to 8 that the daily budget is multiplied by.").Min(2).Max(8).Local(),
			tool.Time("start_time", "When the raise begins.").Within(time.Minute, 0).Req().To("time_start"),
			tool.Time("end_time", "When it is over.").Within(time.Minute, 0).Req().To("time_end"),
		},
		OneOf: []string{"campaign_id adset_id", "raise_amount multiplier"}, Rules: []tool.Rule{tool.InOrder("start_time", "end_time")},
		Category: tool.Financial, Severity: tool.High,
		Run: raiseBudget,
		Calls: []tool.Call{
			{Verb: "GET", On: "Campaign", Note: "the daily budget, to hold the raised one to the ceiling"}, {Verb: "GET", On: "AdSet", Note: "the same for an ad set"},
			{Verb: "POST", On: "Campaign", Edge: "budget_schedules"}, {Verb: "POST", On: "AdSet", Edge: "budget_schedules"},
		},
		Scopes: []string{"ads_management"},
		Out:    tool.Out{Heading: "Budget schedule", Members: "id:id budget_value:int budget_value_type raised_daily_budget:minor"},
		Cases: []tool.Case{
			{
				Name: "doubled", Args: `{"campaign_id":"3100000000000001","multiplier":2,"start_time":"${now+86400}","end_time":"${now+172800}"}`,
				Asks: []string{"GET /3100000000000001", "POST /3100000000000001/budget_schedules budget_value=2 budget_value_type=MULTIPLIER"},
				Has:  []string{"data.id", "data.raised_daily_budget=10000"},
			},
			{
				Name: "raised above the ceiling", Args: `{"campaign_id":"3100000000000001","multiplier":3,"start_time":"${now+86400}","end_time":"${now+172800}"}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Says: []string{"150.00"},
			},
			{Name: "no raise", Args: `{"campaign_id":"3100000000000001","start_time":"${now+86400}","end_time":"${now+172800}"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_budget_schedule", Title: "Delete Budget Schedule", Set: "ads.write",
		Does:     "Delete a planned or running budget raise; the budget falls back at once.",
		Use:      "Use it to take back meta_create_budget_schedule; find the id with meta_list_budget_schedules.",
		Note:     "Money that was spent during the raise stays spent.",
		Args:     []tool.Arg{tool.ID("schedule_id", "HighDemandPeriod", "Raise to delete.")},
		Category: tool.Destructive, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "HighDemandPeriod", ID: "schedule_id"}},
		Out:   tool.Out{Heading: "Raise {schedule_id} was deleted"},
		Cases: []tool.Case{
			{
				Name:   "one that was made",
				Before: []tool.Prior{{Tool: "meta_create_budget_schedule", Args: `{"adset_id":"3200000000000003","raise_amount":1000,"start_time":"${now+86400}","end_time":"${now+172800}"}`, Save: "raise=id"}},
				Args:   `{"schedule_id":"${raise}"}`, Asks: []string{"GET /${raise}", "DELETE /${raise}"}, Has: []string{"data.success=true"},
			},
			{Name: "unknown", Args: `{"schedule_id":"99"}`, Error: "object_not_found"},
		},
	},
}
