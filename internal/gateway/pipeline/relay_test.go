package pipeline_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/mcpwire/httpserve"
)

// overHTTP puts the desk's pipeline between a face and an upstream that are both reached
// over HTTP. What it returns is where a client posts.
func (d *desk) overHTTP(upstream http.Handler) (url string) {
	d.t.Helper()
	server := httptest.NewServer(upstream)
	d.t.Cleanup(server.Close)
	dial, err := httpdial.New(httpdial.Options{URL: server.URL, Server: labServer, CallTimeout: 20 * time.Second})
	if err != nil {
		d.t.Fatal(err)
	}
	up := d.pipe.Wrap(era.New(dial, era.Options{Server: labServer, Force: mcpwire.Modern}))
	face := httptest.NewServer(httpserve.New(httpserve.Options{
		Upstream: up, Server: labServer,
		Authenticate: func(*http.Request) (exchange.Caller, error) { return exchange.Caller{ID: "ann"}, nil },
	}))
	d.t.Cleanup(func() {
		face.Close()
		_ = up.Close(d.t.Context())
	})
	return face.URL
}

// postCall makes a modern call of a tool over HTTP.
func postCall(t *testing.T, url, tool string, more http.Header) (int, string) {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":7,"method":"tools/call","params":{"name":"` + tool + `","arguments":{},` + modernMeta + `{}}}}`
	r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, v := range more {
		r.Header[name] = v
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("Accept", "application/json, text/event-stream")
	r.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20260728)
	r.Header.Set(mcpwire.HeaderMethod, "tools/call")
	r.Header.Set(mcpwire.HeaderName, tool)
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(got)
}

// Answers that are passed on whole are settled like those that are read, and stay the
// bytes they were.
func TestRelayedAnswersAreSettled(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("0123456789abcdef", 200_000) // 3.2 MB
	message := func(s string) string { return `{"jsonrpc":"2.0","id":7,` + s + `}` }
	done := message(`"result":{"content":[],"isError":false}`)
	tests := []struct {
		name, kind, body string
		status           int
		cut              bool // the connection breaks at the end
		want             enforce.Outcome
		label            string
	}{
		{name: "a body", kind: "application/json", body: done, want: enforce.Commit, label: "ok"},
		{name: "a body with a charset", kind: "application/json; charset=utf-8", body: done, want: enforce.Commit, label: "ok"},
		{name: "an error of the tool", kind: "application/json", body: message(`"result":{"content":[],"isError":true}`), want: enforce.Commit, label: "tool_error"},
		{name: "turned down", kind: "application/json", body: message(`"error":{"code":-32602,"message":"m"}`), want: enforce.Rollback, label: "rpc_error"},
		{name: "an error", kind: "application/json", body: message(`"error":{"code":-32000,"message":"m"}`), want: enforce.Ambiguous, label: "rpc_error"},
		{name: "an error without an id", kind: "application/json", body: `{"jsonrpc":"2.0","id":null,"error":{"code":-32602,"message":"m"}}`, want: enforce.Rollback, label: "rpc_error"},
		{name: "an answer to another call", kind: "application/json", body: strings.Replace(done, "7", "8", 1), want: enforce.Ambiguous, label: "upstream_broke_off"},
		{name: "no message", kind: "application/json", body: "{}", want: enforce.Ambiguous, label: "upstream_broke_off"},
		{name: "a long body", kind: "application/json", body: message(`"result":{"content":[{"type":"text","text":"` + long + `"}]}`), want: enforce.Commit, label: "ok"},
		{name: "a stream", kind: "text/event-stream", body: "event: message\ndata: " + done + "\n\n", want: enforce.Commit, label: "ok"},
		{name: "a stream with CRLF", kind: "text/event-stream", body: "data: " + done + "\r\n\r\n", want: enforce.Commit, label: "ok"},
		{name: "a stream with CR", kind: "text/event-stream", body: "data: " + done + "\r\r", want: enforce.Commit, label: "ok"},
		{name: "a stream with progress", kind: "text/event-stream",
			body: ": hello\n\ndata: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":1}}\n\nid: 3\ndata: " + done + "\n\n",
			want: enforce.Commit, label: "ok"},
		{name: "a message over several lines", kind: "text/event-stream", body: "data: {\"jsonrpc\":\"2.0\",\"id\":7,\ndata: \"result\":{\"content\":[],\ndata:\"isError\":true}}\n\n",
			want: enforce.Commit, label: "tool_error"},
		{name: "a message over several lines with CRLF", kind: "text/event-stream", body: "data: {\"jsonrpc\":\"2.0\",\"id\":7,\r\ndata: \"result\":{\"content\":[]}}\r\n\r\n",
			want: enforce.Commit, label: "ok"},
		{name: "a stream that turns down", kind: "text/event-stream", body: "data: " + message(`"error":{"code":-32601,"message":"m"}`) + "\n\n", want: enforce.Rollback, label: "rpc_error"},
		{name: "a long event", kind: "text/event-stream", body: "data: " + message(`"result":{"content":[{"type":"text","text":"`+long+`"}]}`) + "\n\n", want: enforce.Commit, label: "ok"},
		{name: "a stream that breaks off", kind: "text/event-stream", body: "data: {\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{\"progressToken\":1,\"progress\":1}}\n\n", cut: true,
			want: enforce.Ambiguous, label: "upstream_broke_off"},
		{name: "HTTP 404", kind: "text/plain", body: "no", status: 404, want: enforce.Rollback, label: "upstream_wrong_era"},
		{name: "HTTP 413", kind: "text/plain", body: "no", status: 413, want: enforce.Rollback, label: "cannot_carry"},
		{name: "HTTP 429", kind: "text/plain", body: "no", status: 429, want: enforce.Rollback, label: "upstream_backing_off"},
		{name: "HTTP 401", kind: "text/plain", body: "no", status: 401, want: enforce.Rollback, label: "upstream_auth_failed"},
		{name: "HTTP 500", kind: "text/plain", body: "no", status: 500, want: enforce.Ambiguous, label: "upstream_broke_off"},
		{name: "HTTP 502", kind: "text/plain", body: "no", status: 502, want: enforce.Ambiguous, label: "upstream_broke_off"},
		{name: "HTTP 503", kind: "text/plain", body: "no", status: 503, want: enforce.Ambiguous, label: "upstream_unreachable"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, onceAnHour)
			settled := make(chan struct{}, 1)
			d.books.onSettle = func(*enforce.Settlement) { settled <- struct{}{} }
			url := d.overHTTP(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", tt.kind)
				if tt.status != 0 {
					w.WriteHeader(tt.status)
				}
				_, _ = io.WriteString(w, tt.body)
				if tt.cut {
					_ = http.NewResponseController(w).Flush()
					panic(http.ErrAbortHandler)
				}
			}))
			_, got := postCall(t, url, "send", nil)
			select {
			case <-settled:
			case <-time.After(10 * time.Second):
				t.Fatal("nothing was settled")
			}
			s := d.books.outcome(t)
			if s.Outcome != tt.want || s.Call.Outcome != tt.label {
				t.Errorf("settled %d as %q with status %d", s.Outcome, s.Call.Outcome, s.Call.UpstreamStatus)
			}
			if want := max(tt.status, 200); tt.label == "ok" && s.Call.UpstreamStatus != want {
				t.Errorf("the status is %d", s.Call.UpstreamStatus)
			}
			if tt.label == "ok" && got != tt.body {
				t.Errorf("the client got %d bytes, want %d", len(got), len(tt.body))
			}
		})
	}
}

