package world

import (
	"encoding/json"
	"slices"
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
	"POST Page.live_videos":   createLive,
	"GET Page.live_videos":    listLive,
	"POST LiveVideo.":         updateLive,
}

var pageVideoFields = map[string]fieldOf{
	"Video.status":            func(c *Call, o *Object) any { return videoStatus(c.Now, o) },
	"Video.permalink_url":     func(_ *Call, o *Object) any { return "/" + orDefault(o.Str("place"), "videos") + "/" + o.ID + "/" },
	"Video.published":         func(_ *Call, o *Object) any { return isPublished(o) },
	"LiveVideo.permalink_url": func(_ *Call, o *Object) any { return "/watch/live/?v=" + o.ID },
	"LiveVideo.embed_html": func(_ *Call, o *Object) any {
		return `<iframe src="https://www.facebook.com/plugins/video.php?href=` + o.ID + `"></iframe>`
	},
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

// createVideo takes a whole video in one call, and publishes it when it is processed.
func createVideo(c *Call) (any, *Error) {
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
	state := "PUBLISHED"
	switch {
	case !at.IsZero():
		state = "SCHEDULED"
	case hidden:
		state = "DRAFT"
	}
	c.World.finishVideo(video, state, at)
	return ID(video), nil
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

func createLive(c *Call) (any, *Error) {
	status := orDefault(c.Param("status"), "UNPUBLISHED")
	live := Attrs{"title": c.Param("title"), "description": c.Param("description"), "from": Ref(c.On.ID), "live_views": 0}
	if c.Has("event_params") {
		var event struct {
			Start json.Number `json:"start_time"`
		}
		if err := c.JSON("event_params", &event); err != nil {
			return nil, err
		}
		seconds, err := event.Start.Int64()
		if starts := time.Unix(seconds, 0).UTC(); err == nil && starts.After(c.Now) {
			live["planned_start_time"] = starts
		} else {
			return nil, Fail("post_schedule")
		}
	}
	if strings.HasPrefix(status, "SCHEDULED") && live["planned_start_time"] == nil {
		return nil, Bad("Param event_params must have a start_time for a scheduled live video")
	}
	if status == "LIVE_NOW" {
		status = "LIVE"
		live["broadcast_start_time"] = c.Now
	}
	live["status"] = status
	o := c.World.addLive(c.World.NextID(), c.On, live)
	return map[string]any{"id": o.ID, "stream_url": o.Attrs["stream_url"], "secure_stream_url": o.Attrs["secure_stream_url"]}, nil
}

func (w *World) addLive(id string, page *Object, attrs Attrs) *Object {
	o := w.AddAs(id, "LiveVideo", page, attrs)
	o.Attrs["stream_url"] = "rtmp://live-api-s.example.com:80/rtmp/FB-" + id + "-0-sandbox"
	o.Attrs["secure_stream_url"] = "rtmps://live-api-s.example.com:443/rtmp/FB-" + id + "-0-sandbox"
	w.Link(page, "live_videos", o)
	return o
}

func listLive(c *Call) (any, *Error) {
	list := c.World.Linked(c.On, "live_videos")
	if wanted := c.Strings("broadcast_status"); len(wanted) > 0 {
		list = slices.DeleteFunc(list, func(o *Object) bool { return !slices.Contains(wanted, o.Str("status")) })
	}
	return c.List(list)
}

func updateLive(c *Call) (any, *Error) {
	live := c.On
	if c.Bool("end_live_video") {
		if slices.Contains([]string{"VOD", "LIVE_STOPPED", "SCHEDULED_CANCELED"}, live.Str("status")) {
			return nil, Fail("live_ended")
		}
		live.Attrs["status"] = "VOD"
	}
	for _, name := range []string{"title", "description"} {
		if c.Has(name) {
			live.Attrs[name] = c.Param(name)
		}
	}
	if status := c.Param("status"); status != "" {
		if status == "LIVE_NOW" {
			status = "LIVE"
		}
		live.Attrs["status"] = status
	}
	return ID(live), nil
}
