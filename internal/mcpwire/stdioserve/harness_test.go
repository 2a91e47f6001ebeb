package stdioserve

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// fake is an upstream made of functions.
type fake struct {
	call       func(ctx context.Context, c *exchange.Call, out exchange.Sink) error
	listen     func(ctx context.Context, lastID string, out exchange.Sink) error
	initialize func(out exchange.Sink, c *exchange.Call) (bool, error)

	mu     sync.Mutex
	notes  []string
	opened int
	closed int
	came   chan string
}

func newFake() *fake { return &fake{came: make(chan string, 100)} }

func (u *fake) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return u.call(ctx, c, out)
}

func (u *fake) Notify(_ context.Context, c *exchange.Call) error {
	u.mu.Lock()
	u.notes = append(u.notes, string(c.Message.Raw))
	u.mu.Unlock()
	u.came <- string(c.Message.Raw)
	return nil
}

func (u *fake) Initialize(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	u.mu.Lock()
	u.opened++
	u.mu.Unlock()
	if u.initialize != nil {
		if ok, err := u.initialize(out, c); !ok {
			return nil, err
		}
		return fakeSession{u}, nil
	}
	return fakeSession{u}, final(out, c, `{"protocolVersion":"2025-06-18"}`)
}

func (u *fake) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return nil, errors.New("no")
}

func (u *fake) Close(context.Context) error { return nil }

type fakeSession struct{ *fake }

func (s fakeSession) Listen(ctx context.Context, _ *exchange.Call, lastID string, out exchange.Sink) error {
	if s.listen == nil {
		return exchange.ErrNoStream
	}
	return s.listen(ctx, lastID, out)
}
func (s fakeSession) Stateful() bool { return true }
func (s fakeSession) Close(context.Context) error {
	s.mu.Lock()
	s.closed++
	s.mu.Unlock()
	return nil
}

func final(out exchange.Sink, c *exchange.Call, result string) error {
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(result))})
}

// client is the other end of a face that runs.
type client struct {
	t     *testing.T
	in    *io.PipeWriter
	out   *bufio.Reader
	ended chan error
	stop  context.CancelFunc
}

func start(t *testing.T, up exchange.Upstream, change ...func(*Options)) *client {
	t.Helper()
	o := Options{Upstream: up, Server: "test"}
	for _, f := range change {
		f(&o)
	}
	inR, inW := io.Pipe()
	outR, outW := io.Pipe()
	ctx, cancel := context.WithCancel(context.Background())
	c := &client{t: t, in: inW, out: bufio.NewReader(outR), ended: make(chan error, 1), stop: cancel}
	go func() {
		err := Serve(ctx, inR, outW, o)
		_ = outW.Close()
		c.ended <- err
	}()
	t.Cleanup(func() {
		cancel()
		_ = inW.Close()
		_ = outR.Close()
	})
	return c
}

func (c *client) send(lines ...string) {
	c.t.Helper()
	for _, line := range lines {
		if _, err := io.WriteString(c.in, line+"\n"); err != nil {
			c.t.Fatal(err)
		}
	}
}

func (c *client) next() string {
	c.t.Helper()
	line, err := c.out.ReadString('\n')
	if err != nil {
		c.t.Fatalf("no message: %v", err)
	}
	return strings.TrimSuffix(line, "\n")
}

func (c *client) want(part string) {
	c.t.Helper()
	if got := c.next(); !strings.Contains(got, part) {
		c.t.Fatalf("got %s, want it to have %s", got, part)
	}
}

// end closes the input and wants an orderly end without another message.
func (c *client) end() {
	c.t.Helper()
	_ = c.in.Close()
	if rest, err := io.ReadAll(c.out); err != nil || len(rest) > 0 {
		c.t.Errorf("at the end came %q, %v", rest, err)
	}
	if err := <-c.ended; err != nil {
		c.t.Errorf("Serve: %v", err)
	}
}

const hello = `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"c","version":"1"}}}`

func modern(id, method string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
}

func legacy(id, method string) string {
	return `{"jsonrpc":"2.0","id":` + id + `,"method":"` + method + `"}`
}

func cancelling(id string) string {
	return `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":` + id + `}}`
}
