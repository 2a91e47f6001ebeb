package graphspec

import "slices"

// Pages: the Page itself and what hangs on it. What is published on it is in
// pages_content.go, video and live broadcasts in pages_video.go.

var pageNodes = slices.Concat([]*Node{pageNode}, pageParts, pageContent, pageVideo)

var pageEnums = map[string]string{
	"PhotoListType":      "uploaded tagged profile",
	"PictureSize":        "album large normal small square",
	"VideoListType":      "TAGGED UPLOADED",
	"EventTimeFilter":    "upcoming past",
	"EventState":         "canceled draft published scheduled_draft_for_publication",
	"UnpublishedContent": "ADS_POST DRAFT INLINE_CREATED PUBLISHED PUBLISH_PENDING REVIEWABLE_BRANDED_CONTENT SCHEDULED SCHEDULED_RECURRING",
	"CommentFilter":      "toplevel stream",
	"CommentOrder":       "chronological reverse_chronological",
	"CommentLiveFilter":  "filter_low_quality no_filter",
	"ReactionType":       "ANGRY CARE FIRE HAHA HUNDRED LIKE LOVE NONE PRIDE SAD THANKFUL WOW",
	"UploadPhase":        "start finish START FINISH",
	"VideoUploadPhase":   "start transfer finish cancel",
	"VideoState":         "PUBLISHED SCHEDULED DRAFT",
	"StoryStatus":        "PUBLISHED ARCHIVED",
	"LiveVideoStatus":    "LIVE_NOW SCHEDULED_CANCELED SCHEDULED_LIVE SCHEDULED_UNPUBLISHED UNPUBLISHED",
	"BroadcastStatus":    "LIVE LIVE_STOPPED PROCESSING SCHEDULED_CANCELED SCHEDULED_EXPIRED SCHEDULED_LIVE SCHEDULED_UNPUBLISHED UNPUBLISHED VOD",
	"RecommendationType": "positive negative",
	"PageTemporary":      "DIFFERENTLY_OPEN NO_DATA OPERATING_AS_USUAL TEMPORARILY_CLOSED",
	"PageWebhookField": "affiliation attire awards bio birthday business_integrity call_permission_reply call_settings_update calls category checkins " +
		"comment_poll_response company_overview conversations culinary_team current_location description email feature_access_list " +
		"feed follow founded general_info general_manager group_feed hometown hours inbox_labels invalid_topic_placeholder " +
		"invoice_access_bank_slip_events invoice_access_invoice_change invoice_access_invoice_draft_change " +
		"invoice_access_onboarding_status_active leadgen leadgen_fat leadgen_update live_videos local_delivery location " +
		"marketing_message_clicks marketing_message_deliveries marketing_message_delivery_failed marketing_message_echoes " +
		"marketing_message_reads marketing_messages_subscriber_upload_status mcom_invoice_change members mention merchant_review " +
		"message_context message_deliveries message_echoes message_edits message_mention message_reactions message_reads " +
		"message_template_status_update messages messaging_account_linking messaging_appointments messaging_checkout_updates " +
		"messaging_customer_information messaging_direct_sends messaging_fblogin_account_linking messaging_feedback " +
		"messaging_game_plays messaging_handovers messaging_in_thread_lead_form_submit messaging_integrity messaging_optins " +
		"messaging_optouts messaging_payments messaging_policy_enforcement messaging_postbacks messaging_pre_checkouts " +
		"messaging_referrals mission name page_about_story page_change_proposal page_upcoming_change parking payment_options " +
		"payment_request_update personal_info personal_interests phone picture price_range product_review products public_transit " +
		"publisher_subscriptions ratings registration response_feedback send_cart standby story_poll_response story_share user_action " +
		"video_text_question_responses videos website",
}

// Scopes that most operations on a Page share.
const (
	pageReads   = "pages_read_engagement"
	pageHears   = "pages_read_engagement pages_read_user_content" // words of visitors
	pagePosts   = "pages_manage_posts"
	pageEngages = "pages_manage_engagement"
	pageManages = "pages_manage_metadata"
)

// Fields and parameters that stand in several places.
const (
	commentListParams = "filter:CommentFilter order:CommentOrder live_filter:CommentLiveFilter since:time summary"
	commentParams     = "message attachment_id:id attachment_url:url attachment_share_url:url parent_comment_id:id"
	sinceUntil        = "since:time until:time"
)

