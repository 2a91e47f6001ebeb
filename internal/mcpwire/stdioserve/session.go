package stdioserve

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// open begins the legacy session. A second initialize begins it anew.
func (f *face) open(ctx context.Context, c *exchange.Call, out *sink, opened chan struct{}) error {
	defer f.opened(opened)
	f.closeSession()
	if v := mcpwire.Member(c.Message.Raw, c.Message.Params, "protocolVersion"); v.Present() {
		c.Version, _ = c.Message.Text(v)
	}
	s, err := f.o.Upstream.Initialize(ctx, c, out)
	if err != nil || s == nil {
		return err
	}
	f.mu.Lock()
	f.session, f.hello, f.version, f.ready, f.reopen = s, c, agreed(out.answer, c.Version), false, false
	clear(f.state)
	f.mu.Unlock()
	return nil
}

// opened lets those go on who waited for an initialize.
func (f *face) opened(opening chan struct{}) {
	f.mu.Lock()
	if f.opening == opening {
		f.opening = nil
	}
	f.mu.Unlock()
	close(opening)
}

// agreed is the version that the upstream answered with.
func agreed(answer []byte, asked string) string {
	m, err := mcpwire.ParseReply(answer, mcpwire.Limits{})
	if err != nil {
		return asked
	}
	if v, ok := m.Text(mcpwire.Member(m.Raw, m.Result, "protocolVersion")); ok {
		return v
	}
	return asked
}

// current is the session; one that was lost is opened again with the same words. It is
// nil when there never was one.
func (f *face) current(ctx context.Context) (exchange.Session, error) {
	for {
		f.mu.Lock()
		s, hello, wait, reopen := f.session, f.hello, f.opening, f.reopen
		if wait == nil && reopen {
			f.opening = make(chan struct{})
		}
		opening := f.opening
		f.mu.Unlock()
		switch {
		case wait != nil:
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, ctx.Err()
			}
		case !reopen:
			return s, nil
		}
		s, err := f.again(ctx, hello, opening)
		return s, err
	}
}

// again opens the session once more. The client has seen the first answer.
func (f *face) again(ctx context.Context, hello *exchange.Call, opening chan struct{}) (exchange.Session, error) {
	defer f.opened(opening)
	s, err := f.o.Upstream.Initialize(ctx, hello, nowhere{})
	if err != nil {
		return nil, err
	}
	if s == nil {
		return nil, &exchange.Error{Code: exchange.SessionLost, Message: "the session ended and the server opens no other",
			Fix: "start the client again"}
	}
	f.mu.Lock()
	ready, state := f.ready, slices.Collect(maps.Values(f.state))
	f.mu.Unlock()
	if ready {
		err = s.Notify(ctx, f.call(mustNotification(mcpwire.MethodInitialized)))
	}
	for _, c := range state {
		if err == nil {
			err = s.Call(ctx, c, nowhere{})
		}
	}
	if err != nil {
		f.o.Log.Warn("the new session was not told everything that the lost one knew", "error", err.Error())
	}
	f.mu.Lock()
	f.session, f.reopen = s, false
	f.mu.Unlock()
	if ready {
		f.hear(s)
	}
	return s, nil
}

// maxState bounds what is remembered of a session.
const maxState = 1000

// remember keeps the calls that change what a session is: its log level and its
// subscriptions.
func (f *face) remember(c *exchange.Call) {
	key := c.Message.Method
	switch key {
	case mcpwire.MethodSetLevel:
	case mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe:
		key = mcpwire.MethodSubscribe + " " + string(c.Message.Bytes(c.Message.URI))
	default:
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Message.Method == mcpwire.MethodUnsubscribe {
		delete(f.state, key)
	} else if len(f.state) < maxState {
		f.state[key] = c
	}
}

func mustNotification(method string) *mcpwire.Message {
	raw := mcpwire.BuildNotification(method, nil)
	return &mcpwire.Message{Raw: raw, Kind: mcpwire.Notification, Method: method}
}

type nowhere struct{}

func (nowhere) Send(exchange.Event) error { return nil }

// noticeLoss looks whether a session was lost. The call that found out reports it, so
// that the client knows; the next one finds a new session.
func (f *face) noticeLoss(err error, s exchange.Session) {
	if !errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.session != s {
		return
	}
	f.session, f.reopen = nil, true
	if f.hearing != nil {
		f.hearing()
		f.hearing = nil
	}
	f.tasks.Go(func() { _ = s.Close(context.WithoutCancel(f.ctx)) })
}

func (f *face) closeSession() {
	f.mu.Lock()
	s := f.session
	f.session = nil
	if f.hearing != nil {
		f.hearing()
		f.hearing = nil
	}
	f.mu.Unlock()
	if s == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(f.ctx), 10*time.Second)
	defer cancel()
	if err := s.Close(ctx); err != nil {
		f.o.Log.Debug("the session was not closed in order", "error", err.Error())
	}
}

// hear takes what the upstream says beside calls, as long as the session lasts.
func (f *face) hear(s exchange.Session) {
	ctx, cancel := context.WithCancel(f.ctx)
	f.mu.Lock()
	if f.session != s || f.hearing != nil || f.ending {
		f.mu.Unlock()
		cancel()
		return
	}
	f.ready, f.hearing = true, cancel
	f.tasks.Go(func() {
		defer cancel()
		f.listen(ctx, s)
	})
	f.mu.Unlock()
}

// listen keeps the stream open: one that ends is asked for again, from where it was.
func (f *face) listen(ctx context.Context, s exchange.Session) {
	out := &stream{f: f}
	pause := time.Second
	for {
		out.passed = false
		err := s.Listen(ctx, f.call(mustNotification(mcpwire.MethodInitialized)), out.lastID, out)
		switch {
		case ctx.Err() != nil, errors.Is(err, exchange.ErrNoStream):
			return
		case errors.Is(err, &exchange.Error{Code: exchange.SessionLost}):
			f.noticeLoss(err, s)
			return
		case err == nil || out.passed:
			pause = time.Second
		default:
			f.o.Log.Debug("the server's stream dropped", "error", err.Error())
			pause = min(2*pause, 30*time.Second)
		}
		wait := pause
		if out.retry > 0 {
			wait = max(out.retry, wait/2)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return
		}
	}
}

// stream passes on what belongs to no call.
type stream struct {
	f      *face
	lastID string
	retry  time.Duration
	passed bool
}

// Send implements exchange.Sink.
func (s *stream) Send(ev exchange.Event) error {
	s.passed = true
	if ev.HasID {
		s.lastID = ev.ID
	}
	if ms, err := strconv.Atoi(ev.Retry); err == nil && ms >= 0 && ms <= 3_600_000 {
		s.retry = time.Duration(ms) * time.Millisecond
	}
	if len(ev.Data) == 0 {
		return nil
	}
	return s.f.out.write(ev.Data)
}
