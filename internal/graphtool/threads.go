package graphtool

import (
	"slices"

	"sluice/internal/graphtool/tool"
)

// Threads: publishing is in threads_publish.go, replies and moderation in
// threads_replies.go, search and insights in threads_find.go.

var threadsTools = slices.Concat(threadsReadTools, threadsPublishTools, threadsReplyTools, threadsFindTools, threadsMeasureTools)

const threadsPostFields = "id,media_product_type,media_type,media_url,permalink,username,text,timestamp,shortcode,thumbnail_url," +
	"is_quote_post,reply_audience,has_replies,topic_tag,link_attachment_url,poll_attachment,gif_url,alt_text"

const threadsQuotas = "quota_usage,config,reply_quota_usage,reply_config"

var threadsColumns = []string{"id", "timestamp", "username", "text", "media_type", "permalink"}

// threadsUser is the account; nearly always the token's own.
func threadsUser() tool.Arg {
	return tool.ID("threads_user_id", "ThreadsUser", "Threads account; me is the token's own.").OrMe().Opt().Is("me")
}

func threadsPost(doc string) tool.Arg { return tool.ID("media_id", "ThreadsMedia", doc) }

func threadsSpan() []tool.Arg {
	return []tool.Arg{tool.Time("since", "Only posts from then on."), tool.Time("until", "Only posts before.")}
}

