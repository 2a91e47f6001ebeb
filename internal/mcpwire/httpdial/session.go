package httpdial

import (
	"context"
	"errors"
	"net/http"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// session is a legacy conversation with the upstream.
type session struct {
	u      *Upstream
	caller exchange.Caller
	kept   bool // the upstream keeps it: it named an id
	shared bool // other processes may use it as well

	mu      sync.Mutex
	id      string // the upstream's; nobody else is told
	version string // that initialize settled on
	life    int    // counts how often it was opened
	closed  bool
	setup   setup
	// reviving is closed when the attempt to open the session anew is over.
	reviving chan struct{}
}

// Initialize opens a session with the client's own message, or joins one that another
// process opened with it.
func (u *Upstream) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	shared := exchange.SharedIn(ctx)
	if id := shared.Of(u.sharedName()); id != "" {
		return u.join(c, id, out)
	}
	f, err := u.begin(ctx, u.o.CallTimeout)
	if err != nil {
		return nil, err
	}
	defer f.end()
	id, final, err := u.open(f, c, out)
	if err != nil || final == nil {
		return nil, err
	}
	s := &session{u: u, caller: c.Caller, id: id, kept: id != "", version: final.version}
	s.setup.initialize = append([]byte(nil), c.Message.Raw...)
	if s.kept {
		s.share(shared)
		u.mu.Lock()
		u.sessions[s] = struct{}{}
		u.mu.Unlock()
	}
	if final.err != nil { // the client will never use it
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, final.err
	}
	return s, nil
}

// open sends an initialize. The opening is nil when the upstream answered with an error.
func (u *Upstream) open(f *flight, c *exchange.Call, out exchange.Sink) (id string, _ *opening, err error) {
	o := u.post(f.ctx, c.Message.Raw, c.Header)
	o.repeat = true
	resp, err := f.send(c.Caller, o)
	if err != nil {
		return "", nil, err
	}
	final := &opening{out: out}
	r := reply{f: f, c: c, out: final}
	if !answered(resp.StatusCode) {
		e, err := r.explain(resp)
		if err != nil {
			return "", nil, err
		}
		r.out = out
		return "", nil, r.legacyStatus(resp, e)
	}
	id = resp.Header.Get(mcpwire.HeaderSession)
	if !visible(id) {
		_ = resp.Body.Close()
		return "", nil, u.notMCP("named a session in characters that are not allowed")
	}
	err = r.deliver(resp)
	if final.opened { // even where the client is gone by now: the session is there
		if final.err == nil {
			final.err = err
		}
		return id, final, nil
	}
	return "", nil, err
}

// opening passes on what belongs to an initialize, and looks at its result.
type opening struct {
	out     exchange.Sink
	opened  bool
	version string
	err     error
}

// Send passes e on.
func (o *opening) Send(e exchange.Event) error {
	if e.Final {
		m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data)})
		if err == nil && m.Kind == mcpwire.Result {
			o.opened = true
			o.version, _ = m.Text(mcpwire.Member(m.Raw, m.Result, "protocolVersion"))
		}
	}
	o.err = o.out.Send(e)
	return o.err
}

// visible reports whether a session id has visible ASCII characters only.
func visible(id string) bool {
	for i := range len(id) {
		if id[i] < '!' || id[i] > '~' {
			return false
		}
	}
	return len(id) <= 4096
}

// Resume is a session of an upstream that keeps none.
func (u *Upstream) Resume(_ context.Context, c *exchange.Call) (exchange.Session, error) {
	return &session{u: u, caller: c.Caller, version: c.Version}, nil
}

// Stateful reports whether the upstream named a session id.
func (s *session) Stateful() bool { return s.kept }

// now is what a request of the session carries.
func (s *session) now() (id, version string, life int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return "", "", 0, s.u.sessionLost()
	}
	return s.id, s.version, s.life, nil
}

// identify adds the headers of the session.
func (o *outgoing) identify(id, version string) {
	if id != "" {
		o.add(mcpwire.HeaderSession, id)
	}
	if version != "" {
		o.add(mcpwire.HeaderVersion, version)
	}
}

// Call sends a request. When it ends before its answer, the upstream is told: here a
// closed connection is not a cancellation.
func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	exchange.Taken(ctx) // requests of HTTP have no order
	f, err := s.u.begin(ctx, s.u.o.CallTimeout)
	if err != nil {
		return err
	}
	defer f.end()
	err = s.call(f, c, out)
	if err != nil && f.ctx.Err() != nil {
		s.cancelled(ctx, c)
		if stopped := f.stopped(); stopped != nil {
			return stopped
		}
	}
	return err
}

func (s *session) call(f *flight, c *exchange.Call, out exchange.Sink) error {
	r := reply{f: f, c: c, out: out, session: s}
	for attempt := 0; ; attempt++ {
		id, version, life, err := s.now()
		if err != nil {
			return err
		}
		o := s.u.post(f.ctx, c.Message.Raw, c.Header)
		o.identify(id, version)
		o.repeat = reads(c.Message.Method)
		resp, err := f.send(c.Caller, o)
		if err != nil {
			return err
		}
		if answered(resp.StatusCode) {
			s.remember(c.Message)
			return r.deliver(resp)
		}
		e, err := r.explain(resp)
		if err != nil {
			return err
		}
		forgot := s.forgot(resp.StatusCode, e)
		if forgot && resp.StatusCode == http.StatusBadRequest && s.lives(f, id, version) {
			forgot = false
		}
		if forgot && attempt == 0 {
			if err := s.revive(f, life); err != nil {
				return err
			}
			continue
		} else if forgot && resp.StatusCode == http.StatusNotFound {
			return s.u.sessionLost()
		}
		return r.legacyStatus(resp, e)
	}
}

