package tool

import (
	"context"
	"mime"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// Fetcher gets a document of at most so many bytes from a public address.
type Fetcher func(ctx context.Context, address string, most int64) ([]byte, error)

// Fetched makes an address one whose document is fetched here and sent as a part of a
// multipart form: for what Meta takes as a file and by no address. The content types
// are separated by blanks.
func (a Arg) Fetched(param, types string, most int64) Arg {
	limit := float64(most)
	a.As, a.Types, a.MaxV, a.Fetch = param, strings.Fields(types), &limit, true
	return a
}

// fetch gets the documents of the addresses that were given, before any call to Meta.
func (e *Env) fetch(ctx context.Context) error {
	for i := range e.Tool.Args {
		a := &e.Tool.Args[i]
		if !a.Fetch || !e.Args.Has(a.Name) {
			continue
		}
		if e.Settings.Fetch == nil {
			return fault.New(fault.Unsupported, "%s: Meta takes no address here, and this server fetches none", a.Name).
				WithFix("download it and give the file")
		}
		address := e.Args.Str(a.Name)
		body, err := e.Settings.Fetch(ctx, address, int64(*a.MaxV))
		if err != nil {
			return fault.New(fault.UploadRefused, "%s: %s", a.Name, err).WithFix("give a public https address of at most %s bytes, or download it and give the file", trim(*a.MaxV))
		}
		kind, _, err := mime.ParseMediaType(http.DetectContentType(body))
		if err != nil || !slices.Contains(a.Types, kind) {
			return fault.New(fault.UploadRefused, "%s: what is there is none of %s", a.Name, strings.Join(a.Types, ", ")).
				WithFix("give the address of the file itself, not of a page that shows it")
		}
		e.fetched = append(e.fetched, graph.File{Field: a.As, Name: fileName(address, kind), Type: kind, Body: body})
	}
	return nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$`)

// fileName is the last part of an address, where that is a plain name.
func fileName(address, kind string) string {
	if u, err := url.Parse(address); err == nil {
		if name := path.Base(u.Path); plainName.MatchString(name) {
			return name
		}
	}
	return "file." + strings.TrimPrefix(kind, "image/")
}
