package stdiodial

import (
	"context"
	"math/rand/v2"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// home is what the pool knows of one caller.
type home struct {
	key      string
	modern   *child
	starting chan struct{} // closed when a modern child stands or failed
	children int
	crashes  int
	until    time.Time // no start before
}

// key is whose children serve a caller.
func (d *Dialer) key(caller exchange.Caller) string {
	if d.o.Shared {
		return ""
	}
	return caller.ID
}

// modern is the child that serves a modern caller, held until release.
func (d *Dialer) modern(ctx context.Context, caller exchange.Caller, probe bool) (*child, error) {
	for {
		d.mu.Lock()
		if d.closed {
			d.mu.Unlock()
			return nil, d.errorf(exchange.ShuttingDown, nil, "it is being shut down")
		}
		h := d.home(d.key(caller))
		if kid := h.modern; kid != nil {
			kid.use++
			kid.probed = kid.probed && probe
			if kid.idle != nil {
				kid.idle.Stop()
			}
			d.mu.Unlock()
			return kid, nil
		}
		if wait := h.starting; wait != nil {
			d.mu.Unlock()
			select {
			case <-wait:
				continue
			case <-ctx.Done():
				return nil, d.ended(ctx)
			}
		}
		h.starting = make(chan struct{})
		d.mu.Unlock()

		kid, err := d.start(ctx, h, nil)
		d.mu.Lock()
		if err == nil && !kid.abandoned {
			kid.probed = probe
			h.modern = kid
		}
		close(h.starting)
		h.starting = nil
		d.mu.Unlock()
		if err != nil {
			return nil, err
		}
		// Held from the start; if it is gone already, the call finds out and comes again.
		return kid, nil
	}
}

// forSession is a child for a legacy session: a new one, or the one that was asked
// which era it speaks and never said "modern". Starting a server twice to talk to it
// once would double the time until the first answer.
func (d *Dialer) forSession(ctx context.Context, caller exchange.Caller, s *session) (*child, error) {
	d.mu.Lock()
	if d.closed {
		d.mu.Unlock()
		return nil, d.errorf(exchange.ShuttingDown, nil, "it is being shut down")
	}
	h := d.home(d.key(caller))
	if kid := h.modern; kid != nil && kid.probed && kid.use == 0 && kid.adopt(s) {
		h.modern = nil
		kid.use = 1
		if kid.idle != nil {
			kid.idle.Stop()
		}
		d.mu.Unlock()
		return kid, nil
	}
	if d.o.Shared { // the modern child is everybody's, a session's is its caller's
		h = d.home(caller.ID)
	}
	d.mu.Unlock()
	return d.start(ctx, h, s)
}

// home finds or makes the entry of a caller. Those that hold nothing are forgotten.
func (d *Dialer) home(key string) *home {
	if h := d.homes[key]; h != nil {
		return h
	}
	if len(d.homes) >= d.o.Total {
		now := time.Now()
		for k, h := range d.homes {
			if h.children == 0 && h.starting == nil && now.After(h.until.Add(stableAfter)) {
				delete(d.homes, k)
			}
		}
	}
	h := &home{key: key}
	d.homes[key] = h
	return h
}

// start starts a child within the limits and not before the back-off is over.
func (d *Dialer) start(ctx context.Context, h *home, s *session) (*child, error) {
	for {
		d.mu.Lock()
		wait := time.Until(h.until)
		switch {
		case d.closed:
			d.mu.Unlock()
			return nil, d.errorf(exchange.ShuttingDown, nil, "it is being shut down")
		case h.children >= d.o.PerCaller && (s != nil || !d.o.Shared), d.total >= d.o.Total:
			only := h
			if d.total >= d.o.Total {
				only = nil
			}
			idle := d.leastUsed(only)
			if idle == nil {
				d.mu.Unlock()
				e := d.errorf(exchange.TooMany, nil, "too many of its processes run already")
				e.Fix = "close sessions that are not needed"
				return nil, e
			}
			d.abandon(idle)
			if s := idle.session.Load(); s != nil {
				s.lose()
			}
			d.tasks.Go(func() { idle.end(context.Background()) })
			d.mu.Unlock()
			select {
			case <-idle.exited:
				continue
			case <-ctx.Done():
				return nil, d.ended(ctx)
			}
		case wait > waitOut:
			d.mu.Unlock()
			e := d.errorf(exchange.BackingOff, nil, "it failed just now and is not started again yet")
			e.Data = map[string]any{"retry_after_ms": wait.Milliseconds()}
			return nil, e
		case wait <= 0:
			h.children++
			d.total++
			if d.spawn == nil {
				d.spawn = newSpawner()
			}
			spawn := d.spawn
			d.tasks.Add(1)
			d.mu.Unlock()
			defer d.tasks.Done()
			return d.startNow(spawn, h, s)
		}
		d.mu.Unlock()
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, d.ended(ctx)
		}
	}
}

