package graphtool

import (
	"context"
	"errors"
	"fmt"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
)

// videoFlow publishes a video in Meta's three phases: start gives the video's id, the
// bytes go to the upload host (from a public address or a local file), finish publishes.
// Then the video is looked at until Meta has processed it. Reels and video stories of
// Pages work like that.
type videoFlow struct {
	Edge    string // video_reels or video_stories
	Address string // argument with the public address
	File    string // argument with the local file
	// Takes are the arguments that go with finish, by the parameter they are sent as.
	Takes map[string]string
	// Page is the argument that names the Page.
	Page string
}

// videoTypes are the content types that Meta takes for reels and stories.
const videoTypes = "video/mp4 video/quicktime"

// Calls documents the course.
func (f videoFlow) Calls() []tool.Call {
	return []tool.Call{
		{Verb: "POST", On: "Page", Edge: f.Edge, Note: "upload_phase=start"},
		{Verb: "POST", On: "Video", Edge: "video-upload", Note: "on the upload host: file_url, or the bytes"},
		{Verb: "POST", On: "Page", Edge: f.Edge, Note: "upload_phase=finish"},
		{Verb: "GET", On: "Video", Note: "until it is processed, for up to 5 minutes"},
	}
}

// Run publishes.
func (f videoFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	data, err := f.publish(ctx, e)
	if err != nil {
		return nil, err
	}
	return &tool.Answer{Data: data}, nil
}

func (f videoFlow) publish(ctx context.Context, e *tool.Env) (map[string]any, error) {
	if e.Args.Str("video_state") == "DRAFT" && e.Args.Has("scheduled_publish_time") {
		return nil, tool.Bad("scheduled_publish_time", "it does not go with video_state DRAFT", "leave one of both out: a draft is published by hand")
	}
	file, err := f.open(e)
	if err != nil {
		return nil, err
	}
	if file != nil {
		defer func() { _ = file.Close() }()
	}
	page := e.Args.Str(f.Page)
	edge := tool.Target{Verb: "POST", On: "Page", ID: page, Edge: f.Edge}
	e.Progress(0, 4, "opening the upload")
	// A video that was only opened and never finished is nothing anybody sees.
	edge.Repeat = true
	started, err := e.Ask(ctx, edge, map[string]any{"upload_phase": "start"})
	if err != nil {
		return nil, err
	}
	id := text(started, "video_id")
	e.Progress(1, 4, "sending the video")
	if _, err := e.Upload(ctx, tool.Target{On: "Video", ID: id, Edge: "video-upload", Page: page}, e.Args.Str(f.Address), file); err != nil {
		return nil, named(prefixed(err, "nothing was published; the upload failed: "), "video_id", id)
	}
	e.Progress(2, 4, "publishing")
	finish, state := f.finish(e, id)
	edge.Repeat = false
	finished, err := e.Ask(ctx, edge, finish)
	if err != nil {
		return nil, named(prefixed(err, "video %s was uploaded; publishing it: ", id), "video_id", id)
	}
	e.Progress(3, 4, "Meta is processing the video")
	data, err := awaitVideo(ctx, e, page, id, state)
	if err != nil {
		return nil, err
	}
	if post := text(finished, "post_id"); post != "" && text(data, "post_id") == "" {
		data["post_id"] = post
	}
	return data, nil
}

func (f videoFlow) open(e *tool.Env) (*tool.File, error) {
	if f.File == "" || !e.Args.Has(f.File) {
		return nil, nil
	}
	return e.Open(f.File, "video/mp4", "video/quicktime")
}

// finish are the parameters of the last phase: a time makes it SCHEDULED.
func (f videoFlow) finish(e *tool.Env, id string) (params map[string]any, state string) {
	params = map[string]any{"upload_phase": "finish", "video_id": id}
	for arg, param := range f.Takes {
		if e.Args.Has(arg) {
			params[param] = e.Args[arg]
		}
	}
	state = orElse(e.Args.Str("video_state"), "PUBLISHED")
	if _, timed := params["scheduled_publish_time"]; timed {
		state = "SCHEDULED"
	}
	params["video_state"] = state
	return params, state
}

const videoFields = "id,permalink_url,post_id,status"

// awaitVideo looks at a video until its phases are over.
func awaitVideo(ctx context.Context, e *tool.Env, page, id, state string) (map[string]any, error) {
	waited := time.Duration(0)
	for turn := 0; ; turn++ {
		pause := pauses[min(turn, len(pauses)-1)]
		if waited+pause > patience {
			return nil, handedOver(id, fmt.Sprintf("Meta is still processing it after %d seconds", int(waited.Seconds())))
		}
		if err := e.Wait(ctx, pause); errors.Is(err, context.DeadlineExceeded) {
			return nil, handedOver(id, "the time for the call is over") // the caller's own limit
		} else if err != nil {
			return nil, err
		}
		waited += pause
		data, err := e.Ask(ctx, tool.Target{Verb: "GET", On: "Video", ID: id, Page: page}, map[string]any{"fields": videoFields})
		if err != nil {
			return nil, handedOver(id, "its state can't be read ("+err.Error()+")")
		}
		phase, reason := videoState(data)
		switch {
		case phase == "error":
			return nil, fault.New(fault.MetaRefused, "Meta could not process video %s: %s", id, orElse(reason, "no reason given")).
				WithFix("Check that the address is public and that format, length and size are allowed; then publish again from the start.").With("video_id", id)
		case phase == "published", phase == "processed" && state != "PUBLISHED":
			return data, nil
		}
		e.Progress(3, 4, "Meta is processing the video")
	}
}

// handedOver is the fault of a video that was finished and whose end nobody saw: Meta
// carries on with it.
func handedOver(id, why string) error {
	return fault.New(fault.NotReady, "video %s was handed over, and %s; it will be published, at its time, when Meta has processed it", id, why).
		WithFix("Look at it in some minutes with meta_get_page_video. Don't upload it again.").With("video_id", id)
}

// videoState sums the phases of a video up: error with its reason, published, processed,
// or empty while Meta is at work.
func videoState(video map[string]any) (phase, reason string) {
	status, _ := video["status"].(map[string]any)
	at := func(name string) map[string]any { m, _ := status[name].(map[string]any); return m }
	for _, name := range []string{"uploading_phase", "processing_phase", "publishing_phase"} {
		if p := at(name); text(p, "status") == "error" {
			failure, _ := p["error"].(map[string]any)
			if list, _ := p["errors"].([]any); failure == nil && len(list) > 0 {
				failure, _ = list[0].(map[string]any)
			}
			return "error", text(failure, "message")
		}
	}
	publishing := at("publishing_phase")
	switch {
	case text(publishing, "status") == "complete" && orElse(text(publishing, "publish_status"), "published") == "published":
		return "published", ""
	case text(at("processing_phase"), "status") == "complete":
		return "processed", ""
	}
	return "", ""
}
