package world

import (
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Content publishing (instagram-platform/content-publishing): a container is made of the
// media, taken in by Meta, and published once within a day.

// igQuota is how many posts an account may publish in 24 hours. Meta's pages name both
// 50 and 100; clients read it from content_publishing_limit.
const igQuota = 100

// How long Meta takes for a video, by the sandbox's clock; the slow time is for an
// address that holds the word "slow".
const (
	igIntake     = 5 * time.Second
	igIntakeSlow = 10 * time.Minute
)

var igPublishBehaviours = map[string]Behaviour{
	"POST IGUser.media":                   igMakeContainer,
	"POST IGUser.media_publish":           igPublish,
	"POST IGContainer.ig-api-upload":      igUpload,
	"GET IGUser.content_publishing_limit": igLimit,
}

func igMakeContainer(c *Call) (any, *Error) {
	if c.On.Attrs[igForeign] == true {
		return nil, c.NoObject(c.On.ID)
	}
	kind, err := igKind(c)
	if err != nil {
		return nil, err
	}
	if err := igCaption(c); err != nil {
		return nil, err
	}
	media := "VIDEO"
	if c.Has("image_url") {
		media = "IMAGE"
	}
	tags, err := igProductTags(c, "product_tags", media)
	if err != nil {
		return nil, err
	}
	if id := c.Param("location_id"); id != "" && (c.World.Get(id) == nil || c.World.Get(id).Kind != "Page") {
		return nil, Fail("ig_location", "id", clip(id))
	}
	if len(c.Strings("collaborators")) > 3 {
		return nil, Bad("Param collaborators must have at most 3 elements")
	}
	attrs, err := c.Given("IGContainer")
	if err != nil {
		return nil, err
	}
	attrs["kind"], attrs["tags"], attrs["media"] = kind, tags, media
	ready := c.Now
	if media == "VIDEO" && kind != "CAROUSEL" {
		ready = ready.Add(igIntake)
		if strings.Contains(c.Param("video_url"), "slow") {
			ready = c.Now.Add(igIntakeSlow)
		}
	}
	if c.Param("upload_type") != "resumable" {
		attrs["ready"] = ready
	}
	o := c.World.Add("IGContainer", c.On, attrs)
	out := ID(o)
	if c.Param("upload_type") == "resumable" {
		out["uri"] = "https://rupload.facebook.com/ig-api-upload/v26.0/" + o.ID
	}
	return out, nil
}

// igKind says what a container becomes, and refuses parameters that don't go together.
func igKind(c *Call) (string, *Error) {
	kind := c.Param("media_type")
	item := c.Bool("is_carousel_item")
	if kind == "CAROUSEL" {
		return kind, igChildren(c)
	}
	sources := 0
	for _, name := range []string{"image_url", "video_url", "upload_type"} {
		if c.Has(name) {
			sources++
		}
	}
	if sources != 1 {
		return "", Bad("Exactly one of image_url, video_url and upload_type must be given")
	}
	for _, name := range []string{"image_url", "video_url"} {
		if !c.Has(name) {
			continue
		}
		u, err := url.Parse(c.Param(name))
		if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Contains(u.Path, "unreachable") {
			return "", Fail("ig_fetch", "url", clip(c.Param(name)))
		}
	}
	switch {
	case c.Has("image_url") && kind != "" && kind != "STORIES":
		return "", Fail("ig_media_type", "type", kind)
	case c.Has("image_url") && kind == "":
		kind = "IMAGE"
	case kind == "":
		return "", Fail("ig_media_type", "type", "unset")
	case kind == "VIDEO" && !item:
		return "", Bad("The media_type VIDEO is for carousel items; use REELS to publish a video")
	case kind == "REELS" && item:
		return "", Bad("A carousel item can't be REELS; use VIDEO")
	}
	return kind, nil
}

// igChildren checks the items of a carousel: theirs, made for one, and ready.
func igChildren(c *Call) *Error {
	ids := c.Strings("children")
	if len(ids) < 2 || len(ids) > 10 {
		return Fail("ig_children")
	}
	for _, id := range ids {
		o := c.World.Get(id)
		if o == nil || o.Kind != "IGContainer" || o.Owner != c.On.ID || o.Attrs["is_carousel_item"] != true {
			return Fail("ig_no_container", "id", clip(id))
		}
		if code, _ := igStatus(c.World, o); code != "FINISHED" {
			return Fail("media_not_ready")
		}
	}
	return nil
}

func igCaption(c *Call) *Error {
	text := c.Param("caption")
	switch {
	case utf8.RuneCountInString(text) > 2200:
		return Fail("ig_caption")
	case strings.Count(text, "@") > 20:
		return Fail("ig_mentions")
	case strings.Count(text, "#") > 30:
		return Bad("The caption has more than 30 hashtags")
	}
	return nil
}

// igStatus is the state of a container by the sandbox's clock: status_code and status.
func igStatus(w *World, o *Object) (code, words string) {
	ready, taken := o.Attrs["ready"].(time.Time)
	address := o.Str("image_url") + o.Str("video_url")
	switch {
	case o.Attrs["published"] != nil:
		return "PUBLISHED", "Published: Media has been successfully published."
	case w.Now().Sub(o.Made) >= igDay:
		return "EXPIRED", "Expired: The container was not published within 24 hours and has expired."
	case !taken:
		return "IN_PROGRESS", "In Progress: Waiting for the upload."
	case w.Now().Before(ready):
		return "IN_PROGRESS", "In Progress: Media is still being processed."
	case strings.Contains(address, "broken") && o.Attrs["media"] == "IMAGE":
		return "ERROR", "Error: Media upload has failed with error code 2207052"
	case strings.Contains(address, "broken"):
		return "ERROR", "Error: Media upload has failed with error code 2207026"
	}
	return "FINISHED", "Finished: Media has been uploaded and it is ready to be published."
}

// igUpload takes the bytes of a container that was made with upload_type=resumable.
func igUpload(c *Call) (any, *Error) {
	if c.On.Attrs["upload_type"] != "resumable" || c.On.Attrs["ready"] != nil {
		return nil, Fail("ig_no_container", "id", c.On.ID)
	}
	if c.Header["file_url"] == "" && len(c.Files[""]) == 0 {
		return nil, Bad("The upload has no bytes")
	}
	c.On.Attrs["bytes"] = len(c.Files[""])
	c.On.Attrs["ready"] = c.Now.Add(igIntake)
	return map[string]any{"success": true, "message": "Upload successful."}, nil
}

func igPublish(c *Call) (any, *Error) {
	o := c.World.Get(c.Param("creation_id"))
	if o == nil || o.Kind != "IGContainer" || o.Owner != c.On.ID || o.Attrs["is_carousel_item"] == true {
		return nil, Fail("ig_no_container", "id", clip(c.Param("creation_id")))
	}
	switch code, _ := igStatus(c.World, o); code {
	case "IN_PROGRESS", "ERROR":
		return nil, Fail("media_not_ready")
	case "EXPIRED", "PUBLISHED":
		return nil, Fail("ig_no_container", "id", o.ID)
	}
	if igUsed(c) >= igQuota {
		return nil, Fail("ig_quota")
	}
	media := igPostOf(c, o)
	o.Attrs["published"], o.Attrs["published_at"] = media.ID, c.Now
	edge := "media"
	if o.Attrs["kind"] == "STORIES" {
		edge = "stories"
	}
	c.World.Link(c.On, edge, media)
	return ID(media), nil
}

// igPostOf makes the post of a container.
func igPostOf(c *Call, o *Object) *Object {
	kind, product := o.Attrs["media"].(string), "FEED"
	switch o.Attrs["kind"] {
	case "REELS":
		product = "REELS"
	case "STORIES":
		product = "STORY"
	case "CAROUSEL":
		kind = "CAROUSEL_ALBUM"
	}
	id := c.World.NextID()
	media := igPost(c.World, c.On, id, kind, product, o.Str("caption"), 0)
	for _, name := range []string{"alt_text", "is_ai_generated", "user_tags", "location_id"} {
		if v, ok := o.Attrs[name]; ok {
			media.Attrs[name] = v
		}
	}
	if shared, ok := o.Attrs["share_to_feed"]; ok {
		media.Attrs["is_shared_to_feed"] = shared
	}
	if tags, ok := o.Attrs["tags"].([]map[string]any); ok && len(tags) > 0 {
		media.Attrs[igTags] = tags
	}
	media.Attrs["published_by_api"] = true
	igCollaborators(c, o, media)
	children, _ := o.Attrs["children"].([]any)
	for _, child := range slices.Backward(children) { // lists are newest first
		part := c.World.Get(text(child))
		part.Attrs["published"] = media.ID
		c.World.Link(media, "children", igPostOf(c, part))
	}
	return media
}

func igCollaborators(c *Call, o, media *Object) {
	names, _ := o.Attrs["collaborators"].([]any)
	for _, name := range names {
		c.World.Link(media, "collaborators", c.World.Add("IGCollaborator", media, Attrs{"username": name, "invite_status": "Pending"}))
	}
}

// igUsed counts what was published through the API in the last 24 hours; a carousel
// counts once.
func igUsed(c *Call) int {
	n := 0
	for _, o := range c.World.All("IGContainer") {
		at, out := o.Attrs["published_at"].(time.Time)
		if out && o.Owner == c.On.ID && o.Attrs["is_carousel_item"] != true && c.Now.Sub(at) < igDay {
			n++
		}
	}
	return n
}

func igLimit(c *Call) (any, *Error) {
	return c.Rows("IGPublishingLimit", []map[string]any{{
		"quota_usage": igUsed(c), "config": map[string]any{"quota_total": igQuota, "quota_duration": 86400},
	}})
}
