package world

import "strings"

var creativeBehaviours = merged(mediaBehaviours, ruleBehaviours, map[string]Behaviour{
	"POST AdAccount.adcreatives": createCreative,
	"POST AdCreative.":           updateCreative,
	"DELETE AdCreative.":         deleteCreative,
	"GET Ad.previews":            showPreview,
	"GET AdCreative.previews":    showPreview,
	"GET Ad.adcreatives":         creativesOf,
	"GET AdSet.adcreatives":      creativesOf,
})

var creativeFields = merged(mediaFields, map[string]fieldOf{
	"AdCreative.body":  func(_ *Call, o *Object) any { return story(o, "message") },
	"AdCreative.title": func(_ *Call, o *Object) any { return story(o, "title", "name") },
	"AdCreative.link_url": func(_ *Call, o *Object) any {
		return story(o, "link")
	},
	"AdCreative.call_to_action_type": func(_ *Call, o *Object) any {
		button, _ := storyPart(o)["call_to_action"].(map[string]any)
		if button == nil {
			button, _ = o.Attrs["call_to_action"].(map[string]any)
		}
		return button["type"]
	},
})

// storyPart is what a creative shows: link_data, video_data or photo_data.
func storyPart(o *Object) map[string]any {
	spec, _ := o.Attrs["object_story_spec"].(map[string]any)
	for _, kind := range []string{"link_data", "video_data", "photo_data", "template_data"} {
		if part, ok := spec[kind].(map[string]any); ok {
			return part
		}
	}
	return nil
}

func story(o *Object, names ...string) any {
	part := storyPart(o)
	for _, name := range names {
		if v := part[name]; v != nil {
			return v
		}
	}
	return nil
}

// usable reports whether a creative shows anything, and can.
func usable(spec map[string]any) *Error {
	if spec["object_story_id"] != nil || spec["source_instagram_media_id"] != nil || spec["source_facebook_post_id"] != nil || spec["product_set_id"] != nil {
		return nil
	}
	stories, _ := spec["object_story_spec"].(map[string]any)
	if stories["page_id"] == nil {
		if spec["asset_feed_spec"] != nil || spec["image_hash"] != nil || spec["image_url"] != nil {
			return nil
		}
		return Fail("creative_unusable", "what", "The creative has no content: object_story_spec needs page_id")
	}
	if link, ok := stories["link_data"].(map[string]any); ok && link["link"] == nil {
		return Fail("creative_unusable", "what", "link_data needs link")
	}
	if video, ok := stories["video_data"].(map[string]any); ok && (video["video_id"] == nil || video["image_url"] == nil && video["image_hash"] == nil) {
		return Fail("creative_unusable", "what", "video_data needs video_id and a picture")
	}
	features, _ := spec["degrees_of_freedom_spec"].(map[string]any)
	if single, _ := features["creative_features_spec"].(map[string]any); single["standard_enhancements"] != nil {
		return Fail("creative_unusable", "what", "standard_enhancements can't be set any more: set single features")
	}
	return nil
}

func createCreative(c *Call) (any, *Error) {
	given, err := c.Given("AdCreative")
	if err != nil {
		return nil, err
	}
	if err := usable(given); err != nil {
		return nil, err
	}
	if err := c.shownThings(given); err != nil {
		return nil, err
	}
	o, answer, err := c.Create()
	if err != nil || o == nil {
		return answer, err
	}
	o.Attrs["account_id"], o.Attrs["status"] = c.On.Str("account_id"), "ACTIVE"
	c.World.furnish(o)
	return answer, nil
}

// shownThings checks that the videos and pictures of a creative are in the account, and
// the post is there.
func (c *Call) shownThings(given Attrs) *Error {
	spec, _ := given["object_story_spec"].(map[string]any)
	for name, kind := range map[string]string{"page_id": "Page", "instagram_user_id": "IGUser"} {
		if id, ok := spec[name].(string); ok {
			if o := c.World.Get(id); o == nil || o.Kind != kind {
				return Fail("creative_unusable", "what", "object_story_spec: "+name+" does not exist, or this account can't use it")
			}
		}
	}
	part := storyPart(&Object{Attrs: given})
	if cards, ok := part["child_attachments"].([]any); ok && (len(cards) < 2 || len(cards) > 10) {
		return Fail("creative_unusable", "what", "A carousel has 2 to 10 cards")
	}
	if id, ok := part["video_id"].(string); ok {
		if o := c.World.Get(id); o == nil || o.Kind != "AdVideo" && o.Kind != "Video" {
			return Fail("creative_unusable", "what", "The video does not exist")
		}
	}
	if hash, ok := part["image_hash"].(string); ok && c.World.Get(c.On.Str("account_id")+":"+hash) == nil {
		return Fail("creative_unusable", "what", "The image hash is not in this ad account")
	}
	for _, name := range []string{"object_story_id", "source_instagram_media_id"} {
		if id, ok := given[name].(string); ok && c.World.Get(id) == nil {
			return Fail("creative_unusable", "what", "The post of "+name+" does not exist")
		}
	}
	return nil
}

