package world

import (
	"strconv"
	"strings"
	"time"
)

var pageVideos = map[string]Behaviour{
	"POST Page.videos":        createVideo,
	"POST Page.video_reels":   videoPhase(addReel),
	"POST Page.video_stories": videoPhase(addVideoStory),
	"POST Video.video-upload": uploadVideo,
	"GET Video.thumbnails":    videoThumbnails,
}

var pageVideoFields = map[string]fieldOf{
	"Video.status":        func(c *Call, o *Object) any { return videoStatus(c.Now, o) },
	"Video.permalink_url": func(_ *Call, o *Object) any { return "/" + orDefault(o.Str("place"), "videos") + "/" + o.ID + "/" },
	"Video.published":     func(_ *Call, o *Object) any { return isPublished(o) },
}

// How long the sandbox takes to process a video: a slow one, with the word in its
// address, longer than anybody waits.
const (
	processing     = 10 * time.Second
	slowProcessing = time.Hour
)

func processedIn(address string) time.Duration {
	if strings.Contains(address, "slow") {
		return slowProcessing
	}
	return processing
}

// createVideo takes a video in one call or in pieces, and publishes it when it is
// processed.
func createVideo(c *Call) (any, *Error) {
	if c.Has("upload_phase") {
		return videoInPieces(c)
	}
	address := c.Param("file_url")
	if address == "" && c.Files["source"] == nil {
		return nil, Bad("Requires one of the params: file_url, source")
	}
	hidden, at, err := unpublished(c)
	if err != nil {
		return nil, err
	}
	video := c.World.addVideo(c.World.NextID(), c.On, c.Param("title"), c.Param("description"))
	video.Attrs["address"] = address
	video.Attrs["bytes"] = len(c.Files["source"])
	video.Attrs["uploaded"] = c.Now
	c.World.finishVideo(video, videoFate(hidden, at), at)
	return ID(video), nil
}

// videoFate says what becomes of a video of the videos edge.
func videoFate(hidden bool, at time.Time) string {
	switch {
	case !at.IsZero():
		return "SCHEDULED"
	case hidden:
		return "DRAFT"
	}
	return "PUBLISHED"
}

// videoInPieces asks for the bytes of a video in two pieces, whatever its size.
func videoInPieces(c *Call) (any, *Error) {
	if c.Param("upload_phase") == "start" {
		size, err := c.Int("file_size", 0)
		if err != nil || size <= 0 {
			return nil, Bad("Param file_size must be a positive integer")
		}
		video := c.World.addVideo(c.World.NextID(), c.On, "", "")
		c.World.Unlink(c.On, "videos", video) // not before it is finished
		video.Attrs["size"], video.Attrs["bytes"], video.Attrs["session"] = size, int64(0), c.World.NextID()
		return map[string]any{
			"video_id": video.ID, "upload_session_id": video.Attrs["session"], "start_offset": "0", "end_offset": strconv.FormatInt((size+1)/2, 10),
		}, nil
	}
	video := videoOfSession(c)
	if video == nil {
		return nil, Fail("reel_phase")
	}
	size, _ := video.Attrs["size"].(int64)
	have, _ := video.Attrs["bytes"].(int64)
	if c.Param("upload_phase") == "transfer" {
		from, err := c.Int("start_offset", -1)
		piece := int64(len(c.Files["video_file_chunk"]))
		if err != nil || from != have || piece == 0 || have+piece > size {
			return nil, Fail("upload_offset", "have", strconv.FormatInt(have, 10))
		}
		have += piece
		video.Attrs["bytes"] = have
		return map[string]any{"start_offset": strconv.FormatInt(have, 10), "end_offset": strconv.FormatInt(size, 10)}, nil
	}
	hidden, at, err := unpublished(c)
	if err != nil {
		return nil, err
	}
	if c.Param("upload_phase") != "finish" || have != size {
		return nil, Fail("reel_phase")
	}
	for _, name := range []string{"title", "description"} {
		if c.Has(name) {
			video.Attrs[name] = c.Param(name)
		}
	}
	video.Attrs["uploaded"] = c.Now
	c.World.Link(c.On, "videos", video)
	c.World.finishVideo(video, videoFate(hidden, at), at)
	return OK(), nil
}

func videoOfSession(c *Call) *Object {
	for _, o := range c.World.All("Video") {
		if o.Owner == c.On.ID && o.Attrs["session"] == c.Param("upload_session_id") && o.Attrs["finished"] == nil {
			return o
		}
	}
	return nil
}

func (w *World) addVideo(id string, page *Object, title, description string) *Object {
	video := w.AddAs(id, "Video", page, Attrs{
		"from": Ref(page.ID), "unpublished": true, "length": 30.5, "views": 0,
		"source": "https://video.example.com/" + id + ".mp4", "picture": "https://scontent.example.com/" + id + ".jpg",
	})
	for name, v := range map[string]string{"title": title, "description": description} {
		if v != "" {
			video.Attrs[name] = v
		}
	}
	w.Link(page, "videos", video)
	return video
}

