package world

import (
	"maps"
	"slices"
	"time"
)

// Pages: what the documented Page shows at the start, and what it does. Posts are in
// pages_posts.go, comments in pages_comments.go, photos in pages_photos.go, videos in
// pages_video.go, broadcasts in pages_live.go, what there is at the start in pages_seed.go.

var pageBehaviours = joined(pageItself, pagePosts, pageComments, pagePhotos, pageVideos, pageLive)

var pageFields = joined(pageItselfFields, pagePostFields, pageCommentFields, pagePhotoFields, pageVideoFields, pageLiveFields)

func joined[T any](parts ...map[string]T) map[string]T {
	all := map[string]T{}
	for _, p := range parts {
		maps.Copy(all, p)
	}
	return all
}

var pageItself = map[string]Behaviour{
	"POST Page.":                  updatePage,
	"GET Page.picture":            func(c *Call) (any, *Error) { return pagePicture(c, c.On), nil },
	"POST Page.picture":           setPagePicture,
	"GET Page.events":             pageEvents,
	"POST Page.blocked":           blockPeople,
	"DELETE Page.blocked":         unblockPeople,
	"GET Page.subscribed_apps":    subscribedApps,
	"POST Page.subscribed_apps":   subscribeApp,
	"DELETE Page.subscribed_apps": unsubscribeApp,
}

var pageItselfFields = map[string]fieldOf{
	"Page.picture": func(c *Call, o *Object) any { return pagePicture(c, o) },
}

// updatePage sets the profile. The cover is a photo's id.
func updatePage(c *Call) (any, *Error) {
	var photo *Object
	if c.Has("cover") {
		if photo = c.World.Get(c.Param("cover")); photo == nil || photo.Kind != "Photo" {
			return nil, Bad("Param cover must be the ID of a photo of the Page")
		}
	}
	answer, err := c.Generic()
	if err == nil && photo != nil {
		offset, _ := c.Int("offset_y", 0)
		c.On.Attrs["cover"] = map[string]any{"id": photo.ID, "cover_id": photo.ID, "source": photo.Attrs["source"], "offset_x": 0, "offset_y": offset}
	}
	return answer, err
}

// pictureSizes are the widths of the size classes.
var pictureSizes = map[string]int{"square": 50, "small": 50, "normal": 100, "album": 50, "large": 200}

func pagePicture(c *Call, page *Object) any {
	size, ok := pictureSizes[c.Param("type")]
	if !ok {
		size = pictureSizes["normal"]
	}
	picture := orDefault(page.Str("picture_url"), "https://scontent.example.com/"+page.ID+"/logo.png")
	return map[string]any{"data": map[string]any{"url": picture, "width": size, "height": size, "is_silhouette": false}}
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}

func setPagePicture(c *Call) (any, *Error) {
	switch {
	case c.Has("photo"):
		photo := c.World.Get(c.Param("photo"))
		if photo == nil || photo.Kind != "Photo" {
			return nil, Bad("Param photo must be the ID of a photo")
		}
		c.On.Attrs["picture_url"] = photo.Attrs["source"]
	case !c.Has("picture") || broken(c.Param("picture")):
		return nil, Fail("picture_small")
	default:
		c.On.Attrs["picture_url"] = c.Param("picture")
	}
	return OK(), nil
}

func pageEvents(c *Call) (any, *Error) {
	list := slices.DeleteFunc(c.World.Linked(c.On, "events"), func(e *Object) bool {
		starts, _ := e.Attrs["start_time"].(time.Time)
		switch c.Param("time_filter") {
		case "upcoming":
			return starts.Before(c.Now)
		case "past":
			return !starts.Before(c.Now)
		}
		return false
	})
	return c.List(list)
}

// blockees are the ids that a call about blocks names, whatever they are called.
func blockees(c *Call) ([]*Object, *Error) {
	var list []*Object
	for _, kind := range []string{"uid", "psid", "asid", "user"} {
		for _, id := range c.Strings(kind) {
			o := c.World.Get(id)
			if o == nil || o.Kind != "Profile" {
				return nil, Bad("Param " + kind + " must name a person who knows the Page")
			}
			list = append(list, o)
		}
	}
	if len(list) == 0 {
		return nil, Bad("One of uid, psid, asid and user is required")
	}
	return list, nil
}

func blockPeople(c *Call) (any, *Error) {
	list, err := blockees(c)
	if err != nil {
		return nil, err
	}
	out := map[string]any{}
	for _, o := range list {
		c.World.Link(c.On, "blocked", o)
		out[o.ID] = true
	}
	return out, nil
}

func unblockPeople(c *Call) (any, *Error) {
	list, err := blockees(c)
	if err != nil {
		return nil, err
	}
	for _, o := range list {
		if !c.World.Unlink(c.On, "blocked", o) {
			return nil, Bad("The person is not blocked")
		}
	}
	return OK(), nil
}

func subscribedApps(c *Call) (any, *Error) {
	rows := []map[string]any{}
	if list, ok := c.On.Attrs["subscribed_fields"].([]string); ok {
		rows = append(rows, map[string]any{
			"id": AppID, "name": "Sandbox app", "category": "Business", "link": "https://example.com/", "subscribed_fields": list,
		})
	}
	return c.Rows("SubscribedApp", rows)
}

func subscribeApp(c *Call) (any, *Error) {
	c.On.Attrs["subscribed_fields"] = c.Strings("subscribed_fields")
	return OK(), nil
}

func unsubscribeApp(c *Call) (any, *Error) {
	delete(c.On.Attrs, "subscribed_fields")
	return OK(), nil
}
