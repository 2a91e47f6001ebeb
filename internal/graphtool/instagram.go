package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// instagramTools are the tools for Instagram's professional accounts. They go through
// the Page that the account is linked to: Facebook Login, graph.facebook.com.
var instagramTools = slices.Concat(
	instagramAccountTools, instagramMediaTools, instagramPublishTools, instagramCommentTools,
	instagramDiscoveryTools, instagramShopTools, instagramInsightTools,
)

// Fields that the tools ask for.
const (
	igProfileFields = "id,username,name,biography,website,followers_count,follows_count,media_count,profile_picture_url"
	igMediaFields   = "id,media_type,media_product_type,media_url,thumbnail_url,permalink,caption,like_count,comments_count,timestamp"
	igCommentFields = "id,text,username,timestamp,like_count,hidden,parent_id,from"
	// Media that hashtags lead to show less than one's own.
	igPublicFields = "id,media_type,media_url,permalink,caption,like_count,comments_count,timestamp"
)

func igAccount() tool.Arg {
	return tool.ID("ig_account_id", "IGUser", "Instagram professional account, as meta_list_instagram_accounts lists it.")
}

func igMediaID(doc string) tool.Arg { return tool.ID("media_id", "IGMedia", doc) }

func igCommentID(doc string) tool.Arg { return tool.ID("comment_id", "IGComment", doc) }

func yes() *bool { b := true; return &b }

// mayReadInstagram is, in cases, a token that may read posts and nothing else.
const mayReadInstagram = "only:instagram_basic,pages_read_engagement"
