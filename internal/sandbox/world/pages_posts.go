package world

import (
	"slices"
	"strings"
	"time"
)

var pagePosts = map[string]Behaviour{
	"POST Page.feed":           createPost,
	"GET Page.feed":            listPosts(func(_ *Call, o *Object) bool { return isPublished(o) && !o.is("is_hidden") && !o.is("elsewhere") }),
	"GET Page.published_posts": listPosts(func(c *Call, o *Object) bool { return isPublished(o) && byPage(c, o) }),
	"GET Page.posts":           listPosts(func(c *Call, o *Object) bool { return isPublished(o) && byPage(c, o) }),
	"GET Page.ads_posts":       listPosts(byPage),
	"GET Page.visitor_posts":   listPosts(func(c *Call, o *Object) bool { return !byPage(c, o) && !o.is("elsewhere") }),
	"GET Page.tagged":          listPosts(func(_ *Call, o *Object) bool { return o.is("elsewhere") }),
	"GET Page.scheduled_posts": listPosts(func(_ *Call, o *Object) bool { return !isPublished(o) && o.Attrs["scheduled_publish_time"] != nil }),
	"POST PagePost.":           updatePost,
	"GET PagePost.attachments": postAttachments,
	"GET PagePost.likes":       listLikes,
	"POST PagePost.likes":      like,
	"DELETE PagePost.likes":    unlike,
	"GET PagePost.reactions":   listReactions,
	"GET PagePost.comments":    listComments,
	"POST PagePost.comments":   createComment,
	"GET PagePost.sharedposts": func(c *Call) (any, *Error) { return c.List(nil) },
}

var pagePostFields = map[string]fieldOf{
	"PagePost.permalink_url": func(_ *Call, o *Object) any {
		return "https://www.facebook.com/" + strings.Replace(o.ID, "_", "/posts/", 1)
	},
	"PagePost.is_published":  func(_ *Call, o *Object) any { return isPublished(o) },
	"PagePost.promotable_id": func(_ *Call, o *Object) any { return o.ID },
	"PagePost.is_eligible_for_promotion": func(c *Call, o *Object) any {
		return isPublished(o) && byPage(c, o)
	},
	"PagePost.allowed_advertising_objectives": func(c *Call, o *Object) any {
		if !isPublished(o) {
			return nil
		}
		return []any{"OUTCOME_AWARENESS", "OUTCOME_ENGAGEMENT", "OUTCOME_TRAFFIC"}
	},
}

// Scheduled times are taken from ten minutes to thirty days ahead (meta-graph §10).
const (
	scheduleSoonest = 10 * time.Minute
	scheduleLatest  = 30 * 24 * time.Hour
)

// is reads a yes or no of an object.
func (o *Object) is(name string) bool { v, _ := o.Attrs[name].(bool); return v }

func isPublished(o *Object) bool { return !o.is("unpublished") }

// byPage reports whether a Page itself wrote a post.
func byPage(c *Call, o *Object) bool {
	page := c.World.Above(o, "Page")
	return page != nil && o.Attrs["from"] == Ref(page.ID)
}

// broken marks addresses that Meta could not read: those with the word in them.
func broken(address string) bool { return strings.Contains(address, "broken") }

func listPosts(keep func(*Call, *Object) bool) Behaviour {
	return func(c *Call) (any, *Error) {
		list := slices.DeleteFunc(c.World.Linked(c.On, "feed"), func(o *Object) bool { return !keep(c, o) })
		list, err := madeBetween(c, list)
		if err != nil {
			return nil, err
		}
		return c.List(list)
	}
}

