package httpdial_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/testkit/leak"
)

// sink keeps what comes back; it does not take answers whole.
type sink struct {
	mu     sync.Mutex
	events []exchange.Event
	opened int           // events that said that a stream is open, and nothing more
	seen   chan struct{} // gets a token for each event, where it is set
	err    error
}

func (s *sink) Send(e exchange.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(e.Data) == 0 && !e.HasID && e.Retry == "" && !e.Final {
		s.opened++
		return s.err
	}
	e.Data = bytes.Clone(e.Data)
	s.events = append(s.events, e)
	if s.seen != nil {
		s.seen <- struct{}{}
	}
	return s.err
}

func (s *sink) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var lines []string
	for _, e := range s.events {
		line := string(e.Data)
		if e.Final {
			line = "final " + line
		}
		lines = append(lines, line)
	}
	return strings.Join(lines, "\n")
}

// relay takes answers whole, as the face to an HTTP client does.
type relay struct {
	sink
	resp *http.Response
	body string
}

func (r *relay) Relay(resp *http.Response) error {
	defer func() { _ = resp.Body.Close() }()
	r.resp = resp
	b, err := io.ReadAll(resp.Body)
	r.body = string(b)
	return err
}

// server is an upstream that records what it gets.
type server struct {
	*httptest.Server
	mu       sync.Mutex
	requests []*recorded
}

type recorded struct {
	*http.Request
	body string
}

func (s *server) got() []*recorded {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*recorded(nil), s.requests...)
}

// serve starts an upstream; the body of a request is read already.
func serve(t *testing.T, h func(w http.ResponseWriter, r *recorded)) *server {
	t.Helper()
	s := &server{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		rec := &recorded{r, string(b)}
		s.mu.Lock()
		s.requests = append(s.requests, rec)
		s.mu.Unlock()
		h(w, rec)
	}))
	t.Cleanup(s.Close)
	return s
}

func answer(w http.ResponseWriter, status int, body string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, body)
}

// events answers with a stream of whole blocks, each sent at once.
func events(w http.ResponseWriter, blocks ...string) {
	w.Header().Set("Content-Type", "text/event-stream")
	for _, b := range blocks {
		_, _ = io.WriteString(w, b+"\n\n")
		_ = http.NewResponseController(w).Flush()
	}
}

func dial(t *testing.T, o httpdial.Options) exchange.Upstream {
	t.Helper()
	if o.Server == "" {
		o.Server = "shop"
	}
	u, err := httpdial.New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = u.Close(t.Context()) })
	return u
}

// byEach runs a test with either of those who carry requests.
func byEach(t *testing.T, name string, test func(t *testing.T, o func(url string) httpdial.Options)) {
	t.Run(name, func(t *testing.T) {
		t.Parallel()
		test(t, func(url string) httpdial.Options { return httpdial.Options{URL: url} })
	})
	t.Run(name+", by net/http", func(t *testing.T) {
		t.Parallel()
		test(t, func(url string) httpdial.Options {
			return httpdial.Options{URL: url, Transport: &http.Transport{DisableCompression: true}}
		})
	})
}

func to(t *testing.T, s *server) exchange.Upstream {
	t.Helper()
	return dial(t, httpdial.Options{URL: s.URL + "/mcp"})
}

const (
	meta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	call = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add",` + meta + `,"arguments":{"a":1}}}`
	done = `{"jsonrpc":"2.0","id":1,"result":{"content":[],"resultType":"complete"}}`
)

func parse(t *testing.T, raw string) *mcpwire.Message {
	t.Helper()
	m, err := mcpwire.Parse([]byte(raw), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &m
}

func modern(t *testing.T, raw string) *exchange.Call {
	t.Helper()
	return &exchange.Call{Message: parse(t, raw), Caller: exchange.Caller{ID: "ann"}, Server: "shop",
		Era: mcpwire.Modern, Version: mcpwire.Version20260728, Header: http.Header{}}
}

func legacy(t *testing.T, raw string) *exchange.Call {
	t.Helper()
	return &exchange.Call{Message: parse(t, raw), Caller: exchange.Caller{ID: "ann"}, Server: "shop",
		Era: mcpwire.Legacy, Version: mcpwire.Version20251125}
}

func wantCode(t *testing.T, err error, code exchange.Code) {
	t.Helper()
	_ = errorOf(t, err, code)
}

func errorOf(t *testing.T, err error, code exchange.Code) *exchange.Error {
	t.Helper()
	var e *exchange.Error
	if !errors.As(err, &e) || e.Code != code {
		t.Fatalf("error is %v; want %s", err, code)
	}
	return e
}

func TestMain(m *testing.M) { leak.Main(m, "mcpwire/httpdial.", "http.(*persistConn)") }

func wait(t *testing.T, c <-chan struct{}, what string) {
	t.Helper()
	select {
	case <-c:
	case <-time.After(10 * time.Second):
		t.Fatal("waited in vain for " + what)
	}
}

func background(ctx context.Context, run func(context.Context) error) <-chan error {
	c := make(chan error, 1)
	go func() { c <- run(ctx) }()
	return c
}
