package graph_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graph"
)

const (
	userToken    = "EAAuserCANARYtoken0123456789"
	threadsToken = "THAAthreadsCANARYtoken0123456789"
	pageToken    = "EAApageCANARYtoken0123456789"
	appSecret    = "appCANARYsecret0123456789"
)

// clock is a clock that only sleeping moves.
type clock struct {
	mu    sync.Mutex
	now   time.Time
	slept []time.Duration
}

func newClock() *clock {
	return &clock{now: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) Sleep(ctx context.Context, d time.Duration) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d > 0 {
		c.slept = append(c.slept, d)
		c.now = c.now.Add(d)
	}
	return ctx.Err()
}

func (c *clock) total() (sum time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, d := range c.slept {
		sum += d
	}
	return sum
}

// seen is a request as a server saw it.
type seen struct {
	*http.Request
	body  string
	query url.Values
	form  url.Values
}

// double answers the API of a test.
type double struct {
	*graph.API
	clock *clock
	base  string

	mu   sync.Mutex
	seen []seen
}

func (d *double) calls() []seen {
	d.mu.Lock()
	defer d.mu.Unlock()
	return append([]seen(nil), d.seen...)
}

func (d *double) lines() (list []string) {
	for _, s := range d.calls() {
		list = append(list, s.Method+" "+s.URL.Path)
	}
	return list
}

// api makes a client whose calls the handler answers. Page tokens are looked up there.
func api(t *testing.T, handler func(w http.ResponseWriter, r seen), change ...func(*graph.APIOptions)) *double {
	t.Helper()
	d := &double{clock: newClock()}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		form, _ := url.ParseQuery(string(body))
		s := seen{r, string(body), r.URL.Query(), form}
		d.mu.Lock()
		d.seen = append(d.seen, s)
		d.mu.Unlock()
		w.Header().Set("Content-Type", "application/json; charset=UTF-8")
		handler(w, s)
	}))
	t.Cleanup(srv.Close)
	d.base = srv.URL
	o := graph.APIOptions{
		Bases:  map[graph.Host]string{graph.GraphHost: srv.URL, graph.ThreadsHost: srv.URL, graph.InstagramHost: srv.URL, graph.UploadHost: srv.URL},
		Tokens: graph.Tokens{User: graph.StaticToken(userToken), Threads: graph.StaticToken(threadsToken)},
		AppID:  "8000000000000001", AppSecret: appSecret,
		Now: d.clock.Now, Sleep: d.clock.Sleep, Random: func() float64 { return 0.5 },
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	if d.API, err = graph.NewAPI(o); err != nil {
		t.Fatal(err)
	}
	return d
}

// answers is a handler that gives these answers in turn, the last one for ever: a
// status and a body, "400 {…}".
func answers(list ...string) func(http.ResponseWriter, seen) {
	var mu sync.Mutex
	return func(w http.ResponseWriter, _ seen) {
		mu.Lock()
		next := list[0]
		if len(list) > 1 {
			list = list[1:]
		}
		mu.Unlock()
		status, body, _ := strings.Cut(next, " ")
		code, err := time.ParseDuration(status + "s")
		if err != nil {
			panic(err)
		}
		w.WriteHeader(int(code / time.Second))
		_, _ = io.WriteString(w, body)
	}
}

func get(path ...string) graph.Request { return graph.Request{Method: "GET", Path: path} }

func post(path ...string) graph.Request {
	return graph.Request{Method: "POST", Path: path, Form: url.Values{"name": {"x"}}}
}

func faultOf(t *testing.T, err error, code fault.Code) *fault.Error {
	t.Helper()
	f, ok := fault.As(err)
	if !ok || f.Code != code {
		t.Fatalf("got %v (%v), want %s", err, fault.CodeOf(err), code)
	}
	return f
}

// refuses is faultOf where the code says enough.
func refuses(t *testing.T, err error, code fault.Code) {
	t.Helper()
	if got := fault.CodeOf(err); err == nil || got != code {
		t.Fatalf("got %v (%v), want %s", err, got, code)
	}
}

