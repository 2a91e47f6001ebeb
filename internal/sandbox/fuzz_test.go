package sandbox_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// FuzzRequest sends anything to either surface: the reply is always JSON with a
// sensible status, an error always has the envelope, and what is refused stores nothing.
func FuzzRequest(f *testing.F) {
	one := jsonText(sale("a"))
	seeds := []struct{ method, target, contentType, body string }{
		{"POST", eventsPath, "application/json", `{"data":[` + one + `]}`},
		{"POST", eventsPath, "application/json", jsonText(map[string]any{"data": []string{one}, "upload_tag": "t", "partner_agent": "a_1_0"})},
		{"POST", eventsPath, "application/x-www-form-urlencoded", url.Values{"data": {"[" + one + "]"}}.Encode()},
		{"POST", eventsPath, "application/x-www-form-urlencoded", url.Values{"data[0]": {one}}.Encode()},
		{"POST", eventsPath, "multipart/form-data; boundary=b", "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n[]\r\n--b--\r\n"},
		{"GET", "/" + sandbox.Dataset + "?fields=id,owner_business{name,primary_page.limit(1){id}}", "", ""},
		{"GET", "/" + sandbox.Business + "/owned_pixels?limit=1&after=x", "", ""},
		{"GET", "/v26.0/" + sandbox.Dataset + "/stats?aggregation=host&start_time=0", "", ""},
		{"GET", "/dataset_quality?dataset_id=" + sandbox.Dataset + "&fields=web{event_name}", "", ""},
		{"POST", "/_emulator/faults", "application/json", `{"kind":"throttle","next":3,"code":17}`},
		{"POST", "/_emulator/clock", "application/json", `{"advance_s":60,"now":"2026-11-21T12:00:00Z"}`},
		{"POST", "/_emulator/events/lookup", "application/json", `{"dataset":"1","event_name":"a","event_ids":["b"]}`},
		{"GET", "/_emulator/events?limit=1&after=e0", "", ""},
	}
	for _, s := range seeds {
		f.Add(s.method, s.target, s.contentType, s.body)
	}
	f.Fuzz(func(t *testing.T, method, target, contentType, body string) {
		u, err := url.ParseRequestURI(target)
		if err != nil || u.Host != "" || !strings.HasPrefix(u.Path, "/") || strings.Contains(body, "latency_ms") {
			t.Skip("no request a server would see, or one that waits")
		}
		s := sandbox.New(sandbox.Options{Now: func() time.Time { return epoch }})
		req := httptest.NewRequest("GET", "/", strings.NewReader(body))
		req.Method, req.URL, req.RemoteAddr = method, u, ""
		req.Header = http.Header{"Content-Type": {contentType}, "Authorization": {"Bearer " + sandbox.Token}}
		rec := httptest.NewRecorder()
		s.Handler().ServeHTTP(rec, req)
		var reply map[string]any
		if err := json.Unmarshal(rec.Body.Bytes(), &reply); err != nil {
			t.Fatalf("%s %s: status %d, not JSON: %v", method, target, rec.Code, err)
		}
		_, refused := reply["error"].(map[string]any)
		if refused != (rec.Code >= 400) {
			t.Errorf("%s %s: status %d with %s", method, target, rec.Code, rec.Body)
		}
		if refused && s.Counts("") != (sandbox.Counts{}) {
			t.Errorf("%s %s: refused and stored", method, target)
		}
	})
}
