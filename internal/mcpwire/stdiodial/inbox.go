package stdiodial

import (
	"errors"
	"sync"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// errTooSlow is the cause of the error of a call that gave up on its client.
var errTooSlow = errors.New("more waits for it than is kept")

// inboxBytes is how much of one call may wait for its client before the child has to.
const inboxBytes = 16 << 20

// inbox holds what came for one call or stream until the goroutine of that call has
// passed it on, so that the reader of a child does not wait for each client in turn.
type inbox struct {
	mu     sync.Mutex
	events []exchange.Event
	bytes  int
	end    error // why nothing more comes
	closed bool  // nobody takes any more

	ready chan struct{}
	space chan struct{}
}

func newInbox() *inbox {
	return &inbox{ready: make(chan struct{}, 1), space: make(chan struct{}, 1)}
}

func nudge(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// put adds an event; false when nobody takes it any more. It waits for a client that
// is slow, up to patience, and gives up on one that is slower.
func (b *inbox) put(ev exchange.Event, patience time.Duration, tooSlow error) bool {
	var expired <-chan time.Time
	for {
		b.mu.Lock()
		switch {
		case b.closed || b.end != nil:
			b.mu.Unlock()
			return false
		case len(b.events) == 0 || b.bytes+len(ev.Data) <= inboxBytes:
			b.events = append(b.events, ev)
			b.bytes += len(ev.Data)
			b.mu.Unlock()
			nudge(b.ready)
			return true
		}
		b.mu.Unlock()
		if expired == nil {
			timer := time.NewTimer(patience)
			defer timer.Stop()
			expired = timer.C
		}
		select {
		case <-b.space:
		case <-expired:
			b.fail(tooSlow)
			return false
		}
	}
}

// fail ends the inbox; what is in it already can still be taken.
func (b *inbox) fail(err error) {
	b.mu.Lock()
	if b.end == nil {
		b.end = err
	}
	b.mu.Unlock()
	nudge(b.ready)
	nudge(b.space)
}

// take is the next event, or the reason why there will be none, or neither for now.
func (b *inbox) take() (ev exchange.Event, ok bool, end error) {
	b.mu.Lock()
	if len(b.events) == 0 {
		end = b.end
		b.mu.Unlock()
		return ev, false, end
	}
	ev = b.events[0]
	b.events[0] = exchange.Event{}
	b.events = b.events[1:]
	b.bytes -= len(ev.Data)
	b.mu.Unlock()
	nudge(b.space)
	return ev, true, nil
}

// close says that nobody takes any more, and returns what nobody took.
func (b *inbox) close() []exchange.Event {
	b.mu.Lock()
	left := b.events
	b.closed, b.events, b.bytes = true, nil, 0
	b.mu.Unlock()
	nudge(b.space)
	return left
}
