package graphspec

// The ad objects: accounts, campaigns, ad sets, ads, and what is around them. Fields,
// edges and parameters are those of Meta's published specification (v25 line, read
// 2026-11); what its documentation adds is noted at the operation.

const (
	adsRead  = "ads_read|ads_management"
	adsWrite = "ads_management"
)

// listStatus is what lists of campaigns, ad sets and ads can be narrowed down with.
const listStatus = "effective_status:list<AdEffectiveStatus> date_preset:AdDatePreset time_range:map "

const campaignWrite = "name status:AdStatus daily_budget:minor lifetime_budget:minor spend_cap:minor bid_strategy:AdBidStrategy " +
	"is_adset_budget_sharing_enabled:bool special_ad_category_country:list<string> start_time:time stop_time:time " +
	"adlabels:json budget_schedule_specs:json promoted_object:map pacing_type:list<string> is_budget_schedule_enabled:bool " +
	"is_skadnetwork_attribution:bool is_message_campaign:bool execution_options:list<AdExecutionOption> "

const adSetWrite = "daily_budget:minor lifetime_budget:minor bid_amount:minor bid_strategy:AdBidStrategy bid_constraints:map " +
	"billing_event:AdBillingEvent optimization_goal:AdOptimizationGoal optimization_sub_event:string targeting:map promoted_object:map " +
	"destination_type:AdDestination attribution_spec:json start_time:time end_time:time status:AdStatus " +
	"placement_soft_opt_out:map dsa_beneficiary dsa_payor daily_min_spend_target:minor daily_spend_cap:minor " +
	"lifetime_min_spend_target:minor lifetime_spend_cap:minor frequency_control_specs:json adset_schedule:json " +
	"pacing_type:list<string> adlabels:json budget_schedule_specs:json is_incremental_attribution_enabled:bool " +
	"is_sac_cfca_terms_certified:bool is_budget_schedule_enabled:bool regional_regulated_categories:list<string> " +
	"regional_regulation_identities:map multi_optimization_goal_weight existing_customer_budget_percentage:int " +
	"value_rule_set_id:id value_rules_applied:bool execution_options:list<AdExecutionOption> "

const adWrite = "status:AdStatus creative:map tracking_specs:json conversion_domain bid_amount:minor adlabels:json " +
	"display_sequence:int engagement_audience:bool priority:int ad_schedule_start_time:time ad_schedule_end_time:time " +
	"creative_asset_groups_spec:map execution_options:list<AdExecutionOption> "

const copyAnswer = " ad_object_ids:list<AdCopy> " + Success

var budgetSchedules = Edge{
	Name: "budget_schedules",
	Get:  &Op{Params: "time_start:time time_stop:time", Returns: "HighDemandPeriod", Scopes: adsRead, Token: UserToken, Evidence: Specified},
	Post: &Op{
		Params: "budget_value:int! budget_value_type:BudgetValueType! time_start:unix! time_end:unix!", Returns: "HighDemandPeriod",
		Scopes: adsWrite, Token: UserToken, Evidence: Specified,
		Note: "Raises a daily budget for a while: by an amount in minor units (ABSOLUTE) or a factor (MULTIPLIER).",
	},
}

