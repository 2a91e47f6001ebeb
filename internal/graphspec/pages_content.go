package graphspec

// What is published on Pages: posts, comments, photos, albums, stories.

// likesEdge and reactionsEdge are alike on posts, comments, photos and videos.
var likesEdge = Edge{
	Name:   "likes",
	Get:    &Op{Params: "summary", Returns: "Profile", Scopes: pageReads, Token: PageToken, Evidence: Specified},
	Post:   &Op{Answer: Success, Scopes: pageEngages, Token: PageToken, Evidence: Specified},
	Delete: &Op{Answer: Success, Scopes: pageEngages, Token: PageToken, Evidence: Specified},
}

var reactionsEdge = Edge{
	Name: "reactions",
	Get:  &Op{Params: "type:ReactionType summary", Returns: "Reaction", Scopes: pageReads, Token: PageToken, Evidence: Specified},
}

// On photos, albums and videos taking a like back, and reactions, are not in the
// published specification.
var (
	mediaLikesEdge = Edge{
		Name: "likes", Get: likesEdge.Get, Post: likesEdge.Post,
		Delete: &Op{Answer: Success, Scopes: pageEngages, Token: PageToken, Evidence: Known},
	}
	mediaReactionsEdge = Edge{
		Name: "reactions",
		Get:  &Op{Params: "type:ReactionType summary", Returns: "Reaction", Scopes: pageReads, Token: PageToken, Evidence: Known},
	}
)

var commentsEdge = Edge{
	Name: "comments",
	Get:  &Op{Params: commentListParams, Returns: "Comment", Scopes: pageHears, Token: PageToken, Evidence: Specified},
	Post: &Op{Params: commentParams, Returns: "Comment", Scopes: pageEngages, Token: PageToken, Evidence: Specified},
}

var pageContent = []*Node{
	{
		Name: "PagePost", ID: Composite, Evidence: Specified,
		Fields: "id* created_time*:time message*:text story*:text actions:json admin_creator:json backdated_time:time call_to_action:json " +
			"can_reply_privately:bool child_attachments:list<json> from:Profile full_picture:url picture:url icon:url is_eligible_for_promotion:bool " +
			"is_expired:bool is_hidden:bool is_instagram_eligible:bool is_popular:bool is_published:bool message_tags:list<json> parent_id:id permalink_url:url " +
			"place:Place privacy:json promotable_id:id promotion_status scheduled_publish_time:unix shares:Shares status_type subscribed:bool target:json " +
			"timeline_visibility updated_time:time allowed_advertising_objectives:list<string>",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
		Update: &Op{
			Params: "message is_hidden:bool is_pinned:bool is_published:bool scheduled_publish_time:time backdated_time:time attached_media:list<AttachedMedia> place:id " +
				"timeline_visibility",
			Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified,
			Note: "The text of a post can be changed by the app that made it.",
		},
		Delete: &Op{Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified},
		Edges: []Edge{
			commentsEdge, likesEdge, reactionsEdge,
			{Name: "attachments", Get: &Op{Returns: "StoryAttachment", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
			{Name: "sharedposts", Get: &Op{Returns: "PagePost", Scopes: pageHears, Token: PageToken, Evidence: Specified}},
		},
	},
	{Name: "AttachedMedia", Evidence: Known, Fields: "media_fbid*:id message link:url"},
	{Name: "Shares", Evidence: Known, Fields: "count*:int"},
	{
		Name: "StoryAttachment", Evidence: Specified,
		Fields: "title*:text description*:text type*:string media_type url*:url unshimmed_url:url media*:json target*:json subattachments:json",
	},
	{
		Name: "Comment", ID: Composite, Evidence: Specified,
		Fields: "id* message*:text created_time*:time from*:Profile attachment:json can_comment:bool can_hide:bool can_like:bool can_remove:bool " +
			"can_reply_privately:bool comment_count:int is_hidden:bool is_private:bool like_count:int message_tags:list<json> object:json " +
			"parent:Comment permalink_url:url user_likes:bool",
		Read: &Op{Scopes: pageHears, Token: PageToken, Evidence: Specified},
		Update: &Op{
			Params: "is_hidden:bool message attachment_id:id attachment_url:url", Answer: Success,
			Scopes: pageEngages, Token: PageToken, Evidence: Specified, Note: "Only its author can change the text.",
		},
		Delete: &Op{Answer: Success, Scopes: pageEngages, Token: PageToken, Evidence: Specified},
		Edges:  []Edge{commentsEdge, likesEdge, reactionsEdge},
	},
	{Name: "Reaction", ID: Digits, Evidence: Specified, Fields: "id* name*:text type*:ReactionType link:url username:text"},
	{
		Name: "Photo", ID: Digits, Evidence: Specified,
		Fields: "id* name:text created_time*:time updated_time:time album:Album alt_text alt_text_custom backdated_time:time can_delete:bool " +
			"from:Profile height:int width:int icon:url images:list<json> link:url page_story_id:id picture:url source:url place:Place target:json",
		Read:   &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
		Delete: &Op{Answer: Success, Scopes: pagePosts, Token: PageToken, Evidence: Specified},
		Edges:  []Edge{commentsEdge, mediaLikesEdge, mediaReactionsEdge},
	},
	{
		Name: "Album", ID: Digits, Evidence: Specified,
		Fields: "id* name* created_time*:time updated_time:time description:text count:int photo_count:int video_count:int type link:url " +
			"cover_photo:Photo can_upload:bool from:Profile location place:Place privacy",
		Read: &Op{Scopes: pageReads, Token: PageToken, Evidence: Specified},
		Edges: []Edge{
			commentsEdge, mediaLikesEdge,
			{Name: "photos", Get: &Op{Returns: "Photo", Scopes: pageReads, Token: PageToken, Evidence: Specified}},
		},
	},
	{
		Name: "Story", Evidence: Specified, Fields: "post_id*:id status*:StoryStatus creation_time*:unix media_type* media_id*:id url*:url",
	},
}
