package graphtool

import (
	"net/url"
	"slices"
	"strings"

	"sluice/internal/graphtool/tool"
)

var threadsPublishing = publishing{
	User: "threads_user_id", On: "ThreadsUser", Make: "threads", Publish: "threads_publish",
	Container: "ThreadsContainer", Media: "ThreadsMedia", Status: "status", Reason: "error_message",
	Show: "id,permalink,media_type,text,timestamp", Resume: "threads_publish_container",
	Advice: map[string]string{
		"FAILED_DOWNLOADING_VIDEO": "Check that the address is public, answers without signing in and serves the file itself; then publish again.",
		"INVALID_DURATION":         "A video may be 5 minutes long at most: cut it and publish again.",
		"INVALID_BIT_RATE":         "Encode the video with at most 100 Mbit/s and publish again.",
		"INVALID_FRAME_RATE":       "Encode the video with 23 to 60 frames a second and publish again.",
		"INVALID_ASPEC_RATIO":      "Encode the video in an aspect ratio between 0.01:1 and 10:1 and publish again.",
	},
}

const replyControls = "everyone accounts_you_follow mentioned_only parent_post_author_only followers_only"

// threadsCommon are the arguments of every post.
func threadsCommon(more ...tool.Arg) []tool.Arg {
	return append(append([]tool.Arg{threadsUser()}, more...),
		tool.ID("reply_to_id", "ThreadsMedia", "Post that this one answers.").Opt(),
		tool.ID("quote_post_id", "ThreadsMedia", "Post that this one quotes.").Opt(),
		tool.Enum("reply_control", replyControls, "Who may reply; everyone when left out."),
		tool.ID("location_id", "ThreadsLocation", "Place to tag, from threads_search_locations.").Opt(),
		tool.Text("topic_tag", "One topic, without #, . and &.").Min(1).Max(50),
		tool.Strings("allowlisted_country_codes", "Show the post only in these countries, such as GB; for accounts that may.").Comma(),
	)
}

func threadsText() tool.Arg {
	return tool.Text("text", "Text, up to 500 characters (an emoji counts as its UTF-8 bytes) with up to 5 links; # and @ work.").Max(500)
}

func spoiler() tool.Arg { return tool.Bool("is_spoiler_media", "Hide the media until it is tapped.") }

func altText() tool.Arg {
	return tool.Text("alt_text", "Description for people who can't see it.").Max(1000)
}

const publishedMembers = "id:id permalink:url media_type:ThreadsPostType text:text timestamp:time container_id:id"

func threadsOut(heading string) tool.Out {
	return tool.Out{Members: publishedMembers, Heading: heading}
}

// waits is what the notes of publishing tools say of their course.
const waits = "Makes a container, waits up to 5 minutes for Meta to take in the media, and publishes; not_ready names the container for threads_publish_container. Public at once."

