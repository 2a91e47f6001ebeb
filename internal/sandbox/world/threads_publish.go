package world

import (
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

var threadsPublishing = map[string]Behaviour{
	"POST ThreadsUser.threads":                 makeContainer,
	"POST ThreadsUser.threads_publish":         publishContainer,
	"GET ThreadsUser.threads_publishing_limit": threadsLimits,
	"POST ThreadsMedia.repost":                 repost,
	"DELETE ThreadsMedia.":                     deleteThread,
	"POST ThreadsMedia.manage_reply":           manageReply,
}

// How long the sandbox takes in media, by its clock. A file named slow takes an hour.
const (
	imageIntake = 500 * time.Millisecond
	videoIntake = 6 * time.Second
	slowIntake  = time.Hour
)

// containerStatus is what became of a container by now, and why it failed. Files named
// broken or long fail.
func containerStatus(now time.Time, o *Object) (status, why string) {
	media := o.Str("image_url") + o.Str("video_url")
	ready := o.Made
	switch {
	case strings.Contains(media, "slow"):
		ready = ready.Add(slowIntake)
	case o.Str("video_url") != "":
		ready = ready.Add(videoIntake)
	case media != "":
		ready = ready.Add(imageIntake)
	}
	switch {
	case o.Attrs["published"] != nil:
		return "PUBLISHED", ""
	case now.Sub(o.Made) >= threadsDay:
		return "EXPIRED", ""
	case now.Before(ready):
		return "IN_PROGRESS", ""
	case strings.Contains(media, "broken") && o.Str("video_url") != "":
		return "ERROR", "FAILED_DOWNLOADING_VIDEO"
	case strings.Contains(media, "broken"):
		return "ERROR", "UNKNOWN"
	case strings.Contains(media, "long") && o.Str("video_url") != "":
		return "ERROR", "INVALID_DURATION"
	}
	return "FINISHED", ""
}

// mine refuses accounts that the token does not belong to.
func mine(c *Call, o *Object) *Error {
	if o.ID != ThreadsID && o.Owner != ThreadsID {
		return Fail("permission")
	}
	return nil
}

func makeContainer(c *Call) (any, *Error) {
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	if err := checkContainer(c); err != nil {
		return nil, err
	}
	attrs, err := c.Given("ThreadsMedia")
	if err != nil {
		return nil, err
	}
	attrs["media_type"] = c.Param("media_type")
	o := c.World.Add("ThreadsContainer", c.On, attrs)
	if c.Bool("auto_publish_text") && c.Param("media_type") == "TEXT" {
		post, err := c.World.publishThread(c, o)
		if err != nil {
			return nil, err
		}
		return ID(post), nil
	}
	return ID(o), nil
}

// checkContainer refuses parameters that don't go together.
func checkContainer(c *Call) *Error {
	text := c.Param("text")
	kind := c.Param("media_type")
	attached := 0
	for _, name := range []string{"poll_attachment", "gif_attachment", "text_attachment", "link_attachment"} {
		if c.Has(name) {
			attached++
		}
	}
	switch {
	case utf8.RuneCountInString(text) > 500:
		return Bad("Param text must be at most 500 characters long.")
	case kind == "TEXT" && text == "" && attached == 0:
		return Bad("The parameter text is required for media_type TEXT")
	case kind == "IMAGE" && !c.Has("image_url"):
		return Bad("The parameter image_url is required for media_type IMAGE")
	case kind == "VIDEO" && !c.Has("video_url"):
		return Bad("The parameter video_url is required for media_type VIDEO")
	case kind != "TEXT" && attached > 0:
		return Bad("Attachments are only for media_type TEXT")
	case c.Has("poll_attachment") && c.Has("text_attachment"):
		return Bad("A text attachment can't go with a poll")
	case c.Bool("is_ghost_post") && (kind != "TEXT" || c.Has("reply_to_id")):
		return Bad("A ghost post has media_type TEXT and is no reply")
	case kind == "CAROUSEL":
		return checkChildren(c)
	}
	for _, name := range []string{"reply_to_id", "quote_post_id"} {
		if c.Has(name) && (c.World.Get(c.Param(name)) == nil || c.World.Get(c.Param(name)).Kind != "ThreadsMedia") {
			return Bad("Param " + name + " names no post that can be seen")
		}
	}
	return checkAttachments(c)
}

func checkAttachments(c *Call) *Error {
	if c.Has("gif_attachment") {
		var gif struct {
			ID       string `json:"gif_id"`
			Provider string `json:"provider"`
		}
		if err := c.JSON("gif_attachment", &gif); err != nil {
			return err
		}
		if gif.ID == "" || gif.Provider != "GIPHY" {
			return Bad("Param gif_attachment must have a gif_id and the provider GIPHY")
		}
	}
	if c.Has("poll_attachment") {
		var poll map[string]string
		if err := c.JSON("poll_attachment", &poll); err != nil {
			return err
		}
		if poll["option_a"] == "" || poll["option_b"] == "" {
			return Bad("Param poll_attachment must have option_a and option_b")
		}
	}
	return nil
}

func checkChildren(c *Call) *Error {
	ids := c.Strings("children")
	if len(ids) < 2 || len(ids) > 20 {
		return Bad("A carousel must have 2 to 20 children")
	}
	for _, id := range ids {
		o := c.World.Get(id)
		if o == nil || o.Kind != "ThreadsContainer" || o.Attrs["is_carousel_item"] != true {
			return Bad("Param children holds an id of no carousel item: " + clip(id))
		}
		if status, _ := containerStatus(c.Now, o); status != "FINISHED" {
			return Bad("A child of the carousel is not ready: " + clip(id))
		}
	}
	return nil
}

func publishContainer(c *Call) (any, *Error) {
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	o := c.World.Get(c.Param("creation_id"))
	if o == nil || o.Kind != "ThreadsContainer" || o.Owner != c.On.ID {
		return nil, Fail("container_not_visible")
	}
	switch status, why := containerStatus(c.Now, o); {
	case status == "IN_PROGRESS":
		return nil, Fail("container_not_visible")
	case status != "FINISHED":
		return nil, Bad("The container can't be published: " + status + " " + why)
	case o.Attrs["is_carousel_item"] == true:
		return nil, Bad("The item of a carousel can't be published by itself")
	}
	post, err := c.World.publishThread(c, o)
	if err != nil {
		return nil, err
	}
	return ID(post), nil
}

// publishThread makes a post of a container.
func (w *World) publishThread(c *Call, container *Object) (*Object, *Error) {
	posts, replies, _ := w.used(c.On, c.Now)
	replyTo, _ := container.Attrs["reply_to_id"].(string)
	if replyTo != "" && replies >= threadsReplyQuota || replyTo == "" && posts >= threadsPostQuota {
		return nil, Fail("threads_quota")
	}
	kinds := map[string]string{"TEXT": "TEXT_POST", "CAROUSEL": "CAROUSEL_ALBUM"}
	kind := container.Str("media_type")
	attrs := Attrs{"media_type": orDefault(kinds[kind], kind), "audience": strings.ToUpper(container.Str("reply_control")), "ghost": container.Attrs["is_ghost_post"]}
	for _, name := range []string{"text", "alt_text", "topic_tag", "poll_attachment", "location_id", "is_spoiler_media"} {
		if v := container.Attrs[name]; v != nil {
			attrs[name] = v
		}
	}
	if media := container.Str("image_url") + container.Str("video_url"); media != "" {
		attrs["media_url"] = media
	}
	if link := container.Str("link_attachment"); link != "" {
		attrs["link_attachment_url"] = link
	}
	if gif, ok := container.Attrs["gif_attachment"].(map[string]any); ok {
		attrs["gif_url"] = "https://media.giphy.com/media/" + gif["gif_id"].(string) + "/giphy.gif"
	}
	if quoted := container.Str("quote_post_id"); quoted != "" {
		attrs["quoted_post"] = Ref(quoted)
	}
	id := w.NextID()
	if c.Edge == "threads" { // published with the call that made it: one id
		w.Remove(container)
		id = container.ID
	}
	post := w.addThread(id, c.On, attrs)
	container.Attrs["published"] = post.ID
	if to := w.Get(replyTo); to != nil {
		w.reply(post, to)
	}
	children, _ := container.Attrs["children"].([]any)
	for _, child := range children {
		w.publishChild(post, child)
	}
	return post, nil
}

func (w *World) publishChild(post *Object, child any) {
	ref, _ := child.(Ref)
	id, isText := child.(string)
	if !isText {
		id = string(ref)
	}
	from := w.Get(id)
	if from == nil {
		return
	}
	from.Attrs["published"] = post.ID
	item := w.Add("ThreadsMedia", post, Attrs{
		"media_type": from.Str("media_type"), "media_url": from.Str("image_url") + from.Str("video_url"), "alt_text": from.Str("alt_text"), "username": post.Str("username"),
	})
	w.Link(post, "children", item)
}

// Quotas of 24 hours (documentation/threads/overview).
const (
	threadsPostQuota     = 250
	threadsReplyQuota    = 1000
	threadsDeleteQuota   = 100
	threadsLocationQuota = 500
)

// used counts what the account published and deleted in the last day.
func (w *World) used(user *Object, now time.Time) (posts, replies, deleted int) {
	for _, o := range w.Linked(user, "posts") {
		switch {
		case now.Sub(o.Made) >= threadsDay:
		case o.Attrs["replied_to"] != nil:
			replies++
		default:
			posts++
		}
	}
	times, _ := user.Attrs["deleted"].([]time.Time)
	for _, at := range times {
		if now.Sub(at) < threadsDay {
			deleted++
		}
	}
	return posts, replies, deleted
}

func threadsLimits(c *Call) (any, *Error) {
	posts, replies, deleted := c.World.used(c.On, c.Now)
	day := func(total int) map[string]any { return map[string]any{"quota_total": total, "quota_duration": 86400} }
	return c.Rows("ThreadsQuota", []map[string]any{{
		"quota_usage": posts, "config": day(threadsPostQuota), "reply_quota_usage": replies, "reply_config": day(threadsReplyQuota),
		"delete_quota_usage": deleted, "delete_config": day(threadsDeleteQuota), "location_search_quota_usage": c.On.count("searches"), "location_search_config": day(threadsLocationQuota),
	}})
}

func repost(c *Call) (any, *Error) {
	me := c.World.Get(ThreadsID)
	o := c.World.addThread(c.World.NextID(), me, Attrs{"media_type": "REPOST_FACADE", "reposted_post": Ref(c.On.ID)})
	c.On.Attrs["reposts"] = c.On.count("reposts") + 1
	return ID(o), nil
}

func deleteThread(c *Call) (any, *Error) {
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	me := c.World.Get(ThreadsID)
	if _, _, deleted := c.World.used(me, c.Now); deleted >= threadsDeleteQuota {
		return nil, Fail("threads_quota")
	}
	times, _ := me.Attrs["deleted"].([]time.Time)
	me.Attrs["deleted"] = append(slices.Clone(times), c.Now)
	c.World.Delete(c.On)
	return map[string]any{"success": true, "deleted_id": c.On.ID}, nil
}

// manageReply hides and shows replies at the first level of the account's own posts.
func manageReply(c *Call) (any, *Error) {
	to, _ := c.On.Attrs["replied_to"].(Ref)
	root := c.World.Get(string(to))
	switch {
	case root == nil || root.Attrs["replied_to"] != nil:
		return nil, Bad("Only direct replies to a post can be hidden")
	case root.Owner != ThreadsID:
		return nil, Fail("permission")
	}
	status := "UNHUSHED"
	if c.Bool("hide") {
		status = "HIDDEN"
	}
	c.On.Attrs["hide"] = status
	for _, below := range c.World.below(c.On) {
		below.Attrs["hide"] = status
	}
	return OK(), nil
}

// below are the replies to a post at every depth, each before those that answer it.
func (w *World) below(o *Object) []*Object {
	var list []*Object
	direct := w.Linked(o, "replies")
	slices.Reverse(direct)
	for _, r := range direct {
		list = append(append(list, r), w.below(r)...)
	}
	return list
}

// count is a number that an object carries.
func (o *Object) count(name string) int {
	n, _ := o.Attrs[name].(int)
	return n
}
