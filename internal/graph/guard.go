package graph

import (
	"bytes"
	"context"
	"errors"
	"sync"
)

type guardKey struct{}

// WithGuard makes a request ask before every piece of its body leaves: as soon as
// ok says no, nothing more is sent. It is for a caller whose right to send ends at
// a time, and who may have been paused since it looked.
func WithGuard(ctx context.Context, ok func() bool) context.Context {
	return context.WithValue(ctx, guardKey{}, ok)
}

var errGuard = errors.New("the right to send has ended")

// errOver is what a transport reads that goes on sending after the call ended.
var errOver = errors.New("the request is over")

// guarded reads a request's bytes past the guard of its context. It offers nothing
// but Read, so that a large body leaves in pieces with a look at the guard before
// each.
//
// A transport may go on reading after it handed over an answer that came early. The
// bytes are the caller's again by then, and those of its next request: after end
// nothing of them is read any more.
type guarded struct {
	mu    sync.Mutex
	bytes *bytes.Reader
	ok    func() bool
	begun bool // some of it has been handed on
	over  bool
}

func newGuarded(ctx context.Context, b []byte) *guarded {
	ok, _ := ctx.Value(guardKey{}).(func() bool)
	return &guarded{bytes: bytes.NewReader(b), ok: ok}
}

func (g *guarded) Read(p []byte) (int, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.over {
		return 0, errOver
	}
	if g.ok != nil && !g.ok() {
		return 0, errGuard
	}
	g.begun = true
	return g.bytes.Read(p)
}

// end gives the bytes back to the caller, and reports whether any were handed on.
func (g *guarded) end() (begun bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.over = true
	return g.begun
}

// Close implements io.Closer.
func (g *guarded) Close() error { return nil }
