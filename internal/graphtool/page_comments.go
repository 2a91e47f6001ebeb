package graphtool

import "sluice/internal/graphtool/tool"

// Comments on what a Page published, and likes.

func commentID(doc string) tool.Arg { return tool.ID("comment_id", "Comment", doc) }

var pageCommentTools = []*tool.Tool{
	{
		Name: "meta_get_post_comments", Title: "Get comments of a Page post", Set: "pages.read", Core: true,
		Does: "Lists the comments on one post, photo or video of a Facebook Page, or the replies to one comment.",
		Use:  "Answer with meta_reply_post_comment, hide with meta_hide_comment. Private messages are in meta_get_page_conversations.",
		Note: "parent is the comment that a reply answers. " + strangersWrite,
		Args: tool.Join([]tool.Arg{
			tool.ID("post_id", "PagePost", "Post, photo, video or comment whose comments are wanted."), ofPage(),
			tool.Enum("order", "chronological reverse_chronological", "Oldest or newest first.").Is("reverse_chronological"),
			tool.Enum("filter", "toplevel stream", "toplevel: without replies; stream: replies as well, all in one list.").Is("toplevel"),
			tool.Time("since", "Only comments from then on."),
		}, tool.Page(100)),
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{
			Verb: "GET", On: "PagePost", ID: "post_id", Edge: "comments", PageOf: "page_id",
			Fields: "id,message,from{id,name},created_time,like_count,comment_count,is_hidden,can_reply_privately,parent{id},permalink_url",
		}},
		Out: tool.Out{Heading: "Comments on {post_id}", Columns: []string{"id", "created_time", "from", "message", "like_count", "comment_count"}},
		Cases: []tool.Case{
			{
				Name: "newest first", Args: `{"post_id":"4000000000000001_4100000000000001","page_id":"4000000000000001"}`,
				Asks: []string{"GET /4000000000000001_4100000000000001/comments filter=toplevel order=reverse_chronological"},
				Has:  []string{"data.0.id=4000000000000001_4200000000000002", "data.1.comment_count=1", "untrusted_fields"},
			},
			{
				Name: "oldest first with replies", Args: `{"post_id":"4000000000000001_4100000000000001","page_id":"4000000000000001","order":"chronological","filter":"stream"}`,
				Has: []string{"data.0.id=4000000000000001_4200000000000001", "data.1.parent.id=4000000000000001_4200000000000001"},
			},
			{Name: "order unknown", Args: `{"post_id":"4000000000000001_4100000000000001","page_id":"4000000000000001","order":"newest"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"order"}},
		},
	},
	{
		Name: "meta_reply_post_comment", Title: "Reply to a comment as the Page", Set: "pages.write", Core: true,
		Does: "Answers one comment in public, as the Facebook Page; with a post's id it writes a new comment on the post.",
		Use:  "To answer in private use meta_send_page_message or meta_send_private_reply. Read the thread with meta_get_post_comments first.",
		Note: "Public at once; the author is notified. Replies are one level deep: an answer to a reply appears below the same comment.",
		Args: []tool.Arg{
			tool.ID("comment_id", "Comment", "Comment to answer, or post to comment on."), ofPage(),
			tool.Text("message", "Text of the reply.").Req().Min(1).Max(8000),
			tool.URL("attachment_url", "Public https address of an image to attach."),
		},
		Category: tool.Write, Severity: tool.Medium, Irreversible: true,
		Steps: []tool.Step{{Verb: "POST", On: "Comment", ID: "comment_id", Edge: "comments", PageOf: "page_id"}},
		Out:   tool.Out{Heading: "Reply {id}"},
		Cases: []tool.Case{
			{
				Name: "answers", Args: `{"comment_id":"4000000000000001_4200000000000002","page_id":"4000000000000001","message":"Thank you"}`,
				Asks: []string{"POST /4000000000000001_4200000000000002/comments `message=Thank you`"}, Has: []string{"data.id"},
			},
			{
				Name: "on a post", Args: `{"comment_id":"4000000000000001_4100000000000001","page_id":"4000000000000001","message":"Sold out"}`,
				Asks: []string{"POST /4000000000000001_4100000000000001/comments `message=Sold out`"}, Has: []string{"data.id"},
			},
			{Name: "empty", Args: `{"comment_id":"4000000000000001_4200000000000002","page_id":"4000000000000001","message":"  "}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"message"}},
			{Name: "comment is gone", Args: `{"comment_id":"4000000000000001_4299999999999999","page_id":"4000000000000001","message":"Hello"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_hide_comment", Title: "Hide or show a comment on a Page", Set: "pages.write",
		Does:     "Hides one comment on a Facebook Page's content from others, or shows it again.",
		Use:      "Prefer it to meta_delete_comment: it can be undone. Against a person who keeps on use meta_block_user.",
		Note:     "The author and their friends still see a hidden comment.",
		Args:     []tool.Arg{commentID("Comment to hide or show."), ofPage(), tool.Bool("is_hidden", "true hides, false shows.").Req()},
		Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "Comment", ID: "comment_id", PageOf: "page_id"}},
		Out:   tool.Out{Heading: "Comment {comment_id}: hidden {is_hidden}"},
		Cases: []tool.Case{
			{
				Name: "hides", Args: `{"comment_id":"4000000000000001_4200000000000002","page_id":"4000000000000001","is_hidden":true}`,
				Asks: []string{"POST /4000000000000001_4200000000000002 is_hidden=true"}, Has: []string{"data.success=true"},
			},
			{Name: "hidden or not", Args: `{"comment_id":"4000000000000001_4200000000000002","page_id":"4000000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"is_hidden"}},
			{Name: "the Page's own comment", Args: `{"comment_id":"4000000000000001_4200000000000003","page_id":"4000000000000001","is_hidden":true}`, Error: "meta_refused"},
		},
	},
	{
		Name: "meta_delete_comment", Title: "Delete a comment on a Page", Set: "pages.write",
		Does: "Deletes one comment on a Facebook Page's content, with its replies.",
		Use:  "Only when hiding is not enough: meta_hide_comment can be undone.",
		Note: "Comments by anybody on the Page's content can be deleted.",
		Args: []tool.Arg{commentID("Comment to delete."), ofPage()}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "Comment", ID: "comment_id", PageOf: "page_id"}},
		Out:   tool.Out{Heading: "Comment {comment_id} was deleted"},
		Cases: []tool.Case{
			{
				Name: "deletes", Args: `{"comment_id":"4000000000000001_4200000000000002","page_id":"4000000000000001"}`,
				Asks: []string{"GET /4000000000000001_4200000000000002", "DELETE /4000000000000001_4200000000000002"}, Has: []string{"data.success=true"},
			},
			{Name: "no such comment", Args: `{"comment_id":"4000000000000001_4299999999999999","page_id":"4000000000000001"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "meta_like_object", Title: "Like or unlike as the Page", Set: "pages.write",
		Does: "Likes one post or comment as the Facebook Page, or takes the like back with unlike.",
		Use:  "A small public thank-you. For words use meta_reply_post_comment.",
		Note: "The API knows only the plain like, none of the other reactions. Liking twice changes nothing.",
		Args: []tool.Arg{
			tool.ID("object_id", "PagePost", "Post, comment, photo or video."), ofPage(),
			tool.Bool("unlike", "Take the like back.").Local(),
		},
		Category: tool.Write, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{Verb: "DELETE", On: "PagePost", ID: "object_id", Edge: "likes", When: "unlike", PageOf: "page_id", Takes: []string{}},
			{Verb: "POST", On: "PagePost", ID: "object_id", Edge: "likes", When: "!unlike", PageOf: "page_id", Takes: []string{}},
		},
		Out: tool.Out{Heading: "Like of {object_id} was changed"},
		Cases: []tool.Case{
			{
				Name: "likes a comment", Args: `{"object_id":"4000000000000001_4200000000000002","page_id":"4000000000000001"}`,
				Asks: []string{"POST /4000000000000001_4200000000000002/likes"}, Has: []string{"data.success=true"},
			},
			{
				Name: "takes it back", Before: []tool.Prior{{Tool: "meta_like_object", Args: `{"object_id":"4000000000000001_4100000000000001","page_id":"4000000000000001"}`}},
				Args: `{"object_id":"4000000000000001_4100000000000001","page_id":"4000000000000001","unlike":true}`,
				Asks: []string{"DELETE /4000000000000001_4100000000000001/likes"}, Has: []string{"data.success=true"},
			},
			{Name: "no page", Args: `{"object_id":"4000000000000001_4100000000000001"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"page_id"}},
		},
	},
}

