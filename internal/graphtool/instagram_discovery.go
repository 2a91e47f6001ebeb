package graphtool

import "sluice/internal/graphtool/tool"

var instagramDiscoveryTools = []*tool.Tool{
	{
		Name: "meta_search_instagram_hashtag", Title: "Find Instagram media by hashtag", Set: "instagram.read",
		Does: "Lists public Instagram posts with a hashtag: the most popular ones, or those of the last 24 hours.",
		Use:  "For what people post about a topic. For posts of one known account use meta_get_instagram_user, for posts that tag you meta_get_instagram_mentioned_media.",
		Note: "ig_account_id is your account, which asks: 30 different hashtags per 7 days; asking again for one of them is free (meta_get_instagram_recent_hashtags). Authors are not named, stories never show, sensitive hashtags find nothing.",
		Args: tool.Join([]tool.Arg{
			igAccount(),
			tool.Text("hashtag", "One hashtag, without # and blanks.").Req().Min(1).Max(100),
			tool.Enum("edge", "top_media recent_media", "top_media for the most popular, recent_media for the last 24 hours.").Is("top_media").Local(),
		}, tool.Page(50)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: hashtagMedia{},
		Out: tool.Out{
			Of: "IGMedia", List: yes(),
			Members: "media_type media_url:url permalink:url caption:text like_count:int comments_count:int timestamp:time",
			Columns: []string{"id", "media_type", "caption", "like_count", "comments_count", "permalink"},
		},
		Cases: []tool.Case{
			{
				Name: "coffee", Args: `{"ig_account_id":"5000000000000001","hashtag":"coffee"}`,
				Asks: []string{
					"GET /ig_hashtag_search q=coffee user_id=5000000000000001",
					"GET /5400000000000001/top_media user_id=5000000000000001 limit=25 fields=" + igPublicFields,
				},
				Has: []string{"data.length=3", "data.0.id=5100000000000043", "untrusted_fields.0=caption"},
			},
			{
				Name: "today only", Args: `{"ig_account_id":"5000000000000001","hashtag":"#Coffee","edge":"recent_media","limit":1}`,
				Has: []string{"data.length=1", "has_more=false"},
			},
			{Name: "two words", Args: `{"ig_account_id":"5000000000000001","hashtag":"coffee mugs"}`, Error: "argument_invalid", Says: []string{"hashtag"}},
			{Name: "a hashtag that nobody uses", Args: `{"ig_account_id":"5000000000000001","hashtag":"nobodyusesthis"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_get_instagram_recent_hashtags", Title: "List hashtags asked for lately", Set: "instagram.read",
		Does: "Lists the hashtags that an Instagram account asked for in the last 7 days: those that count against its 30.",
		Use:  "Before meta_search_instagram_hashtag, when many hashtags are looked up.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(30)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "recently_searched_hashtags", Fields: "id,name"}},
		Cases: []tool.Case{
			{
				Name: "two", Before: []tool.Prior{{Tool: "meta_search_instagram_hashtag", Args: `{"ig_account_id":"5000000000000001","hashtag":"linen"}`}},
				Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.length=2", "data.0.name=coffee", "data.1.name=linen"},
			},
			{Name: "unknown account", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_mentioned_media", Title: "List Instagram media that tag the account", Set: "instagram.read",
		Does: "Lists public Instagram posts of others in which your account is tagged in the picture.",
		Use:  "To find what customers post with you in it. An @mention in a caption or comment is no tag: its id comes by webhook, and meta_get_instagram_mention reads it.",
		Note: "Captions are written by strangers. Private accounts and stories never show.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "tags", Fields: "id,username,media_type,media_url,permalink,caption,like_count,comments_count,timestamp"}},
		Out:   tool.Out{Columns: []string{"id", "username", "media_type", "caption", "like_count", "timestamp", "permalink"}},
		Cases: []tool.Case{
			{Name: "one", Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.0.id=5100000000000041", "data.0.username=example_bakery", "untrusted_fields.0=caption"}},
			{Name: "a cursor of another list", Args: `{"ig_account_id":"5000000000000001","after":"bm9uZQ"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_get_instagram_mention", Title: "Read an Instagram mention", Set: "instagram.read",
		Does: "Reads one post of somebody else that mentions your Instagram account in its caption.",
		Use:  "With the media_id that a mentions webhook named. For a mention in a comment use meta_get_instagram_comment_mention; for posts that tag you meta_get_instagram_mentioned_media; answer with meta_answer_instagram_mention.",
		Note: "Only posts with @your_name in the caption can be read.",
		Args: []tool.Arg{igAccount(), igMediaID("Post that mentions the account.").Local()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: instagramLookup{Field: "mentioned_media", By: "media_id", Fields: "id,username,caption,media_type,media_url,like_count,comments_count,timestamp"},
		Out: tool.Out{
			Of: "IGMedia", Members: "username caption:text media_type media_url:url like_count:int comments_count:int timestamp:time",
		},
		Cases: []tool.Case{
			{
				Name: "caption", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000042"}`,
				Has: []string{"data.caption=Mugs by @sandbox_shop #coffee", "data.username=example_bakery", "untrusted_fields.0=caption"},
			},
			{Name: "no mention", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000043"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_comment_mention", Title: "Read a mention in an Instagram comment", Set: "instagram.read",
		Does: "Reads one comment on somebody else's post that mentions your Instagram account, with the id of the post.",
		Use:  "With the comment_id that a mentions webhook named. For a mention in a caption use meta_get_instagram_mention; comments on your own posts are in meta_get_instagram_comments.",
		Args: []tool.Arg{igAccount(), igCommentID("Comment that mentions the account.").Local()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Flow: instagramLookup{Field: "mentioned_comment", By: "comment_id", Fields: "id,text,username,timestamp,like_count,media{id,caption,permalink}"},
		Out: tool.Out{
			Of: "IGComment", Members: "username like_count:int media:json", Untrusted: []string{"media.caption"},
		},
		Cases: []tool.Case{
			{
				Name: "comment", Args: `{"ig_account_id":"5000000000000001","comment_id":"5200000000000041"}`,
				Has: []string{"data.username=customer_four", "data.media.id=5100000000000042", "untrusted_fields"},
			},
			{Name: "no mention", Args: `{"ig_account_id":"5000000000000001","comment_id":"5200000000000001"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_answer_instagram_mention", Title: "Answer an Instagram mention", Set: "instagram.write",
		Does: "Writes a public comment as your account on somebody else's post that mentions it, or with comment_id under the comment that does.",
		Use:  "For posts of others only. On your own posts use meta_reply_instagram_comment.",
		Note: "Everybody sees it at once, and the API can't delete it: a person has to, in the app.",
		Args: []tool.Arg{
			igAccount(), igMediaID("Post of the other account."),
			igCommentID("Comment with the mention, when it is not in the caption.").Opt(), igMessage(),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Steps: []tool.Step{{
			Verb: "POST", On: "IGUser", ID: "ig_account_id", Edge: "mentions", Takes: []string{"media_id", "comment_id", "message"},
		}},
		Cases: []tool.Case{
			{
				Name: "under a caption", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000042","message":"Thank you!"}`,
				Asks: []string{"POST /5000000000000001/mentions media_id=5100000000000042 `message=Thank you!`"}, Has: []string{"data.id"},
			},
			{Name: "no mention there", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000041","message":"Hello"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_list_instagram_collaborations", Title: "List Instagram collaboration invitations", Set: "instagram.read",
		Does: "Lists posts of others that wait for your Instagram account to accept being a co-author.",
		Use:  "Before meta_answer_instagram_collaboration. To invite others, give collaborators when publishing.",
		Note: "At most 300 calls a day for each account.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(50)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "collaboration_invites"}},
		Cases: []tool.Case{
			{Name: "one", Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.0.media_id=5100000000000043", "data.0.media_owner_username=example_bakery"}},
			{Name: "unknown account", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_get_instagram_collaborative_media", Title: "List Instagram co-authored media", Set: "instagram.read",
		Does: "Lists posts of others that your Instagram account is an accepted co-author of, with counts of likes, saves and reposts.",
		Use:  "To measure collaborations. Open invitations are in meta_list_instagram_collaborations, your own posts in meta_get_instagram_media.",
		Note: "total_… counts hold advertising and Facebook as well.",
		Args: tool.Join([]tool.Arg{igAccount()}, tool.Page(50)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "IGUser", ID: "ig_account_id", Edge: "collaborative_media"}},
		Out:   tool.Out{Columns: []string{"id", "username", "media_type", "caption", "like_count", "saved_count", "shares_count", "permalink"}},
		Cases: []tool.Case{
			{
				Name: "accepted", Before: []tool.Prior{{
					Tool: "meta_answer_instagram_collaboration", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000043","accept":true}`,
				}},
				Args: `{"ig_account_id":"5000000000000001"}`, Has: []string{"data.0.id=5100000000000043", "data.0.username=example_bakery", "untrusted_fields.0=caption"},
			},
			{Name: "unknown account", Args: `{"ig_account_id":"5999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_answer_instagram_collaboration", Title: "Answer an Instagram collaboration invitation", Set: "instagram.write",
		Does: "Accepts or declines one invitation to be co-author of another account's Instagram post.",
		Use:  "With the media_id that meta_list_instagram_collaborations lists.",
		Note: "Accepted, the post shows on your profile and to your followers at once; only a person in the app can leave it again.",
		Args: []tool.Arg{
			igAccount(), igMediaID("Post of the invitation."), tool.Bool("accept", "true accepts, false declines.").Req(),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Steps: []tool.Step{{
			Verb: "POST", On: "IGUser", ID: "ig_account_id", Edge: "collaboration_invites", Takes: []string{"media_id", "accept"},
		}},
		Cases: []tool.Case{
			{
				Name: "accept", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000043","accept":true}`,
				Asks: []string{"POST /5000000000000001/collaboration_invites media_id=5100000000000043 accept=true"}, Has: []string{"data.success=true"},
			},
			{Name: "no such invitation", Args: `{"ig_account_id":"5000000000000001","media_id":"5100000000000041","accept":true}`, Error: "object_not_found"},
		},
	},
}