// idleEnough is how long a session has to be unused before another may have its place.
const idleEnough = time.Second

// leastUsed is the child that was unused for longest, of one caller or of all, which
// gives way to a new one: clients that come and go rarely say goodbye. A session's
// client finds it lost, and opens another. d.mu is held.
func (d *Dialer) leastUsed(only *home) *child {
	var found *child
	var oldest time.Time
	for kid := range d.all {
		if kid.abandoned || (only != nil && kid.home != only) {
			continue
		}
		since, idle := kid.released, kid.use == 0
		if s := kid.session.Load(); s != nil {
			since, idle = s.unusedSince()
		}
		if idle && time.Since(since) >= idleEnough && (found == nil || since.Before(oldest)) {
			found, oldest = kid, since
		}
	}
	return found
}

func (d *Dialer) startNow(spawn *spawner, h *home, s *session) (*child, error) {
	kid := &child{d: d, home: h, shared: d.o.Shared && s == nil, calls: newCalls(), out: newWriter(),
		exited: make(chan struct{}), use: 1}
	if s != nil {
		kid.session.Store(s)
	}
	err := kid.launch(spawn)
	d.mu.Lock()
	defer d.mu.Unlock()
	if err != nil {
		h.children--
		d.total--
		d.crashed(h, 0)
		return nil, d.errorf(exchange.Unreachable, err, "its command can't be started")
	}
	kid.started = time.Now()
	d.all[kid] = struct{}{}
	kid.run()
	if d.closed {
		d.tasks.Go(func() { kid.end(context.Background()) })
	}
	return kid, nil
}

// crashed lengthens the back-off. d.mu is held.
func (d *Dialer) crashed(h *home, lived time.Duration) {
	if lived >= stableAfter {
		h.crashes = 0
	}
	delay := min(d.o.BackOff<<min(h.crashes, 20), maxBackOff)
	h.crashes++
	// Between half and all of it: those who wait for the same thing come apart.
	h.until = time.Now().Add(delay/2 + rand.N(delay/2+1))
}

// release ends the hold of one call on a modern child.
func (d *Dialer) release(kid *child) {
	d.mu.Lock()
	defer d.mu.Unlock()
	kid.use--
	kid.released = time.Now()
	if kid.use > 0 || kid.abandoned || kid.session.Load() != nil || d.o.IdleStop < 0 {
		return
	}
	if kid.idle != nil {
		kid.idle.Reset(d.o.IdleStop)
		return
	}
	kid.idle = time.AfterFunc(d.o.IdleStop, func() {
		d.mu.Lock()
		if kid.use > 0 || kid.abandoned || d.closed || kid.session.Load() != nil {
			d.mu.Unlock()
			return
		}
		d.abandon(kid)
		d.tasks.Add(1)
		d.mu.Unlock()
		defer d.tasks.Done()
		d.o.Log.Info("the server's process is stopped: nobody used it")
		kid.end(context.Background())
	})
}

// abandon gives a child no more calls. d.mu is held.
func (d *Dialer) abandon(kid *child) {
	kid.abandoned = true
	if kid.home.modern == kid {
		kid.home.modern = nil
	}
}

// dying is told that a process ended, before anything else is done about it.
func (d *Dialer) dying(kid *child, crashed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.abandon(kid)
	if crashed {
		d.crashed(kid.home, time.Since(kid.started))
	}
}

// gone is told that a process ended and its calls have failed.
func (d *Dialer) gone(kid *child, crashed bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if kid.idle != nil {
		kid.idle.Stop()
	}
	delete(d.all, kid)
	kid.home.children--
	d.total--
	if crashed {
		d.crashed(kid.home, time.Since(kid.started))
	}
}

// background runs what has to be over before Close returns. Once Close has begun, it
// has taken over itself.
func (d *Dialer) background(task func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.closed {
		d.tasks.Go(task)
	}
}
