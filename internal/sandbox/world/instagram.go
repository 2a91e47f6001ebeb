package world

import (
	"time"
)

// instagramBehaviours are Instagram's operations that graphspec alone doesn't say.
var instagramBehaviours = merged(
	igMediaBehaviours, igPublishBehaviours, igCommentBehaviours, igLookupBehaviours, igShopBehaviours, igInsightBehaviours,
)

var instagramFields = map[string]fieldOf{
	"IGUser.media_count":     func(c *Call, o *Object) any { return len(c.World.Linked(o, "media")) },
	"IGMedia.like_count":     func(c *Call, o *Object) any { return igNumbers(c, o)["likes"] },
	"IGMedia.comments_count": func(c *Call, o *Object) any { return igComments(c.World, o) },
	"IGMedia.reposts_count":  func(c *Call, o *Object) any { return igNumbers(c, o)["reposts"] },
	"IGMedia.saved_count":    func(c *Call, o *Object) any { return igNumbers(c, o)["saved"] },
	"IGMedia.shares_count":   func(c *Call, o *Object) any { return igNumbers(c, o)["shares"] },
	"IGComment.like_count": func(_ *Call, o *Object) any {
		if o.Attrs[igLiked] == true {
			return 1
		}
		return 0
	},
	"IGMedia.owner":    func(_ *Call, o *Object) any { return Ref(o.Owner) },
	"IGMedia.username": func(c *Call, o *Object) any { return igName(c.World, o) },
	"IGContainer.status_code": func(c *Call, o *Object) any {
		code, _ := igStatus(c.World, o)
		return code
	},
	"IGContainer.video_status": func(_ *Call, o *Object) any {
		if o.Attrs["upload_type"] != "resumable" {
			return nil
		}
		state := "not_started"
		if o.Attrs["ready"] != nil {
			state = "complete"
		}
		return map[string]any{"uploading_phase": map[string]any{"status": state, "bytes_transferred": o.count("bytes")}}
	},
	"IGContainer.status": func(c *Call, o *Object) any {
		_, words := igStatus(c.World, o)
		return words
	},
}

// Ids of the documented Instagram objects, besides InstagramID.
const (
	instagramSmallID   = "5000000000000002" // fewer than 100 followers
	instagramForeignID = "5000000000000003" // somebody else's account
)

// igForeign marks what belongs to accounts that the token has no role on. It is seen
// through tags, mentions, hashtags and business discovery only.
const igForeign = "foreign"

// seedInstagram makes the shop's account with its posts, a second one with few
// followers, and other people's accounts that mention it.
func seedInstagram(w *World) {
	page := w.Get(PageID)
	shop := w.AddAs(InstagramID, "IGUser", page, Attrs{
		"username": "sandbox_shop", "name": "Sandbox shop", "biography": "Linen and coffee things. Example Street 1.",
		"website": "https://shop.example.com/", "followers_count": 1840, "follows_count": 212, "ig_id": 5000001,
		"profile_picture_url": "https://cdn.example.com/ig/sandbox_shop.jpg", "has_profile_pic": true, "is_published": true,
		"shopping_product_tag_eligibility": true, "shopping_review_status": "approved", "owner_business": Ref(BusinessID),
	})
	w.AddAs(instagramSmallID, "IGUser", page, Attrs{
		"username": "sandbox_kiosk", "name": "Sandbox kiosk", "followers_count": 64, "follows_count": 12, "is_published": true,
	})
	bakery := w.AddAs(instagramForeignID, "IGUser", nil, Attrs{
		"username": "example_bakery", "name": "Example bakery", "biography": "Bread, every day.", "website": "https://bakery.example.com/",
		"followers_count": 5210, "follows_count": 96, "profile_picture_url": "https://cdn.example.com/ig/example_bakery.jpg", igForeign: true,
	})
	seedIGPosts(w, shop)
	seedIGOthers(w, shop, bakery)
}

// igPost adds a post that was made some time ago.
func igPost(w *World, owner *Object, id, kind, product, caption string, ago time.Duration) *Object {
	at := w.Now().Add(-ago)
	o := w.AddAs(id, "IGMedia", owner, Attrs{
		"media_type": kind, "media_product_type": product, "timestamp": at, "permalink": "https://www.instagram.com/p/SB" + id[len(id)-4:] + "/",
		"shortcode": "SB" + id[len(id)-4:], "is_comment_enabled": true, "is_ai_generated": false,
	})
	o.Made = at
	if caption != "" {
		o.Attrs["caption"] = caption
	}
	switch kind {
	case "IMAGE":
		o.Attrs["media_url"] = "https://cdn.example.com/ig/" + id + ".jpg"
	case "VIDEO":
		o.Attrs["media_url"] = "https://cdn.example.com/ig/" + id + ".mp4"
		o.Attrs["thumbnail_url"] = "https://cdn.example.com/ig/" + id + "-cover.jpg"
	}
	if owner.Attrs[igForeign] == true {
		o.Attrs[igForeign] = true
	}
	return o
}

const igDay = 24 * time.Hour

