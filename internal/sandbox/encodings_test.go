package sandbox_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/sandbox"
)

func gzipped(t *testing.T, text string) string {
	t.Helper()
	var buf bytes.Buffer
	z := gzip.NewWriter(&buf)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return buf.String()
}

func multipartOf(t *testing.T, fields [][2]string) (contentType, body string) {
	t.Helper()
	var buf bytes.Buffer
	w := multipart.NewWriter(&buf)
	for _, f := range fields {
		if err := w.WriteField(f[0], f[1]); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return w.FormDataContentType(), buf.String()
}

// TestEncodings sends the same two events in every form Meta takes them in.
func TestEncodings(t *testing.T) {
	t.Parallel()
	one, two := jsonText(sale("one")), jsonText(visit("two"))
	list := "[" + one + "," + two + "]"
	object := `{"data":` + list + `,"access_token":"` + sandbox.Token + `"}`
	form := func(pairs ...string) string {
		v := url.Values{"access_token": {sandbox.Token}}
		for i := 0; i < len(pairs); i += 2 {
			v.Add(pairs[i], pairs[i+1])
		}
		return v.Encode()
	}
	const urlencoded = "application/x-www-form-urlencoded"
	multiType, multiBody := multipartOf(t, [][2]string{{"access_token", sandbox.Token}, {"data", list}})
	multiType2, multiBody2 := multipartOf(t, [][2]string{{"data[]", one}, {"data[]", two}, {"access_token", sandbox.Token}})
	for _, tc := range []struct {
		name, contentType, encoding, body, query string
	}{
		{"JSON", "application/json", "", object, ""},
		{"JSON with charset", "application/json; charset=utf-8", "", object, ""},
		{"JSON, spaced", "application/json", "", strings.ReplaceAll(object, ",", " ,\r\n\t"), ""},
		{"JSON, events as text", "application/json", "", jsonText(map[string]any{"data": []string{one, two}, "access_token": sandbox.Token}), ""},
		{"JSON, data as text", "application/json", "", jsonText(map[string]any{"data": list, "access_token": sandbox.Token}), ""},
		{"JSON, null for what is not set", "application/json", "", strings.TrimSuffix(object, "}") + `,"test_event_code":null,"partner_agent":null}`, ""},
		{"JSON without content type", "", "", object, ""},
		{"JSON, gzip", "application/json", "gzip", gzipped(t, object), ""},
		{"form", urlencoded, "", form("data", list), ""},
		{"form, gzip", urlencoded, "gzip", gzipped(t, form("data", list)), ""},
		{"form, data[]", urlencoded, "", form("data[]", one, "data[]", two), ""},
		{"form, data[n]", urlencoded, "", form("data[10]", two, "data[9]", one), ""},
		{"multipart, data", multiType, "", multiBody, ""},
		{"multipart, data[]", multiType2, "", multiBody2, ""},
		{"query", "", "", "", "?" + form("data", list)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			req := request(t, http.MethodPost, eventsPath+tc.query, tc.contentType, tc.body)
			if tc.encoding != "" {
				req.Header.Set("Content-Encoding", tc.encoding)
			}
			a := b.do(req)
			if a.status != http.StatusOK || number(a.body["events_received"]) != 2 {
				t.Fatalf("status %d: %s", a.status, a.text)
			}
			events := b.inspect(http.MethodGet, "/events", "")["events"].([]any)
			for i, id := range []string{"one", "two"} {
				e := events[i].(map[string]any)
				raw := e["event"].(map[string]any)
				if e["event_id"] != id || raw["event_id"] != id || raw["event_name"] != "Purchase" {
					t.Errorf("event %d stored as %v", i, e)
				}
			}
		})
	}
}

