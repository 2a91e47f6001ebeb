package stdioserve

import (
	"context"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// lines writes messages, each whole and at once.
type lines struct {
	mu     sync.Mutex
	to     io.Writer
	buf    []byte
	broken error
	moves  atomic.Uint64 // writes begun and ended: odd while one is under way
	failed context.CancelCauseFunc
}

func (l *lines) write(message []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	l.buf = mcpwire.AppendLine(l.buf[:0], message)
	l.moves.Add(1)
	_, err := l.to.Write(l.buf)
	l.moves.Add(1)
	if err != nil {
		l.broken = fmt.Errorf("the client takes no more messages: %w", err)
		l.failed(l.broken)
		return l.broken
	}
	if cap(l.buf) > 1<<20 {
		l.buf = nil
	}
	return nil
}

func (l *lines) err() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.broken
}

// sink passes on what belongs to one call or stream. A client that cancelled a call
// gets nothing more of it.
type sink struct {
	f     *face
	r     *request
	id    []byte // of the call, raw
	final bool   // the answer was passed on, or is not wanted

	answer []byte // of initialize: the result, for its version
	keep   bool
}

// Send implements exchange.Sink.
func (s *sink) Send(ev exchange.Event) error {
	if ev.Final {
		s.final = true
		if s.keep {
			s.answer = append([]byte(nil), ev.Data...)
		}
		s.f.free(s.id, s.r) // a client may use the id again as soon as it has the answer
	}
	if len(ev.Data) == 0 || s.f.silenced(s.r) {
		return nil
	}
	return s.f.out.write(ev.Data)
}

// free ends the claim of a call on its id.
func (f *face) free(id []byte, r *request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.calls[string(id)] == r {
		delete(f.calls, string(id))
	}
}

func (f *face) silenced(r *request) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return r.cancelled
}