var pageNode = &Node{
	Name: "Page", ID: Digits, Evidence: Specified,
	Fields: "id* name* about access_token bio business:Business category category_list:list<PageCategory> checkins:int company_overview " +
		"contact_address:MailingAddress cover:CoverPhoto description emails:list<string> engagement:json fan_count:int followers_count:int " +
		"founded general_info has_added_app:bool hours:map impressum instagram_business_account:IGUser connected_instagram_account:IGUser " +
		"is_always_open:bool is_permanently_closed:bool is_published:bool is_verified:bool is_webhooks_subscribed:bool link:url " +
		"location:Location mission name_with_location_descriptor new_like_count:int overall_star_rating:float parent_page:Page " +
		"phone picture:json price_range products promotion_eligible:bool promotion_ineligible_reason rating_count:int " +
		"single_line_address store_code store_location_descriptor store_number:int talking_about_count:int tasks:list<string> temporary_status:PageTemporary " +
		"unread_message_count:int unread_notif_count:int unseen_message_count:int username verification_status website:url were_here_count:int",
	Read: &Op{Scopes: "pages_show_list|pages_read_engagement", Token: UserToken, Evidence: Specified},
	Update: &Op{
		Params: "about bio category_list:list<string> company_overview contact_address:json cover:id description emails:list<string> " +
			"general_info hours:map impressum is_always_open:bool is_permanently_closed:bool is_published:bool is_webhooks_subscribed:bool " +
			"location:json menu mission no_feed_story:bool no_notification:bool offset_x:int offset_y:int phone price_range temporary_status:PageTemporary website:url",
		Answer: Success, Scopes: pageManages, Token: PageToken, Evidence: Specified,
		Note: "The cover is a photo's id, with offset_y and no_feed_story beside it. Neither category nor username can be set.",
	},
	Edges: slices.Concat(pageInbox, []Edge{
		{
			Name: "feed",
			Get: &Op{
				Params: "include_hidden:bool show_expired:bool " + sinceUntil, Returns: "PagePost",
				Scopes: pageHears, Token: PageToken, Evidence: Specified, Note: "With posts of visitors and posts that tag the Page.",
			},
			Post: &Op{
				Params: "message link:url published:bool scheduled_publish_time:time unpublished_content_type:UnpublishedContent " +
					"attached_media:list<AttachedMedia> child_attachments:list<json> call_to_action:json name description picture:url place:id tags:list<id> " +
					"targeting:json feed_targeting:json backdated_time:time",
				Returns: "PagePost", Scopes: pagePosts, Token: PageToken, Evidence: Specified,
				Note: "A scheduled post has published=false and a time 10 minutes to 30 days ahead.",
			},
		},
		{Name: "published_posts", Get: &Op{
			Params: "include_hidden:bool show_expired:bool summary " + sinceUntil, Returns: "PagePost",
			Scopes: pageReads, Token: PageToken, Evidence: Specified,
		}},
		{Name: "posts", Get: &Op{
			Params: "include_hidden:bool show_expired:bool q " + sinceUntil, Returns: "PagePost",
			Scopes: pageReads, Token: PageToken, Evidence: Specified,
		}},
		{Name: "scheduled_posts", Get: &Op{Returns: "PagePost", Scopes: pageReads + " " + pagePosts, Token: PageToken, Evidence: Specified}},
		{Name: "ads_posts", Get: &Op{
			Params: "exclude_dynamic_ads:bool include_inline_create:bool " + sinceUntil, Returns: "PagePost",
			Scopes: pageReads, Token: PageToken, Evidence: Specified,
		}},
		{Name: "tagged", Get: &Op{Returns: "PagePost", Scopes: pageHears, Token: PageToken, Evidence: Specified}},
		{Name: "visitor_posts", Get: &Op{
			Params: "include_hidden:bool show_expired:bool", Returns: "PagePost", Scopes: pageHears, Token: PageToken, Evidence: Specified,
		}},
		{
			Name: "photos",
			Get:  &Op{Params: "type:PhotoListType biz_tag_id:id business_id:id", Returns: "Photo", Scopes: pageReads, Token: PageToken, Evidence: Specified},
			Post: &Op{
				Params: "url:url source:file message caption alt_text_custom published:bool scheduled_publish_time:time " +
					"unpublished_content_type:UnpublishedContent temporary:bool no_story:bool place:id targeting:json feed_targeting:json backdated_time:time",
				Returns: "Photo", Answer: "post_id:id", Scopes: pagePosts, Token: PageToken, Evidence: Specified,
				Note: "published=false keeps the photo for attached_media, photo_stories or the cover. At most 10 MB.",
			},
		},
		{Name: "albums", Get: &Op{Returns: "Album", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
		{Name: "photo_stories", Post: &Op{
			Params: "photo_id:id!", Answer: "success:bool post_id:id", Scopes: pagePosts, Token: PageToken, Evidence: Documented,
			Note: "The photo is one that was uploaded with published=false.",
		}},
		{Name: "stories", Get: &Op{
			Params: "status:list<StoryStatus> " + sinceUntil, Returns: "Story", Scopes: pageReads, Token: PageToken, Evidence: Specified,
			Note: "Only for reading; stories are made on photo_stories and video_stories.",
		}},
		{
			Name: "videos",
			Get:  &Op{Params: "type:VideoListType", Returns: "Video", Scopes: pageReads, Token: PageToken, Evidence: Specified},
			Post: &Op{
				Params: "file_url:url source:file title description published:bool scheduled_publish_time:time " +
					"unpublished_content_type:UnpublishedContent upload_phase:VideoUploadPhase upload_session_id:id start_offset:int end_offset:int " +
					"file_size:int video_file_chunk:file content_tags:list<string> custom_labels:list<string> targeting:json no_story:bool embeddable:bool",
				Returns: "Video", Scopes: pagePosts, Token: PageToken, Evidence: Specified,
				Note: "Meta fetches file_url in the background; status of the video tells how far it is.",
			},
		},
		{
			Name: "video_reels",
			Get:  &Op{Params: sinceUntil, Returns: "Video", Scopes: pageReads, Token: PageToken, Evidence: Specified},
			Post: &Op{
				Params: "upload_phase:UploadPhase! video_id:id video_state:VideoState description title scheduled_publish_time:time place:id targeting:json feed_targeting:json",
				Answer: "video_id:id upload_url:url success:bool post_id:id", Scopes: pagePosts + " " + pageReads, Token: PageToken, Evidence: Specified,
				Note: "start answers video_id and upload_url; the bytes go to the upload host; finish publishes. 3 to 90 seconds, 9:16.",
			},
		},
		{Name: "video_stories", Post: &Op{
			Params: "upload_phase:UploadPhase! video_id:id description title video_state:VideoState scheduled_publish_time:time targeting:json",
			Answer: "video_id:id upload_url:url success:bool post_id:id", Scopes: pagePosts + " " + pageReads, Token: PageToken, Evidence: Documented,
		}},
		{
			Name: "live_videos",
			Get:  &Op{Params: "broadcast_status:list<BroadcastStatus> source", Returns: "LiveVideo", Scopes: pageReads, Token: PageToken, Evidence: Specified},
			Post: &Op{
				Params: "title description status:LiveVideoStatus event_params:json content_tags:list<string> custom_labels:list<string> " +
					"enable_backup_ingest:bool is_audio_only:bool privacy:json published:bool stop_on_delete_stream:bool targeting:json",
				Returns: "LiveVideo", Answer: "stream_url secure_stream_url", Scopes: pagePosts + " " + pageReads, Token: PageToken, Evidence: Specified,
				Note: "The stream addresses hold the stream key. A planned start goes into event_params.start_time (planned_start_time is gone).",
			},
		},
		{Name: "events", Get: &Op{
			Params: "time_filter:EventTimeFilter event_state_filter:list<EventState> include_canceled:bool type", Returns: "Event",
			Scopes: pageReads, Token: PageToken, Evidence: Specified, Note: "Only for reading.",
		}},
		{Name: "ratings", Get: &Op{Returns: "Recommendation", Scopes: pageHears, Token: PageToken, Evidence: Specified}},
		{Name: "tabs", Get: &Op{
			Params: "tab:list<string>", Returns: "Tab", Scopes: pageManages, Token: PageToken, Evidence: Specified,
			Note: "Of classic Pages; most Pages answer with little.",
		}},
		{Name: "locations", Get: &Op{Returns: "Page", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
		{Name: "call_to_actions", Get: &Op{Returns: "PageCallToAction", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
		{
			Name: "picture",
			Get: &Op{
				Params: "type:PictureSize width:int height:int redirect:bool", Returns: "ProfilePictureSource", One: true, Token: UserToken,
				Scopes: "pages_show_list|pages_read_engagement", Evidence: Specified, Note: "An image, unless redirect=false asks for its address.",
			},
			Post: &Op{Params: "picture:url photo:id suppress_stories:bool", Answer: Success, Scopes: pagePosts + " " + pageManages, Token: PageToken, Evidence: Specified},
		},
		{
			Name:   "blocked",
			Get:    &Op{Params: "user:id uid:id", Returns: "Profile", Scopes: pageReads, Token: PageToken, Evidence: Specified},
			Post:   &Op{Params: "uid:list<id> psid:list<id> asid:list<id> user:list<id>", Scopes: pageEngages, Token: PageToken, Evidence: Specified, Note: "The answer has one yes or no per person, by id."},
			Delete: &Op{Params: "uid:id psid:id asid:id user:id", Answer: Success, Scopes: pageEngages, Token: PageToken, Evidence: Specified},
		},
		{
			Name: "subscribed_apps",
			Get:  &Op{Returns: "SubscribedApp", Scopes: pageManages, Token: PageToken, Evidence: Specified},
			Post: &Op{
				Params: "subscribed_fields:list<PageWebhookField>!", Answer: Success, Scopes: pageManages, Token: PageToken, Evidence: Specified,
				Note: "Takes the place of the fields that this app had.",
			},
			Delete: &Op{Answer: Success, Scopes: pageManages, Token: PageToken, Evidence: Specified},
		},
	}),
}
