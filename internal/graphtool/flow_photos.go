package graphtool

import (
	"context"
	"fmt"
	"strings"

	"sluice/internal/graphtool/tool"
)

// photosFlow puts several photos on a Page, each unpublished, and then publishes one post
// with all of them.
type photosFlow struct {
	Addresses string // argument with the public addresses
	Captions  string // argument with a caption for each, by place
}

// Calls documents the course.
func (f photosFlow) Calls() []tool.Call {
	return []tool.Call{
		{Verb: "POST", On: "Page", Edge: "photos", Note: "one per photo, published=false"},
		{Verb: "POST", On: "Page", Edge: "feed", Note: "with attached_media"},
	}
}

// Run publishes. When a photo fails nothing is public, and the fault says which photos
// were uploaded before it.
func (f photosFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	page := e.Args.Str("page_id")
	addresses, captions := e.Args.Strings(f.Addresses), e.Args.Strings(f.Captions)
	var ids []string
	var media []any
	for i, address := range addresses {
		e.Progress(float64(i), float64(len(addresses)+1), fmt.Sprintf("photo %d of %d", i+1, len(addresses)))
		params := map[string]any{"url": address, "published": "false"}
		if i < len(captions) && captions[i] != "" {
			params["message"] = captions[i]
		}
		made, err := e.Ask(ctx, tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "photos", Repeat: true}, params)
		if err != nil {
			return nil, named(prefixed(err, "nothing was published; photo %d of %d failed%s: ", i+1, len(addresses), uploadedBefore(ids)), "photo_ids", ids)
		}
		ids = append(ids, text(made, "id"))
		media = append(media, map[string]any{"media_fbid": text(made, "id")})
	}
	params, err := e.Params("page_id")
	if err != nil {
		return nil, err
	}
	params["attached_media"] = media
	if e.Args.Has("scheduled_publish_time") {
		params["published"] = "false"
	}
	made, err := e.Ask(ctx, tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "feed"}, params)
	if err != nil {
		return nil, named(prefixed(err, "the photos were uploaded (%s); the post: ", strings.Join(ids, ", ")), "photo_ids", ids)
	}
	return &tool.Answer{Data: map[string]any{"id": text(made, "id"), "photo_ids": anyList(ids)}}, nil
}

// uploadedBefore names the photos that can be used again.
func uploadedBefore(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	return " (uploaded before it: " + strings.Join(ids, ", ") + ")"
}

func anyList(list []string) []any {
	out := make([]any, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

// storyFlow publishes a story: of a photo, which is uploaded first, or of a video.
type storyFlow struct {
	Kind  string // argument that says which
	Video videoFlow
}

// Calls documents both courses.
func (f storyFlow) Calls() []tool.Call {
	return append([]tool.Call{
		{Verb: "POST", On: "Page", Edge: "photos", Note: "of a photo: published=false"},
		{Verb: "POST", On: "Page", Edge: "photo_stories", Note: "of a photo"},
	}, f.Video.Calls()...)
}

// Run publishes.
func (f storyFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	if e.Args.Str(f.Kind) == "video" {
		return f.Video.Run(ctx, e)
	}
	page := e.Args.Str(f.Video.Page)
	step := tool.Step{Verb: "POST", On: "Page", ID: f.Video.Page, Edge: "photos", Takes: []string{}}
	extra := map[string]any{"published": "false"}
	if e.Args.Has(f.Video.File) {
		file, err := e.Open(f.Video.File, "image/jpeg", "image/png")
		if err != nil {
			return nil, err
		}
		_ = file.Close()
		step.Takes = []string{f.Video.File}
	} else {
		extra["url"] = e.Args.Str(f.Video.Address)
	}
	made, err := e.Call(ctx, step, extra)
	if err != nil {
		return nil, err
	}
	photo, _ := made.(map[string]any)
	story, err := e.Ask(ctx, tool.Target{Verb: "POST", On: "Page", ID: page, Edge: "photo_stories"}, map[string]any{"photo_id": text(photo, "id")})
	if err != nil {
		return nil, named(prefixed(err, "photo %s was uploaded; the story: ", text(photo, "id")), "photo_id", text(photo, "id"))
	}
	return &tool.Answer{Data: map[string]any{"id": text(photo, "id"), "post_id": text(story, "post_id")}}, nil
}
