package stdioserve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/testkit/leak"
)

func TestModernCallsRunConcurrently(t *testing.T) {
	t.Parallel()
	up := newFake()
	release := make(chan struct{})
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Era != mcpwire.Modern || c.Version != mcpwire.Version20260728 || c.Caller.ID != "local" || c.Server != "test" {
			t.Errorf("the call is %+v", c)
		}
		if c.Message.Method == "wait" {
			<-release
		} else {
			defer close(release)
		}
		return final(out, c, "{\n \"x\": 1,\r\n \"y\": \"a\\nb\"\n}")
	}
	c := start(t, up)
	c.send(modern("9007199254740993", "wait"), modern(`"a"`, "go"))
	for range 2 {
		got := c.next()
		if !strings.Contains(got, `"y": "a\nb"`) {
			t.Errorf("the answer is not on one line: %q", got)
		}
		if !strings.Contains(got, `"id":9007199254740993,`) && !strings.Contains(got, `"id":"a",`) {
			t.Errorf("whose is %q?", got)
		}
	}
	c.end()
}

func TestMalformedLinesAreAnswered(t *testing.T) {
	t.Parallel()
	up := newFake()
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error { return final(out, c, "{}") }
	c := start(t, up, func(o *Options) { o.Limits.Size = 4096 })
	tests := []struct{ name, line, want string }{
		{"no JSON", `{"jsonrpc":`, `"id":null,"error":{"code":-32700`},
		{"id known", `{"jsonrpc":"2.0","id":7,"method":"x","method":"y"}`, `"id":7,"error":{"code":-32`},
		{"batch", `[{"jsonrpc":"2.0","id":7,"method":"x"}]`, `"id":null,"error":{"code":-32600`},
		{"too long", `{"jsonrpc":"2.0","id":7,"method":"` + strings.Repeat("x", 5000) + `"}`, `"id":null,"error":{"code":-32600`},
		{"unknown version", strings.Replace(modern("8", "x"), "2026-07-28", "2027-01-01", 1), `"id":8,"error":{"code":-32022`},
		{"no capabilities", `{"jsonrpc":"2.0","id":9,"method":"x","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`, `"id":9,"error":{"code":-32602`},
		{"neither era", legacy("10", "tools/list"), `"id":10,"error":{"code":-32602`},
		{"ping before the session", legacy("11", "ping"), `"id":11,"result":{}`},
		{"and it goes on", modern("12", "x"), `"id":12,"result":{}`},
	}
	for _, tt := range tests {
		c.send(tt.line)
		if got := c.next(); !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
	c.send(`{"jsonrpc":"2.0","method":"notifications/whatever"}`, "", "  ")
	c.end()
}

func TestLegacySession(t *testing.T) {
	t.Parallel()
	up := newFake()
	up.listen = func(ctx context.Context, _ string, out exchange.Sink) error {
		if err := out.Send(exchange.Event{}); err != nil {
			return err
		}
		if err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/news"}`)}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Era != mcpwire.Legacy || c.Version != mcpwire.Version20250618 {
			t.Errorf("the call speaks %v %s", c.Era, c.Version)
		}
		if err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","id":"s","method":"roots/list"}`)}); err != nil {
			return err
		}
		for note := range up.came {
			if strings.Contains(note, `"id":"s"`) {
				return final(out, c, `{"was":`+note+`}`)
			}
		}
		return nil
	}
	c := start(t, up)
	c.send(hello, legacy("1", "tools/list")) // at once: the second waits for the first
	c.want(`"id":0,"result":{"protocolVersion":"2025-06-18"}`)
	c.want(`"roots/list"`)
	c.send(`{"jsonrpc":"2.0","id":"s","result":{"roots":[]}}`)
	c.want(`"id":1,"result":{"was":{"jsonrpc":"2.0","id":"s","result":{"roots":[]}}}`)
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	c.want(`notifications/news`)
	c.end()
	if up.closed != 1 {
		t.Errorf("the session was closed %d times", up.closed)
	}
}

