package graphspec

// Permissions of the Instagram parts, behind Facebook Login. [D] The Page that the
// account is linked to is read as well, hence pages_read_engagement.
const (
	igRead     = "instagram_basic pages_read_engagement"
	igPublish  = "instagram_basic instagram_content_publish pages_read_engagement"
	igComments = "instagram_basic instagram_manage_comments pages_read_engagement"
	igInsights = "instagram_basic instagram_manage_insights pages_read_engagement"
	igDelete   = "instagram_basic instagram_manage_contents pages_read_engagement"
	igLikes    = "instagram_basic instagram_manage_engagement pages_read_engagement"
	igProducts = "instagram_basic instagram_shopping_tag_products catalog_management"
)

// Notes on operations that several records share.
const (
	igPerDay        = "Published posts count against content_publishing_limit, a carousel once."
	igOnlyCreation  = "Takes creation_id and nothing else: there is no scheduling."
	igFieldOnly     = "Read as a field with an argument: business_discovery.username(name){id,username}."
	igTopLevelReply = "A reply to a reply is put under the top-level comment."
)

// instagramRoot are the calls that belong to no object.
var instagramRoot = []Edge{{
	Name: "ig_hashtag_search",
	Get: &Op{
		Params: "user_id:id! q!", Returns: "IGHashtag", Scopes: igRead, Token: UserToken, Evidence: Documented,
		Note: "30 different hashtags per account in 7 days.",
	},
}}

