package sandbox_test

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox"
	"sluice/internal/sandbox/world"
)

const (
	pageToken = sandbox.PageTokenPrefix + sandbox.Page
	labels    = sandbox.AdAccount + "/adlabels"
)

// at is what a path of dots leads to in an answer: data.0.name.
func (a answer) at(path string) any {
	var v any = a.body
	for _, name := range strings.Split(path, ".") {
		switch x := v.(type) {
		case map[string]any:
			v = x[name]
		case []any:
			var i int
			if _, err := fmt.Sscan(name, &i); err != nil || i >= len(x) {
				return nil
			}
			v = x[i]
		default:
			return nil
		}
	}
	return v
}

func TestObjectsLiveAndDie(t *testing.T) {
	t.Parallel()
	b := setup(t)
	made := b.as(sandbox.Token, http.MethodPost, labels, url.Values{"name": {"Summer"}})
	id, _ := made.at("id").(string)
	if made.status != http.StatusOK || id == "" {
		t.Fatal(made.text)
	}
	if got := b.as(sandbox.Token, http.MethodGet, id, url.Values{"fields": {"name,account{currency}"}}); got.at("name") != "Summer" {
		t.Errorf("read back: %s", got.text)
	}
	if got := b.as(sandbox.Token, http.MethodGet, labels, url.Values{"fields": {"name"}}); got.at("data.0.name") != "Summer" {
		t.Errorf("newest first: %s", got.text)
	}
	if got := b.as(sandbox.Token, http.MethodPost, id, url.Values{"name": {"Winter"}}); got.at("success") != true {
		t.Errorf("update: %s", got.text)
	}
	if got := b.as(sandbox.Token, http.MethodGet, id, url.Values{"fields": {"name"}}); got.at("name") != "Winter" {
		t.Errorf("after the update: %s", got.text)
	}
	if got := b.as(sandbox.Token, http.MethodDelete, id, nil); got.at("success") != true {
		t.Errorf("delete: %s", got.text)
	}
	if got := b.as(sandbox.Token, http.MethodGet, id, nil).failure(); got != (failure{400, 100, 33}) {
		t.Errorf("after the delete: %+v", got)
	}
	if got := b.as(sandbox.Token, http.MethodGet, labels, url.Values{"fields": {"name"}}); strings.Contains(got.text, "Winter") {
		t.Errorf("still on the edge: %s", got.text)
	}
}

func TestReadingByFields(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 5 {
		b.as(sandbox.Token, http.MethodPost, labels, url.Values{"name": {fmt.Sprintf("L%d", i)}})
	}
	for _, tc := range []struct {
		name, path, fields, at string
		want                   any
	}{
		{"an edge as a field", sandbox.AdAccount, "name,adlabels.limit(2){name}", "adlabels.data.1.name", "L3"},
		{"under another name", sandbox.AdAccount, "adlabels.limit(1).as(newest){name}", "newest.data.0.name", "L4"},
		{"an object behind a field", sandbox.AdAccount, "business{name,primary_page{category}}", "business.primary_page.category", "Retail company"},
		{"id and name of an object that is asked for as a whole", sandbox.AdAccount, "business", "business.name", "Sandbox business"},
		{"several objects", "?ids=" + sandbox.Page + "," + sandbox.Business + "&fields=name", "", sandbox.Business + ".name", "Sandbox business"},
		{"fields and edges of a node", sandbox.AdAccount + "?metadata=1", "", "metadata.type", "adaccount"},
		{"a total", labels + "?summary=true&limit=1", "", "summary.total_count", nil},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var params url.Values
			if tc.fields != "" {
				params = url.Values{"fields": {tc.fields}}
			}
			got := b.as(sandbox.Token, http.MethodGet, tc.path, params)
			v := got.at(tc.at)
			if tc.want == nil && number(v) < 5 || tc.want != nil && v != tc.want {
				t.Errorf("%s is %v: %s", tc.at, v, got.text)
			}
		})
	}
}

func TestPagesOfAList(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for i := range 7 {
		b.as(sandbox.Token, http.MethodPost, labels, url.Values{"name": {fmt.Sprintf("L%d", i)}})
	}
	var names []string
	query := "limit=3&fields=name&access_token=" + sandbox.Token
	for range 10 {
		a := b.as(sandbox.Token, http.MethodGet, labels+"?"+query, nil)
		for _, item := range a.at("data").([]any) {
			names = append(names, item.(map[string]any)["name"].(string))
		}
		next, _ := a.at("paging.next").(string)
		if next == "" {
			break
		}
		u, err := url.Parse(next)
		if err != nil || u.Path != "/v26.0/"+labels || u.Query().Get("access_token") != sandbox.Token {
			t.Fatalf("next is %s", next)
		}
		query = u.RawQuery
	}
	if len(names) < 7 || !slices.Equal(names[:7], []string{"L6", "L5", "L4", "L3", "L2", "L1", "L0"}) {
		t.Errorf("listed %q", names)
	}
	if a := b.as(sandbox.Token, http.MethodGet, labels, url.Values{"limit": {"1"}}); strings.Contains(a.text, "access_token") {
		t.Errorf("a token from the header came back: %s", a.text)
	}
}

