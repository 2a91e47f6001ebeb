package graphspec

// Custom, lookalike and saved audiences, their members, and what targeting can name.
// Field lists are those of the specification of April 2026, less what no tool reads.

var audienceNodes = []*Node{
	{
		Name: "CustomAudience", ID: Digits, Evidence: Specified,
		Fields: "id* account_id name description subtype approximate_count_lower_bound:int approximate_count_upper_bound:int " +
			"customer_file_source:CustomerFileSource data_source:json delivery_status:AudienceStatus operation_status:AudienceStatus " +
			"is_value_based:bool is_snapshot:bool is_eligible_for_sac_campaigns:bool lookalike_spec:LookalikeSpec lookalike_audience_ids:list<id> " +
			"owner_business:Business permission_for_actions:json pixel_id:id retention_days:int rule rule_aggregation sharing_status:json " +
			"time_created:unix time_updated:unix time_content_updated:unix delete_time:unix opt_out_link:url",
		Read: &Op{Returns: "CustomAudience", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "name description rule retention_days:int customer_file_source:CustomerFileSource opt_out_link:url use_in_campaigns:bool",
			Answer: Success, Scopes: "ads_management", Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: "ads_management", Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{
				Name:   "users",
				Post:   audienceMembers(Documented),
				Delete: audienceMembers(Documented),
			},
			{
				Name: "usersreplace",
				Post: &Op{
					Params: "payload:json! session:json!", Answer: membersAnswer, Scopes: "ads_management", Token: UserToken, Evidence: Documented,
					Note: "All members at once: the first batch of a session empties the audience. One session at a time.",
				},
			},
			{
				Name: "sessions",
				Get:  &Op{Params: "session_id:id", Returns: "CustomAudienceSession", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified},
			},
		},
	},
	{
		Name: "CustomAudienceSession", ID: NoID, Evidence: Specified,
		Fields: "session_id*:id progress* stage* num_received*:int num_matched*:int num_invalid_entries*:int start_time*:unix end_time*:unix",
	},
	{Name: "AudienceStatus", ID: NoID, Evidence: Specified, Fields: "code*:int description*"},
	{
		Name: "LookalikeSpec", ID: NoID, Evidence: Specified,
		Fields: "country* ratio*:float starting_ratio:float type* origin:json target_countries:list<string>",
	},
	{
		Name: "SavedAudience", ID: Digits, Evidence: Specified,
		Fields: "id* name description targeting:json approximate_count_lower_bound:int approximate_count_upper_bound:int run_status " +
			"operation_status:AudienceStatus sentence_lines:json owner_business:Business time_created:time time_updated:time delete_time:unix",
		Read: &Op{Returns: "SavedAudience", Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified},
	},
}

// membersAnswer leaves invalid_entry_samples out: they can hold what was sent.
const membersAnswer = "audience_id:id session_id:id num_received:int num_invalid_entries:int"

func audienceMembers(e Evidence) *Op {
	return &Op{
		Params: "payload:json! session:json", Answer: membersAnswer, Scopes: "ads_management", Token: UserToken, Evidence: e,
		Note: "At most 10,000 rows a call; members show after up to a day. Audiences with operation_status 471 refuse.",
	}
}

// audienceEdges are the edges of an ad account that belong here.
var audienceEdges = []Edge{
	{
		Name: "customaudiences",
		Get: &Op{
			Params: "business_id:id pixel_id:id filtering:json", Returns: "CustomAudience",
			Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified,
		},
		Post: &Op{
			Params: "name! subtype:AudienceSubtype description customer_file_source:CustomerFileSource retention_days:int rule prefill:bool " +
				"pixel_id:id event_source_group:id product_set_id:id origin_audience_id:id lookalike_spec:json is_value_based:bool " +
				"enable_fetch_or_create:bool opt_out_link:url use_in_campaigns:bool",
			Returns: "CustomAudience", Scopes: "ads_management", Token: UserToken, Evidence: Specified,
		},
	},
	{
		Name: "saved_audiences",
		Get: &Op{
			Params: "business_id:id filtering:json", Returns: "SavedAudience",
			Scopes: "ads_read|ads_management", Token: UserToken, Evidence: Specified,
		},
	},
}

var audienceEnums = map[string]string{
	"CustomerFileSource": "USER_PROVIDED_ONLY PARTNER_PROVIDED_ONLY BOTH_USER_AND_PARTNER_PROVIDED",
	"AudienceSubtype": "APP BAG_OF_ACCOUNTS BIDDING CLAIM CUSTOM ENGAGEMENT EXCLUSION FOX LOOKALIKE MANAGED MEASUREMENT MESSENGER_SUBSCRIBER_LIST " +
		"OFFLINE_CONVERSION PARTNER PRIMARY REGULATED_CATEGORIES_AUDIENCE STUDY_RULE_AUDIENCE VIDEO WEBSITE",
}
