package httpserve

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"sync"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Sealer encrypts what only processes of the same installation may read.
type Sealer interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
}

// ticket is what a shared session's id holds, sealed: what another process needs to go
// on with the session, or to open it again as the client did.
type ticket struct {
	Version    string            `json:"v"` // negotiated
	Initialize json.RawMessage   `json:"i"` // the client's request
	Upstream   map[string]string `json:"u,omitempty"`
}

// maxTicket bounds a ticket: a session id travels in a header, which proxies bound to
// 8 KiB. A client that says more of itself has a session of one process.
const maxTicket = 4 << 10

// maxEnded is how many sessions that clients ended are remembered, so that they stay so.
const maxEnded = 8192

// sharing is what a handler with a Sealer keeps beside its sessions.
type sharing struct {
	mu      sync.Mutex
	joining map[string]*joining // by id
	ended   map[[sha256.Size]byte]struct{}
	order   [][sha256.Size]byte // of ended, a ring
	next    int
}

// joining is a session that is being gone on with; err is set when done closes.
type joining struct {
	done chan struct{}
	err  *exchange.Error
}

// purpose binds a ticket to the caller and the server.
func (h *Handler) purpose(caller string) string {
	return "mcp session\x00" + h.o.Server + "\x00" + caller
}

// shared is the context of an initialize whose session others may go on with.
func (h *Handler) shared(ctx context.Context) (context.Context, *exchange.Shared) {
	if h.o.Sealer == nil {
		return ctx, nil
	}
	s := exchange.NewShared(nil)
	return exchange.WithShared(ctx, s), s
}

// mint is the id of a new session.
func (h *Handler) mint(in *inbound, version string, s *exchange.Shared) string {
	if s == nil || version == "" {
		return rand.Text()
	}
	plain, err := json.Marshal(ticket{version, in.message.Raw, s.All()})
	if err != nil || len(plain) > maxTicket {
		return rand.Text()
	}
	return base64.RawURLEncoding.EncodeToString(h.o.Sealer.Seal(plain, h.purpose(in.call.Caller.ID)))
}

// rejoin finds a session that this process does not know and its id lets it go on with.
// One request does it, the others wait. What it returns is held until its release.
func (h *Handler) rejoin(r *http.Request, caller exchange.Caller, id string) (*session, *exchange.Error) {
	t, ok := h.ticket(id, caller.ID)
	if !ok {
		return nil, sessionLost()
	}
	for {
		h.share.mu.Lock()
		if h.share.has(id) {
			h.share.mu.Unlock()
			return nil, sessionLost()
		}
		if s, ok := h.sessions.use(id, caller.ID); ok { // somebody was faster
			h.share.mu.Unlock()
			return s, nil
		}
		j, under := h.share.joining[id]
		if !under {
			j = &joining{done: make(chan struct{})}
			h.share.joining[id] = j
		}
		h.share.mu.Unlock()
		if !under {
			h.join(r, caller, id, t, j)
		}
		select {
		case <-j.done:
		case <-r.Context().Done():
			return nil, exchange.As(r.Context().Err())
		}
		if j.err != nil {
			return nil, j.err
		}
	}
}

func (h *Handler) join(r *http.Request, caller exchange.Caller, id string, t ticket, j *joining) {
	j.err = sessionLost() // of a panic
	defer func() {
		h.share.mu.Lock()
		defer h.share.mu.Unlock()
		delete(h.share.joining, id)
		close(j.done)
	}()
	s, err := h.reopen(r, caller, t)
	if err != nil {
		j.err = err
		return
	}
	h.share.mu.Lock()
	over := h.share.has(id)
	h.share.mu.Unlock()
	if over { // the client ended it meanwhile
		_ = s.Close(context.WithoutCancel(r.Context()))
		return
	}
	h.stateful.Store(true)
	h.open(s, id, caller.ID, t.Version)
	j.err = nil
}

