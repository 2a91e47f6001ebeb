package world

import (
	"strings"
	"time"
	"unicode/utf8"
)

// igComment adds a comment that was made some time ago.
func igComment(w *World, media *Object, id, by, text string, ago time.Duration) *Object {
	at := w.Now().Add(-ago)
	o := w.AddAs(id, "IGComment", media, Attrs{
		"text": text, "username": by, "timestamp": at, "hidden": false, "media": Ref(media.ID),
		"from": map[string]any{"id": "1780000000000" + id[len(id)-4:], "username": by},
	})
	o.Made = at
	return o
}

var igCommentBehaviours = map[string]Behaviour{
	"POST IGMedia.comments": func(c *Call) (any, *Error) { return igWrite(c, c.On, c.On, "comments") },
	"POST IGComment.replies": func(c *Call) (any, *Error) {
		top := c.On
		if parent := c.World.Get(top.Str("parent_id")); parent != nil {
			top = parent // a reply to a reply goes under the comment
		}
		media, _ := top.Attrs["media"].(Ref)
		return igWrite(c, c.World.Get(string(media)), top, "replies")
	},
	"POST IGComment.": func(c *Call) (any, *Error) {
		if igStrange(c) {
			return nil, c.NoObject(c.On.ID)
		}
		c.On.Attrs["hidden"] = c.Bool("hide")
		return OK(), nil
	},
	"DELETE IGComment.": func(c *Call) (any, *Error) {
		if igStrange(c) {
			return nil, c.NoObject(c.On.ID)
		}
		igRemove(c.World, c.On)
		return OK(), nil
	},
	"POST IGUser.mentions": igAnswerMention,
	"POST IGUser.likes":    func(c *Call) (any, *Error) { return igLike(c, true) },
	"DELETE IGUser.likes":  func(c *Call) (any, *Error) { return igLike(c, false) },
}

// igStrange reports whether a comment hangs under somebody else's post.
func igStrange(c *Call) bool {
	media := c.World.Above(c.On, "IGMedia")
	return media != nil && media.Attrs[igForeign] == true
}

// igWrite adds a comment of the account itself.
func igWrite(c *Call, media, under *Object, edge string) (any, *Error) {
	if media == nil || media.Attrs[igForeign] == true {
		return nil, c.NoObject(c.On.ID)
	}
	if on, known := media.Attrs["is_comment_enabled"].(bool); known && !on {
		return nil, Fail("ig_comments_off")
	}
	if err := igText(c.Param("message")); err != nil {
		return nil, err
	}
	o := igComment(c.World, media, c.World.NextID(), igName(c.World, media), c.Param("message"), 0)
	if edge == "replies" {
		o.Attrs["parent_id"] = under.ID
	}
	c.World.Link(under, edge, o)
	return ID(o), nil
}

// igLiked marks what the account likes.
const igLiked = "liked"

// igLike likes a post, reel, comment or reply, or takes the like back; stories can't be
// liked.
func igLike(c *Call, like bool) (any, *Error) {
	if c.Has("media_id") == c.Has("comment_id") {
		return nil, Bad("Exactly one of media_id and comment_id must be given")
	}
	id := c.Param("media_id") + c.Param("comment_id")
	o := c.World.Get(id)
	if o == nil || o.Kind != "IGMedia" && o.Kind != "IGComment" || o.Str("media_product_type") == "STORY" {
		return nil, c.NoObject(id)
	}
	o.Attrs[igLiked] = like
	return OK(), nil
}

// igText holds a comment to Instagram's rules (reference/ig-comment/replies): 300
// characters, 4 hashtags, one address.
func igText(text string) *Error {
	switch {
	case utf8.RuneCountInString(text) > 300:
		return Bad("The comment must not exceed 300 characters")
	case strings.Count(text, "#") > 4:
		return Bad("The comment must not contain more than 4 hashtags")
	case strings.Count(text, "http://")+strings.Count(text, "https://") > 1:
		return Bad("The comment must not contain more than 1 URL")
	}
	return nil
}

// igComments counts the comments of a post, with their replies.
func igComments(w *World, media *Object) int {
	n := 0
	for _, top := range w.Linked(media, "comments") {
		n += 1 + len(w.Linked(top, "replies"))
	}
	return n
}

// igRemove takes a comment away, and what hangs under it.
func igRemove(w *World, comment *Object) {
	for _, reply := range w.Linked(comment, "replies") {
		w.Delete(reply)
	}
	w.Delete(comment)
}

// igAnswerMention comments on somebody else's post that mentions the account.
func igAnswerMention(c *Call) (any, *Error) {
	media := c.World.Get(c.Param("media_id"))
	if media == nil || !igMentions(c.World, media, c.On) {
		return nil, c.NoObject(c.Param("media_id"))
	}
	if err := igText(c.Param("message")); err != nil {
		return nil, err
	}
	o := igComment(c.World, media, c.World.NextID(), c.On.Str("username"), c.Param("message"), 0)
	if c.Has("comment_id") {
		top := c.World.Get(c.Param("comment_id"))
		if top == nil || top.Owner != media.ID {
			return nil, c.NoObject(c.Param("comment_id"))
		}
		o.Attrs["parent_id"] = top.ID
		c.World.Link(top, "replies", o)
		return ID(o), nil
	}
	c.World.Link(media, "comments", o)
	return ID(o), nil
}

// igMentions reports whether a post, or a comment under it, mentions an account.
func igMentions(w *World, media, account *Object) bool {
	name := "@" + account.Str("username")
	if strings.Contains(media.Str("caption"), name) {
		return true
	}
	for _, comment := range w.Linked(media, "comments") {
		if strings.Contains(comment.Str("text"), name) {
			return true
		}
	}
	return false
}
