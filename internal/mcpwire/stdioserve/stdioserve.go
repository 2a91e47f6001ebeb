// Package stdioserve faces a client on standard streams: one JSON-RPC message per line
// both ways, both protocol eras on one channel.
//
// Its guarantees: every request that can be read is answered exactly once, unless the
// client cancelled it; requests run concurrently, yet they and notifications go on in
// the order in which they came, each kind for itself; a line that is no message is answered with an error and the
// conversation goes on. Its limits: it authenticates nobody, whoever holds the other
// end is the caller; and a session that its upstream lost is reported once and opened
// anew, since a client on this transport has no other way to start over than to be
// started again.
package stdioserve

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Options of the face. Zero values are the defaults in brackets.
type Options struct {
	Upstream     exchange.Upstream
	Server       string          // the configured name
	Caller       exchange.Caller // who is at the other end [ID "local"]
	Limits       mcpwire.Limits
	MaxCalls     int           // requests in flight [256]
	DrainTimeout time.Duration // for calls in flight when the client closed its end [30 s]
	Log          *slog.Logger  // [discarded]
}

// maxNotes is how many notifications may wait for the upstream to take them.
const maxNotes = 1024

// face is one conversation.
type face struct {
	o   Options
	ctx context.Context //nolint:containedctx // that of Serve; it ends with it
	out *lines

	mu      sync.Mutex
	calls   map[string]*request
	session exchange.Session
	hello   *exchange.Call // the initialize request of the session
	version string
	opening chan struct{} // closed when the initialize in progress was answered
	reopen  bool          // the session was lost and has to be opened again
	ready   bool          // notifications/initialized came
	begun   chan struct{} // closed when notifications/initialized was passed on
	hearing context.CancelFunc
	ending  bool                      // the client has said all it had to say
	state   map[string]*exchange.Call // what a session that is opened again has to be told

	last  *turn // of the request that came last; it is for the reader alone
	notes chan note
	tasks sync.WaitGroup
}

// note is a notification, or an answer of a legacy client, on its way.
type note struct {
	call *exchange.Call
	done chan struct{} // closed when it was passed on; nil where nobody waits
}

// request is a call in flight.
type request struct {
	cancel    context.CancelFunc
	cancelled bool // by the client, or by the end of its messages: it gets no answer
	given     bool // cancelled by a legacy client, which may still be answered
	modern    bool
	stream    bool // has no end of its own

	turn, before *turn // nil where order makes no difference
}

// Serve runs until in ends, out fails or ctx ends. It returns nil after the first, when
// the calls in flight were answered. A read that blocks is left behind when ctx ends, and
// so is a write: a client that has stopped reading keeps nobody from leaving.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) error {
	if o.Caller.ID == "" {
		o.Caller = exchange.Caller{ID: "local", Name: "local"}
	}
	if o.MaxCalls == 0 {
		o.MaxCalls = 256
	}
	if o.DrainTimeout == 0 {
		o.DrainTimeout = 30 * time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	outer := ctx
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	f := &face{o: o, ctx: ctx, out: &lines{to: out, failed: stop}, calls: map[string]*request{}, state: map[string]*exchange.Call{}, notes: make(chan note, maxNotes)}

	ended := make(chan error, 1)
	go func() { ended <- f.converse(in, stop) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	tick := time.NewTicker(stuckAfter)
	defer tick.Stop()
	for before := uint64(0); ; {
		select {
		case err := <-ended:
			return err
		case <-tick.C:
		}
		now := f.out.moves.Load()
		if now%2 == 1 && now == before {
			f.closeSession()
			if outer.Err() != nil {
				return context.Cause(outer)
			}
			return errStuck
		}
		before = now
	}
}

// stuckAfter is how long a write may take once the conversation is over.
const stuckAfter = 500 * time.Millisecond

var errStuck = errors.New("the client takes no more messages")

// converse is the conversation from its first message to its end.
func (f *face) converse(in io.Reader, stop context.CancelCauseFunc) error {
	var forward sync.WaitGroup
	forward.Go(f.forward)
	err := f.read(in)
	close(f.notes)
	if err == nil {
		f.drain(&forward)
	}
	stop(nil)
	forward.Wait()
	f.tasks.Wait()
	f.closeSession()
	if broken := f.out.err(); broken != nil {
		return broken
	}
	return err
}

// read takes messages until the client ends them.
func (f *face) read(in io.Reader) error {
	type item struct {
		raw []byte
		err error
	}
	items := make(chan item)
	go func() { // a read can't be interrupted; one that ctx leaves behind ends with its input
		defer close(items)
		reader := mcpwire.NewLineReader(in, f.o.Limits.Size)
		for {
			line, err := reader.Next()
			next := item{append([]byte(nil), line...), err}
			select {
			case items <- next:
			case <-f.ctx.Done():
				return
			}
			if err != nil && !errors.Is(err, mcpwire.ErrLineTooLong) {
				return
			}
		}
	}()
	for {
		select {
		case <-f.ctx.Done():
			return context.Cause(f.ctx)
		case next := <-items:
			switch {
			case errors.Is(next.err, mcpwire.ErrLineTooLong):
				f.refuse(nil, mcpwire.CodeInvalidRequest, "the message is larger than the limit")
			case errors.Is(next.err, io.EOF):
				return nil
			case next.err != nil:
				return next.err
			default:
				f.take(next.raw)
			}
		}
	}
}

// take is one message of the client.
func (f *face) take(raw []byte) {
	m, err := mcpwire.Parse(raw, f.o.Limits)
	var syntax *mcpwire.SyntaxError
	switch {
	case errors.As(err, &syntax):
		f.refuseBroken(raw, syntax)
	case err != nil: // a batch
		f.refuse(nil, mcpwire.CodeInvalidRequest, err.Error())
	case m.Kind == mcpwire.Request:
		f.request(&m)
	case m.Kind == mcpwire.Notification && m.Method == mcpwire.MethodCancelled && f.cancel(&m):
	default:
		f.note(&m)
	}
}

// refuseBroken answers a line that is no message to be trusted. Where it is the answer
// to a request of the server, it is the server that waits for one. An id that is that of
// a call in flight is left out: an error that carries it would end that call.
func (f *face) refuseBroken(raw []byte, syntax *mcpwire.SyntaxError) {
	if m, err := mcpwire.ParseReply(raw, f.o.Limits); err == nil && m.Kind.Response() && m.ID.Present() {
		f.o.Log.Warn("an answer of the client was refused", "problem", syntax.Problem)
		answer := mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeInvalidRequest, "the client's answer can't be trusted: "+syntax.Problem, nil)
		if m, err := mcpwire.Parse(answer, f.o.Limits); err == nil {
			f.note(&m)
		}
		return
	}
	id := syntax.ID
	f.mu.Lock()
	if f.calls[string(id)] != nil {
		id = nil
	}
	f.mu.Unlock()
	f.refuse(id, syntax.Code, syntax.Problem)
}

