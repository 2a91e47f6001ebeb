package httpdial

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// Numbers of the breaker.
const (
	tolerated  = 3 // failures in a row before it opens
	firstPause = 250 * time.Millisecond
	longPause  = 30 * time.Second
)

// breaker keeps a dead upstream from costing anything: after some connections in a row
// failed, it refuses for a while, then lets one call try. Only failures to connect
// count: who answers, with whatever, is not dead. Who is connected to is not either, so
// that nobody waits for the answer to the call that tries.
type breaker struct {
	now     func() time.Time
	trouble atomic.Bool // failures > 0: the only thing looked at while all is well

	mu       sync.Mutex
	failures int
	until    time.Time
	probing  bool
}

// admit says whether a call may connect now, and else for how long not. A call that is
// let through tells reached, failed or unknown afterwards.
func (b *breaker) admit() (wait time.Duration, ok bool) {
	if !b.trouble.Load() {
		return 0, true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.failures < tolerated {
		return 0, true
	}
	if wait = b.until.Sub(b.now()); wait > 0 {
		return wait, false
	}
	if b.probing {
		return firstPause, false
	}
	b.probing = true
	return 0, true
}

// reached is told of every connection while there is trouble, and of every answer.
func (b *breaker) reached() {
	if !b.trouble.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.failures, b.probing = 0, false
	b.trouble.Store(false)
}

// unknown ends a try that told nothing, say because the client gave up.
func (b *breaker) unknown() {
	if !b.trouble.Load() {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.probing = false
}

// failed reports whether the breaker opened with this failure.
func (b *breaker) failed() (opened bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.trouble.Store(true)
	if b.failures >= tolerated && !b.probing {
		return false // one of many that were under way when it opened
	}
	b.failures, b.probing = b.failures+1, false
	if b.failures < tolerated {
		return false
	}
	pause := min(firstPause<<min(b.failures-tolerated, 10), longPause)
	pause -= time.Duration(rand.Int64N(int64(pause / 4))) // so that many don't try at once
	b.until = b.now().Add(pause)
	return b.failures == tolerated
}

func (u *Upstream) backingOff(wait time.Duration) error {
	return &exchange.Error{Code: exchange.BackingOff, Message: u.named() + " could not be reached just now and is not asked again yet",
		Fix: "check that it runs; send the call again later", Data: map[string]any{"retry_after_ms": wait.Milliseconds() + 1}}
}