func equalJSON(t *testing.T, got []byte, want string) {
	t.Helper()
	var a, b any
	if err := json.Unmarshal(got, &a); err != nil {
		t.Fatalf("%s: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &b); err != nil {
		t.Fatal(err)
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	if string(x) != string(y) {
		t.Errorf("got  %s\nwant %s", x, y)
	}
}

func TestDoSendsWhatMetaExpects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		request graph.Request
		line    string // method and address
		body    string
		auth    string
	}{
		"read": {
			request: graph.Request{Method: "GET", Path: []string{"act_3000000000000001", "campaigns"}, Query: url.Values{"fields": {"id,name"}}},
			line:    "GET /v26.0/act_3000000000000001/campaigns?appsecret_proof=PROOF&fields=id%2Cname", auth: "Bearer " + userToken,
		},
		"write": {
			request: post("act_3000000000000001", "campaigns"),
			line:    "POST /v26.0/act_3000000000000001/campaigns", body: "appsecret_proof=PROOF&name=x", auth: "Bearer " + userToken,
		},
		"delete": {
			request: graph.Request{Method: "DELETE", Path: []string{"4100"}, Query: url.Values{"a": {"1"}}},
			line:    "DELETE /v26.0/4100?a=1&appsecret_proof=PROOF", auth: "Bearer " + userToken,
		},
		"Threads has its own version and takes no proof": {
			request: graph.Request{Method: "GET", Host: graph.ThreadsHost, Path: []string{"me", "threads"}, Token: graph.TokenRef{Kind: "threads"}},
			line:    "GET /v1.0/me/threads", auth: "Bearer " + threadsToken,
		},
		"upload": {
			request: graph.Request{
				Method: "POST", Host: graph.UploadHost, Path: []string{"video-upload", "4500"},
				Body: strings.NewReader("BYTES"), BodySize: 5, Header: http.Header{"Offset": {"0"}, "File_size": {"5"}},
			},
			line: "POST /video-upload/v26.0/4500", body: "BYTES", auth: "OAuth " + userToken,
		},
		"the app's own token": {
			request: graph.Request{Method: "GET", Path: []string{"8000000000000001"}, Token: graph.TokenRef{Kind: "app"}},
			line:    "GET /v26.0/8000000000000001", auth: "Bearer 8000000000000001|" + appSecret,
		},
		"a token describes itself in the body": {
			request: graph.Request{Method: "GET", Path: []string{"debug_token"}},
			line:    "POST /v26.0/debug_token", body: "appsecret_proof=PROOF&input_token=" + userToken + "&method=GET", auth: "Bearer " + userToken,
		},
		"a long read goes as a POST": {
			request: graph.Request{Method: "GET", Path: []string{"1"}, Query: url.Values{"fields": {strings.Repeat("a", 5000)}}},
			line:    "POST /v26.0/1", body: "appsecret_proof=PROOF&fields=" + strings.Repeat("a", 5000) + "&method=GET", auth: "Bearer " + userToken,
		},
		"an old way of paging": {
			request: graph.Request{Method: "GET", Path: []string{"1", "feed"}, Query: url.Values{"limit": {"5"}, "after": {"q.X19wYWdpbmdfdG9rZW49eCZ1bnRpbD0xNzAwMDAwMDAw"}}},
			line:    "GET /v26.0/1/feed?__paging_token=x&appsecret_proof=PROOF&limit=5&until=1700000000", auth: "Bearer " + userToken,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, answers(`200 {"id":"1"}`))
			if _, err := d.Do(graph.WithCaller(t.Context(), "test model"), tt.request); err != nil {
				t.Fatal(err)
			}
			r := d.calls()[0]
			proof := func(s, proof string) string {
				if proof == "" {
					return s
				}
				return strings.ReplaceAll(s, proof, "PROOF")
			}
			if got := proof(r.Method+" "+r.URL.RequestURI(), r.query.Get("appsecret_proof")); got != tt.line {
				t.Errorf("got  %s\nwant %s", got, tt.line)
			}
			if got := proof(r.body, r.form.Get("appsecret_proof")); got != tt.body {
				t.Errorf("body %q, want %q", got, tt.body)
			}
			if got := r.Header.Get("Authorization"); got != tt.auth {
				t.Errorf("Authorization %q, want %q", got, tt.auth)
			}
			if got := r.Header.Get("User-Agent"); got != "Sluice (test-model) Go" {
				t.Errorf("User-Agent %q", got)
			}
		})
	}
}

func toJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestVersionThatAnswers(t *testing.T) {
	t.Parallel()
	threads := get("me")
	threads.Host, threads.Token.Kind = graph.ThreadsHost, "threads"
	tests := map[string]struct {
		request       graph.Request
		served, said  string
		version, warn string
	}{
		"as asked":          {get("1"), "v26.0", "", "v26.0", ""},
		"another":           {get("1"), "v25.0", "", "v25.0", "Graph API v26.0 was asked for, and v25.0 answered"},
		"upgraded":          {get("1"), "v27.0", "The call was upgraded.", "v27.0", "Graph API v26.0 was asked for, and v27.0 answered: The call was upgraded."},
		"only a warning":    {get("1"), "v26.0", "It ends soon.", "v26.0", "It ends soon."},
		"not said":          {get("1"), "", "", "", ""},
		"Threads as asked":  {threads, "v1.0", "", "v1.0", ""},
		"nonsense, ignored": {get("1"), "latest", "", "latest", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := api(t, func(w http.ResponseWriter, _ seen) {
				w.Header().Set("Facebook-Api-Version", tt.served)
				w.Header().Set("X-Ad-Api-Version-Warning", tt.said)
				_, _ = io.WriteString(w, `{"id":"1"}`)
			})
			res, err := d.Do(t.Context(), tt.request)
			if err != nil || res.Version != tt.version || res.Warning != tt.warn {
				t.Errorf("%+v, %v", res, err)
			}
		})
	}
}
