package stdiodial

import (
	"bytes"
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// session is one legacy client and the child that is all its own.
type session struct {
	d     *Dialer
	hello *exchange.Call // its initialize request

	mu          sync.Mutex
	kid         *child
	initialized []byte // its notifications/initialized, once it came
	uses        int    // what the child knows of the client beside its handshake
	lost        bool
	closed      bool
	busy        int       // calls and notifications under way
	touched     time.Time // when the last of them ended
	listener    *inbox
	waiting     []exchange.Event // for a listener to come

	restart sync.Mutex // held while a child is replaced
}

// Initialize opens a session with a child of its own.
func (d *Dialer) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	hello := *c
	m := *c.Message
	m.Raw = bytes.Clone(m.Raw)
	hello.Message = &m
	for again := true; ; again = false {
		s := &session{d: d, hello: &hello}
		opened, err := s.handshake(ctx, c, out)
		switch {
		case errors.Is(err, errUnsent) && again:
			continue
		case errors.Is(err, errUnsent):
			return nil, d.errorf(exchange.Unreachable, err, "it ends before it reads a message")
		case err != nil:
			return nil, err
		case !opened:
			return nil, nil //nolint:nilnil // the contract: the answer was an error, and was passed on
		}
		return s, nil
	}
}

// handshake starts a child and sends it the session's initialize request. Without a
// session the child is ended.
func (s *session) handshake(ctx context.Context, c *exchange.Call, out exchange.Sink) (opened bool, err error) {
	kid, err := s.d.forSession(ctx, c.Caller, s)
	if err != nil {
		return false, err
	}
	s.mu.Lock()
	s.kid = kid
	s.mu.Unlock()
	answer := &helloSink{Sink: out}
	err = kid.call(ctx, c, answer, true)
	if err != nil || !answer.opened.Load() {
		s.d.background(func() { kid.end(context.Background()) })
		if errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
			// A handshake does nothing that could be half done.
			<-kid.exited
			err = s.d.errorf(exchange.Unreachable, nil, "it ended before it answered initialize ("+kid.cmd.ProcessState.String()+")")
		}
		return false, err
	}
	s.mu.Lock()
	s.touched = time.Now()
	s.mu.Unlock()
	return true, nil
}

// helloSink notes whether initialize was answered by a result.
type helloSink struct {
	exchange.Sink
	opened atomic.Bool
}

func (h *helloSink) Send(ev exchange.Event) error {
	if ev.Final {
		m, err := mcpwire.ParseReply(ev.Data, mcpwire.Limits{})
		h.opened.Store(err == nil && m.Kind == mcpwire.Result)
	}
	return h.Sink.Send(ev)
}

type discard struct{}

func (discard) Send(exchange.Event) error { return nil }

// current is the session's child. One that died after nothing but the handshake is
// replaced, and the handshake repeated; any other session is lost with its child.
func (s *session) current(ctx context.Context) (*child, error) {
	s.restart.Lock()
	defer s.restart.Unlock()
	s.mu.Lock()
	kid, used, over, initialized := s.kid, s.uses > 0, s.lost || s.closed, s.initialized
	s.mu.Unlock()
	if over {
		return nil, s.lostError()
	}
	select {
	case <-kid.exited:
	default:
		return kid, nil
	}
	if used {
		s.lose()
		return nil, s.lostError()
	}
	opened, err := s.handshake(ctx, s.hello, discard{})
	switch {
	case err != nil && !errors.Is(err, errUnsent):
		return nil, err
	case err != nil || !opened:
		s.lose()
		return nil, s.lostError()
	}
	s.mu.Lock()
	kid, over = s.kid, s.lost || s.closed
	s.mu.Unlock()
	if over { // closed meanwhile, when there was only the old child to end
		s.d.background(func() { kid.end(context.Background()) })
		return nil, s.lostError()
	}
	if initialized != nil {
		if err := kid.out.put(ctx, initialized, nil); err != nil {
			return nil, s.lostError()
		}
	}
	return kid, nil
}

func (s *session) lostError() error {
	return s.d.errorf(exchange.SessionLost, nil, "its process ended, and this session with it")
}

// Call sends a request of the client.
func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	defer s.hold()()
	for again := true; ; again = false {
		kid, err := s.current(ctx)
		if err != nil {
			return err
		}
		if c.Message.Method != mcpwire.MethodPing {
			s.use(1)
		}
		err = kid.call(ctx, c, out, true)
		if err == nil || !errors.Is(err, errUnsent) {
			return err
		}
		if c.Message.Method != mcpwire.MethodPing {
			s.use(-1)
		}
		if !again {
			return s.lostError()
		}
		select {
		case <-kid.exited:
		case <-ctx.Done():
			return s.d.ended(ctx)
		}
	}
}

// hold keeps the session from giving way to another until what it returns is called.
func (s *session) hold() (release func()) {
	s.mu.Lock()
	s.busy++
	s.mu.Unlock()
	return func() {
		s.mu.Lock()
		s.busy--
		s.touched = time.Now()
		s.mu.Unlock()
	}
}

// unusedSince is when the session was used last, and whether it is not used now.
func (s *session) unusedSince() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.touched, s.busy == 0 && s.listener == nil && !s.touched.IsZero()
}

func (s *session) use(n int) {
	s.mu.Lock()
	s.uses += n
	s.mu.Unlock()
}

// Notify sends a notification or an answer of the client.
func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	defer s.hold()()
	m := c.Message
	line := mcpwire.AppendLine(nil, m.Raw)
	if m.Method == mcpwire.MethodInitialized {
		s.mu.Lock()
		s.initialized = line
		s.mu.Unlock()
	}
	kid, err := s.current(ctx)
	if err != nil {
		return err
	}
	if m.Method == mcpwire.MethodCancelled {
		id := mcpwire.Member(m.Raw, m.Params, "requestId")
		if k := kid.calls.cancelledByClient(m.Bytes(id)); k != nil {
			if !bytes.Equal(k.id, []byte(k.wire)) {
				spliced, err := mcpwire.Splice(m.Raw, mcpwire.Edit{Span: id, With: []byte(k.wire)})
				if err != nil {
					return err
				}
				line = mcpwire.AppendLine(nil, spliced)
			}
			k.cancel()
		}
	}
	if m.Kind.Response() {
		kid.calls.wasAsked(m.Bytes(m.ID))
	}
	if err := kid.out.put(ctx, line, nil); err != nil {
		if errors.Is(err, errUnsent) {
			return s.lostError()
		}
		return err
	}
	return nil
}

// childGone is told when the session's child ended.
func (s *session) childGone() {
	s.mu.Lock()
	used, closed, listener := s.uses > 0, s.closed, s.listener
	s.mu.Unlock()
	if closed || used {
		s.lose()
		if listener != nil {
			if closed {
				listener.fail(errReplaced) // an orderly end
			} else {
				listener.fail(s.lostError())
			}
		}
	}
}

func (s *session) lose() {
	s.mu.Lock()
	s.lost, s.waiting = true, nil
	s.mu.Unlock()
}

// Stateful is always true: the process is the session.
func (s *session) Stateful() bool { return true }

// Close ends the session's child.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	kid, closed := s.kid, s.closed
	s.closed = true
	s.mu.Unlock()
	if closed {
		return nil
	}
	kid.end(ctx)
	s.lose()
	return nil
}
