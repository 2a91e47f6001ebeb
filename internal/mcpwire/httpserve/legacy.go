package httpserve

import (
	"context"
	"net/http"
	"slices"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// notifyTimeout bounds what a notification or a client's response may take: nobody
// waits for more than its acceptance.
const notifyTimeout = time.Minute

// legacy takes a message of the era with sessions.
func (h *Handler) legacy(w http.ResponseWriter, r *http.Request, in *inbound) {
	m := &in.message
	in.call.Era = mcpwire.Legacy
	if m.Kind == mcpwire.Request {
		if json, stream := accepts(r.Header); !json || !stream {
			h.refuse(w, problem{status: http.StatusNotAcceptable, code: mcpwire.CodeInvalidRequest,
				text: "Accept must list application/json and text/event-stream", id: m.Bytes(m.ID)})
			return
		}
	}
	if m.Kind == mcpwire.Request && m.Method == mcpwire.MethodInitialize {
		h.initialize(w, r, in)
		return
	}
	s, p, e := h.find(r, in)
	switch {
	case p != nil:
		p.id = m.Bytes(m.ID)
		h.refuse(w, *p)
		return
	case e != nil:
		h.fail(w, m.Bytes(m.ID), e)
		return
	}
	defer s.release()
	ctx, cancel := h.outlive(r, s)
	defer cancel(nil)
	if m.Kind != mcpwire.Request {
		if m.Method == mcpwire.MethodInitialized {
			s.greeted.Store(true)
		}
		h.notify(ctx, w, in, s.up.Notify)
		return
	}
	h.greet(ctx, s, in)
	err := h.run(ctx, w, r, &flight{caller: in.call.Caller.ID, cancel: cancel}, in, s.up.Call)
	h.lost(s, err)
}

// lost forgets a session that the upstream has.
func (h *Handler) lost(s *session, err error) {
	if s.id != "" && isLost(err) {
		h.close(context.Background(), s)
	}
}

// outlive is the context of something that goes on when the client's connection does
// not, as long as the session and the time limit last.
func (h *Handler) outlive(r *http.Request, s *session) (context.Context, context.CancelCauseFunc) {
	ctx, cancel := context.WithCancelCause(trace(context.WithoutCancel(r.Context()), r.Header))
	ctx, stopTimer := context.WithTimeout(ctx, h.o.LegacyTimeout)
	stop := func() bool { return true }
	if s != nil && s.ctx != nil {
		stop = context.AfterFunc(s.ctx, func() { cancel(errEnded) })
	}
	return ctx, func(cause error) {
		stop()
		cancel(cause)
		stopTimer()
	}
}

// find is the session that a request belongs to, held until its release. Without an
// id it is one that lasts as long as the request, where the upstream keeps none.
func (h *Handler) find(r *http.Request, in *inbound) (*session, *problem, *exchange.Error) {
	version, p := legacyVersion(r.Header)
	if p != nil {
		return nil, p, nil
	}
	id, shown, many := sessionID(r.Header)
	switch {
	case many:
		return nil, invalid(mcpwire.CodeInvalidRequest, "the header Mcp-Session-Id comes twice"), nil
	case shown:
		s, ok := h.sessions.use(id, in.call.Caller.ID)
		if !ok {
			var e *exchange.Error
			if s, e = h.rejoin(r, in.call.Caller, id); e != nil {
				return nil, nil, e
			}
		}
		if version == "" {
			version = s.version
		}
		in.call.Session = id
		in.call.Version = orDefault(version)
		return s, nil, nil
	case h.stateful.Load():
		return nil, invalid(mcpwire.CodeInvalidRequest, "the header Mcp-Session-Id is missing: initialize first"), nil
	}
	in.call.Version = orDefault(version)
	up, err := h.o.Upstream.Resume(r.Context(), &in.call)
	switch {
	case isLost(err):
		return nil, invalid(mcpwire.CodeInvalidRequest, "the header Mcp-Session-Id is missing: initialize first"), nil
	case err != nil:
		return nil, nil, exchange.As(err)
	}
	s := &session{up: up}
	s.inUse.Add(1)
	return s, nil, nil
}

func orDefault(version string) string {
	if version == "" {
		return mcpwire.Version20250326
	}
	return version
}

// legacyVersion is the version that the header names; empty where there is none.
func legacyVersion(header http.Header) (string, *problem) {
	v := header[mcpwire.HeaderVersion]
	if len(v) == 0 {
		return "", nil
	}
	if len(v) > 1 || !slices.Contains(mcpwire.LegacyVersions, v[0]) {
		return "", invalid(mcpwire.CodeInvalidRequest, "the header MCP-Protocol-Version names no version that is supported")
	}
	return v[0], nil
}

// notify hands on what has no answer of its own.
func (h *Handler) notify(ctx context.Context, w http.ResponseWriter, in *inbound, send func(context.Context, *exchange.Call) error) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	if err := send(ctx, &in.call); err != nil {
		h.fail(w, nil, failureOf(context.Cause(ctx), err))
		return
	}
	w.WriteHeader(http.StatusAccepted)
}

