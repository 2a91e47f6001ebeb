package era

import (
	"bytes"
	"context"
	"strconv"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// session is a legacy client's session that exists here only. What a modern upstream
// has to hear with each request is kept in it.
type session struct {
	t      *toModern
	ctx    context.Context
	cancel context.CancelFunc
	caller exchange.Caller
	name   string // of the upstream, as configured

	version      string
	capabilities []byte // the client's
	info         []byte
	server       []byte // the upstream's capabilities; nil where it was not asked
	prefix       string // of our ids

	mu      sync.Mutex
	last    int
	level   string
	calls   map[string]*running              // by the client's id
	waiting map[string]chan *mcpwire.Message // for the client's answers, by our id
	uris    map[string]struct{}              // subscribed to
	changed chan struct{}                    // uris changed; holds one
	stop    context.CancelFunc               // of the stream that is open
}

// running is a call that can be cancelled.
type running struct{ cancel context.CancelFunc }

// Stateful is true: the client's capabilities have to be remembered.
func (s *session) Stateful() bool { return true }

// Close ends the session and whatever runs in it.
func (s *session) Close(context.Context) error {
	s.cancel()
	return nil
}

func (s *session) lost() error {
	return &exchange.Error{Code: exchange.SessionLost, Message: "the session has ended", Fix: "initialize again"}
}

// newID is an id of ours, as JSON. It differs from all others, the client's included.
func (s *session) newID() []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last++
	return mcpwire.Quote(s.prefix + strconv.Itoa(s.last))
}

// meta is what makes a request of this session modern.
func (s *session) meta() []mcpwire.Field {
	s.mu.Lock()
	defer s.mu.Unlock()
	return modernMeta(s.capabilities, s.info, s.level)
}

// Call serves one request.
func (s *session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if s.ctx.Err() != nil {
		return s.lost()
	}
	m := c.Message
	switch m.Method {
	case mcpwire.MethodPing:
		return answer(m, out, "{}")
	case mcpwire.MethodSetLevel:
		level := text(m.Raw, m.Params, "level")
		if _, ok := levelOf(level); !ok {
			return refuse(m, out, mcpwire.CodeInvalidParams, 0, "the log level is none of the protocol's", "")
		}
		s.mu.Lock()
		s.level = level
		s.mu.Unlock()
		return answer(m, out, "{}")
	case mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe:
		return s.subscribe(m, out)
	case mcpwire.MethodInitialize:
		return refuse(m, out, mcpwire.CodeInvalidRequest, 0, "the session is open already", "")
	case mcpwire.MethodTaskGet, mcpwire.MethodTaskUpdate, mcpwire.MethodTaskCancel, "tasks/list", "tasks/result":
		return refuse(m, out, mcpwire.CodeMethodNotFound, 0, named(s.name)+" does not offer the tasks of "+mcpwire.Version20251125, "")
	}
	return s.run(ctx, c, out)
}

// run sends a request on and sees it through its rounds, until it ends or the client
// cancels it.
func (s *session) run(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if err := s.t.enter(); err != nil {
		return err
	}
	defer s.t.work.Done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	id, me := string(c.Message.Bytes(c.Message.ID)), &running{cancel}
	s.mu.Lock()
	s.calls[id] = me
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		if s.calls[id] == me {
			delete(s.calls, id)
		}
		s.mu.Unlock()
	}()
	err := s.rounds(ctx, c, out)
	switch {
	case err == nil:
	case s.t.ctx.Err() != nil:
		return closed(s.name)
	case s.ctx.Err() != nil:
		return s.lost()
	}
	return err
}

// Notify takes a notification of the client, or its answer to a question.
func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	if s.ctx.Err() != nil {
		return s.lost()
	}
	m := c.Message
	switch {
	case m.Kind.Response():
		s.mu.Lock()
		waiting := s.waiting[string(m.Bytes(m.ID))]
		delete(s.waiting, string(m.Bytes(m.ID)))
		s.mu.Unlock()
		if waiting != nil {
			kept := *m
			kept.Raw = bytes.Clone(m.Raw)
			waiting <- &kept // holds one
		}
		return nil
	case m.Method == mcpwire.MethodCancelled:
		id := m.Bytes(mcpwire.Member(m.Raw, m.Params, "requestId"))
		s.mu.Lock()
		defer s.mu.Unlock()
		if call := s.calls[string(id)]; call != nil {
			call.cancel()
		}
		return nil
	case m.Method == mcpwire.MethodInitialized, m.Method == mcpwire.MethodProgress, m.Method == "notifications/roots/list_changed",
		m.Method == "notifications/tasks/status":
		return nil // of no meaning to a server that keeps no session
	}
	up, err := s.modern(m, nil)
	if err != nil {
		return err
	}
	return s.t.up.Notify(ctx, asModern(c, up))
}

// modern is a message of the client as a modern upstream needs it: with the session's
// data in _meta, and with more members of params where a retry brings some.
func (s *session) modern(m *mcpwire.Message, id []byte, more ...mcpwire.Field) (*mcpwire.Message, error) {
	// What a client already wrote under names that are ours to set is replaced.
	raw := m.Raw
	removed := mcpwire.RemoveMembers(raw, m.Meta, modernOnly)
	removed = append(removed, mcpwire.RemoveMembers(raw, m.Params, func(name string) bool {
		return name == "inputResponses" || name == "requestState"
	})...)
	if len(removed) > 0 {
		clean, err := mcpwire.Splice(raw, removed...)
		if err != nil {
			return nil, err
		}
		if m, err = ours(clean); err != nil {
			return nil, err
		}
		raw = clean
	}
	var edits []mcpwire.Edit
	if id != nil {
		edits = append(edits, mcpwire.Edit{Span: m.ID, With: id})
	}
	if m.Meta.Present() {
		edits = append(edits, mcpwire.AddMembers(raw, m.Meta, s.meta()...))
	} else {
		more = append(more, mcpwire.Field{Name: "_meta", Value: object(s.meta()...)})
	}
	switch {
	case len(more) == 0:
	case m.Params.Present():
		edits = append(edits, mcpwire.AddMembers(raw, m.Params, more...))
	default:
		edits = append(edits, withParams(raw, more...))
	}
	edited, err := mcpwire.Splice(raw, edits...)
	if err != nil {
		return nil, err
	}
	return ours(edited)
}