// ticket opens an id. False for whatever was not sealed for this caller and server.
func (h *Handler) ticket(id, caller string) (t ticket, ok bool) {
	if h.o.Sealer == nil {
		return ticket{}, false
	}
	sealed, err := base64.RawURLEncoding.Strict().DecodeString(id)
	if err != nil {
		return ticket{}, false
	}
	plain, err := h.o.Sealer.Open(sealed, h.purpose(caller))
	if err != nil || json.Unmarshal(plain, &t) != nil {
		return ticket{}, false
	}
	return t, true
}

// reopenTimeout bounds the opening of a session that its client has open already.
const reopenTimeout = time.Minute

// reopen goes through the handshake in the client's place; where the upstream keeps the
// session, that takes it over.
func (h *Handler) reopen(r *http.Request, caller exchange.Caller, t ticket) (exchange.Session, *exchange.Error) {
	hello, err := mcpwire.Parse(t.Initialize, h.o.Limits)
	if err != nil {
		return nil, sessionLost()
	}
	if e := h.makeRoom(r, caller.ID); e != nil {
		return nil, e
	}
	ctx, cancel := context.WithCancelCause(trace(context.WithoutCancel(r.Context()), r.Header))
	defer cancel(nil)
	f := &flight{caller: caller.ID, cancel: cancel}
	if e := h.enter(f); e != nil {
		return nil, e
	}
	defer h.leave(f)
	ctx, stop := context.WithTimeout(exchange.WithShared(ctx, exchange.NewShared(t.Upstream)), reopenTimeout)
	defer stop()
	c := &exchange.Call{Message: &hello, Caller: caller, Server: h.o.Server, Era: mcpwire.Legacy, Version: t.Version}
	held := &holder{limit: h.o.MaxEvent}
	s, err := h.o.Upstream.Initialize(ctx, c, held)
	switch {
	case err != nil:
		return nil, failureOf(context.Cause(ctx), err)
	case s == nil:
		return nil, sessionLost()
	case held.version() != t.Version: // it is not what the client settled with
		_ = s.Close(context.WithoutCancel(ctx))
		return nil, sessionLost()
	}
	return s, nil
}

// greet tells the upstream that the client is ready, where it told another process: a
// client sends requests only after that.
func (h *Handler) greet(ctx context.Context, s *session, in *inbound) {
	if h.o.Sealer == nil || s.id == "" || s.greeted.Load() || in.message.Method == mcpwire.MethodPing {
		return
	}
	s.greeting.Lock()
	defer s.greeting.Unlock()
	if s.greeted.Load() {
		return
	}
	m, err := mcpwire.Parse(mcpwire.BuildNotification(mcpwire.MethodInitialized, nil), h.o.Limits)
	if err != nil {
		panic(err) // it is ours
	}
	c := in.call
	c.Message, c.Header = &m, nil
	ctx, cancel := context.WithTimeout(exchange.WithStandIn(ctx), notifyTimeout)
	defer cancel()
	if err := s.up.Notify(ctx, &c); err != nil {
		h.o.Log.Debug("a server was not told that a client is ready", "server", h.o.Server, "error", err)
		return
	}
	s.greeted.Store(true)
}

// over remembers that a client ended a session.
func (h *Handler) over(id string) {
	if h.o.Sealer == nil {
		return
	}
	key := sha256.Sum256([]byte(id))
	h.share.mu.Lock()
	defer h.share.mu.Unlock()
	if h.share.has(id) {
		return
	}
	if len(h.share.order) < maxEnded {
		h.share.order = append(h.share.order, key)
	} else {
		delete(h.share.ended, h.share.order[h.share.next])
		h.share.order[h.share.next] = key
		h.share.next = (h.share.next + 1) % maxEnded
	}
	h.share.ended[key] = struct{}{}
}

// has reports whether a client ended a session. The lock is held.
func (s *sharing) has(id string) bool {
	_, over := s.ended[sha256.Sum256([]byte(id))]
	return over
}
