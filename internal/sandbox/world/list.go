package world

import (
	"encoding/base64"
	"net/url"
	"slices"
	"strconv"
	"time"
)

// Sizes of a page: what is given without asking, and at most.
const (
	pageDefault = 25
	pageMost    = 1000
)

// Page is the answer of a list. The end of the data is the absence of next.
type Page struct {
	Data    []any          `json:"data"`
	Paging  *Paging        `json:"paging,omitempty"`
	Summary map[string]any `json:"summary,omitempty"`
}

// Paging says where a page lies.
type Paging struct {
	Cursors Cursors `json:"cursors"`
	Next    string  `json:"next,omitempty"`
	Prev    string  `json:"previous,omitempty"`
}

// Cursors are of the first and the last item of a page.
type Cursors struct {
	Before string `json:"before"`
	After  string `json:"after"`
}

// cursorFor hides an id in a cursor bound to its edge, so that a cursor of another edge
// is refused as Graph does.
func cursorFor(edge, id string) string {
	return base64.RawURLEncoding.EncodeToString([]byte(edge + "\x00" + id))
}

// List answers with the page of these objects that the call asks for, rendered; since
// and until bound when they were made.
func (c *Call) List(objects []*Object) (any, *Error) {
	wanted, err := c.Fields()
	if err != nil {
		return nil, err
	}
	objects, err = c.between(objects)
	if err != nil {
		return nil, err
	}
	return Paged(c, objects, func(o *Object) string { return o.ID }, func(o *Object) (any, *Error) {
		return c.Render(o, wanted)
	})
}

// Rows answers with the page of these rows, which are no objects: insights, search
// results. kind is the record that says which members exist; with fields only those come.
func (c *Call) Rows(kind string, rows []map[string]any) (any, *Error) {
	wanted, err := c.Fields()
	if err != nil {
		return nil, err
	}
	at := make([]int, len(rows))
	for i := range at {
		at[i] = i
	}
	return Paged(c, at, strconv.Itoa, func(i int) (any, *Error) { return c.chosen(kind, rows[i], wanted) })
}

// between keeps what was made from since to until.
func (c *Call) between(objects []*Object) ([]*Object, *Error) {
	if !c.Has("since") && !c.Has("until") {
		return objects, nil
	}
	from, to := time.Time{}, time.Unix(1<<40, 0)
	for name, into := range map[string]*time.Time{"since": &from, "until": &to} {
		if !c.Has(name) {
			continue
		}
		t, ok := readTime(c.Param(name))
		if !ok {
			return nil, Bad("Param " + name + " must be a valid timestamp")
		}
		*into = t
	}
	return slices.DeleteFunc(slices.Clone(objects), func(o *Object) bool {
		made := o.Made
		for _, name := range []string{"created_time", "timestamp"} {
			if t, ok := o.Attrs[name].(time.Time); ok {
				made = t
			}
		}
		return made.Before(from) || made.After(to)
	}), nil
}

// Paged cuts the page that a call asks for out of all items and renders it.
func Paged[T any](c *Call, items []T, id func(T) string, render func(T) (any, *Error)) (any, *Error) {
	limit := pageDefault
	if text := c.Param("limit"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 && (n != 0 || !c.Has("summary")) { // none at all is for a total alone
			return nil, Bad("Param limit must be an integer greater than 0")
		}
		limit = min(n, pageMost)
	}
	from, to := 0, len(items)
	at := func(cursor string) int {
		return slices.IndexFunc(items, func(it T) bool { return cursorFor(c.Edge, id(it)) == cursor })
	}
	if after := c.Param("after"); after != "" {
		i := at(after)
		if i < 0 {
			return nil, Bad("Invalid cursors values")
		}
		from = i + 1
	}
	if before := c.Param("before"); before != "" {
		i := at(before)
		if i < 0 {
			return nil, Bad("Invalid cursors values")
		}
		to = i
		from = max(from, to-limit)
	}
	to = max(from, min(to, from+limit))
	out := &Page{Data: []any{}}
	for _, it := range items[from:to] {
		m, err := render(it)
		if err != nil {
			return nil, err
		}
		out.Data = append(out.Data, m)
	}
	if to > from {
		out.Paging = &Paging{Cursors: Cursors{Before: cursorFor(c.Edge, id(items[from])), After: cursorFor(c.Edge, id(items[to-1]))}}
		if to < len(items) {
			out.Paging.Next = c.pageURL("after", out.Paging.Cursors.After)
		}
		if from > 0 {
			out.Paging.Prev = c.pageURL("before", out.Paging.Cursors.Before)
		}
	}
	if s := c.Param("summary"); s != "" && s != "false" && s != "0" {
		out.Summary = map[string]any{"total_count": len(items)}
	}
	return out, nil
}

// pageURL is the call's own address with another cursor. A token sent in the query
// comes back in it, as it does at Meta.
func (c *Call) pageURL(param, cursor string) string {
	q := url.Values{}
	for name, values := range c.Carry {
		q[name] = values
	}
	q.Del("after")
	q.Del("before")
	q.Set(param, cursor)
	return c.Address + "?" + q.Encode()
}
