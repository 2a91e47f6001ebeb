package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// Custom, lookalike and saved audiences. Their members are in audience_members.go.

const audienceFields = "id,name,description,subtype,approximate_count_lower_bound,approximate_count_upper_bound,time_created," +
	"time_content_updated,retention_days,customer_file_source,delivery_status{code,description},operation_status{code,description}"

func audience(doc string) tool.Arg { return tool.ID("audience_id", "CustomAudience", doc) }

const audienceNote = "Size bounds of -1 are not ready; small audiences show as 1000. operation_status 200 is normal, 441 still being filled, 471 blocked by Meta's policy."

var audienceTools = slices.Concat(customAudienceTools, memberTools, savedAudienceTools)

var customAudienceTools = []*tool.Tool{
	{
		Name: "meta_list_custom_audiences", Title: "List custom audiences", Set: "audiences.read", Core: true,
		Does:     "Lists the custom and lookalike audiences of an ad account with size bounds and state.",
		Use:      "To find an audience for targeting or for adding members. Saved targeting is in meta_list_saved_audiences.",
		Note:     audienceNote,
		Args:     tool.Join([]tool.Arg{account("Ad account."), pixel("Only audiences made from this dataset.").Opt()}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "customaudiences", Fields: audienceFields}},
		Out:   tool.Out{Columns: []string{"id", "name", "subtype", "approximate_count_lower_bound", "approximate_count_upper_bound"}},
		Cases: []tool.Case{
			{
				Name: "the samples", Args: `{"ad_account_id":"3000000000000001"}`, Asks: []string{"GET /act_3000000000000001/customaudiences limit=25"},
				Has: []string{"data.0.id", "data.0.operation_status.code"}, Shows: []string{"Newsletter"},
			},
			{Name: "limit too high", Args: `{"ad_account_id":"3000000000000001","limit":500}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_custom_audience", Title: "Read a custom audience", Set: "audiences.read",
		Does: "Reads one custom or lookalike audience: size bounds, state, rule, source and lookalikes.",
		Use:  "After adding members, or to see whether an audience can be used. For the course of an upload use meta_list_audience_uploads.",
		Note: audienceNote,
		Args: []tool.Arg{audience("Audience.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "CustomAudience", ID: "audience_id",
			Fields: audienceFields + ",rule,pixel_id,lookalike_spec,lookalike_audience_ids,is_value_based,time_updated",
		}},
		Out: tool.Out{Heading: "{name}"},
		Cases: []tool.Case{
			{
				Name: "the newsletter", Args: `{"audience_id":"3900000000000001"}`, Asks: []string{"GET /3900000000000001"},
				Has: []string{"data.name=Newsletter", "data.approximate_count_lower_bound", "data.operation_status.code=200"},
			},
			{Name: "unknown audience", Args: `{"audience_id":"3999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_custom_audience", Title: "Create a custom audience", Set: "audiences.write",
		Does: "Creates a custom audience: an empty customer list, or one that a rule fills from a dataset, app, Page or video.",
		Use:  "A list (subtype CUSTOM) is filled with meta_add_audience_members. For people who resemble an audience use meta_create_lookalike_audience.",
		Note: "Customer lists need customer_file_source, the others rule. The ad account must have accepted the terms for custom audiences.",
		Args: []tool.Arg{
			account("Ad account."), tool.Text("name", "Name.").Req().Min(1).Max(200),
			tool.Enum("subtype", "CUSTOM ENGAGEMENT VIDEO WEBSITE APP", "Kind: CUSTOM is a customer list.").Req(),
			tool.Text("description", "Note for people.").Max(1000),
			tool.Enum("customer_file_source", choices("CustomerFileSource"), "Who collected the customers' data."),
			tool.Int("retention_days", "How long people stay, for rules.").Min(1).Max(180),
			tool.Object("rule", `Who gets in, e.g. {"inclusions":{"operator":"or","rules":[{"event_sources":[{"type":"pixel","id":"…"}],"retention_seconds":2592000,"filter":{"operator":"and","filters":[{"field":"event","operator":"eq","value":"Purchase"}]}}]}}.`),
			tool.Bool("prefill", "Whether people from before its creation get in, for rules."),
			pixel("Dataset of the rule, for older rules that don't name it.").Opt(),
			tool.Bool("is_value_based", "Whether members carry a value, for value-based lookalikes."),
		},
		Rules: []tool.Rule{
			tool.WhenIs("subtype", "CUSTOM", "customer_file_source"), tool.WhenIs("subtype", "ENGAGEMENT|VIDEO|WEBSITE|APP", "rule"),
			tool.Needs("prefill", "rule"),
		},
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "customaudiences"}},
		Cases: []tool.Case{
			{
				Name: "a list", Args: `{"ad_account_id":"act_3000000000000001","name":"Loyalty","subtype":"CUSTOM","customer_file_source":"USER_PROVIDED_ONLY"}`,
				Asks: []string{"POST /act_3000000000000001/customaudiences name=Loyalty subtype=CUSTOM customer_file_source=USER_PROVIDED_ONLY"}, Has: []string{"data.id"},
			},
			{
				Name: "website visitors",
				Args: `{"ad_account_id":"act_3000000000000001","name":"Visitors","subtype":"WEBSITE","retention_days":30,"prefill":true,"rule":{"inclusions":{"operator":"or","rules":[{"event_sources":[{"type":"pixel","id":"1000000000000001"}],"retention_seconds":2592000,"filter":{"operator":"and","filters":[{"field":"event","operator":"eq","value":"PageView"}]}}]}}}`,
				Asks: []string{"POST /act_3000000000000001/customaudiences subtype=WEBSITE retention_days=30 prefill=true"}, Has: []string{"data.id"},
			},
			{
				Name: "website without rule", Args: `{"ad_account_id":"act_3000000000000001","name":"Visitors","subtype":"WEBSITE"}`,
				Error: "argument_invalid", Says: []string{"rule"}, Asks: []string{},
			},
		},
	},
	{
		Name: "meta_create_lookalike_audience", Title: "Create a lookalike audience", Set: "audiences.write",
		Does: "Creates an audience of people in one country who resemble the members of another audience.",
		Use:  "The source needs at least 100 matched people from that country. To reach the source itself, name it in the targeting of meta_create_adset. Sources are in meta_list_custom_audiences.",
		Note: "ratio is the share of the country's people: 0.01 is the most similar 1 %. Filling takes hours.",
		Args: []tool.Arg{
			account("Ad account."), tool.Text("name", "Name.").Req().Min(1).Max(200),
			tool.ID("origin_audience_id", "CustomAudience", "Source audience."),
			tool.Text("country", "Country of the lookalikes.").Req().Like(tool.CountryFormat).To("lookalike_spec.country"),
			tool.Number("ratio", "Share of the country's people, 0.01 to 0.2.").Req().Min(0.01).Max(0.2).To("lookalike_spec.ratio"),
			tool.Enum("type", "similarity reach custom_ratio", "What matters more: likeness, or size.").Is("similarity").To("lookalike_spec.type"),
			tool.Text("description", "Note for people.").Max(1000),
		},
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "customaudiences", Fixed: map[string]string{"subtype": "LOOKALIKE"}}},
		Cases: []tool.Case{
			{
				Name: "one per cent", Args: `{"ad_account_id":"act_3000000000000001","name":"Like newsletter","origin_audience_id":"3900000000000001","country":"GB","ratio":0.01}`,
				Asks: []string{`POST /act_3000000000000001/customaudiences subtype=LOOKALIKE origin_audience_id=3900000000000001 lookalike_spec={"country":"GB","ratio":0.01,"type":"similarity"}`},
				Has:  []string{"data.id"},
			},
			{
				Name: "ratio too high", Args: `{"ad_account_id":"act_3000000000000001","name":"x","origin_audience_id":"3900000000000001","country":"GB","ratio":0.5}`,
				Error: "argument_invalid", Asks: []string{},
			},
			{
				Name: "source too small", Args: `{"ad_account_id":"act_3000000000000001","name":"x","origin_audience_id":"3900000000000003","country":"GB","ratio":0.02}`,
				Error: "meta_refused",
			},
		},
	},
	{
		Name: "meta_update_custom_audience", Title: "Change a custom audience", Set: "audiences.write",
		Does: "Changes name, description, rule or retention of one custom audience.",
		Use:  "Members are changed with meta_add_audience_members and its siblings.",
		Note: "A new rule takes effect over hours. Ads that use the audience go on with it.",
		Args: []tool.Arg{
			audience("Audience."), tool.Text("name", "New name.").Min(1).Max(200), tool.Text("description", "New note.").Max(1000),
			tool.Object("rule", "New rule, whole."), tool.Int("retention_days", "How long people stay.").Min(1).Max(180),
		},
		AnyOf: []string{"name description rule retention_days"}, Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "CustomAudience", ID: "audience_id"}},
		Cases: []tool.Case{
			{Name: "rename", Args: `{"audience_id":"3900000000000001","name":"Readers"}`, Asks: []string{"POST /3900000000000001 name=Readers"}, Has: []string{"data.success=true"}},
			{Name: "nothing to change", Args: `{"audience_id":"3900000000000001"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_custom_audience", Title: "Delete a custom audience", Set: "audiences.write",
		Does: "Deletes one custom or lookalike audience with its members.",
		Use:  "To take single people out use meta_remove_audience_members. Look with meta_get_custom_audience first.",
		Note: "Ads that target it stop reaching these people; its lookalikes can't be refreshed any more.",
		Args: []tool.Arg{audience("Audience.")}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "CustomAudience", ID: "audience_id"}},
		Cases: []tool.Case{
			{Name: "delete", Args: `{"audience_id":"3900000000000001"}`, Asks: []string{"GET /3900000000000001", "DELETE /3900000000000001"}, Has: []string{"data.success=true"}},
			{
				Name: "twice", Before: []tool.Prior{{Tool: "meta_delete_custom_audience", Args: `{"audience_id":"3900000000000001"}`}},
				Args: `{"audience_id":"3900000000000001"}`, Error: "object_not_found",
			},
		},
	},
	{
		Name: "meta_list_audience_uploads", Title: "List uploads of members", Set: "audiences.read",
		Does:     "Lists the upload sessions of a customer list: how far Meta is, and how many rows were taken, matched and invalid.",
		Use:      "After meta_add_audience_members or its siblings, with the session_id of their answer.",
		Args:     tool.Join([]tool.Arg{audience("Audience."), tool.Text("session_id", "Only this session.").Max(20)}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "CustomAudience", ID: "audience_id", Edge: "sessions"}},
		Out:   tool.Out{Columns: []string{"session_id", "stage", "progress", "num_received", "num_matched", "num_invalid_entries"}},
		Cases: []tool.Case{
			{
				Name: "after an upload", Before: []tool.Prior{{
					Tool: "meta_add_audience_members", Args: `{"audience_id":"3900000000000001","members":[{"email":"customer-one@example.com"}]}`, Save: "session=session_id",
				}},
				Args: `{"audience_id":"3900000000000001","session_id":"${session}"}`, Asks: []string{"GET /3900000000000001/sessions"},
				Has: []string{"data.0.num_received=1"},
			},
			{Name: "unknown audience", Args: `{"audience_id":"3999999999999999"}`, Error: "object_not_found"},
		},
	},
}

var savedAudienceTools = []*tool.Tool{
	{
		Name: "meta_list_saved_audiences", Title: "List saved audiences", Set: "audiences.read",
		Does: "Lists the saved audiences of an ad account: targeting kept under a name, with size bounds.",
		Use:  "To reuse a targeting in an ad set. Lists of people are in meta_list_custom_audiences.",
		Note: "They are made and deleted in Ads Manager only.",
		Args: tool.Join([]tool.Arg{account("Ad account.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "saved_audiences",
			Fields: "id,name,description,targeting,approximate_count_lower_bound,approximate_count_upper_bound,run_status",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "approximate_count_lower_bound", "approximate_count_upper_bound"}},
		Cases: []tool.Case{
			{
				Name: "the sample", Args: `{"ad_account_id":"act_3000000000000001"}`, Asks: []string{"GET /act_3000000000000001/saved_audiences"},
				Has: []string{"data.0.targeting.geo_locations", "data.0.approximate_count_lower_bound"},
			},
			{Name: "unknown account", Args: `{"ad_account_id":"act_3999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_saved_audience", Title: "Create a saved audience", Set: "audiences.write",
		Does:     "Says that saved audiences can't be created by API, and what to do instead.",
		Args:     []tool.Arg{account("Ad account."), tool.Text("name", "Name.").Req().Min(1), tool.Object("targeting", "Targeting specification.").Req()},
		Category: tool.Write, Severity: tool.Medium,
		Gone: &tool.Gone{
			Why:     "Meta's API only reads saved audiences, it can't create them",
			Instead: "give the targeting to meta_create_adset directly, or save it in Ads Manager and read it with meta_list_saved_audiences",
		},
		Cases: []tool.Case{
			{
				Name: "never possible", Args: `{"ad_account_id":"act_3000000000000001","name":"Locals","targeting":{"geo_locations":{"countries":["GB"]}}}`,
				Error: "unsupported", Says: []string{"meta_create_adset"}, Asks: []string{},
			},
			{Name: "without targeting", Args: `{"ad_account_id":"act_3000000000000001","name":"Locals"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_saved_audience", Title: "Delete a saved audience", Set: "audiences.write",
		Does: "Says that saved audiences can't be deleted by API, and what to do instead.",
		Args: []tool.Arg{tool.ID("audience_id", "SavedAudience", "Saved audience.")}, Category: tool.Destructive, Severity: tool.High,
		Gone: &tool.Gone{
			Why:     "Meta's API only reads saved audiences, it can't delete them",
			Instead: "delete it in Ads Manager under Audiences; for a custom audience use meta_delete_custom_audience",
		},
		Cases: []tool.Case{
			{Name: "never possible", Args: `{"audience_id":"3910000000000001"}`, Error: "unsupported", Says: []string{"Ads Manager"}, Asks: []string{}},
			{Name: "not an id", Args: `{"audience_id":"a/b"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}
