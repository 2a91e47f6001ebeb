package graphtool

import (
	"context"

	"sluice/internal/graphtool/tool"
)

// pageVideoFlow puts a video on a Page: by address in one call, or a local file in
// pieces. Meta processes it afterwards.
type pageVideoFlow struct{}

// Calls documents the course.
func (pageVideoFlow) Calls() []tool.Call {
	return []tool.Call{{Verb: "POST", On: "Page", Edge: "videos", Note: "file_url; or upload_phase start, transfer for each piece, finish"}}
}

// Run uploads.
func (pageVideoFlow) Run(ctx context.Context, e *tool.Env) (*tool.Answer, error) {
	params, err := e.Params("page_id")
	if err != nil {
		return nil, err
	}
	if e.Args.Has("scheduled_publish_time") {
		params["published"] = "false"
	}
	to := tool.Target{Verb: "POST", On: "Page", ID: e.Args.Str("page_id"), Edge: "videos"}
	id := ""
	if e.Args.Has("file_url") {
		made, err := e.Ask(ctx, to, params)
		if err != nil {
			return nil, err
		}
		id = text(made, "id")
	} else if id, err = videoPieces(ctx, e, to, params); err != nil {
		return nil, err
	}
	return &tool.Answer{Data: map[string]any{"id": id}}, nil
}
