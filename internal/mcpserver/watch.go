package mcpserver

import (
	"context"
	"encoding/json"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

const listChanged = "notifications/tools/list_changed"

// watcher is one open stream of a caller.
type watcher struct {
	caller string
	news   chan struct{}
}

// enter makes a stream of a caller hear of changes from now on. It does so before the client
// is told that its stream is open: what changes after that must not be missed.
func (s *Server) enter(caller string) (w *watcher, leave func()) {
	w = &watcher{caller, make(chan struct{}, 1)}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.watchers[w] = true
	return w, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.watchers, w)
	}
}

// watch calls tell whenever the caller's list of tools has changed, until the stream or
// the server ends.
func (s *Server) watch(ctx context.Context, w *watcher, tell func() error) error {
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.closed.Done():
			return nil
		case <-w.news:
			if err := tell(); err != nil {
				return err
			}
		}
	}
}

// changed wakes the streams of a caller; "" wakes all.
func (s *Server) changed(caller string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for w := range s.watchers {
		if caller != "" && w.caller != caller {
			continue
		}
		select {
		case w.news <- struct{}{}:
		default: // it has not looked yet
		}
	}
}

// subscribe is subscriptions/listen of the modern era.
func (s *Server) subscribe(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	id := json.RawMessage(m.Bytes(m.ID))
	meta := map[string]any{mcpwire.MetaSubscription: id}
	wants := string(m.Bytes(mcpwire.Lookup(m.Raw, m.Params, "notifications", "toolsListChanged"))) == "true"
	accepted := map[string]any{}
	if wants {
		accepted["toolsListChanged"] = true
	}
	say := func(method string, params map[string]any) error {
		params["_meta"] = meta
		b, err := encode(params)
		if err != nil {
			return err
		}
		return out.Send(exchange.Event{Data: mcpwire.BuildNotification(method, b)})
	}
	w, leave := s.enter(c.Caller.ID)
	defer leave()
	if err := say(mcpwire.MethodAcknowledged, map[string]any{"notifications": accepted}); err != nil {
		return err
	}
	err := s.watch(ctx, w, func() error {
		if !wants {
			return nil
		}
		return say(listChanged, map[string]any{})
	})
	if err != nil {
		return err
	}
	return s.answer(c, out, map[string]any{"_meta": meta})
}

// Changed tells every stream that what is listed has changed.
func (s *Server) Changed() { s.changed("") }
