package graphtool

import (
	"slices"
	"strings"
	"time"

	"sluice/internal/graphtool/tool"
)

// Posts and comments of Pages. Photos, videos and live broadcasts are in page_media.go.

var pageContentTools = slices.Concat(pageAudienceTools, pagePostTools, pagePostListTools, pageCommentTools, pageReactionTools, pagePhotoTools, pageVideoTools, pageLiveTools, pageCrossTools)

const postFields = "id,message,story,created_time,status_type,permalink_url,full_picture,from{id,name},attachments{title,description,type,url},shares,is_published"

// postWords are the words of outsiders in an attachment: the title of a linked page.
var postWords = []string{"attachments.title", "attachments.description"}

// longText is longer than the profile's short text may be.
var longText = strings.Repeat("x", 256)

// Meta takes scheduled times from 10 minutes to 30 days ahead. A little more than ten
// minutes is asked for, because the request takes its time too.
const (
	postSoonest = 10*time.Minute + 10*time.Second
	postLatest  = 30 * 24 * time.Hour
)

func scheduledTime(what string) tool.Arg {
	return tool.Time("scheduled_publish_time", "When "+what+" is published, 10 minutes to 30 days ahead; until then it is hidden.").Within(postSoonest, postLatest)
}

func postID(doc string) tool.Arg { return tool.ID("post_id", "PagePost", doc) }

