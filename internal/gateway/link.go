package gateway

import (
	"bytes"
	"context"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// link is one member's side of a session. It is opened at initialize, again after the
// member lost it, and later where the member could not be reached at first; each time
// alone, without the other members noticing. Its lock comes before the session's,
// where both are held.
type link struct {
	mu      sync.Mutex
	session exchange.Session
	opened  reply         // what the member answered to initialize
	done    chan struct{} // while it is being opened
	err     error         // of the last attempt
	failed  time.Time
	ready   bool // it was told notifications/initialized
	late    bool // it was missing when the client was answered
}

// reach returns the session with a member, and opens it where there is none.
func (s *session) reach(ctx context.Context, i int) (exchange.Session, error) {
	k := s.links[i]
	k.mu.Lock()
	if k.session != nil {
		defer k.mu.Unlock()
		return k.session, nil
	}
	if k.done == nil {
		if k.err != nil && time.Since(k.failed) < retryLink {
			defer k.mu.Unlock()
			return nil, k.err
		}
		if !s.begin(i) {
			defer k.mu.Unlock()
			return nil, lost()
		}
	}
	done := k.done
	k.mu.Unlock()
	select {
	case <-done:
	case <-ctx.Done():
		return nil, &exchange.Error{Code: exchange.TimedOut, Message: named(s.a.members[i].Name) + " did not open a session in time",
			Fix: "see what holds it up: `sluice server check " + s.a.members[i].Name + "`", Cause: ctx.Err()}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case k.session != nil:
		return k.session, nil
	case k.err != nil:
		return nil, k.err
	default: // it was lost again at once
		return nil, lost()
	}
}

func lost() error {
	return &exchange.Error{Code: exchange.SessionLost, Message: "the session has ended", Fix: "initialize again"}
}

// begin starts to open a link, whose lock is held. False when the session has ended.
func (s *session) begin(i int) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	k := s.links[i]
	k.done = make(chan struct{})
	s.work.Go(func() { s.open(i) })
	return true
}

// open opens a link and brings the member to where the others are.
func (s *session) open(i int) {
	k := s.links[i]
	ctx, cancel := context.WithTimeout(s.live, openLink)
	defer cancel()
	var answer capture
	begun := time.Now()
	to, err := s.a.members[i].Upstream.Initialize(ctx, s.a.to(i, s.opening), &answer)
	opened := answer.reply(err)
	if err == nil && time.Since(begun) <= s.a.o.Wait {
		s.a.silent.answered(s.opens(i))
	}
	if err == nil && to == nil {
		err = &exchange.Error{Code: exchange.Unreachable, Message: named(s.a.members[i].Name) + " opened no session", Cause: opened.err}
	}
	told := false
	if err == nil {
		told = s.catchUp(ctx, i, to)
	}
	k.mu.Lock()
	k.opened, k.err, k.failed, k.ready = opened, err, time.Now(), told
	if err == nil {
		k.session = to
	}
	late := k.late && err == nil
	if late {
		k.late = false
	}
	close(k.done)
	k.done = nil
	k.mu.Unlock()
	if err != nil {
		return
	}
	s.mu.Lock()
	ready := s.ready
	s.mu.Unlock()
	if ready != nil { // the client sent it while the link was being opened
		s.tellReady(ctx, i, ready)
	}
	if late {
		s.announce()
	}
}

// catchUp tells a member what the client told the others before: that it is ready,
// the log level, its subscriptions. It returns false where the client has said nothing
// yet.
func (s *session) catchUp(ctx context.Context, i int, to exchange.Session) (told bool) {
	s.mu.Lock()
	var said []*exchange.Call
	if s.level != nil {
		said = append(said, s.level)
	}
	for _, w := range s.watched {
		if w.member == i {
			said = append(said, w.call)
		}
	}
	ready := s.ready
	s.mu.Unlock()
	if ready == nil {
		return false
	}
	_ = to.Notify(ctx, s.a.to(i, ready))
	for n, c := range said {
		id := []byte(`"sluice-again-` + string(rune('a'+n%26)) + `"`)
		again, err := edited(c, mcpwire.Edit{Span: c.Message.ID, With: id})
		if err == nil {
			err = to.Call(ctx, s.a.to(i, again), &capture{})
		}
		if err != nil {
			s.a.o.Log.Warn("a session was opened again, but not all of it came back", "server", s.a.members[i].Name, "method", c.Message.Method, "error", err)
		}
	}
	return true
}

// tellReady passes notifications/initialized on, once for each opening.
func (s *session) tellReady(ctx context.Context, i int, ready *exchange.Call) {
	k := s.links[i]
	k.mu.Lock()
	to := k.session
	first := to != nil && !k.ready
	k.ready = k.ready || first
	k.mu.Unlock()
	if first {
		if err := to.Notify(ctx, s.a.to(i, ready)); err != nil {
			s.a.o.Log.Debug("a notification was not taken", "server", s.a.members[i].Name, "error", err)
		}
	}
}

// lose forgets a session that its member lost. False when the whole session ended.
func (s *session) lose(i int, which exchange.Session) bool {
	k := s.links[i]
	k.mu.Lock()
	mine := k.session == which
	if mine {
		k.session, k.err = nil, nil
	}
	k.mu.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if mine && !s.closed { // there is nothing to end upstream, but here there may be
		s.work.Go(func() {
			ctx, cancel := context.WithTimeout(s.live, openLink)
			defer cancel()
			_ = which.Close(ctx)
		})
	}
	return !s.closed
}

// announce tells a client that listens that there is more than it was told at first.
func (s *session) announce() {
	s.mu.Lock()
	send := s.stream
	s.mu.Unlock()
	if send == nil {
		return
	}
	for _, kind := range []string{"tools", "prompts", "resources"} {
		_ = send(exchange.Event{Data: mcpwire.BuildNotification("notifications/"+kind+"/list_changed", nil)})
	}
}

// watch and unwatch keep the subscriptions that a member must be told again when its
// session is opened again.
func (s *session) watch(c *exchange.Call, member int) {
	uri, _ := c.Message.Text(c.Message.URI)
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.watched) < maxURIs {
		s.watched[uri] = watch{member, keep(c)}
	}
}

func (s *session) unwatch(c *exchange.Call) {
	uri, _ := c.Message.Text(c.Message.URI)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.watched, uri)
}

// keep is a call that outlives the request it came with.
func keep(c *exchange.Call) *exchange.Call {
	m := *c.Message
	m.Raw = bytes.Clone(m.Raw)
	return c.With(&m)
}

// setLevel is fanned out, and kept for members that join later.
func (s *session) setLevel(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	s.mu.Lock()
	s.level = keep(c)
	s.mu.Unlock()
	for i := range s.links {
		if s.a.silent.is(s.party(i)) { // it may be no more than busy
			once := repeat(c, s, i)
			s.beside(func(ctx context.Context) {
				ctx, cancel := context.WithTimeout(ctx, askedAgain)
				defer cancel()
				_ = once(ctx)
			})
		}
	}
	got := s.a.ask(ctx, s.a.all(), asIs(c), s)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if len(got.results()) == 0 {
		return got.nobody(out, c)
	}
	return answer(out, c, []byte("{}"))
}
