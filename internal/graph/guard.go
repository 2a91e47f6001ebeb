package graph

import (
	"bytes"
	"context"
	"errors"
	"sync/atomic"
)

type guardKey struct{}

// WithGuard makes a request ask before every piece of its body leaves: as soon as
// ok says no, nothing more is sent. It is for a caller whose right to send ends at
// a time, and who may have been paused since it looked.
func WithGuard(ctx context.Context, ok func() bool) context.Context {
	return context.WithValue(ctx, guardKey{}, ok)
}

var errGuard = errors.New("the right to send has ended")

// guarded reads a request's bytes past the guard of its context. It offers nothing
// but Read, so that a large body leaves in pieces with a look at the guard before
// each.
type guarded struct {
	bytes *bytes.Reader
	ok    func() bool
	begun atomic.Bool // some of it has been handed on
}

func newGuarded(ctx context.Context, b []byte) *guarded {
	ok, _ := ctx.Value(guardKey{}).(func() bool)
	return &guarded{bytes: bytes.NewReader(b), ok: ok}
}

func (g *guarded) Read(p []byte) (int, error) {
	if g.ok != nil && !g.ok() {
		return 0, errGuard
	}
	g.begun.Store(true)
	return g.bytes.Read(p)
}

// Close implements io.Closer.
func (g *guarded) Close() error { return nil }
