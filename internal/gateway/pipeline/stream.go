package pipeline

import (
	"bytes"
	"context"
	"errors"
	"strconv"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// listen is the stream of a legacy session that belongs to no call. Where the upstream
// has none, it is the gateway's own.
func (p *Pipeline) listen(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink, up listener) error {
	s, err := p.subject(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	st := &stream{p: p, s: s, c: c, out: out, open: true, stop: cancel}
	v := conversationOf(ctx)
	st.one = func() bool { return v.newest(st) }
	defer v.hear(st)()
	stop := st.watch(ctx)
	err = up(ctx, c, lastEventID, st)
	if errors.Is(err, exchange.ErrNoStream) && lastEventID == "" {
		if err = st.Send(exchange.Event{}); err == nil { // it is open
			<-ctx.Done()
			err = ctx.Err()
		}
	}
	stop()
	st.end()
	if errors.Is(context.Cause(ctx), errNotAllowed) {
		return nil // it ends; who comes back is refused
	}
	return err
}

// subscribe is subscriptions/listen. Where the upstream does not know it, the stream is
// the gateway's own, as far as it is about tools.
func (p *Pipeline) subscribe(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	m := c.Message
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	asked := string(m.Bytes(mcpwire.Lookup(m.Raw, m.Params, "notifications", "toolsListChanged"))) == "true"
	st := &stream{p: p, s: s, c: c, out: out, id: m.Bytes(m.ID), tools: asked, stop: cancel}
	stop := st.watch(ctx)
	err := next(ctx, c, st)
	if err == nil && st.refused {
		if err = st.acknowledge(); err == nil {
			<-ctx.Done()
			err = ctx.Err()
		}
	}
	stop()
	if errors.Is(context.Cause(ctx), errNotAllowed) {
		return st.conclude()
	}
	return err
}

// stream is the sink of a stream that lasts. It lets the pipeline say something in
// between, one at a time with the upstream.
type stream struct {
	p    *Pipeline
	c    *exchange.Call
	id   []byte // raw id of a subscription; nil for the stream of a session
	stop context.CancelCauseFunc
	// tools says that the client of a subscription wants to hear of them.
	tools bool
	// one reports whether this is the stream of its session on which news are told.
	one func() bool

	mu      sync.Mutex
	s       *Subject // as of now
	out     exchange.Sink
	open    bool // the subscription is acknowledged
	news    bool // something is to be told once it is
	final   bool // the subscription is answered
	ended   bool // nobody listens any more
	refused bool // the upstream knows no subscriptions, which the client was not told
}

// watch tells the client what changes for it, until stop is called or ctx ends.
func (st *stream) watch(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	first := st.s
	go func() {
		defer close(done)
		if !st.p.follow(ctx, first, st.c, st.changed) {
			st.stop(errNotAllowed)
		}
	}()
	return func() {
		cancel()
		<-done
	}
}

// changed tells that the list of tools is another one, if it is for this subject.
func (st *stream) changed(was, is *Subject) {
	other := st.p.seesOther(was, is)
	st.mu.Lock()
	defer st.mu.Unlock()
	st.s = is
	if other && (st.id == nil && st.one() || st.tools) {
		st.news = true
		st.tell()
	}
}

// subject is that of the stream, as of now.
func (st *stream) subject() *Subject {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.s
}

// tell is called with the lock held.
func (st *stream) tell() {
	if !st.news || !st.open || st.final {
		return
	}
	st.news = false
	var params []byte
	if st.id != nil {
		params = append(append([]byte(`{"_meta":{"`+mcpwire.MetaSubscription+`":`), st.id...), "}}"...)
	}
	st.say(mcpwire.BuildNotification(methodListChanged, params))
}

// say is called with the lock held.
func (st *stream) say(data []byte) {
	if err := st.out.Send(exchange.Event{Data: data}); err != nil {
		st.stop(err)
	}
}

// end lets nothing more of our own through.
func (st *stream) end() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.ended = true
}

// notify says something of our own.
func (st *stream) notify(data []byte) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.ended {
		st.say(data)
	}
}

// Send passes on what the upstream says.
func (st *stream) Send(e exchange.Event) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	var err error
	switch {
	case len(e.Data) == 0:
	case st.id == nil:
		e, err = st.ofSession(e)
	default:
		e, err = st.ofSubscription(e)
	}
	if err != nil || st.refused {
		return err
	}
	st.final = st.final || e.Final
	if err := st.out.Send(e); err != nil {
		return err
	}
	st.tell()
	return nil
}

// ofSession looks at a message of a session's stream. The rest of a call's stream may be
// among them, and with it a list.
func (st *stream) ofSession(e exchange.Event) (exchange.Event, error) {
	if bytes.Contains(e.Data, []byte("list_changed")) {
		st.p.results.tools.stale(viewOf(st.s, st.c))
	}
	if !filters(st.s) || !bytes.Contains(e.Data, []byte("result")) && bytes.IndexByte(e.Data, '\\') < 0 {
		return e, nil
	}
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
	if err != nil {
		return e, &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent what is no message", Cause: err}
	}
	if m.Kind != mcpwire.Result || !listsTools(&m) {
		return e, nil
	}
	at, err := partsOf(&m)
	if err == nil {
		e.Data, err = filtered(st.s, &m, &at)
	}
	if err != nil {
		e.Data = mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeInternal, unreadable, nil)
	}
	return e, nil
}

// ofSubscription looks at a message of a subscription.
func (st *stream) ofSubscription(e exchange.Event) (exchange.Event, error) {
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
	if err != nil {
		return e, &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream sent what is no message", Cause: err}
	}
	switch {
	case m.Kind == mcpwire.Failure && e.Final && st.tools && !st.open && codeOf(&m) == mcpwire.CodeMethodNotFound:
		st.refused = true
	case m.Method == methodListChanged:
		st.p.results.tools.stale(viewOf(st.s, st.c))
	case m.Method == mcpwire.MethodAcknowledged:
		st.open = true
		filter := mcpwire.Member(m.Raw, m.Params, "notifications")
		if st.tools && filter.Present() && m.Raw[filter.Start] == '{' {
			e.Data, err = mcpwire.Splice(m.Raw, mcpwire.SetMember(m.Raw, filter, "toolsListChanged", []byte("true")))
		}
	}
	return e, err
}

// acknowledge opens a subscription of our own.
func (st *stream) acknowledge() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.open = true
	params := append(append([]byte(`{"_meta":{"`+mcpwire.MetaSubscription+`":`), st.id...), `},"notifications":{"toolsListChanged":true}}`...)
	if err := st.out.Send(exchange.Event{Data: mcpwire.BuildNotification(mcpwire.MethodAcknowledged, params)}); err != nil {
		return err
	}
	st.tell()
	return nil
}

// conclude ends a subscription in order.
func (st *stream) conclude() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.final {
		return nil
	}
	st.final = true
	result := append(append([]byte(`{"resultType":"complete","_meta":{"`+mcpwire.MetaSubscription+`":`), st.id...), "}}"...)
	return st.out.Send(exchange.Event{Data: mcpwire.BuildResult(st.id, result), Final: true})
}

// codeOf is the code of an error response; 0 when it can't be read.
func codeOf(m *mcpwire.Message) int {
	code, err := strconv.Atoi(string(m.Bytes(mcpwire.Member(m.Raw, m.Error, "code"))))
	if err != nil {
		return 0
	}
	return code
}
