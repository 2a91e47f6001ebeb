package gateway

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Notify passes on what the client says beside its requests: answers go to the member
// that asked, cancellations to those that have the request, the rest to everybody.
func (s *session) Notify(ctx context.Context, c *exchange.Call) error {
	m := c.Message
	switch {
	case m.Kind.Response():
		return s.deliver(ctx, c, m.ID)
	case m.Method == mcpwire.MethodProgress:
		return s.deliver(ctx, c, mcpwire.Member(m.Raw, m.Params, "progressToken"))
	case m.Method == mcpwire.MethodCancelled:
		id := m.Bytes(mcpwire.Member(m.Raw, m.Params, "requestId"))
		s.mu.Lock()
		of := slices.Compact(slices.Sorted(slices.Values(s.flights[string(id)])))
		s.mu.Unlock()
		return s.tell(ctx, c, of)
	case m.Method == mcpwire.MethodInitialized:
		ready := keep(c)
		s.mu.Lock()
		s.ready = ready
		s.mu.Unlock()
		s.a.each(ctx, s.a.all(), func(ctx context.Context, i int) { s.tellReady(ctx, i, ready) })
		return nil
	default:
		return s.tell(ctx, c, s.a.all())
	}
}

// tell notifies members whose sessions are open.
func (s *session) tell(ctx context.Context, c *exchange.Call, of []int) error {
	errs := make([]error, len(s.links))
	var told atomic.Bool
	s.a.each(ctx, of, func(ctx context.Context, i int) {
		k := s.links[i]
		k.mu.Lock()
		to := k.session
		k.mu.Unlock()
		if to == nil {
			return
		}
		if errs[i] = to.Notify(ctx, s.a.to(i, c)); errs[i] == nil {
			told.Store(true)
		}
	})
	if told.Load() {
		return nil
	}
	return errors.Join(errs...)
}

// deliver takes what carries a marked id or token to the member that gave it. What
// nobody gave is dropped, as a server drops an answer it does not wait for.
func (s *session) deliver(ctx context.Context, c *exchange.Call, at mcpwire.Span) error {
	i, raw, ok := unmark(c.Message.Bytes(at), len(s.links))
	if !ok {
		return nil
	}
	bare, err := edited(c, mcpwire.Edit{Span: at, With: raw})
	if err != nil {
		return err
	}
	return s.tell(ctx, bare, []int{i})
}
