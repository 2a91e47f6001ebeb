package gateway

import (
	"context"
	"errors"
	"maps"
	"strconv"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Listen merges the members' streams of a legacy session. An event id of a call's
// stream resumes that one alone.
func (s *session) Listen(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error {
	if i, id, ok := untag(lastEventID, len(s.links)); ok {
		to, err := s.reach(ctx, i)
		if err != nil {
			return err
		}
		edit := func(m *mcpwire.Message) []mcpwire.Edit { return s.back(m, "", i) }
		return to.Listen(ctx, s.a.to(i, c), id, &rewriting{out: tagging{out, i}, edit: edit})
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.live, cancel)()
	m := &merged{out: &serial{out: out, stop: cancel}, at: readPositions(lastEventID)}
	s.hear(m.out.Send)
	defer s.hear(nil)
	var wg sync.WaitGroup
	start := maps.Clone(m.at)
	for i := range s.links {
		from := start[i]
		wg.Go(func() { s.follow(ctx, c, i, from, m) })
	}
	wg.Wait()
	err := m.out.end() // news of the aggregate may be on its way yet
	switch {
	case err != nil:
		return err
	case s.live.Err() != nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	default: // follow gives up only where there is no stream
		return exchange.ErrNoStream
	}
}

// hear notes where news of the aggregate itself can go; nil ends it. The last client
// stream wins.
func (s *session) hear(send func(exchange.Event) error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if send != nil {
		s.stream = send
		s.listened++
		return
	}
	if s.listened--; s.listened == 0 {
		s.stream = nil
	}
}

// follow keeps one member's stream open until the client leaves, or for as long as the
// member has one.
func (s *session) follow(ctx context.Context, c *exchange.Call, i int, last string, m *merged) {
	lostStream := &exchange.Error{Code: exchange.SessionLost}
	for pause := firstPause; ; pause = min(2*pause, longPause) {
		to, err := s.reach(ctx, i)
		f := &following{s: s, m: m, i: i, last: last}
		if err == nil {
			err = to.Listen(ctx, s.a.to(i, c), last, f)
		}
		last = f.last
		switch {
		case ctx.Err() != nil, errors.Is(err, exchange.ErrNoStream):
			return
		case errors.Is(err, lostStream):
			last = ""
			if to == nil || !s.lose(i, to) {
				return
			}
		}
		if f.seen {
			pause = firstPause
		}
		if ms, err := strconv.Atoi(f.retry); err == nil && ms > 0 {
			pause = min(time.Duration(ms)*time.Millisecond, longPause)
		}
		if !sleep(ctx, pause) {
			return
		}
	}
}

// merged is the stream of the client: its event ids hold every member's last. The
// lock is held until the event is sent, so that ids arrive in the order they are made;
// serial's is taken inside it.
type merged struct {
	out *serial
	mu  sync.Mutex
	at  positions
}

func (m *merged) send(member int, e exchange.Event, edit func(*mcpwire.Message) []mcpwire.Edit) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if e.HasID {
		m.at[member] = e.ID
		e.ID = m.at.String()
	}
	return (&rewriting{out: m.out, edit: edit}).Send(e)
}

// following takes one member's events.
type following struct {
	s     *session
	m     *merged
	i     int
	last  string
	retry string
	seen  bool
}

func (f *following) Send(e exchange.Event) error {
	f.seen = true
	if e.Retry != "" {
		f.retry = e.Retry
	}
	if e.HasID {
		f.last = e.ID
	}
	return f.m.send(f.i, e, func(m *mcpwire.Message) []mcpwire.Edit { return f.s.back(m, "", f.i) })
}
