package approve_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"sluice/internal/approve"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/tenant"
)

// refusals blocks after two.
type refusals struct{ n int }

func (r *refusals) Blocked(string) time.Duration {
	if r.n < 2 {
		return 0
	}
	return 30 * time.Second
}
func (r *refusals) Refused(context.Context, string) { r.n++ }

func pages(d *desk, limit approve.Limiter) http.Handler {
	return d.Page(approve.PageOptions{
		Hosts: []string{"sluice.example.com"}, Limit: limit,
		Resolve: func(_ context.Context, token, via string) (tenant.Caller, error) {
			via = strings.TrimSpace(via)
			switch token {
			case "admin":
				return member("bob", tenant.Admin, func(c *tenant.Caller) { c.Via = via }), nil
			case "viewer":
				return member("eve", tenant.Viewer), nil
			case "foreign":
				return member("eve", tenant.Owner, foreign), nil
			}
			return tenant.Caller{}, fault.New(fault.AuthRequired, "the call carries no valid API token")
		},
	})
}

const site = "https://sluice.example.com"

func get(h http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, site+path, nil))
	return w
}

// post sends the form as a browser does; pairs of header names and values change it.
func post(h http.Handler, path string, form url.Values, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, site+path, strings.NewReader(form.Encode()))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", site)
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i < len(headers); i += 2 {
		if headers[i+1] == "" {
			r.Header.Del(headers[i])
		} else {
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func TestThePageTellsStrangersLittle(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{"to":"canary"}`)
	w := get(pages(d, nil), "/approvals/"+id)
	text := w.Body.String()
	for _, want := range []string{id, "send_offer", "pending", "10:15:00 UTC", "sluice approvals approve " + id} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing", want)
		}
	}
	for _, secret := range []string{"canary", "nightly", "Large offer", "amount", "srv_1", "ann"} {
		if strings.Contains(text, secret) {
			t.Errorf("%q is there", secret)
		}
	}
	sheet, _, _ := strings.Cut(text[strings.Index(text, "<style>")+7:], "</style>")
	sum := sha256.Sum256([]byte(sheet))
	csp := w.Header().Get("Content-Security-Policy")
	if !strings.Contains(csp, "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(sum[:])+"'") || strings.Contains(csp, "unsafe") ||
		w.Header().Get("Cache-Control") != "no-store" || len(w.Result().Cookies()) > 0 || strings.Contains(text, "<script") {
		t.Errorf("headers %v", w.Header())
	}
	for _, path := range []string{"/approvals/apr_none", "/approvals/ap_other", "/approvals/"} {
		if w := get(pages(d, nil), path); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestThePageShowsAndDecidesWithAToken(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{"to":"<script>alert(1)</script>","note":"a`+"\u202e"+`b"}`)
	h := pages(d, nil)
	w := post(h, "/approvals/"+id, url.Values{"token": {"admin"}, "do": {"show"}})
	text := w.Body.String()
	if w.Code != http.StatusOK || !strings.Contains(text, "&lt;script&gt;alert(1)") || strings.Contains(text, "<script>") ||
		strings.Contains(text, "\u202e") || !strings.Contains(text, `a\u202eb`) || strings.Contains(text, `value="admin"`) {
		t.Errorf("%d: %s", w.Code, text)
	}
	if w := post(h, "/approvals/"+id, url.Values{"token": {"admin"}, "do": {"deny"}}); w.Code != http.StatusBadRequest {
		t.Errorf("a denial without reason: %d", w.Code)
	}
	w = post(h, "/approvals/"+id, url.Values{"token": {"admin"}, "do": {"approve"}, "reason": {"known customer"}})
	a := approvalOf(t, d, id)
	if w.Code != http.StatusOK || a.State != enforce.Approved || a.Decider != "bob" || a.Via != "web" || a.Reason != "known customer" {
		t.Errorf("%d: %+v", w.Code, a)
	}
	if w := post(h, "/approvals/"+id, url.Values{"token": {"admin"}, "do": {"deny"}, "reason": {"no"}}); w.Code != http.StatusConflict {
		t.Errorf("a second decision: %d", w.Code)
	}
}

func TestThePageRefuses(t *testing.T) {
	t.Parallel()
	approval := url.Values{"token": {"admin"}, "do": {"approve"}}
	tests := []struct {
		name    string
		path    string
		form    url.Values
		headers []string
		want    int
	}{
		{name: "another site", form: approval, headers: []string{"Origin", "https://evil.example.com"}, want: 403},
		{name: "another site, as the browser says", form: approval, headers: []string{"Sec-Fetch-Site", "cross-site"}, want: 403},
		{name: "a neighbour", form: approval, headers: []string{"Sec-Fetch-Site", "same-site"}, want: 403},
		{name: "no origin", form: approval, headers: []string{"Origin", ""}, want: 403},
		{name: "a hidden origin", form: approval, headers: []string{"Origin", "null"}, want: 403},
		{name: "another kind of body", form: approval, headers: []string{"Content-Type", "text/plain"}, want: 400},
		{name: "a token in the URL", path: "?token=admin&do=approve", form: url.Values{}, want: 401},
		{name: "no token", form: url.Values{"do": {"approve"}}, want: 401},
		{name: "a viewer", form: url.Values{"token": {"viewer"}, "do": {"approve"}}, want: 403},
		{name: "another workspace", form: url.Values{"token": {"foreign"}, "do": {"approve"}}, want: 404},
		{name: "a huge form", form: url.Values{"token": {"admin"}, "do": {"approve"}, "reason": {strings.Repeat("x", 20<<10)}}, want: 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := open(t)
			id := d.park(t, `{"to":"canary"}`)
			w := post(pages(d, nil), "/approvals/"+id+tt.path, tt.form, tt.headers...)
			if w.Code != tt.want || strings.Contains(w.Body.String(), "canary") {
				t.Errorf("%d, want %d: %s", w.Code, tt.want, w.Body)
			}
			if a := approvalOf(t, d, id); a.State != enforce.Pending {
				t.Errorf("it is %s", a.State)
			}
		})
	}
}

