package graphtool

import (
	"time"

	"sluice/internal/graphtool/tool"
)

const (
	ruleFields     = "id,name,status,evaluation_spec,execution_spec"
	ruleFieldsMore = ruleFields + ",schedule_spec,created_time,updated_time,disable_error_code"

	evaluationDoc = `When it acts: {"evaluation_type":"SCHEDULE","filters":[{"field":"entity_type","operator":"EQUAL","value":"AD"},{"field":"time_preset","operator":"EQUAL","value":"LAST_7D"},{"field":"spent","operator":"GREATER_THAN","value":5000}]}. Money is in minor units.`
	executionDoc  = `What it does: {"execution_type":"PAUSE"}; also UNPAUSE, CHANGE_BUDGET, CHANGE_CAMPAIGN_BUDGET, CHANGE_BID, ROTATE, NOTIFICATION, with execution_options.`
	scheduleDoc   = `How often: {"schedule_type":"SEMI_HOURLY"}, DAILY, or CUSTOM with schedule.`
)

// budgetLimit bounds what a rule may do to a budget or bid.
func budgetLimit() tool.Arg {
	return tool.Budget("budget_limit", "any", "The most that a rule which changes budgets or bids may set; it becomes the limit of execution_spec's change_spec.").Local()
}

var ruleTools = []*tool.Tool{
	{
		Name: "meta_list_ad_rules", Title: "List Automated Ad Rules", Set: "ads.read",
		Does: "List the automated rules of an ad account, with conditions and actions.",
		Use:  "Use it when ads or budgets changed without anybody. For schedule and dates of one rule use meta_get_ad_rule.",
		Note: "A rule with status ENABLED acts by itself; HAS_ISSUES means that it has stopped.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose rules to list.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adrules_library", Fields: ruleFields}},
		Out:   tool.Out{Heading: "Rules of {ad_account_id}", Columns: []string{"id", "name", "status", "execution_spec"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.execution_spec.execution_type=PAUSE"}},
			{Name: "no account", Args: `{"ad_account_id":"me"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_rule", Title: "Get Ad Rule Details", Set: "ads.read",
		Does: "Read one automated rule: its conditions, action, schedule and status.",
		Use:  "Read it before changing it with meta_update_ad_rule. What it did is in meta_get_ad_rule_history.",
		Note: "disable_error_code says why Meta switched it off.",
		Args: []tool.Arg{tool.ID("rule_id", "AdRule", "Rule to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdRule", ID: "rule_id", Fields: ruleFieldsMore}},
		Out:   tool.Out{Heading: "Rule {name}"},
		Cases: []tool.Case{
			{Name: "the pausing rule", Args: `{"rule_id":"3600000000000001"}`, Has: []string{"data.status=ENABLED", "data.schedule_spec.schedule_type"}},
			{Name: "unknown", Args: `{"rule_id":"3699999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_ad_rule_history", Title: "Get Ad Rule History", Set: "ads.read",
		Does: "Read what an automated rule did: when it ran, on what, and with which result.",
		Use:  "Use it to explain changes that a rule made. Changes by people are in meta_get_ad_account_activity.",
		Note: "Newest first.",
		Args: tool.Join([]tool.Arg{
			tool.ID("rule_id", "AdRule", "Rule whose runs to read."),
			tool.ID("object_id", "Campaign|AdSet|Ad", "Only runs that touched this campaign, ad set or ad.").Opt(),
			tool.Bool("hide_no_changes", "Leave out runs that changed nothing."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdRule", ID: "rule_id", Edge: "history", Fields: "timestamp,is_manual,exception_code,exception_message,results"}},
		Out:   tool.Out{Heading: "Runs of rule {rule_id}", Columns: []string{"timestamp", "is_manual", "results"}},
		Cases: []tool.Case{
			{Name: "one run", Args: `{"rule_id":"3600000000000001"}`, Asks: []string{"GET /3600000000000001/history"}, Has: []string{"data.0.timestamp", "data.0.results"}},
			{Name: "no rule", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_create_ad_rule", Title: "Create Automated Ad Rule", Set: "ads.write",
		Does: "Create an automated rule that pauses or starts ads, changes budgets or bids, or notifies, when conditions hold.",
		Use:  "For a single change now use the update tools. Change it with meta_update_ad_rule, remove it with meta_delete_ad_rule.",
		Note: "It is created DISABLED unless you say ENABLED: then it acts by itself, again and again, without asking. A rule that raises budgets or bids acts without this server: where a ceiling is configured it needs budget_limit below it.",
		Args: []tool.Arg{
			adAccount("Ad account that the rule watches."),
			tool.Text("name", "Name of the rule.").Min(1).Max(400).Req(),
			tool.Object("evaluation_spec", evaluationDoc).Req(),
			tool.Object("execution_spec", executionDoc).Req(),
			tool.Object("schedule_spec", scheduleDoc),
			tool.Enum("status", "DISABLED ENABLED", "ENABLED lets it act.").Is("DISABLED"),
			budgetLimit(),
		},
		Rules:    []tool.Rule{tool.Needs("evaluation_spec", "evaluation_spec.filters", "evaluation_spec.evaluation_type"), tool.Needs("execution_spec", "execution_spec.execution_type")},
		Check:    ruleLimit,
		Category: tool.Execute, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adrules_library"}},
		Out:   tool.Out{Heading: "Rule {name}"},
		Cases: []tool.Case{
			{
				Name: "switched off", Args: `{"ad_account_id":"act_3000000000000001","name":"Stop","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"GREATER_THAN","value":5000}]},"execution_spec":{"execution_type":"PAUSE"}}`,
				Asks: []string{`POST /act_3000000000000001/adrules_library name=Stop status=DISABLED execution_spec={"execution_type":"PAUSE"}`}, Has: []string{"data.id"},
			},
			{
				Name:     "raising budgets, up to a limit",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","budget_limit":9000,"evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE"}}]}}`,
				Asks:     []string{"GET /act_3000000000000001", `POST /act_3000000000000001/adrules_library execution_spec={"execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"limit":9000,"unit":"PERCENTAGE"}}],"execution_type":"CHANGE_BUDGET"}`},
				Settings: ceiling("*", "GBP", 10000), Has: []string{"data.id"},
			},
			{
				Name:     "raising budgets without limit, below a ceiling",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE"}}]}}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Says: []string{"budget_limit"}, Asks: []string{},
			},
			{
				Name:     "moving budgets about, below a ceiling",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Move","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"REBALANCE_BUDGET"}}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Asks: []string{},
			},
			{
				Name:     "a limit above the ceiling",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","budget_limit":20000,"evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE"}}]}}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling",
			},
			{
				Name:     "a limit in another notation is held to the ceiling all the same",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE","limit":1e9}}]}}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling",
			},
			{
				Name:     "a limit above a ceiling of whole runs",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","budget_limit":20000,"evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE"}}]}}`,
				Settings: func(s *tool.Settings) { s.Ceilings = map[string]tool.Ceiling{"*": {Lifetime: 10000}} }, Error: "budget_ceiling",
			},
			{
				Name:     "a second change without a limit",
				Args:     `{"ad_account_id":"act_3000000000000001","name":"Raise","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"change_budget","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE","limit":100}},{"field":"change_spec","operator":"EQUAL","value":"{\"amount\":900,\"unit\":\"PERCENTAGE\"}"}]}}`,
				Settings: ceiling("*", "GBP", 10000), Error: "budget_ceiling", Asks: []string{},
			},
			{Name: "no action", Args: `{"ad_account_id":"act_3000000000000001","name":"Stop","evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"GREATER_THAN","value":5000}]},"execution_spec":{}}`, Error: "argument_invalid", Says: []string{"execution_type"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_update_ad_rule", Title: "Update Automated Ad Rule", Set: "ads.write",
		Does: "Switch an automated rule on or off, rename it, or replace its conditions, action or schedule.",
		Use:  "Use it to stop a rule without losing it: status DISABLED. To remove it use meta_delete_ad_rule.",
		Note: "Each spec that is given replaces the old one as a whole. ENABLED lets it act by itself.",
		Args: []tool.Arg{
			tool.ID("rule_id", "AdRule", "Rule to change."),
			tool.Text("name", "New name.").Min(1).Max(400),
			tool.Enum("status", "DISABLED ENABLED", "ENABLED lets it act."),
			tool.Object("evaluation_spec", evaluationDoc), tool.Object("execution_spec", executionDoc), tool.Object("schedule_spec", scheduleDoc),
			budgetLimit(),
		},
		Check:    ruleLimit,
		AnyOf:    []string{"name status evaluation_spec execution_spec schedule_spec"},
		Category: tool.Execute, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdRule", ID: "rule_id"}},
		Out:   tool.Out{Heading: "Rule {rule_id} was changed"},
		Cases: []tool.Case{
			{Name: "off", Args: `{"rule_id":"3600000000000001","status":"DISABLED"}`, Asks: []string{"POST /3600000000000001 status=DISABLED"}, Has: []string{"data.success=true"}},
			{Name: "nothing to change", Args: `{"rule_id":"3600000000000001"}`, Error: "argument_invalid", Asks: []string{}},
			{
				Name: "switching on one, its limit at the ceiling",
				Before: []tool.Prior{{Tool: "meta_create_ad_rule", Save: "rule=id",
					Args: `{"ad_account_id":"act_3000000000000001","name":"Raise","budget_limit":20000,"evaluation_spec":{"evaluation_type":"SCHEDULE","filters":[{"field":"spent","operator":"LESS_THAN","value":5000}]},"execution_spec":{"execution_type":"CHANGE_BUDGET","execution_options":[{"field":"change_spec","operator":"EQUAL","value":{"amount":10,"unit":"PERCENTAGE"}}]}}`}},
				Args: `{"rule_id":"${rule}","status":"ENABLED"}`, Settings: func(s *tool.Settings) {
					s.Ceilings = map[string]tool.Ceiling{"act_3000000000000001": {Daily: 20000, Lifetime: 20000}}
				},
				Asks: []string{"GET /${rule}", "GET /${rule}", "GET /act_3000000000000001", "POST /${rule} status=ENABLED"},
			},
			{
				Name: "switching on one that pauses", Args: `{"rule_id":"3600000000000001","status":"ENABLED"}`,
				Settings: ceiling("*", "GBP", 1), Asks: []string{"GET /3600000000000001", "POST /3600000000000001 status=ENABLED"},
			},
			{Name: "a limit that bounds nothing", Args: `{"rule_id":"3600000000000001","name":"Stop","budget_limit":9000}`, Error: "argument_invalid", Says: []string{"execution_spec"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_ad_rule", Title: "Delete Automated Ad Rule", Set: "ads.write",
		Does:     "Delete an automated rule; what it did before stays done.",
		Use:      "To stop it for a while use meta_update_ad_rule with status DISABLED.",
		Note:     "It can't be brought back.",
		Args:     []tool.Arg{tool.ID("rule_id", "AdRule", "Rule to delete.")},
		Category: tool.Destructive, Severity: tool.Medium, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "AdRule", ID: "rule_id"}},
		Out:   tool.Out{Heading: "Rule {rule_id} was deleted"},
		Cases: []tool.Case{
			{Name: "the pausing rule", Args: `{"rule_id":"3600000000000001"}`, Asks: []string{"GET /3600000000000001", "DELETE /3600000000000001"}, Has: []string{"data.success=true"}},
			{Name: "a number", Args: `{"rule_id":3600000000000001}`, Error: "argument_invalid", Says: []string{"text"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_list_ad_labels", Title: "List Ad Labels", Set: "ads.read",
		Does: "List the labels of an ad account that group campaigns, ad sets, ads and creatives.",
		Use:  "Use it before meta_create_ad_label, so that no label exists twice.",
		Note: "A label groups objects for reports; it does not change delivery.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose labels to list.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adlabels", Fields: "id,name,created_time"}},
		Out:   tool.Out{Heading: "Labels of {ad_account_id}"},
		Cases: []tool.Case{
			{Name: "all", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.name"}},
			{Name: "unknown account", Args: `{"ad_account_id":"act_77"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_ad_label", Title: "Create Ad Label", Set: "ads.write",
		Does:     "Create a label in an ad account.",
		Use:      "Look with meta_list_ad_labels first: Meta allows the same name twice.",
		Note:     "The label is empty at first; assigning it to objects is done in Ads Manager.",
		Args:     []tool.Arg{adAccount("Ad account to create it in."), tool.Text("name", "Name of the label.").Min(1).Max(400).Req()},
		Category: tool.Write, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adlabels"}},
		Out:   tool.Out{Heading: "Label {name}"},
		Cases: []tool.Case{
			{Name: "a label", Args: `{"ad_account_id":"act_3000000000000001","name":"Summer"}`, Asks: []string{"POST /act_3000000000000001/adlabels name=Summer"}, Has: []string{"data.id"}},
			{Name: "no name", Args: `{"ad_account_id":"act_3000000000000001","name":""}`, Error: "argument_invalid", Says: []string{"name"}, Asks: []string{}},
		},
	},
}

const studyFields = "id,name,description,type,start_time,end_time,cells{id,name,treatment_percentage},objectives{id,name,type,is_primary,results}"

var studyTools = []*tool.Tool{
	{
		Name: "meta_create_ad_study", Title: "Create A/B Test (Ad Study)", Set: "ads.write",
		Does: "Create a split test or lift study between groups of campaigns or ad sets, on the business that owns the ad account.",
		Use:  "Make the campaigns or ad sets first. Results come from meta_get_ad_study_results, the studies of an account from meta_get_ad_studies.",
		Note: "People are divided between the cells by treatment_percentage (at most 100 in all). LIFT needs to be allowed for the business by Meta. What is tested should not be changed while it runs.",
		Args: []tool.Arg{
			adAccount("Ad account whose business holds the study."),
			tool.Text("name", "Name of the study.").Min(1).Max(255).Req(),
			tool.Text("description", "What is tested.").Max(2000),
			tool.Time("start_time", "When it starts.").Within(justNow, 0).Req(),
			tool.Time("end_time", "When it ends.").Within(time.Minute, 0).Req(),
			tool.Enum("type", "SPLIT_TEST LIFT", "SPLIT_TEST compares the cells; LIFT measures against people who see no ads.").Old("HOLDOUT", "LIFT").Req(),
			tool.List("cells", tool.Object("", "",
				tool.Text("name", "Name of the cell.").Min(1).Req(),
				tool.Number("treatment_percentage", "Share of people, 1 to 100.").Min(1).Max(100).Req(),
				tool.IDs("campaign_ids", "Campaign", "Campaigns of the cell."),
				tool.IDs("adset_ids", "AdSet", "Ad sets of the cell, instead of campaigns."),
			), "The groups to compare.").Min(2).Max(150).Req(),
			tool.List("objectives", tool.Object("", ""), `What a lift study measures: [{"name":"Purchases","type":"CONVERSIONS","is_primary":true,"adspixels":[{"id":"…","event_names":["fb_mobile_purchase"]}]}].`),
			tool.Number("confidence_level", "Certainty that is asked for, in percent.").Min(65).Max(99).Is(95),
		},
		Rules: []tool.Rule{tool.InOrder("start_time", "end_time"), tool.WhenIs("type", "LIFT", "objectives")},
		Check: studyCells, Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{
			{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Name: "account", Fields: "id,business{id}"},
			{Verb: "POST", On: "Business", ID: "$account.business.id", Edge: "ad_studies"},
		},
		Out: tool.Out{Heading: "Study {name}"},
		Cases: []tool.Case{
			{
				Name: "one in both cells", Args: `{"ad_account_id":"act_3000000000000001","name":"S","start_time":"${now+3600}","end_time":"${now+864000}","type":"SPLIT_TEST","cells":[{"name":"A","treatment_percentage":50,"adset_ids":["3200000000000001"]},{"name":"B","treatment_percentage":50,"adset_ids":["3200000000000001"]}]}`,
				Error: "argument_invalid", Says: []string{"cells.1.adset_ids"}, Asks: []string{},
			},
			{
				Name: "two halves", Args: `{"ad_account_id":"act_3000000000000001","name":"Pictures","start_time":"${now+3600}","end_time":"${now+864000}","type":"SPLIT_TEST","cells":[{"name":"A","treatment_percentage":50,"adset_ids":["3200000000000001"]},{"name":"B","treatment_percentage":50,"adset_ids":["3200000000000002"]}]}`,
				Asks: []string{"GET /act_3000000000000001", `POST /2000000000000001/ad_studies type=SPLIT_TEST confidence_level=95 cells=[{"adsets":["3200000000000001"],"name":"A","treatment_percentage":50},{"adsets":["3200000000000002"],"name":"B","treatment_percentage":50}]`},
				Has:  []string{"data.id"},
			},
			{Name: "more than all people", Args: `{"ad_account_id":"act_3000000000000001","name":"P","start_time":"${now+3600}","end_time":"${now+864000}","type":"SPLIT_TEST","cells":[{"name":"A","treatment_percentage":60,"adset_ids":["3200000000000001"]},{"name":"B","treatment_percentage":50,"adset_ids":["3200000000000002"]}]}`, Error: "argument_invalid", Says: []string{"100"}, Asks: []string{}},
			{Name: "holdout without objectives", Args: `{"ad_account_id":"act_3000000000000001","name":"P","start_time":"${now+3600}","end_time":"${now+864000}","type":"HOLDOUT","cells":[{"name":"A","treatment_percentage":60},{"name":"B","treatment_percentage":40}]}`, Error: "argument_invalid", Says: []string{"objectives"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_studies", Title: "List A/B Tests (Ad Studies)", Set: "ads.read",
		Does: "List the split tests and lift studies that an ad account takes part in, with cells and objectives.",
		Use:  "Use it to find a study id. For what came out of one use meta_get_ad_study_results.",
		Note: "Split tests have no objectives: compare the insights of their cells.",
		Args: tool.Join([]tool.Arg{adAccount("Ad account whose studies to list.")}, tool.Page(50)), Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "ad_studies", Fields: studyFields}},
		Out:   tool.Out{Heading: "Studies of {ad_account_id}", Columns: []string{"id", "name", "type", "start_time", "end_time"}},
		Cases: []tool.Case{
			{Name: "one study", Args: `{"ad_account_id":"act_3000000000000001"}`, Has: []string{"data.0.id=3800000000000001", "data.0.cells"}},
			{Name: "limit too large", Args: `{"ad_account_id":"act_3000000000000001","limit":51}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad_study_results", Title: "Get A/B Test Results", Set: "ads.read",
		Does: "Read one ad study: its cells with what is in them, and the results of its objectives.",
		Use:  "For numbers per cell of a split test call meta_get_campaign_insights or meta_get_adset_insights with the ids in the cells. To find studies use meta_get_ad_studies.",
		Note: "Lift results come days after the end; results hold JSON text. Without objectives Meta computes no winner.",
		Args: []tool.Arg{tool.ID("study_id", "AdStudy", "Study to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdStudy", ID: "study_id",
			Fields: "id,name,description,type,start_time,end_time,results_first_available_date," +
				"cells{id,name,treatment_percentage,control_percentage,campaigns{id,name},adsets{id,name}}," +
				"objectives{id,name,type,is_primary,last_updated_results,results}",
		}},
		Out: tool.Out{Heading: "Study {name}"},
		Cases: []tool.Case{
			{Name: "a split test", Args: `{"study_id":"3800000000000001"}`, Has: []string{"data.type=SPLIT_TEST", "data.cells.0.adsets"}},
			{Name: "unknown", Args: `{"study_id":"3899999999999999"}`, Error: "object_not_found"},
		},
	},
}
