package pipeline

import (
	"context"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Wrap puts the pipeline around an upstream: its calls and its streams.
func (p *Pipeline) Wrap(up exchange.Upstream) exchange.Upstream {
	w := &wrapped{p: p, up: up}
	w.call, w.notify = up.Call, toNotify(up.Notify)
	return w
}

type wrapped struct {
	p      *Pipeline
	up     exchange.Upstream
	call   exchange.Next // made once, not for each call
	notify exchange.Next
}

func (w *wrapped) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return w.p.intercept(ctx, c, out, w.call)
}

func (w *wrapped) Notify(ctx context.Context, c *exchange.Call) error {
	return w.p.notify(ctx, c, w.notify)
}

// Initialize lets the handshake pass like any other request; what the client says of
// itself there is kept with the session.
func (w *wrapped) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	var opened exchange.Session
	s := &session{p: w.p, hello: helloOf(c.Message)}
	err := w.p.intercept(withSession(ctx, s), c, out, func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		o, err := w.up.Initialize(ctx, c, out)
		if opened != nil {
			_ = opened.Close(context.WithoutCancel(ctx))
		}
		opened = o
		return err
	})
	if opened == nil {
		return nil, err
	}
	if err != nil { // the answer was turned down after it was given
		_ = opened.Close(context.WithoutCancel(ctx))
		return nil, err
	}
	return s.over(opened), nil
}

func (w *wrapped) Resume(ctx context.Context, c *exchange.Call) (exchange.Session, error) {
	o, err := w.up.Resume(ctx, c)
	if o == nil || err != nil {
		return nil, err
	}
	return (&session{p: w.p, hello: &hello{}}).over(o), nil
}

func (w *wrapped) Close(ctx context.Context) error { return w.up.Close(ctx) }

// session is one legacy conversation behind the pipeline.
type session struct {
	exchange.Session
	p            *Pipeline
	call, pass   exchange.Next
	hello        *hello
	conversation conversation // what the result side keeps of it
}

func (s *session) over(up exchange.Session) *session {
	s.Session, s.call, s.pass = up, up.Call, toNotify(up.Notify)
	return s
}

func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return s.p.intercept(withSession(ctx, s), c, out, s.call)
}

func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	if c.Message != nil && c.Message.Kind.Response() {
		return s.Session.Notify(ctx, c)
	}
	return s.p.notify(withSession(ctx, s), c, s.pass)
}

func (s *session) Listen(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error {
	subject, err := s.p.subject(c)
	if err != nil {
		return err
	}
	return s.p.listen(withSession(ctx, s), subject, c, lastEventID, out, s.Session.Listen)
}

// hello is what a client said of itself when it opened its session.
type hello struct {
	Client       string
	Version      string
	Capabilities []byte // raw object; nil: none
}

func helloOf(m *mcpwire.Message) *hello {
	h := &hello{Client: clientName(m, mcpwire.Lookup(m.Raw, m.Params, "clientInfo"))}
	h.Version, _ = m.Text(mcpwire.Member(m.Raw, m.Params, "protocolVersion"))
	if at := mcpwire.Member(m.Raw, m.Params, "capabilities"); at.Present() {
		h.Capabilities = append([]byte(nil), m.Bytes(at)...)
	}
	return h
}

type sessionKey struct{}

func withSession(ctx context.Context, s *session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// sessionOf is the legacy session that a call belongs to; nil where there is none.
func sessionOf(ctx context.Context) *session {
	s, _ := ctx.Value(sessionKey{}).(*session)
	return s
}

// toNotify makes a Next of what has no answer.
func toNotify(f func(context.Context, *exchange.Call) error) exchange.Next {
	return func(ctx context.Context, c *exchange.Call, _ exchange.Sink) error { return f(ctx, c) }
}
