package tool

import (
	"context"
	"io"
	"net/http"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// Upload gives Meta the media of an object that was made for them: the bytes of a local
// file, or, where file is nil, the address that Meta fetches them from. The edge is the
// first segment of the upload host's path: video-upload, ig-api-upload.
func (e *Env) Upload(ctx context.Context, t Target, address string, file *File) (map[string]any, error) {
	t.Verb = http.MethodPost
	r, err := e.target(t, nil)
	if err != nil {
		return nil, err
	}
	r.Host, r.Path, r.Form, r.Header = graph.UploadHost, []string{t.Edge, r.Path[0]}, nil, http.Header{}
	r.Repeat = true // the same address twice does no harm
	if file == nil {
		r.Header.Set("file_url", address)
	} else {
		return e.uploadFile(ctx, r, t, file)
	}
	return e.Object(ctx, r)
}

// Uploads may take so long: some minutes, and what a slow line needs for the bytes.
const (
	patience = 5 * time.Minute
	slowest  = 256 << 10 // bytes a second
)

// maxPart is the largest file that goes into a multipart form, where the argument names
// no other size: such a form is held in memory.
const maxPart = 10 << 20

// attach adds the local files that a step takes as parts of a multipart form, and what
// was fetched; both go with the last step.
func (e *Env) attach(s *Step, r *graph.Request) error {
	if s == e.Tool.last() {
		r.Files = append(r.Files, e.fetched...)
	}
	for i := range e.Tool.Args {
		a := &e.Tool.Args[i]
		if a.Format != FileFormat || !e.Args.Has(a.Name) || a.As == "-" || !e.takes(s, a) {
			continue
		}
		part, err := e.part(a)
		if err != nil {
			return err
		}
		r.Files = append(r.Files, *part)
	}
	return nil
}

func (e *Env) part(a *Arg) (*graph.File, error) {
	f, err := e.Open(a.Name, a.Types...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	limit := int64(maxPart)
	if a.MaxV != nil {
		limit = int64(*a.MaxV)
	}
	if f.Size > limit {
		return nil, fault.New(fault.UploadRefused, "%s: it has %d bytes; Meta takes at most %d", a.Name, f.Size, limit).WithFix("make the file smaller")
	}
	body, err := io.ReadAll(io.LimitReader(f, limit+1)) // it may grow meanwhile
	if err == nil && int64(len(body)) > limit {
		err = io.ErrShortBuffer
	}
	if err != nil {
		return nil, fault.New(fault.UploadRefused, "%s: the file can't be read", a.Name).Wrap(err)
	}
	field := a.As
	if field == "" {
		field = a.Name
	}
	return &graph.File{Field: field, Name: f.Name, Type: f.Type, Body: body}, nil
}
