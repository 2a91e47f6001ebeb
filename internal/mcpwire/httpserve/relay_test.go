package httpserve

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"sluice/internal/mcpwire/exchange"
)

// relaying is an upstream whose answers to calls are those of a real HTTP server.
func relaying(t *testing.T, serve http.HandlerFunc) func(context.Context, *exchange.Call, exchange.Sink) error {
	t.Helper()
	server := httptest.NewServer(serve)
	t.Cleanup(server.Close)
	return func(ctx context.Context, _ *exchange.Call, out exchange.Sink) error {
		r, err := http.NewRequestWithContext(ctx, http.MethodPost, server.URL, nil)
		if err != nil {
			return err
		}
		resp, err := server.Client().Transport.RoundTrip(r) //nolint:bodyclose // Relay closes it
		if err != nil {
			return err
		}
		return out.(exchange.Relayer).Relay(resp)
	}
}

// answering is a server that answers with this body; broken cuts the connection after.
func answering(status int, kind, body string, broken bool) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", kind)
		w.Header().Set("Set-Cookie", "canary=1")
		w.Header().Set("Mcp-Session-Id", "canary")
		w.Header().Set("WWW-Authenticate", "canary")
		w.Header().Set("X-Other", "canary")
		w.Header().Set("Retry-After", "7")
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
		if broken {
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
	}
}

const final = `{"jsonrpc":"2.0","id":1,"result":{"n":1.0e400,"a":1,"a":2}}`

func TestRelayedAnswers(t *testing.T) {
	t.Parallel()
	large := `{"jsonrpc":"2.0","id":1,"result":"` + strings.Repeat("x", 3<<20) + `"}`
	tests := []struct {
		name, kind, body string
		status, want     int
	}{
		{"JSON", "application/json", " " + final + "\r\n", 200, 200},
		{"JSON with a charset", "Application/JSON; charset=utf-8", final, 200, 200},
		{"JSON of 3 MiB", "application/json", large, 200, 200},
		{"an error with its status", "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}`, 404, 404},
		{"accepted, with the answer", "application/json", final, 202, 200},
		{"busy", "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}`, 503, 503},
		{"stream", "text/event-stream", "event: message\nid: 1\ndata: " + final + "\n\n", 200, 200},
		{"stream with everything", "text/event-stream; charset=utf-8",
			": hello\n\nid: 0\ndata:\n\nretry: 5\n\nunknown: x\nevent: odd\ndata: {\ndata: \"method\":\"x\"}\n\n:\n\ndata:" + final + "\r\n\r\ndata: " + progress + "\r\r", 200, 200},
		{"stream of 3 MiB", "text/event-stream", "data: " + progress + "\n\ndata: " + large + "\n\n", 200, 200},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, answering(tt.status, tt.kind, tt.body, false))}})
			resp := listAt(t, url)
			if got := all(t, resp); got != tt.body || resp.StatusCode != tt.want {
				t.Errorf("got %d and %d bytes, want %d and %d: %.200q", resp.StatusCode, len(got), tt.want, len(tt.body), got)
			}
			for name, values := range resp.Header {
				if strings.Contains(fmt.Sprint(values), "canary") {
					t.Errorf("%s came down", name)
				}
			}
			if resp.Header.Get("Retry-After") != "7" {
				t.Error("Retry-After was lost")
			}
		})
	}
}

func TestACallIsAnsweredOnceAndByItsId(t *testing.T) {
	t.Parallel()
	const (
		nobodys  = `{"jsonrpc":"2.0","id":null,"error":{"code":5,"message":"m","data":[1.0]}}`
		its      = `{"jsonrpc":"2.0","id":1,"error":{"code":5,"message":"m","data":[1.0]}}`
		anothers = `{"jsonrpc":"2.0","id":2,"result":{}}`
		request  = `{"jsonrpc":"2.0","id":1,"method":"ping"}`
	)
	tests := []struct{ name, kind, body, want string }{
		{"an error for nobody", "application/json", nobodys, its},
		{"an error for nobody, after progress", "text/event-stream",
			"data: " + progress + "\n\ndata: " + nobodys + "\n\n", "data: " + progress + "\n\ndata: " + its + "\n\n"},
		{"an error for nobody, at once", "text/event-stream", "\ufeffid: 7\ndata: " + nobodys + "\n\n", "id: 7\ndata: " + its + "\n\n"},
		{"a comment and an error for nobody", "text/event-stream", "\ufeff: c\ndata: " + nobodys + "\n\n", ": c\ndata: " + its + "\n\n"},
		{"two answers", "text/event-stream", strings.Repeat("data: "+final+"\n\n", 2), "data: " + final + "\n\n"},
		{"an answer and an error for nobody", "text/event-stream", "data: " + final + "\n\ndata: " + nobodys + "\n\n", "data: " + final + "\n\n"},
		{"a byte order mark", "text/event-stream", "\ufeffdata: " + final + "\n\n", "data: " + final + "\n\n"},
		{"the answer after another's", "text/event-stream", "data: " + anothers + "\n\ndata: " + final + "\n\n", "data: " + anothers + "\n\ndata: " + final + "\n\n"},
		{"another's answer", "application/json", anothers, ""},
		{"another's answer in a stream", "text/event-stream", "data: " + anothers + "\n\n", ""},
		{"an answer in an event of another type", "text/event-stream", "event: x\ndata: " + final + "\n\n", ""},
		{"a request", "application/json", request, ""},
		{"half an answer", "application/json", `{"jsonrpc":"2.0","id":1,"result":{"a":`, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, answering(200, tt.kind, tt.body, false))}})
			got := all(t, listAt(t, url))
			if tt.want == "" {
				if !strings.Contains(got, `"id":1,"error"`) || !strings.Contains(got, "upstream_broke_off") {
					t.Errorf("got %q, not an error", got)
				}
			} else if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAnswersThatBreakOff(t *testing.T) {
	t.Parallel()
	event := "data: " + progress + "\n\n"
	tests := []struct {
		name, kind, body string
		broken           bool
		status           int
		begins           string
	}{
		{"JSON", "application/json", `{"jsonrpc":"2.0","id":1,"resu`, true, 502, "{"},
		{"nothing", "application/json", "", false, 502, "{"},
		{"not MCP", "text/html", "<html>", false, 502, "{"},
		{"JSON that is no object", "application/json", `"ok"`, false, 502, "{"},
		{"stream that ends", "text/event-stream", event, false, 200, event},
		{"stream that is cut", "text/event-stream", event, true, 200, event},
		{"stream that is cut within an event", "text/event-stream", event + "data: " + final + "\n", true, 200, event},
		{"stream that says nothing", "text/event-stream", "", false, 200, ""},
		{"stream with ids, of no use to a modern client", "text/event-stream", "id: 1\ndata: \n\n", false, 200, "id: 1\ndata: \n\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, answering(200, tt.kind, tt.body, tt.broken))}})
			resp := listAt(t, url)
			got := all(t, resp)
			rest, ok := strings.CutPrefix(got, tt.begins)
			if resp.StatusCode != tt.status || !ok || !strings.Contains(rest, `"id":1,"error"`) || strings.Contains(rest, "result\":{") {
				t.Errorf("got %d %q", resp.StatusCode, got)
			}
		})
	}
}