func (f *face) refuse(id []byte, code int, problem string) {
	_ = f.out.write(mcpwire.BuildError(id, code, problem, nil))
}

// call is a message on its way.
func (f *face) call(m *mcpwire.Message) *exchange.Call {
	c := &exchange.Call{Message: m, Caller: f.o.Caller, Server: f.o.Server, Era: mcpwire.Legacy}
	if m.Modern() {
		c.Era = mcpwire.Modern
		c.Version, _ = m.Text(m.Version)
		return c
	}
	f.mu.Lock()
	c.Version = f.version
	f.mu.Unlock()
	return c
}

// note queues a notification, or an answer of a legacy client, for the upstream.
// Requests that come after notifications/initialized wait until it was passed on: there
// are servers that offer more from then on.
func (f *face) note(m *mcpwire.Message) {
	n := note{call: f.call(m)}
	if n.call.Era == mcpwire.Legacy && m.Method == mcpwire.MethodInitialized {
		n.done = make(chan struct{})
		f.mu.Lock()
		f.begun = n.done
		f.mu.Unlock()
	}
	select {
	case f.notes <- n:
	case <-f.ctx.Done():
	}
}

// forward sends notifications and answers on, one after the other.
func (f *face) forward() {
	for n := range f.notes {
		f.pass(n.call)
		if n.done != nil {
			close(n.done)
		}
	}
}

func (f *face) pass(c *exchange.Call) {
	if f.ctx.Err() != nil {
		return
	}
	var err error
	if c.Era == mcpwire.Modern {
		err = f.o.Upstream.Notify(f.ctx, c)
	} else {
		s, failed := f.current(f.ctx)
		if failed != nil || s == nil {
			f.o.Log.Debug("a notification without a session was dropped", "method", c.Message.Method)
			return
		}
		err = s.Notify(f.ctx, c)
		if c.Message.Method == mcpwire.MethodInitialized && err == nil {
			f.hear(s)
		}
		f.noticeLoss(err, s)
	}
	if err != nil && f.ctx.Err() == nil {
		f.o.Log.Warn("a notification could not be delivered", "method", c.Message.Method, "error", err.Error())
	}
}

// drain waits for what is in flight; streams, which have no end, are ended.
func (f *face) drain(forward *sync.WaitGroup) {
	f.mu.Lock()
	f.ending = true
	for _, r := range f.calls {
		if r.stream {
			r.cancelled = true
			r.cancel()
		}
	}
	if f.hearing != nil {
		f.hearing()
	}
	f.mu.Unlock()
	done := make(chan struct{})
	go func() {
		forward.Wait()
		f.tasks.Wait()
		close(done)
	}()
	timer := time.NewTimer(f.o.DrainTimeout)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-f.ctx.Done():
	}
}
