package sandbox

import (
	"encoding/base64"
	"net/url"
	"strconv"
)

// Sizes of a page: what is given without asking, and at most.
const (
	pageDefault = 25
	pageMost    = 1000
)

// page is a listing edge's reply. The end of the data is the absence of next.
type page struct {
	Data   []map[string]any `json:"data"`
	Paging *paging          `json:"paging,omitempty"`
}

type paging struct {
	Cursors cursors `json:"cursors"`
	Next    string  `json:"next,omitempty"`
	Prev    string  `json:"previous,omitempty"`
}

type cursors struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// cursorFor hides an id in a cursor bound to its edge, so that a cursor of
// another edge is refused as Graph does.
func cursorFor(edge, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(edge + "\x00" + id))
}

// paged cuts the page a request asks for out of all items and renders it.
func paged[T any](r *request, items []T, id func(T) string, render func(T) (map[string]any, *apiError)) (any, *apiError) {
	limit := pageDefault
	if text := r.param("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 {
			return nil, errParam.with("what", "Param limit must be an integer greater than 0")
		}
		limit = min(n, pageMost)
	}
	from, to := 0, len(items)
	at := func(cursor string) (int, bool) {
		for i, it := range items {
			if cursorFor(r.edge, id(it)) == cursor {
				return i, true
			}
		}
		return 0, false
	}
	invalid := errParam.with("what", "Invalid cursors values")
	if after := r.param("after"); after != "" {
		i, ok := at(after)
		if !ok {
			return nil, invalid
		}
		from = i + 1
	}
	if before := r.param("before"); before != "" {
		i, ok := at(before)
		if !ok {
			return nil, invalid
		}
		to = i
		from = max(from, to-limit)
	}
	to = min(to, from+limit)
	out := page{Data: []map[string]any{}}
	for _, it := range items[from:to] {
		m, err := render(it)
		if err != nil {
			return nil, err
		}
		out.Data = append(out.Data, m)
	}
	if to > from {
		out.Paging = &paging{Cursors: cursors{
			Before: cursorFor(r.edge, id(items[from])), After: cursorFor(r.edge, id(items[to-1])),
		}}
		if to < len(items) {
			out.Paging.Next = r.pageURL("after", out.Paging.Cursors.After)
		}
		if from > 0 {
			out.Paging.Prev = r.pageURL("before", out.Paging.Cursors.Before)
		}
	}
	return out, nil
}

// pageURL is the request's own address with another cursor. A token sent in the
// query comes back in it, as it does at Meta.
func (r *request) pageURL(param, cursor string) string {
	q := url.Values{}
	for name, values := range r.query {
		q[name] = values
	}
	q.Del("after")
	q.Del("before")
	q.Set(param, cursor)
	scheme := "http"
	if r.http.TLS != nil || r.http.URL.Scheme == "https" {
		scheme = "https"
	}
	return (&url.URL{Scheme: scheme, Host: r.http.Host, Path: r.http.URL.Path, RawQuery: q.Encode()}).String()
}