func TestUnreadableBodies(t *testing.T) {
	t.Parallel()
	big := `{"data":[]}` + strings.Repeat(" ", 17<<20)
	for _, tc := range []struct {
		name, contentType, encoding, body string
		want                              failure
	}{
		{"unknown type", "text/plain", "", "x", failure{400, 100, 9990016}},
		{"broken type", "application/json; =", "", "{}", failure{400, 100, 9990016}},
		{"unknown packing", "application/json", "br", "x", failure{400, 100, 9990016}},
		{"not gzip", "application/json", "gzip", "{}", failure{400, 100, 9990016}},
		{"gzip cut off", "application/json", "gzip", gzipped(t, `{"data":[]}`)[:20], failure{400, 100, 9990016}},
		{"form with bad escape", "application/x-www-form-urlencoded", "", "data=%zz", failure{400, 100, 9990016}},
		{"multipart without boundary", "multipart/form-data", "", "x", failure{400, 100, 9990016}},
		{"multipart cut off", "multipart/form-data; boundary=b", "", "--b\r\nContent-Disposition: form-data; name=\"data\"\r\n\r\n[{", failure{400, 100, 9990016}},
		{"a list", "application/json", "", "[]", failure{400, 100, 9990016}},
		{"too large", "application/json", "", big, failure{413, 100, 9990015}},
		{"too large unpacked", "application/json", "gzip", gzipped(t, big), failure{413, 100, 9990015}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			req := b.authorized(eventsPath, tc.body)
			req.Header.Set("Content-Type", tc.contentType)
			if tc.encoding != "" {
				req.Header.Set("Content-Encoding", tc.encoding)
			}
			if a := b.do(req); a.failure() != tc.want {
				t.Errorf("got %+v: %s", a.failure(), a.text)
			}
		})
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name, prefix, advance, served string
	}{
		{"newest", "/v26.0", "0", "v26.0"},
		{"older, live", "/v22.0", "0", "v22.0"},
		{"none: the oldest live one", "", "0", "v21.0"},
		{"expired: the next live one", "/v20.0", "0", "v21.0"},
		{"long gone", "/v3.3", "0", "v21.0"},
		{"last day", "/v21.0", fmt.Sprint(61 * day), "v21.0"},
		{"day after", "/v21.0", fmt.Sprint(62 * day), "v22.0"},
		{"never existed", "/v99.0", "0", ""},
		{"never existed, old", "/v3.4", "0", ""},
		{"odd spelling", "/v026.0", "0", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			b := setup(t)
			b.inspect(http.MethodPost, "/clock", `{"advance_s":`+tc.advance+`}`)
			a := b.get(tc.prefix + "/me")
			if got := a.header.Get("Facebook-Api-Version"); got != tc.served {
				t.Errorf("served by %q, want %q", got, tc.served)
			}
			if tc.served == "" && (a.failure() != failure{400, 2500, 0}) {
				t.Errorf("got %s", a.text)
			}
			for _, h := range []string{"X-Fb-Trace-Id", "X-Fb-Request-Id"} {
				if a.header.Get(h) == "" {
					t.Errorf("no %s", h)
				}
			}
		})
	}
}

// Names that spell the same number, and numbers far apart, keep one order.
func TestIndexedEventsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	const far = "9000000000000000000"
	form := url.Values{
		"access_token": {sandbox.Token}, "data[]": {jsonText(visit("first"))}, "data[-" + far + "]": {jsonText(visit("low"))},
		"data[1]": {jsonText(visit("b"))}, "data[01]": {jsonText(visit("a"))}, "data[" + far + "]": {jsonText(visit("high"))},
	}.Encode()
	for range 8 {
		b := setup(t)
		if a := b.do(request(t, http.MethodPost, eventsPath, "application/x-www-form-urlencoded", form)); a.status != http.StatusOK {
			t.Fatal(a.text)
		}
		var ids []string
		for _, e := range b.inspect(http.MethodGet, "/events", "")["events"].([]any) {
			ids = append(ids, e.(map[string]any)["event_id"].(string))
		}
		if got, want := strings.Join(ids, " "), "first low a b high"; got != want {
			t.Fatalf("order %q, want %q", got, want)
		}
	}
}