func TestRefusalsBetweenSluiceAndUpstreamAreNotTheClients(t *testing.T) {
	t.Parallel()
	for _, status := range []int{401, 403, 407} {
		url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, answering(status, "application/json", `{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"m"}}`, false))}})
		if resp := listAt(t, url); resp.StatusCode != 502 {
			t.Errorf("%d became %d", status, resp.StatusCode)
		}
	}
}

func TestEncodedAnswers(t *testing.T) {
	t.Parallel()
	for encoding, status := range map[string]int{"identity": 200, "gzip": 502} {
		url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Encoding", encoding)
			answering(200, "application/json", final, false)(w, r)
		})}})
		if resp := listAt(t, url); resp.StatusCode != status {
			t.Errorf("%s: %d, want %d", encoding, resp.StatusCode, status)
		}
	}
}

func TestLargeBodyThatBreaksOffIsSeenToBeCut(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, answering(200, "application/json", "{"+strings.Repeat(" ", 3<<20), true))}})
	if b, err := io.ReadAll(listAt(t, url).Body); err == nil {
		t.Errorf("%d bytes passed for whole", len(b))
	}
}

func TestEventBeyondTheLimit(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{MaxEvent: 64 << 10, Upstream: &fake{call: relaying(t,
		answering(200, "text/event-stream", "data: "+strings.Repeat("x", 100<<10)+"\n\n", false))}})
	if got := all(t, listAt(t, url)); !strings.Contains(got, "upstream_broke_off") || len(got) > 1000 {
		t.Errorf("%d bytes, %.100q", len(got), got)
	}
}

func TestResumableStreamJustEnds(t *testing.T) {
	t.Parallel()
	body := "id: 1\ndata: \n\nretry: 10\n\n"
	for _, broken := range []bool{false, true} {
		s := &fakeSession{}
		s.call = relaying(t, answering(200, "text/event-stream", body, broken))
		url, _ := endpoint(t, Options{Upstream: opening(s)})
		if _, got := post(t, url, legacyCall("1", "tools/call"), open(t, url)); got != body {
			t.Errorf("broken %v: %q", broken, got)
		}
	}
}

func TestHeadOfAStreamComesAtOnce(t *testing.T) {
	t.Parallel()
	release := make(chan struct{})
	url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "data: "+progress+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-release
		_, _ = io.WriteString(w, "data: "+final+"\n\n")
	})}})
	resp := listAt(t, url) // returns with the head
	release <- struct{}{}
	r := bufio.NewReader(resp.Body)
	until(t, r, "data: "+progress)
	until(t, r, "")
	release <- struct{}{}
	until(t, r, "data: "+final)
}

func TestLostConnectionEndsAResumableStreamUpstream(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	s := &fakeSession{}
	s.call = relaying(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "id: 1\ndata: \n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})
	url, _ := endpoint(t, Options{Upstream: opening(s)})
	ctx, cancel := context.WithCancel(context.Background())
	resp := send(ctx, t, http.MethodPost, url, legacyCall("1", "tools/call"), open(t, url))
	until(t, bufio.NewReader(resp.Body), "id: 1")
	cancel()
	wait(t, gone, "the upstream to be free for the client's return")
}

func TestStreamThatGoesOnAfterTheAnswerIsEnded(t *testing.T) {
	t.Parallel()
	gone := make(chan struct{})
	url, _ := endpoint(t, Options{Upstream: &fake{call: relaying(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		_, _ = io.WriteString(w, "data: "+final+"\n\n")
		_ = http.NewResponseController(w).Flush()
		<-r.Context().Done()
		close(gone)
	})}})
	if got, want := all(t, listAt(t, url)), "data: "+final+"\n\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	wait(t, gone, "the upstream to be rid of the stream")
}
