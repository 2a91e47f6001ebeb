package sandbox_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/sandbox"
)

func TestStoredEventIsShown(t *testing.T) {
	t.Parallel()
	b := setup(t)
	e := visit("a", with("client_user_agent", hashed("agent")))
	reply := b.post(eventsPath, jsonText(map[string]any{"data": []event{e}, "test_event_code": "TEST12345"}))
	m := b.inspect(http.MethodGet, "/events?dataset="+sandbox.Dataset, "")
	shown := m["events"].([]any)[0].(map[string]any)
	delete(shown, "event")
	want := map[string]any{
		"id": "e1", "dataset": sandbox.Dataset, "received_at": "2026-11-21T12:00:00Z", "batch": reply.body["fbtrace_id"],
		"event_name": "Purchase", "event_id": "a", "event_time": float64(epoch.Unix() - 3600), "action_source": "website",
		"test": true, "test_event_code": "TEST12345", "kept": true, "match_grade": "good",
		"warnings": []any{"a user_data key that must not be hashed holds 64 hex digits"},
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Error(diff)
	}
	// test events are live: stored and counted like any other
	if got := [4]int{number(m["received"]), number(m["kept"]), number(m["duplicates"]), number(m["test_events"])}; got != [4]int{1, 1, 0, 1} {
		t.Errorf("totals %v", got)
	}
}

func TestEventsAreListedByFilterAndPage(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(visit("a"), visit("b"), visit("a"), visit("c", set("event_name", "Lead")))
	b.post("/"+sandbox.DatasetUnmerged+"/events", batchOf(visit("z")))
	for query, want := range map[string]string{
		"":                                   "a b a c z",
		"dataset=" + sandbox.Dataset:         "a b a c",
		"dataset=" + sandbox.DatasetUnmerged: "z",
		"dataset=999":                        "",
		"event_name=Lead":                    "c",
		"verdict=kept":                       "a b c z",
		"verdict=duplicate":                  "a",
		"limit=2":                            "a b",
		"limit=2&after=e2":                   "a c",
		"limit=2&after=e4":                   "z",
		"after=e9":                           "",
		"verdict=kept&limit=1&after=1":       "b",
		"dataset=" + sandbox.Dataset + "&limit=4": "a b a c",
	} {
		m := b.inspect(http.MethodGet, "/events?"+query, "")
		var ids []string
		for _, e := range m["events"].([]any) {
			ids = append(ids, e.(map[string]any)["event_id"].(string))
		}
		if got := strings.Join(ids, " "); got != want {
			t.Errorf("%s: %q, want %q", query, got, want)
		}
		if _, more := m["next_after"]; more != (query == "limit=2" || query == "limit=2&after=e2" || strings.HasPrefix(query, "verdict=kept&limit")) {
			t.Errorf("%s: next_after %v", query, m["next_after"])
		}
	}
}

