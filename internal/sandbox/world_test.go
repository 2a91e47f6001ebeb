package sandbox_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/graphspec"
	"sluice/internal/sandbox"
	"sluice/internal/sandbox/world"
)

// as makes a call with a token of choice.
func (b *bundle) as(token, method, path string, params url.Values) answer {
	b.t.Helper()
	body := ""
	if method != http.MethodGet {
		body = params.Encode()
	} else if len(params) > 0 {
		path += "?" + params.Encode()
	}
	req := request(b.t, method, "/v26.0/"+strings.TrimPrefix(path, "/"), "application/x-www-form-urlencoded", body)
	req.Header.Set("Authorization", "Bearer "+token)
	return b.do(req)
}

// tokenFor is the token that an operation on an object takes.
func tokenFor(w *world.World, o *world.Object, op *graphspec.Op) string {
	switch op.Token {
	case graphspec.ThreadsToken:
		return sandbox.ThreadsToken
	case graphspec.AppToken:
		return sandbox.App + "|" + sandbox.AppSecret
	case graphspec.PageToken:
		if page := w.Above(o, "Page"); page != nil {
			return sandbox.PageTokenPrefix + page.ID
		}
		return sandbox.PageTokenPrefix + sandbox.Page
	}
	return sandbox.Token
}

// TestEverythingThatStandsCanBeRead reads every object of the documented world with all
// its fields, and each of its edges that asks for no parameter. What a record promises
// and the world can't show is found here.
func TestEverythingThatStandsCanBeRead(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.server.World()
	kinds := map[string]int{}
	for _, o := range w.Objects() {
		node := graphspec.Lookup(o.Kind)
		if node == nil {
			t.Errorf("%s is of type %s, which graphspec lacks", o.ID, o.Kind)
			continue
		}
		if kinds[o.Kind]++; kinds[o.Kind] > 3 {
			continue
		}
		if id, ok := node.ID.Parse(o.ID); node.ID != graphspec.NoID && (!ok || id != o.ID) {
			t.Errorf("%s is no id of %s: %s", o.ID, o.Kind, node.ID.Describe())
		}
		for name := range o.Attrs {
			if _, ok := node.Field(name); !ok && strings.Contains(" "+node.Fields+" ", " "+name) {
				t.Errorf("%s %s: the field %s is written otherwise", o.Kind, o.ID, name)
			}
		}
		if node.Read != nil {
			var names []string
			for _, f := range node.AllFields() {
				if op := node.Op("GET", f.Name); op == nil || !strings.Contains(op.Params, "!") {
					names = append(names, f.Name)
				}
			}
			if a := b.as(tokenFor(w, o, node.Read), http.MethodGet, o.ID, url.Values{"fields": {strings.Join(names, ",")}}); a.status != http.StatusOK && a.failure().Subcode != 33 {
				t.Errorf("%s %s: %s", o.Kind, o.ID, a.text)
			}
		}
		for _, e := range node.Edges {
			if e.Get == nil || strings.Contains(e.Get.Params, "!") {
				continue
			}
			a := b.as(tokenFor(w, o, e.Get), http.MethodGet, o.ID+"/"+e.Name, nil)
			if a.status != http.StatusOK && a.failure().Subcode != 33 && a.failure().Code != 3001 {
				t.Errorf("%s %s: %s", o.Kind, o.ID, a.text)
			}
		}
	}
}