// furnish gives a creative what Meta works out: type, pictures and the post behind it.
func (w *World) furnish(o *Object) {
	part := storyPart(o)
	kind, picture := "SHARE", "https://cdn.example.com/ads/"+o.ID+".jpg"
	switch {
	case part["video_id"] != nil:
		kind = "VIDEO"
	case o.Attrs["object_story_id"] != nil:
		kind = "STATUS"
	}
	if url, ok := part["picture"].(string); ok {
		picture = url
	}
	defaults(o, Attrs{"object_type": kind, "image_url": picture, "thumbnail_url": picture})
	if post := o.Str("object_story_id"); post != "" {
		o.Attrs["effective_object_story_id"] = post
		return
	}
	spec, _ := o.Attrs["object_story_spec"].(map[string]any)
	if page, ok := spec["page_id"].(string); ok {
		o.Attrs["effective_object_story_id"] = page + "_9" + o.ID
	}
	for _, name := range []string{"image_hash", "video_id"} {
		if v, ok := part[name].(string); ok {
			o.Attrs[name] = v
		}
	}
	if media := o.Str("source_instagram_media_id"); media != "" {
		o.Attrs["effective_instagram_media_id"] = media
		o.Attrs["instagram_permalink_url"] = "https://www.instagram.com/p/sandbox" + media + "/"
	}
}

// updateCreative changes a name: content stays as it is.
func updateCreative(c *Call) (any, *Error) {
	if c.On.Str("status") == "DELETED" {
		return nil, Fail("ad_object_deleted")
	}
	return c.Update()
}

func deleteCreative(c *Call) (any, *Error) {
	for _, ad := range c.World.All("Ad") {
		if ad.Attrs["creative"] == Ref(c.On.ID) && effective(c.World, ad) != "DELETED" {
			return nil, Fail("creative_unusable", "what", "The creative is used by an ad and can't be deleted")
		}
	}
	c.On.Attrs["status"] = "DELETED"
	return OK(), nil
}

func creativesOf(c *Call) (any, *Error) {
	ads := []*Object{c.On}
	if c.On.Kind == "AdSet" {
		ads = c.World.Linked(c.On, "ads")
	}
	var list []*Object
	for _, ad := range ads {
		if ref, ok := ad.Attrs["creative"].(Ref); ok {
			if o := c.World.Get(string(ref)); o != nil {
				list = append(list, o)
			}
		}
	}
	return c.List(list)
}

// showPreview answers an iframe. Its address is signed at Meta: whoever has it sees the ad.
func showPreview(c *Call) (any, *Error) {
	if c.On.Kind == "AdAccount" {
		var spec map[string]any
		if err := c.JSON("creative", &spec); err != nil {
			return nil, err
		}
		if _, named := spec["creative_id"]; !named {
			if err := usable(spec); err != nil {
				return nil, err
			}
		}
	}
	size := `width="335" height="450"`
	if strings.Contains(c.Param("ad_format"), "DESKTOP") {
		size = `width="502" height="573"`
	}
	body := `<iframe src="https://www.facebook.com/ads/api/preview_iframe.php?d=sandbox-` + c.On.ID + `&amp;t=sandbox-signature" ` + size +
		` scrolling="yes" style="border: none;"></iframe>`
	return c.Rows("AdPreview", []map[string]any{{"body": body}})
}

func seedCreatives(w *World) {
	pounds, yen := w.Get(AdAccountID), w.Get(YenAccountID)
	link := func(message, headline, hash string) map[string]any {
		return map[string]any{"page_id": PageID, "instagram_user_id": InstagramID, "link_data": map[string]any{
			"link": "https://shop.example.com/scarf", "message": message, "name": headline, "image_hash": hash,
			"call_to_action": map[string]any{"type": "SHOP_NOW", "value": map[string]any{"link": "https://shop.example.com/scarf"}},
		}}
	}
	seedMedia(w, pounds)
	for _, s := range []struct {
		id      string
		account *Object
		attrs   Attrs
	}{
		{"3400000000000001", pounds, Attrs{"name": "Scarf, still", "object_story_spec": link("Warm through the winter.", "The wool scarf", firstImage)}},
		{"3400000000000002", pounds, Attrs{"name": "Scarf, film", "object_story_spec": map[string]any{"page_id": PageID, "video_data": map[string]any{
			"video_id": "3500000000000001", "image_url": "https://cdn.example.com/still.jpg", "message": "How a scarf is made.", "title": "From wool to scarf",
			"call_to_action": map[string]any{"type": "LEARN_MORE", "value": map[string]any{"link": "https://shop.example.com/"}},
		}}}},
		{"3400000000000003", pounds, Attrs{"name": "Newsletter form", "object_story_spec": link("News once a month.", "Our newsletter", firstImage)}},
		{"3400000000000004", pounds, Attrs{"name": "Unused post", "object_story_id": PageID + "_4100000000000001"}},
		{"3400000000000005", yen, Attrs{"name": "Opening", "object_story_spec": map[string]any{"page_id": PageID, "link_data": map[string]any{
			"link": "https://shop.example.com/tokyo", "message": "Opening in Tokyo.", "picture": "https://cdn.example.com/tokyo.jpg",
		}}}},
	} {
		o := w.AddAs(s.id, "AdCreative", s.account, s.attrs)
		defaults(o, Attrs{"account_id": s.account.Str("account_id"), "status": "ACTIVE"})
		w.furnish(o)
		w.Link(s.account, "adcreatives", o)
	}
	seedRules(w, pounds)
}