// finishVideo starts the processing; what is to be public becomes so when it is over, or
// at its time.
func (w *World) finishVideo(video *Object, state string, at time.Time) {
	done := w.Now().Add(processedIn(video.Str("address")))
	video.Attrs["finished"] = w.Now()
	video.Attrs["processed"] = done
	video.Attrs["state"] = state
	if broken(video.Str("address")) || state == "DRAFT" {
		return
	}
	if state == "SCHEDULED" {
		video.Attrs["scheduled_publish_time"] = at
		if at.After(done) {
			done = at
		}
	}
	w.At(done, func(w *World) {
		if w.Get(video.ID) == video {
			w.publishVideo(video, done)
		}
	})
}

func (w *World) publishVideo(video *Object, at time.Time) {
	video.Attrs["unpublished"] = false
	video.Attrs["publish_time"] = at
	page := w.Above(video, "Page")
	if page == nil || video.Str("place") == "stories" {
		return
	}
	post := w.addPost(page, false, time.Time{}, Attrs{
		"message": video.Str("description"), "by_app": true, "status_type": "added_video",
		"attachments": []map[string]any{{"type": "video_inline", "media_type": "video", "title": video.Str("title"), "url": "https://www.facebook.com/" + video.ID, "target": map[string]any{"id": video.ID}}},
	})
	post.Attrs["created_time"] = at
	video.Attrs["post_id"] = post.ID
}

// videoStatus is how far a video is in its phases.
func videoStatus(now time.Time, o *Object) map[string]any {
	uploaded, _ := o.Attrs["uploaded"].(time.Time)
	processed, _ := o.Attrs["processed"].(time.Time)
	upload, process, publish := map[string]any{"status": "not_started"}, map[string]any{"status": "not_started"}, map[string]any{"status": "not_started"}
	overall := "uploading"
	if !uploaded.IsZero() {
		upload["status"] = "complete"
		upload["bytes_transferred"] = o.Attrs["bytes"]
		overall = "upload_complete"
	}
	switch {
	case processed.IsZero():
	case broken(o.Str("address")):
		process["status"] = "error"
		process["error"] = map[string]any{"message": "The video could not be read"}
		overall = "error"
	case now.Before(processed):
		process["status"] = "in_progress"
		overall = "processing"
	default:
		process["status"] = "complete"
		overall = "ready"
		publish["publish_status"] = strings.ToLower(o.Str("state"))
		if isPublished(o) {
			publish["status"] = "complete"
			publish["publish_status"] = "published"
			if at, ok := o.Attrs["publish_time"].(time.Time); ok {
				publish["publish_time"] = GraphTime(at)
			}
		}
	}
	return map[string]any{"video_status": overall, "uploading_phase": upload, "processing_phase": process, "publishing_phase": publish}
}

// videoPhase does start and finish of an upload in phases; finished is what becomes of
// the video then.
func videoPhase(finished func(w *World, page, video *Object) string) Behaviour {
	return func(c *Call) (any, *Error) {
		if strings.EqualFold(c.Param("upload_phase"), "start") {
			video := c.World.addVideo(c.World.NextID(), c.On, "", "")
			c.World.Unlink(c.On, "videos", video) // not before it is finished
			return map[string]any{
				"video_id": video.ID, "upload_url": "https://rupload.facebook.com/video-upload/" + apiVersion + "/" + video.ID,
			}, nil
		}
		video := c.World.Get(c.Param("video_id"))
		if video == nil || video.Kind != "Video" || video.Attrs["uploaded"] == nil || video.Attrs["finished"] != nil {
			return nil, Fail("reel_phase")
		}
		state := orDefault(c.Param("video_state"), "PUBLISHED")
		at, timed, err := schedule(c)
		if err != nil {
			return nil, err
		}
		if (state == "SCHEDULED") != timed {
			return nil, Fail("post_schedule")
		}
		for _, name := range []string{"title", "description"} {
			if c.Has(name) {
				video.Attrs[name] = c.Param(name)
			}
		}
		c.World.Link(c.On, "videos", video)
		answer := map[string]any{"success": true}
		if id := finished(c.World, c.On, video); id != "" {
			answer["post_id"] = id
		}
		c.World.finishVideo(video, state, at)
		return answer, nil
	}
}

// apiVersion is the version in the upload addresses.
const apiVersion = "v26.0"

func addReel(w *World, page, video *Object) string {
	video.Attrs["place"] = "reel"
	w.Link(page, "video_reels", video)
	return ""
}

func addVideoStory(w *World, page, video *Object) string {
	video.Attrs["place"] = "stories"
	return w.addStory(page, video, "video").Str("post_id")
}

// uploadVideo takes the bytes of a video, or the address to fetch them from.
func uploadVideo(c *Call) (any, *Error) {
	if c.On.Attrs["finished"] != nil {
		return nil, Fail("reel_phase")
	}
	if address := c.Header["file_url"]; address != "" {
		c.On.Attrs["address"] = address
		c.On.Attrs["bytes"] = 1 << 20
	} else {
		body := c.Files[""]
		size, err := strconv.Atoi(c.Header["file_size"])
		if err != nil || c.Header["offset"] == "" || size != len(body) || size == 0 {
			return nil, Bad("The headers offset and file_size must describe the body")
		}
		c.On.Attrs["bytes"] = size
	}
	c.On.Attrs["uploaded"] = c.Now
	return OK(), nil
}

func videoThumbnails(c *Call) (any, *Error) {
	return c.Rows("VideoThumbnail", []map[string]any{{
		"id": c.On.ID + "01", "uri": c.On.Str("picture"), "height": 640, "width": 360, "scale": 1.0, "is_preferred": true,
	}})
}