// reactionTypes are those that people can give today, with their names in the answer.
var reactionTypes = []struct{ Type, Name string }{
	{"LIKE", "like"}, {"LOVE", "love"}, {"CARE", "care"}, {"HAHA", "haha"}, {"WOW", "wow"}, {"SAD", "sad"}, {"ANGRY", "angry"},
}

var pageReactionTools = []*tool.Tool{
	{
		Name: "meta_get_post_reactions", Title: "Count reactions to a Page post", Set: "pages.read",
		Does: "Counts the reactions to one post of a Facebook Page by type (like, love, care, haha, wow, sad, angry) and in all.",
		Use:  "For totals together with text and shares use meta_get_post. Who reacted is not listed.",
		Note: "One request for all types. total can be more than the sum where types are rare.",
		Args: []tool.Arg{postID("Post, photo or video to count."), tool.ID("page_id", "Page", "Page of the post; left out, it is taken from the post's id.").Opt()}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "PagePost", ID: "post_id", PageOf: "page_id", Fields: reactionFields()}},
		Shape: countReactions,
		Out:   tool.Out{Heading: "Reactions to {post_id}", Drop: []string{"reactions"}, Members: "total:int like:int love:int care:int haha:int wow:int sad:int angry:int"},
		Cases: []tool.Case{
			{
				Name: "by type", Args: `{"post_id":"4000000000000001_4100000000000001"}`, Asks: []string{"GET /4000000000000001_4100000000000001"},
				Has: []string{"data.total=4", "data.like=2", "data.love=1", "data.wow=1", "data.angry=0"}, Shows: []string{"4"},
			},
			{
				Name: "after a like", Before: []tool.Prior{{Tool: "meta_like_object", Args: `{"object_id":"4000000000000001_4100000000000001","page_id":"4000000000000001"}`}},
				Args: `{"post_id":"4000000000000001_4100000000000001"}`, Has: []string{"data.total=5", "data.like=3"},
			},
			{Name: "no such post", Args: `{"post_id":"4000000000000001_4999999999999999"}`, Error: "object_not_found"},
		},
	},
}

// reactionFields asks for the total of each type in one request.
func reactionFields() string {
	fields := "reactions.limit(0).summary(total_count)"
	for _, r := range reactionTypes {
		fields += ",reactions.type(" + r.Type + ").limit(0).summary(total_count).as(" + r.Name + ")"
	}
	return fields
}

// countReactions makes one number of each total.
func countReactions(_ *tool.Env, a *tool.Answer) error {
	given, _ := a.Data.(map[string]any)
	total := func(name string) any {
		page, _ := given[name].(map[string]any)
		summary, _ := page["summary"].(map[string]any)
		if n, ok := summary["total_count"]; ok {
			return n
		}
		return 0
	}
	counts := map[string]any{"id": given["id"], "total": total("reactions")}
	for _, r := range reactionTypes {
		counts[r.Name] = total(r.Name)
	}
	a.Data = counts
	return nil
}
