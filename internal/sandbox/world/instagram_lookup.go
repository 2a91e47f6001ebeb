package world

import (
	"slices"
	"strings"
	"time"
)

// igLookupBehaviours find what belongs to others: accounts by name, mentions, hashtags.
var igLookupBehaviours = map[string]Behaviour{
	"GET IGUser.business_discovery": func(c *Call) (any, *Error) {
		for _, o := range c.World.All("IGUser") {
			if strings.EqualFold(o.Str("username"), c.Param("username")) {
				return c.Show(o)
			}
		}
		return nil, Fail("ig_unknown_user", "username", clip(c.Param("username")))
	},
	"GET IGUser.mentioned_media": func(c *Call) (any, *Error) {
		o := c.World.Get(c.Param("media_id"))
		if o == nil || o.Kind != "IGMedia" || !strings.Contains(o.Str("caption"), "@"+c.On.Str("username")) {
			return nil, c.NoObject(c.Param("media_id"))
		}
		return c.Show(o)
	},
	"GET IGUser.mentioned_comment": func(c *Call) (any, *Error) {
		o := c.World.Get(c.Param("comment_id"))
		if o == nil || o.Kind != "IGComment" || !strings.Contains(o.Str("text"), "@"+c.On.Str("username")) {
			return nil, c.NoObject(c.Param("comment_id"))
		}
		return c.Show(o)
	},
	"GET Root.ig_hashtag_search":            igFindHashtag,
	"GET IGUser.recently_searched_hashtags": igRecentHashtags,
	"GET IGHashtag.top_media":               func(c *Call) (any, *Error) { return igTagged(c, 365*igDay) },
	"GET IGHashtag.recent_media":            func(c *Call) (any, *Error) { return igTagged(c, igDay) },
	"GET IGUser.collaboration_invites":      igInvites,
	"GET IGUser.collaborative_media":        igCollaborations,
	"POST IGUser.collaboration_invites": func(c *Call) (any, *Error) {
		o := c.World.Get(c.Param("media_id"))
		if o == nil || !c.World.Unlink(c.On, "invites", o) {
			return nil, c.NoObject(c.Param("media_id"))
		}
		if c.Bool("accept") {
			c.World.Link(c.On, "collaborations", o)
		}
		return OK(), nil
	},
}

// igHashtagMost is how many different hashtags an account may ask for in 7 days
// (reference/ig-hashtag-search).
const igHashtagMost = 30

// igAsked are the hashtags an account asked for, by id, and when.
func igAsked(account *Object) map[string]time.Time {
	asked, ok := account.Attrs["asked_hashtags"].(map[string]time.Time)
	if !ok {
		asked = map[string]time.Time{}
		account.Attrs["asked_hashtags"] = asked
	}
	return asked
}

// igAsker is the account that a hashtag call is made for.
func igAsker(c *Call) (*Object, *Error) {
	o := c.World.Get(c.Param("user_id"))
	if o == nil || o.Kind != "IGUser" || o.Attrs[igForeign] == true {
		return nil, c.NoObject(c.Param("user_id"))
	}
	return o, nil
}

func igFindHashtag(c *Call) (any, *Error) {
	account, err := igAsker(c)
	if err != nil {
		return nil, err
	}
	for _, o := range c.World.All("IGHashtag") {
		if !strings.EqualFold(o.Str("name"), c.Param("q")) {
			continue
		}
		asked, recent := igAsked(account), 0
		for id, at := range asked {
			if id != o.ID && c.Now.Sub(at) < 7*igDay {
				recent++
			}
		}
		if recent >= igHashtagMost {
			return nil, Fail("ig_hashtag_limit")
		}
		asked[o.ID] = c.Now
		return c.List([]*Object{o})
	}
	return nil, Fail("ig_hashtag")
}

func igRecentHashtags(c *Call) (any, *Error) {
	asked := igAsked(c.On)
	var list []*Object
	for _, o := range c.World.All("IGHashtag") {
		if at, ok := asked[o.ID]; ok && c.Now.Sub(at) < 7*igDay {
			list = append(list, o)
		}
	}
	return c.List(list)
}

// igTagged lists public posts with a hashtag, newest first.
func igTagged(c *Call, within time.Duration) (any, *Error) {
	if _, err := igAsker(c); err != nil {
		return nil, err
	}
	tag := "#" + strings.ToLower(c.On.Str("name"))
	var list []*Object
	for _, o := range c.World.All("IGMedia") {
		words := strings.Fields(strings.ToLower(o.Str("caption")))
		if slices.Contains(words, tag) && c.Now.Sub(igTime(o)) < within {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b *Object) int { return igTime(b).Compare(igTime(a)) })
	return c.List(list)
}

