package httpserve

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

func TestSessionLifecycle(t *testing.T) {
	t.Parallel()
	s := &fakeSession{fake: fake{call: echo, notify: func(context.Context, *exchange.Call) error { return nil }}, closed: make(chan struct{})}
	url, h := endpoint(t, Options{Upstream: opening(s)})
	in := open(t, url)
	for _, id := range in[1] {
		if id < 0x21 || id > 0x7e {
			t.Errorf("session id %q is not visible ASCII", in[1])
		}
	}
	resp, answer := post(t, url, legacyCall(`"1"`, "tools/list"), in)
	if resp.StatusCode != 200 || !strings.Contains(answer, `"id":"1"`) || resp.Header.Get("Mcp-Session-Id") != "" {
		t.Errorf("call: %d %s", resp.StatusCode, answer)
	}
	resp, answer = post(t, url, `{"jsonrpc":"2.0","method":"notifications/initialized"}`, in)
	if resp.StatusCode != 202 || answer != "" {
		t.Errorf("notification: %d %s", resp.StatusCode, answer)
	}
	resp, _ = post(t, url, `{"jsonrpc":"2.0","id":3,"result":{}}`, in)
	if resp.StatusCode != 202 {
		t.Errorf("response: %d", resp.StatusCode)
	}
	if n := h.Stats().Sessions; n != 1 {
		t.Errorf("%d sessions are open", n)
	}
	if resp := send(context.Background(), t, http.MethodDelete, url, "", in); resp.StatusCode != 204 {
		t.Errorf("delete: %d", resp.StatusCode)
	}
	wait(t, s.closed, "the upstream's session to be closed")
	resp, answer = post(t, url, legacyCall("1", "tools/list"), in)
	if resp.StatusCode != 404 || !strings.Contains(answer, `"id":1`) || !strings.Contains(answer, "upstream_session_lost") {
		t.Errorf("after the end: %d %s", resp.StatusCode, answer)
	}
}

func TestLegacyCallCarriesItsSession(t *testing.T) {
	t.Parallel()
	var got *exchange.Call
	s := &fakeSession{fake: fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		got = c
		return echo(ctx, c, out)
	}}}
	url, _ := endpoint(t, Options{Upstream: opening(s)})
	in := open(t, url)
	post(t, url, legacyCall("1", "tools/list"), in)
	if got.Session != in[1] || got.Version != "2025-06-18" || got.Era != mcpwire.Legacy || got.Header != nil {
		t.Errorf("%+v", got)
	}
	post(t, url, legacyCall("1", "tools/list"), append(in, "MCP-Protocol-Version", ""))
	if got.Version != "2025-06-18" {
		t.Errorf("without the header the version is %q, not the negotiated one", got.Version)
	}
}

func TestSessionsAreTheirCallersOwn(t *testing.T) {
	t.Parallel()
	s := &fakeSession{fake: fake{call: echo}}
	url, _ := endpoint(t, Options{Upstream: opening(s), Authenticate: authenticate})
	in := open(t, url, "Authorization", "ada")
	if resp, _ := post(t, url, legacyCall("1", "tools/list"), in); resp.StatusCode != 200 {
		t.Fatalf("its owner: %d", resp.StatusCode)
	}
	in[len(in)-1] = "bob"
	unknown := append(pairs{}, in...)
	unknown[1] = "no-such-session"
	for _, method := range []string{http.MethodPost, http.MethodGet, http.MethodDelete} {
		other := send(context.Background(), t, method, url, legacyCall("1", "tools/list"), in)
		never := send(context.Background(), t, method, url, legacyCall("1", "tools/list"), unknown)
		if a, b := all(t, other), all(t, never); other.StatusCode != 404 || never.StatusCode != 404 || a != b {
			t.Errorf("%s: another's session answers %d %s, an unknown one %d %s", method, other.StatusCode, a, never.StatusCode, b)
		}
	}
	in[len(in)-1] = "ada"
	if resp, _ := post(t, url, legacyCall("1", "tools/list"), in); resp.StatusCode != 200 {
		t.Errorf("its owner afterwards: %d", resp.StatusCode)
	}
}

func TestMalformedLegacyTraffic(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: opening(&fakeSession{fake: fake{call: echo}})})
	in := open(t, url)
	call := legacyCall("1", "tools/list")
	tests := []struct {
		name, method, body string
		headers            pairs
		status             int
	}{
		{"no session", "POST", call, common, 400},
		{"stream without a session", "GET", "", common, 400},
		{"end without a session", "DELETE", "", common, 400},
		{"unsupported version", "POST", call, append(in, "MCP-Protocol-Version", "2024-01-01"), 400},
		{"empty version", "POST", call, append(in[2:], "Mcp-Session-Id", in[1], "MCP-Protocol-Version", " "), 400},
		{"only JSON accepted", "POST", call, append(in, "Accept", "application/json"), 406},
		{"stream not accepted", "GET", "", append(in, "Accept", "application/json"), 406},
		{"batch", "POST", "[" + call + "]", in, 400},
		{"a legacy version and none of the headers of a modern request", "POST", call, append(in, "Mcp-Method", "tools/list"), 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp := send(context.Background(), t, tt.method, url, tt.body, tt.headers)
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %s, want %d", resp.StatusCode, all(t, resp), tt.status)
			}
		})
	}
}

