package httpserve

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/testkit/leak"
)

func TestMain(m *testing.M) { leak.Main(m, "mcpwire/httpserve.") }

// fake is an upstream made of functions. One that a test leaves out must not be called.
type fake struct {
	call       func(context.Context, *exchange.Call, exchange.Sink) error
	notify     func(context.Context, *exchange.Call) error
	initialize func(context.Context, *exchange.Call, exchange.Sink) (exchange.Session, error)
	resume     func(context.Context, *exchange.Call) (exchange.Session, error)
}

func (f *fake) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return f.call(ctx, c, out)
}
func (f *fake) Notify(ctx context.Context, c *exchange.Call) error { return f.notify(ctx, c) }
func (f *fake) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	return f.initialize(ctx, c, out)
}
func (f *fake) Resume(ctx context.Context, c *exchange.Call) (exchange.Session, error) {
	return f.resume(ctx, c)
}
func (f *fake) Close(context.Context) error { return nil }

// fakeSession is a session made of functions.
type fakeSession struct {
	fake
	listen    func(context.Context, *exchange.Call, string, exchange.Sink) error
	stateless bool
	closed    chan struct{}
}

func (s *fakeSession) Listen(ctx context.Context, c *exchange.Call, last string, out exchange.Sink) error {
	return s.listen(ctx, c, last, out)
}
func (s *fakeSession) Stateful() bool { return !s.stateless }
func (s *fakeSession) Close(context.Context) error {
	if s.closed != nil {
		close(s.closed)
	}
	return nil
}

// echo answers with what it was asked, so that a test sees what arrived.
func echo(_ context.Context, c *exchange.Call, out exchange.Sink) error {
	return out.Send(exchange.Event{Data: resultFor(c, string(c.Message.Raw)), Final: true})
}

func resultFor(c *exchange.Call, text string) []byte {
	return mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), mcpwire.Quote(text))
}

// opening lets clients initialize; their sessions are s.
func opening(s exchange.Session) *fake {
	return &fake{initialize: func(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
		return s, out.Send(exchange.Event{Final: true,
			Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(`{"protocolVersion":"2025-06-18","capabilities":{}}`))})
	}}
}

// endpoint serves a handler for the length of the test.
func endpoint(t *testing.T, o Options) (url string, h *Handler) {
	t.Helper()
	h = New(o)
	server := httptest.NewServer(h)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		_ = h.Shutdown(ctx)
		server.CloseClientConnections()
		server.Close()
	})
	return server.URL, h
}

const (
	modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	initBody   = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{}}}`
)

func modernCall(id, method, params string) string {
	if params != "" {
		params += ","
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{` + params + modernMeta + `}}`
}

func legacyCall(id, method string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{}}`
}

// headers as pairs; one with an empty value is taken away.
type pairs []string

var common = pairs{"Content-Type", "application/json", "Accept", "application/json, text/event-stream"}

func modernHeaders(method string, more ...string) pairs {
	return append(append(pairs{"MCP-Protocol-Version", "2026-07-28", "Mcp-Method", method}, common...), more...)
}

// reply is an answer that is closed with the test.
type reply struct {
	StatusCode int
	Header     http.Header
	Body       io.ReadCloser
}

// send sends a request of any kind.
func send(ctx context.Context, t *testing.T, method, url, body string, headers pairs) *reply {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		switch {
		case headers[i] == "Host":
			r.Host = headers[i+1]
		case headers[i+1] == "":
			r.Header.Del(headers[i])
		default:
			r.Header.Set(headers[i], headers[i+1])
		}
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = resp.Body.Close() })
	return &reply{resp.StatusCode, resp.Header, resp.Body}
}

func post(t *testing.T, url, body string, headers pairs) (*reply, string) {
	t.Helper()
	resp := send(context.Background(), t, http.MethodPost, url, body, headers)
	return resp, all(t, resp)
}

func all(t *testing.T, resp *reply) string {
	t.Helper()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// lines reads a stream until one of its lines is want.
func until(t *testing.T, r *bufio.Reader, want string) {
	t.Helper()
	var seen bytes.Buffer
	for {
		line, err := r.ReadString('\n')
		seen.WriteString(line)
		if strings.TrimRight(line, "\r\n") == want {
			return
		}
		if err != nil {
			t.Fatalf("%v before %q; got %q", err, want, seen.String())
		}
	}
}

// open initializes and returns the headers of what follows in the session.
func open(t *testing.T, url string, more ...string) pairs {
	t.Helper()
	resp, body := post(t, url, initBody, append(common, more...))
	id := resp.Header.Get("Mcp-Session-Id")
	if resp.StatusCode != http.StatusOK || id == "" {
		t.Fatalf("initialize: %d %q %s", resp.StatusCode, id, body)
	}
	return append(append(pairs{"Mcp-Session-Id", id, "MCP-Protocol-Version", "2025-06-18"}, common...), more...)
}

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("in vain waited for: " + what)
	}
}
