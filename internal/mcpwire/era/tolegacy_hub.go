package era

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// offer hands a notification to those who listen for it. It is false for one that is
// not for listeners.
func (h *hub) offer(m *mcpwire.Message) bool {
	kind, ok := listChanged(m.Method)
	uri := ""
	if !ok {
		if m.Method != methodUpdated {
			return false
		}
		uri, _ = m.Text(m.URI)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for ln := range h.listeners {
		if ln.wants(kind, uri) {
			ln.give(m)
		}
	}
	return true
}

// join takes a listener in, and takes out of its filter what this server can't honour.
func (h *hub) join(ctx context.Context, ln *listener) {
	caps := h.s.capabilities
	ln.kinds = slices.DeleteFunc(ln.kinds, func(kind string) bool { return !flag(caps, kind, "listChanged") })
	if !flag(caps, "resources", "subscribe") {
		ln.uris = nil
	}
	ready := h.enter(ln)
	if ready != nil {
		select {
		case <-ready:
		case <-time.After(streamGrace):
		case <-ctx.Done():
		}
		h.mu.Lock()
		absent := h.absent
		h.mu.Unlock()
		if absent {
			// There is nowhere to hear it: what is promised is kept, or not promised.
			h.forgetURIs(ln.uris)
			h.mu.Lock()
			ln.kinds, ln.uris = nil, nil
			h.mu.Unlock()
			return
		}
	}
	var kept []string
	for _, uri := range ln.uris {
		if h.subscribe(ctx, uri) {
			kept = append(kept, uri)
		}
	}
	h.mu.Lock()
	ln.uris = kept
	h.mu.Unlock()
}

// enter adds a listener and opens the stream where it is the first that needs one. It
// returns what tells that the stream is there, nil when none is needed.
func (h *hub) enter(ln *listener) <-chan struct{} {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.listeners == nil {
		h.listeners, h.uris = map[*listener]struct{}{}, map[string]int{}
	}
	h.listeners[ln] = struct{}{}
	if !ln.hears() {
		return nil
	}
	if h.stop == nil && !h.absent {
		ctx, cancel := context.WithCancel(h.s.l.ctx)
		ready, ended := make(chan struct{}), make(chan struct{})
		h.ready, h.stop = ready, func() { cancel(); <-ended }
		go func() {
			defer close(ended)
			h.stream(ctx, ready)
		}()
	}
	return h.ready
}

// leave takes a listener out, ends its subscriptions where nobody else has them, and
// the stream after the last.
func (h *hub) leave(ln *listener) {
	h.mu.Lock()
	delete(h.listeners, ln)
	uris := ln.uris
	needed := false
	for other := range h.listeners {
		needed = needed || other.hears()
	}
	stop := h.stop
	if needed {
		stop = nil
	}
	if stop != nil {
		h.stop = nil
	}
	h.mu.Unlock()
	h.forgetURIs(uris)
	if stop != nil {
		stop()
	}
}

// hears reports whether it needs the server's stream.
func (ln *listener) hears() bool { return ln.ear || len(ln.kinds) > 0 || len(ln.uris) > 0 }

// attend opens the server's stream for the life of the session, where the client can be
// asked something.
func (h *hub) attend() {
	for _, can := range []string{"elicitation", "sampling", "roots"} {
		if has(h.s.client, can) {
			h.s.ear = &listener{ear: true, wake: make(chan struct{}, 1), lost: make(chan struct{})}
			h.s.attended = time.Now()
			h.enter(h.s.ear)
			return
		}
	}
}

// attended waits until the stream had the time to open.
func (h *hub) attended(ctx context.Context) {
	if h.s.ear == nil {
		return
	}
	rest := streamGrace - time.Since(h.s.attended)
	if rest <= 0 {
		return
	}
	h.mu.Lock()
	ready := h.ready
	h.mu.Unlock()
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// lose tells the listeners that this session is gone.
func (h *hub) lose() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for ln := range h.listeners {
		ln.once.Do(func() { close(ln.lost) })
	}
}

// subscribe counts one more listener for a resource.
func (h *hub) subscribe(ctx context.Context, uri string) bool {
	h.mu.Lock()
	h.uris[uri]++
	first := h.uris[uri] == 1
	h.mu.Unlock()
	if !first {
		return true
	}
	got, err := h.s.request(ctx, mcpwire.MethodSubscribe, object(mcpwire.Field{Name: "uri", Value: mcpwire.Quote(uri)}))
	if err == nil && got.Kind == mcpwire.Result {
		return true
	}
	h.mu.Lock()
	if h.uris[uri]--; h.uris[uri] <= 0 {
		delete(h.uris, uri)
	}
	h.mu.Unlock()
	return false
}

func (h *hub) forgetURIs(uris []string) {
	for _, uri := range uris {
		h.mu.Lock()
		n, counted := h.uris[uri]
		if n > 1 {
			h.uris[uri] = n - 1
		} else {
			delete(h.uris, uri)
		}
		h.mu.Unlock()
		if n != 1 || !counted || h.s.l.ctx.Err() != nil {
			continue
		}
		ctx, cancel := context.WithTimeout(h.s.l.ctx, closeTimeout)
		_, _ = h.s.request(ctx, mcpwire.MethodUnsubscribe, object(mcpwire.Field{Name: "uri", Value: mcpwire.Quote(uri)}))
		cancel() // a server that keeps sending is not listened to any more
	}
}

// stream keeps the server's stream open until ctx ends.
func (h *hub) stream(ctx context.Context, ready chan struct{}) {
	known := false
	tell := func(absent bool) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.absent = absent
		if !known {
			known = true
			close(ready)
		}
	}
	last := ""
	for ctx.Err() == nil {
		err := h.s.session.Listen(ctx, h.s.call(&mcpwire.Message{}), last, sinkFunc(func(e exchange.Event) error {
			tell(false)
			if e.HasID {
				last = e.ID
			}
			if len(e.Data) == 0 {
				return nil
			}
			return h.s.stray(exchange.Event{Data: bytes.Clone(e.Data)})
		}))
		switch {
		case ctx.Err() != nil:
		case errors.Is(err, exchange.ErrNoStream):
			tell(true)
			return
		case errors.Is(err, &exchange.Error{Code: exchange.SessionLost}):
			tell(false)
			h.s.l.pool.discard(h.s)
			return
		default:
			select {
			case <-ctx.Done():
			case <-time.After(restart):
			}
		}
	}
}

// flag reports whether a capability is declared with this member true.
func flag(capabilities []byte, name, member string) bool {
	if len(capabilities) == 0 {
		return false
	}
	v := mcpwire.Lookup(capabilities, whole(capabilities), name, member)
	return string(capabilities[v.Start:v.End]) == "true"
}
