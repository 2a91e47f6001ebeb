package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"testing"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// both runs a test as a client of each era meets it.
func both(t *testing.T, i exchange.Interceptor, up *fake, test func(t *testing.T, call func(ctx context.Context, c *exchange.Call, out exchange.Sink) error)) {
	t.Helper()
	for _, era := range []mcpwire.Era{mcpwire.Modern, mcpwire.Legacy} {
		t.Run(era.String(), func(t *testing.T) {
			w := gateway.Intercept(up, i)
			if era == mcpwire.Modern {
				test(t, w.Call)
				return
			}
			s, err := w.Resume(t.Context(), legacy(t, `{"jsonrpc":"2.0","method":"ping","id":1}`))
			if err != nil {
				t.Fatal(err)
			}
			test(t, s.Call)
		})
	}
}

func toolCall(t *testing.T) *exchange.Call {
	return modern(t, "tools/call", `"name":"add","arguments":{"a":9007199254740993}`)
}

func TestAnInterceptorThatLetsPassKeepsTheSink(t *testing.T) {
	t.Parallel()
	var got exchange.Sink
	up := &fake{answer: func(_ context.Context, _ *exchange.Call, out exchange.Sink) (string, error) {
		got = out
		return "", nil
	}}
	pass := func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		return next(ctx, c, out)
	}
	both(t, pass, up, func(t *testing.T, call func(context.Context, *exchange.Call, exchange.Sink) error) {
		out := &relayer{}
		if err := call(t.Context(), toolCall(t), out); err != nil {
			t.Fatal(err)
		}
		if got != exchange.Sink(out) {
			t.Error("the sink was wrapped: an answer could not be relayed whole")
		}
	})
}

func TestWithoutAnInterceptorTheUpstreamIsItself(t *testing.T) {
	t.Parallel()
	up := &fake{}
	if gateway.Intercept(up, nil) != exchange.Upstream(up) {
		t.Error("an interceptor that is not there costs something")
	}
}

func TestAnInterceptorChangesAnswersAndRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		i     exchange.Interceptor
		sent  string // part of what reaches the upstream; empty: nothing does
		final string // part of the answer
		err   error
	}{
		{"change by splice", func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
			raw, err := mcpwire.Splice(c.Message.Raw, mcpwire.Edit{Span: c.Message.Arguments, With: []byte(`{"a":1}`)})
			if err != nil {
				return err
			}
			m, err := mcpwire.Parse(raw, mcpwire.Limits{})
			if err != nil {
				return err
			}
			return next(ctx, c.With(&m), out)
		}, `"arguments":{"a":1}`, `"ok":true`, nil},
		{"answer", func(_ context.Context, c *exchange.Call, out exchange.Sink, _ exchange.Next) error {
			return out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(`{"isError":true}`)), Final: true})
		}, "", `"isError":true`, nil},
		{"refuse", func(context.Context, *exchange.Call, exchange.Sink, exchange.Next) error {
			return &exchange.Error{Code: exchange.TooMany}
		}, "", "", &exchange.Error{Code: exchange.TooMany}},
		{"see and edit the result", func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
			return next(ctx, c, editing{out})
		}, `"a":9007199254740993`, `"ok":"redacted"`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up := &fake{answer: says(`{"ok":true}`)}
			both(t, tt.i, up, func(t *testing.T, call func(context.Context, *exchange.Call, exchange.Sink) error) {
				out := &inbox{}
				before := len(up.log())
				err := call(t.Context(), toolCall(t), out)
				if !errors.Is(err, tt.err) {
					t.Fatalf("error %v, want %v", err, tt.err)
				}
				if final := out.final(t); !strings.Contains(final, tt.final) {
					t.Errorf("answered %s, want %s in it", final, tt.final)
				}
				sent := up.log()[before:]
				if (len(sent) > 0) != (tt.sent != "") || len(sent) > 0 && !strings.Contains(sent[0], tt.sent) {
					t.Errorf("the upstream got %q, want %q in it", sent, tt.sent)
				}
			})
		})
	}
}

type editing struct{ exchange.Sink }

func (s editing) Send(e exchange.Event) error {
	e.Data = bytes.Replace(e.Data, []byte("true"), []byte(`"redacted"`), 1)
	return s.Sink.Send(e)
}

