package world

import (
	"slices"
	"strings"
)

var threadsFinding = map[string]Behaviour{
	"GET ThreadsUser.threads":       func(c *Call) (any, *Error) { return ownThreads(c, false) },
	"GET ThreadsUser.replies":       func(c *Call) (any, *Error) { return ownThreads(c, true) },
	"GET ThreadsUser.mentions":      threadsMentions,
	"GET ThreadsMedia.replies":      threadReplies,
	"GET ThreadsMedia.conversation": threadConversation,
	"GET ThreadsMedia.children":     threadChildren,
	"GET Root.keyword_search":       searchThreads,
	"GET Root.profile_lookup":       lookUpProfile,
	"GET Root.profile_posts":        profileThreads,
	"GET Root.location_search":      searchLocations,
}

// listThreads answers with posts, newest first, within since and until.
func listThreads(c *Call, list []*Object) (any, *Error) {
	slices.SortStableFunc(list, func(a, b *Object) int { return b.Made.Compare(a.Made) })
	list, err := c.spanned(list)
	if err != nil {
		return nil, err
	}
	return c.List(list)
}

// spanned keeps what was made from since to until.
func (c *Call) spanned(list []*Object) ([]*Object, *Error) {
	for _, name := range []string{"since", "until"} {
		if !c.Has(name) {
			continue
		}
		at, err := c.When(name)
		if err != nil {
			return nil, err
		}
		list = slices.DeleteFunc(slices.Clone(list), func(o *Object) bool {
			if name == "since" {
				return o.Made.Before(at)
			}
			return !o.Made.Before(at)
		})
	}
	return list, nil
}

func ownThreads(c *Call, replies bool) (any, *Error) {
	return listThreads(c, slices.DeleteFunc(c.World.Linked(c.On, "posts"), func(o *Object) bool {
		return (o.Attrs["replied_to"] != nil) != replies || o.Attrs["ghost"] == true && c.Now.Sub(o.Made) >= threadsDay
	}))
}

func threadsMentions(c *Call) (any, *Error) {
	return listThreads(c, c.World.Linked(c.On, "mentions"))
}

func threadReplies(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "replies")
	slices.SortStableFunc(list, func(a, b *Object) int { return a.Made.Compare(b.Made) })
	return c.List(turned(c, list))
}

func threadConversation(c *Call) (any, *Error) {
	if err := mine(c, c.On); err != nil {
		return nil, err
	}
	return c.List(turned(c, c.World.below(c.On)))
}

func turned(c *Call, list []*Object) []*Object {
	if c.Bool("reverse") {
		slices.Reverse(list)
	}
	return list
}

func threadChildren(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "children")
	slices.Reverse(list)
	return c.List(list)
}

func searchThreads(c *Call) (any, *Error) {
	q := strings.ToLower(c.Param("q"))
	list := slices.DeleteFunc(c.World.All("ThreadsMedia"), func(o *Object) bool {
		found := strings.Contains(strings.ToLower(o.Str("text")), q)
		if c.Param("search_mode") == "TAG" {
			found = strings.EqualFold(o.Str("topic_tag"), q)
		}
		kind := strings.TrimSuffix(o.Str("media_type"), "_POST")
		return !found || c.Has("media_type") && kind != c.Param("media_type") || c.Has("author_username") && o.Str("username") != c.Param("author_username")
	})
	return listThreads(c, list)
}

// publicProfile finds a profile that may be looked up: public, with 100 followers.
func publicProfile(c *Call) (*Object, *Error) {
	for _, o := range c.World.All("ThreadsUser") {
		if o.Str("username") == c.Param("username") && o.Attrs["public"] == true {
			return o, nil
		}
	}
	return nil, Bad("The profile can't be looked up: " + clip(c.Param("username")))
}

func lookUpProfile(c *Call) (any, *Error) {
	o, err := publicProfile(c)
	if err != nil {
		return nil, err
	}
	likes, views := 0, 0
	posts := c.World.Linked(o, "posts")
	for _, p := range posts {
		n := threadNumbers(p)
		likes, views = likes+n["likes"], views+n["views"]
	}
	return map[string]any{
		"username": o.Str("username"), "name": o.Str("name"), "profile_picture_url": "https://example.com/threads/" + o.Str("username") + ".jpg",
		"biography": "Notes about tea", "is_verified": true, "follower_count": o.Attrs["followers"], "likes_count": likes, "quotes_count": 0,
		"replies_count": 0, "reposts_count": 0, "views_count": views,
	}, nil
}

func profileThreads(c *Call) (any, *Error) {
	o, err := publicProfile(c)
	if err != nil {
		return nil, err
	}
	return listThreads(c, c.World.Linked(o, "posts"))
}

// near is how far, in degrees, a place may be from a point.
const near = 0.5

func searchLocations(c *Call) (any, *Error) {
	var at [2]float64
	point := c.Has("latitude") && c.Has("longitude")
	if !point && !c.Has("q") {
		return nil, Bad("One of q and latitude with longitude is required")
	}
	for i, name := range []string{"latitude", "longitude"} {
		if point {
			if err := c.JSON(name, &at[i]); err != nil {
				return nil, err
			}
		}
	}
	me := c.World.Get(ThreadsID)
	me.Attrs["searches"] = me.count("searches") + 1
	list := slices.DeleteFunc(c.World.All("ThreadsLocation"), func(o *Object) bool {
		lat, _ := o.Attrs["latitude"].(float64)
		long, _ := o.Attrs["longitude"].(float64)
		far := point && (max(lat-at[0], at[0]-lat) > near || max(long-at[1], at[1]-long) > near)
		return far || !strings.Contains(strings.ToLower(o.Str("name")), strings.ToLower(c.Param("q")))
	})
	return c.List(list)
}
