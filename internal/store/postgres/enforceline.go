package postgres

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// op is one thing that is asked of the writer. Empty, it only waits for what came
// before it.
type op struct {
	reserve *enforce.Request
	settle  *enforce.Settlement
	record  []audit.Call
	park    *enforce.Parking
	release *release
	failed  int // groups with this settlement that the database refused

	fate   atomic.Int32 // who had the last word: see ask
	answer answer
	done   chan struct{} // nil: nobody waits
}

type release struct{ request, by, reason string }

type answer struct {
	reply    enforce.Reply
	approval *enforce.Approval
	err      error
}

// The fates of an op: exactly one side moves it from waiting.
const (
	waiting int32 = iota
	answered
	left // the caller went away, and was told that it failed
)

// mostAtOnce bounds a group, and with it how long a counter is locked.
const mostAtOnce = 512

// line is where callers queue for the one writer of this node.
type line struct {
	group    *group
	patience time.Duration

	mu     sync.Mutex
	asked  []*op
	later  []*op // settlements that nobody waits for; they go with the next group
	used   bool
	closed bool

	nudge chan struct{} // somebody waits
	soon  chan struct{} // something can wait a little
}

func newLine(g *group, patience time.Duration) *line {
	return &line{group: g, patience: patience, nudge: make(chan struct{}, 1), soon: make(chan struct{}, 1)}
}

// ask waits for an op's answer, as long as the store is patient. Who is not answered has nothing
// reserved: the writer gives back what it reserves for a caller that has left.
func (l *line) ask(ctx context.Context, o *op) answer {
	if err := ctx.Err(); err != nil {
		return answer{err: err}
	}
	o.done = make(chan struct{})
	if !l.put(o) {
		return answer{err: errClosed}
	}
	timer := time.NewTimer(l.patience)
	defer timer.Stop()
	var err error = errSlow
	select {
	case <-o.done:
		return o.answer
	case <-ctx.Done():
		err = ctx.Err()
	case <-timer.C:
	}
	if !o.fate.CompareAndSwap(waiting, left) {
		<-o.done
		return o.answer
	}
	return answer{err: err}
}

// put queues an op; false when the line is closed.
func (l *line) put(o *op) bool {
	queue, signal := &l.asked, l.nudge
	if o.done == nil {
		queue, signal = &l.later, l.soon
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return false
	}
	*queue = append(*queue, o)
	l.used = true
	l.mu.Unlock()
	wake(signal)
	return true
}

// idle reports whether nothing was ever asked.
func (l *line) idle() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.used
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// say gives an op its answer, and reports whether somebody took it.
func (o *op) say(a answer) bool {
	if o.done == nil {
		return true
	}
	o.answer = a
	took := o.fate.CompareAndSwap(waiting, answered)
	if took {
		close(o.done)
	}
	return took
}

// run is the writer. It ends with ctx; who is queued then is told that it is closed.
func (l *line) run(ctx context.Context) {
	timer := time.NewTimer(time.Hour)
	defer timer.Stop()
	armed := false
	for {
		select {
		case <-ctx.Done():
			l.close()
			return
		case <-l.soon:
			if !armed {
				armed = true
				timer.Reset(gatherCommits)
			}
			continue
		case <-timer.C:
		case <-l.nudge:
		}
		armed = false
		timer.Stop()
		again := l.group.run(l.take())
		if len(again) > 0 {
			l.mu.Lock()
			l.later = append(again, l.later...)
			l.mu.Unlock()
		}
		if l.pending() {
			armed = true
			timer.Reset(max(gatherCommits, time.Until(l.group.retryAt)))
		}
	}
}

func (l *line) pending() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.later) > 0
}

// take is the next group: what could wait, and who is asking, one parking at most.
// Whoever left before its turn is not in it.
func (l *line) take() []*op {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := min(len(l.later), mostAtOnce)
	ops := slices.Clone(l.later[:n])
	l.later = slices.Delete(l.later, 0, n)
	parks, taken := 0, 0
	for _, o := range l.asked {
		if o.park != nil {
			parks++
		}
		if taken == mostAtOnce || parks > 1 {
			break
		}
		taken++
		if o.fate.Load() != left || o.settle != nil {
			ops = append(ops, o)
		}
	}
	l.asked = slices.Delete(l.asked, 0, taken)
	if len(l.asked) > 0 {
		wake(l.nudge)
	}
	if len(l.later) > 0 {
		wake(l.soon)
	}
	return ops
}

func (l *line) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, o := range l.asked {
		o.say(answer{err: errClosed})
	}
	l.asked, l.later = nil, nil
	l.group.hangUp()
}
