package stdiodial

import (
	"context"
	"errors"
	"io"
	"sync"
)

// queueBytes is how much may wait for a child that reads slowly before callers do.
const queueBytes = 16 << 20

// errUnsent says that nothing of a message reached the child.
var errUnsent = errors.New("the child process ended before the message was sent")

// writer is the one that writes to a child, in the order in which messages came. A
// caller whose context ends leaves nothing half written behind.
type writer struct {
	mu     sync.Mutex
	queue  []outgoing
	bytes  int
	closed bool

	wake  chan struct{}
	space chan struct{} // closed and replaced whenever the queue was emptied
}

type outgoing struct {
	line []byte
	call *call // whose request it is
}

func newWriter() *writer {
	return &writer{wake: make(chan struct{}, 1), space: make(chan struct{})}
}

// put queues a line.
func (w *writer) put(ctx context.Context, line []byte, k *call) error {
	for {
		w.mu.Lock()
		if w.closed {
			w.mu.Unlock()
			return errUnsent
		}
		if w.bytes == 0 || w.bytes+len(line) <= queueBytes {
			w.queue = append(w.queue, outgoing{line, k})
			w.bytes += len(line)
			w.mu.Unlock()
			nudge(w.wake)
			return nil
		}
		space := w.space
		w.mu.Unlock()
		select {
		case <-space:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// force queues a line that nobody can wait with: a cancellation, an answer of our own.
// A child that has left so much unread that it would be beyond twice the queue does
// without: what asks and never reads must not fill our memory.
func (w *writer) force(line []byte) {
	w.mu.Lock()
	if !w.closed && w.bytes+len(line) <= 2*queueBytes {
		w.queue = append(w.queue, outgoing{line: line})
		w.bytes += len(line)
	}
	w.mu.Unlock()
	nudge(w.wake)
}

// close lets the queue be written and then ends the child's input.
func (w *writer) close() {
	w.mu.Lock()
	if !w.closed {
		w.closed = true
		close(w.space)
	}
	w.mu.Unlock()
	nudge(w.wake)
}

// run writes until close, or until the child takes nothing any more.
func (w *writer) run(to io.WriteCloser) {
	defer to.Close() //nolint:errcheck // the end of input; there is nobody to tell
	defer w.close()
	var batch []outgoing
	var buf []byte
	for {
		w.mu.Lock()
		batch, w.queue = w.queue, batch[:0]
		w.bytes = 0
		closed := w.closed
		if !closed && len(batch) > 0 {
			close(w.space)
			w.space = make(chan struct{})
		}
		w.mu.Unlock()
		if len(batch) == 0 {
			if closed {
				return
			}
			<-w.wake
			continue
		}
		data := batch[0].line
		if len(batch) > 1 {
			buf = buf[:0]
			for _, o := range batch {
				buf = append(buf, o.line...)
			}
			data = buf
		}
		// A request counts as sent before it is: what died in between may have read it.
		for _, o := range batch {
			if o.call != nil {
				o.call.sent.Store(true)
			}
		}
		n, err := to.Write(data)
		if err != nil {
			for i := len(batch) - 1; i >= 0 && n <= len(data)-len(batch[i].line); i-- {
				data = data[:len(data)-len(batch[i].line)]
				if batch[i].call != nil {
					batch[i].call.sent.Store(false)
				}
			}
			return
		}
		clear(batch)
		if cap(buf) > 1<<20 {
			buf = nil
		}
	}
}
