package graphtool

import (
	"slices"

	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// Datasets, which Meta called pixels and still does in its addresses, and what they have
// received. Custom conversions and the offline side are in files of their own.

const (
	datasetFields = "id,name,is_consolidated_container,is_unavailable,is_crm,last_fired_time,creation_time"
	datasetAll    = "id,name,is_consolidated_container,is_unavailable,is_crm,is_created_by_business,creation_time,last_fired_time," +
		"owner_business{id,name},data_use_setting,enable_automatic_matching,automatic_matching_fields,first_party_cookie_status,description,code"
)

func pixel(doc string) tool.Arg { return tool.ID("pixel_id", "AdsPixel", doc) }

func account(doc string) tool.Arg { return tool.ID("ad_account_id", "AdAccount", doc) }

var period = []tool.Arg{
	tool.Time("start_time", "Beginning."),
	tool.Time("end_time", "End; now without it."),
}

var datasetTools = slices.Concat(pixelTools, pixelEventTools, conversionTools)

var pixelTools = []*tool.Tool{
	{
		Name: "meta_list_pixels", Title: "List datasets of an ad account", Set: "conversions", Core: true,
		Does: "Lists the datasets (pixels) of an ad account with the time of their last event.",
		Use:  "To find the dataset for sending events. For every dataset of a business use meta_list_datasets.",
		Note: "Store events are only taken by datasets with is_consolidated_container true.",
		Args: tool.Join([]tool.Arg{
			account("Ad account."), tool.Enum("sort_by", choices("DatasetSort"), "Order."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adspixels", Fields: datasetFields}},
		Out:   tool.Out{Columns: []string{"id", "name", "is_consolidated_container", "last_fired_time"}},
		Cases: []tool.Case{
			{
				Name: "both datasets", Args: `{"ad_account_id":"act_3000000000000001"}`, Asks: []string{"GET /act_3000000000000001/adspixels"},
				Has: []string{"data.0.id", "data.1.id"}, Shows: []string{"Sandbox dataset"},
			},
			{Name: "expired token", Args: `{"ad_account_id":"act_3000000000000001"}`, Token: "sandbox-token-expired", Error: "connector_expired"},
			{Name: "not an account id", Args: `{"ad_account_id":"act_x"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_create_pixel", Title: "Create a dataset in an ad account", Set: "conversions",
		Does: "Creates the dataset (pixel) of an ad account that has none.",
		Use:  "An ad account takes one only: look with meta_list_pixels first. For further datasets use meta_create_dataset.",
		Note: "It can't be deleted afterwards, not even in Meta's own screens.",
		Args: []tool.Arg{account("Ad account."), tool.Text("name", "Name.").Req().Min(1).Max(250)}, Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "adspixels"}},
		Cases: []tool.Case{
			{
				Name: "account without one", Args: `{"ad_account_id":"act_3000000000000002","name":"Second shop"}`,
				Asks: []string{"POST /act_3000000000000002/adspixels `name=Second shop`"}, Has: []string{"data.id"},
			},
			{Name: "account has one", Args: `{"ad_account_id":"act_3000000000000001","name":"Another"}`, Error: "done_already"},
			{Name: "empty name", Args: `{"ad_account_id":"act_3000000000000001","name":" "}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_pixel", Title: "Read a dataset", Set: "conversions",
		Does: "Reads one dataset (pixel): its settings, owner, last event and the base code for a website.",
		Use:  "For how many events arrived use meta_get_pixel_stats, for how well they match meta_get_dataset_quality.",
		Args: []tool.Arg{pixel("Dataset.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdsPixel", ID: "pixel_id", Fields: datasetAll}},
		Out:   tool.Out{Heading: "{name}"},
		Cases: []tool.Case{
			{
				Name: "the sample dataset", Args: `{"pixel_id":"1000000000000001"}`, Asks: []string{"GET /1000000000000001"},
				Has: []string{"data.name=Sandbox dataset", "data.owner_business.id=2000000000000001", "data.is_consolidated_container=true"},
			},
			{Name: "unknown dataset", Args: `{"pixel_id":"1999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_update_pixel", Title: "Change settings of a dataset", Set: "conversions",
		Does: "Changes name, cookie, matching or data-use settings of one dataset (pixel).",
		Use:  "Only with the owner's consent: data_use_setting and matching decide what Meta may do with visitors' data; meta_get_pixel shows what is set.",
		Note: "Only what is given changes. automatic_matching_fields replaces the whole list.",
		Args: []tool.Arg{
			pixel("Dataset."), tool.Text("name", "New name.").Min(1).Max(250),
			tool.Enum("first_party_cookie_status", choices("FirstPartyCookieStatus"), "Whether the pixel may set first-party cookies."),
			tool.Bool("enable_automatic_matching", "Whether the pixel collects customer fields from forms."),
			tool.Enums("automatic_matching_fields", choices("MatchingField"), "Customer fields it may collect."),
			tool.Enum("data_use_setting", choices("DataUseSetting"), "What Meta may use the data for.").Old("DATA_USE_SETTING_LDU", "ANALYTICS_ONLY"),
		},
		AnyOf:    []string{"name first_party_cookie_status enable_automatic_matching automatic_matching_fields data_use_setting"},
		Category: tool.Write, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdsPixel", ID: "pixel_id"}},
		Cases: []tool.Case{
			{
				Name: "rename", Args: `{"pixel_id":"1000000000000001","name":"Shop","automatic_matching_fields":["em","ph"]}`,
				Asks: []string{`POST /1000000000000001 name=Shop automatic_matching_fields=["em","ph"]`}, Has: []string{"data.success=true"},
			},
			{
				Name: "old value", Args: `{"pixel_id":"1000000000000001","data_use_setting":"DATA_USE_SETTING_LDU"}`,
				Asks: []string{"POST /1000000000000001 data_use_setting=ANALYTICS_ONLY"}, Has: []string{"notices"},
			},
			{Name: "nothing to change", Args: `{"pixel_id":"1000000000000001"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_pixel", Title: "Delete a dataset", Set: "conversions",
		Does: "Says that a dataset (pixel) can't be deleted, and what to do instead.",
		Args: []tool.Arg{pixel("Dataset.")}, Category: tool.Destructive, Severity: tool.Critical,
		Gone: &tool.Gone{
			Why:     "Meta's API can't delete a dataset (pixel)",
			Instead: "take an ad account's access away with meta_unshare_pixel, or remove the code or the token that sends events to it",
		},
		Cases: []tool.Case{
			{Name: "never possible", Args: `{"pixel_id":"1000000000000001"}`, Error: "unsupported", Says: []string{"meta_unshare_pixel"}, Asks: []string{}},
			{Name: "not an id", Args: `{"pixel_id":"x"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_share_pixel", Title: "Share a dataset with an ad account", Set: "conversions",
		Does: "Gives another ad account the use of a dataset (pixel): its events, audiences and conversions.",
		Use:  "For an agency or a second account of the same business. Undo with meta_unshare_pixel; see who has it with meta_list_pixel_shares.",
		Note: "The account sees and uses the data from then on.",
		Args: []tool.Arg{
			pixel("Dataset."), account("Ad account that gets access.").To("account_id").Digits(),
			tool.ID("business_id", "Business", "Business that the ad account belongs to.").To("business"),
		},
		Category: tool.Write, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "AdsPixel", ID: "pixel_id", Edge: "shared_accounts"}},
		Cases: []tool.Case{
			{
				Name: "second account", Args: `{"pixel_id":"1000000000000001","ad_account_id":"act_3000000000000002","business_id":"2000000000000001"}`,
				Asks: []string{"POST /1000000000000001/shared_accounts account_id=3000000000000002 business=2000000000000001"}, Has: []string{"data.success=true"},
			},
			{
				Name: "unknown account", Args: `{"pixel_id":"1000000000000001","ad_account_id":"act_3999999999999999","business_id":"2000000000000001"}`,
				Error: "meta_refused",
			},
		},
	},
	{
		Name: "meta_unshare_pixel", Title: "Stop sharing a dataset", Set: "conversions",
		Does: "Takes the use of a dataset (pixel) away from one ad account.",
		Use:  "The way back from meta_share_pixel.",
		Note: "Ads of that account lose audiences and conversions that rest on the dataset.",
		Args: []tool.Arg{
			pixel("Dataset."), account("Ad account that loses access.").To("account_id").Digits(),
			tool.ID("business_id", "Business", "Business that the ad account belongs to.").To("business"),
		},
		Category: tool.Destructive, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "AdsPixel", ID: "pixel_id", Edge: "shared_accounts"}},
		Cases: []tool.Case{
			{
				Name: "after sharing",
				Before: []tool.Prior{{
					Tool: "meta_share_pixel", Args: `{"pixel_id":"1000000000000001","ad_account_id":"act_3000000000000002","business_id":"2000000000000001"}`,
				}},
				Args: `{"pixel_id":"1000000000000001","ad_account_id":"act_3000000000000002","business_id":"2000000000000001"}`,
				Asks: []string{"DELETE /1000000000000001/shared_accounts account_id=3000000000000002"}, Has: []string{"data.success=true"},
			},
			{
				Name: "was not shared", Args: `{"pixel_id":"1000000000000001","ad_account_id":"act_3000000000000002","business_id":"2000000000000001"}`,
				Error: "meta_refused",
			},
		},
	},
	{
		Name: "meta_list_pixel_shares", Title: "List ad accounts of a dataset", Set: "conversions",
		Does: "Lists the ad accounts of a business that a dataset (pixel) is shared with.",
		Use:  "Before meta_unshare_pixel, or to see who uses the data.",
		Args: tool.Join([]tool.Arg{
			pixel("Dataset."), tool.ID("business_id", "Business", "Business of the ad accounts.").To("business"),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdsPixel", ID: "pixel_id", Edge: "shared_accounts", Fields: "id,name,account_status,currency"}},
		Cases: []tool.Case{
			{
				Name: "the owner", Args: `{"pixel_id":"1000000000000001","business_id":"2000000000000001"}`,
				Asks: []string{"GET /1000000000000001/shared_accounts business=2000000000000001"}, Has: []string{"data.0.id=act_3000000000000001"},
			},
			{Name: "without business", Args: `{"pixel_id":"1000000000000001"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_list_datasets", Title: "List datasets of a business", Set: "conversions",
		Does: "Lists all datasets of a business, with what they took in and whether they take store events.",
		Use:  "To choose a dataset for the write-back. For those of one ad account use meta_list_pixels.",
		Args: tool.Join([]tool.Arg{
			tool.ID("business_id", "Business", "Business."),
			tool.Text("name_filter", "Only datasets with these words in their name.").Max(200),
			tool.ID("id_filter", "AdsPixel", "Only this dataset.").Opt(),
			tool.Enum("sort_by", choices("DatasetSort"), "Order."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "Business", ID: "business_id", Edge: "ads_dataset",
			Fields: datasetFields + ",valid_entries,matched_entries,duplicate_entries,match_rate_approx",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "is_consolidated_container", "last_fired_time", "match_rate_approx"}},
		Cases: []tool.Case{
			{
				Name: "by name", Args: `{"business_id":"2000000000000001","name_filter":"not consolidated"}`,
				Asks: []string{"GET /2000000000000001/ads_dataset `name_filter=not consolidated`"}, Has: []string{"data.0.id=1000000000000002", "data.0.is_consolidated_container=false"},
			},
			{Name: "unknown business", Args: `{"business_id":"2999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_dataset", Title: "Create a dataset", Set: "conversions",
		Does: "Creates a dataset that belongs to a business, for web, app and store events alike.",
		Use:  "For the first dataset of an ad account meta_create_pixel does too; here a business may have many.",
		Note: "It can't be deleted. The ad account still needs access: meta_share_pixel.",
		Args: []tool.Arg{
			tool.ID("business_id", "Business", "Business that will own it."), tool.Text("name", "Name.").Req().Min(1).Max(250),
			account("Ad account to connect at once.").Opt(), tool.ID("app_id", "Application", "App whose events it takes.").Opt(),
			tool.Bool("is_crm", "Whether it takes lead stages from a CRM."),
		},
		Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Steps: []tool.Step{{Verb: "POST", On: "Business", ID: "business_id", Edge: "ads_dataset"}},
		Cases: []tool.Case{
			{
				Name: "a store dataset", Args: `{"business_id":"2000000000000001","name":"Stores"}`,
				Asks: []string{"POST /2000000000000001/ads_dataset name=Stores"}, Has: []string{"data.id"},
			},
			{Name: "without name", Args: `{"business_id":"2000000000000001"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}

var pixelEventTools = []*tool.Tool{
	{
		Name: "meta_get_pixel_stats", Title: "Count events of a dataset", Set: "conversions",
		Does: "Counts what a dataset (pixel) received, by hour and by one property of the events.",
		Use:  "To see whether events arrive. For how well they match people use meta_get_dataset_quality; for store uploads meta_list_dataset_uploads.",
		Note: "Each row is one hour; its data holds value and count. Without a period Meta chooses the last days.",
		Args: tool.Join([]tool.Arg{
			pixel("Dataset."),
			tool.Enum("aggregation", choices("StatsAggregation"), "Property to count by.").Is("event").Old("device", "device_type"),
			tool.Text("event", "Only events of this name, e.g. Purchase.").Max(100),
			tool.Text("event_source", "Only from one source, e.g. SERVER.").Max(60),
		}, period),
		Rules:    []tool.Rule{tool.InOrder("start_time", "end_time")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdsPixel", ID: "pixel_id", Edge: "stats"}},
		Out:   tool.Out{Heading: "Events by {aggregation}", Columns: []string{"start_time", "data"}},
		Cases: []tool.Case{
			{
				Name: "old value", Args: `{"pixel_id":"1000000000000001","aggregation":"device"}`,
				Asks: []string{"GET /1000000000000001/stats aggregation=device_type"}, Has: []string{"data", "notices"},
			},
			{
				Name: "end before start", Args: `{"pixel_id":"1000000000000001","start_time":"2026-11-20T00:00:00Z","end_time":"2026-11-19T00:00:00Z"}`,
				Error: "argument_invalid", Asks: []string{},
			},
		},
	},
	{
		Name: "meta_get_pixel_events", Title: "Show recent events of a dataset", Set: "conversions",
		Does:  "Shows which events a dataset (pixel) received lately: counts by name and hour.",
		Use:   "To check that an integration sends. For other properties use meta_get_pixel_stats, for match quality meta_get_dataset_quality.",
		Note:  "Single events and test events can be seen in Meta's Events Manager only: the API has no edge for them.",
		Args:  tool.Join([]tool.Arg{pixel("Dataset."), tool.Text("event", "Only events of this name.").Max(100)}, period),
		Rules: []tool.Rule{tool.InOrder("start_time", "end_time")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdsPixel", ID: "pixel_id", Edge: "stats", Fixed: map[string]string{"aggregation": "event_total_counts"}}},
		Out:   tool.Out{Columns: []string{"start_time", "data"}},
		Cases: []tool.Case{
			{Name: "all", Args: `{"pixel_id":"1000000000000001"}`, Asks: []string{"GET /1000000000000001/stats aggregation=event_total_counts"}, Has: []string{"data"}},
			{Name: "unknown dataset", Args: `{"pixel_id":"1999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_dataset_quality", Title: "Read match quality of a dataset", Set: "conversions",
		Does: "Reads how well a dataset's events match people: event match quality (0 to 10), coverage per identifier, freshness and deduplication.",
		Use:  "To find out which customer fields to add. For counts use meta_get_pixel_stats.",
		Note: "Aim at 75 % coverage per identifier. For store events (beta) a composite of 8.5 or more opens omnichannel ads.",
		Args: []tool.Arg{
			tool.ID("dataset_id", "AdsPixel", "Dataset."), tool.Enum("events", "web offline", "Website events, or store events.").Is("web").Local(), tool.Text("agent_name", "Only events that this partner sent (partner_agent).").Max(100),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{
				Verb: "GET", On: graphspec.Root, Edge: "dataset_quality", When: "events=offline", Takes: []string{"dataset_id", "agent_name"},
				Fields: "offline{event_name,composite{score,recommendation},match_key,frequency{score,recommendation},freshness{score,recommendation}}",
			},
			{
				Verb: "GET", On: graphspec.Root, Edge: "dataset_quality", When: "events=web", Takes: []string{"dataset_id", "agent_name"},
				Fields: "web{event_name,event_match_quality{composite_score,match_key_feedback{identifier,coverage{percentage}}},event_coverage," +
					"dedupe_key_feedback,data_freshness{upload_frequency,description},acr,event_potential_aly_acr_increase}",
			},
		},
		Out: tool.Out{Heading: "Quality of dataset {dataset_id}", Members: "offline:list<StoreEventQuality>"},
		Cases: []tool.Case{
			{Name: "no events yet", Args: `{"dataset_id":"1000000000000001"}`, Asks: []string{"GET /dataset_quality dataset_id=1000000000000001"}, Has: []string{"data.web.length=0"}},
			{Name: "store events", Args: `{"dataset_id":"1000000000000001","events":"offline"}`, Asks: []string{"GET /dataset_quality dataset_id=1000000000000001"}, Has: []string{"data.offline.length=0"}},
			{Name: "unknown dataset", Args: `{"dataset_id":"1999999999999999"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_list_dataset_uploads", Title: "List store uploads of a dataset", Set: "conversions",
		Does: "Lists what store events a dataset took in, by upload tag: counts, matches, duplicates and periods.",
		Use:  "To check an offline upload or a write-back run against Meta's own figures. For counts of all events by hour use meta_get_pixel_stats, for match quality meta_get_dataset_quality.",
		Note: "match_rate_approx is in percent; -1 means unknown.",
		Args: tool.Join([]tool.Arg{
			tool.ID("dataset_id", "AdsPixel", "Dataset."), tool.Text("upload_tag", "Only this tag.").Max(250),
			tool.Enum("sort_by", choices("UploadSort"), "Order by."), tool.Enum("order", choices("SortOrder"), "Direction."),
		}, period, tool.Page(100)),
		Rules:    []tool.Rule{tool.InOrder("start_time", "end_time")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdsPixel", ID: "dataset_id", Edge: "offline_event_uploads",
			Fields: "id,upload_tag,valid_entries,matched_entries,duplicate_entries,match_rate_approx,first_upload_time,last_upload_time,event_time_min,event_time_max,event_stats",
		}},
		Out: tool.Out{Columns: []string{"upload_tag", "valid_entries", "matched_entries", "duplicate_entries", "match_rate_approx", "last_upload_time"}},
		Cases: []tool.Case{
			{
				Name: "none yet", Args: `{"dataset_id":"1000000000000001","sort_by":"LAST_UPLOAD_TIME"}`,
				Asks: []string{"GET /1000000000000001/offline_event_uploads sort_by=LAST_UPLOAD_TIME"}, Has: []string{"has_more=false"},
			},
			{Name: "unknown order", Args: `{"dataset_id":"1000000000000001","sort_by":"NAME"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_list_offline_event_sets", Title: "List datasets for store events", Set: "conversions",
		Does: "Lists the datasets of an ad account that store (offline) events can be sent to.",
		Use:  "In place of offline event sets, which became datasets in May 2025. Send with meta_send_offline_event.",
		Note: "Only rows with is_consolidated_container true take store events.",
		Args: tool.Join([]tool.Arg{account("Ad account.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "adspixels",
			Fields: "id,name,description,is_consolidated_container,event_stats,last_fired_time,valid_entries,match_rate_approx",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "is_consolidated_container", "last_fired_time"}},
		Cases: []tool.Case{
			{
				Name: "both datasets", Args: `{"ad_account_id":"act_3000000000000001"}`, Asks: []string{"GET /act_3000000000000001/adspixels"},
				Has: []string{"data.0.is_consolidated_container"},
			},
			{Name: "unknown account", Args: `{"ad_account_id":"act_3999999999999999"}`, Error: "object_not_found"},
		},
	},
}

var conversionTools = []*tool.Tool{
	{
		Name: "meta_list_custom_conversions", Title: "List custom conversions", Set: "conversions",
		Does: "Lists the custom conversions of an ad account with their rules.",
		Use:  "To find one for an ad set's promoted_object, or before meta_create_custom_conversion.",
		Args: tool.Join([]tool.Arg{account("Ad account.")}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "customconversions",
			Fields: "id,name,description,pixel{id,name},custom_event_type,rule,default_conversion_value,is_archived,creation_time,last_fired_time",
		}},
		Out: tool.Out{Columns: []string{"id", "name", "custom_event_type", "rule", "is_archived"}},
		Cases: []tool.Case{
			{
				Name: "the sample", Args: `{"ad_account_id":"act_3000000000000001"}`, Asks: []string{"GET /act_3000000000000001/customconversions"},
				Has: []string{"data.0.name=Order over 50 pounds", "data.0.pixel.id=1000000000000001"},
			},
			{Name: "unknown account", Args: `{"ad_account_id":"act_3999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_custom_conversion", Title: "Create a custom conversion", Set: "conversions",
		Does: "Creates a custom conversion: a rule over a dataset's events that ads can optimise for.",
		Use:  "When a standard event is too wide; meta_list_custom_conversions shows those there are. It counts from its creation on.",
		Note: `rule is JSON text, e.g. {"and":[{"event":{"eq":"Purchase"}},{"url":{"i_contains":"thanks"}}]}. It can't be changed later; only its name, description and value can.`,
		Args: []tool.Arg{
			account("Ad account."), tool.Text("name", "Name.").Req().Min(1).Max(50),
			pixel("Dataset whose events count.").To("event_source_id"),
			tool.Enum("custom_event_type", choices("ConversionEvent"), "Standard event that it counts as.").Req(),
			tool.Text("rule", "Which events count, as JSON text.").Req().Like(tool.JSONFormat),
			tool.Enum("action_source_type", choices("ConversionSource"), "Only events from this source."),
			tool.Number("default_conversion_value", "Value of one conversion in the account currency, where events carry none.").Min(0),
			tool.Text("description", "Note for people.").Max(100),
		},
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "customconversions"}},
		Cases: []tool.Case{
			{
				Name: "by address",
				Args: `{"ad_account_id":"act_3000000000000001","name":"Thanks page","pixel_id":"1000000000000001","custom_event_type":"PURCHASE","rule":"{\"url\":{\"i_contains\":\"thanks\"}}"}`,
				Asks: []string{"POST /act_3000000000000001/customconversions `name=Thanks page` event_source_id=1000000000000001 rule={\"url\":{\"i_contains\":\"thanks\"}}"},
				Has:  []string{"data.id"},
			},
			{
				Name: "rule is no JSON", Args: `{"ad_account_id":"act_3000000000000001","name":"x","pixel_id":"1000000000000001","custom_event_type":"PURCHASE","rule":"url contains thanks"}`,
				Error: "argument_invalid", Says: []string{"rule"}, Asks: []string{},
			},
		},
	},
}