func TestUpstreamWithoutSessions(t *testing.T) {
	t.Parallel()
	s := &fakeSession{fake: fake{call: echo}, stateless: true}
	up := opening(s)
	versions := make(chan string, 1)
	up.resume = func(_ context.Context, c *exchange.Call) (exchange.Session, error) {
		versions <- c.Version
		return s, nil
	}
	s.listen = func(context.Context, *exchange.Call, string, exchange.Sink) error { return exchange.ErrNoStream }
	url, _ := endpoint(t, Options{Upstream: up})
	resp, _ := post(t, url, initBody, common)
	if resp.StatusCode != 200 || resp.Header["Mcp-Session-Id"] != nil {
		t.Errorf("initialize: %d %v", resp.StatusCode, resp.Header)
	}
	if resp, _ = post(t, url, legacyCall("1", "tools/list"), common); resp.StatusCode != 200 || <-versions != "2025-03-26" {
		t.Errorf("call: %d", resp.StatusCode)
	}
	if resp = send(context.Background(), t, http.MethodGet, url, "", common); resp.StatusCode != 405 || <-versions == "" {
		t.Errorf("stream: %d", resp.StatusCode)
	}
	if resp = send(context.Background(), t, http.MethodDelete, url, "", common); resp.StatusCode != 405 {
		t.Errorf("end: %d", resp.StatusCode)
	}
}

func TestLosingTheConnectionCancelsNoLegacyCall(t *testing.T) {
	t.Parallel()
	gone, done := make(chan struct{}), make(chan error, 1)
	s := &fakeSession{fake: fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/progress"}`)}); err != nil {
			return err
		}
		<-gone
		err := out.Send(exchange.Event{Data: resultFor(c, "x"), Final: true})
		if err == nil {
			err = ctx.Err()
		}
		done <- err
		return err
	}}}
	var connection context.Context
	url, h := endpoint(t, Options{Upstream: opening(s), Authenticate: func(r *http.Request) (exchange.Caller, error) {
		connection = r.Context()
		return exchange.Caller{ID: "ada"}, nil
	}})
	in := open(t, url)
	ctx, cancel := context.WithCancel(context.Background())
	resp := send(ctx, t, http.MethodPost, url, legacyCall("1", "tools/call"), in)
	until(t, bufio.NewReader(resp.Body), `data: {"jsonrpc":"2.0","method":"notifications/progress"}`)
	cancel()
	wait(t, connection.Done(), "the connection to be seen lost")
	if n := h.Stats().InFlight; n != 1 {
		t.Fatalf("%d calls in flight", n)
	}
	close(gone)
	if err := <-done; err != nil {
		t.Errorf("the call was told: %v", err)
	}
}

func TestTheStreamOfASession(t *testing.T) {
	t.Parallel()
	lasts := make(chan string, 1)
	s := &fakeSession{listen: func(ctx context.Context, c *exchange.Call, last string, out exchange.Sink) error {
		lasts <- last
		if err := out.Send(exchange.Event{ID: "e-1", HasID: true, Retry: "1500"}); err != nil {
			return err
		}
		if err := out.Send(exchange.Event{ID: "", HasID: true, Data: []byte("{\"jsonrpc\":\"2.0\",\n\"method\":\"x\"}")}); err != nil {
			return err
		}
		return nil
	}}
	url, _ := endpoint(t, Options{Upstream: opening(s)})
	in := open(t, url)
	resp := send(context.Background(), t, http.MethodGet, url, "", append(in, "Last-Event-ID", "e-0"))
	want := "id: e-1\nretry: 1500\ndata: \n\nid: \ndata: {\"jsonrpc\":\"2.0\",\ndata: \"method\":\"x\"}\n\n"
	if got := all(t, resp); resp.StatusCode != 200 || got != want || <-lasts != "e-0" {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
	for name, value := range map[string]string{"Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no"} {
		if resp.Header.Get(name) != value {
			t.Errorf("%s is %q", name, resp.Header.Get(name))
		}
	}
}

func TestSilentStreamIsOpen(t *testing.T) {
	t.Parallel()
	closed := make(chan struct{})
	s := &fakeSession{closed: closed, listen: func(ctx context.Context, _ *exchange.Call, _ string, _ exchange.Sink) error {
		<-ctx.Done()
		return ctx.Err()
	}}
	url, h := endpoint(t, Options{Upstream: opening(s)})
	in := open(t, url)
	resp := send(context.Background(), t, http.MethodGet, url, "", in) // returns with the head
	if n := h.Stats().Streams; resp.StatusCode != 200 || n != 1 {
		t.Errorf("%d, %d streams", resp.StatusCode, n)
	}
	send(context.Background(), t, http.MethodDelete, url, "", in)
	if got := all(t, resp); got != "" {
		t.Errorf("the stream of an ended session said %q", got)
	}
}

func TestRefusedStreams(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name   string
		err    error
		status int
	}{
		{"none", exchange.ErrNoStream, 405},
		{"unreachable", &exchange.Error{Code: exchange.Unreachable, Message: "m"}, 502},
		{"lost", &exchange.Error{Code: exchange.SessionLost, Message: "m"}, 404},
		{"ended at once", nil, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{Upstream: opening(&fakeSession{
				listen: func(context.Context, *exchange.Call, string, exchange.Sink) error { return tt.err }})})
			if resp := send(context.Background(), t, http.MethodGet, url, "", open(t, url)); resp.StatusCode != tt.status {
				t.Errorf("got %d, want %d", resp.StatusCode, tt.status)
			}
		})
	}
}

