package graphspec

// Creatives and what they are made of, previews, rules, labels and studies.

const creativeWrite = "name object_story_id object_story_spec:map asset_feed_spec:map degrees_of_freedom_spec:map " +
	"source_instagram_media_id:id source_facebook_post_id object_id:id instagram_user_id:id image_hash image_url:url title body " +
	"link_url:url object_url:url call_to_action:map url_tags product_set_id:id template_url:url authorization_category:AdAuthorization " +
	"adlabels:json thumbnail_url:url contextual_multi_ads:map branded_content:map instagram_branded_content:map " +
	"facebook_branded_content:map media_sourcing_spec:map platform_customizations:map ad_disclaimer_spec:map " +
	"execution_options:list<AdExecutionOption>"

var previews = &Op{
	Params: "ad_format:AdFormat! locale height:int width:int", Returns: "AdPreview", Scopes: adsRead, Token: UserToken, Evidence: Specified,
	Note: "body is an iframe whose address is signed and runs out; whoever has it sees the ad.",
}

// adStudyEdges are studies of a business: they are made there, not on an ad account.
var adStudyEdges = []Edge{{
	Name: "ad_studies",
	Get:  &Op{Returns: "AdStudy", Scopes: adsRead, Token: UserToken, Evidence: Specified},
	Post: &Op{
		Params: "name! description start_time:unix! end_time:unix! cells:json! type:AdStudyType objectives:json " +
			"confidence_level:float cooldown_start_time:unix observation_end_time:unix",
		Returns: "AdStudy", Scopes: "ads_management business_management", Token: UserToken, Evidence: Specified,
	},
}}

// adUserEdges are the ad accounts that a person or system user can reach.
var adUserEdges = []Edge{{
	Name: "adaccounts",
	Get:  &Op{Returns: "AdAccount", Scopes: adsRead, Token: UserToken, Evidence: Specified},
}}

