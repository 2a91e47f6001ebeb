package tool

import (
	"context"

	"sluice/internal/graph"
)

// AskFiles is Ask with parts of a multipart form: a piece of a video.
func (e *Env) AskFiles(ctx context.Context, t Target, params map[string]any, files ...graph.File) (map[string]any, error) {
	r, err := e.target(t, params)
	if err != nil {
		return nil, err
	}
	r.Files = files
	return e.Object(ctx, r)
}
