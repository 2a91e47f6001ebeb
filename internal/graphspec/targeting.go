package graphspec

// What targeting can name, and how many people a targeting reaches. /search is not in
// Meta's specification; its types and members are those of the documentation of
// targeting search.

var targetingNodes = []*Node{
	{
		Name: "TargetingOption", ID: NoID, Evidence: Documented,
		Fields: "id* key* name* type* path*:list<string> description* topic* audience_size_lower_bound*:int audience_size_upper_bound*:int " +
			"country_code* country_name* region* region_id*:int supports_city*:bool supports_region*:bool country_codes*:list<string> " +
			"subject_count*:int disambiguation_category* coverage*:float",
	},
	{
		Name: "AdAccountTargetingUnified", ID: NoID, Evidence: Specified,
		Fields: "id* name* type* path*:list<string> description* audience_size_lower_bound*:int audience_size_upper_bound*:int key source partner valid:bool",
	},
	{
		Name: "AdAccountReachEstimate", ID: NoID, Evidence: Specified,
		Fields: "users_lower_bound*:int users_upper_bound*:int estimate_ready*:bool",
	},
	{
		Name: "AdAccountDeliveryEstimate", ID: NoID, Evidence: Specified,
		Fields: "estimate_dau*:int estimate_mau_lower_bound*:int estimate_mau_upper_bound*:int estimate_ready*:bool targeting_optimization_types:json",
	},
	{
		Name: "AdCampaignDeliveryEstimate", ID: NoID, Evidence: Specified,
		Fields: "estimate_dau*:int estimate_mau_lower_bound*:int estimate_mau_upper_bound*:int estimate_ready*:bool targeting_optimization_types:json",
	},
}

// targetingRootEdges are calls without object: /search for what targeting can name.
var targetingRootEdges = []Edge{{
	Name: "search",
	Get: &Op{
		Params:  "type:TargetingSearchType! q class:TargetingClass location_types:json country_code region_id:id interest_list:json locale",
		Returns: "TargetingOption", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Documented,
		Note: "An address of its own, /search?type=…; which members a result has depends on the type.",
	},
}}

// targetingAccountEdges are the edges of an ad account that belong here.
var targetingAccountEdges = []Edge{
	{
		Name: "reachestimate",
		Get: &Op{
			Params: "targeting_spec:json! object_store_url:url", Returns: "AdAccountReachEstimate", One: true,
			Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Documented,
			Note: "data is an object, not a list [K]. Bounds of -1: no estimate for this business, which says nothing of the size.",
		},
	},
	{
		Name: "delivery_estimate",
		Get: &Op{
			Params:  "targeting_spec:json! optimization_goal:DeliveryGoal! promoted_object:json",
			Returns: "AdAccountDeliveryEstimate", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified,
			Note: "A list of one.",
		},
	},
	{
		Name: "targetingsearch",
		Get: &Op{
			Params:  "q! limit_type countries:json objective is_exclusion:bool regulated_categories:json regulated_countries:json",
			Returns: "AdAccountTargetingUnified", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified,
		},
	},
	{
		Name: "targetingbrowse",
		Get: &Op{
			Params:  "limit_type include_nodes:bool is_exclusion:bool regulated_categories:json regulated_countries:json",
			Returns: "AdAccountTargetingUnified", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified,
		},
	},
}

// targetingAdSetEdges are the edges of an ad set that belong here.
var targetingAdSetEdges = []Edge{{
	Name: "delivery_estimate",
	Get: &Op{
		Params: "targeting_spec:json optimization_goal:DeliveryGoal promoted_object:json", Returns: "AdCampaignDeliveryEstimate",
		Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified, Note: "A list of one. daily_outcomes_curve went with v26.0.",
	},
}}

var targetingEnums = map[string]string{
	"TargetingSearchType": "adinterest adinterestsuggestion adinterestvalid adgeolocation adgeolocationmeta adcountry adlocale adworkposition " +
		"adworkemployer adeducationschool adeducationmajor adTargetingCategory",
	"TargetingClass": "interests behaviors demographics life_events industries income family_statuses user_device user_os",
	"DeliveryGoal": "ADVERTISER_SILOED_VALUE AD_RECALL_LIFT APP_INSTALLS APP_INSTALLS_AND_OFFSITE_CONVERSIONS AUTOMATIC_OBJECTIVE CONVERSATIONS " +
		"DERIVED_EVENTS ENGAGED_PAGE_VIEWS ENGAGED_USERS EVENT_RESPONSES IMPRESSIONS IN_APP_VALUE LANDING_PAGE_VIEWS LEAD_GENERATION LINK_CLICKS " +
		"MEANINGFUL_CALL_ATTEMPT MESSAGING_APPOINTMENT_CONVERSION MESSAGING_PURCHASE_CONVERSION NONE OFFSITE_CONVERSIONS PAGE_LIKES POST_ENGAGEMENT " +
		"PROFILE_AND_PAGE_ENGAGEMENT PROFILE_VISIT QUALITY_CALL QUALITY_LEAD REACH REMINDERS_SET SUBSCRIBERS THRUPLAY VALUE VISIT_INSTAGRAM_PROFILE",
}