var instagramNodes = []*Node{
	{
		Name: "IGUser", ID: Digits, Evidence: Specified,
		Fields: "id* username name:text biography:text website:url followers_count:int follows_count:int media_count:int " +
			"profile_picture_url:url has_profile_pic:bool ig_id:int is_published:bool legacy_instagram_user_id " +
			"owner_business:Business shopping_product_tag_eligibility:bool shopping_review_status " +
			"business_discovery:IGUser mentioned_media:IGMedia mentioned_comment:IGComment",
		Read: &Op{Scopes: igRead, Token: UserToken, Evidence: Documented},
		Edges: []Edge{
			{
				Name: "media",
				Get:  &Op{Params: "since:unix until:unix", Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Documented},
				Post: &Op{
					Params: "image_url:url video_url:url upload_type:IGUploadType media_type:IGContainerType caption " +
						"children:list<id> is_carousel_item:bool alt_text collaborators:list<string> user_tags:list<map> " +
						"product_tags:list<map> location_id:id cover_url:url thumb_offset:int share_to_feed:bool audio_name " +
						"trial_params:map is_ai_generated:bool is_paid_partnership:bool branded_content_sponsor_ids:list<id>",
					Returns: "IGContainer", Scopes: igPublish, Token: UserToken, Evidence: Specified, Note: igPerDay,
				},
			},
			{Name: "media_publish", Post: &Op{
				Params: "creation_id:id!", Returns: "IGMedia", Scopes: igPublish, Token: UserToken, Evidence: Specified, Note: igOnlyCreation,
			}},
			{Name: "stories", Get: &Op{Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Documented, Note: "Those of the last 24 hours."}},
			{Name: "live_media", Get: &Op{Params: "since:unix until:unix", Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Specified}},
			{Name: "tags", Get: &Op{Returns: "IGMedia", Scopes: igComments, Token: UserToken, Evidence: Documented}},
			{Name: "content_publishing_limit", Get: &Op{
				Params: "since:unix", Returns: "IGPublishingLimit", Scopes: igPublish, Token: UserToken, Evidence: Documented,
			}},
			{Name: "insights", Get: &Op{
				Params: "metric:list<string>! period:IGPeriod! metric_type:IGMetricType breakdown:list<string> timeframe:IGTimeframe " +
					"since:unix until:unix",
				Returns: "IGInsight", Scopes: igInsights, Token: UserToken, Evidence: Documented,
			}},
			{
				Name:   "likes",
				Post:   &Op{Params: "media_id:id comment_id:id", Answer: Success, Scopes: igLikes, Token: UserToken, Evidence: Documented},
				Delete: &Op{Params: "media_id:id comment_id:id", Answer: Success, Scopes: igLikes, Token: UserToken, Evidence: Documented},
			},
			{Name: "collaborative_media", Get: &Op{Returns: "IGCollaborativeMedia", Scopes: igRead, Token: UserToken, Evidence: Documented}},
			{Name: "mentions", Post: &Op{
				Params: "media_id:id! comment_id:id message!", Answer: "id", Scopes: igComments, Token: UserToken, Evidence: Documented,
			}},
			{Name: "recently_searched_hashtags", Get: &Op{Returns: "IGHashtag", Scopes: igRead, Token: UserToken, Evidence: Documented}},
			{Name: "available_catalogs", Get: &Op{Returns: "IGAvailableCatalog", Scopes: igProducts, Token: UserToken, Evidence: Specified}},
			{Name: "catalog_product_search", Get: &Op{
				Params: "catalog_id:id! q", Returns: "IGCatalogProduct", Scopes: igProducts, Token: UserToken, Evidence: Specified,
			}},
			{Name: "business_discovery", Get: &Op{
				Params: "username!", Returns: "IGUser", One: true, Scopes: igRead, Token: UserToken, Evidence: Documented, Note: igFieldOnly,
			}},
			{Name: "mentioned_media", Get: &Op{
				Params: "media_id:id!", Returns: "IGMedia", One: true, Scopes: igComments, Token: UserToken, Evidence: Documented, Note: igFieldOnly,
			}},
			{Name: "mentioned_comment", Get: &Op{
				Params: "comment_id:id!", Returns: "IGComment", One: true, Scopes: igComments, Token: UserToken, Evidence: Documented, Note: igFieldOnly,
			}},
			{
				Name: "collaboration_invites",
				Get:  &Op{Returns: "IGCollaborationInvite", Scopes: igRead, Token: UserToken, Evidence: Documented},
				Post: &Op{Params: "media_id:id! accept:bool!", Answer: Success, Scopes: igRead, Token: UserToken, Evidence: Documented},
			},
		},
	},
	{
		Name: "IGMedia", ID: Digits, Evidence: Specified,
		Fields: "id* media_type:IGMediaType media_product_type:IGProductType caption:text alt_text:text media_url:url thumbnail_url:url " +
			"permalink:url shortcode timestamp:time username owner:IGUser like_count:int comments_count:int view_count:int " +
			"is_comment_enabled:bool is_shared_to_feed:bool is_ai_generated:bool video_title:text has_poll:bool has_slider:bool " +
			"reposts_count:int saved_count:int shares_count:int total_like_count:int total_comments_count:int total_views_count:int " +
			"media_audio_type current_live_viewer_count:int ig_id legacy_instagram_media_id boost_eligibility_info:json copyright_check_information:json",
		Read:   &Op{Scopes: igRead, Token: UserToken, Evidence: Documented},
		Update: &Op{Params: "comment_enabled:bool!", Answer: Success, Scopes: igComments, Token: UserToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: igDelete, Token: UserToken, Evidence: Specified, Note: "Only behind Facebook Login."},
		Edges: []Edge{
			{Name: "children", Get: &Op{Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Documented}},
			{
				Name: "comments",
				Get:  &Op{Returns: "IGComment", Scopes: igComments, Token: UserToken, Evidence: Documented, Note: "Top-level comments; replies hang under each."},
				Post: &Op{Params: "message!", Returns: "IGComment", Scopes: igComments, Token: UserToken, Evidence: Documented},
			},
			{Name: "insights", Get: &Op{
				Params: "metric:list<string>! period:IGPeriod breakdown:list<string>", Returns: "IGInsight",
				Scopes: igInsights, Token: UserToken, Evidence: Documented,
			}},
			{
				Name: "product_tags",
				Get:  &Op{Returns: "IGProductTag", Scopes: igProducts, Token: UserToken, Evidence: Specified},
				Post: &Op{
					Params: "updated_tags:list<map>! child_index:int", Answer: Success, Scopes: igProducts, Token: UserToken, Evidence: Specified,
				},
			},
			{Name: "collaborators", Get: &Op{Returns: "IGCollaborator", Scopes: igRead, Token: UserToken, Evidence: Specified}},
		},
	},
	{
		Name: "IGComment", ID: Digits, Evidence: Specified,
		Fields: "id* text*:text timestamp*:time username from:json user:IGUser like_count:int hidden:bool parent_id:id media:IGMedia " +
			"legacy_instagram_comment_id",
		Read:   &Op{Scopes: igComments, Token: UserToken, Evidence: Documented},
		Update: &Op{Params: "hide:bool!", Answer: Success, Scopes: igComments, Token: UserToken, Evidence: Documented},
		Delete: &Op{Answer: Success, Scopes: igComments, Token: UserToken, Evidence: Documented},
		Edges: []Edge{{
			Name: "replies",
			Get:  &Op{Returns: "IGComment", Scopes: igComments, Token: UserToken, Evidence: Documented},
			Post: &Op{Params: "message!", Returns: "IGComment", Scopes: igComments, Token: UserToken, Evidence: Documented, Note: igTopLevelReply},
		}},
	},
	{
		// ShadowIGMediaBuilder in Meta's specification, IG Container in its pages.
		Name: "IGContainer", ID: Digits, Evidence: Documented,
		Fields: "id* status_code:IGStatusCode status video_status:json copyright_check_status:json",
		Read:   &Op{Scopes: igPublish, Token: UserToken, Evidence: Documented},
		Edges: []Edge{{
			// rupload.facebook.com/ig-api-upload/{version}/{container}
			Name: "ig-api-upload",
			Post: &Op{
				Answer: "success:bool message", Scopes: igPublish, Token: UserToken, Evidence: Documented,
				Note: "Bytes with the headers offset and file_size, or the header file_url.",
			},
		}},
	},
	{
		Name: "IGHashtag", ID: Digits, Evidence: Documented,
		Fields: "id* name",
		Read:   &Op{Scopes: igRead, Token: UserToken, Evidence: Documented},
		Edges: []Edge{
			{Name: "top_media", Get: &Op{Params: "user_id:id!", Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Documented}},
			{Name: "recent_media", Get: &Op{
				Params: "user_id:id!", Returns: "IGMedia", Scopes: igRead, Token: UserToken, Evidence: Documented, Note: "Of the last 24 hours.",
			}},
		},
	},
	{Name: "IGPublishingLimit", ID: NoID, Evidence: Specified, Fields: "quota_usage*:int config*:json"},
	{Name: "IGInsight", ID: NoID, Evidence: Specified, Fields: "name* period* title* description* id* values*:list<json> total_value*:json"},
	{Name: "IGAvailableCatalog", ID: NoID, Evidence: Specified, Fields: "catalog_id*:id catalog_name* shop_name* product_count*:int"},
	{
		Name: "IGCatalogProduct", ID: NoID, Evidence: Specified,
		Fields: "product_id*:id merchant_id*:id product_name* image_url*:url retailer_id* review_status* is_checkout_flow*:bool product_variants*:json",
	},
	{
		Name: "IGProductTag", ID: NoID, Evidence: Specified,
		Fields: "product_id*:id merchant_id*:id name* price_string* image_url*:url review_status* is_checkout*:bool " +
			"stripped_price_string* stripped_sale_price_string* x*:float y*:float",
	},
	{Name: "IGCollaborator", ID: Digits, Evidence: Specified, Fields: "id* username* invite_status*"},
	{
		Name: "IGCollaborativeMedia", ID: Digits, Evidence: Specified,
		Fields: "id* username* media_type*:IGMediaType media_product_type*:IGProductType caption*:text media_url*:url thumbnail_url*:url " +
			"permalink*:url timestamp*:time like_count*:int comments_count*:int reposts_count*:int saved_count*:int shares_count*:int " +
			"total_like_count*:int total_comments_count*:int total_views_count*:int",
	},
	{
		Name: "IGCollaborationInvite", ID: NoID, Evidence: Documented,
		Fields: "media_id*:id media_owner_username* caption*:text media_url*:url",
	},
}

var instagramEnums = map[string]string{
	"IGMediaType":     "IMAGE VIDEO CAROUSEL_ALBUM",
	"IGProductType":   "FEED REELS STORY AD",
	"IGContainerType": "REELS STORIES CAROUSEL VIDEO", // an image has none
	"IGUploadType":    "resumable",
	"IGStatusCode":    "IN_PROGRESS FINISHED PUBLISHED ERROR EXPIRED",
	"IGMetricType":    "default time_series total_value",
	"IGPeriod":        "day week days_28 month lifetime total_over_range",
	"IGTimeframe":     "last_14_days last_30_days last_90_days prev_month this_month this_week",
}
