package graphtool

import "sluice/internal/graphtool/tool"

var instagramMediaTools = []*tool.Tool{
	{
		Name: "meta_get_instagram_media", Title: "List Instagram media", Set: "instagram.read", Core: true,
		Does: "Lists the posts, carousels and reels of one of your Instagram accounts, newest first, with counts of likes and comments.",
		Use:  "To find a media id or to look over recent posts. Stories are in meta_get_instagram_stories; for one post use meta_get_instagram_single_media, for reach and views meta_get_instagram_media_insights.",
		Note: "Meta gives at most the 10,000 newest. media_url is missing for media with copyrighted sound, and runs out after some hours.",
		Args: tool.Join([]tool.Arg{
			igAccount(),
			tool.Time("since", "Only what was published from this time on."),
			tool.Time("until", "Only what was published before this time."),
		}, tool.Page(100)),
		Rules:    []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "media", Fields: igMediaFields}},
		Out:   tool.Out{Columns: []string{"id", "media_product_type", "caption", "like_count", "comments_count", "timestamp", "permalink"}},
		Cases: []tool.Case{
			{
				Name: "page by page", Args: `{"ig_account_id":"5000000000000001","limit":2}`,
				Asks: []string{"GET /5000000000000001/media limit=2 fields=" + igMediaFields},
				Has:  []string{"data.0.id=5100000000000004", "data.0.comments_count=4", "has_more=true", "next_cursor", "untrusted_fields.0=caption"},
			},
			{Name: "an account without posts", Args: `{"ig_account_id":"5000000000000002"}`, Has: []string{"has_more=false"}},
			{Name: "not an id", Args: `{"ig_account_id":"5000000000000001?fields=id"}`, Error: "argument_invalid", Says: []string{"ig_account_id"}},
			{Name: "unknown account", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_single_media", Title: "Get one Instagram post", Set: "instagram.read",
		Does: "Reads one Instagram post, reel or story of your own account: caption, alternative text, address, counts, whether comments are on.",
		Use:  "When the media id is known. To find ids use meta_get_instagram_media; for the parts of a carousel meta_get_instagram_media_children; for posts of others that mention you meta_get_instagram_mention.",
		Args: []tool.Arg{igMediaID("Post, reel or story.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGMedia", ID: "media_id",
			Fields: igMediaFields + ",alt_text,shortcode,username,owner,is_comment_enabled,is_shared_to_feed,is_ai_generated,reposts_count,saved_count,shares_count",
		}},
		Cases: []tool.Case{
			{
				Name: "photo", Args: `{"media_id":"5100000000000001"}`,
				Has: []string{"data.alt_text=A tote bag on a wooden table", "data.is_comment_enabled=true", "data.username=sandbox_shop"},
			},
			{Name: "somebody else's", Args: `{"media_id":"5100000000000041"}`, Error: "object_not_found"},
			{Name: "a number", Args: `{"media_id":5100000000000001}`, Error: "argument_invalid"},
		},
	},
	{
		Name: "meta_get_instagram_media_children", Title: "List parts of an Instagram carousel", Set: "instagram.read",
		Does: "Lists the pictures and videos inside one Instagram carousel, in their order.",
		Use:  "For media whose media_type is CAROUSEL_ALBUM; anything else has no parts. For the carousel itself use meta_get_instagram_single_media.",
		Note: "Parts have no caption, counts or insights of their own.",
		Args: []tool.Arg{igMediaID("Carousel.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGMedia", ID: "media_id", Edge: "children",
			Fields: "id,media_type,media_url,thumbnail_url,permalink,timestamp",
		}},
		Cases: []tool.Case{
			{Name: "three parts", Args: `{"media_id":"5100000000000003"}`, Has: []string{"data.length=3", "data.0.media_type=IMAGE"}},
			{Name: "unknown", Args: `{"media_id":"5100000000000999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_stories", Title: "List live Instagram stories", Set: "instagram.read",
		Does: "Lists the stories of one of your Instagram accounts that are live now, that is of the last 24 hours.",
		Use:  "For posts and reels use meta_get_instagram_media. Read story numbers with meta_get_instagram_media_insights while the story is live: later Meta has none.",
		Note: "Live videos and shared posts of others are left out.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "stories",
			Fields: "id,media_type,media_product_type,media_url,thumbnail_url,permalink,caption,timestamp",
		}},
		Cases: []tool.Case{
			{Name: "one is live", Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.length=1", "data.0.id=5100000000000005"}},
			{Name: "unknown account", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_live_media", Title: "List running Instagram live videos", Set: "instagram.read",
		Does: "Lists the live broadcasts of one of your Instagram accounts that are running at this moment.",
		Use:  "To find the media id of a running broadcast, for its comments (meta_get_instagram_comments). Ended ones are nowhere in the API.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "live_media",
			Fields: "id,media_type,media_product_type,media_url,permalink,caption,comments_count,current_live_viewer_count,timestamp",
		}},
		Cases: []tool.Case{
			{
				Name: "none", Args: `{"ig_account_id":"5000000000000001"}`, Asks: []string{"GET /5000000000000001/live_media"},
				Has: []string{"data.length=0", "has_more=false"},
			},
			{Name: "expired token", Args: `{"ig_account_id":"5000000000000001"}`, Token: "sandbox-token-expired", Error: "connector_expired"},
		},
	},
	{
		Name: "meta_delete_instagram_media", Title: "Delete Instagram media", Set: "instagram.write",
		Does: "Deletes one Instagram post, carousel, reel or story of your own account, with its comments and numbers.",
		Use:  "To take a post away for good. To stop a discussion only, use meta_toggle_instagram_comments or meta_hide_instagram_comment.",
		Note: "It can't be undone. The publishing quota is not given back. Parts of a carousel can't be deleted one by one.",
		Args: []tool.Arg{igMediaID("What to delete.")}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "IGMedia", ID: "media_id"}},
		Cases: []tool.Case{
			{Name: "post", Args: `{"media_id":"5100000000000001"}`, Asks: []string{"DELETE /5100000000000001"}, Has: []string{"data.success=true"}},
			{
				Name: "twice", Before: []tool.Prior{{Tool: "meta_delete_instagram_media", Args: `{"media_id":"5100000000000001"}`}},
				Args: `{"media_id":"5100000000000001"}`, Error: "object_not_found",
			},
			{
				Name: "permission missing", Args: `{"media_id":"5100000000000001"}`, Token: mayReadInstagram,
				Error: "scope_missing", Says: []string{"instagram_manage_contents"},
			},
		},
	},
	{
		Name: "meta_toggle_instagram_comments", Title: "Turn Instagram comments on or off", Set: "instagram.write",
		Does: "Turns commenting on one of your Instagram posts on or off.",
		Use:  "To stop or reopen a whole discussion. For a single comment use meta_hide_instagram_comment or meta_delete_instagram_comment.",
		Note: "Comments that exist stay, and show again when it is turned on. It does nothing for live videos.",
		Args: []tool.Arg{
			igMediaID("Post or reel."),
			tool.Bool("enabled", "true lets people comment, false stops it.").Req().To("comment_enabled"),
		},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "IGMedia", ID: "media_id"}},
		Cases: []tool.Case{
			{
				Name: "off", Args: `{"media_id":"5100000000000004","enabled":false}`,
				Asks: []string{"POST /5100000000000004 comment_enabled=false"}, Has: []string{"data.success=true"},
			},
			{Name: "neither on nor off", Args: `{"media_id":"5100000000000004"}`, Error: "argument_invalid", Says: []string{"enabled"}},
		},
	},
}
