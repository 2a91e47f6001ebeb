package graph_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

const token = "EAAB-secret-token"

func client(t *testing.T, handler http.HandlerFunc) *graph.Client {
	t.Helper()
	srv := httptest.NewServer(handler)
	t.Cleanup(srv.Close)
	c, err := graph.New(graph.Options{Base: srv.URL, Token: token, AppSecret: "app"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestRequestCarriesTheTokenInTheHeaderOnly(t *testing.T) {
	t.Parallel()
	c := client(t, func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Authorization"); got != "Bearer "+token {
			t.Errorf("Authorization %q", got)
		}
		if strings.Contains(r.URL.String(), token) {
			t.Errorf("the token is in the URL")
		}
		if r.URL.Path != "/v26.0/1000000000000001/events" || r.URL.Query().Get("appsecret_proof") == "" {
			t.Errorf("unexpected URL %s", r.URL.Path)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || string(body) != `{"data":[]}` {
			t.Errorf("body %q: %v", body, err)
		}
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		_, _ = io.WriteString(w, `{"events_received":2,"messages":[],"fbtrace_id":"Atrace"}`)
	})
	got, err := c.SendEvents(t.Context(), "1000000000000001", []byte(`{"data":[]}`))
	if err != nil || got.EventsReceived != 2 || got.TraceID != "Atrace" {
		t.Fatalf("%+v, %v", got, err)
	}
}

func TestFailuresAreClassified(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		kind   string
		body   string
		header http.Header
		class  graph.Class
		index  int
		after  time.Duration
	}{
		"expired token":         {401, "json", `{"error":{"code":190,"error_subcode":463,"fbtrace_id":"A"}}`, nil, graph.Auth, -1, 0},
		"expired token as 400":  {400, "json", `{"error":{"code":190}}`, nil, graph.Auth, -1, 0},
		"session":               {401, "json", `{"error":{"code":102}}`, nil, graph.Auth, -1, 0},
		"unknown dataset":       {400, "json", `{"error":{"code":100,"error_subcode":33,"type":"GraphMethodException"}}`, nil, graph.Config, -1, 0},
		"missing proof":         {400, "json", `{"error":{"code":100,"type":"GraphMethodException"}}`, nil, graph.Config, -1, 0},
		"permission":            {403, "json", `{"error":{"code":200}}`, nil, graph.Config, -1, 0},
		"app permission":        {403, "json", `{"error":{"code":10}}`, nil, graph.Config, -1, 0},
		"policy block":          {400, "json", `{"error":{"code":368}}`, nil, graph.Blocked, -1, 0},
		"bad event":             {400, "json", `{"error":{"code":100,"error_subcode":2804010}}`, nil, graph.Content, -1, 0},
		"bad event, named":      {400, "json", `{"error":{"code":100,"error_subcode":2804019,"error_user_msg":"Unexpected key \"x\" on param \"$['data'][17]\"."}}`, nil, graph.Content, 17, 0},
		"rate limit":            {400, "json", `{"error":{"code":80004}}`, http.Header{"X-Business-Use-Case-Usage": {`{"1":[{"call_count":100,"estimated_time_to_regain_access":3}]}`}}, graph.Throttle, -1, 3 * time.Minute},
		"rate limit over 4xx":   {400, "json", `{"error":{"code":4,"is_transient":true}}`, nil, graph.Throttle, -1, 0},
		"429 with retry-after":  {429, "html", `slow down`, http.Header{"Retry-After": {"7"}}, graph.Throttle, -1, 7 * time.Second},
		"transient":             {400, "json", `{"error":{"code":2}}`, nil, graph.Transient, -1, 0},
		"declared transient":    {400, "json", `{"error":{"code":100,"is_transient":true}}`, nil, graph.Transient, -1, 0},
		"transient with 5xx":    {500, "json", `{"error":{"code":1}}`, nil, graph.Ambiguous, -1, 0},
		"html 502":              {502, "html", `<html>bad gateway</html>`, nil, graph.Ambiguous, -1, 0},
		"error in a 200":        {200, "json", `{"error":{"code":100,"error_subcode":2804010}}`, nil, graph.Ambiguous, -1, 0},
		"json 429 with header":  {429, "json", `{"error":{"code":4}}`, http.Header{"Retry-After": {"900"}}, graph.Throttle, -1, 15 * time.Minute},
		"html 200":              {200, "html", `<html>hello</html>`, nil, graph.Ambiguous, -1, 0},
		"html 404":              {404, "html", `<html>nothing</html>`, nil, graph.Content, -1, 0},
		"html 403":              {403, "html", `<html>no</html>`, nil, graph.Config, -1, 0},
		"cut json":              {200, "json", `{"events_received":`, nil, graph.Ambiguous, -1, 0},
		"redirect to elsewhere": {302, "html", ``, http.Header{"Location": {"http://127.0.0.1:1/"}}, graph.Ambiguous, -1, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := client(t, func(w http.ResponseWriter, _ *http.Request) {
				for k, v := range tt.header {
					w.Header()[k] = v
				}
				w.Header().Set("Content-Type", map[string]string{"json": "application/json", "html": "text/html"}[tt.kind])
				w.WriteHeader(tt.status)
				_, _ = io.WriteString(w, tt.body)
			})
			_, err := c.SendEvents(t.Context(), "1", []byte(`{}`))
			var e *graph.Error
			if !errors.As(err, &e) {
				t.Fatalf("got %v, want a graph error", err)
			}
			if e.Class != tt.class || e.Index != tt.index || e.RetryAfter != tt.after {
				t.Errorf("class %s index %d after %v, want %s %d %v", e.Class, e.Index, e.RetryAfter, tt.class, tt.index, tt.after)
			}
		})
	}
}

