package gateway

import (
	"context"

	"sluice/internal/mcpwire/exchange"
)

// Intercept puts an interceptor in front of an upstream. A nil one costs nothing: the
// upstream is returned as it is.
func Intercept(up exchange.Upstream, i exchange.Interceptor) exchange.Upstream {
	if i == nil {
		return up
	}
	w := &intercepted{up: up, i: i}
	w.call, w.notify = up.Call, toNotify(up.Notify)
	return w
}

type intercepted struct {
	up     exchange.Upstream
	i      exchange.Interceptor
	call   exchange.Next // made once, not for each call
	notify exchange.Next
}

func (w *intercepted) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return w.i(ctx, c, out, w.call)
}

func (w *intercepted) Notify(ctx context.Context, c *exchange.Call) error {
	return w.i(ctx, c, nowhere{}, w.notify)
}

// Initialize intercepts the handshake too. An interceptor that answers it itself
// opens no session; one that lets it pass twice keeps the last.
func (w *intercepted) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	var opened exchange.Session
	err := w.i(ctx, c, out, func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		s, err := w.up.Initialize(ctx, c, out)
		if opened != nil {
			_ = opened.Close(ctx)
		}
		opened = s
		return err
	})
	if opened == nil {
		return nil, err
	}
	if err != nil { // the interceptor turned the answer down after it was given
		_ = opened.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return w.session(opened), nil
}

func (w *intercepted) Resume(ctx context.Context, c *exchange.Call) (exchange.Session, error) {
	s, err := w.up.Resume(ctx, c)
	if s == nil || err != nil {
		return nil, err
	}
	return w.session(s), nil
}

func (w *intercepted) Close(ctx context.Context) error { return w.up.Close(ctx) }

func (w *intercepted) session(s exchange.Session) exchange.Session {
	return &interceptedSession{Session: s, i: w.i, call: s.Call, notify: toNotify(s.Notify)}
}

type interceptedSession struct {
	exchange.Session
	i      exchange.Interceptor
	call   exchange.Next
	notify exchange.Next
}

func (s *interceptedSession) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return s.i(ctx, c, out, s.call)
}

func (s *interceptedSession) Notify(ctx context.Context, c *exchange.Call) error {
	if c.Message != nil && c.Message.Kind.Response() {
		return s.Session.Notify(ctx, c)
	}
	return s.i(ctx, c, nowhere{}, s.notify)
}

// toNotify makes a Next of what has no answer.
func toNotify(f func(context.Context, *exchange.Call) error) exchange.Next {
	return func(ctx context.Context, c *exchange.Call, _ exchange.Sink) error { return f(ctx, c) }
}

// nowhere takes what an interceptor answers to a notification, which has no answer.
type nowhere struct{}

func (nowhere) Send(exchange.Event) error { return nil }
