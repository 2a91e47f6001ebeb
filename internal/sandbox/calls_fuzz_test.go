package sandbox_test

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox"
	"sluice/internal/sandbox/world"
)

// FuzzCalls sends anything to any object and edge, as every kind of token: whatever the
// parameters, the answer is JSON with a status that Graph uses.
func FuzzCalls(f *testing.F) {
	s := sandbox.New(sandbox.Options{Now: func() time.Time { return epoch }})
	tokens := []string{sandbox.Token, sandbox.PageTokenPrefix + sandbox.Page, sandbox.ThreadsToken, sandbox.App + "|" + sandbox.AppSecret}
	seed := func(path string, o *world.Object, ops ...*graphspec.Op) {
		for i, op := range ops {
			if op != nil {
				f.Add(uint8(i), uint8(max(0, slices.Index(tokens, tokenFor(s.World(), o, op)))), path, sample(op), "")
			}
		}
	}
	for _, o := range s.World().Objects() {
		node := graphspec.Lookup(o.Kind)
		for _, e := range node.Edges {
			seed(o.ID+"/"+e.Name, o, e.Get, e.Post, e.Delete)
		}
		seed(o.ID, o, node.Read, node.Update) // what is deleted no further seed could reach
	}
	for _, e := range graphspec.Lookup(graphspec.Root).Edges {
		seed(e.Name, s.World().Get(sandbox.Page), e.Get, e.Post, e.Delete)
	}
	f.Add(uint8(1), uint8(0), "", `batch=[{"method":"GET","relative_url":"me"}]`, "")
	f.Add(uint8(0), uint8(0), "?ids="+sandbox.Page, "", "id,name,posts.limit(2){comments{id}}")
	rt := s.RoundTripper()
	f.Fuzz(func(t *testing.T, method, token uint8, path, body, fields string) {
		verb := []string{http.MethodGet, http.MethodPost, http.MethodDelete}[method%3]
		req, err := http.NewRequestWithContext(t.Context(), verb, "http://localhost/v26.0/", strings.NewReader(body))
		if err != nil {
			t.Skip()
		}
		var query string
		path, query, _ = strings.Cut(path, "?")
		req.URL.Path, req.URL.RawQuery = "/v26.0/"+path, query
		if strings.HasPrefix(path, "_emulator") {
			t.Skip()
		}
		if verb == http.MethodGet {
			req.Body, req.ContentLength = http.NoBody, 0
			req.URL.RawQuery += "&" + body
		}
		if fields != "" {
			q := req.URL.Query()
			q.Set("fields", fields)
			req.URL.RawQuery = q.Encode()
		}
		req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		req.Header.Set("Authorization", "Bearer "+tokens[int(token)%len(tokens)])
		resp, err := rt.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, err := io.ReadAll(resp.Body)
		if err != nil || !json.Valid(text) {
			t.Errorf("%s %s %s: no JSON: %s", verb, path, body, text)
		}
		if !slices.Contains([]int{200, 400, 401, 403, 404, 413, 500, 503}, resp.StatusCode) {
			t.Errorf("%s %s %s: status %d", verb, path, body, resp.StatusCode)
		}
	})
}

// sample is a form with every parameter of an operation.
func sample(op *graphspec.Op) string {
	var pairs []string
	for _, p := range graphspec.ParseFields(op.Params) {
		elem, list := p.Elem()
		value := "a"
		switch elem {
		case "int", "minor", "id", "float", "decimal":
			value = "12"
		case "bool":
			value = "true"
		case "time", "unix":
			value = "1795300000"
		case "date":
			value = "2026-11-20"
		case "url":
			value = "https://example.com/a.jpg"
		case "json", "map":
			value = `{"a":1}`
		default:
			if values, ok := graphspec.IsEnum(elem); ok {
				value = values[0]
			}
		}
		if list {
			value = `["` + value + `"]`
		}
		pairs = append(pairs, p.Name+"="+value)
	}
	return strings.Join(pairs, "&")
}