var threadsReadTools = []*tool.Tool{
	{
		Name: "threads_get_profile", Title: "Read the Threads profile", Set: "threads.read",
		Does: "Reads the Threads profile that the Threads token belongs to: id, username, name, biography, picture, verification.",
		Use:  "Start here to see whose account the other threads tools act for. For somebody else's public profile use threads_lookup_profile.",
		Note: "The number of followers is an insight: threads_get_user_insights.",
		Args: []tool.Arg{}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsUser", ID: "me", Fields: "id,username,name,threads_profile_picture_url,threads_biography,is_verified"}},
		Out:   tool.Out{Heading: "Threads profile {username}"},
		Cases: []tool.Case{
			{Name: "reads", Args: `{}`, Asks: []string{"GET /me"}, Has: []string{"data.id=6000000000000001", "data.username=sandbox_shop", "data.is_verified=false"}},
			{Name: "token of Threads expired", Args: `{}`, Token: "sandbox-token-expired", Error: "connector_expired"},
			{Name: "no such argument", Args: `{"username":"sandbox_shop"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"username"}},
		},
	},
	{
		Name: "threads_get_posts", Title: "List Threads posts", Set: "threads.read",
		Does: "Lists the posts of the token's Threads account, newest first, with text, media, type and address.",
		Use:  "Find media_id here for the other tools. For replies that the account wrote use threads_get_my_replies; for posts of another public profile threads_get_profile_posts.",
		Note: "Reposts come as media_type REPOST_FACADE without text.",
		Args: tool.Join([]tool.Arg{threadsUser()}, threadsSpan(), tool.Page(100)), Rules: []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "threads", Fields: threadsPostFields}},
		Out:   tool.Out{Heading: "Threads posts", Columns: threadsColumns},
		Cases: []tool.Case{
			{Name: "newest first", Args: `{"threads_user_id":"6000000000000001"}`, Asks: []string{"GET /6000000000000001/threads limit=25"}, Has: []string{"data.0.id=6100000000000004", "data.0.permalink", "has_more=false"}},
			{Name: "pages", Args: `{"limit":1}`, Asks: []string{"GET /me/threads limit=1"}, Has: []string{"data.0.text", "has_more=true", "next_cursor"}},
			{Name: "since a time", Args: `{"since":"${now-90000}"}`, Asks: []string{"GET /me/threads since=${now-90000}"}, Has: []string{"data.0.id=6100000000000004"}},
			{Name: "limit out of range", Args: `{"limit":500}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"limit"}},
			{Name: "until before since", Args: `{"since":"${now}","until":"${now-10}"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"until"}},
		},
	},
	{
		Name: "threads_get_post", Title: "Read a Threads post", Set: "threads.read",
		Does: "Reads one Threads post: text, media, poll with its votes, topic, address, and who may reply.",
		Use:  "For its numbers use threads_get_post_insights, for what others answered threads_get_replies.",
		Args: []tool.Arg{threadsPost("Post to read.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsMedia", ID: "media_id", Fields: threadsPostFields + ",quoted_post,root_post,replied_to,is_reply,hide_status,location_id"}},
		Out:   tool.Out{Heading: "Threads post {id}"},
		Cases: []tool.Case{
			{Name: "reads", Args: `{"media_id":"6100000000000001"}`, Asks: []string{"GET /6100000000000001"}, Has: []string{"data.text", "data.username=sandbox_shop", "data.permalink"}},
			{Name: "poll", Args: `{"media_id":"6100000000000003"}`, Has: []string{"data.poll_attachment.option_a=Tea", "data.poll_attachment.total_votes"}},
			{Name: "no such post", Args: `{"media_id":"6199999999999999"}`, Error: "object_not_found"},
			{Name: "id with a path", Args: `{"media_id":"1/insights"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"media_id"}},
		},
	},
	{
		Name: "threads_get_media_children", Title: "List the items of a Threads carousel", Set: "threads.read",
		Does: "Lists the images and videos inside one Threads carousel post, in order, with their addresses.",
		Use:  "Only for posts with media_type CAROUSEL_ALBUM; of any other post threads_get_post shows the one media there is.",
		Note: "Addresses of media stop working after some time. A post without items answers without children.",
		Args: []tool.Arg{threadsPost("Carousel post.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsMedia", ID: "media_id", Fields: "id,media_type,children{id,media_type,media_url,thumbnail_url,alt_text,permalink}"}},
		Out:   tool.Out{Heading: "Items of {id}"},
		Cases: []tool.Case{
			{Name: "in order", Args: `{"media_id":"6100000000000002"}`, Asks: []string{"GET /6100000000000002"}, Has: []string{"data.media_type=CAROUSEL_ALBUM", "data.children.0.media_type=IMAGE", "data.children.1.media_type=VIDEO"}},
			{Name: "no such post", Args: `{"media_id":"6199999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "threads_get_mentions", Title: "List Threads mentions", Set: "threads.read",
		Does: "Lists public Threads posts that mention the token's account, newest first.",
		Use:  "To find what others write to the account. For posts about a word use threads_search; for answers to one post threads_get_replies.",
		Note: "Posts of private profiles are left out. All text is words of outsiders.",
		Args: tool.Join([]tool.Arg{threadsUser()}, threadsSpan(), tool.Page(100)), Rules: []tool.Rule{tool.InOrder("since", "until")},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "mentions", Fields: threadsPostFields}},
		Out:   tool.Out{Heading: "Mentions", Columns: threadsColumns},
		Cases: []tool.Case{
			{Name: "lists", Args: `{}`, Asks: []string{"GET /me/mentions limit=25"}, Has: []string{"data.0.id=6100000000000031", "data.0.username=customer_five"}},
			{Name: "another account", Args: `{"threads_user_id":"6999999999999999"}`, Error: "object_not_found"},
		},
	},
	{
		Name: "threads_check_rate_limits", Title: "Check Threads quotas", Set: "threads.read",
		Does: "Shows how much of its 24-hour quotas the Threads account has used: posts, replies, deletions, location searches.",
		Use:  "Before you publish or delete many things. Quotas of the other APIs are in meta_get_api_usage.",
		Note: "config has quota_total and quota_duration in seconds; usually 250 posts, 1,000 replies, 100 deletions, 500 location searches. A carousel counts once.",
		Args: []tool.Arg{
			threadsUser(),
			tool.Bool("all", "False leaves out deletions and location searches, for tokens without threads_delete or threads_location_tagging.").Is(true).Local(),
		},
		Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{
			{Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "threads_publishing_limit", When: "!all", Fields: threadsQuotas},
			{
				Verb: "GET", On: "ThreadsUser", ID: "threads_user_id", Edge: "threads_publishing_limit", When: "all",
				Fields: threadsQuotas + ",delete_quota_usage,delete_config,location_search_quota_usage,location_search_config",
			},
		},
		Out: tool.Out{Heading: "Threads quotas"},
		Cases: []tool.Case{
			{Name: "unused", Args: `{}`, Asks: []string{"GET /me/threads_publishing_limit"}, Has: []string{"data.0.quota_usage=1", "data.0.config.quota_total=250", "data.0.delete_config.quota_total=100"}},
			{
				Name: "after a post", Before: []tool.Prior{{Tool: "threads_publish_text", Args: `{"text":"One more"}`}}, Args: `{"threads_user_id":"6000000000000001"}`,
				Has: []string{"data.0.quota_usage=2", "data.0.reply_quota_usage=0"},
			},
			{Name: "posts and replies only", Args: `{"all":false}`, Asks: []string{"GET /me/threads_publishing_limit fields=" + threadsQuotas}, Has: []string{"data.0.reply_config.quota_total=1000"}},
			{Name: "no id", Args: `{"threads_user_id":"shop"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"threads_user_id"}},
		},
	},
	{
		Name: "threads_get_container_status", Title: "Check a Threads container", Set: "threads.read",
		Does: "Shows whether a Threads container is ready: IN_PROGRESS, FINISHED, PUBLISHED, ERROR or EXPIRED, with Meta's reason for an error.",
		Use:  "After a publishing tool answered not_ready. threads_publish_container waits and publishes in one call.",
		Note: "A container that is not published expires 24 hours after it was made.",
		Args: []tool.Arg{tool.ID("container_id", "ThreadsContainer", "Container, as the not_ready error names it.")}, Category: tool.Read, Severity: tool.Low, Repeat: true,
		Steps: []tool.Step{{Verb: "GET", On: "ThreadsContainer", ID: "container_id", Fields: "id,status,error_message"}},
		Out:   tool.Out{Heading: "Container {id}"},
		Cases: []tool.Case{
			{Name: "failed one", Args: `{"container_id":"6200000000000002"}`, Asks: []string{"GET /6200000000000002"}, Has: []string{"data.status=ERROR", "data.error_message"}},
			{Name: "no such container", Args: `{"container_id":"6299999999999999"}`, Error: "object_not_found"},
		},
	},
}
