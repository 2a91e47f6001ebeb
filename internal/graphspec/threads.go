package graphspec

// Threads has a host, a version and tokens of its own. Text that other people may have
// written, which is nearly all of it, has the type text.

// Permissions of Threads. Every call needs the first.
const (
	threadsBasic   = "threads_basic"
	threadsPublish = threadsBasic + " threads_content_publish"
	threadsReplies = threadsBasic + " threads_read_replies"
	threadsMeasure = threadsBasic + " threads_manage_insights"
)

var threadsNodes = []*Node{
	{
		Name: "ThreadsUser", ID: Digits, Evidence: Specified,
		Fields: "id* username name:text threads_profile_picture_url:url threads_biography:text is_verified:bool is_eligible_for_geo_gating:bool",
		Read:   threadsGet(threadsBasic, ""),
		Edges: []Edge{
			{
				Name: "threads",
				Get:  &Op{Params: sinceUntil, Returns: "ThreadsMedia", Scopes: threadsBasic, Token: ThreadsToken, Evidence: Specified},
				Post: &Op{
					Params: "media_type:ThreadsMediaType! text image_url:url video_url:url children:list<id> is_carousel_item:bool reply_to_id:id quote_post_id:id " +
						"reply_control:ThreadsReplyControl location_id:id topic_tag link_attachment:url poll_attachment:map gif_attachment:map text_attachment:map " +
						"text_entities:list<map> is_spoiler_media:bool is_ghost_post:bool alt_text allowlisted_country_codes:list<string> auto_publish_text:bool",
					Returns: "ThreadsContainer", Scopes: threadsPublish, Token: ThreadsToken, Evidence: Specified,
					Note: "Answers with a container, which threads_publish publishes; with auto_publish_text and media_type TEXT, with the post.",
				},
			},
			{Name: "threads_publish", Post: &Op{
				Params: "creation_id:id!", Returns: "ThreadsMedia", Scopes: threadsPublish, Token: ThreadsToken, Evidence: Specified,
				Note: "250 posts and 1,000 replies in 24 hours.",
			}},
			{Name: "threads_publishing_limit", Get: &Op{
				Returns: "ThreadsQuota", Scopes: threadsPublish, Token: ThreadsToken, Evidence: Specified,
				Note: "The fields of replies, deletions and location searches need those permissions as well.",
			}},
			{Name: "threads_insights", Get: &Op{
				Params: "metric:list<ThreadsUserMetric>! since:unix until:unix breakdown:ThreadsBreakdown", Returns: "ThreadsInsight",
				Scopes: threadsMeasure, Token: ThreadsToken, Evidence: Specified,
				Note: "Not before 2024-04-13. follower_demographics needs breakdown and 100 followers, and takes no dates.",
			}},
			{Name: "replies", Get: &Op{Params: sinceUntil, Returns: "ThreadsMedia", Scopes: threadsReplies, Token: ThreadsToken, Evidence: Specified}},
			{Name: "mentions", Get: &Op{
				Params: sinceUntil, Returns: "ThreadsMedia", Scopes: threadsBasic + " threads_manage_mentions", Token: ThreadsToken, Evidence: Specified,
			}},
		},
	},
	{
		Name: "ThreadsContainer", ID: Digits, Evidence: Specified,
		Fields: "id* status:ContainerState error_message",
		Read:   threadsGet(threadsBasic, "Expires 24 hours after it was made."),
	},
	{
		Name: "ThreadsMedia", ID: Digits, Evidence: Specified,
		Fields: "id* media_product_type media_type:ThreadsPostType media_url:url permalink:url owner:ThreadsUser username text:text timestamp:time " +
			"shortcode thumbnail_url:url children:list<ThreadsMedia> alt_text:text is_quote_post:bool quoted_post:ThreadsMedia reposted_post:ThreadsMedia " +
			"has_replies:bool is_reply:bool is_reply_owned_by_me:bool root_post:ThreadsMedia replied_to:ThreadsMedia hide_status:ThreadsHideStatus " +
			"reply_audience:ThreadsReplyAudience link_attachment_url:url gif_url:url poll_attachment:ThreadsPoll topic_tag:text " +
			"location_id:id location:ThreadsLocation is_spoiler_media:bool ghost_post_status:ThreadsGhostStatus ghost_post_expiration_timestamp:time",
		Read:   threadsGet(threadsBasic, ""),
		Delete: &Op{Answer: Success + " deleted_id:id", Scopes: threadsBasic + " threads_delete", Token: ThreadsToken, Evidence: Specified, Note: "100 in 24 hours."},
		Edges: []Edge{
			{Name: "replies", Get: &Op{Params: "reverse:bool", Returns: "ThreadsMedia", Scopes: threadsReplies, Token: ThreadsToken, Evidence: Specified}},
			{Name: "conversation", Get: &Op{
				Params: "reverse:bool", Returns: "ThreadsMedia", Scopes: threadsReplies, Token: ThreadsToken, Evidence: Specified,
				Note: "All replies at every depth in one list; only for a post of the token's own account.",
			}},
			{Name: "manage_reply", Post: &Op{
				Params: "hide:bool!", Answer: Success, Scopes: threadsBasic + " threads_manage_replies", Token: ThreadsToken, Evidence: Specified,
				Note: "Only for replies at the first level; what hangs below is hidden with them.",
			}},
			{Name: "children", Get: &Op{Returns: "ThreadsMedia", Scopes: threadsBasic, Token: ThreadsToken, Evidence: Known, Note: "The field of the same name is the documented way."}},
			{Name: "repost", Post: &Op{Returns: "ThreadsMedia", Scopes: threadsPublish, Token: ThreadsToken, Evidence: Specified}},
			{Name: "insights", Get: &Op{
				Params: "metric:list<ThreadsPostMetric>!", Returns: "ThreadsInsight", Scopes: threadsMeasure, Token: ThreadsToken, Evidence: Specified,
				Note: "Empty for reposts.",
			}},
		},
	},
	{
		Name: "ThreadsInsight", ID: NoID, Evidence: Specified,
		Fields: "name* period* values*:list<map> total_value*:map link_total_values*:list<map> title* description* id*",
	},
	{
		Name: "ThreadsQuota", ID: NoID, Evidence: Specified,
		Fields: "quota_usage*:int config:map reply_quota_usage:int reply_config:map delete_quota_usage:int delete_config:map " +
			"location_search_quota_usage:int location_search_config:map",
	},
	{
		Name: "ThreadsPoll", ID: NoID, Evidence: Specified,
		Fields: "option_a*:text option_b*:text option_c*:text option_d*:text option_a_votes_percentage*:float option_b_votes_percentage*:float " +
			"option_c_votes_percentage*:float option_d_votes_percentage*:float total_votes*:int expiration_timestamp*:time",
	},
	{
		Name: "ThreadsLocation", ID: Digits, Evidence: Specified,
		Fields: "id* name:text address:text city:text country latitude:float longitude:float postal_code",
		Read:   threadsGet(threadsBasic+" threads_location_tagging", ""),
	},
	{
		Name: "ThreadsProfile", ID: NoID, Evidence: Specified,
		Fields: "username* name*:text profile_picture_url*:url biography*:text is_verified*:bool follower_count*:int likes_count*:int " +
			"quotes_count*:int replies_count*:int reposts_count*:int views_count*:int",
	},
}