// initialize opens a session. Its response is held until it is known whether it has
// to name one.
func (h *Handler) initialize(w http.ResponseWriter, r *http.Request, in *inbound) {
	m := &in.message
	id := m.Bytes(m.ID)
	if version, ok := m.Text(mcpwire.Member(m.Raw, m.Params, "protocolVersion")); ok {
		in.call.Version = version
	}
	caller := in.call.Caller.ID
	if e := h.makeRoom(r, caller); e != nil {
		h.fail(w, id, e)
		return
	}
	ctx, cancel := h.outlive(r, nil)
	defer cancel(nil)
	f := &flight{caller: caller, cancel: cancel}
	if e := h.enter(f); e != nil {
		h.fail(w, id, e)
		return
	}
	defer h.leave(f)
	h.stats.calls.Add(1)

	ctx, shared := h.shared(ctx)
	held := &holder{limit: h.o.MaxEvent}
	up, err := h.o.Upstream.Initialize(ctx, &in.call, held)
	if err == nil && up != nil && up.Stateful() {
		h.stateful.Store(true)
		version := held.version()
		s := h.open(up, h.mint(in, version, shared), caller, version)
		if r.Context().Err() != nil { // nobody will ever know its id
			h.close(context.Background(), s)
			return
		}
		w.Header()[mcpwire.HeaderSession] = []string{s.id}
	} else if err == nil && up != nil {
		h.stateful.Store(false)
	}
	a := h.newAnswer(r.Context(), w, mcpwire.Legacy, id, h.o.KeepAlive)
	for _, e := range held.events {
		if a.Send(e) != nil {
			break
		}
	}
	a.finish(context.Cause(ctx), err)
}

// makeRoom lets the caller open one more session.
func (h *Handler) makeRoom(r *http.Request, caller string) *exchange.Error {
	oldest, room := h.sessions.room(caller, h.o.MaxSessions)
	if !room {
		return &exchange.Error{Code: exchange.TooMany, Message: "too many sessions are open", Fix: "end sessions that are not used any more"}
	}
	if oldest != nil {
		h.close(context.WithoutCancel(r.Context()), oldest)
	}
	return nil
}

// holder keeps events for later.
type holder struct {
	limit  int
	size   int
	events []exchange.Event
}

// Send keeps one event.
func (s *holder) Send(e exchange.Event) error {
	if s.size += len(e.Data) + 1; s.size > s.limit {
		return &exchange.Error{Code: exchange.BrokeOff, Message: "the upstream's answer to initialize is larger than the limit"}
	}
	if e.Data != nil {
		e.Data = slices.Clone(e.Data)
	}
	s.events = append(s.events, e)
	return nil
}

// version is the one that the initialize response settled on.
func (s *holder) version() string {
	for _, e := range s.events {
		if !e.Final {
			continue
		}
		m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{})
		if err != nil {
			return ""
		}
		version, _ := m.Text(mcpwire.Member(m.Raw, m.Result, "protocolVersion"))
		return version
	}
	return ""
}
