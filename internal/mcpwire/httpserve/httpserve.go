// Package httpserve faces clients that speak MCP over HTTP, of both eras, on one
// endpoint: what they send is checked once and handed on as the bytes it was, what
// comes back is passed on as it comes.
//
// Its guarantees: a request with a foreign Origin or Host, a body that two parsers
// could read differently or headers that contradict the body never reach an upstream;
// no credential of the client does either. Every request is answered, with a result
// or with an error that says which; a stream that breaks off upstream ends with one.
// A modern client that closes its stream cancels the call at once; a legacy client
// that loses its connection does not. A session belongs to the caller who opened it.
//
// Its limits: without a Sealer sessions live in this process's memory; with one other
// processes can go on with them, but learn nothing of what is under way here, nor that a
// client ended one. No event is kept for a client that reconnects: it resumes with the
// upstream's event ids or not at all.
package httpserve

import (
	"context"
	"crypto/sha256"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Options are those of New. Zero values are the defaults named.
type Options struct {
	// Upstream answers. It is required, and stays the caller's to close.
	Upstream exchange.Upstream
	// Server is the configured name of the upstream, which every call carries.
	Server string
	// Authenticate says who sends, or refuses with *Refusal. Nil: everybody is "local".
	Authenticate func(*http.Request) (exchange.Caller, error)
	// AllowedHosts are names, with or without a port, that the Host header may have
	// besides those of the loopback interface. "*" allows all.
	AllowedHosts []string
	// AllowedOrigins are origins (scheme://host[:port]) of web pages that may call.
	AllowedOrigins []string
	// Versions of the protocol that an unsupported one is answered with; default the
	// modern ones, which every upstream can be reached with.
	Versions []string
	// Schema says which arguments of a tool are mirrored into headers. Known is false
	// for a tool not seen yet; its headers pass unchecked. Nil: as far as lists of tools
	// show it that pass by and are not relayed whole.
	Schema func(ctx context.Context, caller exchange.Caller, tool string) (params []mcpwire.ParamHeader, known bool)

	// Sealer makes session ids that other processes with the same one can go on with, for
	// the same caller at the same server. Nil: sessions are this process's.
	Sealer Sealer
	// Siblings says that such processes run beside this one: a session that nobody uses
	// here may be in use there, and is left open upstream.
	Siblings bool

	Limits        mcpwire.Limits // of a message of a client
	MaxEvent      int            // bytes of one event of an upstream; default 16 MiB
	MaxHeaders    int            // header fields of a request; default 100
	MaxStreams    int            // calls and streams of one caller at a time; default 128
	MaxSessions   int            // open sessions of one caller; default 512
	ReadTimeout   time.Duration  // for a whole request body; default 30 s
	WriteTimeout  time.Duration  // for a client to take one piece; default 60 s
	KeepAlive     time.Duration  // silence before a comment is sent; default 15 s
	SessionIdle   time.Duration  // before an unused session is closed; default 1 h
	LegacyTimeout time.Duration  // for a call whose client may be gone; default 1 h

	Log *slog.Logger // default: none
}

func (o Options) withDefaults() Options {
	if o.Limits.Size == 0 {
		o.Limits.Size = mcpwire.MaxSize
	}
	if len(o.Versions) == 0 {
		o.Versions = mcpwire.ModernVersions
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	for _, d := range []struct {
		n       *int
		initial int
	}{{&o.MaxEvent, mcpwire.MaxSize}, {&o.MaxHeaders, 100}, {&o.MaxStreams, 128}, {&o.MaxSessions, 512}} {
		if *d.n == 0 {
			*d.n = d.initial
		}
	}
	for _, d := range []struct {
		t       *time.Duration
		initial time.Duration
	}{
		{&o.ReadTimeout, 30 * time.Second}, {&o.WriteTimeout, time.Minute}, {&o.KeepAlive, 15 * time.Second},
		{&o.SessionIdle, time.Hour}, {&o.LegacyTimeout, time.Hour},
	} {
		if *d.t == 0 {
			*d.t = d.initial
		}
	}
	return o
}

// Handler is one MCP endpoint.
type Handler struct {
	o        Options
	guard    guard
	versions []byte // Options.Versions as JSON

	// stateful is set once the upstream opened a session that it keeps: from then on
	// a legacy request without a session id is a mistake.
	stateful atomic.Bool

	mu       sync.Mutex
	flights  map[*flight]struct{}
	busy     map[string]int // flights by caller
	uploads  map[string]int // large bodies on their way in, by caller
	draining bool
	idle     chan struct{} // closed when a draining handler has no flight left

	sessions sessionTable
	share    sharing
	schemas  schemas
	stats    counters
}

// New is the handler of one endpoint. It panics without an upstream.
func New(o Options) *Handler {
	if o.Upstream == nil {
		panic("httpserve: no upstream")
	}
	o = o.withDefaults()
	h := &Handler{
		o:       o,
		guard:   newGuard(o.AllowedHosts, o.AllowedOrigins),
		flights: map[*flight]struct{}{},
		busy:    map[string]int{},
		uploads: map[string]int{},
		idle:    make(chan struct{}),
	}
	h.versions = quoteList(o.Versions)
	h.sessions.open = map[string]*session{}
	h.share.joining, h.share.ended = map[string]*joining{}, map[[sha256.Size]byte]struct{}{}
	return h
}

type counters struct{ calls, refused atomic.Uint64 }

// Stats is what a handler has done and is doing.
type Stats struct {
	Calls    uint64 // requests passed on
	Refused  uint64 // requests refused before they were
	InFlight int    // calls and streams now
	Streams  int    // of these, streams that stay open: GET and subscriptions
	Sessions int    // open sessions
}

// Stats may be called at any time.
func (h *Handler) Stats() Stats {
	s := Stats{Calls: h.stats.calls.Load(), Refused: h.stats.refused.Load(), Sessions: h.sessions.count()}
	h.mu.Lock()
	defer h.mu.Unlock()
	s.InFlight = len(h.flights)
	for f := range h.flights {
		if f.listens {
			s.Streams++
		}
	}
	return s
}

// ServeHTTP serves one request.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.ContentLength != 0 {
		h.hurry(w)
	}
	defer h.extend(w) // for what the server writes at the end
	if p := h.guard.check(r); p != "" {
		h.forbid(w, p)
		return
	}
	if len(h.guard.origins) > 0 && h.guard.cors(w, r) {
		return // a preflight
	}
	if len(r.Header) > h.o.MaxHeaders {
		h.refuse(w, problem{status: http.StatusRequestHeaderFieldsTooLarge, code: mcpwire.CodeInvalidRequest,
			text: "the request has too many header fields"})
		return
	}
	caller := exchange.Caller{ID: "local", Name: "local"}
	if h.o.Authenticate != nil {
		var err error
		if caller, err = h.o.Authenticate(r); err != nil {
			h.unauthenticated(w, err)
			return
		}
	}
	switch r.Method {
	case http.MethodPost:
		h.post(w, r, caller)
	case http.MethodGet:
		if h.skip(w, r) {
			h.listen(w, r, caller)
		}
	case http.MethodDelete:
		if h.skip(w, r) {
			h.end(w, r, caller)
		}
	default:
		h.notAllowed(w, "this is an MCP endpoint: send messages by POST")
	}
}
