package httpserve

import (
	"context"
	"errors"
	"net/http"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/propagation"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// inbound is a message as it came in, and the call made of it.
type inbound struct {
	message mcpwire.Message
	call    exchange.Call
}

// post takes one message.
func (h *Handler) post(w http.ResponseWriter, r *http.Request, caller exchange.Caller) {
	raw, ok := h.receive(w, r, caller)
	if !ok {
		return
	}
	in := new(inbound)
	var err error
	if in.message, err = mcpwire.Parse(raw, h.o.Limits); err != nil {
		h.refuse(w, malformed(err))
		return
	}
	in.call = exchange.Call{Message: &in.message, Caller: caller, Server: h.o.Server}
	if eraOf(r.Header, &in.message) == mcpwire.Modern {
		h.modern(w, r, in)
	} else {
		h.legacy(w, r, in)
	}
}

// receive reads the body, or answers. Of bodies that take much memory or time to arrive
// a caller may send as many at a time as it may have calls under way. They count apart:
// one may bring what such a call waits for.
func (h *Handler) receive(w http.ResponseWriter, r *http.Request, caller exchange.Caller) ([]byte, bool) {
	if r.ContentLength < 0 || r.ContentLength > trusted {
		h.mu.Lock()
		full := h.uploads[caller.ID] >= h.o.MaxStreams
		if !full {
			h.uploads[caller.ID]++
		}
		h.mu.Unlock()
		if full {
			w.Header().Set("Connection", "close") // rather than read it
			h.fail(w, nil, tooMany())
			return nil, false
		}
		defer func() {
			h.mu.Lock()
			defer h.mu.Unlock()
			if h.uploads[caller.ID]--; h.uploads[caller.ID] == 0 {
				delete(h.uploads, caller.ID)
			}
		}()
	}
	raw, p := h.read(w, r)
	if p != nil {
		h.refuse(w, *p)
		return nil, false
	}
	return raw, true
}

func malformed(err error) problem {
	var syntax *mcpwire.SyntaxError
	if errors.As(err, &syntax) {
		return problem{status: http.StatusBadRequest, code: syntax.Code, text: syntax.Error(), id: syntax.ID}
	}
	return problem{status: http.StatusBadRequest, code: mcpwire.CodeInvalidRequest, text: err.Error()}
}

// eraOf decides by everything that only one of the two eras has. What is modern in
// one respect and wrong in another stays modern, and fails there: the other era's
// checks are weaker.
func eraOf(header http.Header, m *mcpwire.Message) mcpwire.Era {
	if m.Modern() {
		return mcpwire.Modern
	}
	if versions := header[mcpwire.HeaderVersion]; len(versions) > 0 {
		for _, v := range versions {
			if mcpwire.EraOf(v) == mcpwire.Modern {
				return mcpwire.Modern
			}
		}
		return mcpwire.Legacy
	}
	if m.Method == mcpwire.MethodInitialize || len(header[mcpwire.HeaderSession]) > 0 {
		return mcpwire.Legacy
	}
	if len(header[mcpwire.HeaderMethod]) > 0 || len(header[mcpwire.HeaderName]) > 0 || m.Capabilities.Present() {
		return mcpwire.Modern
	}
	return mcpwire.Legacy
}

// Headers of the trace that a call belongs to.
var traceHeaders = []string{"Traceparent", "Tracestate", "Baggage"}

// trace makes the trace that the client is in known to whatever spans follow.
func trace(ctx context.Context, header http.Header) context.Context {
	if len(header["Traceparent"]) == 0 {
		return ctx
	}
	return otel.GetTextMapPropagator().Extract(ctx, propagation.HeaderCarrier(header))
}

// nothing is the header of a call that has none to pass on. It is never written to.
var nothing = http.Header{}

// passing is the header of a modern call: the trace, and the mirrored arguments when it
// has any. One that comes twice is ambiguous: peers differ in which they believe.
func passing(header http.Header, params bool) (out http.Header, ambiguous bool) {
	out = nothing
	add := func(name string, values []string) {
		if len(out) == 0 {
			out = http.Header{}
		}
		out[name] = values
	}
	for _, name := range traceHeaders {
		if v := header[name]; len(v) > 0 {
			add(name, v)
		}
	}
	if !params {
		return out, false
	}
	for name, v := range header {
		if len(name) > len(mcpwire.HeaderParamPrefix) && name[:len(mcpwire.HeaderParamPrefix)] == mcpwire.HeaderParamPrefix {
			add(name, v)
			ambiguous = ambiguous || len(v) > 1
		}
	}
	return out, ambiguous
}

// run hands a request to the upstream and sees to it that it is answered. ctx is what
// the call lives by, and cancel ends it.
func (h *Handler) run(ctx context.Context, w http.ResponseWriter, r *http.Request, f *flight, in *inbound,
	call func(context.Context, *exchange.Call, exchange.Sink) error) (err error) {
	id := in.message.Bytes(in.message.ID)
	if e := h.enter(f); e != nil {
		h.fail(w, id, e)
		return nil
	}
	defer h.leave(f)
	h.stats.calls.Add(1)
	a := h.newAnswer(r.Context(), w, in.call.Era, id, h.o.KeepAlive)
	a.lasting, a.stepUp = f.listens, in.call.Caller.StepUp
	if in.call.Era == mcpwire.Modern {
		h.learning(&in.call, a)
	}
	finished := false
	defer func() {
		if !finished { // a panic: the server cuts the connection, and nobody may write to it
			a.abandon()
		}
	}()
	err = call(ctx, &in.call, a)
	cause := context.Cause(ctx)
	if err != nil && f.listens && errors.Is(cause, errDrained) {
		a.conclude()
	}
	finished = true
	if a.finish(cause, err) {
		panic(http.ErrAbortHandler)
	}
	return err
}
