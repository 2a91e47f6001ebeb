package stdioserve

import (
	"context"
	"sync"
	"time"
)

// turn keeps the order of requests on their way to the upstream: each goes when the one
// before it was taken there. They are worked on together all the same.
type turn struct {
	began, taken chan struct{}
	begun, took  sync.Once
}

func newTurn() *turn { return &turn{began: make(chan struct{}), taken: make(chan struct{})} }

func (t *turn) begin() { t.begun.Do(func() { close(t.began) }) }
func (t *turn) take()  { t.took.Do(func() { close(t.taken) }) }

// pass lets the next one go in any case.
func (t *turn) pass() {
	t.begin()
	t.take()
}

// turnWait is how long a request waits for the one before it, where that one was begun
// and is held up before it gets to the upstream: somebody may have to approve it.
const turnWait = 50 * time.Millisecond

// follow waits until the request before was taken.
func (t *turn) follow(ctx context.Context) {
	if t == nil {
		return
	}
	select {
	case <-t.taken:
		return
	default:
	}
	select {
	case <-t.began:
	case <-ctx.Done():
		return
	}
	timer := time.NewTimer(turnWait)
	defer timer.Stop()
	select {
	case <-t.taken:
	case <-timer.C:
	case <-ctx.Done():
	}
}