func TestModernCancellationEndsTheCallSilently(t *testing.T) {
	t.Parallel()
	up := newFake()
	running := make(chan string)
	up.call = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Message.Method == "after" {
			return final(out, c, `{}`)
		}
		running <- c.Message.Method
		<-ctx.Done()
		_ = out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/late"}`)})
		return ctx.Err()
	}
	c := start(t, up)
	for _, method := range []string{"tools/call", "subscriptions/listen"} {
		c.send(modern("1", method))
		<-running
		c.send(cancelling("1"))
	}
	c.send(cancelling(`"unknown"`), modern("2", "after"))
	c.want(`"id":2,"result"`)
	c.end()
}

func TestLegacyCancellationGoesOn(t *testing.T) {
	t.Parallel()
	up := newFake()
	running, cancelled := make(chan struct{}), make(chan struct{})
	up.call = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		close(running)
		<-cancelled
		if ctx.Err() != nil {
			t.Error("the context of a legacy call ended with its cancellation")
		}
		return &exchange.Error{Code: exchange.BrokeOff, Message: "cancelled"}
	}
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0`)
	c.send(legacy("1", "slow"))
	<-running
	c.send(cancelling("1"))
	if got := <-up.came; got != cancelling("1") {
		t.Errorf("the upstream was told %s", got)
	}
	close(cancelled)
	c.end() // and no error for a call that the client gave up
}

func TestNotificationsKeepTheirOrder(t *testing.T) {
	t.Parallel()
	up := newFake()
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0`)
	var want []string
	for i := range 50 {
		note := fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/n","params":{"n":%d}}`, i)
		want = append(want, note)
		c.send(note)
	}
	c.end()
	if got := strings.Join(up.notes, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("they came as\n%s", got)
	}
}

func TestErrorsAndMissingAnswers(t *testing.T) {
	t.Parallel()
	up := newFake()
	up.call = func(_ context.Context, c *exchange.Call, _ exchange.Sink) error {
		if c.Message.Method == "nothing" {
			return nil
		}
		return &exchange.Error{Code: exchange.TimedOut, Message: "server test: it did not answer in time"}
	}
	c := start(t, up)
	c.send(modern(`"e"`, "fails"))
	c.want(`"id":"e","error":{"code":-31002`)
	c.send(modern(`2`, "nothing"))
	c.want(`"id":2,"error":{"code":-31003`)
	c.end()
}

func TestLimitOfCallsAndTheSameIDTwice(t *testing.T) {
	t.Parallel()
	up := newFake()
	running, release := make(chan struct{}, 2), make(chan struct{})
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		running <- struct{}{}
		<-release
		return final(out, c, "{}")
	}
	c := start(t, up, func(o *Options) { o.MaxCalls = 1 })
	c.send(modern("1", "x"))
	<-running
	c.send(modern("1", "x"))
	c.want(`"id":1,"error":{"code":-32600`)
	c.send(modern("2", "x"))
	c.want(`"id":2,"error":{"code":-31010`)
	close(release)
	c.want(`"id":1,"result"`)
	c.end()
}

func TestLostSessionIsReportedOnceAndOpenedAnew(t *testing.T) {
	t.Parallel()
	up := newFake()
	var calls []string // one at a time, since the client waits for each answer
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
		uri, _ := c.Message.Text(c.Message.URI)
		calls = append(calls, c.Message.Method+uri)
		if c.Message.Method == "lose" {
			return &exchange.Error{Code: exchange.SessionLost, Message: "server test: gone"}
		}
		return final(out, c, "{}")
	}
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0,"result"`)
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	<-up.came
	for _, line := range []string{
		`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a:1"}}`,
		`{"jsonrpc":"2.0","id":2,"method":"resources/subscribe","params":{"uri":"a:2"}}`,
		`{"jsonrpc":"2.0","id":3,"method":"resources/unsubscribe","params":{"uri":"a:2"}}`,
	} {
		c.send(line)
		c.want(`"result":{}`)
	}
	c.send(legacy("4", "lose"))
	c.want(`"id":4,"error":{"code":-31005`)
	calls = nil
	c.send(legacy("5", "tools/list"))
	c.want(`"id":5,"result"`) // and the client does not see a second answer to initialize
	if got := <-up.came; !strings.Contains(got, "notifications/initialized") {
		t.Errorf("the new session was told %s", got)
	}
	if got := strings.Join(calls, " "); got != "resources/subscribea:1 tools/list" {
		t.Errorf("the new session was asked %s", got)
	}
	c.end()
	if up.opened != 2 || up.closed != 2 {
		t.Errorf("%d opened, %d closed", up.opened, up.closed)
	}
}

