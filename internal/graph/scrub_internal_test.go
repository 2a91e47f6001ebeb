package graph

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ in, want string }{
		"plain":               {`{"id":"1","n":12345678901234567890,"f":1.50,"t":true,"z":null,"l":[1,"a"]}`, `{"id":"1","n":12345678901234567890,"f":1.50,"t":true,"z":null,"l":[1,"a"]}`},
		"members":             {`{"access_token":"x","Page_Access_Token":"x","a":{"appsecret_proof":"x","client_secret":"x","input_token":{"y":1}},"access_token_status":"ok"}`, `{"a":{},"access_token_status":"ok"}`},
		"lists":               {`[{"access_token":"x"},{"id":"1"}]`, `[{},{"id":"1"}]`},
		"address":             {`{"u":"https://a.example.com/x?a=1&access_token=abc&b=2"}`, `{"u":"https://a.example.com/x?a=1&b=2"}`},
		"address, first":      {`{"u":"https://a.example.com/x?access_token=abc&b=2#f"}`, `{"u":"https://a.example.com/x?b=2#f"}`},
		"address, alone":      {`{"u":"see https://a.example.com/x?access_token=abc now"}`, `{"u":"see https://a.example.com/x now"}`},
		"address in markup":   {`{"u":"<iframe src=\"https://a.example.com/x?d=1&amp;access_token=abc\">"}`, `{"u":"<iframe src=\"https://a.example.com/x?d=1&amp;\">"}`},
		"address in another":  {`{"u":"https://a.example.com/?to=https%3A%2F%2Fb.example.com%3Faccess_token%3Dabc"}`, `{"u":"https://a.example.com/?to=https%3A%2F%2Fb.example.com%3F"}`},
		"escaped slashes":     {`{"u":"https:\/\/a.example.com\/?access_token=abc"}`, `{"u":"https://a.example.com/"}`},
		"a token by itself":   {`{"m":"EAA` + strings.Repeat("x", 50) + ` and THAA` + strings.Repeat("x", 50) + `"}`, `{"m":"[removed] and [removed]"}`},
		"words that look odd": {`{"m":"my access_token is secret, EAAsy"}`, `{"m":"my access_token is secret, EAAsy"}`},
		"paging":              {`{"data":[],"paging":{"cursors":{"before":"b","after":"a"},"next":"https://x?access_token=t&after=a","previous":"https://x?access_token=t"}}`, `{"data":[],"paging":{"cursors":{"before":"b","after":"a"},"next":true}}`},
		"last page":           {`{"paging":{"cursors":{"before":"b","after":"a"}}}`, `{"paging":{"cursors":{"before":"b","after":"a"}}}`},
		"paging by time":      {`{"paging":{"next":"https://x/1/feed?access_token=t&until=1700000000&__paging_token=x&limit=5"}}`, `{"paging":{"cursors":{"after":"q.X19wYWdpbmdfdG9rZW49eCZ1bnRpbD0xNzAwMDAwMDAw"},"next":true}}`},
		"paging by address":   {`{"paging":{"next":"https://x/1/feed?access_token=t&after=QVFI"}}`, `{"paging":{"cursors":{"after":"QVFI"},"next":true}}`},
		"inner paging":        {`{"comments":{"data":[],"paging":{"next":"https://x?after=a"}}}`, `{"comments":{"data":[],"paging":{"cursors":{"after":"a"},"next":true}}}`},
		"odd paging":          {`{"paging":{"cursors":7,"next":{"a":1}}}`, `{"paging":{"cursors":{}}}`},
		"somebody's paging":   {`{"paging":"a"}`, `{"paging":"a"}`},
		"snapshot":            {`{"ad_snapshot_url":"https://www.facebook.com/ads/archive/render_ad/?id=12&access_token=t"}`, `{"ad_snapshot_url":"https://www.facebook.com/ads/library/?id=12"}`},
		"snapshot without id": {`{"ad_snapshot_url":"https://www.facebook.com/?access_token=t","id":"1"}`, `{"id":"1"}`},
		"twice the same":      {`{"a":1,"a":2}`, `{"a":1,"a":2}`},
		"true":                {`true`, `true`},
		"markup stays":        {`{"m":"<b>a & b</b>"}`, `{"m":"<b>a & b</b>"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := scrub([]byte(tt.in), clean)
			if err != nil || string(got.body) != tt.want {
				t.Errorf("got  %s (%v)\nwant %s", got.body, err, tt.want)
			}
		})
	}
	for _, bad := range []string{``, `{`, `{"a":1}}`, `{} {}`, `<html>`, `{"a":}`, `nul`} {
		if got, err := scrub([]byte(bad), clean); err == nil {
			t.Errorf("%q was read as %s", bad, got.body)
		}
	}
}

func TestScrubAsItIsKeepsTokens(t *testing.T) {
	t.Parallel()
	const in = `{"access_token":"x","paging":{"next":"https://x?access_token=t"},"u":"https://x?access_token=t"}`
	got, err := scrub([]byte(in), asIs)
	if err != nil || string(got.body) != in {
		t.Errorf("got %s, %v", got.body, err)
	}
}

// FuzzScrub shows that whatever an answer looks like, what comes out is JSON, holds no
// secret, and doesn't change when it is scrubbed again.
func FuzzScrub(f *testing.F) {
	const secret = "EAAcanaryCANARY0123456789"
	for _, in := range []string{
		`{"a":"S"}`, `{"access_token":"S"}`, `{"u":"https://x/?access_token=S&b=1"}`, `[[{"paging":{"next":"https://x?access_token=S&after=S"}}]]`,
		`{"paging":{"cursors":{"after":"S"},"next":"S"}}`, `{"ad_snapshot_url":"https://x/?id=1&access_token=S"}`, `{"S":{"S":["S"]}}`, `"\u0045AAcanaryCANARY0123456789"`,
		`{"error":{"message":"S"}}`, `{"success":false}`, `{"a":"\ud800"}`, "{\"a\":\"\xff\"}", `{"paging":{"next":"https://x?until=S&offset=1"}}`,
	} {
		f.Add([]byte(strings.ReplaceAll(in, "S", secret)))
	}
	var s secrets
	s.add(secret)
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := scrub(in, clean)
		if err != nil || got.fault != nil {
			return
		}
		if quick, ok := quickScrub(in); ok {
			full, err := fullScrub(in, clean)
			if err != nil || !same(quick.body, full.body) || full.fault != nil || full.undone {
				t.Fatalf("%q: quickly %q, in full %q (%v)", in, quick.body, full.body, err)
			}
		}
		out := s.stripBytes(got.body)
		if !json.Valid(out) {
			t.Fatalf("%q became %q", in, out)
		}
		var v any
		if err := json.Unmarshal(out, &v); err != nil {
			t.Skip("a number that no Go type holds")
		}
		if text := flat(v); strings.Contains(text, secret) {
			t.Fatalf("%q became %q", in, out)
		}
		again, err := scrub(out, clean)
		if err != nil {
			t.Fatalf("%q can't be read again: %v", out, err)
		}
		if !bytes.Contains(out, []byte("paging")) && !bytes.Contains(out, []byte("snapshot")) && !bytes.Equal(again.body, out) && !bytes.Contains(out, []byte("oken")) {
			t.Fatalf("%q became %q", out, again.body)
		}
	})
}

// same reports whether two texts are the same JSON.
func same(a, b []byte) bool {
	x, y := jsontext.Value(bytes.Clone(a)), jsontext.Value(bytes.Clone(b))
	if x.Format(lax...) != nil || y.Format(lax...) != nil {
		return false
	}
	return bytes.Equal(x, y)
}

// TestQuickScrub names what the quick way leaves to the full one.
func TestQuickScrub(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		`{"data":[{"id":"1","name":"Blüte \u00e9 token"}],"paging":{"cursors":{"after":"a"},"next":"https://x?access_token=t"}}`: true,
		`{"url":"https:\/\/x\/?access_token=t&a=1"}`: true,
		`{"token_type":"bearer"}`:                    true,
		`{"access_token":"t"}`:                       false,
		`{"error":{"code":1}}`:                       false,
		`{"a":{"error":"x"}}`:                        true,
		`{"acc\u0065ss_token":"t"}`:                  false,
		`{"ad_snapshot_url":"https://x"}`:            false,
		`{"a":1`:                                     false,
		"{\"a\":\"\xff\"}":                           false,
	} {
		got, ok := quickScrub([]byte(in))
		if ok != want {
			t.Errorf("%s: %v", in, ok)
		}
		if full, err := fullScrub([]byte(in), clean); ok && (err != nil || !same(got.body, full.body)) {
			t.Errorf("%s: quickly %s, in full %s (%v)", in, got.body, full.body, err)
		}
	}
}

// flat is all texts of a JSON value, one after another.
func flat(v any) string {
	var b strings.Builder
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case string:
			b.WriteString(v + "\n")
		case []any:
			for _, e := range v {
				walk(e)
			}
		case map[string]any:
			for name, e := range v {
				b.WriteString(name + "\n")
				walk(e)
			}
		}
	}
	walk(v)
	return b.String()
}

func BenchmarkScrub(b *testing.B) {
	page := []byte(`{"data":[` + strings.Repeat(`{"id":"4000000000000001_4100000000000001","message":"Our spring collection is here: https:\/\/shop.example.com\/?a=1","created_time":"2026-11-20T10:00:00+0000","likes":{"summary":{"total_count":12}}},`, 99) + `{"id":"1"}],"paging":{"cursors":{"after":"a"},"next":"https://x?access_token=t"}}`)
	b.SetBytes(int64(len(page)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := scrub(page, clean); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzRefusal shows that whatever an error member looks like, the fault says nothing
// that is secret.
func FuzzRefusal(f *testing.F) {
	const secret = "EAAcanaryCANARY0123456789"
	for _, in := range []string{
		`{"message":"S","code":100,"error_user_title":"S","error_user_msg":"S","fbtrace_id":"S","error_data":{"blame_field_specs":[["S"]]}}`,
		`{"message":"(#100) Param S must be","code":100}`, `{"message":"Requires S_pages_manage_posts","code":200}`, `{"code":"S"}`, `{}`, `[]`, `{"error_data":"S"}`,
		`{"message":"someone@example.com https://x/?access_token=S","code":1,"is_transient":true}`, `{"code":4}`, `{"code":80004,"error_subcode":2446079}`,
	} {
		f.Add([]byte(strings.ReplaceAll(in, "S", secret)), 400, true)
	}
	a := &API{}
	a.secrets.add(secret)
	f.Fuzz(func(t *testing.T, raw []byte, status int, write bool) {
		r := &Request{Method: "GET", Path: []string{"1", "feed"}, Scopes: []string{"pages_show_list"}}
		if write {
			r.Method = "POST"
		}
		got := a.refused(r, status, raw, 0)
		if got.err == nil || got.class == "" || got.err.Details["class"] != string(got.class) {
			t.Fatalf("%s became %+v", raw, got)
		}
		text := flat(map[string]any(got.err.Details)) + got.err.Message + got.err.Fix
		if strings.Contains(text, secret) || mail.MatchString(got.err.Message) {
			t.Fatalf("%s became %s", raw, text)
		}
	})
}