var pagePostTools = []*tool.Tool{
	{
		Name: "meta_create_post", Title: "Create Facebook Page post", Set: "pages.write", Core: true,
		Does: "Publishes, schedules or stores one post with text, a link or photos that were uploaded, on a Facebook Page.",
		Use:  "For one photo from an address use meta_create_photo_post, for several meta_create_multi_photo_post, for video meta_create_video_post or meta_publish_page_reel. To post on Instagram as well use meta_cross_post.",
		Note: "Published posts are public at once. Meta makes a link's preview from the linked page; title and picture can't be set here. published=false without a time stores an unpublished post. Repeating the same text soon is refused as a duplicate.",
		Args: []tool.Arg{
			pageID("Page to post on."),
			tool.Text("message", "Text of the post.").Min(1).Max(63206),
			tool.URL("link", "Address to share with a preview."),
			tool.Bool("published", "false stores the post unpublished.").Is(true),
			scheduledTime("the post"),
			tool.List("attached_media", tool.Object("", "",
				tool.ID("media_fbid", "Photo", "Photo from meta_create_photo_post with published=false."),
				tool.Text("message", "Caption of this photo.")), "Up to 10 photos that were uploaded unpublished, in order; not with link.").Min(1).Max(10),
			tool.ID("place", "Place", "Place to tag, from meta_search_places.").Opt(),
		},
		AnyOf: []string{"message link attached_media"}, Rules: []tool.Rule{tool.AtMostOne("link", "attached_media")},
		Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Steps: []tool.Step{
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "feed", When: "scheduled_publish_time", Fixed: map[string]string{"published": "false"},
				Takes: []string{"message", "link", "attached_media", "place", "scheduled_publish_time"},
			},
			{
				Verb: "POST", On: "Page", ID: "page_id", Edge: "feed", When: "!scheduled_publish_time",
				Takes: []string{"message", "link", "attached_media", "place", "published"},
			},
		},
		Out: tool.Out{Heading: "Post {id}"},
		Cases: []tool.Case{
			{
				Name: "publishes", Args: `{"page_id":"4000000000000001","message":"New tea","link":"https://example.com/tea"}`,
				Asks: []string{"POST /4000000000000001/feed link=https://example.com/tea `message=New tea` published=true"}, Has: []string{"data.id"}, Shows: []string{"Post 4000000000000001_"},
			},
			{
				Name: "schedules", Args: `{"page_id":"4000000000000001","message":"Tomorrow","scheduled_publish_time":${now+86400}}`,
				Asks: []string{"POST /4000000000000001/feed message=Tomorrow published=false scheduled_publish_time=${now+86400}"}, Has: []string{"data.id"},
			},
			{
				Name: "with photos", Before: []tool.Prior{{Tool: "meta_create_photo_post", Args: `{"page_id":"4000000000000001","url":"https://example.com/a.jpg","published":false}`, Save: "photo=id"}},
				Args: `{"page_id":"4000000000000001","message":"Look","attached_media":[{"media_fbid":"${photo}"}]}`,
				Asks: []string{`POST /4000000000000001/feed attached_media=[{"media_fbid":"${photo}"}] message=Look`}, Has: []string{"data.id"},
			},
			{Name: "in the past", Args: `{"page_id":"4000000000000001","message":"Too late","scheduled_publish_time":${now-60}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"scheduled_publish_time"}},
			{Name: "too soon", Args: `{"page_id":"4000000000000001","message":"Too soon","scheduled_publish_time":${now+300}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"10m"}},
			{Name: "too far ahead", Args: `{"page_id":"4000000000000001","message":"Too far","scheduled_publish_time":${now+2700000}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"720h"}},
			{Name: "empty", Args: `{"page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"message"}},
			{
				Name: "twice", Before: []tool.Prior{{Tool: "meta_create_post", Args: `{"page_id":"4000000000000001","message":"Same"}`}},
				Args: `{"page_id":"4000000000000001","message":"Same"}`, Error: "done_already",
			},
			{Name: "link that can't be read", Args: `{"page_id":"4000000000000001","link":"https://example.com/broken"}`, Error: "meta_refused", Says: []string{"link"}},
		},
	},
	{
		Name: "meta_update_post", Title: "Update Facebook Page post", Set: "pages.write",
		Does: "Changes one post of a Facebook Page: its text, its scheduled time, or publishes a stored one.",
		Use:  "To add a remark instead, comment with meta_reply_post_comment. Photos and links of a post can't be changed: delete it and post again.",
		Note: "Only posts that this app made can be edited. is_published=true publishes a scheduled or stored post at once.",
		Args: []tool.Arg{
			postID("Post to change."), ofPage(),
			tool.Text("message", "New text; replaces the old one.").Min(1).Max(63206),
			tool.Bool("is_published", "true publishes a scheduled or unpublished post now."),
			scheduledTime("the post"),
			tool.Bool("is_hidden", "Hide the post from the Page, or show it again."),
			tool.Bool("is_pinned", "Pin the post to the top, or unpin it."),
		},
		AnyOf: []string{"message is_published scheduled_publish_time is_hidden is_pinned"}, Rules: []tool.Rule{tool.AtMostOne("is_published", "scheduled_publish_time")},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "PagePost", ID: "post_id", PageOf: "page_id"}},
		Out:   tool.Out{Heading: "Post {post_id} was updated"},
		Cases: []tool.Case{
			{
				Name: "text", Before: []tool.Prior{{Tool: "meta_create_post", Args: `{"page_id":"4000000000000001","message":"Tpyo"}`, Save: "post=id"}},
				Args: `{"page_id":"4000000000000001","post_id":"${post}","message":"Typo"}`, Asks: []string{"POST /${post} message=Typo"}, Has: []string{"data.success=true"},
			},
			{
				Name: "publishes now", Before: []tool.Prior{{Tool: "meta_create_post", Args: `{"page_id":"4000000000000001","message":"Later","scheduled_publish_time":${now+86400}}`, Save: "post=id"}},
				Args: `{"page_id":"4000000000000001","post_id":"${post}","is_published":true}`, Asks: []string{"POST /${post} is_published=true"}, Has: []string{"data.success=true"},
			},
			{Name: "nothing to change", Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_4100000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"message"}},
			{Name: "post of somebody else", Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_4100000000000004","message":"Mine"}`, Error: "scope_missing"},
		},
	},
	{
		Name: "meta_delete_post", Title: "Delete Facebook Page post", Set: "pages.write",
		Does: "Deletes one post of a Facebook Page, published or scheduled, with its comments and reactions.",
		Use:  "To take a post out of sight but keep it, use meta_update_post with is_hidden. Comments go with meta_delete_comment.",
		Note: "Posts by visitors can be deleted as well.",
		Args: []tool.Arg{postID("Post to delete."), ofPage()}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "PagePost", ID: "post_id", PageOf: "page_id"}},
		Out:   tool.Out{Heading: "Post {post_id} was deleted"},
		Cases: []tool.Case{
			{
				Name: "deletes", Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_4100000000000001"}`,
				Asks: []string{"DELETE /4000000000000001_4100000000000001"}, Has: []string{"data.success=true"},
			},
			{
				Name: "is gone then", Before: []tool.Prior{{Tool: "meta_delete_post", Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_4100000000000001"}`}},
				Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_4100000000000001"}`, Error: "object_not_found",
			},
			{Name: "id that is none", Args: `{"page_id":"4000000000000001","post_id":"4000000000000001_x"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"post_id"}},
		},
	},
	{
		Name: "meta_get_post", Title: "Get one Facebook Page post", Set: "pages.read",
		Does: "Reads one post of a Facebook Page with its totals of shares, reactions and comments.",
		Use:  "For reactions by type use meta_get_post_reactions, for the comments themselves meta_get_post_comments, for reach meta_get_post_insights.",
		Note: "The totals stand in reactions.total_count, comments.total_count (without replies) and shares.count.",
		Args: []tool.Arg{postID("Post to read."), tool.ID("page_id", "Page", "Page of the post; left out, it is taken from the post's id.").Opt()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "PagePost", ID: "post_id", PageOf: "page_id",
			Fields: postFields + ",scheduled_publish_time,updated_time,is_hidden,reactions.limit(0).summary(total_count),comments.limit(0).summary(total_count)",
		}},
		Out: tool.Out{Heading: "Post {id}", Untrusted: postWords},
		Cases: []tool.Case{
			{
				Name: "reads", Args: `{"post_id":"4000000000000001_4100000000000001"}`, Asks: []string{"GET /4000000000000001_4100000000000001"},
				Has: []string{"data.message", "data.reactions.total_count=4", "data.comments.total_count=2", "data.shares.count=2", "untrusted_fields"},
			},
			{Name: "no such post", Args: `{"post_id":"4000000000000001_4999999999999999"}`, Error: "object_not_found"},
			{Name: "id with a slash", Args: `{"post_id":"4000000000000001/feed"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"post_id"}},
		},
	},
}
