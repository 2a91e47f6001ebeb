package exchange

import (
	"context"
	"maps"
	"sync"
)

// Shared is what a client's session stands on at upstreams that keep sessions: their
// ids, by upstream. Whoever has it can go on with the session in another process.
type Shared struct {
	mu  sync.Mutex
	ids map[string]string
}

// NewShared is what another process noted; nil for a new session.
func NewShared(ids map[string]string) *Shared {
	return &Shared{ids: maps.Clone(ids)}
}

// Set notes the session that an upstream opened. Nothing is noted where nobody shares.
func (s *Shared) Set(upstream, id string) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ids == nil {
		s.ids = map[string]string{}
	}
	s.ids[upstream] = id
}

// Of is the session of an upstream; empty for none.
func (s *Shared) Of(upstream string) string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ids[upstream]
}

// All are the sessions by upstream.
func (s *Shared) All() map[string]string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.ids)
}

type sharedKey struct{}

// WithShared says of an Initialize that other processes may go on with its session, and
// of one that has sessions in s that they are to be gone on with: an upstream whose
// session is there opens none, and answers the handshake itself.
func WithShared(ctx context.Context, s *Shared) context.Context {
	return context.WithValue(ctx, sharedKey{}, s)
}

// SharedIn is what WithShared said; nil when nothing was.
func SharedIn(ctx context.Context) *Shared {
	s, _ := ctx.Value(sharedKey{}).(*Shared)
	return s
}

type standInKey struct{}

// WithStandIn says of a notifications/initialized that it stands in for the client's own,
// which may have come to another process: an upstream that shares the session has it.
func WithStandIn(ctx context.Context) context.Context {
	return context.WithValue(ctx, standInKey{}, true)
}

// StandIn is what WithStandIn said.
func StandIn(ctx context.Context) bool { return ctx.Value(standInKey{}) != nil }

type leavingKey struct{}

// WithLeaving says of a Session.Close that this process ends and not the session: what
// other processes can go on with stays open upstream.
func WithLeaving(ctx context.Context) context.Context {
	return context.WithValue(ctx, leavingKey{}, true)
}

// Leaving is what WithLeaving said.
func Leaving(ctx context.Context) bool { return ctx.Value(leavingKey{}) != nil }
