package stdiodial

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"os"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/testkit/leak"
)

// deadline of tests: far beyond what anything here takes.
const patience = 30 * time.Second

type bundle struct {
	*Dialer
	log *logBuffer
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func setup(t *testing.T, mode string, change ...func(*Options)) *bundle {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	b := &bundle{log: &logBuffer{}}
	o := Options{Server: "test", Command: []string{exe}, Env: []string{serverMode + "=" + mode}, StopGrace: 300 * time.Millisecond,
		Log: slog.New(slog.NewTextHandler(b.log, &slog.HandlerOptions{Level: slog.LevelDebug}))}
	for _, c := range change {
		c(&o)
	}
	up, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	b.Dialer = up.(*Dialer)
	t.Cleanup(func() {
		if err := b.Close(context.Background()); err != nil {
			t.Error(err)
		}
		if n := b.Children(); n != 0 {
			t.Errorf("%d children left after Close", n)
		}
		if t.Failed() {
			t.Log(b.log.String())
		}
	})
	return b
}

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	return ctx
}

// sink collects what comes back.
type sink struct {
	mu     sync.Mutex
	events []string
	final  string
	came   chan string
}

func newSink() *sink { return &sink{came: make(chan string, 1000)} }

func (s *sink) Send(ev exchange.Event) error {
	if len(ev.Data) == 0 {
		return nil // a stream is open
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(ev.Data) == 0 { // the stream is open
		return nil
	}
	if ev.Final {
		s.final = string(ev.Data)
	} else {
		s.events = append(s.events, string(ev.Data))
	}
	s.came <- string(ev.Data)
	return nil
}

func message(t *testing.T, raw string) *mcpwire.Message {
	t.Helper()
	m, err := mcpwire.Parse([]byte(raw), mcpwire.Limits{})
	if err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return &m
}

func sent(t *testing.T, caller, raw string) *exchange.Call {
	t.Helper()
	m := message(t, raw)
	c := &exchange.Call{Message: m, Caller: exchange.Caller{ID: caller}, Server: "test", Era: mcpwire.Legacy, Version: mcpwire.Version20251125}
	if m.Modern() {
		c.Era, c.Version = mcpwire.Modern, mcpwire.Version20260728
	}
	return c
}

// tool is a modern call; meta is more of _meta.
func tool(id, name, arguments, meta string) string {
	if meta != "" {
		meta = "," + meta
	}
	if arguments == "" {
		arguments = "{}"
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":` + arguments +
		`,"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}` + meta + `}}}`
}

func legacyTool(id, name, arguments string) string {
	if arguments == "" {
		arguments = "{}"
	}
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"tools/call","params":{"name":"` + name + `","arguments":` + arguments +
		`,"_meta":{"progressToken":` + id + `}}}`
}

// text is the text of a tool's result.
func text(t *testing.T, response string) string {
	t.Helper()
	var r struct {
		Result struct {
			Content []struct{ Text string }
		}
	}
	if err := json.Unmarshal([]byte(response), &r); err != nil || len(r.Result.Content) == 0 {
		t.Fatalf("not a tool result: %.300s", response)
	}
	return r.Result.Content[0].Text
}

// ask makes a modern call and returns its text.
func (b *bundle) ask(t *testing.T, caller, name, arguments string) string {
	t.Helper()
	out := newSink()
	if err := b.Call(within(t), sent(t, caller, tool("1", name, arguments, "")), out); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return text(t, out.final)
}

const hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`

func (b *bundle) open(t *testing.T, caller string) exchange.Session {
	t.Helper()
	out := newSink()
	s, err := b.Initialize(within(t), sent(t, caller, hello), out)
	if err != nil || s == nil {
		t.Fatalf("initialize: %v %s", err, out.final)
	}
	if err := s.Notify(within(t), sent(t, caller, `{"jsonrpc":"2.0","method":"notifications/initialized"}`)); err != nil {
		t.Fatal(err)
	}
	return s
}

func wantCode(t *testing.T, err error, code exchange.Code) {
	t.Helper()
	if !errors.Is(err, &exchange.Error{Code: code}) {
		t.Fatalf("error is %v, want code %s", err, code)
	}
}

// gone wants an error of a call or stream that was ended from outside.
func gone(t *testing.T, err error) {
	t.Helper()
	if err == nil {
		t.Error("it ended as if nothing had happened")
	}
}

// eventually waits for what another process does in its own time.
func eventually(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ctx := within(t)
	for !ok() {
		select {
		case <-ctx.Done():
			t.Fatalf("never: %s", what)
		case <-time.After(2 * time.Millisecond):
		}
	}
}

// noGoroutines fails if any goroutine of this package is left.
func noGoroutines(t *testing.T) {
	t.Helper()
	if left := leak.Left("mcpwire/stdiodial."); left != "" {
		t.Errorf("a goroutine is left:\n%s", left)
	}
}