func TestAParkedCallGoesOnOrEndsWithItsClient(t *testing.T) {
	t.Parallel()
	parked, release := make(chan struct{}, 1), make(chan struct{})
	park := func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		parked <- struct{}{}
		select {
		case <-release:
			return next(ctx, c, out)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	both(t, park, &fake{answer: says(`{}`)}, func(t *testing.T, call func(context.Context, *exchange.Call, exchange.Sink) error) {
		for _, gives := range []bool{false, true} {
			ctx, cancel := context.WithCancel(t.Context())
			out, ended, c := &inbox{}, make(chan error, 1), toolCall(t)
			go func() { ended <- call(ctx, c, out) }()
			<-parked
			if gives {
				cancel()
			} else {
				release <- struct{}{}
			}
			err := <-ended
			cancel()
			if gives && (!errors.Is(err, context.Canceled) || out.final(t) != "") || !gives && (err != nil || out.final(t) == "") {
				t.Errorf("client gave up: %v; error %v, answer %q", gives, err, out.final(t))
			}
		}
	})
}

func TestTheHandshakeAndNotificationsPassTheInterceptor(t *testing.T) {
	t.Parallel()
	var seen []string
	note := func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		seen = append(seen, c.Message.Method)
		return next(ctx, c, out)
	}
	up := &fake{answer: says(`{}`)}
	s, err := gateway.Intercept(up, note).Initialize(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":0,"method":"initialize"}`), &inbox{})
	if err != nil {
		t.Fatal(err)
	}
	for _, raw := range []string{`{"jsonrpc":"2.0","method":"notifications/initialized"}`, `{"jsonrpc":"2.0","id":3,"result":{}}`} {
		if err := s.Notify(t.Context(), legacy(t, raw)); err != nil {
			t.Fatal(err)
		}
	}
	if got := strings.Join(seen, " "); got != "initialize notifications/initialized" {
		t.Errorf("the interceptor saw %q", got)
	}
	if len(up.log()) != 3 {
		t.Errorf("the upstream got %q", up.log())
	}
}

func TestAHandshakeThatIsAnsweredOpensNoSession(t *testing.T) {
	t.Parallel()
	up := &fake{}
	no := func(context.Context, *exchange.Call, exchange.Sink, exchange.Next) error { return errDown }
	s, err := gateway.Intercept(up, no).Initialize(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":0,"method":"initialize"}`), &inbox{})
	if s != nil || !errors.Is(err, errDown) || up.opened != 0 {
		t.Errorf("session %v, error %v, opened %d", s, err, up.opened)
	}
	after := func(ctx context.Context, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
		return errors.Join(next(ctx, c, out), errDown)
	}
	s, err = gateway.Intercept(up, after).Initialize(t.Context(), legacy(t, `{"jsonrpc":"2.0","id":0,"method":"initialize"}`), &inbox{})
	if s != nil || err == nil || up.opened != 1 || up.closed != 1 {
		t.Errorf("session %v, error %v, opened %d, closed %d", s, err, up.opened, up.closed)
	}
}

func TestBoundsRefuseWhatIsTooMuch(t *testing.T) {
	t.Parallel()
	in, release := make(chan struct{}), make(chan struct{})
	up := &fake{answer: func(context.Context, *exchange.Call, exchange.Sink) (string, error) {
		in <- struct{}{}
		<-release
		return `{"jsonrpc":"2.0","id":$ID,"result":{}}`, nil
	}}
	w := gateway.Intercept(up, gateway.Bound(gateway.Bounds{Calls: 2, PerCaller: 1}))
	as := func(id, method string) *exchange.Call {
		c := modern(t, method, "")
		c.Caller.ID = id
		return c
	}
	ended := make(chan error, 3)
	start := func(c *exchange.Call) {
		go func() { ended <- w.Call(t.Context(), c, &inbox{}) }()
		<-in
	}
	tooMany := &exchange.Error{Code: exchange.TooMany}
	start(as("ada", "tools/list"))
	if err := w.Call(t.Context(), as("ada", "tools/list"), &inbox{}); !errors.Is(err, tooMany) {
		t.Errorf("a second call of one caller: %v", err)
	}
	start(as("bob", "tools/list"))
	if err := w.Call(t.Context(), as("eve", "tools/list"), &inbox{}); !errors.Is(err, tooMany) {
		t.Errorf("a third call of all: %v", err)
	}
	start(as("ada", "subscriptions/listen")) // a stream does not count
	for range 3 {
		release <- struct{}{}
		if err := <-ended; err != nil {
			t.Error(err)
		}
	}
	go func() { <-in; release <- struct{}{} }()
	if err := w.Call(t.Context(), as("eve", "tools/list"), &inbox{}); err != nil {
		t.Errorf("after the others ended: %v", err)
	}
}

func TestATokenThatReadsCallsNoTools(t *testing.T) {
	t.Parallel()
	up := &fake{answer: says(`{}`)}
	w := gateway.Intercept(up, gateway.ReadOnly)
	for method, allowed := range map[string]bool{"tools/call": false, "tasks/cancel": false, "tasks/get": true, "tools/list": true, "resources/read": true} {
		c := modern(t, method, "")
		c.Caller.ReadOnly = true
		err := w.Call(t.Context(), c, &inbox{})
		if allowed != (err == nil) || !allowed && !errors.Is(err, &exchange.Error{Code: exchange.ReadOnlyScope}) {
			t.Errorf("%s: %v", method, err)
		}
	}
}