func TestThePageIsNotServedUnderForeignNames(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	for host, want := range map[string]int{"sluice.example.com": 200, "127.0.0.1:8787": 200, "[::1]:8787": 200, "evil.example.com": 403} {
		r := httptest.NewRequest(http.MethodGet, "/approvals/"+id, nil)
		r.Host = host
		w := httptest.NewRecorder()
		if pages(d, nil).ServeHTTP(w, r); w.Code != want {
			t.Errorf("%s: %d, want %d", host, w.Code, want)
		}
	}
}

func TestThePageBehindAProxyThatKeepsNoHost(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	h := d.Page(approve.PageOptions{Public: site + "/tools", Resolve: func(context.Context, string, string) (tenant.Caller, error) {
		return member("bob", tenant.Admin), nil
	}})
	r := httptest.NewRequest(http.MethodPost, "/approvals/"+id, strings.NewReader("token=x&do=approve"))
	r.Host = "127.0.0.1:8787"
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Origin", site)
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code != http.StatusOK {
		t.Errorf("got %d: %s", w.Code, w.Body)
	}
}

func TestThePageSlowsDownWhoTriesTokens(t *testing.T) {
	t.Parallel()
	d := open(t)
	id := d.park(t, `{}`)
	h := pages(d, &refusals{})
	for range 2 {
		if w := post(h, "/approvals/"+id, url.Values{"token": {"guess"}, "do": {"approve"}}); w.Code != http.StatusUnauthorized {
			t.Errorf("got %d", w.Code)
		}
	}
	w := post(h, "/approvals/"+id, url.Values{"token": {"guess"}, "do": {"approve"}})
	if w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") != "31" {
		t.Errorf("got %d, Retry-After %s", w.Code, w.Header().Get("Retry-After"))
	}
	// Others at the same address, as all are behind a proxy, are not kept from deciding.
	if w := post(h, "/approvals/"+id, url.Values{"token": {"admin"}, "do": {"approve"}}); w.Code != http.StatusOK {
		t.Errorf("a valid token got %d: %s", w.Code, w.Body)
	}
}

func TestNothingHidesInWhatIsShown(t *testing.T) {
	t.Parallel()
	text, left := approve.Pretty([]byte(`{"a":"pay\u202e\u0000`+"\u00a0\u200b\ufe0f\U000e0041\u3164"+`ü 漢字 😀"}`), 1000)
	if want := "{\n  \"a\": \"pay\\u202e\\u0000\\u00a0\\u200b\\ufe0f\\udb40\\udc41\\u3164ü 漢字 😀\"\n}"; text != want || left != 0 {
		t.Errorf("got %s", text)
	}
	if text, left := approve.Pretty([]byte(`"`+strings.Repeat("ü", 100)+`"`), 50); len(text) > 50 || left != 152 {
		t.Errorf("got %d bytes, %d left", len(text), left)
	}
}
