package graph

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// validSegment reports whether a text may be a segment of a path. Dots alone would be
// read as a direction.
func validSegment(s string) bool {
	return graphspec.MadeOf(s, "_:.$=|-", 256) && strings.Trim(s, ".") != ""
}

// addressOf makes the address of a request, without parameters. It is all that an id
// can do to an address, so everything else is refused here.
func (a *API) addressOf(r *Request) (*url.URL, error) {
	base := a.bases[r.Host]
	if base == nil {
		return nil, fault.New(fault.Internal, "there is no host %q", r.Host)
	}
	version := a.opts.Version
	if r.Host == ThreadsHost {
		version = a.opts.ThreadsVersion
	}
	segments := []string{version}
	for i, s := range r.Path {
		if !validSegment(s) {
			return nil, fault.New(fault.ArgumentInvalid, "an id or name in the path of the call holds a character that none has").
				WithFix("ids are digits, act_ and digits, or letters, digits and _ : . $ = -")
		}
		if i == 0 && r.Host == UploadHost { // the upload host has the version in the second place
			segments = []string{s, version}
			continue
		}
		segments = append(segments, s)
	}
	u := *base
	u.Path = strings.TrimRight(base.Path, "/") + "/" + strings.Join(segments, "/")
	if len(r.Path) == 0 {
		u.Path += "/"
	}
	return &u, nil
}

// hidden are the parameters that hold a secret by their nature. A call that needs one
// sends it in the body.
var hidden = map[string]bool{"input_token": true, "access_token": true, "client_secret": true, "fb_exchange_token": true}

// describesToken reports whether a request is /debug_token.
func describesToken(r *Request) bool { return len(r.Path) == 1 && r.Path[0] == "debug_token" }

// longQuery is how long parameters may be in an address. Beyond, and where they are
// secret, the call goes as a POST that says which method it means, as Graph allows:
// addresses end up in logs on their way, and servers refuse long ones.
const longQuery = 4 << 10

// checkParams refuses parameters that have no proper name, and those that hold a secret
// although they may not.
func (a *API) checkParams(values url.Values, may func(name string) bool) error {
	for name, list := range values {
		if !graphspec.MadeOf(name, "_[]-.", 100) {
			return fault.New(fault.ArgumentInvalid, "a parameter has a name that Meta's parameters can't have").WithFix("names are letters, digits and _")
		}
		if may(name) {
			continue
		}
		for _, v := range list {
			if hidden[name] || a.secrets.in(v) {
				return fault.New(fault.ArgumentInvalid, "%s holds an access token or the app's secret; those don't go into calls", name).
					WithFix("leave the token out: Sluice adds it where it belongs").With("argument", name)
			}
		}
	}
	return nil
}

// cursorPrefix marks a cursor of ours: parameters of an old way of paging, by time or
// offset, as Scrub found them in the address of the next page.
const cursorPrefix = "q."

// pagingParams are the parameters that such a cursor may hold.
var pagingParams = []string{"after", "since", "until", "offset", "__paging_token"}

// packCursor makes a cursor of ours.
func packCursor(next url.Values) string {
	kept := url.Values{}
	for _, name := range pagingParams {
		if next.Has(name) {
			kept.Set(name, next.Get(name))
		}
	}
	if len(kept) == 0 {
		return ""
	}
	if len(kept) == 1 && kept.Has("after") {
		return kept.Get("after")
	}
	return cursorPrefix + base64.RawURLEncoding.EncodeToString([]byte(kept.Encode()))
}

// unpackCursor puts the parameters of a cursor of ours in place of after.
func unpackCursor(query url.Values) (url.Values, error) {
	packed, ours := strings.CutPrefix(query.Get("after"), cursorPrefix)
	if !ours {
		return query, nil
	}
	bad := fault.New(fault.ArgumentInvalid, "after is not a cursor that an answer gave").WithFix("pass next_cursor of the answer before, unchanged")
	text, err := base64.RawURLEncoding.DecodeString(packed)
	if err != nil {
		return nil, bad
	}
	values, err := url.ParseQuery(string(text))
	if err != nil {
		return nil, bad
	}
	out := url.Values{}
	for name, list := range query {
		if name != "after" {
			out[name] = list
		}
	}
	for _, name := range pagingParams {
		if values.Has(name) {
			out.Set(name, values.Get(name))
		}
	}
	return out, nil
}

// shape is a path without its ids, for errors and logs: POST /{id}/feed.
func shape(r *Request) string {
	var b strings.Builder
	b.WriteString(r.Method)
	b.WriteByte(' ')
	if len(r.Path) == 0 {
		b.WriteByte('/')
	}
	for _, s := range r.Path {
		if s != "me" && strings.Trim(s, "abcdefghijklmnopqrstuvwxyz_-") != "" {
			s = "{id}"
		}
		b.WriteByte('/')
		b.WriteString(s)
	}
	return b.String()
}

// reads reports whether a request changes nothing.
func reads(r *Request) bool { return r.Method == http.MethodGet }
