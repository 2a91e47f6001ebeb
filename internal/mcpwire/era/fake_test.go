package era_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// fake is an upstream that plays a script. Without a script for an era it speaks none
// of it.
type fake struct {
	hello  string // result of initialize
	legacy func(ctx context.Context, s *fakeSession, m *mcpwire.Message, out exchange.Sink) error
	modern func(ctx context.Context, c *exchange.Call, out exchange.Sink) error

	mu       sync.Mutex
	sessions []*fakeSession
	closed   bool
	notified []string
}

// fakeSession is one legacy session of it.
type fakeSession struct {
	f      *fake
	caller exchange.Caller
	hello  string
	heard  chan *mcpwire.Message // notifications and responses of the client
	stream chan string           // what its own stream sends; nil for none

	mu     sync.Mutex
	seen   []string // requests, raw
	opened int      // streams
	ended  bool
}

const someHello = `{"protocolVersion":"2025-11-25","capabilities":{"tools":{"listChanged":true},"prompts":{},"resources":{"subscribe":true,"listChanged":true},` +
	`"logging":{},"tasks":{"list":{}},"extensions":{"com.example/x":{"n":1e400}}},"serverInfo":{"name":"old","version":"1","x":[1]},"instructions":"be kind"}`

func wrongEra() error {
	return &exchange.Error{Code: exchange.WrongEra, Message: "not this era"}
}

func (f *fake) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if f.modern == nil {
		return wrongEra()
	}
	return f.modern(ctx, c, out)
}

func (f *fake) Notify(_ context.Context, c *exchange.Call) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.notified = append(f.notified, string(c.Message.Raw))
	return nil
}

func (f *fake) Initialize(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	if f.legacy == nil {
		return nil, wrongEra()
	}
	s := &fakeSession{f: f, caller: c.Caller, hello: string(c.Message.Raw), heard: make(chan *mcpwire.Message, 100), stream: make(chan string, 10)}
	f.mu.Lock()
	f.sessions = append(f.sessions, s)
	hello := f.hello
	f.mu.Unlock()
	if hello == "" {
		hello = someHello
	}
	return s, out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(hello)), Final: true, Status: 200})
}

func (f *fake) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return nil, errors.New("nothing to resume")
}

func (f *fake) Close(context.Context) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closed = true
	return nil
}

func (f *fake) session(t *testing.T, n int) *fakeSession {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if n >= len(f.sessions) {
		t.Fatalf("only %d sessions were opened", len(f.sessions))
	}
	return f.sessions[n]
}

func (f *fake) count() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return len(f.sessions)
}

func (s *fakeSession) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	s.mu.Lock()
	s.seen = append(s.seen, string(c.Message.Raw))
	ended := s.ended
	s.mu.Unlock()
	if ended {
		return &exchange.Error{Code: exchange.SessionLost, Message: "lost"}
	}
	switch c.Message.Method {
	case mcpwire.MethodSetLevel, mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe:
		return finish(c.Message, out, "{}")
	}
	return s.f.legacy(ctx, s, c.Message, out)
}

func (s *fakeSession) Notify(_ context.Context, c *exchange.Call) error {
	if c.Message.Method != mcpwire.MethodInitialized {
		s.heard <- c.Message
	}
	return nil
}

func (s *fakeSession) Listen(ctx context.Context, _ *exchange.Call, _ string, out exchange.Sink) error {
	if s.stream == nil {
		return exchange.ErrNoStream
	}
	s.mu.Lock()
	s.opened++
	s.mu.Unlock()
	for {
		select {
		case raw := <-s.stream:
			if err := out.Send(exchange.Event{Data: []byte(raw)}); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *fakeSession) Stateful() bool { return true }

func (s *fakeSession) Close(context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	return nil
}

func (s *fakeSession) over() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ended
}

// methods are the requests that came, in order.
func (s *fakeSession) methods() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []string
	for _, raw := range s.seen {
		m, _ := mcpwire.ParseReply([]byte(raw), mcpwire.Limits{})
		all = append(all, m.Method)
	}
	return all
}

func (s *fakeSession) lastSeen() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.seen[len(s.seen)-1]
}

// finish answers a request.
func finish(m *mcpwire.Message, out exchange.Sink, result string) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildResult(m.Bytes(m.ID), []byte(result)), Final: true, Status: 200})
}

