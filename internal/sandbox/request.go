package sandbox

import (
	"net/http"
	"net/url"
	"strings"
	"time"
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

	now     time.Time
	trace   string
	token   string
	grant   *token // what the token allows
	object  *object
	fault   string // kind of the fault that cut in
	outcome Counts // what an events call stored
	after   *fault // cuts in once the work is done
	forced  *reply // of a fault that cut in between checks and store
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

// method is the operation's: a POST may say in its body that it means a GET, as Graph
// allows for parameters that don't belong in an address.
func (r *request) method() string {
	if r.http.Method == http.MethodPost && strings.EqualFold(r.form.Get("method"), http.MethodGet) {
		return http.MethodGet
	}
	return r.http.Method
}

// parsePath splits version, id and edge off the path.
func (r *request) parsePath(now time.Time) *apiError {
	segments := strings.FieldsFunc(r.http.URL.Path, func(c rune) bool { return c == '/' })
	if len(segments) > 0 && looksLikeVersion(segments[0]) {
		r.asked = segments[0]
		segments = segments[1:]
	}
	served, ok := serveVersion(r.asked, now)
	if !ok {
		return errUnknownPath.with("path", "/"+r.asked)
	}
	r.served = served
	switch len(segments) {
	case 0:
	case 1:
		r.id = segments[0]
	case 2:
		r.id, r.edge = segments[0], segments[1]
	default:
		return errUnknownPath.with("path", "/"+strings.Join(segments[2:], "/"))
	}
	return nil
}

// parseQuery keeps what can be read of the query; Graph does the same.
func (r *request) parseQuery() { r.query, _ = url.ParseQuery(r.http.URL.RawQuery) }
