package world

import (
	"slices"
	"time"
)

// Comments and reactions are alike on posts, photos, videos and comments.

var pageComments = map[string]Behaviour{
	"GET Comment.comments":    listComments,
	"POST Comment.comments":   createComment,
	"POST Comment.":           updateComment,
	"GET Comment.likes":       listLikes,
	"POST Comment.likes":      like,
	"DELETE Comment.likes":    unlike,
	"GET Comment.reactions":   listReactions,
	"GET Photo.comments":      listComments,
	"POST Photo.comments":     createComment,
	"GET Photo.likes":         listLikes,
	"POST Photo.likes":        like,
	"DELETE Photo.likes":      unlike,
	"GET Photo.reactions":     listReactions,
	"GET Album.comments":      listComments,
	"POST Album.comments":     createComment,
	"GET Album.likes":         listLikes,
	"POST Album.likes":        like,
	"DELETE Album.likes":      unlike,
	"GET Video.comments":      listComments,
	"POST Video.comments":     createComment,
	"GET Video.likes":         listLikes,
	"POST Video.likes":        like,
	"DELETE Video.likes":      unlike,
	"GET Video.reactions":     listReactions,
	"GET LiveVideo.comments":  listComments,
	"GET LiveVideo.reactions": listReactions,
}

var pageCommentFields = map[string]fieldOf{
	"Comment.comment_count": func(c *Call, o *Object) any { return len(c.World.Linked(o, "comments")) },
	"Comment.like_count":    func(c *Call, o *Object) any { return len(c.World.Linked(o, "reactions")) },
	"Comment.user_likes": func(c *Call, o *Object) any {
		page := c.World.Above(o, "Page")
		return page != nil && slices.Contains(c.World.Linked(o, "reactions"), page)
	},
	"Comment.can_hide":            func(c *Call, o *Object) any { return !byPage(c, o) },
	"Comment.can_remove":          func(*Call, *Object) any { return true },
	"Comment.can_like":            func(*Call, *Object) any { return true },
	"Comment.can_comment":         func(*Call, *Object) any { return true },
	"Comment.is_hidden":           func(_ *Call, o *Object) any { return o.is("is_hidden") },
	"Comment.can_reply_privately": func(c *Call, o *Object) any { return !byPage(c, o) && c.Now.Sub(o.Made) < 7*24*time.Hour },
	"Comment.permalink_url":       func(_ *Call, o *Object) any { return "https://www.facebook.com/" + o.ID },
	"Comment.parent": func(c *Call, o *Object) any {
		if parent := c.World.Get(o.Owner); parent != nil && parent.Kind == "Comment" {
			return parent
		}
		return nil
	},
}

// listComments lists the comments of an object: toplevel those on it, stream also the
// replies to them.
func listComments(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "comments")
	if c.Param("filter") == "stream" {
		for _, o := range slices.Clone(list) {
			list = append(list, c.World.Linked(o, "comments")...)
		}
	}
	slices.SortStableFunc(list, func(a, b *Object) int { return a.Made.Compare(b.Made) })
	if c.Param("order") == "reverse_chronological" {
		slices.Reverse(list)
	}
	list, err := madeBetween(c, list)
	if err != nil {
		return nil, err
	}
	return c.List(list)
}

func createComment(c *Call) (any, *Error) {
	if c.Param("message") == "" && !c.Has("attachment_url") && !c.Has("attachment_id") {
		return nil, Bad("Requires one of the params: message, attachment_id, attachment_url")
	}
	if broken(c.Param("attachment_url")) {
		return nil, Fail("photo_fetch")
	}
	on := c.On
	if parent := c.World.Get(on.Owner); on.Kind == "Comment" && parent != nil && parent.Kind == "Comment" {
		on = parent // replies are one level deep
	}
	page := c.World.Above(on, "Page")
	if page == nil {
		return nil, c.NoObject(on.ID)
	}
	return ID(c.World.addComment(page.ID+"_"+c.World.NextID(), on, page.ID, c.Param("message"))), nil
}

func (w *World) addComment(id string, on *Object, from, message string) *Object {
	o := w.AddAs(id, "Comment", on, Attrs{"message": message, "from": Ref(from)})
	w.Link(on, "comments", o)
	return o
}

func updateComment(c *Call) (any, *Error) {
	if c.Has("message") && !byPage(c, c.On) {
		return nil, Fail("comment_not_author")
	}
	if c.Bool("is_hidden") && byPage(c, c.On) {
		return nil, Fail("comment_hide_own")
	}
	return c.Generic()
}

// react notes a reaction of a person or the Page.
func (w *World) react(on, who *Object, kind string) {
	types, _ := on.Attrs["reaction_types"].(map[string]string)
	if types == nil {
		types = map[string]string{}
		on.Attrs["reaction_types"] = types
	}
	types[who.ID] = kind
	w.Link(on, "reactions", who)
}

func like(c *Call) (any, *Error) {
	if page := c.World.Above(c.On, "Page"); page != nil {
		c.World.react(c.On, page, "LIKE")
	}
	return OK(), nil
}

func unlike(c *Call) (any, *Error) {
	if page := c.World.Above(c.On, "Page"); page != nil {
		c.World.Unlink(c.On, "reactions", page)
	}
	return OK(), nil
}

func listReactions(c *Call) (any, *Error) { return reactions(c, c.Param("type")) }

func listLikes(c *Call) (any, *Error) { return reactions(c, "LIKE") }

func reactions(c *Call, kind string) (any, *Error) {
	types, _ := c.On.Attrs["reaction_types"].(map[string]string)
	rows := []map[string]any{}
	for _, who := range c.World.Linked(c.On, "reactions") {
		if kind == "" || kind == "NONE" || types[who.ID] == kind {
			rows = append(rows, map[string]any{"id": who.ID, "name": who.Str("name"), "type": types[who.ID]})
		}
	}
	return c.Rows("Reaction", rows)
}