// madeBetween keeps what was made from since to until.
func madeBetween(c *Call, list []*Object) ([]*Object, *Error) {
	from, to := time.Time{}, time.Unix(1<<40, 0)
	var err *Error
	if c.Has("since") {
		if from, err = c.When("since"); err != nil {
			return nil, err
		}
	}
	if c.Has("until") {
		if to, err = c.When("until"); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(list, func(o *Object) bool {
		at, _ := c.Value(o, "created_time").(time.Time)
		return at.Before(from) || at.After(to)
	}), nil
}

// schedule reads scheduled_publish_time; ok is false without one.
func schedule(c *Call) (at time.Time, ok bool, err *Error) {
	if !c.Has("scheduled_publish_time") {
		return time.Time{}, false, nil
	}
	if at, err = c.When("scheduled_publish_time"); err != nil {
		return at, false, err
	}
	if ahead := at.Sub(c.Now); ahead < scheduleSoonest || ahead > scheduleLatest {
		return at, false, Fail("post_schedule")
	}
	return at, true, nil
}

// unpublished reads whether a new thing is not to be seen yet, and when it will be.
func unpublished(c *Call) (hidden bool, at time.Time, err *Error) {
	at, timed, err := schedule(c)
	if err != nil {
		return false, at, err
	}
	hidden = c.Has("published") && !c.Bool("published")
	if timed && !hidden {
		return false, at, Fail("post_schedule_published")
	}
	return hidden, at, nil
}

func createPost(c *Call) (any, *Error) {
	if !c.Has("message") && !c.Has("link") && !c.Has("attached_media") {
		return nil, Bad("Requires one of the params: message, link, attached_media")
	}
	if broken(c.Param("link")) {
		return nil, Fail("no_link")
	}
	hidden, at, err := unpublished(c)
	if err != nil {
		return nil, err
	}
	attachments, err := attached(c)
	if err != nil {
		return nil, err
	}
	if last := newest(c); last != nil && !hidden && attachments == nil && last.Str("message") == c.Param("message") && last.Made.Add(time.Minute).After(c.Now) {
		return nil, Fail("duplicate")
	}
	return ID(c.World.addPost(c.On, hidden, at, Attrs{
		"message": c.Param("message"), "by_app": true, "status_type": "mobile_status_update", "attachments": attachments,
	})), nil
}

func newest(c *Call) *Object {
	for _, o := range c.World.Linked(c.On, "feed") {
		if isPublished(o) && byPage(c, o) {
			return o
		}
	}
	return nil
}

// attached are the attachments of a new post: a link, or photos that were uploaded.
func attached(c *Call) ([]map[string]any, *Error) {
	if link := c.Param("link"); link != "" {
		return []map[string]any{{"title": "Example page", "description": "What example.com says of itself", "type": "share", "url": link}}, nil
	}
	if !c.Has("attached_media") {
		return nil, nil
	}
	var media []struct {
		ID string `json:"media_fbid"`
	}
	if err := c.JSON("attached_media", &media); err != nil {
		return nil, err
	}
	var list []map[string]any
	for _, m := range media {
		photo := c.World.Get(m.ID)
		if photo == nil || photo.Kind != "Photo" || photo.Owner != c.On.ID {
			return nil, Bad("Param attached_media must hold IDs of photos of the Page")
		}
		list = append(list, photoAttachment(photo))
	}
	return list, nil
}

// addPost puts a post of the Page on its feed. Hidden with a time it is published when
// the clock gets there.
func (w *World) addPost(page *Object, hidden bool, at time.Time, attrs Attrs) *Object {
	attrs["from"] = Ref(page.ID)
	attrs["unpublished"] = hidden
	if attrs["message"] == "" {
		delete(attrs, "message")
	}
	post := w.AddAs(page.ID+"_"+w.NextID(), "PagePost", page, attrs)
	w.Link(page, "feed", post)
	if hidden && !at.IsZero() {
		w.schedulePost(post, at)
	}
	return post
}

func (w *World) schedulePost(post *Object, at time.Time) {
	post.Attrs["scheduled_publish_time"] = at
	w.At(at, func(w *World) {
		// It may have been deleted, published or moved to another time since.
		if w.Get(post.ID) == post && !isPublished(post) && post.Attrs["scheduled_publish_time"] == at {
			w.publishPost(post, at)
		}
	})
}

func (w *World) publishPost(post *Object, at time.Time) {
	post.Attrs["unpublished"] = false
	post.Attrs["created_time"] = at
	delete(post.Attrs, "scheduled_publish_time")
	if page := w.Above(post, "Page"); page != nil { // the newest of the feed
		w.Unlink(page, "feed", post)
		w.Link(page, "feed", post)
	}
}

func updatePost(c *Call) (any, *Error) {
	post := c.On
	if c.Has("message") && !post.is("by_app") {
		return nil, Fail("post_not_by_app")
	}
	at, timed, err := schedule(c)
	if err != nil {
		return nil, err
	}
	if timed && isPublished(post) {
		return nil, Fail("post_schedule_published")
	}
	if c.Has("message") {
		post.Attrs["message"] = c.Param("message")
	}
	for _, name := range []string{"is_hidden", "is_pinned"} {
		if c.Has(name) {
			post.Attrs[name] = c.Bool(name)
		}
	}
	switch {
	case timed:
		c.World.schedulePost(post, at)
	case c.Bool("is_published") && !isPublished(post):
		c.World.publishPost(post, c.Now)
	}
	post.Attrs["updated_time"] = c.Now
	return OK(), nil
}

func postAttachments(c *Call) (any, *Error) {
	list, _ := c.On.Attrs["attachments"].([]map[string]any)
	return c.Rows("StoryAttachment", list)
}
