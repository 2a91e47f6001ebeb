package graphtool

import "sluice/internal/graphtool/tool"

const threadsReplyFields = "id,text,username,timestamp,media_type,permalink,has_replies,is_reply,is_reply_owned_by_me,hide_status,root_post,replied_to,reply_audience"

var replyColumns = []string{"id", "timestamp", "username", "text", "hide_status", "replied_to"}

func oldestFirst() tool.Arg {
	return tool.Bool("reverse", "False lists the oldest first, true the newest.").Is(false)
}

var threadsReplyTools = []*tool.Tool{
	{
		Name: "threads_get_replies", Title: "List replies to a Threads post", Set: "threads.read",
		Does: "Lists the direct replies to one Threads post of the token's account, with author, text and whether they are hidden.",
		Use:  "For replies at every depth use threads_get_conversation. Hide one with threads_hide_reply, answer one with threads_publish_text and reply_to_id.",
		Note: "Text is words of outsiders.",
		Args: tool.Join([]tool.Arg{threadsPost("Post, or reply, whose replies are listed."), oldestFirst()}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsMedia", ID: "media_id", Edge: "replies", Fields: threadsReplyFields}},
		Out:   tool.Out{Heading: "Replies to {media_id}", Columns: replyColumns},
		Cases: []tool.Case{
			{Name: "direct ones", Args: `{"media_id":"6100000000000001"}`, Asks: []string{"GET /6100000000000001/replies reverse=false limit=25"}, Has: []string{"data.0.id=6100000000000021", "data.0.root_post.id=6100000000000001", "data.1.id=6100000000000023", "has_more=false"}},
			{Name: "newest first", Args: `{"media_id":"6100000000000001","reverse":true}`, Has: []string{"data.0.id=6100000000000023"}},
			{Name: "no such post", Args: `{"media_id":"6199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "threads_get_conversation", Title: "Read a Threads conversation", Set: "threads.read",
		Does: "Lists all replies below one Threads post of the token's account, at every depth, as one flat list.",
		Use:  "For the direct replies only use threads_get_replies. replied_to names what each answers, so that the tree can be built again.",
		Note: "Text is words of outsiders. Not for posts of other accounts.",
		Args: tool.Join([]tool.Arg{threadsPost("Post at the root."), oldestFirst()}, tool.Page(100)), Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsMedia", ID: "media_id", Edge: "conversation", Fields: threadsReplyFields}},
		Out:   tool.Out{Heading: "Conversation of {media_id}", Columns: replyColumns},
		Cases: []tool.Case{
			{Name: "every depth", Args: `{"media_id":"6100000000000001"}`, Asks: []string{"GET /6100000000000001/conversation reverse=false"}, Has: []string{"data.0.id=6100000000000021", "data.1.id=6100000000000022", "data.1.replied_to.id=6100000000000021", "data.2.id=6100000000000023"}},
			{Name: "id of letters", Args: `{"media_id":"abc"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"media_id"}},
		},
	},
	{
		Name: "threads_get_my_replies", Title: "List own Threads replies", Set: "threads.read",
		Does: "Lists the replies that the token's Threads account has written, newest first, with what each answers.",
		Use:  "To see what was answered already. For posts use threads_get_posts, for replies of others to a post threads_get_replies.",
		Args: tool.Join([]tool.Arg{threadsUser()}, threadsSpan(), tool.Page(100)), Rules: []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "replies", Fields: threadsReplyFields}},
		Out:   tool.Out{Heading: "Own replies", Columns: replyColumns},
		Cases: []tool.Case{
			{Name: "lists", Args: `{}`, Asks: []string{"GET /me/replies limit=25"}, Has: []string{"data.0.id=6100000000000022", "data.0.replied_to.id=6100000000000021"}},
			{
				Name: "with a new one", Before: []tool.Prior{{Tool: "threads_publish_text", Args: `{"text":"Soon","reply_to_id":"6100000000000023"}`, Save: "reply=id"}},
				Args: `{}`, Has: []string{"data.0.id=${reply}", "data.0.text=Soon", "data.0.replied_to.id=6100000000000023"},
			},
			{Name: "limit out of range", Args: `{"limit":0}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"limit"}},
		},
	},
	{
		Name: "threads_hide_reply", Title: "Hide or show a Threads reply", Set: "threads.write",
		Does: "Hides one reply to a post of the token's Threads account, or shows it again.",
		Use:  "To moderate answers of others. An own reply is removed with threads_delete_post; a reply of others can't be deleted.",
		Note: "Only for direct replies; what answers them is hidden with them. Others see the change at once.",
		Args: []tool.Arg{tool.ID("reply_id", "ThreadsMedia", "Reply, from threads_get_replies."), tool.Bool("hide", "True hides, false shows.").Req()}, Category: tool.Write, Severity: tool.Medium, Repeat: true,
		Steps: []tool.Step{{Verb: "POST", On: "ThreadsMedia", ID: "reply_id", Edge: "manage_reply"}},
		Out:   tool.Out{Heading: "Reply {reply_id} was changed"},
		Cases: []tool.Case{
			{Name: "hides", Args: `{"reply_id":"6100000000000021","hide":true}`, Asks: []string{"POST /6100000000000021/manage_reply hide=true"}, Has: []string{"data.success=true"}},
			{Name: "not a direct reply", Args: `{"reply_id":"6100000000000022","hide":true}`, Error: "meta_refused"},
			{Name: "hide left out", Args: `{"reply_id":"6100000000000021"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"hide"}},
		},
	},
	{
		Name: "threads_delete_post", Title: "Delete a Threads post", Set: "threads.write",
		Does: "Deletes one post, reply or repost of the token's Threads account for good.",
		Use:  "To hide a reply of somebody else use threads_hide_reply.",
		Note: "100 deletions in 24 hours. What others answered stays, without the post.",
		Args: []tool.Arg{threadsPost("Post to delete.")}, Category: tool.Destructive, Severity: tool.High, Irreversible: true, Repeat: true,
		Steps: []tool.Step{{Verb: "DELETE", On: "ThreadsMedia", ID: "media_id"}},
		Out:   tool.Out{Heading: "Post {media_id} was deleted"},
		Cases: []tool.Case{
			{Name: "deletes", Args: `{"media_id":"6100000000000001"}`, Asks: []string{"DELETE /6100000000000001"}, Has: []string{"data.success=true"}},
			{Name: "is gone after", Before: []tool.Prior{{Tool: "threads_delete_post", Args: `{"media_id":"6100000000000001"}`}}, Args: `{"media_id":"6100000000000001"}`, Error: "object_not_found"},
			{Name: "of somebody else", Args: `{"media_id":"6100000000000031"}`, Error: "scope_missing"},
			{Name: "no id", Args: `{}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"media_id"}},
		},
	},
	{
		Name: "threads_repost", Title: "Repost a Threads post", Set: "threads.write",
		Does: "Reposts one public Threads post to the followers of the token's account.",
		Use:  "To add words of your own use threads_publish_text with quote_post_id.",
		Note: "Take it back by deleting the repost's own id (threads_delete_post). Public at once.",
		Args: []tool.Arg{
			tool.ID("threads_user_id", "ThreadsUser", "").OrMe().Opt().NoEffect("the account of the token is the one that reposts."),
			threadsPost("Post to repost."),
		},
		Category: tool.Write, Severity: tool.Medium,
		Steps: []tool.Step{{Verb: "POST", On: "ThreadsMedia", ID: "media_id", Edge: "repost"}},
		Out:   tool.Out{Heading: "Reposted {media_id}"},
		Cases: []tool.Case{
			{Name: "reposts", Args: `{"media_id":"6100000000000031"}`, Asks: []string{"POST /6100000000000031/repost"}, Has: []string{"data.id=120000000000001"}},
			{Name: "with the account", Args: `{"threads_user_id":"6000000000000001","media_id":"6100000000000031"}`, Has: []string{"data.id", "notices"}},
			{Name: "no such post", Args: `{"media_id":"6199999999999999"}`, Error: "object_not_found"},
		},
	},
}
