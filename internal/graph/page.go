package graph

import (
	"context"
	"encoding/json"
	"iter"
	"strconv"

	"sluice/internal/fault"
)

// Doer makes calls: an API, or what stands in front of one.
type Doer interface {
	Do(context.Context, Request) (*Response, error)
}

// Page is one page of a list.
type Page struct {
	Items []json.RawMessage
	// More says that there is a next page, and After is its cursor. A page may be empty
	// without being the last.
	More  bool
	After string
}

// ReadPage reads the answer to a call of an edge.
func ReadPage(body json.RawMessage) (Page, error) {
	var answer struct {
		Data   []json.RawMessage `json:"data"`
		Paging struct {
			Cursors struct {
				After string `json:"after"`
			} `json:"cursors"`
			Next bool `json:"next"`
		} `json:"paging"`
	}
	if err := readAnswer(body, &answer); err != nil {
		return Page{}, err
	}
	p := Page{Items: answer.Data, After: answer.Paging.Cursors.After}
	p.More = answer.Paging.Next && p.After != ""
	if !p.More {
		p.After = ""
	}
	return p, nil
}

// Pages reads the pages of an edge one after another, until there is no more, most
// items have come, or the caller stops. Where Meta finds a page too large, it asks for
// half as many at a time.
func Pages(ctx context.Context, d Doer, r Request, most int) iter.Seq2[Page, error] {
	return func(yield func(Page, error) bool) {
		r.Query = merge(r.Query)
		asked := map[string]bool{}
		for have := 0; have < most; {
			p, err := nextPage(ctx, d, &r)
			if err != nil {
				yield(Page{}, err)
				return
			}
			if over := have + len(p.Items) - most; over > 0 {
				// The cursor is that of the whole page: it says nothing about the part.
				p.Items, p.More, p.After = p.Items[:len(p.Items)-over], true, ""
			}
			have += len(p.Items)
			if !yield(p, nil) || !p.More || p.After == "" {
				return
			}
			if asked[p.After] {
				yield(Page{}, fault.New(fault.MetaRefused, "the list turns in a circle: a page names itself as the next").WithFix("ask for fewer items"))
				return
			}
			asked[p.After] = true
			r.Query.Set("after", p.After)
		}
	}
}

// usualLimit is what edges return without a limit, as most do.
const usualLimit = 25

func nextPage(ctx context.Context, d Doer, r *Request) (Page, error) {
	for {
		res, err := d.Do(ctx, *r)
		if err == nil {
			return ReadPage(res.Body)
		}
		limit, bad := strconv.Atoi(r.Query.Get("limit"))
		if bad != nil || limit <= 0 {
			limit = usualLimit
		}
		if fault.CodeOf(err) != fault.TooMuchData || limit == 1 {
			return Page{}, err
		}
		r.Query.Set("limit", strconv.Itoa(limit/2))
	}
}
