package sandbox

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox/world"
)

// request is one Graph call on its way through the steps.
type request struct {
	http   *http.Request
	asked  string // version segment, empty without one
	served string // version that answers
	id     string // object or root route
	edge   string // empty for the node itself

	query   url.Values
	form    url.Values // body parameters except data
	batch   *batch     // data of an events call
	bodyErr *apiError  // told only after token and object were found right
	size    int        // body bytes on the wire

	now      time.Time
	trace    string
	token    string
	tokenIn  string // header, query or body
	grant    *token // what the token allows
	object   *world.Object
	op       *graphspec.Op // the operation's record, where there is one
	own      string        // evidence of an operation without record
	files    map[string][]byte
	pool     pool
	entry    bool     // of a batch
	upload   bool     // the body is raw
	warnings []string // what Meta would pass over
	fault    string   // kind of the fault that cut in
	outcome  Counts   // what an events call stored
	after    *fault   // cuts in once the work is done
	forced   *reply   // of a fault that cut in between checks and store
}

// param returns a parameter; the body wins over the query.
func (r *request) param(name string) string {
	if v, ok := r.form[name]; ok && len(v) > 0 {
		return v[0]
	}
	return r.query.Get(name)
}

// hasParam reports whether a parameter was given at all.
func (r *request) hasParam(name string) bool { return r.form.Has(name) || r.query.Has(name) }

// method is the operation's: a POST may say in its body that it means a GET or DELETE, as
// Graph allows for parameters that don't belong in an address.
func (r *request) method() string {
	if r.http.Method == http.MethodPost && !r.upload {
		switch m := strings.ToUpper(r.param("method")); m {
		case http.MethodGet, http.MethodDelete:
			return m
		}
	}
	return r.http.Method
}

// uploadRoots are the first segments of the host that takes bytes. The version is their
// second one.
var uploadRoots = []string{"video-upload", "ig-api-upload"}

// deepEdges are the edges with a slash in their name.
var deepEdges = sync.OnceValue(func() map[string]bool {
	all := map[string]bool{}
	for _, name := range graphspec.Names() {
		for _, e := range graphspec.Lookup(name).Edges {
			if strings.Contains(e.Name, "/") {
				all[e.Name] = true
			}
		}
	}
	return all
})

// parsePath splits version, id and edge off the path.
func (r *request) parsePath(now time.Time) *apiError {
	segments := strings.FieldsFunc(r.http.URL.Path, func(c rune) bool { return c == '/' })
	if len(segments) == 3 && slices.Contains(uploadRoots, segments[0]) && looksLikeVersion(segments[1]) {
		segments = []string{segments[1], segments[2], segments[0]}
		r.upload = true
	}
	if len(segments) > 0 && looksLikeVersion(segments[0]) {
		r.asked = segments[0]
		segments = segments[1:]
	}
	served, ok := serveVersion(r.asked, now)
	if !ok {
		return errUnknownPath.with("path", "/"+r.asked)
	}
	r.served = served
	if len(segments) > 0 {
		r.id = segments[0]
		r.upload = r.upload || strings.HasPrefix(r.id, "upload:")
	}
	if len(segments) > 1 {
		r.edge = strings.Join(segments[1:], "/")
	}
	if len(segments) > 2 && !deepEdges()[r.edge] && !deepEdges()[r.id+"/"+r.edge] {
		return errUnknownPath.with("path", "/"+strings.Join(segments[2:], "/"))
	}
	return nil
}

// parseQuery keeps what can be read of the query; Graph does the same.
func (r *request) parseQuery() { r.query, _ = url.ParseQuery(r.http.URL.RawQuery) }
