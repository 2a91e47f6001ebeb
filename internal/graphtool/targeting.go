package graphtool

import (
	"strings"

	"sluice/internal/graphspec"
	"sluice/internal/graphtool/tool"
)

// Targeting: what can be named in a targeting specification, and how many people one reaches.

// choices are the values of an enum of graphspec, as Enum takes them.
func choices(enum string) string {
	values, _ := graphspec.IsEnum(enum)
	return strings.Join(values, " ")
}

const targetingSpecDoc = `Targeting specification, e.g. {"geo_locations":{"countries":["GB"]},"age_min":25,"flexible_spec":[{"interests":[{"id":"6000000000101"}]}]}. geo_locations is needed.`

// searched are the arguments of a search, with its own default for limit.
func searched(what string, limit int) []tool.Arg {
	return []tool.Arg{
		tool.Text("q", what).Req().Min(1).Max(200),
		tool.Int("limit", "How many to return.").Min(1).Max(100).Is(limit),
		tool.Text("after", "Cursor of the next page: next_cursor of the answer before.").Like(tool.CursorFormat).Max(2000),
	}
}

func goal() tool.Arg {
	return tool.Enum("optimization_goal", choices("DeliveryGoal"), "What the ad set would be optimised for.").
		Old("CONVERSIONS", "OFFSITE_CONVERSIONS", "VIDEO_VIEWS", "THRUPLAY", "BRAND_AWARENESS", "AD_RECALL_LIFT")
}

