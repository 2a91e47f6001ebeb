package graphtool

import (
	"sluice/internal/graphtool/tool"
)

const archiveFields = "id,ad_creation_time,ad_creative_bodies,ad_creative_link_captions,ad_creative_link_descriptions,ad_creative_link_titles," +
	"ad_delivery_start_time,ad_delivery_stop_time,ad_snapshot_url,age_country_gender_reach_breakdown,beneficiary_payers,bylines,currency,delivery_by_region," +
	"demographic_distribution,estimated_audience_size,eu_total_reach,impressions,languages,page_id,page_name,publisher_platforms,spend,target_ages," +
	"target_gender,target_locations"

const tokenMembers = "app_id:id application type is_valid:bool expires_at:unix data_access_expires_at:unix issued_at:unix scopes:list<string> " +
	"granular_scopes:json user_id:id profile_id:id error:map"

var utilityTools = []*tool.Tool{
	{
		Name: "meta_search_ad_library", Title: "Search the Ad Library", Set: "utility",
		Does: "Searches Meta's public Ad Library for ads of any advertiser, by words or by Page.",
		Use:  "To see what others advertise. For the ads of your own account use meta_list_ads.",
		Note: "Commercial ads are found only where they reached the EU or the UK; spend and impressions come as ranges and only for political ads. The app's owner must have confirmed their identity at Meta.",
		Args: tool.Join([]tool.Arg{
			tool.List("ad_reached_countries", tool.Text("", "").Like(tool.CountryFormat), "Countries that the ads reached, such as GB.").Req().Min(1).Max(50),
			tool.Text("search_terms", "Words, all of which must occur; at most 100 letters.").Max(100),
			tool.IDs("search_page_ids", "Page", "Only ads of these Pages.").Max(10),
			tool.Enum("search_type", "KEYWORD_UNORDERED KEYWORD_EXACT_PHRASE", "Whether the words must stand together."),
			tool.Enum("ad_type", "ALL POLITICAL_AND_ISSUE_ADS HOUSING_ADS EMPLOYMENT_ADS FINANCIAL_PRODUCTS_AND_SERVICES_ADS", "Kind of ads.").
				Old("CREDIT_ADS", "FINANCIAL_PRODUCTS_AND_SERVICES_ADS").Is("ALL"),
			tool.Enum("ad_active_status", "ALL ACTIVE INACTIVE", "Whether they run now.").Is("ALL"),
			tool.Date("ad_delivery_date_min", "First shown on this day or later."),
			tool.Date("ad_delivery_date_max", "First shown on this day or earlier."),
			tool.Enum("media_type", "ALL IMAGE MEME VIDEO NONE", "What the ads show."),
			tool.Enums("publisher_platforms", "FACEBOOK INSTAGRAM AUDIENCE_NETWORK MESSENGER WHATSAPP OCULUS THREADS", "Where they ran.").Max(7),
			tool.Strings("languages", "Languages of the text, such as en.").Max(20),
			tool.Strings("bylines", "Payers of political ads, word for word.").Max(10),
		}, tool.Page(100)),
		AnyOf: []string{"search_terms search_page_ids"},
		Steps: []tool.Step{{Verb: "GET", On: "Root", Edge: "ads_archive", Fields: archiveFields}},
		Shape: libraryLinks, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Out: tool.Out{Members: "library_url:url", Drop: []string{"ad_snapshot_url"}, Untrusted: []string{"beneficiary_payers"}, Columns: []string{"page_name", "ad_delivery_start_time", "ad_delivery_stop_time", "library_url"}},
		Cases: []tool.Case{
			{
				Name: "by words", Args: `{"ad_reached_countries":["GB"],"search_terms":"tea"}`,
				Asks: []string{`GET /ads_archive ad_reached_countries=["GB"] search_terms=tea ad_type=ALL ad_active_status=ALL`},
				Has:  []string{"data.0.page_name=Example Tea House", "data.0.library_url", "untrusted_fields"},
			},
			{
				Name: "the former name of a kind", Args: `{"ad_reached_countries":["GB"],"search_terms":"example","ad_type":"CREDIT_ADS"}`,
				Asks: []string{"GET /ads_archive ad_type=FINANCIAL_PRODUCTS_AND_SERVICES_ADS"}, Has: []string{"notices"},
			},
			{Name: "a page of one advertiser", Args: `{"ad_reached_countries":["GB","IE"],"search_page_ids":["4900000000000100"],"limit":3}`, Has: []string{"data.2.page_id=4900000000000100", "has_more=true", "next_cursor"}},
			{Name: "for nothing", Args: `{"ad_reached_countries":["GB"]}`, Error: "argument_invalid", Says: []string{"search_terms"}, Asks: []string{}},
			{Name: "no country", Args: `{"ad_reached_countries":["Britain"],"search_terms":"tea"}`, Error: "argument_invalid", Says: []string{"ad_reached_countries"}, Asks: []string{}},
		},
	},
	{
		Name: "meta_debug_token", Title: "Look at the access token", Set: "utility",
		Does: "Reads what Meta says of the configured access token: whether it is valid, until when, and which permissions it has.",
		Use:  "When a call answers scope_missing or connector_expired. Whether the APIs answer at all is in meta_health_check.",
		Note: "Never shows the token. expires_at 0 means no end; data_access_expires_at is when access to a person's data ends.",
		Args: []tool.Arg{
			tool.Enum("kind", "user page threads", "Which token: the Meta token, that of the Page page_id, or the Threads token.").Is("user"),
			tool.ID("page_id", "Page", "Page whose token, with kind page.").Opt(),
		},
		Rules: []tool.Rule{tool.WhenIs("kind", "page", "page_id")},
		Run:   debugToken, Calls: []tool.Call{{Verb: "GET", On: "Root", Edge: "debug_token"}},
		Out:      tool.Out{Members: tokenMembers},
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Cases: []tool.Case{
			{Name: "the token", Args: `{}`, Has: []string{"data.is_valid=true", "data.scopes", "data.type=SYSTEM_USER"}},
			{Name: "that of a Page", Args: `{"kind":"page","page_id":"` + aPage + `"}`, Has: []string{"data.is_valid=true", "data.type=PAGE"}},
			{Name: "the Threads token", Args: `{"kind":"threads"}`, Has: []string{"data.is_valid=true"}},
			{Name: "of no Page", Args: `{"kind":"page"}`, Error: "argument_invalid", Says: []string{"page_id"}, Asks: []string{}},
			{Name: "an argument that it doesn't have", Args: `{"input_token":"x"}`, Error: "argument_invalid", Says: []string{"input_token"}, Asks: []string{}},
			{Name: "without a token", Args: `{}`, Token: "none", Error: "auth_required", Says: []string{"META_ACCESS_TOKEN"}},
		},
	},
	{
		Name: "meta_health_check", Title: "Check the connection to Meta", Set: "utility",
		Does: "Asks the Graph API and the Threads API who the configured tokens belong to, and tells which of them answer.",
		Use:  "First when nothing works. What a token may do is in meta_debug_token, how much of the call limits is used in meta_get_api_usage.",
		Note: "Answers even where an API fails: each entry says ok, or code and reason.",
		Run:  healthCheck, Calls: []tool.Call{{Verb: "GET", On: "User", Note: "me, with the Meta token"}, {Verb: "GET", On: "ThreadsUser", Note: "me, with the Threads token"}},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Out: tool.Out{Members: "ok:bool graph:map threads:map"},
		Cases: []tool.Case{
			{Name: "both answer", Args: `{}`, Asks: []string{"GET /me fields=id,name", "GET /me fields=id,username"}, Has: []string{"data.ok=true", "data.graph.ok=true", "data.graph.id=9000000000000001", "data.threads.ok=true"}},
			{Name: "the token is expired", Args: `{}`, Token: "sandbox-token-expired", Has: []string{"data.ok=false", "data.graph.code=connector_expired"}},
			{Name: "without tokens", Args: `{}`, Token: "none", Has: []string{"data.ok=false", "data.graph.code=auth_required", "data.threads.code=auth_required"}, Asks: []string{}},
			{Name: "an argument that it doesn't have", Args: `{"verbose":true}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_search_places", Title: "Search places", Set: "utility",
		Does: "Searches Facebook Pages of places by name, and Threads locations around coordinates.",
		Use:  "To find the id of a place to tag. For targeting ads by region or city use meta_search_targeting_geolocations.",
		Note: "With q it lists Pages, and with center as well only those within distance; this needs the app feature Page Public Content Access. With center alone it lists Threads locations, whose ids serve in Threads posts only; this needs the Threads token.",
		Args: []tool.Arg{
			tool.Text("q", "Name, or part of it.").Max(200),
			tool.Text("center", "Coordinates: latitude,longitude, such as 51.51,-0.13.").Max(60),
			tool.Int("distance", "Metres around center.").Min(1).Max(50_000).Is(1000),
			tool.Int("limit", "How many to return.").Min(1).Max(100).Is(20),
			tool.Strings("categories", "").NoEffect("Meta's search no longer filters by category"),
		},
		AnyOf: []string{"q center"},
		Run:   searchPlaces, Calls: []tool.Call{{Verb: "GET", On: "Root", Edge: "pages/search"}, {Verb: "GET", On: "Root", Edge: "location_search", Note: "with center alone"}},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Out: tool.Out{List: &isList, Members: "id:id name:text location:map category_list:json checkins:int overall_star_rating:float distance_m:int address:text city:text country latitude:float longitude:float", Columns: []string{"id", "name", "city", "distance_m"}, Untrusted: []string{"location"}},
		Cases: []tool.Case{
			{Name: "by name", Args: `{"q":"coffee"}`, Asks: []string{"GET /pages/search q=coffee"}, Has: []string{"data.1.name", "data.0.location.city=London"}},
			{Name: "by name, near", Args: `{"q":"coffee","center":"51.5140,-0.1360","distance":500}`, Has: []string{"data.0.name=Example Coffee Soho", "data.0.distance_m", "data.length=1"}},
			{Name: "around", Args: `{"center":"51.5,-0.1"}`, Asks: []string{"GET /location_search latitude=51.5 longitude=-0.1"}, Has: []string{"notices"}},
			{Name: "nowhere", Args: `{"center":"London"}`, Error: "argument_invalid", Says: []string{"center"}, Asks: []string{}},
			{Name: "for nothing", Args: `{}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_batch_read", Title: "Read many objects at once", Set: "utility",
		Does: "Reads up to 50 objects of the Graph API in one request, each with the fields that are named.",
		Use:  "To look at many posts, campaigns or ads whose ids are known. For lists with filters and paging use the list tools, such as meta_list_campaigns or meta_get_posts.",
		Note: "One that fails has an error in its place and does not fail the others. Each read counts against the call limits. Fields are names, with nesting as in owner{id,name}; access tokens can't be read, and answers of leads are masked as in meta_get_leadgen_leads.",
		Args: []tool.Arg{
			tool.List("reads", tool.Object("", "One object.",
				tool.Text("id", "Digits, page_post, act_ and digits, or a message or thread id.").Req().Max(256),
				tool.Text("fields", "Names separated by commas. Without it id and, mostly, name.").Max(2000),
				tool.Text("page_id", "Page whose token reads it, for posts, comments and messages.").Max(32),
			), "What to read.").Req().Min(1).Max(50),
		},
		Run: batchRead, Calls: []tool.Call{{Verb: "POST", On: "Root", Edge: "", Note: "a batch of GETs"}},
		Category: tool.Read, Severity: tool.Medium, Repeat: true,
		Out: tool.Out{List: &isList, Members: "id:id ok:bool object:map error:map", Untrusted: []string{"object"}},
		Cases: []tool.Case{
			{
				Name: "two and one that fails", Args: `{"reads":[{"id":"` + aAccount + `","fields":"name,currency"},{"id":"` + aPage + `"},{"id":"999"}]}`,
				Has: []string{"data.0.object.currency=GBP", "data.1.ok=true", "data.2.ok=false", "data.2.error.code=object_not_found"},
			},
			{
				Name: "answers of leads are masked here too", Args: `{"reads":[{"id":"4700000000000001","fields":"leads{field_data}","page_id":"` + aPage + `"},{"id":"4800000000000001","page_id":"` + aPage + `"}]}`,
				Has: []string{"data.0.object.leads.data.0.field_data.0.values.0=c***", "data.1.object.field_data.1.values.0=C***", "notices"},
			},
			{
				Name: "leads that the operator has opened", Args: `{"reads":[{"id":"4800000000000001","page_id":"` + aPage + `"}]}`, Settings: func(s *tool.Settings) { s.LeadsClear = true },
				Has: []string{"data.0.object.field_data.0.values.0=customer-one@example.com"},
			},
			{Name: "a field under another name", Args: `{"reads":[{"id":"4800000000000001","fields":"field_data.as(x)","page_id":"` + aPage + `"}]}`, Error: "argument_invalid", Says: []string{"reads.0.fields"}, Asks: []string{}},
			{Name: "an id that leaves its place", Args: `{"reads":[{"id":"1/../me"}]}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "a token as a field", Args: `{"reads":[{"id":"` + aPage + `","fields":"name,access_token"}]}`, Error: "argument_invalid", Asks: []string{}},
			{Name: "nothing", Args: `{"reads":[]}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
	{
		Name: "meta_get_api_usage", Title: "See how much of the call limits is used", Set: "utility",
		Does: "Shows what Meta last said about each pool of calls: how full it is, and until when calls are held back.",
		Use:  "Before a long run, or after rate_limited. Whether the APIs answer at all is in meta_health_check.",
		Note: "Asks Meta nothing: it tells what the answers of this process have carried, so it is empty at the start. At 95 percent reads are refused, at 100 everything waits.",
		Run:  apiUsage, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Out: tool.Out{List: &isList, Members: "pool percent:float seen:time until:time tier", Columns: []string{"pool", "percent", "until", "tier"}},
		Cases: []tool.Case{
			{Name: "after a call", Before: []tool.Prior{{Tool: "meta_get_account_insights", Args: `{"ad_account_id":"` + aAccount + `"}`}}, Args: `{}`, Asks: []string{}, Has: []string{"data.0.pool", "data.0.percent"}},
			{Name: "an argument that it doesn't have", Args: `{"page_id":"1"}`, Error: "argument_invalid", Asks: []string{}},
		},
	},
}
