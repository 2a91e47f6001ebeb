package httpserve

import (
	"context"
	"errors"
	"net/http"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// streamless refuses a GET or DELETE of somebody who can't mean a session.
func (h *Handler) streamless(w http.ResponseWriter) {
	h.stats.refused.Add(1)
	w.Header().Set("Allow", "POST")
	writeText(w, http.StatusMethodNotAllowed, "there is no such stream or session here: send messages by POST")
}

// named finds the session of a GET or DELETE, or answers.
func (h *Handler) named(w http.ResponseWriter, r *http.Request, in *inbound) *session {
	for _, v := range r.Header[mcpwire.HeaderVersion] {
		if mcpwire.EraOf(v) == mcpwire.Modern {
			h.streamless(w)
			return nil
		}
	}
	_, shown, _ := sessionID(r.Header)
	if !shown && (r.Method == http.MethodDelete && !h.stateful.Load()) {
		h.streamless(w)
		return nil
	}
	s, p, e := h.find(r, in)
	switch {
	case p != nil:
		h.refuse(w, *p)
		return nil
	case e != nil && !shown:
		h.streamless(w)
		return nil
	case e != nil:
		h.fail(w, nil, e)
		return nil
	}
	return s
}

// listen is the stream for what belongs to no call, or the rest of one that a client
// lost.
func (h *Handler) listen(w http.ResponseWriter, r *http.Request, caller exchange.Caller) {
	if _, stream := accepts(r.Header); !stream {
		h.refuse(w, problem{status: http.StatusNotAcceptable, code: mcpwire.CodeInvalidRequest, text: "Accept must list text/event-stream"})
		return
	}
	in := &inbound{call: exchange.Call{Caller: caller, Server: h.o.Server, Era: mcpwire.Legacy}}
	in.call.Message = &in.message
	s := h.named(w, r, in)
	if s == nil {
		return
	}
	defer s.release()
	ctx, cancel := context.WithCancelCause(trace(r.Context(), r.Header))
	defer cancel(nil)
	if s.ctx != nil {
		defer context.AfterFunc(s.ctx, func() { cancel(errEnded) })()
	}
	f := &flight{caller: caller.ID, listens: true, cancel: cancel}
	if e := h.enter(f); e != nil {
		h.fail(w, nil, e)
		return
	}
	defer h.leave(f)

	var last string
	if v := r.Header[mcpwire.HeaderLastEvent]; len(v) > 0 {
		last = v[0]
	}
	a := h.newAnswer(r.Context(), w, mcpwire.Legacy, nil, openDelay)
	a.lasting = true
	defer a.abandon() // after a panic too nobody may write any more
	err := s.up.Listen(ctx, &in.call, last, a)
	if a.stop() {
		switch {
		case errors.Is(err, exchange.ErrNoStream):
			h.streamless(w)
		case err != nil && r.Context().Err() == nil:
			h.fail(w, nil, failureOf(context.Cause(ctx), err))
		case err == nil: // it ended before it said anything
			a.begin()
		}
	}
	h.lost(s, err)
}

// end closes a session at the client's wish.
func (h *Handler) end(w http.ResponseWriter, r *http.Request, caller exchange.Caller) {
	in := &inbound{call: exchange.Call{Caller: caller, Server: h.o.Server, Era: mcpwire.Legacy}}
	in.call.Message = &in.message
	s := h.named(w, r, in)
	if s == nil {
		return
	}
	defer s.release()
	if s.id == "" {
		h.streamless(w)
		return
	}
	h.over(s.id)
	h.close(context.WithoutCancel(r.Context()), s)
	w.WriteHeader(http.StatusNoContent)
}

func isLost(err error) bool {
	return errors.Is(err, &exchange.Error{Code: exchange.SessionLost})
}