func TestTransportFailuresSayWhetherBytesLeft(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed := "http://" + l.Addr().String()
	_ = l.Close()
	c, err := graph.New(graph.Options{Base: closed, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	check := func(name string, err error, want graph.Class) {
		t.Helper()
		var e *graph.Error
		if !errors.As(err, &e) || e.Class != want {
			t.Errorf("%s: got %v, want class %s", name, err, want)
		}
		if err != nil && strings.Contains(err.Error(), token) {
			t.Errorf("%s: the error holds the token", name)
		}
	}
	_, err = c.SendEvents(t.Context(), "1", []byte(`{}`))
	check("nobody listens", err, graph.NotSent)

	hangUp := client(t, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		if err == nil {
			_ = conn.Close()
		}
	})
	_, err = hangUp.SendEvents(t.Context(), "1", []byte(`{}`))
	check("connection dropped", err, graph.Ambiguous)

	started, release := make(chan struct{}), make(chan struct{})
	slow := client(t, func(http.ResponseWriter, *http.Request) { close(started); <-release })
	t.Cleanup(func() { close(release) })
	ctx, cancel := context.WithCancel(t.Context())
	go func() { <-started; cancel() }()
	_, err = slow.SendEvents(ctx, "1", []byte(`{}`))
	check("cancelled on the way", err, graph.Ambiguous)
}

func TestUnsafeBaseURLsAreRefused(t *testing.T) {
	t.Parallel()
	for _, base := range []string{"http://graph.example.com", "ftp://127.0.0.1", "https://user@graph.example.com", "https://graph.example.com/?x=1", "graph.example.com", "http://"} {
		if _, err := graph.New(graph.Options{Base: base, Token: token}); fault.CodeOf(err) != fault.Usage {
			t.Errorf("%s: got %v, want %s", base, err, fault.Usage)
		}
	}
	local, err := graph.New(graph.Options{Base: "http://127.0.0.1:8080", Token: token})
	if err != nil || local.Remote() {
		t.Errorf("loopback: remote=%v %v", local.Remote(), err)
	}
	meta, err := graph.New(graph.Options{Token: token})
	if err != nil || !meta.Remote() {
		t.Errorf("Meta: %v", err)
	}
}
