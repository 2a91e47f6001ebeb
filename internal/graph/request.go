package graph

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"time"
)

// Host is one of Meta's hosts.
type Host string

// The hosts. Each has a base URL in Options; a sandbox answers for all of them.
const (
	GraphHost     Host = "graph"     // graph.facebook.com
	ThreadsHost   Host = "threads"   // graph.threads.net, version v1.0
	InstagramHost Host = "instagram" // graph.instagram.com
	UploadHost    Host = "upload"    // rupload.facebook.com
)

// TokenRef says which token a request travels with.
type TokenRef struct {
	// Kind is "" or "user" for the configured token, "page" for the token of Page,
	// "threads" for the Threads token, "app" for app id and secret.
	Kind string
	// Page is the id of the Page, for kind page: its token is looked up and kept.
	Page string
}

// Request is one call of the Graph API other than sending events.
type Request struct {
	Method string
	Host   Host
	// Path are the segments behind the version. Each must be an id or a name of an
	// edge: letters, digits and _ : . $ = - | only. Anything else is refused before a
	// connection is made. The upload host's are the kind of upload and the id.
	Path []string
	// Query goes into the address, Form into the body. Neither may hold a token. What is
	// too long or too secret for an address goes into the body as well: Do sees to that.
	Query, Form url.Values
	// Files make the body a multipart form.
	Files []File
	// Body is sent as it is, with its type and length, for uploads.
	Body     io.Reader
	BodySize int64
	Header   http.Header // of uploads: file_offset, offset, file_size, file_url

	Token TokenRef
	// Repeat says that doing it twice does no harm, so that it may be tried again where
	// no answer came. GETs always may.
	Repeat bool
	// Scopes are the permissions that the call needs, for the words of a refusal.
	Scopes []string
	// Serial names what writes are done one after another for: an ad account.
	Serial string
	// Timeout bounds each try; 0 is 30 s for a read, 60 s for a write, 5 min for an
	// upload.
	Timeout time.Duration
	// Urgent requests go out although the pool is nearly used up.
	Urgent bool
}

// File is one part of a multipart form.
type File struct {
	Field, Name, Type string
	Body              []byte
}

// Response is the answer to a Request that succeeded.
type Response struct {
	Status int
	// Body is the JSON without tokens and addresses that hold one. Of paging stay
	// cursors.after (and before), and next, which is true where there is a next page;
	// cursors.after goes into the next request's after as it is.
	Body json.RawMessage
	// Version is what the API says it served; Warning its word about an old version.
	Version, Warning string
	Usage            Usage
}