func seedIGPosts(w *World, shop *Object) {
	post := func(id, kind, product, caption string, ago time.Duration) *Object {
		o := igPost(w, shop, id, kind, product, caption, ago)
		if product != "STORY" {
			w.Link(shop, "media", o)
		} else {
			w.Link(shop, "stories", o)
		}
		return o
	}
	post("5100000000000001", "IMAGE", "FEED", "New in: linen tote bags. #sandboxshop #linen", 20*igDay).Attrs["alt_text"] = "A tote bag on a wooden table"
	post("5100000000000002", "VIDEO", "REELS", "How we fold a linen shirt #sandboxshop", 9*igDay).Attrs["is_shared_to_feed"] = true
	album := post("5100000000000003", "CAROUSEL_ALBUM", "FEED", "Three ways to wear it #linen", 5*igDay)
	for _, id := range []string{"5100000000000031", "5100000000000032", "5100000000000033"} {
		w.Link(album, "children", igPost(w, shop, id, "IMAGE", "FEED", "", 5*igDay))
	}
	tagged := post("5100000000000004", "IMAGE", "FEED", "Coffee mugs are back #coffee", 2*igDay)
	tagged.Attrs[igTags] = []map[string]any{{"product_id": "7100000000000001", "x": 0.4, "y": 0.6}}
	post("5100000000000006", "VIDEO", "STORY", "", 30*time.Hour)
	post("5100000000000005", "IMAGE", "STORY", "", 3*time.Hour)

	ask := igComment(w, tagged, "5200000000000001", "customer_one", "Do you ship to Belgium?", 40*time.Hour)
	w.Link(tagged, "comments", ask)
	answer := igComment(w, tagged, "5200000000000002", "sandbox_shop", "We do, within four days.", 39*time.Hour)
	answer.Attrs["parent_id"] = ask.ID
	w.Link(ask, "replies", answer)
	spam := igComment(w, tagged, "5200000000000003", "customer_two", "Cheap followers at followers.example.com", 30*time.Hour)
	spam.Attrs["hidden"] = true
	w.Link(tagged, "comments", spam)
	w.Link(tagged, "comments", igComment(w, tagged, "5200000000000004", "customer_three", "Lovely colour!", 20*time.Hour))
}

func seedIGOthers(w *World, shop, bakery *Object) {
	for _, m := range []struct {
		id, caption string
		ago         time.Duration
	}{
		{"5100000000000041", "Breakfast with friends from the shop next door", 4 * igDay},
		{"5100000000000042", "Mugs by @sandbox_shop #coffee", 3 * igDay},
		{"5100000000000043", "Fresh this morning #coffee", 5 * time.Hour},
	} {
		w.Link(bakery, "media", igPost(w, bakery, m.id, "IMAGE", "FEED", m.caption, m.ago))
	}
	w.Link(shop, "tags", w.Get("5100000000000041"))
	mention := igComment(w, w.Get("5100000000000042"), "5200000000000041", "customer_four", "Look at these, @sandbox_shop!", 2*igDay)
	w.Link(w.Get("5100000000000042"), "comments", mention)
	coffee := w.AddAs("5400000000000001", "IGHashtag", nil, Attrs{"name": "coffee"})
	w.AddAs("5400000000000002", "IGHashtag", nil, Attrs{"name": "linen"})
	w.AddAs("5400000000000003", "IGHashtag", nil, Attrs{"name": "sandboxshop"})
	igAsked(shop)[coffee.ID] = w.Now().Add(-igDay)
	w.Link(w.Get(InstagramID), "invites", w.Get("5100000000000043"))
}

// igMediaBehaviours read media as far as the account's owner sees them.
var igMediaBehaviours = map[string]Behaviour{
	"GET IGUser.":  igOwn,
	"GET IGMedia.": igOwn,
	"GET IGMedia.insights": func(c *Call) (any, *Error) {
		if c.On.Attrs[igForeign] == true {
			return nil, c.NoObject(c.On.ID)
		}
		return igMediaInsights(c)
	},
	"GET IGUser.stories": func(c *Call) (any, *Error) {
		var live []*Object
		for _, o := range c.World.Linked(c.On, "stories") {
			if c.Now.Sub(igTime(o)) < igDay {
				live = append(live, o)
			}
		}
		return c.List(live)
	},
	"GET IGUser.media":          igOwn,
	"GET IGUser.tags":           igOwn,
	"GET IGUser.live_media":     igOwn,
	"GET IGMedia.comments":      igOwn,
	"GET IGMedia.children":      igOwn,
	"GET IGMedia.collaborators": igOwn,
	"POST IGMedia.": func(c *Call) (any, *Error) {
		if c.On.Attrs[igForeign] == true {
			return nil, c.NoObject(c.On.ID)
		}
		c.On.Attrs["is_comment_enabled"] = c.Bool("comment_enabled")
		return OK(), nil
	},
	"DELETE IGMedia.": func(c *Call) (any, *Error) {
		if c.On.Attrs[igForeign] == true {
			return nil, c.NoObject(c.On.ID)
		}
		for _, comment := range c.World.Linked(c.On, "comments") {
			igRemove(c.World, comment)
		}
		c.World.Delete(c.On)
		return OK(), nil
	},
}

// igOwn refuses what is somebody else's, unless it is read through a lookup.
func igOwn(c *Call) (any, *Error) {
	if c.On.Attrs[igForeign] == true && c.depth == 0 {
		return nil, c.NoObject(c.On.ID)
	}
	return c.Generic()
}

func igTime(o *Object) time.Time {
	if at, ok := o.Attrs["timestamp"].(time.Time); ok {
		return at
	}
	return o.Made
}

// igName is the name of the account that owns an object.
func igName(w *World, o *Object) string {
	if owner := w.Above(o, "IGUser"); owner != nil {
		return owner.Str("username")
	}
	return ""
}
