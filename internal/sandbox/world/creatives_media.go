package world

import (
	"bytes"
	"crypto/md5" //nolint:gosec // the hash of a picture is a name here, as at Meta
	"encoding/base64"
	"encoding/hex"
	"image"
	_ "image/jpeg" // pictures are measured
	_ "image/png"
	"slices"
	"strconv"
	"time"
)

var mediaBehaviours = map[string]Behaviour{
	"GET AdAccount.adimages":    listImages,
	"POST AdAccount.adimages":   addImage,
	"DELETE AdAccount.adimages": deleteImage,
	"POST AdAccount.advideos":   addVideo,
	"GET AdVideo.thumbnails":    listThumbnails,
}

var mediaFields = map[string]fieldOf{
	"AdVideo.status": func(c *Call, o *Object) any {
		until, _ := o.Attrs["ready_at"].(time.Time)
		switch {
		case o.Attrs["upload"] != nil:
			return map[string]any{"video_status": "uploading", "processing_progress": 0}
		case c.Now.Before(until):
			return map[string]any{"video_status": "processing", "processing_progress": 40}
		}
		return map[string]any{"video_status": "ready", "processing_progress": 100}
	},
	"AdVideo.picture":       func(_ *Call, o *Object) any { return "https://cdn.example.com/video/" + o.ID + ".jpg" },
	"AdVideo.permalink_url": func(_ *Call, o *Object) any { return "/sandbox/videos/" + o.ID + "/" },
}

const (
	firstImage     = "5f1a1e0000000000000000000000aa01"
	processingTime = 20 * time.Second
	videoPiece     = 1 << 20
)

func listImages(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, c.Edge)
	if c.Has("hashes") {
		wanted := c.Strings("hashes")
		list = slices.DeleteFunc(list, func(o *Object) bool { return !slices.Contains(wanted, o.Str("hash")) })
	}
	if c.Has("name") {
		list = slices.DeleteFunc(list, func(o *Object) bool { return o.Str("name") != c.Param("name") })
	}
	return c.List(list)
}

// addImage keeps a picture: Base64, a part of a multipart form, or a copy from another
// account. An address is not taken.
func addImage(c *Call) (any, *Error) {
	if c.Has("copy_from") {
		return c.copyImage()
	}
	name, body := "bytes", []byte(nil)
	if c.Has("bytes") {
		b, err := base64.StdEncoding.DecodeString(c.Param("bytes"))
		if err != nil {
			return nil, Fail("image_invalid")
		}
		body = b
	}
	for part, b := range c.Files {
		if part != "" {
			name, body = part, b
		}
	}
	if body == nil {
		return nil, Bad("The parameter bytes is required")
	}
	if !bytes.HasPrefix(body, []byte("\x89PNG")) && !bytes.HasPrefix(body, []byte("\xff\xd8\xff")) {
		return nil, Fail("image_invalid")
	}
	sum := md5.Sum(body) //nolint:gosec // a name, as at Meta
	size := defaultSize
	if got, _, err := image.DecodeConfig(bytes.NewReader(body)); err == nil {
		size = image.Pt(got.Width, got.Height)
	}
	return c.keepImage(hex.EncodeToString(sum[:]), orElse(c.Param("name"), name), name, size)
}

func (c *Call) copyImage() (any, *Error) {
	var from struct {
		Source string `json:"source_account_id"`
		Hash   string `json:"hash"`
	}
	if err := c.JSON("copy_from", &from); err != nil {
		return nil, err
	}
	source := c.World.Get(from.Source + ":" + from.Hash)
	if source == nil {
		return nil, Fail("copy_from_missing")
	}
	width, _ := source.Attrs["width"].(int)
	height, _ := source.Attrs["height"].(int)
	return c.keepImage(from.Hash, source.Str("name"), source.Str("name"), image.Pt(width, height))
}

func (c *Call) keepImage(hash, name, key string, size image.Point) (any, *Error) {
	o := c.World.addImage(c.On, hash, name, size)
	c.log(c.On, "add_images", map[string]any{"new_value": hash})
	return map[string]any{"images": map[string]any{key: map[string]any{
		"hash": hash, "url": o.Attrs["url"], "name": name, "width": size.X, "height": size.Y,
	}}}, nil
}

// defaultSize is that of a picture which can't be measured.
var defaultSize = image.Pt(1080, 1080)

// addImage puts a picture into an account's library: the same one keeps its hash.
func (w *World) addImage(account *Object, hash, name string, size image.Point) *Object {
	url := "https://cdn.example.com/adimages/" + hash + ".jpg"
	o := w.AddAs(account.Str("account_id")+":"+hash, "AdImage", account, Attrs{
		"hash": hash, "name": name, "url": url, "url_128": url, "permalink_url": url, "width": size.X, "height": size.Y, "original_width": size.X,
		"original_height": size.Y, "status": "ACTIVE", "account_id": account.Str("account_id"),
	})
	w.Link(account, "adimages", o)
	return o
}