func TestKeepKeys(t *testing.T) {
	t.Parallel()
	b := setup(t, func(o *sandbox.Options) { o.Keep = sandbox.KeepKeys })
	b.send(sale("a"), visit("b"), sale("a"))
	m := b.inspect(http.MethodGet, "/events?dataset="+sandbox.Dataset, "")
	if events, list := m["events"].([]any); !list || len(events) != 0 {
		t.Errorf("events %v, want an empty list", m["events"])
	}
	if got := b.totals(); got != [3]int{3, 2, 1} {
		t.Errorf("totals %v", got)
	}
	got := b.inspect(http.MethodPost, "/events/lookup", `{"dataset":"`+sandbox.Dataset+`","event_name":"Purchase","event_ids":["b","a","x"]}`)
	want := map[string]any{
		"ids": []any{
			map[string]any{"event_id": "b", "received": 1.0, "kept": 1.0},
			map[string]any{"event_id": "a", "received": 2.0, "kept": 1.0},
			map[string]any{"event_id": "x", "received": 0.0, "kept": 0.0},
		},
		"missing": 1.0, "kept_once": 2.0, "kept_more": 0.0,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRequestLogHoldsNoSecrets(t *testing.T) {
	t.Parallel()
	b := setup(t)
	secret := "a-token-nobody-knows"
	b.do(request(t, http.MethodPost, eventsPath+"?access_token="+secret+"&appsecret_proof="+secret+"&x=1&data%5B0%5D="+secret+"&data%5B%5D="+secret, "application/json", batchOf(sale("a"))))
	b.do(request(t, http.MethodGet, "/debug_token?input_token="+secret+"&access_token="+sandbox.Token, "", ""))
	b.send(sale("a"), sale("a"))
	m := b.inspect(http.MethodGet, "/requests", "")
	if text := fmt.Sprint(m); strings.Contains(text, secret) || strings.Contains(text, sandbox.Token) {
		t.Errorf("a token is in the log: %s", text)
	}
	list := m["requests"].([]any)
	first, last := list[0].(map[string]any), list[2].(map[string]any)
	if first["token_in"] != "query" || number(first["code"]) != 190 || first["error"] != "token_invalid" || first["query"] != "access_token=hidden&appsecret_proof=hidden&data%5B0%5D=hidden&data%5B%5D=hidden&x=1" {
		t.Errorf("first: %v", first)
	}
	if last["token_in"] != "header" || number(last["received"]) != 2 || number(last["kept"]) != 1 || number(last["duplicates"]) != 1 || number(last["status"]) != 200 {
		t.Errorf("last: %v", last)
	}
}

func TestRequestLogIsBounded(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for range 1005 {
		b.get("/me")
	}
	m := b.inspect(http.MethodGet, "/requests", "")
	list := m["requests"].([]any)
	if number(m["total"]) != 1005 || len(list) != 1000 || number(list[0].(map[string]any)["n"]) != 6 || number(list[999].(map[string]any)["n"]) != 1005 {
		t.Errorf("total %v, %d listed, from %v", m["total"], len(list), list[0])
	}
}

func TestReset(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.send(sale("a"))
	b.fault(`{"kind":"error"}`)
	b.inspect(http.MethodPost, "/tokens", `{"token":"extra"}`)
	b.inspect(http.MethodPost, "/clock", `{"advance_s":86400}`)
	b.post("/"+sandbox.Dataset, `{"name":"Changed"}`)
	b.inspect(http.MethodPost, "/reset", "")
	if got := b.totals(); got != [3]int{} {
		t.Errorf("events %v", got)
	}
	if a := b.send(sale("a")); a.status != http.StatusOK {
		t.Errorf("fault or dedup key left: %s", a.text)
	}
	if got := b.verdicts(); got[0] != "kept" {
		t.Errorf("verdict %s", got[0])
	}
	if got := b.get("/me?access_token=extra").failure(); got.Code != 190 {
		t.Errorf("token left: %+v", got)
	}
	if got := b.inspect(http.MethodGet, "/clock", "")["now"]; got != "2026-11-21T12:00:00Z" {
		t.Errorf("clock %v", got)
	}
	if got := b.get("/" + sandbox.Dataset + "?fields=name").body["name"]; got != "Sandbox dataset" {
		t.Errorf("name %v", got)
	}
}

func TestClock(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	real := epoch
	b := setup(t, func(o *sandbox.Options) {
		o.Now = func() time.Time {
			mu.Lock()
			defer mu.Unlock()
			return real
		}
	})
	now := func() string { return b.inspect(http.MethodGet, "/clock", "")["now"].(string) }
	tick := func() {
		mu.Lock()
		real = real.Add(time.Minute)
		mu.Unlock()
	}
	for _, step := range []struct{ move, want, afterTick string }{
		{`{"advance_s":3600}`, "2026-11-21T13:00:00Z", "2026-11-21T13:01:00Z"},
		{`{"now":"2027-01-01T00:00:00Z"}`, "2027-01-01T00:00:00Z", "2027-01-01T00:01:00Z"},
		{`{"now":1800000000,"frozen":true}`, "2027-01-15T08:00:00Z", "2027-01-15T08:00:00Z"},
		{`{"advance_s":-60}`, "2027-01-15T07:59:00Z", "2027-01-15T07:59:00Z"},
		{`{"frozen":false}`, "2027-01-15T07:59:00Z", "2027-01-15T08:00:00Z"},
	} {
		if got := b.inspect(http.MethodPost, "/clock", step.move)["now"]; got != step.want {
			t.Errorf("%s: %v, want %s", step.move, got, step.want)
		}
		tick()
		if got := now(); got != step.afterTick {
			t.Errorf("%s, a minute later: %s, want %s", step.move, got, step.afterTick)
		}
	}
	for _, bad := range []string{`{}`, `{"now":"soon"}`, `{"now":true}`, `{"now":1.5}`, `{"advance_s":"1"}`, `{"advance_s":9223372036854775807}`, `{"now":4102444800}`, `{"now":"1969-12-31T23:59:59Z"}`, `{"advance_s":2400000000}`, `{"Now":1}`, ``} {
		if a := b.do(request(t, http.MethodPost, "/_emulator/clock", "application/json", bad)); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d %s", bad, a.status, a.text)
		}
	}
}

func TestIndexDescribesItself(t *testing.T) {
	t.Parallel()
	b := setup(t)
	m := b.inspect(http.MethodGet, "/", "")
	if got := len(m["errors"].([]any)); got != len(sandbox.Errors()) {
		t.Errorf("%d errors listed of %d", got, len(sandbox.Errors()))
	}
	for _, row := range m["errors"].([]any) {
		if row.(map[string]any)["evidence"] == "" {
			t.Errorf("no evidence: %v", row)
		}
	}
	text := fmt.Sprint(m)
	for _, want := range []string{sandbox.Dataset, sandbox.DatasetUnmerged, sandbox.Catalog, sandbox.ThreadsAccount, sandbox.TokenExpired, "v26.0", "/{version}/{id}/events", "/events/lookup"} {
		if !strings.Contains(text, want) {
			t.Errorf("index lacks %s", want)
		}
	}
}

func TestInspectionRefusals(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, tc := range []struct {
		name, method, path, body string
		want                     int
	}{
		{"unknown path", "GET", "/shoes", "", 404},
		{"wrong method", "PUT", "/faults", "{}", 405},
		{"bad limit", "GET", "/events?limit=x", "", 400},
		{"bad after", "GET", "/events?after=x", "", 400},
		{"bad verdict", "GET", "/events?verdict=x", "", 400},
		{"lookup without dataset", "POST", "/events/lookup", `{"event_ids":["a"]}`, 400},
		{"lookup with unknown member", "POST", "/events/lookup", `{"dataset":"1","event_name":"a","ids":[]}`, 400},
		{"browser event without key", "POST", "/events/browser", `{"dataset":"1","event_name":"a"}`, 400},
		{"token without text", "POST", "/tokens", `{}`, 400},
		{"token with bad time", "POST", "/tokens", `{"token":"x","expires_at":"soon"}`, 400},
	} {
		a := b.do(request(t, tc.method, "/_emulator"+tc.path, "application/json", tc.body))
		if a.status != tc.want || a.errorText("message") == "" {
			t.Errorf("%s: %d %s", tc.name, a.status, a.text)
		}
	}
}

func TestBothSurfacesAreForLoopback(t *testing.T) {
	t.Parallel()
	h := sandbox.New(sandbox.Options{}).Handler()
	open := sandbox.New(sandbox.Options{Exposed: true}).Handler()
	for _, tc := range []struct {
		remote, host, origin string
		want                 int
	}{
		{"127.0.0.1:4711", "127.0.0.1:80", "", 200},
		{"[::1]:4711", "[::1]:80", "", 200},
		{"[::1]:4711", "[::1]", "", 200},
		{"127.0.0.1:4711", "localhost", "", 200},
		{"192.0.2.7:4711", "127.0.0.1:80", "", 403},
		{"127.0.0.1:4711", "rebound.example.com", "", 403},
		{"127.0.0.1:4711", "localhost", "https://page.example.com", 403},
		{"127.0.0.1:4711", "localhost", "null", 403},
		{"127.0.0.1:4711", "localhost", "http://localhost:8080", 200},
		{"127.0.0.1:4711", "localhost", "http://127.0.0.1:8080", 200},
	} {
		for _, path := range []string{"/_emulator/clock", "/" + sandbox.Dataset + "?access_token=" + sandbox.Token} {
			req := httptest.NewRequest(http.MethodGet, path, nil)
			req.RemoteAddr, req.Host = tc.remote, tc.host
			if tc.origin != "" {
				req.Header.Set("Origin", tc.origin)
			}
			rec := httptest.NewRecorder()
			h.ServeHTTP(rec, req)
			if rec.Code != tc.want {
				t.Errorf("%s from %s to %s, origin %q: %d", path, tc.remote, tc.host, tc.origin, rec.Code)
			}
			rec = httptest.NewRecorder()
			if open.ServeHTTP(rec, req); rec.Code != http.StatusOK {
				t.Errorf("exposed, %s from %s: %d", path, tc.remote, rec.Code)
			}
		}
	}
}

// In process, requests keep the host they were meant for.
func TestAnyHostInProcess(t *testing.T) {
	t.Parallel()
	b := setup(t)
	for _, path := range []string{"/" + sandbox.Dataset, "/_emulator/clock"} {
		req := request(t, http.MethodGet, path, "", "")
		req.URL.Host, req.Host = "graph.example.com", ""
		req.Header.Set("Authorization", "Bearer "+sandbox.Token)
		if a := b.do(req); a.status != http.StatusOK {
			t.Errorf("%s: %d %s", path, a.status, a.text)
		}
	}
}