// forgot reports whether an answer says that there is no such session. The protocol has
// 404 for it. Many servers answer 400 with a word about the session, as they do where
// none is named.
func (s *session) forgot(status int, e explanation) bool {
	switch {
	case !s.kept:
		return false
	case status == http.StatusNotFound:
		return !(e.ours && e.code == "-32601")
	}
	return status == http.StatusBadRequest && e.session && !e.ours
}

// lives asks whether the upstream knows a session. A call may be turned down with a word
// about a session of another kind, after it was done.
func (s *session) lives(f *flight, id, version string) bool {
	o := s.u.post(f.ctx, mcpwire.BuildRequest(`"sluice-ping"`, mcpwire.MethodPing, nil), nil)
	o.identify(id, version)
	resp, err := f.send(s.caller, o)
	if err != nil {
		return true // nothing says that it does not
	}
	discard(resp)
	return answered(resp.StatusCode)
}

// Notify sends a notification or a response.
func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	if s.shared && exchange.StandIn(ctx) {
		return nil
	}
	f, err := s.u.begin(ctx, s.u.o.ShortTimeout)
	if err != nil {
		return err
	}
	defer f.end()
	for attempt := 0; ; attempt++ {
		id, version, life, err := s.now()
		if err != nil {
			return err
		}
		o := s.u.post(f.ctx, c.Message.Raw, c.Header)
		o.identify(id, version)
		resp, err := f.send(c.Caller, o)
		if err != nil {
			return err
		}
		if answered(resp.StatusCode) {
			discard(resp)
			s.remember(c.Message)
			return nil
		}
		r := reply{f: f, c: c}
		e, err := r.explain(resp)
		switch {
		case err != nil:
			return err
		case !s.forgot(resp.StatusCode, e):
			return s.u.refused(resp)
		case attempt > 0 || c.Message.Kind.Response(): // what it answers was asked in the session that is gone
			return s.u.sessionLost()
		}
		if err := s.revive(f, life); err != nil {
			return err
		}
	}
}

// Close ends the session upstream. That it can't be ended there is no error: it will
// be forgotten.
func (s *session) Close(ctx context.Context) error {
	s.mu.Lock()
	id, version, was := s.id, s.version, s.closed
	s.closed = true
	s.mu.Unlock()
	if was || !s.kept {
		return nil
	}
	s.u.mu.Lock()
	delete(s.u.sessions, s)
	s.u.mu.Unlock()
	if s.shared && exchange.Leaving(ctx) {
		return nil
	}
	f := s.u.apart(ctx, s.u.o.ShortTimeout)
	defer f.end()
	f.parting = true
	o := outgoings.Get().(*outgoing)
	o.method = http.MethodDelete
	o.add("User-Agent", s.u.o.UserAgent)
	o.identify(id, version)
	resp, err := f.send(s.caller, o)
	if err != nil {
		return err
	}
	discard(resp)
	return nil
}

// Listen is the stream for what belongs to no call, or the rest of one that was lost.
func (s *session) Listen(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error {
	f, err := s.u.begin(ctx, 0)
	if err != nil {
		return err
	}
	defer f.end()
	resp, err := s.stream(f, lastEventID)
	if err != nil {
		return err
	}
	if relayer, ok := out.(exchange.Relayer); ok {
		return relayer.Relay(resp)
	}
	if err := out.Send(exchange.Event{}); err != nil { // it is open
		_ = resp.Body.Close()
		return err
	}
	r := reply{f: f, c: c, out: out, session: s, listens: true, last: lastEventID, hasLast: lastEventID != ""}
	return r.listen(resp)
}

// stream opens a GET stream, in a new session where the old one is gone. The rest of
// a stream is gone with its session.
func (s *session) stream(f *flight, lastEventID string) (*http.Response, error) {
	_, _, life, err := s.now()
	if err != nil {
		return nil, err
	}
	resp, err := s.get(f, lastEventID)
	if !errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) || lastEventID != "" {
		return resp, err
	}
	if err := s.revive(f, life); err != nil {
		return nil, err
	}
	return s.get(f, "")
}

// get opens a GET stream.
func (s *session) get(f *flight, lastEventID string) (*http.Response, error) {
	id, version, _, err := s.now()
	if err != nil {
		return nil, err
	}
	o := outgoings.Get().(*outgoing)
	o.method, o.repeat = http.MethodGet, true
	o.add("User-Agent", s.u.o.UserAgent)
	o.add("Accept", typeStream)
	o.identify(id, version)
	if lastEventID != "" {
		o.add(mcpwire.HeaderLastEvent, lastEventID)
	}
	o.trace(f.ctx, nil)
	resp, err := f.send(s.caller, o)
	switch {
	case err != nil:
		return nil, err
	case answered(resp.StatusCode) && mediaType(resp.Header) == typeStream:
		return resp, nil
	}
	r := reply{f: f, c: &exchange.Call{Message: &mcpwire.Message{}}}
	if answered(resp.StatusCode) { // with something else: it does not know what was asked for
		_ = resp.Body.Close()
		return nil, exchange.ErrNoStream
	}
	e, err := r.explain(resp)
	if err != nil {
		return nil, err
	}
	switch status := resp.StatusCode; {
	case status == http.StatusMethodNotAllowed, status == http.StatusNotFound && !s.kept, status == http.StatusNotImplemented:
		return nil, exchange.ErrNoStream
	case s.forgot(status, e):
		return nil, s.u.sessionLost()
	}
	return nil, s.u.refused(resp)
}
