package deliver

import (
	"context"
	"sync"
	"time"
)

// gate bounds how many requests are under way. Being throttled halves the bound
// and holds everybody; every success gives a little of it back.
type gate struct {
	mu     sync.Mutex
	most   int
	limit  float64
	active int
	until  time.Time // nobody starts before
	freed  chan struct{}
}

func newGate(most int) *gate {
	return &gate{most: most, limit: float64(most), freed: make(chan struct{}, 1)}
}

// enter waits for a place.
func (g *gate) enter(ctx context.Context, now func() time.Time, sleep func(context.Context, time.Duration) error) error {
	for {
		g.mu.Lock()
		wait := g.until.Sub(now())
		if wait <= 0 && float64(g.active) < max(1, g.limit) {
			g.active++
			more := float64(g.active) < g.limit
			g.mu.Unlock()
			if more {
				g.wake()
			}
			return nil
		}
		g.mu.Unlock()
		if wait > 0 {
			if err := sleep(ctx, wait); err != nil {
				return err
			}
			continue
		}
		select {
		case <-g.freed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// wake lets one waiter look again; a token that is already there is enough.
func (g *gate) wake() {
	select {
	case g.freed <- struct{}{}:
	default:
	}
}

// leave gives the place back.
func (g *gate) leave(ok bool) {
	g.mu.Lock()
	g.active--
	if ok {
		g.limit = min(float64(g.most), g.limit+1/max(1, g.limit))
	}
	g.mu.Unlock()
	g.wake()
}

// throttled halves the bound and holds every start until then.
func (g *gate) throttled(until time.Time) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.limit = max(1, g.limit/2)
	if until.After(g.until) {
		g.until = until
	}
}
