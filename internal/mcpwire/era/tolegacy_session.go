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

// conversation is one legacy session with the upstream, opened for the modern requests
// of one caller who says the same about itself each time.
type conversation struct {
	l      *toLegacy
	key    string
	caller exchange.Caller
	server string

	opened  chan struct{} // closed when initialize ended
	err     error         // why it failed
	refusal *mcpwire.Message

	// What the server said of itself; set before opened closes.
	session      exchange.Session
	version      string
	hello        *mcpwire.Message // the initialize response
	serverInfo   []byte
	capabilities []byte // the server's
	client       []byte // the client's, as declared

	ear      *listener // where the client can be asked something
	attended time.Time // since when

	listeners hub

	mu      sync.Mutex
	ids     int64
	flights map[int64]*flight
	level   int // of the session's log messages; -1 before it was set

	// Guarded by the pool.
	uses  int
	idle  *time.Timer
	since time.Time // of the last use
	gone  bool
}

// open does the handshake on behalf of the client that c came from.
func (s *conversation) open(ctx context.Context, c *exchange.Call) error {
	m := c.Message
	info := m.Bytes(m.ClientInfo)
	if len(info) == 0 {
		info = s.l.opt.Client
	}
	hello, err := ours(mcpwire.BuildRequest("0", mcpwire.MethodInitialize, object(
		mcpwire.Field{Name: "protocolVersion", Value: mcpwire.Quote(mcpwire.Version20251125)},
		mcpwire.Field{Name: "capabilities", Value: s.client},
		mcpwire.Field{Name: "clientInfo", Value: info})))
	if err != nil {
		return err
	}
	got, _, err := ask(asLegacy(c, mcpwire.Version20251125, hello), func(c *exchange.Call, out exchange.Sink) error {
		session, err := s.l.up.Initialize(ctx, c, out)
		s.session = session
		return err
	})
	if err == nil && got.Kind == mcpwire.Failure {
		s.refusal = got
		return &exchange.Error{Code: exchange.WrongEra, Message: named(s.server) + " refused the handshake",
			Fix: "check that its address is that of an MCP server"}
	}
	if err == nil && (s.session == nil || !isObject(got.Raw, got.Result)) {
		err = &exchange.Error{Code: exchange.BrokeOff, Message: named(s.server) + " answered the handshake with something else"}
	}
	if err != nil {
		s.drop(ctx)
		return err
	}
	s.hello = got
	s.version = text(got.Raw, got.Result, "protocolVersion")
	if s.version == "" || mcpwire.EraOf(s.version) == mcpwire.Modern {
		s.version = mcpwire.Version20251125
	}
	s.serverInfo = got.Bytes(mcpwire.Member(got.Raw, got.Result, "serverInfo"))
	s.capabilities = got.Bytes(mcpwire.Member(got.Raw, got.Result, "capabilities"))
	if err := s.notify(ctx, mcpwire.BuildNotification(mcpwire.MethodInitialized, nil)); err != nil {
		s.drop(ctx)
		return err
	}
	s.listeners.attend()
	return nil
}

func (s *conversation) drop(ctx context.Context) {
	if s.session != nil {
		_ = s.session.Close(ctx) // it was never used
	}
}

// call is a call of ours on this session.
func (s *conversation) call(m *mcpwire.Message) *exchange.Call {
	return &exchange.Call{Message: m, Caller: s.caller, Server: s.server, Era: mcpwire.Legacy, Version: s.version}
}

// notify sends a notification or a response.
func (s *conversation) notify(ctx context.Context, raw []byte) error {
	m, err := ours(raw)
	if err != nil {
		return err
	}
	return s.session.Notify(ctx, s.call(m))
}

// request asks something of our own.
func (s *conversation) request(ctx context.Context, method string, params []byte) (*mcpwire.Message, error) {
	m, err := ours(mcpwire.BuildRequest(strconv.FormatInt(s.nextID(), 10), method, params))
	if err != nil {
		return nil, err
	}
	got, _, err := ask(s.call(m), func(c *exchange.Call, out exchange.Sink) error {
		return s.session.Call(ctx, c, sinkFunc(func(e exchange.Event) error {
			if e.Final || len(e.Data) == 0 {
				return out.Send(e)
			}
			return s.stray(e) // what belongs to others may come along
		}))
	})
	return got, err
}

func (s *conversation) nextID() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ids++
	return s.ids
}

// talk sees to it that the session's log level lets through what a request asked for.
// It only ever grows more talkative; each request takes what is its own.
func (s *conversation) talk(ctx context.Context, level int) error {
	if !has(s.capabilities, "logging") {
		return nil
	}
	s.mu.Lock()
	enough := s.level >= 0 && s.level <= level
	if !enough {
		s.level = level
	}
	s.mu.Unlock()
	if enough {
		return nil
	}
	_, err := s.request(ctx, mcpwire.MethodSetLevel, object(mcpwire.Field{Name: "level", Value: mcpwire.Quote(levels[level])}))
	return err
}

// stray takes an event that came outside the call it belongs to, on the stream of the
// server itself or with an answer to us.
func (s *conversation) stray(e exchange.Event) error {
	m, err := reply(e.Data)
	if err != nil {
		return err
	}
	switch m.Kind {
	case mcpwire.Request:
		if m.Method != mcpwire.MethodPing {
			if f := s.latest(func(f *flight) bool { return f.mayAsk }); f != nil {
				return f.asked(m)
			}
		}
		return s.reject(m)
	case mcpwire.Notification:
		s.heard(m)
	}
	return nil
}

// heard routes a notification that names the call it belongs to, or none.
func (s *conversation) heard(m *mcpwire.Message) {
	switch {
	case s.listeners.offer(m):
	case m.Method == mcpwire.MethodProgress:
		token := mcpwire.Member(m.Raw, m.Params, mcpwire.MetaProgressToken)
		id, err := strconv.ParseInt(string(m.Bytes(token)), 10, 64)
		if err != nil {
			return
		}
		s.mu.Lock()
		f := s.flights[id]
		s.mu.Unlock()
		if f != nil {
			f.push(m.Raw, false)
		}
	case m.Method == mcpwire.MethodLog:
		if f := s.latest(func(f *flight) bool { return f.wants(m) }); f != nil {
			f.push(m.Raw, false)
		}
	case m.Method == mcpwire.MethodCancelled:
		id := m.Bytes(mcpwire.Member(m.Raw, m.Params, "requestId"))
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, f := range s.flights {
			f.withdrawn(id)
		}
	}
}

// latest is the call in flight that began last, of those that fit: what names no call
// is most likely its. All of them are of one caller, who declared the same with each.
func (s *conversation) latest(fits func(*flight) bool) *flight {
	s.mu.Lock()
	defer s.mu.Unlock()
	var found *flight
	for id, f := range s.flights {
		if fits(f) && (found == nil || id > found.id) {
			found = f
		}
	}
	return found
}

// reject answers a request of the server that no client will answer: a ping by us,
// anything else with an error.
func (s *conversation) reject(m *mcpwire.Message) error {
	id := bytes.Clone(m.Bytes(m.ID))
	if m.Method == mcpwire.MethodPing {
		return s.notify(s.l.ctx, mcpwire.BuildResult(id, []byte("{}")))
	}
	return s.notify(s.l.ctx, mcpwire.BuildError(id, mcpwire.CodeMethodNotFound,
		"the client did not say that it can answer this, or the request belongs to no call of its", nil))
}
