package pipeline

import (
	"context"
	"sync/atomic"

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
	return w.p.call(ctx, nil, c, out, w.call)
}

func (w *wrapped) Notify(ctx context.Context, c *exchange.Call) error {
	return w.p.notify(ctx, c, w.notify)
}

// Initialize lets the handshake pass like any other request; what the client says of
// itself there is kept with the session.
func (w *wrapped) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	var opened exchange.Session
	said := func(member string) mcpwire.Span { return mcpwire.Lookup(c.Message.Raw, c.Message.Params, member) }
	s := &session{p: w.p, client: clientName(c.Message, said("clientInfo")), conversation: newConversation(c), canAsk: canBeAsked(c.Message.Raw, said("capabilities"))}
	err := w.p.call(s.conversation.in(ctx), s, c, out, func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		o, err := w.up.Initialize(ctx, c, out)
		if opened != nil {
			_ = opened.Close(context.WithoutCancel(ctx))
		}
		opened = o
		return err
	})
	switch {
	case opened == nil:
		s.conversation.end()
		return nil, err
	case err != nil: // the answer was turned down after it was given
		s.conversation.end()
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
	return (&session{p: w.p, conversation: newConversation(c), canAsk: true}).over(o), nil
}

func (w *wrapped) Close(ctx context.Context) error { return w.up.Close(ctx) }

// session is one legacy conversation behind the pipeline.
type session struct {
	exchange.Session
	p            *Pipeline
	call, pass   exchange.Next
	client       string // as it calls itself
	canAsk       bool   // its client may answer questions of the server, for all that is known
	conversation *conversation
	known        atomic.Pointer[sessionDigest] // of its id
}

func (s *session) over(up exchange.Session) *session {
	s.Session, s.call, s.pass = up, up.Call, toNotify(up.Notify)
	return s
}

func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	return s.p.call(s.conversation.in(ctx), s, c, out, s.call)
}

func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	return s.p.notify(s.conversation.in(ctx), c, s.pass)
}

func (s *session) Listen(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error {
	return s.p.listen(s.conversation.on(ctx), c, lastEventID, out, func(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error {
		if st, ok := out.(*stream); ok && s.canAsk {
			out = &unasked{Sink: st, ctx: ctx, s: st.subject, c: c, back: s.pass}
		}
		return s.Session.Listen(ctx, c, lastEventID, out)
	})
}

func (s *session) Close(ctx context.Context) error {
	s.conversation.end()
	return s.Session.Close(ctx)
}

// toNotify makes a Next of what has no answer.
func toNotify(f func(context.Context, *exchange.Call) error) exchange.Next {
	return func(ctx context.Context, c *exchange.Call, _ exchange.Sink) error { return f(ctx, c) }
}
