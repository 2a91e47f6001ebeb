package httpserve

import (
	"context"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// session is a legacy client's conversation, known to it by an id of ours.
type session struct {
	id      string
	caller  string
	version string // negotiated; empty where the response did not say
	up      exchange.Session
	ctx     context.Context // ends with the session
	cancel  context.CancelCauseFunc

	greeting sync.Mutex // held while the upstream is told that the client is ready
	greeted  atomic.Bool

	inUse   atomic.Int32 // requests and streams
	lastUse atomic.Int64 // Unix nanoseconds
	expiry  *time.Timer
}

type sessionTable struct {
	mu   sync.Mutex
	open map[string]*session
}

func (t *sessionTable) count() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.open)
}

func (t *sessionTable) all() []*session {
	t.mu.Lock()
	defer t.mu.Unlock()
	list := make([]*session, 0, len(t.open))
	for _, s := range t.open {
		list = append(list, s)
	}
	return list
}

// use finds the session of this id that belongs to this caller, and holds it until
// release. Somebody else's is as unknown as one that never was.
func (t *sessionTable) use(id, caller string) (*session, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	s, ok := t.open[id]
	if !ok || s.caller != caller {
		return nil, false
	}
	s.inUse.Add(1)
	return s, true
}

func (s *session) release() {
	s.lastUse.Store(time.Now().UnixNano())
	s.inUse.Add(-1)
}

// remove reports whether it was s who was removed, so that a session is closed once.
func (t *sessionTable) remove(s *session) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.open[s.id] != s {
		return false
	}
	delete(t.open, s.id)
	return true
}

// room reports whether the caller may open one more. A client that never ends its
// sessions must not lock itself out, so the one that idles longest gives way.
func (t *sessionTable) room(caller string, limit int) (oldest *session, ok bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	n := 0
	for _, s := range t.open {
		if s.caller != caller {
			continue
		}
		n++
		if s.inUse.Load() == 0 && (oldest == nil || s.lastUse.Load() < oldest.lastUse.Load()) {
			oldest = s
		}
	}
	if n < limit {
		return nil, true
	}
	return oldest, oldest != nil
}

// open keeps an upstream session that its client knows by this id.
func (h *Handler) open(up exchange.Session, id, caller, version string) *session {
	s := &session{id: id, caller: caller, version: version, up: up}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	s.lastUse.Store(time.Now().UnixNano())
	h.sessions.mu.Lock()
	defer h.sessions.mu.Unlock()
	h.sessions.open[s.id] = s
	s.expiry = time.AfterFunc(h.o.SessionIdle, func() { h.expire(s) })
	return s
}

// expire closes a session that nobody used for long, or looks again when that may be.
func (h *Handler) expire(s *session) {
	h.sessions.mu.Lock()
	idle := time.Since(time.Unix(0, s.lastUse.Load()))
	again := h.o.SessionIdle - idle
	if s.inUse.Load() > 0 {
		again = h.o.SessionIdle
	}
	known := h.sessions.open[s.id] == s
	if known && again > 0 {
		s.expiry.Reset(again)
	} else if known {
		delete(h.sessions.open, s.id)
	}
	h.sessions.mu.Unlock()
	if known && again <= 0 {
		ctx := context.Background()
		if h.o.Siblings {
			ctx = exchange.WithLeaving(ctx)
		}
		h.dispose(ctx, s)
	}
}

// closeTimeout bounds what an upstream may take to end a session.
const closeTimeout = 5 * time.Second

// close ends a session and everything that runs in it. It does nothing the second time.
func (h *Handler) close(ctx context.Context, s *session) {
	if h.sessions.remove(s) {
		h.dispose(ctx, s)
	}
}

// dispose ends a session that is in the table no more.
func (h *Handler) dispose(ctx context.Context, s *session) {
	s.expiry.Stop()
	s.cancel(errEnded)
	ctx, cancel := context.WithTimeout(ctx, closeTimeout)
	defer cancel()
	if err := s.up.Close(ctx); err != nil {
		h.o.Log.Debug("closing an upstream session failed", "server", h.o.Server, "error", err)
	}
}

// sessionID is the id a request shows; many is a request that shows several.
func sessionID(header http.Header) (id string, shown, many bool) {
	v := header[mcpwire.HeaderSession]
	if len(v) == 0 {
		return "", false, false
	}
	return v[0], true, len(v) > 1
}
