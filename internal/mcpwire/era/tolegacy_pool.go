package era

import (
	"context"
	"sync"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// openTimeout bounds a handshake, whoever waits for it.
const openTimeout = time.Minute

// closeTimeout bounds the farewell to a session.
const closeTimeout = 5 * time.Second

// pool keeps the sessions that modern requests need at a legacy upstream. One is
// shared by requests of one caller with the same capabilities and name, never by two
// callers.
type pool struct {
	l *toLegacy

	mu     sync.Mutex
	all    map[string]*conversation
	closed bool
	living sync.WaitGroup // sessions, until their end
}

// key says for whom a session is. What the client says of itself counts as written.
func key(c *exchange.Call) string {
	m := c.Message
	return c.Caller.ID + "\x00" + string(m.Bytes(m.Capabilities)) + "\x00" + string(m.Bytes(m.ClientInfo))
}

// acquire is the open session for c, to be released.
func (p *pool) acquire(ctx context.Context, c *exchange.Call) (*conversation, error) {
	k := key(c)
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, closed(p.l.opt.Server)
	}
	s := p.all[k]
	if s == nil {
		if err := p.room(c); err != nil {
			p.mu.Unlock()
			return nil, err
		}
		s = p.start(ctx, k, c)
	}
	s.uses++
	if s.idle != nil {
		s.idle.Stop()
	}
	p.mu.Unlock()
	select {
	case <-ctx.Done():
		p.release(s)
		return nil, ctx.Err()
	case <-s.opened:
	}
	if s.err != nil {
		p.release(s)
		return s, s.err
	}
	return s, nil
}

// start begins a handshake that whoever wants this session may wait for. The pool is
// locked.
func (p *pool) start(ctx context.Context, k string, c *exchange.Call) *conversation {
	client := c.Message.Bytes(c.Message.Capabilities)
	if len(client) == 0 {
		client = []byte("{}")
	}
	s := &conversation{l: p.l, key: k, caller: c.Caller, server: c.Server, client: client, opened: make(chan struct{}),
		flights: map[int64]*flight{}, level: -1}
	s.listeners.s = s
	p.all[k] = s
	p.living.Add(1)
	go func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), openTimeout)
		defer cancel()
		defer context.AfterFunc(p.l.ctx, cancel)()
		s.err = s.open(ctx, c)
		if s.err != nil {
			p.discard(s)
		}
		close(s.opened)
	}()
	return s
}

// room makes sure that one more session for this caller fits, ending an idle one where
// it has to. The pool is locked.
func (p *pool) room(c *exchange.Call) error {
	mine := 0
	var oldest, oldestMine *conversation
	older := func(a, b *conversation) *conversation {
		if b.uses > 0 || a != nil && a.since.Before(b.since) {
			return a
		}
		return b
	}
	for _, s := range p.all {
		if s.caller.ID == c.Caller.ID {
			mine++
			oldestMine = older(oldestMine, s)
		}
		oldest = older(oldest, s)
	}
	var victim *conversation
	switch {
	case mine >= p.l.opt.CallerSessions:
		victim = oldestMine
	case len(p.all) >= p.l.opt.Sessions:
		victim = oldest
	default:
		return nil
	}
	if victim == nil {
		return &exchange.Error{Code: exchange.TooMany, Message: "too many sessions with " + named(p.l.opt.Server) + " are open",
			Fix: "let calls end, or send the same clientInfo and clientCapabilities with each request"}
	}
	p.end(victim)
	return nil
}

// release gives a session back; nobody's is kept for a while.
func (p *pool) release(s *conversation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.uses--
	s.since = time.Now()
	switch {
	case s.uses > 0:
	case s.gone:
		p.farewell(s)
	case s.idle == nil:
		s.idle = time.AfterFunc(p.l.opt.SessionIdle, func() { p.expire(s) })
	default:
		s.idle.Reset(p.l.opt.SessionIdle)
	}
}

func (p *pool) expire(s *conversation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.uses == 0 && !s.gone {
		p.end(s)
	}
}

// discard takes a session out of the pool, because it is lost; who uses it finishes.
func (p *pool) discard(s *conversation) {
	defer s.listeners.lose()
	p.mu.Lock()
	defer p.mu.Unlock()
	if s.gone {
		return
	}
	if s.uses == 0 {
		p.end(s)
		return
	}
	p.remove(s)
}

// end removes a session that nobody uses and closes it. The pool is locked.
func (p *pool) end(s *conversation) {
	p.remove(s)
	p.farewell(s)
}

func (p *pool) remove(s *conversation) {
	s.gone = true
	if p.all[s.key] == s {
		delete(p.all, s.key)
	}
	if s.idle != nil {
		s.idle.Stop()
	}
}

func (p *pool) farewell(s *conversation) {
	go func() {
		defer p.living.Done()
		<-s.opened
		if s.err != nil {
			return
		}
		if s.ear != nil {
			s.listeners.leave(s.ear)
		}
		ctx, cancel := context.WithTimeout(context.Background(), closeTimeout)
		defer cancel()
		_ = s.session.Close(ctx) // the upstream forgets it by itself as well
	}()
}

// hold is one more use of a session by somebody who uses it already.
func (p *pool) hold(s *conversation) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s.uses++
}

// any is a session of this caller that is open, for messages that name none.
func (p *pool) any(c *exchange.Call) *conversation {
	p.mu.Lock()
	defer p.mu.Unlock()
	if s := p.all[key(c)]; s != nil && isOpen(s) {
		s.uses++
		return s
	}
	return nil
}

func isOpen(s *conversation) bool {
	select {
	case <-s.opened:
		return s.err == nil
	default:
		return false
	}
}

// close ends all sessions and waits until they are.
func (p *pool) close() {
	p.mu.Lock()
	p.closed = true
	for _, s := range p.all {
		p.remove(s)
		if s.uses == 0 {
			p.farewell(s)
		}
	}
	p.mu.Unlock()
	p.living.Wait()
}