func TestParametersAreChecked(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, method, path string
		params             url.Values
		message            string
	}{
		{"missing", "POST", labels, nil, "(#100) The parameter name is required"},
		{"empty", "POST", labels, url.Values{"name": {""}}, "(#100) Param name must not be empty"},
		{"not a time", "GET", labels, url.Values{"since": {"soon"}}, "(#100) Param since must be a valid timestamp"},
		{"not an integer", "POST", sandbox.App + "/uploads", url.Values{"file_type": {"image/png"}, "file_length": {"long"}}, "(#100) Param file_length must be an integer"},
		{"an unknown edge", "GET", sandbox.AdAccount + "/shoes", nil, "(#100) Tried accessing nonexisting field (shoes) on node type (AdAccount)"},
		{"an unknown edge, nested", "GET", sandbox.AdAccount, url.Values{"fields": {"shoes{id}"}}, "(#100) Tried accessing nonexisting field (shoes) on node type (AdAccount)"},
		{"no such operation", "POST", sandbox.AdAccount + "/shoes", nil, "Unsupported post request."},
		{"too many ids", "GET", "?ids=" + strings.Repeat("1,", 50) + "1", nil, "(#100) Param ids"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			a := b.as(sandbox.Token, tc.method, tc.path, tc.params)
			if a.failure().Code != 100 || !strings.HasPrefix(a.errorText("message"), tc.message) {
				t.Errorf("got %s", a.text)
			}
		})
	}
}

func TestUnknownParametersAreWarnedOf(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.as(sandbox.Token, http.MethodPost, labels, url.Values{"name": {"x"}, "colour": {"red"}})
	got := b.server.Requests()
	if len(got) != 1 || !slices.Equal(got[0].Warnings, []string{"POST AdAccount.adlabels does not know the parameter colour"}) {
		t.Errorf("remembered %+v", got)
	}
	if got[0].Path != "/"+labels || got[0].Params.Get("name") != "x" || got[0].Token != "SYSTEM_USER" {
		t.Errorf("remembered %+v", got[0])
	}
	b.server.ForgetRequests()
	if got := b.server.Requests(); len(got) != 0 {
		t.Errorf("after forgetting: %+v", got)
	}
}

func TestUploadInTwoParts(t *testing.T) {
	t.Parallel()
	b := setup(t)
	id, _ := b.as(sandbox.Token, http.MethodPost, sandbox.App+"/uploads", url.Values{"file_name": {"a.png"}, "file_length": {"6"}, "file_type": {"image/png"}}).at("id").(string)
	send := func(offset, body string) answer {
		req := request(t, http.MethodPost, "/v26.0/"+id, "application/octet-stream", body)
		req.Header.Set("Authorization", "OAuth "+sandbox.Token)
		req.Header["file_offset"] = []string{offset}
		return b.do(req)
	}
	if a := send("0", "abc"); a.status != http.StatusOK || a.at("h") != nil {
		t.Errorf("half of it: %s", a.text)
	}
	if a := send("0", "abc"); a.failure().Code != 100 {
		t.Errorf("the same half again: %s", a.text)
	}
	if a := b.as(sandbox.Token, http.MethodGet, id, nil); number(a.at("file_offset")) != 3 {
		t.Errorf("after a break: %s", a.text)
	}
	if h, _ := send("3", "def").at("h").(string); h == "" || b.server.World().Uploaded(h) == nil {
		t.Errorf("handle %q", h)
	}
}

func TestMarketingVersionsEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	if got := b.get("/v21.0/" + labels).failure(); got.Code != 2635 {
		t.Errorf("v21.0 on ads: %+v", got)
	}
	if a := b.get("/v21.0/" + sandbox.Page); a.status != http.StatusOK || a.header.Get("Facebook-Api-Version") != "v21.0" {
		t.Errorf("v21.0 on a Page: %s", a.text)
	}
}

func TestEveryAnswerNamesItsEvidence(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{sandbox.Page, "me", "999", labels, "debug_token?input_token=x", sandbox.Dataset + "/stats", "x/y/z/a"} {
		if tag := b.get("/v26.0/" + path).header.Get("X-Sluice-Evidence"); len(tag) != 1 || !strings.Contains("DSIKR", tag) {
			t.Errorf("%s: %q", path, tag)
		}
	}
}

func TestWhatIsPlannedHappens(t *testing.T) {
	t.Parallel()
	b := setup(t)
	w := b.server.World()
	page := w.Get(sandbox.Page)
	w.At(epoch.Add(time.Hour), func(w *world.World) { page.Attrs["about"] = "second" })
	w.At(epoch.Add(time.Minute), func(w *world.World) { page.Attrs["about"] = "first" })
	about := func() any { return b.get("/v26.0/" + sandbox.Page + "?fields=about").at("about") }
	before := about()
	b.inspect(http.MethodPost, "/clock", `{"advance_s":120}`)
	if got := about(); before == "first" || got != "first" {
		t.Errorf("after two minutes %v, before %v", got, before)
	}
	b.inspect(http.MethodPost, "/clock", `{"advance_s":7200}`)
	if got := about(); got != "second" {
		t.Errorf("after two hours %v", got)
	}
}