func fail(m *mcpwire.Message, out exchange.Sink, code int, message, data string) error {
	var raw []byte
	if data != "" {
		raw = []byte(data)
	}
	return out.Send(exchange.Event{Data: mcpwire.BuildError(m.Bytes(m.ID), code, message, raw), Final: true, Status: 200})
}

func say(out exchange.Sink, format string, args ...any) error {
	return out.Send(exchange.Event{Data: fmt.Appendf(nil, format, args...)})
}

// record is a client's sink.
type record struct {
	mu     sync.Mutex
	events []string
	status int
	came   chan struct{}
}

func newRecord() *record { return &record{came: make(chan struct{}, 1000)} }

func (r *record) Send(e exchange.Event) error {
	if len(e.Data) == 0 && !e.HasID && e.Retry == "" {
		return nil // a stream is open
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.events = append(r.events, string(e.Data))
	if e.Final {
		r.status = e.Status
	}
	r.came <- struct{}{}
	return nil
}

func (r *record) all() []string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.events)
}

// last is the last message that came.
func (r *record) last(t *testing.T) *mcpwire.Message {
	t.Helper()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.events) == 0 {
		t.Fatal("nothing came")
	}
	m, err := mcpwire.ParseReply([]byte(r.events[len(r.events)-1]), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", r.events[len(r.events)-1], err)
	}
	return &m
}

// at is a member of a message, as JSON without blanks.
func at(t *testing.T, m *mcpwire.Message, path ...string) string {
	t.Helper()
	span := mcpwire.Lookup(m.Raw, mcpwire.Span{Start: 0, End: len(m.Raw)}, path...)
	if !span.Present() {
		return ""
	}
	var b bytes.Buffer
	if err := json.Compact(&b, m.Bytes(span)); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func same(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s:\n got %s\nwant %s", what, got, want)
	}
}

func contains(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if !strings.Contains(got, p) {
			t.Errorf("%s lacks %s:\n%s", what, p, got)
		}
	}
}

func lacks(t *testing.T, what, got string, parts ...string) {
	t.Helper()
	for _, p := range parts {
		if strings.Contains(got, p) {
			t.Errorf("%s has %s:\n%s", what, p, got)
		}
	}
}

// client sends to an adapter.
type client struct {
	t    *testing.T
	up   exchange.Upstream
	who  string
	caps string
	meta string // more members of _meta
}

func message(t *testing.T, format string, args ...any) *mcpwire.Message {
	t.Helper()
	m, err := mcpwire.Parse(fmt.Appendf(nil, format, args...), mcpwire.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &m
}

// modern is a modern request; params are members after _meta.
func (c *client) modern(id, method, params string) *exchange.Call {
	c.t.Helper()
	who, caps := c.who, c.caps
	if who == "" {
		who = "alice"
	}
	if caps == "" {
		caps = "{}"
	}
	if params != "" {
		params = "," + params
	}
	m := message(c.t, `{"jsonrpc":"2.0","id":%s,"method":%q,"params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28",`+
		`"io.modelcontextprotocol/clientInfo":{"name":"c","version":"0"},"io.modelcontextprotocol/clientCapabilities":%s%s}%s}}`, id, method, caps, c.meta, params)
	return &exchange.Call{Message: m, Caller: exchange.Caller{ID: who}, Server: "crm", Era: mcpwire.Modern, Version: mcpwire.Version20260728}
}

// legacy is a legacy message.
func (c *client) legacy(format string, args ...any) *exchange.Call {
	c.t.Helper()
	return &exchange.Call{Message: message(c.t, format, args...), Caller: exchange.Caller{ID: "alice"}, Server: "crm", Era: mcpwire.Legacy, Version: mcpwire.Version20251125}
}

// call makes a modern request and waits for what becomes of it.
func (c *client) call(id, method, params string) *record {
	c.t.Helper()
	r := newRecord()
	if err := c.up.Call(c.t.Context(), c.modern(id, method, params), r); err != nil {
		c.t.Fatalf("%s: %v", method, err)
	}
	return r
}

// facing is an adapter in front of the fake, closed at the end of the test.
func facing(t *testing.T, f *fake, opt era.Options) exchange.Upstream {
	t.Helper()
	opt.Server = "crm"
	up := era.New(f, opt)
	t.Cleanup(func() {
		if err := up.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return up
}
