package graphspec

// Datasets (pixels), what they have received, and custom conversions. The node keeps
// Meta's old name, AdsPixel. Fields are those of the specification of April 2026.

const (
	datasetRead  = "ads_read|ads_management|business_management"
	datasetWrite = "ads_management|business_management"
)

var datasetNodes = []*Node{
	{
		Name: "AdsPixel", ID: Digits, Evidence: Specified,
		Fields: "id* name is_consolidated_container:bool is_crm:bool is_created_by_business:bool is_unavailable:bool is_restricted_use:bool " +
			"is_mta_use:bool creation_time:time last_fired_time:time owner_business:Business owner_ad_account:AdAccount creator:User " +
			"data_use_setting:DataUseSetting enable_automatic_matching:bool automatic_matching_fields:list<MatchingField> " +
			"first_party_cookie_status:FirstPartyCookieStatus can_proxy:bool code config description has_1p_pixel_event:bool " +
			"enable_auto_assign_to_accounts:bool valid_entries:int matched_entries:int duplicate_entries:int match_rate_approx:int " +
			"event_time_min:unix event_time_max:unix event_stats last_upload_app usage:json",
		Read: &Op{Returns: "AdsPixel", Token: UserToken, Evidence: Documented},
		Update: &Op{
			Params: "name enable_automatic_matching:bool automatic_matching_fields:list<MatchingField> " +
				"first_party_cookie_status:FirstPartyCookieStatus data_use_setting:DataUseSetting",
			Answer: Success, Scopes: datasetWrite, Token: UserToken, Evidence: Specified,
		},
		Edges: []Edge{
			{
				Name: "events",
				Post: &Op{
					Params: "data:json! test_event_code partner_agent namespace_id:id upload_tag upload_id:id upload_source trace:int progress:json platforms:json",
					Answer: "events_received:int messages:list<string> fbtrace_id", Token: UserToken, Evidence: Documented,
					Scopes: "ads_management|business_management|page_events|whatsapp_business_manage_events|instagram_manage_events",
					Note:   "At most 1,000 events; one bad event refuses all of them.",
				},
			},
			{
				Name: "stats",
				Get: &Op{
					Params: "aggregation:StatsAggregation event event_source start_time:time end_time:time agent", Returns: "AdsPixelStatsResult",
					Scopes: datasetRead, Token: UserToken, Evidence: Specified, Note: "Totals by hour; it has no pages.",
				},
			},
			{
				Name: "offline_event_uploads",
				Get: &Op{
					Params: "upload_tag start_time:time end_time:time order:SortOrder sort_by:UploadSort", Returns: "OfflineConversionDataSetUpload",
					Scopes: datasetRead, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "da_checks",
				Get: &Op{
					Params: "checks:json connection_method:ConnectionMethod", Returns: "DACheck",
					Scopes: datasetRead, Token: UserToken, Evidence: Specified, Note: "Whether the events suit dynamic ads.",
				},
			},
			{
				Name: "shared_accounts",
				Get:  &Op{Params: "business:id!", Returns: "AdAccount", Scopes: datasetRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "account_id! business:id!", Answer: Success, Scopes: "business_management", Token: UserToken, Evidence: Specified,
					Note: "account_id without act_. The ad account may use the dataset's data from then on.",
				},
				Delete: &Op{Params: "account_id! business:id!", Answer: Success, Scopes: "business_management", Token: UserToken, Evidence: Specified},
			},
		},
	},
	{
		Name: "AdsPixelStatsResult", ID: NoID, Evidence: Specified,
		Fields: "start_time*:time aggregation* data*:list<AdsPixelStats>",
	},
	{Name: "AdsPixelStats", ID: NoID, Evidence: Specified, Fields: "value* count*:int event*"},
	{
		Name: "OfflineConversionDataSetUpload", ID: Digits, Evidence: Specified,
		Fields: "id* upload_tag* creation_time*:unix first_upload_time*:unix last_upload_time*:unix event_time_min*:unix event_time_max*:unix " +
			"valid_entries*:int matched_entries*:int duplicate_entries*:int match_rate_approx*:int event_stats* api_calls*:int is_excluded_for_lift*:bool",
	},
	{Name: "DatasetQuality", ID: NoID, Evidence: Documented, Fields: "web*:list<WebEventQuality> offline*:list<StoreEventQuality>"},
	{
		Name: "WebEventQuality", ID: NoID, Evidence: Documented,
		Fields: "event_name* event_match_quality:json event_coverage:json dedupe_key_feedback:json data_freshness:json acr:json " +
			"event_potential_aly_acr_increase:json",
	},
	{
		Name: "StoreEventQuality", ID: NoID, Evidence: Documented,
		Fields: "event_name* composite:json match_key:json coverage:json frequency:json freshness:json",
	},
	{Name: "DACheck", ID: NoID, Evidence: Specified, Fields: "key* title* result* description* user_message* action_uri*:url"},
	{
		Name: "CustomConversion", ID: Digits, Evidence: Specified,
		Fields: "id* name* account_id description custom_event_type:ConversionEvent rule aggregation_rule default_conversion_value:int " +
			"data_sources:json event_source_type pixel:AdsPixel business:Business retention_days:int is_archived:bool is_unavailable:bool " +
			"creation_time:time first_fired_time:time last_fired_time:time",
		Read: &Op{Returns: "CustomConversion", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "name description default_conversion_value:float", Answer: Success,
			Scopes: "ads_management", Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: "ads_management", Token: UserToken, Evidence: Specified},
	},
}

// datasetAccountEdges are the edges of an ad account that belong here.
var datasetAccountEdges = []Edge{
	{
		Name: "adspixels",
		Get:  &Op{Params: "sort_by:DatasetSort", Returns: "AdsPixel", Scopes: datasetRead, Token: UserToken, Evidence: Specified},
		Post: &Op{
			Params: "name!", Returns: "AdsPixel", Scopes: datasetWrite, Token: UserToken, Evidence: Documented,
			Note: "An ad account has one pixel: 6200 when it is there already, 6202 when there are several.",
		},
	},
	{
		Name: "customconversions",
		Get:  &Op{Returns: "CustomConversion", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified},
		Post: &Op{
			Params: "name! event_source_id:id! rule custom_event_type:ConversionEvent action_source_type:ConversionSource advanced_rule " +
				"default_conversion_value:float description",
			Returns: "CustomConversion", Scopes: "ads_management", Token: UserToken, Evidence: Specified,
			Note: "pixel_id of older versions is event_source_id now. The specification does not mark it as needed.",
		},
	},
}

// datasetRootEdges are calls without object.
var datasetRootEdges = []Edge{{
	Name: "dataset_quality",
	Get: &Op{
		Params: "dataset_id:id! agent_name", Returns: "DatasetQuality", One: true,
		Scopes: datasetRead, Token: UserToken, Evidence: Documented,
		Note: "fields are nested by web and offline. Scores of web events are 0 to 10; those of store events are a beta.",
	},
}}

var datasetEnums = map[string]string{
	"DataUseSetting":         "EMPTY ADVERTISING_AND_ANALYTICS ANALYTICS_ONLY",
	"FirstPartyCookieStatus": "EMPTY FIRST_PARTY_COOKIE_DISABLED FIRST_PARTY_COOKIE_ENABLED",
	"MatchingField":          "em fn ln ph ge zp ct st country db external_id",
	"DatasetSort":            "LAST_FIRED_TIME NAME",
	"SortOrder":              "ASCENDING DESCENDING",
	"UploadSort":             "CREATION_TIME FIRST_UPLOAD_TIME LAST_UPLOAD_TIME EVENT_TIME_MIN EVENT_TIME_MAX API_CALLS IS_EXCLUDED_FOR_LIFT",
	"ConnectionMethod":       "ALL APP BROWSER SERVER",
	"StatsAggregation": "event event_source event_total_counts event_processing_results event_detection_method event_value_count match_keys had_pii " +
		"host url url_by_rule device_type device_os browser_type custom_data_field pixel_fire",
	"ConversionEvent": "ADD_PAYMENT_INFO ADD_TO_CART ADD_TO_WISHLIST COMPLETE_REGISTRATION CONTACT CONTENT_VIEW CUSTOMIZE_PRODUCT DONATE " +
		"FACEBOOK_SELECTED FIND_LOCATION INITIATED_CHECKOUT LEAD LISTING_INTERACTION OTHER PURCHASE SCHEDULE SEARCH START_TRIAL SUBMIT_APPLICATION SUBSCRIBE",
	"ConversionSource": "app business_messaging chat email other phone_call physical_store system_generated website",
}