// Vector 20: a refused connection, and one that is tried again at once.
func TestARefusedConnectionGivesBack(t *testing.T) {
	t.Parallel()
	d := newDesk(t, onceAnHour)
	gone := httptest.NewServer(http.NotFoundHandler())
	gone.Close()
	dial, err := httpdial.New(httpdial.Options{URL: gone.URL, Server: labServer})
	if err != nil {
		t.Fatal(err)
	}
	d.front = d.pipe.Wrap(era.New(dial, era.Options{Server: labServer, Force: mcpwire.Modern}))
	for range 3 {
		if a := d.call("send", `{}`); !strings.Contains(a.raw, "upstream_unreachable") && !strings.Contains(a.raw, "upstream_backing_off") {
			t.Fatalf("the answer is %s", a.raw)
		}
		if s := d.books.outcome(t); s.Outcome != enforce.Rollback {
			t.Fatalf("settled %d", s.Outcome)
		}
	}
}

// Vector 25: what identifies the client ends here.
func TestNothingThatIdentifiesTheClientIsForwarded(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	var mu sync.Mutex
	var heard []http.Header
	url := d.overHTTP(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heard = append(heard, r.Header.Clone())
		mu.Unlock()
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","id":7,"result":{"content":[]}}`)
	}))
	postCall(t, url, "read", http.Header{"Authorization": {"Bearer canary-1"}, "Cookie": {"s=canary-2"}, "X-Forwarded-For": {"canary-3"}, "Proxy-Authorization": {"canary-4"}})
	mu.Lock()
	defer mu.Unlock()
	if len(heard) != 1 {
		t.Fatalf("%d requests came", len(heard))
	}
	for name, v := range heard[0] {
		if strings.Contains(strings.Join(v, " "), "canary") {
			t.Errorf("%s reached the upstream", name)
		}
	}
}

// A denial is an answer like any other: HTTP 200, one JSON body.
func TestADenialOverHTTP(t *testing.T) {
	t.Parallel()
	d := newDesk(t, readsOnly)
	url := d.overHTTP(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("the upstream was asked") }))
	status, body := postCall(t, url, "write", nil)
	if a := readAnswer(t, body); status != 200 || a.code() != "default_deny" || a.kind != "complete" {
		t.Errorf("HTTP %d: %s", status, body)
	}
	d.dir.put("ann", nil)
	if status, body := postCall(t, url, "read", nil); status != 401 || !strings.Contains(body, `"code":"grant_ended"`) {
		t.Errorf("HTTP %d: %s", status, body)
	}
}
