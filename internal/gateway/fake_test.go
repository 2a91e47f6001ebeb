package gateway_test

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// fake is an upstream that answers by a function and notes what reached it.
type fake struct {
	// answer gives the final message, or an error; "" sends nothing.
	answer func(ctx context.Context, c *exchange.Call, out exchange.Sink) (string, error)
	// listen serves the stream of a session; nil: there is none.
	listen func(ctx context.Context, last string, out exchange.Sink) error
	// hello is the result of initialize; an error when it begins with "-".
	hello string
	// refuse makes initialize fail, for as long as it says so.
	refuse func() error
	// hang delays initialize, which then ends with its error.
	hang func(ctx context.Context) error

	mu     sync.Mutex
	heard  []string // bodies of requests and notifications
	opened int
	closed int
}

func (f *fake) note(c *exchange.Call) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.heard = append(f.heard, string(c.Message.Raw))
}

func (f *fake) log() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.heard)
}

func (f *fake) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	f.note(c)
	text, err := f.answer(ctx, c, out)
	if err != nil || text == "" {
		return err
	}
	return out.Send(exchange.Event{Data: []byte(strings.ReplaceAll(text, "$ID", string(c.Message.Bytes(c.Message.ID)))), Final: true})
}

func (f *fake) Notify(_ context.Context, c *exchange.Call) error { f.note(c); return nil }
func (f *fake) Close(context.Context) error                      { return nil }

func (f *fake) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	f.note(c)
	if f.hang != nil {
		if err := f.hang(ctx); err != nil {
			return nil, err
		}
	}
	if f.refuse != nil {
		if err := f.refuse(); err != nil {
			return nil, err
		}
	}
	f.mu.Lock()
	f.opened++
	f.mu.Unlock()
	hello := f.hello
	if hello == "" {
		hello = `{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"f","version":"1"}}`
	}
	return &fakeSession{f: f}, out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(hello)), Final: true})
}

func (f *fake) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return &fakeSession{f: f}, nil
}

type fakeSession struct{ f *fake }

func (s *fakeSession) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return s.f.Call(ctx, c, out)
}
func (s *fakeSession) Notify(ctx context.Context, c *exchange.Call) error { return s.f.Notify(ctx, c) }
func (s *fakeSession) Listen(ctx context.Context, _ *exchange.Call, last string, out exchange.Sink) error {
	if s.f.listen == nil {
		return exchange.ErrNoStream
	}
	return s.f.listen(ctx, last, out)
}
func (s *fakeSession) Stateful() bool { return true }
func (s *fakeSession) Close(context.Context) error {
	s.f.mu.Lock()
	defer s.f.mu.Unlock()
	s.f.closed++
	return nil
}

// says answers everything with one result.
func says(result string) func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
	return func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
		return `{"jsonrpc":"2.0","id":$ID,"result":` + result + `}`, nil
	}
}

// fails answers everything with one error.
func fails(code string) func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
	return func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
		return `{"jsonrpc":"2.0","id":$ID,"error":{"code":` + code + `,"message":"no"}}`, nil
	}
}

var errDown = &exchange.Error{Code: exchange.Unreachable, Message: "down"}

func down(context.Context, *exchange.Call, exchange.Sink) (string, error) { return "", errDown }

// hangs answers when its call is cancelled.
func hangs(ctx context.Context, _ *exchange.Call, _ exchange.Sink) (string, error) {
	<-ctx.Done()
	return "", ctx.Err()
}

// inbox is a sink that keeps what comes, copied.
type inbox struct {
	mu     sync.Mutex
	events []exchange.Event
	came   chan struct{} // one for each event, where it is made
}

func (s *inbox) Send(e exchange.Event) error {
	e.Data = slices.Clone(e.Data)
	s.mu.Lock()
	s.events = append(s.events, e)
	s.mu.Unlock()
	if s.came != nil {
		s.came <- struct{}{}
	}
	return nil
}

func (s *inbox) all() []exchange.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.events)
}

// final is the one final message.
func (s *inbox) final(t *testing.T) string {
	t.Helper()
	text := ""
	for _, e := range s.all() {
		if e.Final {
			if text != "" {
				t.Error("a call ended twice")
			}
			text = string(e.Data)
		}
	}
	return text
}

// relayer is an inbox that takes HTTP answers whole.
type relayer struct {
	inbox
	relayed int
}

func (s *relayer) Relay(r *http.Response) error {
	s.relayed++
	return r.Body.Close()
}

// modern and legacy are calls of a client.
func modern(t *testing.T, method, params string) *exchange.Call {
	t.Helper()
	meta := `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`
	if params != "" {
		meta = "," + meta
	}
	return message(t, mcpwire.Modern, `{"jsonrpc":"2.0","id":7,"method":"`+method+`","params":{`+params+meta+`}}`)
}

func legacy(t *testing.T, raw string) *exchange.Call { return message(t, mcpwire.Legacy, raw) }

func message(t *testing.T, era mcpwire.Era, raw string) *exchange.Call {
	t.Helper()
	m, err := mcpwire.Parse([]byte(raw), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &exchange.Call{Message: &m, Era: era, Caller: exchange.Caller{ID: "ada"}, Server: "all", Version: "v"}
}

// decode reads a message where a test looks at values rather than bytes.
func decode(t *testing.T, text string) (v struct {
	Result map[string]json.RawMessage `json:"result"`
	Error  *struct {
		Code    int    `json:"code"`
		Message string `json:"message"`
	} `json:"error"`
}) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return v
}