func TestRefusedInitializeMayBeRepeated(t *testing.T) {
	t.Parallel()
	up := newFake()
	first := true
	up.initialize = func(out exchange.Sink, c *exchange.Call) (bool, error) {
		if first {
			first = false
			return false, out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), -32602, "no", nil)})
		}
		return true, final(out, c, "{}")
	}
	up.call = func(_ context.Context, c *exchange.Call, out exchange.Sink) error { return final(out, c, "{}") }
	c := start(t, up)
	c.send(hello)
	c.want(`-32602`)
	c.send(legacy("1", "tools/list"))
	c.want(`"id":1,"error":{"code":-32602`)
	c.send(hello, legacy("1", "tools/list"))
	c.want(`"id":0,"result"`)
	c.want(`"id":1,"result"`)
	c.end()
}

func TestStreamIsResumed(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := newFake()
		var asked []string
		var at []time.Duration
		begin := time.Now()
		up.listen = func(ctx context.Context, lastID string, out exchange.Sink) error {
			asked = append(asked, lastID)
			at = append(at, time.Since(begin))
			switch len(asked) {
			case 1:
				return out.Send(exchange.Event{ID: "e1", HasID: true, Retry: "3000"})
			case 2:
				return errors.New("dropped")
			}
			<-ctx.Done()
			return ctx.Err()
		}
		c := start(t, up)
		c.send(hello)
		c.want(`"id":0`)
		c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
		time.Sleep(time.Minute)
		c.end()
		if len(asked) != 3 || asked[1] != "e1" || asked[2] != "e1" {
			t.Errorf("asked with %q", asked)
		}
		if at[1] != 3*time.Second || at[2] != 6*time.Second {
			t.Errorf("asked at %v", at)
		}
	})
}

func TestEndOfInputWaitsForCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := newFake()
		up.call = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
			switch c.Message.Method {
			case "quick":
				time.Sleep(time.Second)
				return final(out, c, "{}")
			case "slow":
				<-ctx.Done()
			case "subscriptions/listen":
				<-ctx.Done()
			}
			return ctx.Err()
		}
		c := start(t, up, func(o *Options) { o.DrainTimeout = 5 * time.Second })
		begin := time.Now()
		c.send(modern("1", "quick"), modern("2", "slow"), modern("3", "subscriptions/listen"))
		_ = c.in.Close()
		c.want(`"id":1,"result"`)
		c.want(`"id":2,"error":{"code":-31011`)
		c.end()
		if took := time.Since(begin); took != 5*time.Second {
			t.Errorf("took %v", took)
		}
	})
}

func TestEndOfContextAndOfTheClient(t *testing.T) {
	t.Parallel()
	up := newFake()
	running := make(chan struct{}, 1)
	up.call = func(ctx context.Context, _ *exchange.Call, _ exchange.Sink) error {
		running <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	}
	t.Run("context", func(t *testing.T) {
		c := start(t, up)
		c.send(modern("1", "x"))
		<-running
		c.stop()
		c.want(`"id":1,"error":{"code":-31011`)
		if err := <-c.ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	t.Run("client takes nothing more", func(t *testing.T) {
		inR, inW := io.Pipe()
		defer inW.Close() //nolint:errcheck // a pipe in memory
		ended := make(chan error, 1)
		go func() { ended <- Serve(context.Background(), inR, broken{}, Options{Upstream: up}) }()
		if _, err := io.WriteString(inW, modern("1", "x")+"\nnonsense\n"); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, io.ErrClosedPipe) {
			t.Errorf("Serve: %v", err)
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestNothingIsLeftBehind(t *testing.T) {
	up := newFake()
	up.listen = func(ctx context.Context, _ string, _ exchange.Sink) error { <-ctx.Done(); return ctx.Err() }
	c := start(t, up)
	c.send(hello)
	c.want(`"id":0`)
	c.send(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)
	<-up.came
	c.end()
	if left := leak.Left("stdioserve.(*"); left != "" {
		t.Errorf("a goroutine is left:\n%s", left)
	}
}
