package era

import (
	"bytes"
	"context"
	"strconv"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// flight is one call at a legacy upstream. It may outlive the request that started it:
// when the server asks something in between, the client gets the question as the
// answer to its request, and its next request brings the answer and waits on.
type flight struct {
	l       *toLegacy
	s       *conversation
	id      int64 // at the upstream, and the progress token there
	method  string
	uri     []byte // of the request, as JSON
	level   int    // of log messages; -1 for none
	binding []byte
	// retried is a call made again after its client declined to follow a link.
	declined bool
	mayAsk   bool
	cancel   context.CancelFunc

	mu        sync.Mutex
	wake      chan struct{} // something changed; holds one
	room      chan struct{} // the queue got shorter; holds one
	queue     []item
	size      int // of what is in the queue
	questions []*question
	asks      int // questions ever, for their keys
	attached  bool
	answered  bool // the answer is, or was, in the queue
	done      bool
	err       error
	// Set once the call waits for its client for the first time.
	ticket [12]byte
	round  uint32
	expiry *time.Timer
}

// item is a message on its way to the client.
type item struct {
	data  []byte
	final bool
}

// questionLimit is how many questions of one call may wait for its client.
const questionLimit = 64

// queueLimit is how many messages a call holds back for a slow client before its
// upstream has to wait, queueBytes of what size; while nobody is there, how many of the
// latest are kept.
const (
	queueLimit = 64
	queueBytes = 16 << 20
)

// fly sends a call and serves its client until the first answer.
func (l *toLegacy) fly(ctx context.Context, s *conversation, c *exchange.Call, out exchange.Sink, level int, declined bool) error {
	if level >= 0 {
		if err := s.talk(ctx, level); err != nil {
			return err
		}
	}
	m := c.Message
	f := &flight{l: l, s: s, id: s.nextID(), method: m.Method, uri: bytes.Clone(m.Bytes(m.URI)), level: level,
		mayAsk: interactive(m.Method), declined: declined,
		wake: make(chan struct{}, 1), room: make(chan struct{}, 1), attached: true}
	if f.mayAsk {
		f.binding = binding(c)
		s.listeners.attended(ctx)
	}
	up, err := f.request(m)
	if err != nil {
		return err
	}
	if err := f.start(ctx, s.call(up)); err != nil {
		return err
	}
	return f.serve(ctx, c, out)
}

// request is the client's request as the upstream gets it: under an id of ours, with
// a progress token of ours, and without what is modern.
func (f *flight) request(m *mcpwire.Message) (*mcpwire.Message, error) {
	id := strconv.AppendInt(nil, f.id, 10)
	edits := []mcpwire.Edit{{Span: m.ID, With: id}}
	if m.ProgressToken.Present() {
		edits = append(edits, mcpwire.Edit{Span: m.ProgressToken, With: id})
	}
	edits = append(edits, mcpwire.RemoveMembers(m.Raw, m.Meta, modernOnly)...)
	edits = append(edits, mcpwire.RemoveMembers(m.Raw, m.Params, func(name string) bool {
		return name == "inputResponses" || name == "requestState"
	})...)
	raw, err := mcpwire.Splice(m.Raw, edits...)
	if err != nil {
		return nil, err
	}
	return ours(raw)
}

// start sends the call. From now on it has a life of its own.
func (f *flight) start(ctx context.Context, c *exchange.Call) error {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	f.cancel = cancel
	if err := f.l.enter(); err != nil {
		cancel()
		return err
	}
	f.l.pool.hold(f.s)
	f.s.mu.Lock()
	f.s.flights[f.id] = f
	f.s.mu.Unlock()
	go func() {
		defer f.l.flights.Done()
		defer context.AfterFunc(f.l.ctx, cancel)()
		defer cancel()
		err := f.s.session.Call(ctx, c, sinkFunc(func(e exchange.Event) error { return f.take(ctx, e) }))
		f.s.mu.Lock()
		delete(f.s.flights, f.id)
		f.s.mu.Unlock()
		f.mu.Lock()
		f.done, f.err = true, err
		f.mu.Unlock()
		f.signal()
		f.l.pool.release(f.s)
	}()
	return nil
}

func (f *flight) signal() {
	select {
	case f.wake <- struct{}{}:
	default:
	}
}

// take is given every event of the upstream's answer.
func (f *flight) take(ctx context.Context, e exchange.Event) error {
	if len(e.Data) == 0 {
		return nil
	}
	m, err := reply(e.Data)
	if err != nil {
		return err
	}
	switch m.Kind {
	case mcpwire.Request:
		return f.asked(m)
	case mcpwire.Notification:
		switch {
		case m.Method == mcpwire.MethodLog && !f.wants(m),
			m.Method == "notifications/elicitation/complete": // a retry is how modern clients learn of it
			return nil
		case m.Method == mcpwire.MethodCancelled:
			f.s.heard(m)
			return nil
		case f.s.listeners.offer(m):
			return nil
		}
		f.push(m.Raw, false)
	default:
		if e.Final {
			f.push(m.Raw, true)
		}
		return nil
	}
	return f.hold(ctx)
}

// wants reports whether a log message is one that the request asked for.
func (f *flight) wants(m *mcpwire.Message) bool {
	if f.level < 0 {
		return false
	}
	level, ok := levelOf(text(m.Raw, m.Params, "level"))
	return !ok || level >= f.level
}

// push queues a message for the client.
func (f *flight) push(raw []byte, final bool) {
	f.mu.Lock()
	if f.answered {
		f.mu.Unlock()
		return // nothing follows the answer, nor pushes it out
	}
	limit, most := queueLimit, queueBytes
	if f.attached { // its own stream waits (hold); what comes on another can't
		limit, most = 4*limit, 4*most
	}
	for !final && len(f.queue) > 0 && (len(f.queue) >= limit || f.size+len(raw) > most) {
		f.size -= len(f.queue[0].data)
		f.queue = f.queue[1:] // the latest are worth most
	}
	f.answered = final
	f.size += len(raw)
	f.queue = append(f.queue, item{bytes.Clone(raw), final})
	f.mu.Unlock()
	f.signal()
}

// hold lets the upstream wait while its client is slow.
func (f *flight) hold(ctx context.Context) error {
	for {
		f.mu.Lock()
		full := f.attached && (len(f.queue) >= queueLimit || f.size >= queueBytes)
		f.mu.Unlock()
		if !full {
			return nil
		}
		select {
		case <-f.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// serve hands the client what there is until its request is answered: by the result,
// or by the server's questions.
func (f *flight) serve(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	var settle <-chan time.Time
	known := 0
	for {
		f.mu.Lock()
		next, have := f.pop()
		questions, done, err := len(f.questions), f.done, f.err
		f.mu.Unlock()
		switch {
		case have:
			if err := f.deliver(c, out, next); err != nil {
				f.abandon()
				return err
			}
			if next.final {
				f.land()
				return nil
			}
			continue
		case done && err == nil:
			f.land()
			return &exchange.Error{Code: exchange.BrokeOff, Message: named(c.Server) + " ended the call without an answer"}
		case done:
			f.land()
			switch {
			case ctx.Err() != nil:
				return ctx.Err()
			case f.l.ctx.Err() != nil:
				return closed(f.l.opt.Server)
			}
			return err
		case questions != known:
			known = questions
			settle = nil
			if questions > 0 {
				settle = time.After(f.l.opt.Settle)
			}
		}
		select {
		case <-f.wake:
		case <-settle:
			if parked, err := f.park(c, out); parked {
				return err
			}
		case <-ctx.Done():
			f.abandon()
			return ctx.Err()
		}
	}
}

// pop takes the next message. The flight is locked.
func (f *flight) pop() (item, bool) {
	if len(f.queue) == 0 {
		return item{}, false
	}
	next := f.queue[0]
	f.queue = f.queue[1:]
	f.size -= len(next.data)
	select {
	case f.room <- struct{}{}:
	default:
	}
	return next, true
}

// deliver translates one message and sends it.
func (f *flight) deliver(c *exchange.Call, out exchange.Sink, it item) error {
	m, err := reply(it.data)
	if err != nil {
		return err
	}
	id := c.Message.Bytes(c.Message.ID)
	switch {
	case m.Kind == mcpwire.Notification:
		raw := m.Raw
		if m.Method == mcpwire.MethodProgress {
			token := mcpwire.Member(m.Raw, m.Params, mcpwire.MetaProgressToken)
			if !c.Message.ProgressToken.Present() || !token.Present() {
				return nil // it was not asked for
			}
			if raw, err = mcpwire.Splice(raw, mcpwire.Edit{Span: token, With: c.Message.Bytes(c.Message.ProgressToken)}); err != nil {
				return err
			}
		}
		return out.Send(exchange.Event{Data: raw})
	case m.Kind == mcpwire.Result:
		raw, err := modernResult(m, id, f.method, f.s.serverInfo)
		if err != nil {
			return err
		}
		return out.Send(final(raw, 0))
	}
	if errorCode(m) == mcpwire.CodeURLElicitation {
		if sent, err := f.links(c, m, out); sent {
			return err
		}
	}
	raw, status, err := modernError(m, id, f.uri)
	if err != nil {
		return err
	}
	return out.Send(final(raw, status))
}

// abandon gives the call up. Whoever carries it tells the upstream.
func (f *flight) abandon() {
	f.land()
	f.cancel()
}

// land forgets a call that was answered or given up: no retry finds it any more.
func (f *flight) land() {
	f.mu.Lock()
	if f.expiry != nil {
		f.expiry.Stop()
	}
	f.mu.Unlock()
	f.l.parking.leave(f)
}
