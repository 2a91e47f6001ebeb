package graph_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

type entry struct {
	Method string `json:"method"`
	URL    string `json:"relative_url"`
	Token  string `json:"access_token"`
}

// batches answers batches with what each entry gets; "" is null, for an entry that was
// not reached.
func batches(t *testing.T, answer func(round int, e entry) string) func(http.ResponseWriter, seen) {
	round := 0
	return func(w http.ResponseWriter, r seen) {
		if r.query.Get("fields") == "access_token" {
			_, _ = io.WriteString(w, `{"access_token":"`+pageToken+`"}`)
			return
		}
		if r.form.Get("batch") == "" {
			_, _ = io.WriteString(w, `{"id":"alone"}`)
			return
		}
		var entries []entry
		if err := json.Unmarshal([]byte(r.form.Get("batch")), &entries); err != nil {
			t.Error(err)
		}
		var list []any
		for _, e := range entries {
			got := answer(round, e)
			if got == "" {
				list = append(list, nil)
				continue
			}
			code := 200
			if strings.Contains(got, `"error"`) {
				code = 400
			}
			list = append(list, map[string]any{"code": code, "body": got})
		}
		round++
		_ = json.NewEncoder(w).Encode(list)
	}
}

func TestBatch(t *testing.T) {
	t.Parallel()
	d := api(t, batches(t, func(round int, e entry) string {
		path, _, _ := strings.Cut(e.URL, "?")
		switch path {
		case "v26.0/2":
			return `{"error":{"code":100,"error_subcode":33}}`
		case "v26.0/3":
			if round == 0 {
				return ""
			}
		case "v26.0/4":
			return ""
		case "v26.0/5":
			return "<html>"
		}
		return `{"id":"` + path + `","access_token":"x","u":"https:\/\/x\/?access_token=` + userToken + `"}`
	}))
	reads := []graph.Request{get("1"), get("2"), get("3"), get("4"), get("5"), asPage(get("6", "feed")), get("7/..")}
	reads[0].Query = url.Values{"fields": {"id,name"}}
	got, err := d.Batch(t.Context(), reads)
	if err != nil {
		t.Fatal(err)
	}
	want := []struct {
		body string
		code fault.Code
	}{
		{`{"id":"v26.0/1","u":"https://x/"}`, ""}, {"", fault.ObjectNotFound}, {`{"id":"v26.0/3","u":"https://x/"}`, ""},
		{"", fault.MetaUnavailable}, {"", fault.MetaRefused}, {`{"id":"v26.0/6/feed","u":"https://x/"}`, ""}, {"", fault.ArgumentInvalid},
	}
	for i, w := range want {
		if w.code != "" {
			refuses(t, got[i].Err, w.code)
			continue
		}
		if got[i].Err != nil {
			t.Fatal(got[i].Err)
		}
		equalJSON(t, got[i].Response.Body, w.body)
	}
	var first []entry
	calls := d.calls()
	if len(calls) != 3 || calls[1].URL.Path != "/v26.0/" || calls[1].form.Get("include_headers") != "false" { // a look-up and two batches
		t.Fatalf("calls %v", d.lines())
	}
	if err := json.Unmarshal([]byte(calls[1].form.Get("batch")), &first); err != nil || len(first) != 6 {
		t.Fatalf("%v, %d entries", err, len(first))
	}
	for _, e := range first {
		if strings.Contains(e.URL, "oken") || !strings.Contains(e.URL, "appsecret_proof=") {
			t.Errorf("entry %s", e.URL)
		}
	}
	if !strings.HasPrefix(first[0].URL, "v26.0/1?") || first[0].Token != "" || first[5].Token != pageToken {
		t.Errorf("entries %+v", first)
	}
}

func TestBatchRenewsAPageToken(t *testing.T) {
	t.Parallel()
	d := api(t, batches(t, func(int, entry) string { return `{"error":{"code":190}}` }))
	got, err := d.Batch(t.Context(), []graph.Request{asPage(get("4000000000000001", "feed"))})
	if err != nil || got[0].Err != nil {
		t.Fatal(err, got[0].Err)
	}
	equalJSON(t, got[0].Response.Body, `{"id":"alone"}`)
}

func TestBatchesThatAreRefused(t *testing.T) {
	t.Parallel()
	threads := get("me")
	threads.Host = graph.ThreadsHost
	tests := map[string][]graph.Request{
		"empty": nil, "too many": make([]graph.Request, 51), "a write": {post("1")}, "Threads": {threads},
	}
	for name, reads := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`200 []`))
			_, err := d.Batch(t.Context(), reads)
			refuses(t, err, fault.ArgumentInvalid)
			if len(d.calls()) != 0 {
				t.Error("it was sent")
			}
		})
	}
	d := api(t, answers(`200 []`))
	got, err := d.Batch(t.Context(), []graph.Request{get("debug_token"), {Method: "GET", Path: []string{"1"}, Query: url.Values{"q": {userToken}}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range got {
		refuses(t, a.Err, fault.ArgumentInvalid)
	}
	if len(d.calls()) != 0 {
		t.Error("an empty batch was sent")
	}
}
