package graph

import (
	"context"
	"errors"
	"sync"
	"time"

	"sluice/internal/graphspec"
)

// When a circuit opens, and for how long.
const (
	failuresToOpen = 5
	firstOpen      = 30 * time.Second
	longestOpen    = 5 * time.Minute
	betweenProbes  = 10 * time.Second
)

// circuits hold calls back while Meta fails, apart for each account, Page and kind of
// token: one that fails must not stop the others.
type circuits struct {
	mu  sync.Mutex
	all map[string]*circuitState
}

type circuitState struct {
	failures int
	open     time.Duration // how long it was opened for, 0 while it is closed
	until    time.Time
}

// circuit names the circuit of a call.
func (c *call) circuit(token credential) string { return token.kind + " " + c.route }

// closed lets a call through with 0, or says how long the circuit stays open. Of the
// calls that come when the time is over one goes out as a probe, and the next only when
// nothing has been heard of it for a while.
func (c *circuits) closed(key string, now time.Time) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.all[key]
	switch {
	case s == nil || s.open == 0:
		return 0
	case now.Before(s.until):
		return s.until.Sub(now)
	}
	s.until = now.Add(betweenProbes)
	return 0
}

// report notes how a try went.
func (c *circuits) report(key string, failed bool, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !failed {
		delete(c.all, key)
		return
	}
	if c.all == nil || len(c.all) >= maxRoutes {
		c.all = map[string]*circuitState{}
	}
	s := c.all[key]
	if s == nil {
		s = &circuitState{}
		c.all[key] = s
	}
	s.failures++
	if s.failures < failuresToOpen {
		return
	}
	s.open = min(max(2*s.open, firstOpen), longestOpen)
	s.until = now.Add(s.open)
}

// done reports a try to the circuit of its call. One that the caller ended says nothing.
func (a *API) done(ctx context.Context, c *call, token credential, f *failure) {
	if f != nil && errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	a.circuits.report(c.circuit(token), f != nil && f.class == graphspec.ClassTransient, a.opts.Now())
}

// turns let one write at a time pass for each key.
type turns struct {
	mu  sync.Mutex
	all map[string]*turn
}

type turn struct {
	free    chan struct{} // holds one element while nobody has the turn
	waiting int
}

// take waits for the turn of a key; release gives it on.
func (t *turns) take(ctx context.Context, key string) (release func(), err error) {
	t.mu.Lock()
	if t.all == nil {
		t.all = map[string]*turn{}
	}
	mine := t.all[key]
	if mine == nil {
		mine = &turn{free: make(chan struct{}, 1)}
		mine.free <- struct{}{}
		t.all[key] = mine
	}
	mine.waiting++
	t.mu.Unlock()
	leave := func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		if mine.waiting--; mine.waiting == 0 {
			delete(t.all, key)
		}
	}
	select {
	case <-mine.free:
		return func() { mine.free <- struct{}{}; leave() }, nil
	case <-ctx.Done():
		leave()
		return nil, ctx.Err()
	}
}
