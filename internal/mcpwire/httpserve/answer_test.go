package httpserve

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

const progress = `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":1}}`

func listAt(t *testing.T, url string) *reply {
	t.Helper()
	return send(context.Background(), t, http.MethodPost, url, modernCall("1", "tools/list", ""), modernHeaders("tools/list"))
}

func TestWhatComesBeforeTheResultMakesAStream(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{call: func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(progress)}); err != nil {
			return err
		}
		return out.Send(exchange.Event{Data: resultFor(c, "x"), Final: true, Status: 404})
	}}})
	resp := listAt(t, url)
	want := "data: " + progress + "\n\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,\"result\":\"x\"}\n\n"
	if got := all(t, resp); resp.StatusCode != 200 || got != want || resp.Header.Get("X-Accel-Buffering") != "no" {
		t.Errorf("%d %v %q", resp.StatusCode, resp.Header, got)
	}
}

func TestNothingFollowsTheResult(t *testing.T) {
	t.Parallel()
	late := make(chan exchange.Sink, 1)
	url, _ := endpoint(t, Options{Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		late <- out
		if err := echo(ctx, c, out); err != nil {
			return err
		}
		if out.Send(exchange.Event{Data: []byte(progress)}) == nil {
			t.Error("an event was taken after the result")
		}
		return &exchange.Error{Code: exchange.TimedOut, Message: "too late to matter"}
	}}})
	if got := all(t, listAt(t, url)); strings.Contains(got, "too late") || strings.Contains(got, "progress") {
		t.Error(got)
	}
	if (<-late).Send(exchange.Event{Data: []byte(progress)}) == nil {
		t.Error("an event was taken after the call returned")
	}
}

func TestErrorAfterTheStreamBegan(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{call: func(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(progress)}); err != nil {
			return err
		}
		return &exchange.Error{Code: exchange.TimedOut, Message: "it took too long"}
	}}})
	resp := listAt(t, url)
	if got := all(t, resp); resp.StatusCode != 200 || !strings.HasPrefix(got, "data: "+progress+"\n\ndata: ") ||
		!strings.Contains(got, `"id":1,"error"`) || !strings.Contains(got, "upstream_timeout") || !strings.HasSuffix(got, "\n\n") {
		t.Errorf("%d %q", resp.StatusCode, got)
	}
}

func TestParkedCallIsKeptAlive(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url, _ := endpoint(t, Options{KeepAlive: 5 * time.Millisecond, Upstream: &fake{call: func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		<-release
		return out.(exchange.Relayer).Relay(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader("{\"jsonrpc\":\"2.0\",\n\"id\":1,\"result\":{}}"))})
	}}})
	resp := listAt(t, url)
	r := bufio.NewReader(resp.Body)
	until(t, r, ":")
	until(t, r, ":")
	close(release)
	until(t, r, `data: {"jsonrpc":"2.0",`)
	until(t, r, `data: "id":1,"result":{}}`)
	if rest, err := io.ReadAll(r); err != nil || strings.Contains(string(rest), "data") {
		t.Errorf("%q %v", rest, err)
	}
}

func TestLargeBodyAfterTheStreamBegan(t *testing.T) {
	t.Parallel()
	begun := make(chan struct{})
	body := `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 3<<20) + `"}`
	url, _ := endpoint(t, Options{Upstream: &fake{call: func(_ context.Context, _ *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{}); err != nil {
			return err
		}
		<-begun
		return out.(exchange.Relayer).Relay(&http.Response{StatusCode: 200, Header: http.Header{"Content-Type": {"application/json"}},
			Body: io.NopCloser(strings.NewReader(body))})
	}}})
	resp := listAt(t, url) // returns with the head
	close(begun)
	if got := all(t, resp); got != "data: "+body+"\n\n" {
		t.Errorf("%d bytes: %.100q", len(got), got)
	}
}

func TestAsManyCallsAsTheLimitSays(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	url, h := endpoint(t, Options{MaxStreams: 1, Authenticate: authenticate, Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Caller.ID == "ada" {
			begun <- struct{}{}
			<-release
		}
		return echo(ctx, c, out)
	}}})
	as := func(who string) pairs { return modernHeaders("tools/list", "Authorization", who) }
	body := modernCall("1", "tools/list", "")
	first := make(chan int, 1)
	go func() {
		r, _ := http.NewRequest(http.MethodPost, url, strings.NewReader(body))
		for i, h := 0, as("ada"); i < len(h); i += 2 {
			r.Header.Set(h[i], h[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			first <- 0
			return
		}
		_ = resp.Body.Close()
		first <- resp.StatusCode
	}()
	wait(t, begun, "the first call")
	if resp, answer := post(t, url, body, as("ada")); resp.StatusCode != 429 || !strings.Contains(answer, "too_many_streams") {
		t.Errorf("second call: %d %s", resp.StatusCode, answer)
	}
	if resp, _ := post(t, url, body, as("bob")); resp.StatusCode != 200 {
		t.Errorf("another caller's: %d", resp.StatusCode)
	}
	close(release)
	if status := <-first; status != 200 {
		t.Errorf("first call: %d", status)
	}
	if s := h.Stats(); s.Calls != 2 || s.Refused != 1 {
		t.Errorf("%+v", s)
	}
}

func TestAsManyLargeMessagesArriveAsTheLimitSays(t *testing.T) {
	t.Parallel()
	url, h := endpoint(t, Options{MaxStreams: 1, Authenticate: authenticate, Upstream: &fake{call: echo}})
	in, out := io.Pipe()
	first := make(chan int, 1)
	large := modernCall("1", "tools/list", `"x":"`+strings.Repeat("x", 2*trusted)+`"`)
	as := func(who string) pairs { return modernHeaders("tools/list", "Authorization", who) }
	go func() {
		r, _ := http.NewRequest(http.MethodPost, url, in)
		for i, h := 0, as("ada"); i < len(h); i += 2 {
			r.Header.Set(h[i], h[i+1])
		}
		resp, err := http.DefaultTransport.RoundTrip(r)
		if err != nil {
			first <- 0
			return
		}
		_ = resp.Body.Close()
		first <- resp.StatusCode
	}()
	for arriving := false; !arriving; { // until its sender is known
		h.mu.Lock()
		arriving = h.uploads["ada"] == 1
		h.mu.Unlock()
	}
	for _, tt := range []struct {
		name, who, body string
		status          int
	}{
		{"another large one", "ada", large, 429},
		{"a small one", "ada", modernCall("1", "tools/list", ""), 200},
		{"another caller's", "bob", large, 200},
	} {
		if resp, _ := post(t, url, tt.body, as(tt.who)); resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.status)
		}
	}
	if _, err := io.WriteString(out, large); err != nil {
		t.Error(err)
	}
	if err := out.Close(); err != nil {
		t.Error(err)
	}
	if status := <-first; status != 200 {
		t.Errorf("the first: %d", status)
	}
}
