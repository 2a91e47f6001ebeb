package world

import (
	"encoding/json"
	"slices"
	"strings"
	"time"
)

var pageLive = map[string]Behaviour{
	"POST Page.live_videos": createLive,
	"GET Page.live_videos":  listLive,
	"POST LiveVideo.":       updateLive,
}

var pageLiveFields = map[string]fieldOf{
	"LiveVideo.permalink_url": func(_ *Call, o *Object) any { return "/watch/live/?v=" + o.ID },
	"LiveVideo.embed_html": func(_ *Call, o *Object) any {
		return `<iframe src="https://www.facebook.com/plugins/video.php?href=` + o.ID + `"></iframe>`
	},
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
