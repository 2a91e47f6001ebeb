package sandbox

import (
	"sync"
	"time"
)

// clock is the sandbox's idea of now: a base clock, moved by an offset or frozen.
type clock struct {
	mu     sync.Mutex
	base   func() time.Time
	offset time.Duration
	frozen bool
	at     time.Time // while frozen
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.read()
}

func (c *clock) read() time.Time {
	if c.frozen {
		return c.at
	}
	return c.base().Add(c.offset)
}

// set moves the clock to t; it goes on from there unless freeze is set.
func (c *clock) set(t time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset = t.Sub(c.base())
	c.at = t
}

// freeze stops the clock where it is, or lets it run on from there.
func (c *clock) freeze(stop bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := c.read()
	c.frozen, c.at, c.offset = stop, t, t.Sub(c.base())
}

// reset returns to the base clock.
func (c *clock) reset() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.frozen, c.at = 0, false, time.Time{}
}

func (c *clock) isFrozen() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.frozen
}