var threadsPublishTools = []*tool.Tool{
	{
		Name: "threads_publish_text", Title: "Publish a Threads text post", Set: "threads.write", Core: true,
		Does: "Publishes one text post on Threads: also a reply, a quote, a poll, a GIF, a link preview, a long text attachment or a ghost post.",
		Use:  "For pictures and video use threads_publish_image, threads_publish_video or threads_publish_carousel.",
		Note: "One call publishes at once and publicly. A poll runs 24 hours. A ghost post is archived after 24 hours and can be plain text only. Counts against 250 posts (1,000 replies) in 24 hours.",
		Args: threadsCommon(
			threadsText().Min(1).Req(),
			tool.URL("link_attachment", "Link to show as a preview."),
			tool.Object("poll_attachment", "Poll with 2 to 4 answers of up to 25 characters.",
				tool.Text("option_a", "First answer.").Req().Max(25), tool.Text("option_b", "Second answer.").Req().Max(25),
				tool.Text("option_c", "Third answer.").Max(25), tool.Text("option_d", "Fourth answer.").Max(25)),
			tool.Object("gif_attachment", "GIF from GIPHY; Tenor ended on 2026-03-31.",
				tool.Text("gif_id", "Id of the GIF at GIPHY.").Req().Max(100), tool.Enum("provider", "GIPHY", "Where it is from.").Is("GIPHY")),
			tool.Object("text_attachment", "Long text shown with the post.",
				tool.Text("plaintext", "Up to 10,000 characters.").Req().Max(10000), tool.URL("link_attachment_url", "Link shown under it."),
				tool.List("text_with_styling_info", tool.Object("", "",
					tool.Int("offset", "Where it starts, in characters.").Req().Min(0), tool.Int("length", "How long it is.").Req().Min(1),
					tool.Enums("styling_info", "bold italic highlight underline strikethrough", "Styles.").Req()), "Styles of parts of it.")),
			tool.List("text_entities", tool.Object("", "",
				tool.Enum("entity_type", "SPOILER", "Kind of part.").Req(), tool.Int("offset", "Where it starts, in characters.").Req().Min(0), tool.Int("length", "How long it is.").Req().Min(1)),
				"Parts of the text to hide until tapped.").Max(10),
			tool.Bool("is_ghost_post", "True makes a post that is archived after 24 hours: only text, with text_entities; no reply."),
			tool.Bool("auto_publish_text", "True publishes with one call; false makes a container, waits, and publishes it.").Is(true),
		),
		Rules: []tool.Rule{
			tool.AtMostOne("poll_attachment", "gif_attachment", "text_attachment"),
		},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "TEXT"}, Auto: "auto_publish_text", Adjust: ghost},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "one call", Args: `{"threads_user_id":"6000000000000001","text":"New cups are in"}`,
				Asks: []string{"POST /6000000000000001/threads media_type=TEXT `text=New cups are in` auto_publish_text=true", "GET /120000000000001"},
				Has:  []string{"data.id=120000000000001", "data.permalink", "data.text=New cups are in", "data.media_type=TEXT_POST"},
			},
			{
				Name: "container first", Args: `{"text":"Slowly","auto_publish_text":false}`,
				Asks: []string{"POST /me/threads media_type=TEXT", "GET /120000000000001 fields=status,error_message", "POST /me/threads_publish creation_id=120000000000001", "GET /120000000000002"},
				Has:  []string{"data.id=120000000000002", "data.container_id=120000000000001"},
			},
			{
				Name: "poll", Args: `{"text":"Which?","poll_attachment":{"option_a":"Tea","option_b":"Coffee"},"topic_tag":"Breakfast"}`,
				Asks: []string{`POST /me/threads poll_attachment={"option_a":"Tea","option_b":"Coffee"} topic_tag=Breakfast`, "GET /120000000000001"}, Has: []string{"data.id"},
			},
			{Name: "reply", Args: `{"text":"Thank you","reply_to_id":"6100000000000021"}`, Asks: []string{"POST /me/threads reply_to_id=6100000000000021", "GET /120000000000001"}, Has: []string{"data.id"}},
			{
				Name: "no answer came", Args: `{"text":"Once"}`, Faults: `{"kind":"drop_after","edge":"threads","next":1}`,
				Asks: []string{"POST /me/threads auto_publish_text=true"}, Error: "call_outcome_unknown", Says: []string{"newest posts"},
			},
			{Name: "quota used up", Args: `{"text":"Once"}`, Faults: `{"kind":"error","edge":"threads","name":"threads_quota"}`, Error: "rate_limited"},
			{Name: "ghost", Args: `{"text":"Gone tomorrow","is_ghost_post":true}`, Has: []string{"data.permalink"}},
			{Name: "too long", Args: `{"text":"` + longThread + `"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"text", "500"}},
			{Name: "two attachments", Args: `{"text":"x","text_attachment":{"plaintext":"Long"},"poll_attachment":{"option_a":"1","option_b":"2"}}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"text_attachment"}},
			{Name: "long text", Args: `{"text":"How we choose cups","text_attachment":{"plaintext":"First we look at the handle.","text_with_styling_info":[{"offset":0,"length":5,"styling_info":["bold"]}]}}`, Has: []string{"data.permalink"}},
			{Name: "ghost that replies", Args: `{"text":"x","is_ghost_post":true,"reply_to_id":"6100000000000021"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"reply_to_id"}},
			{Name: "reply to nothing", Args: `{"text":"x","reply_to_id":"6199999999999999"}`, Error: "meta_refused"},
		},
	},
	{
		Name: "threads_publish_image", Title: "Publish a Threads image", Set: "threads.write",
		Does: "Publishes one Threads post with an image, as a post, a reply or a quote.",
		Use:  "For several images use threads_publish_carousel; for a moving GIF threads_publish_gif.",
		Note: waits + " JPEG or PNG, up to 8 MB; the address must be public until the answer comes.",
		Args: threadsCommon(tool.URL("image_url", "Public https address of the image.").Req(), threadsText(), altText(), spoiler()), Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "IMAGE"}},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "publishes", Args: `{"threads_user_id":"6000000000000001","image_url":"https://example.com/cup.jpg","text":"Blue","alt_text":"A blue cup"}`,
				Asks: []string{
					"POST /6000000000000001/threads media_type=IMAGE image_url=https://example.com/cup.jpg `alt_text=A blue cup`", "GET /120000000000001 fields=status,error_message",
					"POST /6000000000000001/threads_publish creation_id=120000000000001", "GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002", "data.container_id=120000000000001", "data.permalink", "data.media_type=IMAGE"},
			},
			{
				Name: "not visible at first", Args: `{"image_url":"https://example.com/cup.jpg"}`, Faults: `{"kind":"error","edge":"threads_publish","name":"container_not_visible","next":2}`,
				Asks: []string{
					"POST /me/threads", "GET /120000000000001", "POST /me/threads_publish", "POST /me/threads_publish", "POST /me/threads_publish", "GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002"},
			},
			{
				Name: "published without an answer", Args: `{"image_url":"https://example.com/cup.jpg"}`, Faults: `{"kind":"drop_after","edge":"threads_publish","next":1}`,
				Error: "done_already", Says: []string{"don't publish again"},
			},
			{Name: "no https", Args: `{"image_url":"http://example.com/cup.jpg"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"image_url"}},
			{Name: "can't be fetched", Args: `{"image_url":"https://example.com/broken.jpg"}`, Error: "meta_refused", Says: []string{"120000000000001"}},
		},
	},
	{
		Name: "threads_publish_video", Title: "Publish a Threads video", Set: "threads.write",
		Does: "Publishes one Threads post with a video, as a post, a reply or a quote.",
		Use:  "For several media use threads_publish_carousel.",
		Note: waits + " MOV or MP4, up to 5 minutes and 1 GB.",
		Args: threadsCommon(tool.URL("video_url", "Public https address of the video.").Req(), threadsText(), altText(), spoiler()), Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "VIDEO"}},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "waits", Args: `{"video_url":"https://example.com/cups.mp4","text":"How they are made"}`,
				Asks: []string{
					"POST /me/threads media_type=VIDEO video_url=https://example.com/cups.mp4", "GET /120000000000001", "GET /120000000000001", "GET /120000000000001",
					"POST /me/threads_publish creation_id=120000000000001", "GET /120000000000002",
				},
				Has: []string{"data.id=120000000000002", "data.media_type=VIDEO"},
			},
			{Name: "takes too long", Args: `{"video_url":"https://example.com/slow.mp4"}`, Error: "not_ready", Says: []string{"120000000000001", "threads_publish_container"}},
			{Name: "too long a film", Args: `{"video_url":"https://example.com/long.mp4"}`, Error: "meta_refused", Says: []string{"INVALID_DURATION", "5 minutes"}},
			{Name: "no address", Args: `{"text":"x"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"video_url"}},
		},
	},
	{
		Name: "threads_publish_carousel", Title: "Publish a Threads carousel", Set: "threads.write",
		Does: "Publishes one Threads post with 2 to 20 images and videos that people swipe through, in the order given.",
		Use:  "For one image or video threads_publish_image and threads_publish_video are quicker.",
		Note: "Makes a container per item and waits for them, up to 5 minutes in all. When an item fails nothing is published, and the error lists the containers that were made: pass them as child_container_ids to go on.",
		Args: threadsCommon(
			tool.List("items", tool.Object("", "",
				tool.URL("url", "Public https address of the file.").Req(), tool.Enum("type", "IMAGE VIDEO", "What the file is.").Req(), altText(),
			), "Images and videos, in order.").Min(2).Max(20),
			tool.IDs("child_container_ids", "ThreadsContainer", "Items that were made before, in place of items.").Min(2).Max(20),
			threadsText(),
		),
		OneOf:    []string{"items child_container_ids"},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{
			publishing: threadsPublishing, Fixed: map[string]string{"media_type": "CAROUSEL"}, Items: "items", Children: "child_container_ids", Item: threadsItem,
		},
		Out: tool.Out{Members: publishedMembers + " child_container_ids:list<id>", Heading: "Published: {permalink}"},
		Cases: []tool.Case{
			{
				Name: "in order", Args: `{"items":[{"url":"https://example.com/1.jpg","type":"IMAGE"},{"url":"https://example.com/2.jpg","type":"IMAGE","alt_text":"Two"}],"text":"Two cups"}`,
				Asks: []string{
					"POST /me/threads media_type=IMAGE image_url=https://example.com/1.jpg is_carousel_item=true", "POST /me/threads media_type=IMAGE image_url=https://example.com/2.jpg alt_text=Two",
					"GET /120000000000001", "GET /120000000000002", "POST /me/threads media_type=CAROUSEL children=120000000000001,120000000000002 `text=Two cups`", "GET /120000000000003",
					"POST /me/threads_publish creation_id=120000000000003", "GET /120000000000004",
				},
				Has: []string{"data.id=120000000000004", "data.child_container_ids.1=120000000000002", "data.media_type=CAROUSEL_ALBUM"},
			},
			{Name: "one item can't be fetched", Args: `{"items":[{"url":"https://example.com/1.jpg","type":"IMAGE"},{"url":"https://example.com/broken.jpg","type":"IMAGE"}]}`, Error: "meta_refused", Says: []string{"item 2 of 2", "child_container_ids made so far: 120000000000001, 120000000000002"}},
			{
				Name:  "goes on with what was made",
				Args:  `{"child_container_ids":["6200000000000001","6200000000000002"],"text":"Two"}`,
				Error: "meta_refused", Says: []string{"item 2 of 2", "FAILED_DOWNLOADING_VIDEO"},
			},
			{Name: "one item", Args: `{"items":[{"url":"https://example.com/1.jpg","type":"IMAGE"}]}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"items"}},
		},
	},
	{
		Name: "threads_publish_gif", Title: "Publish a GIF on Threads", Set: "threads.write",
		Does: "Publishes one Threads post with a moving GIF from GIPHY.",
		Use:  "Only for GIPHY: Tenor ended on 2026-03-31, and other GIFs would stand still as images (threads_publish_image).",
		Note: "Give the GIPHY page or file address as gif_url, or the id. Public at once.",
		Args: threadsCommon(
			tool.URL("gif_url", "Address of the GIF at giphy.com or media.giphy.com; its id is taken from it.").Local(),
			tool.Text("gif_id", "Id of the GIF at GIPHY, in place of gif_url.").Max(100).Local(),
			threadsText(), tool.Bool("auto_publish_text", "True publishes with one call.").Is(true),
		),
		OneOf:    []string{"gif_url gif_id"},
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "TEXT"}, Auto: "auto_publish_text", Adjust: giphy},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "from its page", Args: `{"gif_url":"https://giphy.com/gifs/tea-time-cup-3o7TKsQ8UQ4l4LhGz6","text":"Tea!"}`,
				Asks: []string{`POST /me/threads media_type=TEXT gif_attachment={"gif_id":"3o7TKsQ8UQ4l4LhGz6","provider":"GIPHY"} text=Tea!`, "GET /120000000000001"}, Has: []string{"data.id=120000000000001"},
			},
			{Name: "from its file", Args: `{"gif_url":"https://media.giphy.com/media/3o7TKsQ8UQ4l4LhGz6/giphy.gif"}`, Has: []string{"data.permalink"}},
			{Name: "not from GIPHY", Args: `{"gif_url":"https://example.com/tea.gif"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"gif_url", "GIPHY"}},
		},
	},
	{
		Name: "threads_publish_link", Title: "Publish a link on Threads", Set: "threads.write",
		Does: "Publishes one Threads text post with a link that is shown as a preview.",
		Use:  "threads_publish_text with link_attachment does the same; use it for replies with polls or other attachments.",
		Note: "One call publishes at once and publicly. Without link_attachment Threads previews the first link of a text.",
		Args: threadsCommon(
			threadsText().Min(1).Req(), tool.URL("link_attachment", "Link to preview.").Req(), tool.Bool("auto_publish_text", "True publishes with one call.").Is(true),
		),
		Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, Fixed: map[string]string{"media_type": "TEXT"}, Auto: "auto_publish_text"},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "publishes", Args: `{"text":"Our cups","link_attachment":"https://example.com/cups","reply_control":"followers_only"}`,
				Asks: []string{"POST /me/threads media_type=TEXT link_attachment=https://example.com/cups reply_control=followers_only", "GET /120000000000001"}, Has: []string{"data.id"},
			},
			{Name: "no link", Args: `{"text":"Our cups","link_attachment":"cups"}`, Asks: []string{}, Error: "argument_invalid", Says: []string{"link_attachment"}},
		},
	},
	{
		Name: "threads_publish_container", Title: "Publish a Threads container", Set: "threads.write",
		Does: "Publishes a Threads container that an earlier call made: waits until it is ready, then publishes.",
		Use:  "After a publishing tool answered not_ready, with the container that its error names. To look only use threads_get_container_status.",
		Note: "A container can be published once, within 24 hours. Public at once.",
		Args: []tool.Arg{threadsUser(), tool.ID("container_id", "ThreadsContainer", "Container to publish.")}, Category: tool.Write, Severity: tool.High, Irreversible: true,
		Flow: containerFlow{publishing: threadsPublishing, From: "container_id"},
		Out:  threadsOut("Published: {permalink}"),
		Cases: []tool.Case{
			{
				Name: "publishes", Args: `{"container_id":"6200000000000001"}`,
				Asks: []string{"GET /6200000000000001 fields=status,error_message", "POST /me/threads_publish creation_id=6200000000000001", "GET /120000000000001"}, Has: []string{"data.id=120000000000001", "data.container_id=6200000000000001"},
			},
			{Name: "failed one", Args: `{"container_id":"6200000000000002"}`, Error: "meta_refused", Says: []string{"FAILED_DOWNLOADING_VIDEO", "public"}},
			{Name: "twice", Before: []tool.Prior{{Tool: "threads_publish_container", Args: `{"container_id":"6200000000000001"}`}}, Args: `{"container_id":"6200000000000001"}`, Error: "done_already"},
			{Name: "expired", Args: `{"container_id":"6200000000000003"}`, Error: "meta_refused", Says: []string{"expired"}},
			{Name: "no such container", Args: `{"container_id":"6299999999999999"}`, Error: "object_not_found"},
		},
	},
}

// longThread is 501 characters.
var longThread = strings.Repeat("cups ", 100) + "!"

// threadsItem is one child of a carousel.
func threadsItem(item map[string]any) (map[string]any, error) {
	form := map[string]any{"media_type": item["type"], "is_carousel_item": true}
	if item["type"] == "VIDEO" {
		form["video_url"] = item["url"]
	} else {
		form["image_url"] = item["url"]
	}
	if alt, ok := item["alt_text"]; ok {
		form["alt_text"] = alt
	}
	return form, nil
}

// ghost refuses what a ghost post can't have: it is text, with spoilers at most
// (threads/create-posts/ghost-posts).
func ghost(e *tool.Env, _ map[string]any) error {
	if !e.Args.Bool("is_ghost_post") {
		return nil
	}
	for _, name := range []string{"reply_to_id", "quote_post_id", "link_attachment", "poll_attachment", "gif_attachment", "text_attachment", "location_id", "topic_tag"} {
		if e.Args.Has(name) {
			return tool.Bad(name, "does not go with is_ghost_post", "A ghost post is text with spoilers at most: leave out one of them.")
		}
	}
	return nil
}

// giphy makes the attachment of a GIF: Threads wants the id that GIPHY's addresses hold,
// at the end of a page's name or in the path of a file.
func giphy(e *tool.Env, form map[string]any) error {
	id := e.Args.Str("gif_id")
	if id == "" {
		id = giphyID(e.Args.Str("gif_url"))
	}
	if id == "" {
		return tool.Bad("gif_url", "is no address of a GIF at GIPHY", "Threads takes GIFs from GIPHY only: give its address there, or gif_id.")
	}
	form["gif_attachment"] = map[string]any{"gif_id": id, "provider": "GIPHY"}
	return nil
}

func giphyID(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.Hostname() != "giphy.com" && !strings.HasSuffix(u.Hostname(), ".giphy.com") {
		return ""
	}
	parts := strings.Split(strings.Trim(u.Path, "/"), "/")
	if i := slices.Index(parts, "media"); i >= 0 { // media/ID/giphy.gif, media/v1.session/ID/200w.gif
		if parts = parts[i+1:]; len(parts) > 0 && strings.HasPrefix(parts[0], "v1.") {
			parts = parts[1:]
		}
		if len(parts) == 0 {
			return ""
		}
		return parts[0]
	}
	last := strings.TrimSuffix(parts[len(parts)-1], ".gif") // ID.gif, or words-of-the-title-ID
	return last[strings.LastIndexByte(last, '-')+1:]
}
