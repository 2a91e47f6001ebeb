package graph_test

import (
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

// recorder answers in process, and fails on any address that it wasn't asked for.
type recorder func(*http.Request) (*http.Response, error)

func (f recorder) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func inProcess(t testing.TB, trip recorder) *graph.API {
	t.Helper()
	a, err := graph.NewAPI(graph.APIOptions{Tokens: graph.Tokens{User: graph.StaticToken(userToken)}, Transport: trip, Sleep: newClock().Sleep})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func ok(body string) *http.Response {
	return &http.Response{StatusCode: 200, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

// FuzzPath shows that an id can only ever be one segment of the path it stands in.
func FuzzPath(f *testing.F) {
	for _, id := range []string{
		"1", "act_1", "t_1", "m_mid.$cAA=", "..", ".", "...", "", "1/2", "1?fields=access_token", "1#x", "1%2f2", "%2e%2e", "a b", "é", "\x00",
		"1\r\nX: y", "//evil.example.com", "@evil", "1;2", "upload:a=", "a|b", strings.Repeat("a", 257), `1\2`, "{result=x:$.id}", "1&x=1", "1,2",
	} {
		f.Add(id)
	}
	f.Fuzz(func(t *testing.T, id string) {
		sent := ""
		a := inProcess(t, func(r *http.Request) (*http.Response, error) {
			sent = r.URL.String()
			return ok(`{"id":"1"}`), nil
		})
		_, err := a.Do(t.Context(), graph.Request{Method: "GET", Path: []string{id, "feed"}})
		if err != nil {
			if fault.CodeOf(err) != fault.ArgumentInvalid || sent != "" {
				t.Fatalf("%q: %v, sent %q", id, err, sent)
			}
			return
		}
		u, err := url.Parse(sent)
		if err != nil || u.Host != "graph.facebook.com" || u.Path != "/v26.0/"+id+"/feed" || u.RawQuery != "" || u.Fragment != "" || strings.Trim(id, ".") == "" {
			t.Fatalf("%q became %s", id, sent)
		}
		if strings.ContainsAny(id, "/?#%& \\\r\n\x00") {
			t.Fatalf("%q was let through", id)
		}
	})
}

func TestBadIdsNeverReachTheWire(t *testing.T) {
	t.Parallel()
	for _, id := range []string{"", ".", "..", "...", "1/2", "1/../me", "1?fields=access_token", "1#", "1%2F2", "a b", "é", "1\n", "1,2", strings.Repeat("1", 257)} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`200 {}`))
			for _, r := range []graph.Request{get(id), get("1", id), post(id, "feed"), {Method: "DELETE", Path: []string{id}}, asPage(get("1", id))} {
				_, err := d.Do(t.Context(), r)
				refuses(t, err, fault.ArgumentInvalid)
			}
			page := get("1")
			page.Token = graph.TokenRef{Kind: "page", Page: id}
			_, err := d.Do(t.Context(), page)
			refuses(t, err, fault.ArgumentInvalid)
			if got := d.lines(); len(got) != 0 {
				t.Errorf("calls were made: %v", got)
			}
		})
	}
}

func TestHostsAreMetasOrLocal(t *testing.T) {
	t.Parallel()
	tests := map[string]bool{
		"https://graph.facebook.com": true, "https://graph.facebook.com/": true, "http://127.0.0.1:8080": true, "https://localhost": true, "http://[::1]:1": true,
		"http://graph.facebook.com": false, "https://graph.facebook.com.example.com": false, "https://evilfacebook.com": false, "https://example.com": false,
		"https://a:b@graph.facebook.com": false, "https://graph.facebook.com?x=1": false, "ftp://127.0.0.1": false, "graph.facebook.com": false,
	}
	for base, good := range tests {
		t.Run(base, func(t *testing.T) {
			t.Parallel()
			_, err := graph.NewAPI(graph.APIOptions{Bases: map[graph.Host]string{graph.GraphHost: base}})
			if good && err != nil {
				t.Fatal(err)
			}
			if !good {
				refuses(t, err, fault.Usage)
			}
		})
	}
	for _, version := range []string{"26.0", "v26", "v26.0/x", "vx.0"} {
		if _, err := graph.NewAPI(graph.APIOptions{Version: version}); err == nil {
			t.Errorf("version %q was taken", version)
		}
	}
}

func TestRedirectsAreNotFollowed(t *testing.T) {
	t.Parallel()
	elsewhere := api(t, answers(`200 {"id":"1"}`))
	d := api(t, func(w http.ResponseWriter, _ seen) {
		w.Header().Set("Location", elsewhere.base+"/v26.0/1")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	for _, r := range []graph.Request{get("1"), post("1")} {
		_, err := d.Do(t.Context(), r)
		refuses(t, err, fault.MetaRefused)
	}
	if got := elsewhere.lines(); len(got) != 0 {
		t.Errorf("the redirect was followed: %v", got)
	}
}