func threadsGet(scopes, note string) *Op {
	return &Op{Scopes: scopes, Token: ThreadsToken, Evidence: Specified, Note: note}
}

// threadsRoot are the edges of Threads that belong to no object.
var threadsRoot = []Edge{
	{Name: "keyword_search", Get: &Op{
		Params:  "q! search_type:ThreadsSearchType search_mode:ThreadsSearchMode media_type:ThreadsSearchMedia author_username " + sinceUntil,
		Returns: "ThreadsMedia", Scopes: threadsBasic + " threads_keyword_search", Token: ThreadsToken, Evidence: Specified,
		Note: "Without approval of the permission it finds posts of the token's own account only.",
	}},
	{Name: "profile_lookup", Get: &Op{
		Params: "username!", Returns: "ThreadsProfile", One: true, Scopes: threadsBasic + " threads_profile_discovery", Token: ThreadsToken, Evidence: Specified,
		Note: "Public profiles with at least 100 followers.",
	}},
	{Name: "profile_posts", Get: &Op{
		Params: "username! " + sinceUntil, Returns: "ThreadsMedia", Scopes: threadsBasic + " threads_profile_discovery", Token: ThreadsToken, Evidence: Specified,
	}},
	{Name: "location_search", Get: &Op{
		Params: "q latitude:float longitude:float", Returns: "ThreadsLocation", Scopes: threadsBasic + " threads_location_tagging", Token: ThreadsToken, Evidence: Specified,
		Note: "500 searches in 24 hours.",
	}},
}

var threadsEnums = map[string]string{
	"ThreadsMediaType":     "TEXT IMAGE VIDEO CAROUSEL",
	"ThreadsPostType":      "TEXT_POST IMAGE VIDEO CAROUSEL_ALBUM AUDIO REPOST_FACADE",
	"ThreadsReplyControl":  "everyone accounts_you_follow mentioned_only parent_post_author_only followers_only",
	"ThreadsReplyAudience": "EVERYONE ACCOUNTS_YOU_FOLLOW MENTIONED_ONLY PARENT_POST_AUTHOR_ONLY FOLLOWERS_ONLY",
	"ThreadsHideStatus":    "NOT_HUSHED UNHUSHED HIDDEN COVERED BLOCKED RESTRICTED",
	"ThreadsGhostStatus":   "ACTIVE EXPIRED",
	"ThreadsSearchType":    "TOP RECENT",
	"ThreadsSearchMode":    "KEYWORD TAG",
	"ThreadsSearchMedia":   "TEXT IMAGE VIDEO",
	"ThreadsBreakdown":     "age city country gender",
	"ThreadsPostMetric":    "views likes replies reposts quotes shares",
	"ThreadsUserMetric":    "views likes replies reposts quotes clicks followers_count follower_demographics",
	"ContainerState":       "IN_PROGRESS FINISHED PUBLISHED ERROR EXPIRED",
}

var threadsErrors = []ErrorRow{
	row("threads_quota", 400, 613, 0, ClassUserRate, Chosen, "(#613) The quota of the Threads profile for 24 hours is used up",
		"Wait; threads_check_rate_limits shows what is left of each quota."),
}