var adNodes = []*Node{
	{
		Name: "AdAccount", ID: AdAccount, Evidence: Specified,
		Fields: "id* account_id* name account_status:int disable_reason:int currency timezone_name timezone_id:int " +
			"timezone_offset_hours_utc:float spend_cap:minor amount_spent:minor balance:minor min_daily_budget:minor " +
			"min_campaign_group_spend_cap:minor business:Business owner:id owner_business:Business business_name " +
			"business_country_code created_time:time age:float is_prepay_account:bool is_personal:int funding_source:id " +
			"funding_source_details:map default_dsa_beneficiary default_dsa_payor end_advertiser end_advertiser_name " +
			"user_tasks:list<string> capabilities:list<string> attribution_spec:json failed_delivery_checks:json " +
			"has_page_authorized_adaccount:bool opportunity_score:float tos_accepted:map",
		Read: &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified, Note: "Money is in minor units of currency; spend_cap 0 is none. account_status: 1 active, 2 disabled, 3 unsettled, 7 in review, 9 grace period, 101 closed."},
		Edges: []Edge{
			{
				Name: "campaigns",
				Get:  &Op{Params: listStatus + "is_completed:bool", Returns: "Campaign", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params:  campaignWrite + "objective:AdObjective buying_type:AdBuyingType special_ad_categories:list<AdSpecialCategory>! source_campaign_id:id",
					Returns: "Campaign", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified,
					Note: "Without a campaign budget is_adset_budget_sharing_enabled has to be given (v24). Without a status it is ACTIVE.",
				},
			},
			{
				Name: "adsets",
				Get:  &Op{Params: listStatus + "is_completed:bool updated_since:unix", Returns: "AdSet", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params:  "name! campaign_id:id is_dynamic_creative:bool source_adset_id:id " + adSetWrite,
					Returns: "AdSet", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified,
					Note: "targeting needs a place, and targeting_automation.advantage_audience 0 or 1 (v23). A place in the EU needs dsa_beneficiary and dsa_payor, or the account's defaults.",
				},
			},
			{
				Name: "ads",
				Get:  &Op{Params: listStatus + "updated_since:unix", Returns: "Ad", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params:  "name! adset_id:id source_ad_id:id " + adWrite,
					Returns: "Ad", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "adcreatives",
				Get:  &Op{Returns: "AdCreative", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: creativeWrite, Returns: "AdCreative", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified,
					Note: "The text of a link ad is link_data.message. standard_enhancements can't be set any more; single features can.",
				},
			},
			{
				Name: "adimages",
				Get:  &Op{Params: "hashes:list<string> name minwidth:int minheight:int", Returns: "AdImage", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "bytes filename copy_from:map name", Answer: "images:map", Scopes: adsWrite, Token: UserToken, Evidence: Specified,
					Note: "bytes is Base64, filename a part of a multipart form [K]; an address is not taken. images maps the name that was sent to hash and url.",
				},
				Delete: &Op{Params: "hash!", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
			},
			{
				Name: "advideos",
				Get:  &Op{Params: "title minlength:int maxlength:int minwidth:int minheight:int", Returns: "AdVideo", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "file_url:url title name description upload_phase:VideoUploadPhase upload_session_id:id file_size:int " +
						"start_offset:int end_offset:int video_file_chunk source_instagram_media_id:id",
					Answer: "id:id upload_session_id:id video_id:id start_offset end_offset " + Success,
					Scopes: adsWrite, Token: UserToken, Evidence: Specified,
					Note: "By file_url, or in pieces: start, transfer until both offsets are equal, finish.",
				},
			},
			{
				Name: "adrules_library",
				Get:  &Op{Returns: "AdRule", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params:  "name! evaluation_spec:map! execution_spec:map! schedule_spec:map status:AdRuleStatus",
					Returns: "AdRule", Scopes: adsWrite, Token: UserToken, Evidence: Specified,
				},
			},
			{
				Name: "adlabels",
				Get:  &Op{Returns: "AdLabel", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{Params: "name!", Returns: "AdLabel", Scopes: adsWrite, Token: UserToken, Evidence: Specified},
			},
			{Name: "ad_studies", Get: &Op{Returns: "AdStudy", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "activities",
				Get: &Op{
					Params:  "category:AdActivityCategory since:time until:time oid:id uid:id add_children:bool business_id:id",
					Returns: "AdActivity", Scopes: adsRead, Token: UserToken, Evidence: Specified,
					Note: "Newest first; without since the last week.",
				},
			},
			{Name: "users", Get: &Op{Returns: "AdAccountUser", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{Name: "minimum_budgets", Get: &Op{Params: "bid_amount:int", Returns: "MinimumBudget", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "generatepreviews",
				Get: &Op{
					Params: "ad_format:AdFormat! creative:map! locale height:int width:int", Returns: "AdPreview",
					Scopes: adsRead, Token: UserToken, Evidence: Specified,
				},
			},
		},
	},
	{
		Name: "Campaign", ID: Digits, Evidence: Specified,
		Fields: "id* account_id name objective status:AdStatus configured_status:AdStatus effective_status:AdEffectiveStatus " +
			"daily_budget:minor lifetime_budget:minor budget_remaining:minor spend_cap:minor bid_strategy:AdBidStrategy " +
			"buying_type:AdBuyingType is_adset_budget_sharing_enabled:bool special_ad_categories:list<AdSpecialCategory> " +
			"special_ad_category_country:list<string> start_time:time stop_time:time created_time:time updated_time:time " +
			"issues_info:list<AdIssue> advantage_state_info:AdvantageState adlabels:list<AdLabel> promoted_object:map " +
			"pacing_type:list<string> smart_promotion_type source_campaign_id:id source_campaign:Campaign " +
			"is_budget_schedule_enabled:bool is_message_campaign:bool is_skadnetwork_attribution:bool can_use_spend_cap:bool " +
			"last_budget_toggling_time:time topline_id:id recommendations:json",
		Read: &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: campaignWrite + "special_ad_categories:list<AdSpecialCategory> objective:AdObjective", Answer: Success,
			Scopes: adsWrite, Token: UserToken, Evidence: Specified,
			Note: "Advantage+ shopping and app campaigns can't be changed since 2026-05-19; budget sharing can be switched off but not on.",
		},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified, Note: "Its ad sets and ads go with it."},
		Edges: []Edge{
			{Name: "adsets", Get: &Op{Params: listStatus + "is_completed:bool", Returns: "AdSet", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{Name: "ads", Get: &Op{Params: listStatus + "updated_since:unix", Returns: "Ad", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "copies",
				Get:  &Op{Params: listStatus + "is_completed:bool", Returns: "Campaign", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "deep_copy:bool start_time:time end_time:time rename_options:map status_option:AdCopyStatus",
					Answer: "copied_campaign_id:id" + copyAnswer, Scopes: adsWrite, Token: UserToken, Evidence: Known,
					Note: "With deep_copy at most three objects in all; more need an asynchronous request.",
				},
			},
			budgetSchedules,
		},
	},
	{
		Name: "AdSet", ID: Digits, Evidence: Specified,
		Fields: "id* account_id campaign_id:id campaign:Campaign name status:AdStatus configured_status:AdStatus " +
			"effective_status:AdEffectiveStatus daily_budget:minor lifetime_budget:minor budget_remaining:minor bid_amount:int " +
			"bid_strategy:AdBidStrategy bid_constraints:map billing_event:AdBillingEvent optimization_goal:AdOptimizationGoal " +
			"optimization_sub_event targeting:map promoted_object:map destination_type:AdDestination attribution_spec:json " +
			"start_time:time end_time:time created_time:time updated_time:time issues_info:list<AdIssue> " +
			"learning_stage_info:LearningStage placement_soft_opt_out:map dsa_beneficiary dsa_payor daily_min_spend_target:minor " +
			"daily_spend_cap:minor lifetime_min_spend_target:minor lifetime_spend_cap:minor frequency_control_specs:json " +
			"adset_schedule:json pacing_type:list<string> adlabels:list<AdLabel> is_dynamic_creative:bool source_adset_id:id " +
			"source_adset:AdSet review_feedback is_budget_schedule_enabled:bool is_incremental_attribution_enabled:bool " +
			"regional_regulated_categories:list<string> regional_regulation_identities:map special_ad_categories:list<string> " +
			"value_rule_set_id:id value_rules_applied:bool recommendations:json",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name account_id " + adSetWrite, Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified, Note: "Its ads go with it."},
		Edges: []Edge{
			{Name: "ads", Get: &Op{Params: listStatus + "updated_since:unix", Returns: "Ad", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{Name: "adcreatives", Get: &Op{Returns: "AdCreative", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "copies",
				Get:  &Op{Params: listStatus + "is_completed:bool", Returns: "AdSet", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "campaign_id:id deep_copy:bool start_time:time end_time:time rename_options:map status_option:AdCopyStatus",
					Answer: "copied_adset_id:id" + copyAnswer, Scopes: adsWrite, Token: UserToken, Evidence: Known,
					Note: "With deep_copy at most three objects in all; more need an asynchronous request.",
				},
			},
			{
				Name: "activities",
				Get: &Op{
					Params: "category:AdActivityCategory since:time until:time uid:id", Returns: "AdActivity",
					Scopes: adsRead, Token: UserToken, Evidence: Specified,
				},
			},
			budgetSchedules,
		},
	},
	{
		Name: "Ad", ID: Digits, Evidence: Specified,
		Fields: "id* account_id campaign_id:id campaign:Campaign adset_id:id adset:AdSet name status:AdStatus configured_status:AdStatus " +
			"effective_status:AdEffectiveStatus creative:AdCreative created_time:time updated_time:time issues_info:list<AdIssue> " +
			"ad_review_feedback:json failed_delivery_checks:json preview_shareable_link:url tracking_specs:json conversion_specs:json " +
			"conversion_domain bid_amount:int bid_type adlabels:list<AdLabel> source_ad_id:id source_ad:Ad display_sequence:int " +
			"engagement_audience:bool last_updated_by_app_id:id ad_active_time ad_schedule_start_time:time ad_schedule_end_time:time " +
			"special_ad_categories:list<string> priority:int recommendations:json",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name " + adWrite, Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified, Note: "A new creative sends the ad into review again."},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "adcreatives", Get: &Op{Returns: "AdCreative", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{
				Name: "copies",
				Get:  &Op{Params: listStatus + "updated_since:unix", Returns: "Ad", Scopes: adsRead, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "adset_id:id rename_options:map status_option:AdCopyStatus creative_parameters:map",
					Answer: "copied_ad_id:id " + Success, Scopes: adsWrite, Token: UserToken, Evidence: Known,
				},
			},
			{Name: "previews", Get: previews},
		},
	},
	{
		Name: "HighDemandPeriod", ID: Digits, Evidence: Specified,
		Fields: "id* ad_object_id:id budget_value:int budget_value_type:BudgetValueType time_start:time time_end:time recurrence_type",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{
			Params: "budget_value:int budget_value_type:BudgetValueType time_start:unix time_end:unix", Answer: Success,
			Scopes: adsWrite, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
	},
	{
		Name: "AdActivity", Evidence: Specified,
		Fields: "event_type* event_time*:time actor_id*:id actor_name*:text object_id*:id object_name*:text object_type* " +
			"translated_event_type* extra_data*:text application_id*:id application_name* date_time_in_timezone*",
	},
	{Name: "AdAccountUser", ID: Digits, Fields: "id* name*:text tasks*:list<string>", Evidence: Specified},
	{
		Name: "MinimumBudget", Evidence: Specified,
		Fields: "currency* min_daily_budget_imp*:int min_daily_budget_high_freq*:int min_daily_budget_low_freq*:int min_daily_budget_video_views*:int",
	},
	{Name: "AdIssue", Fields: "level* error_code*:int error_summary* error_message* error_type*", Evidence: Specified},
	{
		Name: "AdvantageState", Evidence: Specified,
		Fields: "advantage_state* advantage_budget_state* advantage_audience_state* advantage_placement_state*",
	},
	{
		Name: "LearningStage", Evidence: Specified,
		Fields: "status* conversions*:int last_sig_edit_ts*:unix attribution_windows*:list<string>",
	},
	{Name: "AdCopy", Fields: "ad_object_type* source_id*:id copied_id*:id", Evidence: Known},
}

var adEnums = map[string]string{
	"AdObjective":         "OUTCOME_AWARENESS OUTCOME_TRAFFIC OUTCOME_ENGAGEMENT OUTCOME_LEADS OUTCOME_APP_PROMOTION OUTCOME_SALES",
	"AdStatus":            "ACTIVE PAUSED ARCHIVED DELETED",
	"AdEffectiveStatus":   "ACTIVE PAUSED ARCHIVED DELETED CAMPAIGN_PAUSED ADSET_PAUSED PENDING_REVIEW DISAPPROVED PREAPPROVED PENDING_BILLING_INFO IN_PROCESS WITH_ISSUES",
	"AdBidStrategy":       "LOWEST_COST_WITHOUT_CAP LOWEST_COST_WITH_BID_CAP COST_CAP LOWEST_COST_WITH_MIN_ROAS",
	"AdBuyingType":        "AUCTION RESERVED",
	"AdSpecialCategory":   "NONE CREDIT EMPLOYMENT FINANCIAL_PRODUCTS_SERVICES HOUSING ISSUES_ELECTIONS_POLITICS ONLINE_GAMBLING_AND_GAMING",
	"AdExecutionOption":   "validate_only include_recommendations synchronous_ad_review",
	"AdBillingEvent":      "APP_INSTALLS CLICKS IMPRESSIONS LINK_CLICKS LISTING_INTERACTION NONE OFFER_CLAIMS PAGE_LIKES POST_ENGAGEMENT PURCHASE THRUPLAY",
	"AdOptimizationGoal":  adGoals,
	"AdDestination":       "APP APPLINKS_AUTOMATIC FACEBOOK FACEBOOK_LIVE FACEBOOK_PAGE IMAGINE INSTAGRAM_DIRECT INSTAGRAM_LIVE INSTAGRAM_PROFILE INSTAGRAM_PROFILE_AND_FACEBOOK_PAGE MESSAGING_INSTAGRAM_DIRECT_MESSENGER MESSAGING_INSTAGRAM_DIRECT_MESSENGER_WHATSAPP MESSAGING_INSTAGRAM_DIRECT_WHATSAPP MESSAGING_MESSENGER_WHATSAPP MESSENGER ON_AD ON_EVENT ON_PAGE ON_POST ON_VIDEO SHOP_AUTOMATIC WEBSITE WHATSAPP",
	"AdCopyStatus":        "ACTIVE INHERITED_FROM_SOURCE PAUSED",
	"BudgetValueType":     "ABSOLUTE MULTIPLIER",
	"AdActivityCategory":  "ACCOUNT AD AD_KEYWORDS AD_SET AUDIENCE BID BUDGET CAMPAIGN DATE STATUS TARGETING",
	"AdDatePreset":        "today yesterday this_month last_month this_quarter last_quarter this_year last_year maximum data_maximum last_3d last_7d last_14d last_28d last_30d last_90d last_week_mon_sun last_week_sun_sat this_week_mon_today this_week_sun_today",
	"AdPromotedEventType": "ADD_PAYMENT_INFO ADD_TO_CART ADD_TO_WISHLIST COMPLETE_REGISTRATION CONTACT CONTENT_VIEW CUSTOMIZE_PRODUCT DONATE FIND_LOCATION INITIATED_CHECKOUT LEAD LISTING_INTERACTION OTHER PURCHASE RATE SCHEDULE SEARCH START_TRIAL SUBMIT_APPLICATION SUBSCRIBE TUTORIAL_COMPLETION",
}

const adGoals = "OFFSITE_CONVERSIONS LANDING_PAGE_VIEWS LINK_CLICKS IMPRESSIONS REACH THRUPLAY LEAD_GENERATION QUALITY_LEAD " +
	"QUALITY_CALL CONVERSATIONS VALUE APP_INSTALLS APP_INSTALLS_AND_OFFSITE_CONVERSIONS POST_ENGAGEMENT PAGE_LIKES AD_RECALL_LIFT " +
	"ENGAGED_USERS ENGAGED_PAGE_VIEWS EVENT_RESPONSES REMINDERS_SET SUBSCRIBERS VISIT_INSTAGRAM_PROFILE PROFILE_VISIT " +
	"PROFILE_AND_PAGE_ENGAGEMENT MEANINGFUL_CALL_ATTEMPT MESSAGING_PURCHASE_CONVERSION MESSAGING_APPOINTMENT_CONVERSION " +
	"IN_APP_VALUE DERIVED_EVENTS AUTOMATIC_OBJECTIVE ADVERTISER_SILOED_VALUE NONE"
