package graphtool

import "sluice/internal/graphtool/tool"

const adFields = "id,account_id,campaign_id,adset_id,name,status,effective_status,creative{id,name},created_time,updated_time,preview_shareable_link"

// trackingArgs are what an ad may say of the events it is measured by.
func trackingArgs() []tool.Arg {
	return []tool.Arg{
		tool.List("tracking_specs", tool.Object("", ""), `Events to measure besides the goal, such as [{"action.type":["offsite_conversion"],"fb_pixel":["1000000000000001"]}].`),
		tool.Text("conversion_domain", "Domain where conversions happen, without https:// (example.com).").Max(255),
	}
}

var adItemTools = []*tool.Tool{
	{
		Name: "meta_list_ads", Title: "List Ads", Set: "ads.read", Core: true,
		Does: "List the ads of one ad set, campaign or ad account, with status and creative.",
		Use:  "Use it to find an ad id. For one ad with review feedback use meta_get_ad; for results meta_get_ad_insights.",
		Note: "Give one id; the ad set counts before the campaign, the campaign before the account. effective_status says what happens: an active ad below a paused ad set is ADSET_PAUSED.",
		Args: tool.Join([]tool.Arg{
			tool.ID("adset_id", "AdSet", "Ad set whose ads to list.").Opt(),
			tool.ID("campaign_id", "Campaign", "Campaign whose ads to list.").Opt(),
			adAccount("Ad account whose ads to list.").Opt(), statusFilter(),
		}, tool.Page(100)),
		AnyOf: []string{"adset_id campaign_id ad_account_id"}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{Verb: "GET", On: "AdSet|Campaign|AdAccount", ID: "adset_id|campaign_id|ad_account_id", Edge: "ads", Fields: adFields}},
		Out:   tool.Out{Heading: "Ads", Columns: []string{"id", "name", "effective_status", "adset_id", "creative"}},
		Cases: []tool.Case{
			{Name: "of an ad set", Args: `{"adset_id":"3200000000000001","ad_account_id":"act_3000000000000001"}`, Asks: []string{"GET /3200000000000001/ads"}, Has: []string{"data.0.adset_id=3200000000000001"}},
			{
				Name: "refused in review", Args: `{"ad_account_id":"act_3000000000000001","status_filter":["DISAPPROVED"]}`,
				Asks: []string{`GET /act_3000000000000001/ads effective_status=["DISAPPROVED"]`}, Has: []string{"data.0.id=3300000000000005"},
			},
			{Name: "of nothing", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_ad", Title: "Get Ad Details", Set: "ads.read",
		Does: "Read one ad: status, creative, tracking, review feedback and delivery issues.",
		Use:  "Use it to see why an ad does not run. For its text and picture use meta_get_ad_creative, for how it looks meta_get_ad_preview.",
		Note: "preview_shareable_link shows the ad to whoever has it.",
		Args: []tool.Arg{tool.ID("ad_id", "Ad", "Ad to read.")}, Category: tool.Read, Severity: tool.Low,
		Steps: []tool.Step{{
			Verb: "GET", On: "Ad", ID: "ad_id",
			Fields: adFields + ",tracking_specs,conversion_domain,source_ad_id,ad_review_feedback,failed_delivery_checks," + issueFields,
		}},
		Out: tool.Out{Heading: "Ad {name}"},
		Cases: []tool.Case{
			{
				Name: "a whole new advertisement, paused",
				Before: []tool.Prior{
					{Tool: "meta_create_campaign", Args: `{"ad_account_id":"act_3000000000000001","name":"Winter","objective":"OUTCOME_TRAFFIC","daily_budget":2000}`, Save: "campaign=id"},
					{Tool: "meta_create_adset", Args: `{"ad_account_id":"act_3000000000000001","campaign_id":"${campaign}","name":"All","billing_event":"IMPRESSIONS","optimization_goal":"LINK_CLICKS","targeting":{"geo_locations":{"countries":["GB"]}}}`, Save: "set=id"},
					{Tool: "meta_create_ad_creative", Args: `{"ad_account_id":"act_3000000000000001","name":"Scarf","page_id":"4000000000000001","body":"Warm.","link_url":"https://shop.example.com/","image_url":"https://cdn.example.com/scarf.jpg"}`, Save: "creative=id"},
					{Tool: "meta_create_ad", Args: `{"ad_account_id":"act_3000000000000001","adset_id":"${set}","name":"Scarf","creative_id":"${creative}"}`, Save: "ad=id"},
					{Tool: "meta_update_campaign", Args: `{"campaign_id":"${campaign}","status":"ACTIVE"}`},
				},
				Args: `{"ad_id":"${ad}"}`, Asks: []string{"GET /${ad}"},
				Has: []string{"data.campaign_id=${campaign}", "data.adset_id=${set}", "data.creative.id=${creative}", "data.effective_status=PAUSED"},
			},
			{Name: "refused in review", Args: `{"ad_id":"3300000000000005"}`, Has: []string{"data.effective_status=DISAPPROVED", "data.issues_info.0.error_summary"}},
			{Name: "unknown", Args: `{"ad_id":"3399999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_create_ad", Title: "Create Ad", Set: "ads.write",
		Does: "Create an ad in an ad set from an existing creative.",
		Use:  "Last step of a new advertisement: make the creative first with meta_create_ad_creative. To repeat an ad use meta_duplicate_ad.",
		Note: "Meta reviews it, also while it is paused. An ACTIVE ad spends money as soon as its ad set and campaign are active.",
		Args: tool.Join([]tool.Arg{
			adAccount("Ad account of the ad set."),
			tool.ID("adset_id", "AdSet", "Ad set to put it in."),
			tool.Text("name", "Name, seen only by the team.").Min(1).Max(400).Req(),
			tool.ID("creative_id", "AdCreative", "Creative to show.").To("creative.creative_id"),
			tool.Enum("status", startStatuses, pausedDoc).Is("PAUSED"),
		}, trackingArgs(), dryRun()),
		Rules:    []tool.Rule{tool.Needs("include_recommendations", "validate_only")},
		Category: tool.Financial, Severity: tool.High,
		Steps: []tool.Step{{Verb: "POST", On: "AdAccount", ID: "ad_account_id", Edge: "ads"}},
		Out:   tool.Out{Heading: "Ad {name}"},
		Cases: []tool.Case{
			{
				Name: "paused", Args: `{"ad_account_id":"act_3000000000000001","adset_id":"3200000000000001","name":"Scarf","creative_id":"3400000000000001"}`,
				Asks: []string{`POST /act_3000000000000001/ads adset_id=3200000000000001 name=Scarf creative={"creative_id":"3400000000000001"} status=PAUSED`}, Has: []string{"data.id"},
			},
			{Name: "creative of nobody", Args: `{"ad_account_id":"act_3000000000000001","adset_id":"3200000000000001","name":"Scarf","creative_id":"3499999999999999"}`, Error: "meta_refused"},
			{Name: "no creative", Args: `{"ad_account_id":"act_3000000000000001","adset_id":"3200000000000001","name":"Scarf"}`, Error: "argument_invalid", Says: []string{"creative_id"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_update_ad", Title: "Update Ad", Set: "ads.write",
		Does: "Change an ad's name, status, creative or tracking; what is not given stays.",
		Use:  "Use it to pause or start one ad, or to give it another creative. Budgets and targeting are on its ad set: meta_update_adset.",
		Note: "Another creative sends the ad into review again and resets the reactions under it. ACTIVE spends money if everything above is active.",
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_id", "Ad", "Ad to change."),
			tool.Text("name", "New name.").Min(1).Max(400),
			tool.Enum("status", updateStatuses, "PAUSED stops, ACTIVE starts, ARCHIVED ends it for good."),
			tool.ID("creative_id", "AdCreative", "Creative to show from now on.").Opt().To("creative.creative_id"),
		}, trackingArgs(), dryRun()),
		AnyOf:    []string{"name status creative_id tracking_specs conversion_domain"},
		Rules:    []tool.Rule{tool.Needs("include_recommendations", "validate_only")},
		Category: tool.Financial, Severity: tool.High, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "Ad", ID: "ad_id"}},
		Out:   tool.Out{Heading: "Ad {ad_id} was changed"},
		Cases: []tool.Case{
			{Name: "pause", Args: `{"ad_id":"3300000000000001","status":"PAUSED"}`, Asks: []string{"POST /3300000000000001 status=PAUSED"}, Has: []string{"data.success=true"}},
			{Name: "starting a campaign", Args: `{"ad_id":"3100000000000002","status":"ACTIVE"}`, Asks: []string{"GET /3100000000000002"}, Error: "object_not_found", Says: []string{"is no Ad"}},
			{Name: "another creative", Args: `{"ad_id":"3300000000000001","creative_id":"3400000000000002"}`, Asks: []string{`POST /3300000000000001 creative={"creative_id":"3400000000000002"}`}},
			{Name: "nothing to change", Args: `{"ad_id":"3300000000000001"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_delete_ad", Title: "Delete Ad", Set: "ads.write",
		Does:     "Delete one ad; its creative stays in the account.",
		Use:      "Only when it must go for good. To stop it use meta_update_ad with status PAUSED, to put it away ARCHIVED.",
		Note:     "Delivery stops at once and can't be resumed.",
		Args:     []tool.Arg{tool.ID("ad_id", "Ad", "Ad to delete.")},
		Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "Ad", ID: "ad_id"}},
		Out:   tool.Out{Heading: "Ad {ad_id} was deleted"},
		Cases: []tool.Case{
			{Name: "one ad", Args: `{"ad_id":"3300000000000002"}`, Asks: []string{"GET /3300000000000002", "DELETE /3300000000000002"}, Has: []string{"data.success=true"}},
			{Name: "a campaign", Args: `{"ad_id":"3100000000000001"}`, Asks: []string{"GET /3100000000000001"}, Error: "object_not_found", Says: []string{"is no Ad"}},
			{Name: "path in the id", Args: `{"ad_id":"1/../me"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}
