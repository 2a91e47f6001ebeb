package world

import (
	"bytes"
	"slices"
	"time"
)

var pagePhotos = map[string]Behaviour{
	"GET Page.photos":         listPhotos,
	"POST Page.photos":        createPhoto,
	"POST Page.photo_stories": createPhotoStory,
	"GET Album.photos":        albumPhotos,
}

var pagePhotoFields = map[string]fieldOf{
	"Album.count":       func(c *Call, o *Object) any { return len(photosOf(c.World, o)) },
	"Album.photo_count": func(c *Call, o *Object) any { return len(photosOf(c.World, o)) },
	"Album.cover_photo": func(c *Call, o *Object) any {
		if list := photosOf(c.World, o); len(list) > 0 {
			return list[0]
		}
		return nil
	},
	"Album.link": func(_ *Call, o *Object) any { return "https://www.facebook.com/media/set/?set=a." + o.ID },
	"Photo.link": func(_ *Call, o *Object) any { return "https://www.facebook.com/photo.php?fbid=" + o.ID },
}

// Ids of albums that every Page has.
const (
	timelineAlbum = "4600000000000001"
	profileAlbum  = "4600000000000002"
)

// maxPhoto is the size up to which Meta takes photos.
const maxPhoto = 10 << 20

func photosOf(w *World, album *Object) []*Object {
	page := w.Above(album, "Page")
	if page == nil {
		return nil
	}
	return slices.DeleteFunc(w.Linked(page, "photos"), func(p *Object) bool { return p.Attrs["album"] != Ref(album.ID) || !isPublished(p) })
}

func albumPhotos(c *Call) (any, *Error) { return c.List(photosOf(c.World, c.On)) }

func listPhotos(c *Call) (any, *Error) {
	kind := orDefault(c.Param("type"), "profile")
	return c.List(slices.DeleteFunc(c.World.Linked(c.On, "photos"), func(p *Object) bool {
		switch {
		case !isPublished(p):
			return true
		case kind == "tagged":
			return !p.is("elsewhere")
		case kind == "profile":
			return p.Attrs["album"] != Ref(profileAlbum)
		}
		return p.is("elsewhere")
	}))
}

// createPhoto takes a photo in. Published it is a post as well.
func createPhoto(c *Call) (any, *Error) {
	source := c.Param("url")
	if file := c.Files["source"]; file != nil {
		if len(file) > maxPhoto || !looksLikeImage(file) {
			return nil, Fail("photo_fetch")
		}
		source = "https://scontent.example.com/uploaded.jpg"
	}
	if source == "" {
		return nil, Bad("Requires one of the params: url, source")
	}
	if broken(source) {
		return nil, Fail("photo_fetch")
	}
	hidden, at, err := unpublished(c)
	if err != nil {
		return nil, err
	}
	photo := c.World.addPhoto(c.World.NextID(), c.On, timelineAlbum, source, c.Param("message"))
	photo.Attrs["unpublished"] = hidden
	if alt := c.Param("alt_text_custom"); alt != "" {
		photo.Attrs["alt_text_custom"] = alt
	}
	if hidden && at.IsZero() {
		return ID(photo), nil
	}
	post := c.World.addPost(c.On, hidden, at, Attrs{
		"message": c.Param("message"), "by_app": true, "status_type": "added_photos", "full_picture": source,
		"attachments": []map[string]any{photoAttachment(photo)},
	})
	photo.Attrs["page_story_id"] = post.ID
	if hidden {
		c.World.At(at, func(w *World) { photo.Attrs["unpublished"] = false })
	}
	return map[string]any{"id": photo.ID, "post_id": post.ID}, nil
}

func (w *World) addPhoto(id string, page *Object, album, source, caption string) *Object {
	photo := w.AddAs(id, "Photo", page, Attrs{
		"source": source, "picture": source, "album": Ref(album), "width": 1080, "height": 1080, "from": Ref(page.ID),
	})
	if caption != "" {
		photo.Attrs["name"] = caption
	}
	w.Link(page, "photos", photo)
	return photo
}

func photoAttachment(photo *Object) map[string]any {
	source := photo.Str("source")
	return map[string]any{
		"type": "photo", "media_type": "photo", "title": photo.Str("name"), "url": "https://www.facebook.com/photo.php?fbid=" + photo.ID,
		"media": map[string]any{"image": map[string]any{"src": source, "width": 1080, "height": 1080}}, "target": map[string]any{"id": photo.ID},
	}
}

// imageMarks are how files of the kinds that Meta takes begin.
var imageMarks = []string{"\xff\xd8\xff", "\x89PNG", "GIF8", "BM", "RIFF", "II*\x00", "MM\x00*"}

func looksLikeImage(file []byte) bool {
	return slices.ContainsFunc(imageMarks, func(mark string) bool { return bytes.HasPrefix(file, []byte(mark)) })
}

func createPhotoStory(c *Call) (any, *Error) {
	photo := c.World.Get(c.Param("photo_id"))
	if photo == nil || photo.Kind != "Photo" || photo.Owner != c.On.ID {
		return nil, Bad("Param photo_id must be the ID of a photo of the Page")
	}
	return map[string]any{"success": true, "post_id": c.World.addStory(c.On, photo, "photo").Str("post_id")}, nil
}

// addStory shows a photo or video as a story, for 24 hours.
func (w *World) addStory(page, media *Object, kind string) *Object {
	id := w.NextID()
	story := w.AddAs(id, "Story", page, Attrs{
		"post_id": id, "media_id": media.ID, "media_type": kind, "status": "PUBLISHED", "creation_time": w.Now(),
		"url": "https://www.facebook.com/stories/" + id,
	})
	w.Link(page, "stories", story)
	w.At(w.Now().Add(24*time.Hour), func(*World) { story.Attrs["status"] = "ARCHIVED" })
	return story
}