var targetingTools = []*tool.Tool{
	{
		Name: "meta_search_targeting_interests", Title: "Search targeting interests", Set: "ads.read",
		Does: "Finds interests by words and gives their ids for flexible_spec.interests of an ad set.",
		Use:  "For places use meta_search_targeting_geolocations, for jobs and schools meta_search_targeting_demographics; meta_search_targeting_options searches every kind at once.",
		Note: "Audience sizes are bounds over all of Meta, not for your account.",
		Args: searched("Words in an interest's name.", 50), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: graphspec.Root, Edge: "search", Fixed: map[string]string{"type": "adinterest"}}},
		Out: tool.Out{
			Heading: "Interests for “{q}”",
			Columns: []string{"id", "name", "audience_size_lower_bound", "audience_size_upper_bound", "path"},
		},
		Cases: []tool.Case{
			{
				Name: "found", Args: `{"q":"coffee"}`, Asks: []string{"GET /search type=adinterest q=coffee limit=50"},
				Has: []string{"data.0.id=6000000000101", "data.0.name=Coffee", "has_more=false"}, Shows: []string{"Coffee"},
			},
			{Name: "second page", Args: `{"q":"co","limit":1}`, Has: []string{"has_more=true", "next_cursor"}},
			{Name: "no words", Args: `{"q":""}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_search_targeting_geolocations", Title: "Search targeting places", Set: "ads.read",
		Does: "Finds places by name and gives their keys for geo_locations of an ad set.",
		Use:  "For countries alone their two-letter codes are enough. For Pages of shops on a map use meta_search_places.",
		Note: "A key goes into the list of its kind: cities, regions, zips (key GB:EC1A), geo_markets; countries take the country code.",
		Args: append(searched("Name of the place, or its first letters.", 25),
			tool.Enum("type", "country region city zip geo_market electoral_district", "Kind of place.").Is("city").To("location_types").Listed(),
			tool.Text("country_code", "Only places in this country, e.g. GB.").Like(tool.CountryFormat)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: graphspec.Root, Edge: "search", Fixed: map[string]string{"type": "adgeolocation"}}},
		Out:   tool.Out{Heading: "Places for “{q}”", Columns: []string{"key", "name", "type", "region", "country_code"}},
		Cases: []tool.Case{
			{
				Name: "a city", Args: `{"q":"lond"}`, Asks: []string{`GET /search type=adgeolocation location_types=["city"] q=lond limit=25`},
				Has: []string{"data.0.key=2600001", "data.0.country_code=GB"},
			},
			{Name: "a region", Args: `{"q":"bavaria","type":"region"}`, Has: []string{"data.0.type=region"}},
			{Name: "unknown kind", Args: `{"q":"x","type":"village"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_search_targeting_demographics", Title: "Search jobs and education", Set: "ads.read",
		Does: "Finds job titles, employers, schools or fields of study by name and gives their ids for flexible_spec.",
		Use:  "For interests use meta_search_targeting_interests; for life events, income and the like meta_browse_targeting_categories.",
		Note: "An id goes into the list of its kind: work_positions, work_employers, education_schools, education_majors.",
		Args: append(searched("Words in the name.", 25),
			tool.Enum("type", "adworkposition adworkemployer adeducationschool adeducationmajor", "What to search.").Req()),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: graphspec.Root, Edge: "search"}},
		Out:   tool.Out{Columns: []string{"id", "name", "subject_count", "coverage"}},
		Cases: []tool.Case{
			{Name: "job title", Args: `{"q":"barista","type":"adworkposition"}`, Asks: []string{"GET /search type=adworkposition q=barista limit=25"}, Has: []string{"data.0.name=Barista"}},
			{Name: "without type", Args: `{"q":"barista"}`, Error: "argument_invalid", Says: []string{"type"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_browse_targeting_categories", Title: "Browse targeting categories", Set: "ads.read",
		Does: "Lists targeting categories of one class, or all countries or languages that ads can be aimed at.",
		Use:  "To look around without search words. With words use meta_search_targeting_options.",
		Note: "class belongs to type adTargetingCategory; q to adcountry and adlocale. A language's key goes into locales.",
		Args: tool.Join([]tool.Arg{
			tool.Enum("type", "adTargetingCategory adcountry adlocale", "What to list.").Is("adTargetingCategory"),
			tool.Enum("class", choices("TargetingClass"), "Class of categories. Several classes are shown inside demographics."),
			tool.Text("q", "Beginning of the name, for countries and languages.").Max(200),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: graphspec.Root, Edge: "search"}},
		Out:   tool.Out{Columns: []string{"id", "key", "name", "type", "path", "audience_size_lower_bound", "audience_size_upper_bound"}},
		Cases: []tool.Case{
			{Name: "behaviours", Args: `{"class":"behaviors"}`, Asks: []string{"GET /search type=adTargetingCategory class=behaviors"}, Has: []string{"data.0.type=behaviors"}},
			{Name: "languages", Args: `{"type":"adlocale","q":"Eng"}`, Has: []string{"data.0.key=6", "data.0.name=English (US)"}},
			{Name: "unknown class", Args: `{"class":"hobbies"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_search_targeting_options", Title: "Search all targeting options", Set: "ads.read",
		Does: "Searches interests, behaviours and demographics at once, as the ad account may use them.",
		Use:  "When the kind is unknown, or an option must be valid for this account. For interests alone meta_search_targeting_interests needs no account.",
		Note: "type names the list of flexible_spec that an id belongs to.",
		Args: tool.Join([]tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "Ad account that will use them."),
			tool.Text("q", "Words to search for.").Req().Min(1).Max(200),
			tool.Text("limit_type", "Only one kind: interests, behaviors, life_events, work_positions…").Max(60),
			tool.List("regulated_categories", tool.Enum("", "CREDIT EMPLOYMENT FINANCIAL_PRODUCTS_SERVICES HOUSING ISSUES_ELECTIONS_POLITICS NONE ONLINE_GAMBLING_AND_GAMING", ""),
				"Special ad categories of the campaign: options they forbid are left out."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "targetingsearch"}},
		Out:   tool.Out{Columns: []string{"id", "name", "type", "path", "audience_size_lower_bound", "audience_size_upper_bound"}},
		Cases: []tool.Case{
			{
				Name: "every kind", Args: `{"ad_account_id":"act_3000000000000001","q":"barista"}`,
				Asks: []string{"GET /act_3000000000000001/targetingsearch q=barista"}, Has: []string{"data.0.type=work_positions"},
			},
			{Name: "id with a path", Args: `{"ad_account_id":"1/../me","q":"x"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_reach_estimate", Title: "Estimate reach of a targeting", Set: "ads.read",
		Does: "Estimates how many people a targeting specification reaches, as lower and upper bound.",
		Use:  "Before an ad set exists. For one that exists use meta_get_delivery_estimate.",
		Note: "With optimization_goal Meta's delivery estimate is asked instead and answers active people per day and month. Bounds of -1 mean that Meta gives no estimate, not that nobody is reached.",
		Args: []tool.Arg{
			tool.ID("ad_account_id", "AdAccount", "Ad account that would advertise."),
			tool.Object("targeting_spec", targetingSpecDoc).Req(),
			goal(),
			tool.Object("promoted_object", "What is promoted, for goals that need it: {\"page_id\":\"…\"} or {\"pixel_id\":\"…\",\"custom_event_type\":\"PURCHASE\"}."),
		},
		Rules:    []tool.Rule{tool.Needs("promoted_object", "optimization_goal")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{
				Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "delivery_estimate", When: "optimization_goal",
				Takes: []string{"targeting_spec", "optimization_goal", "promoted_object"},
			},
			{Verb: "GET", On: "AdAccount", ID: "ad_account_id", Edge: "reachestimate", When: "!optimization_goal", Takes: []string{"targeting_spec"}},
		},
		Out: tool.Out{
			List: new(bool), Heading: "Estimated audience",
			Members: "estimate_dau:int estimate_mau_lower_bound:int estimate_mau_upper_bound:int",
		},
		Cases: []tool.Case{
			{
				Name: "by place", Args: `{"ad_account_id":"3000000000000001","targeting_spec":{"geo_locations":{"countries":["GB"]}}}`,
				Asks: []string{`GET /act_3000000000000001/reachestimate targeting_spec={"geo_locations":{"countries":["GB"]}}`},
				Has:  []string{"data.users_lower_bound", "data.users_upper_bound", "data.estimate_ready=true"},
			},
			{
				Name: "for a goal", Args: `{"ad_account_id":"act_3000000000000001","targeting_spec":{"geo_locations":{"countries":["GB"]}},"optimization_goal":"VIDEO_VIEWS"}`,
				Asks: []string{"GET /act_3000000000000001/delivery_estimate optimization_goal=THRUPLAY"}, Has: []string{"data.estimate_mau_lower_bound", "notices"},
			},
			{
				Name: "without a place", Args: `{"ad_account_id":"act_3000000000000001","targeting_spec":{"age_min":20}}`,
				Error: "meta_refused", Says: []string{"geo_locations"},
			},
		},
	},
	{
		Name: "meta_get_delivery_estimate", Title: "Estimate delivery of an ad set", Set: "ads.read",
		Does: "Estimates the audience of an existing ad set: people per day, and bounds per month.",
		Use:  "For a targeting that has no ad set yet use meta_get_reach_estimate.",
		Note: "estimate_ready false: Meta is still counting, ask again in some minutes. Bids and outcome curves are no part of it since v26.0.",
		Args: []tool.Arg{tool.ID("adset_id", "AdSet", "Ad set to estimate.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "AdSet", ID: "adset_id", Edge: "delivery_estimate",
			Fields: "estimate_dau,estimate_mau_lower_bound,estimate_mau_upper_bound,estimate_ready",
		}},
		Out: tool.Out{List: new(bool), Heading: "Delivery estimate of ad set {adset_id}"},
		Cases: []tool.Case{
			{
				Name: "of the sample ad set", Args: `{"adset_id":"3200000000000001"}`, Asks: []string{"GET /3200000000000001/delivery_estimate"},
				Has: []string{"data.estimate_dau", "data.estimate_ready=true"},
			},
			{Name: "unknown ad set", Args: `{"adset_id":"3299999999999999"}`, Error: "object_not_found"},
		},
	},
}