var creativeNodes = []*Node{
	{
		Name: "AdCreative", ID: Digits, Evidence: Specified,
		Fields: "id* account_id name title:text body:text status:AdCreativeStatus object_type object_story_id object_story_spec:map " +
			"effective_object_story_id effective_instagram_media_id:id source_instagram_media_id:id source_facebook_post_id " +
			"instagram_user_id:id instagram_permalink_url:url actor_id:id image_hash image_url:url thumbnail_url:url video_id:id " +
			"link_url:url object_url:url object_id:id call_to_action_type call_to_action:map url_tags asset_feed_spec:map " +
			"degrees_of_freedom_spec:map product_set_id:id template_url:url authorization_category:AdAuthorization " +
			"adlabels:list<AdLabel> branded_content:map instagram_branded_content:map facebook_branded_content:map " +
			"contextual_multi_ads:map media_sourcing_spec:map platform_customizations:map ad_disclaimer_spec:map",
		Read:   &Op{Params: "thumbnail_width:int thumbnail_height:int", Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name status:AdCreativeStatus adlabels:json", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified, Note: "Content can't be changed: make a new creative and give it to the ad."},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Edges:  []Edge{{Name: "previews", Get: previews}},
	},
	{
		Name: "AdImage", ID: Opaque, Evidence: Specified,
		Fields: "id* hash* account_id name url:url url_128:url permalink_url:url width:int height:int original_width:int original_height:int " +
			"status:AdImageStatus created_time:time updated_time:time creatives:list<string> is_associated_creatives_in_adgroups:bool",
		Read: &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified, Note: "The id is account:hash."},
	},
	{
		Name: "AdVideo", ID: Digits, Evidence: Specified,
		Fields: "id* title:text description:text length:float created_time:time updated_time*:time status:VideoStatus source:url picture:url " +
			"permalink_url format:json is_instagram_eligible:bool published:bool views:int embeddable:bool",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name description", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "thumbnails", Get: &Op{Returns: "VideoThumbnail", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
		},
	},
	{Name: "AdPreview", Fields: "body* transformation_spec:json", Evidence: Specified},
	{
		Name: "AdRule", ID: Digits, Evidence: Specified,
		Fields: "id* name* account_id status:AdRuleStatus evaluation_spec:map execution_spec:map schedule_spec:map created_time:time " +
			"updated_time:time disable_error_code:int created_by:User",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name status:AdRuleStatus evaluation_spec:map execution_spec:map schedule_spec:map", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "history", Get: &Op{Params: "object_id:id hide_no_changes:bool", Returns: "AdRuleHistory", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
		},
	},
	{
		Name: "AdRuleHistory", Evidence: Specified,
		Fields: "timestamp*:time is_manual*:bool exception_code*:int exception_message* results*:json evaluation_spec:map execution_spec:map schedule_spec:map",
	},
	{
		Name: "AdLabel", ID: Digits, Evidence: Specified,
		Fields: "id* name* account:AdAccount created_time:time updated_time:time",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Update: &Op{Params: "name!", Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
	},
	{
		Name: "AdStudy", ID: Digits, Evidence: Specified,
		Fields: "id* name* description* type* start_time*:time end_time*:time created_time:time updated_time:time canceled_time:time " +
			"observation_end_time:time cooldown_start_time:time results_first_available_date business:Business",
		Read: &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified, Note: "Results are on its objectives; numbers per cell are the insights of the cell's campaigns and ad sets."},
		Update: &Op{
			Params: "name description start_time:unix end_time:unix cells:json objectives:json confidence_level:float", Answer: Success,
			Scopes: adsWrite, Token: UserToken, Evidence: Specified,
		},
		Delete: &Op{Answer: Success, Scopes: adsWrite, Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "cells", Get: &Op{Returns: "AdStudyCell", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{Name: "objectives", Get: &Op{Returns: "AdStudyObjective", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
		},
	},
	{
		Name: "AdStudyCell", ID: Digits, Evidence: Specified,
		Fields: "id* name* treatment_percentage*:float control_percentage*:float ad_entities_count:int ad_ids:list<string>",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
		Edges: []Edge{
			{Name: "campaigns", Get: &Op{Returns: "Campaign", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
			{Name: "adsets", Get: &Op{Returns: "AdSet", Scopes: adsRead, Token: UserToken, Evidence: Specified}},
		},
	},
	{
		Name: "AdStudyObjective", ID: Digits, Evidence: Specified,
		Fields: "id* name* type* is_primary*:bool last_updated_results results:json",
		Read:   &Op{Scopes: adsRead, Token: UserToken, Evidence: Specified},
	},
}

var creativeEnums = map[string]string{
	"AdCreativeStatus": "ACTIVE DELETED IN_PROCESS WITH_ISSUES",
	"AdImageStatus":    "ACTIVE DELETED INTERNAL",
	"AdRuleStatus":     "ENABLED DISABLED DELETED HAS_ISSUES",
	"AdAuthorization":  "NONE POLITICAL POLITICAL_WITH_DIGITALLY_CREATED_MEDIA",
	"AdStudyType":      "SPLIT_TEST LIFT BACKEND_AB_TESTING CONTINUOUS_LIFT_CONFIG CREATIVE_SPEND_ENFORCEMENT GEO_LIFT PORTFOLIO_OPTIMIZER VERSION_CONTROL",
	"AdFormat":         "MOBILE_FEED_STANDARD DESKTOP_FEED_STANDARD MOBILE_FEED_BASIC RIGHT_COLUMN_STANDARD MARKETPLACE_MOBILE FACEBOOK_STORY_MOBILE FACEBOOK_REELS_MOBILE FACEBOOK_PROFILE_FEED_MOBILE FACEBOOK_PROFILE_FEED_DESKTOP INSTAGRAM_STANDARD INSTAGRAM_STORY INSTAGRAM_REELS INSTAGRAM_EXPLORE_GRID_HOME INSTAGRAM_EXPLORE_CONTEXTUAL INSTAGRAM_PROFILE_FEED INSTAGRAM_SEARCH_GRID INSTREAM_VIDEO_DESKTOP INSTREAM_VIDEO_MOBILE SUGGESTED_VIDEO_MOBILE WATCH_FEED_MOBILE AUDIENCE_NETWORK_OUTSTREAM_VIDEO AUDIENCE_NETWORK_INSTREAM_VIDEO AUDIENCE_NETWORK_REWARDED_VIDEO MESSENGER_MOBILE_INBOX_MEDIA BIZ_DISCO_FEED_MOBILE WHATSAPP_STATUS_MEDIA",
	"CallToAction":     "LEARN_MORE SHOP_NOW SIGN_UP SUBSCRIBE BOOK_NOW BUY_NOW BUY_TICKETS CALL_NOW CONTACT_US DONATE_NOW DOWNLOAD GET_DIRECTIONS GET_OFFER GET_PROMOTIONS GET_QUOTE GET_SHOWTIMES GET_STARTED INSTALL_MOBILE_APP LIKE_PAGE LISTEN_NOW MAKE_AN_APPOINTMENT MESSAGE_PAGE NO_BUTTON OPEN_LINK ORDER_NOW PLAY_GAME SEE_MORE SEE_SHOP USE_APP VIEW_PRODUCT VISIT_WEBSITE WATCH_MORE WATCH_VIDEO WHATSAPP_MESSAGE APPLY_NOW",
}