func igInvites(c *Call) (any, *Error) {
	var rows []map[string]any
	for _, o := range c.World.Linked(c.On, "invites") {
		rows = append(rows, map[string]any{
			"media_id": o.ID, "media_owner_username": igName(c.World, o), "caption": o.Str("caption"), "media_url": o.Str("media_url"),
		})
	}
	return c.Rows("IGCollaborationInvite", rows)
}

// igCollaborations are the posts of others that the account is a co-author of.
func igCollaborations(c *Call) (any, *Error) {
	var rows []map[string]any
	for _, o := range c.World.Linked(c.On, "collaborations") {
		n := igNumbers(c, o)
		rows = append(rows, map[string]any{
			"id": o.ID, "username": igName(c.World, o), "media_type": o.Str("media_type"), "media_product_type": o.Str("media_product_type"),
			"caption": o.Str("caption"), "media_url": o.Str("media_url"), "permalink": o.Str("permalink"), "timestamp": GraphTime(igTime(o)),
			"like_count": n["likes"], "comments_count": n["comments"], "reposts_count": n["reposts"], "saved_count": n["saved"],
			"shares_count": n["shares"], "total_like_count": n["total_likes"], "total_comments_count": n["total_comments"],
			"total_views_count": n["total_views"],
		})
	}
	return c.Rows("IGCollaborativeMedia", rows)
}

// igTags is where a post keeps its product tags.
const igTags = "product_tags_kept"

// igShopBehaviours tag products of a catalog.
var igShopBehaviours = map[string]Behaviour{
	"GET IGUser.available_catalogs": func(c *Call) (any, *Error) {
		var rows []map[string]any
		for _, o := range c.World.All("ProductCatalog") {
			rows = append(rows, map[string]any{
				"catalog_id": o.ID, "catalog_name": o.Str("name"), "shop_name": "Sandbox shop", "product_count": len(c.World.Linked(o, "products")),
			})
		}
		return c.Rows("IGAvailableCatalog", rows)
	},
	"GET IGUser.catalog_product_search": func(c *Call) (any, *Error) {
		catalog := c.World.Get(c.Param("catalog_id"))
		if catalog == nil || catalog.Kind != "ProductCatalog" {
			return nil, c.NoObject(c.Param("catalog_id"))
		}
		var rows []map[string]any
		for _, o := range c.World.Linked(catalog, "products") {
			if strings.Contains(strings.ToLower(o.Str("name")), strings.ToLower(c.Param("q"))) {
				rows = append(rows, map[string]any{
					"product_id": o.ID, "merchant_id": BusinessID, "product_name": o.Str("name"), "image_url": o.Str("image_url"),
					"retailer_id": o.Str("retailer_id"), "review_status": "approved", "is_checkout_flow": false,
				})
			}
		}
		return c.Rows("IGCatalogProduct", rows)
	},
	"GET IGMedia.product_tags": func(c *Call) (any, *Error) {
		kept, _ := c.On.Attrs[igTags].([]map[string]any)
		var rows []map[string]any
		for _, tag := range kept {
			row := map[string]any{"merchant_id": BusinessID, "review_status": "approved", "is_checkout": false}
			for name, v := range tag {
				row[name] = v
			}
			if o := c.World.Get(text(tag["product_id"])); o != nil {
				row["name"], row["image_url"] = o.Str("name"), o.Str("image_url")
			}
			rows = append(rows, row)
		}
		return c.Rows("IGProductTag", rows)
	},
	"POST IGMedia.product_tags": func(c *Call) (any, *Error) {
		tags, err := igProductTags(c, "updated_tags", c.On.Str("media_type"))
		if err != nil {
			return nil, err
		}
		kept, _ := c.On.Attrs[igTags].([]map[string]any)
		for _, tag := range tags {
			kept = slices.DeleteFunc(kept, func(have map[string]any) bool { return text(have["product_id"]) == text(tag["product_id"]) })
			kept = append(kept, tag)
		}
		c.On.Attrs[igTags] = kept
		return OK(), nil
	},
}

// igProductTags reads product tags of a parameter: photos need a position for each.
func igProductTags(c *Call, name, kind string) ([]map[string]any, *Error) {
	if !c.Has(name) {
		return nil, nil
	}
	var tags []map[string]any
	if err := c.JSON(name, &tags); err != nil {
		return nil, err
	}
	for _, tag := range tags {
		if text(tag["product_id"]) == "" {
			return nil, Bad("Param " + name + " must name a product_id in each tag")
		}
		if _, x := tag["x"]; kind == "IMAGE" && !x {
			return nil, Fail("ig_tag_position")
		} else if kind == "VIDEO" && x {
			return nil, Fail("ig_tag_no_position")
		}
	}
	return tags, nil
}