func TestSessionThatTheUpstreamLost(t *testing.T) {
	t.Parallel()
	s := &fakeSession{closed: make(chan struct{}), fake: fake{call: func(context.Context, *exchange.Call, exchange.Sink) error {
		return &exchange.Error{Code: exchange.SessionLost, Message: "lost"}
	}}}
	url, h := endpoint(t, Options{Upstream: opening(s)})
	resp, answer := post(t, url, legacyCall("1", "tools/list"), open(t, url))
	if resp.StatusCode != 404 || !strings.Contains(answer, `"id":1`) {
		t.Errorf("%d %s", resp.StatusCode, answer)
	}
	wait(t, s.closed, "the session to be closed")
	if n := h.Stats().Sessions; n != 0 {
		t.Errorf("%d sessions are open", n)
	}
}

func TestUnusedSessionIsClosed(t *testing.T) {
	t.Parallel()
	s := &fakeSession{closed: make(chan struct{}), fake: fake{call: echo}}
	url, _ := endpoint(t, Options{Upstream: opening(s), SessionIdle: 20 * time.Millisecond})
	in := open(t, url)
	wait(t, s.closed, "the session to expire")
	if resp, _ := post(t, url, legacyCall("1", "tools/list"), in); resp.StatusCode != 404 {
		t.Errorf("got %d", resp.StatusCode)
	}
}

func TestTheSessionThatIdlesLongestGivesWay(t *testing.T) {
	t.Parallel()
	url, h := endpoint(t, Options{Upstream: opening(&fakeSession{fake: fake{call: echo}}), MaxSessions: 2, Authenticate: authenticate})
	first := open(t, url, "Authorization", "ada")
	second := open(t, url, "Authorization", "ada")
	other := open(t, url, "Authorization", "bob")
	post(t, url, legacyCall("1", "tools/list"), first)
	open(t, url, "Authorization", "ada")
	for _, tt := range []struct {
		name   string
		in     pairs
		status int
	}{{"used last", first, 200}, {"idle longest", second, 404}, {"another caller's", other, 200}} {
		if resp, _ := post(t, url, legacyCall("1", "tools/list"), tt.in); resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.status)
		}
	}
	if n := h.Stats().Sessions; n != 3 {
		t.Errorf("%d sessions", n)
	}
}

func TestInitializeThatFails(t *testing.T) {
	t.Parallel()
	up := &fake{initialize: func(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
		return nil, out.Send(exchange.Event{Final: true, Status: 400, Data: []byte(`{"jsonrpc":"2.0","id":0,"error":{"code":-32602,"message":"no"}}`)})
	}}
	url, _ := endpoint(t, Options{Upstream: up})
	resp, answer := post(t, url, initBody, common)
	if resp.StatusCode != 400 || resp.Header["Mcp-Session-Id"] != nil || !strings.Contains(answer, "-32602") {
		t.Errorf("%d %v %s", resp.StatusCode, resp.Header, answer)
	}
	up.initialize = func(context.Context, *exchange.Call, exchange.Sink) (exchange.Session, error) {
		return nil, &exchange.Error{Code: exchange.WrongEra, Message: "other era"}
	}
	if resp, answer = post(t, url, initBody, common); resp.StatusCode != 502 || !strings.Contains(answer, "upstream_wrong_era") {
		t.Errorf("%d %s", resp.StatusCode, answer)
	}
}