func deleteImage(c *Call) (any, *Error) {
	o := c.World.Get(c.On.Str("account_id") + ":" + c.Param("hash"))
	if o == nil {
		return nil, Bad("There is no image with this hash in the ad account")
	}
	for _, creative := range c.World.All("AdCreative") {
		if creative.Str("image_hash") == c.Param("hash") && creative.Str("status") != "DELETED" {
			return nil, Bad("The image is used by a creative and can't be deleted")
		}
	}
	c.World.Remove(o)
	return OK(), nil
}

// addVideo takes a video by address, or in pieces: start, transfer, finish.
func addVideo(c *Call) (any, *Error) {
	switch c.Param("upload_phase") {
	case "":
		if !c.Has("file_url") && !c.Has("source_instagram_media_id") && c.Files["source"] == nil {
			return nil, Bad("The parameter file_url is required")
		}
		return ID(c.newVideo(nil)), nil
	case "start":
		return c.startVideo()
	case "transfer":
		return c.transferVideo()
	case "cancel":
		o, err := c.uploadSession()
		if err != nil {
			return nil, err
		}
		c.World.Delete(o)
		return OK(), nil
	}
	o, err := c.uploadSession()
	if err != nil {
		return nil, err
	}
	upload, _ := o.Attrs["upload"].(*videoUpload)
	if upload.have < upload.size {
		return nil, Fail("video_offset")
	}
	for from, to := range map[string]string{"title": "title", "name": "title", "description": "description"} {
		if c.Has(from) {
			o.Attrs[to] = c.Param(from)
		}
	}
	delete(o.Attrs, "upload")
	o.Attrs["ready_at"] = c.Now.Add(processingTime)
	return OK(), nil
}

// videoUpload is how far a video has come.
type videoUpload struct {
	session    string
	size, have int64
}

func (c *Call) newVideo(upload *videoUpload) *Object {
	attrs := Attrs{
		"title": orElse(c.Param("title"), c.Param("name")), "description": c.Param("description"), "length": 14.8, "is_instagram_eligible": true,
		"published": false, "updated_time": c.Now, "ready_at": c.Now.Add(processingTime),
	}
	if upload != nil {
		attrs["upload"] = upload
	}
	o := c.World.Add("AdVideo", c.On, attrs)
	c.World.Link(c.On, "advideos", o)
	return o
}

func (c *Call) startVideo() (any, *Error) {
	size, err := c.Int("file_size", 0)
	if err != nil {
		return nil, err
	}
	if size < 1 {
		return nil, Bad("The parameter file_size is required")
	}
	upload := &videoUpload{session: c.World.NextID(), size: size}
	o := c.newVideo(upload)
	return map[string]any{
		"upload_session_id": upload.session, "video_id": o.ID, "start_offset": "0", "end_offset": strconv.FormatInt(min(size, videoPiece), 10),
	}, nil
}

func (c *Call) uploadSession() (*Object, *Error) {
	for _, o := range c.World.All("AdVideo") {
		if upload, ok := o.Attrs["upload"].(*videoUpload); ok && upload.session == c.Param("upload_session_id") {
			return o, nil
		}
	}
	return nil, Bad("The upload session does not exist, or is finished")
}

func (c *Call) transferVideo() (any, *Error) {
	o, err := c.uploadSession()
	if err != nil {
		return nil, err
	}
	upload, _ := o.Attrs["upload"].(*videoUpload)
	offset, err := c.Int("start_offset", 0)
	if err != nil {
		return nil, err
	}
	piece := c.Files["video_file_chunk"]
	if piece == nil {
		return nil, Bad("The parameter video_file_chunk is required")
	}
	if offset != upload.have || upload.have+int64(len(piece)) > upload.size {
		return nil, Fail("video_offset")
	}
	upload.have += int64(len(piece))
	return map[string]any{
		"start_offset": strconv.FormatInt(upload.have, 10), "end_offset": strconv.FormatInt(min(upload.size, upload.have+videoPiece), 10),
	}, nil
}

func listThumbnails(c *Call) (any, *Error) {
	return c.Rows("VideoThumbnail", []map[string]any{{
		"id": c.On.ID + "1", "uri": "https://cdn.example.com/video/" + c.On.ID + ".jpg", "width": 1080, "height": 1080, "scale": 1, "is_preferred": true,
	}})
}

func seedMedia(w *World, account *Object) {
	w.addImage(account, firstImage, "scarf.jpg", defaultSize)
	w.addImage(account, "5f1a1e0000000000000000000000aa02", "shop.png", defaultSize)
	for i, title := range []string{"How a scarf is made", "The shop"} {
		o := w.AddAs("350000000000000"+strconv.Itoa(i+1), "AdVideo", account, Attrs{
			"title": title, "description": "", "length": 14.8, "is_instagram_eligible": true, "published": false,
			"created_time": w.Now().Add(-days(50)), "updated_time": w.Now().Add(-days(50)),
		})
		w.Link(account, "advideos", o)
	}
}
