package graph

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"time"
)

// Upload is what a dataset remembers of the store events under one upload_tag.
type Upload struct {
	ID    string      `json:"id"`
	Tag   string      `json:"upload_tag"`
	Valid json.Number `json:"valid_entries"`
}

// uploadPage is how many uploads one request asks for.
const uploadPage = 500

// Uploads lists the uploads of a dataset since a time, newest first, of at most so
// many pages. Only physical_store events leave uploads. more says that older ones
// were left out.
func (c *Client) Uploads(ctx context.Context, dataset string, since time.Time, pages int) (list []Upload, more bool, err error) {
	query := url.Values{
		"fields": {"id,upload_tag,valid_entries"}, "limit": {strconv.Itoa(uploadPage)},
		"sort_by": {"CREATION_TIME"}, "order": {"DESCENDING"}, "start_time": {strconv.FormatInt(since.Unix(), 10)},
	}
	for range pages {
		var page struct {
			Data   []Upload `json:"data"`
			Paging struct {
				Next    string `json:"next"`
				Cursors struct {
					After string `json:"after"`
				} `json:"cursors"`
			} `json:"paging"`
		}
		if _, err := c.do(ctx, http.MethodGet, "/"+url.PathEscape(dataset)+"/offline_event_uploads", query, nil, &page); err != nil {
			return list, false, err
		}
		for _, u := range page.Data {
			u.Tag = c.words(u.Tag)
			list = append(list, u)
		}
		if page.Paging.Next == "" || page.Paging.Cursors.After == "" {
			return list, false, nil
		}
		query.Set("after", page.Paging.Cursors.After)
	}
	return list, true, nil
}

// Token is what Meta says about the client's own token, never the token.
type Token struct {
	Valid   bool
	Type    string // SYSTEM_USER, USER, APP …
	App     string
	Scopes  []string
	Expires time.Time // zero: never, or not said
}

// Token describes the client's token. The token travels in the body, for an address
// ends up in logs on its way: Graph takes a GET as a POST that says so.
func (c *Client) Token(ctx context.Context) (Token, error) {
	body, err := json.Marshal(map[string]string{"method": "get", "input_token": c.token})
	if err != nil {
		return Token{}, err
	}
	var answer struct {
		Data struct {
			Valid      bool     `json:"is_valid"`
			Type       string   `json:"type"`
			App        string   `json:"application"`
			Scopes     []string `json:"scopes"`
			Expires    int64    `json:"expires_at"`
			DataAccess int64    `json:"data_access_expires_at"`
		} `json:"data"`
	}
	if _, err := c.do(ctx, http.MethodPost, "/debug_token", nil, body, &answer); err != nil {
		return Token{}, err
	}
	d := answer.Data
	t := Token{Valid: d.Valid, Type: d.Type, App: c.words(d.App), Scopes: d.Scopes}
	for _, unix := range []int64{d.Expires, d.DataAccess} {
		if at := time.Unix(unix, 0).UTC(); unix > 0 && (t.Expires.IsZero() || at.Before(t.Expires)) {
			t.Expires = at
		}
	}
	return t, nil
}

// Server is what an answer says about its server.
type Server struct {
	Time    time.Time // zero when it is not said
	Version string    // of the Graph API that answered
}

// Server reads the server's clock and the version that answers, from the headers of
// a read of the dataset.
func (c *Client) Server(ctx context.Context, dataset string) (Server, error) {
	var s Server
	seen := *c
	client := *c.http
	client.Transport = headers{client.Transport, func(h http.Header) {
		s.Version = h.Get("Facebook-Api-Version")
		if at, err := http.ParseTime(h.Get("Date")); err == nil {
			s.Time = at
		}
	}}
	seen.http = &client
	_, err := seen.Dataset(ctx, dataset)
	return s, err
}

// Version is the Graph API version the client asks for.
func (c *Client) Version() string { return c.version }

// headers hands the headers of every answer on.
type headers struct {
	http.RoundTripper
	see func(http.Header)
}

func (t headers) RoundTrip(r *http.Request) (*http.Response, error) {
	next := t.RoundTripper
	if next == nil {
		next = http.DefaultTransport
	}
	res, err := next.RoundTrip(r)
	if err == nil {
		t.see(res.Header)
	}
	return res, err
}
