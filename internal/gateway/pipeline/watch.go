package pipeline

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// watch sees how a forwarded call comes out and settles it: before its client hears of
// it where the next call may depend on that, else after.
type watch struct {
	ctx     context.Context
	t       *toolCall
	out     exchange.Sink
	seen    bool
	ending  ending
	settled bool
	stopped bool // by the pipeline of an aggregate's member: nothing was forwarded
}

// sink is the watch as the upstream is given it. What is relayed whole stays so.
func (w *watch) sink() exchange.Sink {
	if relay, ok := w.out.(exchange.Relayer); ok && len(w.t.marks) == 0 {
		return &watchRelay{watch: w, relay: relay}
	}
	return w
}

func (w *watch) Send(e exchange.Event) error {
	if e.Final && !w.seen {
		w.read(e.Data, e.Status)
	}
	return w.out.Send(e)
}

// read takes the final message.
func (w *watch) read(message []byte, status int) {
	e, task := endingOf(message, status)
	w.note(e, task)
}

func (w *watch) note(e ending, task string) {
	if w.stopped {
		e.outcome, e.done = enforce.Rollback, false
	}
	s := w.t.s
	if task != "" && !s.permits(mcpwire.MethodTaskGet) {
		w.t.p.tasks.add(s.Grant, task)
		e.task = s.taskMark(task)
		e.made = true
	}
	w.seen, w.ending = true, e
	if e.outcome == enforce.Rollback || e.made || e.done && len(w.t.marks) > 0 {
		w.settle()
	}
}

func (w *watch) settle() {
	if !w.settled {
		w.settled = true
		w.t.settle(w.ctx, w.ending)
	}
}

// finish settles what is left, once the call returned. An answer that was read counts
// even where its client was gone by then.
func (w *watch) finish(err error) {
	if !w.seen {
		w.ending = endingOfError(err)
	}
	w.settle()
}

// watchRelay passes HTTP answers on whole and looks at them as they pass.
type watchRelay struct {
	*watch
	relay exchange.Relayer
}

func (w *watchRelay) Relay(r *http.Response) error {
	w.ending.status = r.StatusCode
	if r.Body != nil {
		if media, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";"); strings.EqualFold(strings.TrimSpace(media), "text/event-stream") {
			r.Body = &eventTee{ReadCloser: r.Body, w: w.watch, status: r.StatusCode}
		} else {
			r.Body = &bodyTee{ReadCloser: r.Body, w: w.watch, status: r.StatusCode}
		}
	}
	return w.relay.Relay(r)
}

// mostRead is how much of an answer is kept to be read. Of a longer one the beginning
// says whether it is a result.
const mostRead = 1 << 20

// rooms are used again by the answers that are read along: a long one would grow a new
// one step by step.
var rooms = sync.Pool{New: func() any { b := make([]byte, 0, 4<<10); return &b }}

// mostRoom is how large a room may be to be kept.
const mostRoom = 256 << 10

func room() []byte { return (*rooms.Get().(*[]byte))[:0] }

func leave(b []byte) {
	if cap(b) > 0 && cap(b) <= mostRoom {
		rooms.Put(&b)
	}
}

// bodyTee reads a body that is one message.
type bodyTee struct {
	io.ReadCloser
	w      *watch
	status int
	kept   []byte
	long   bool
}

func (b *bodyTee) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.w.seen {
		return n, err
	}
	if !b.long && n > 0 {
		if err == nil || len(b.kept) > 0 {
			if b.kept == nil {
				b.kept = room()
			}
			b.kept = append(b.kept, p[:n]...)
			b.long = len(b.kept) > mostRead
		} else { // all at once
			b.w.answered(p[:n], b.status)
			return n, err
		}
	}
	switch {
	case b.long:
		b.w.glance(b.kept, b.status)
		leave(b.kept)
		b.kept = nil
	case errors.Is(err, io.EOF):
		b.w.answered(b.kept, b.status)
		leave(b.kept)
		b.kept = nil
	}
	return n, err
}

// answered reads a message that may be the answer.
func (w *watch) answered(message []byte, status int) {
	if w.seen {
		return
	}
	m, err := mcpwire.ParseReply(message, mcpwire.Limits{Size: len(message) + 1, Depth: mcpwire.MaxDepth * 8})
	if err != nil || !m.Kind.Response() || !w.ours(&m) {
		return // if nothing else comes, nobody knows what was done
	}
	e, task := endingOfReply(&m, status)
	w.note(e, task)
}

// ours reports whether a response has the id of the call. An error without one can be
// about nothing else.
func (w *watch) ours(m *mcpwire.Message) bool {
	request := w.t.c.Message
	if !m.ID.Present() || bytes.Equal(m.Bytes(m.ID), request.Bytes(request.ID)) {
		return true
	}
	x, ok := m.Text(m.ID)
	y, ok2 := request.Text(request.ID)
	return ok && ok2 && x == y
}

// glance tells a result too long to be kept by how it begins. Whether the tool calls it
// an error is not known then; both are settled alike.
func (w *watch) glance(message []byte, status int) {
	head := message[:min(len(message), 1<<10)]
	result, failure := bytes.Index(head, []byte(`"result"`)), bytes.Index(head, []byte(`"error"`))
	if result < 0 || failure >= 0 && failure < result {
		return
	}
	w.note(ending{outcome: enforce.Commit, label: endedOK, status: status}, "")
}

// eventTee reads an event stream until the message that answers the call.
type eventTee struct {
	io.ReadCloser
	w      *watch
	status int

	line   []byte // the beginning of a line that is not whole yet
	data   []byte // of the event being read
	spare  []byte // the room that data is in, where that was a line's
	some   bool   // it has data lines
	skipLF bool   // the line before ended with CR
	long   bool   // the event is too long to be kept
}

func (t *eventTee) Read(p []byte) (int, error) {
	n, err := t.ReadCloser.Read(p)
	if n > 0 && !t.w.seen {
		t.feed(p[:n])
		if t.w.seen {
			leave(t.line)
			leave(t.spare)
			t.line, t.data, t.spare = nil, nil, nil
		}
	}
	return n, err
}

func (t *eventTee) feed(b []byte) {
	for len(b) > 0 && !t.w.seen {
		if t.skipLF {
			t.skipLF = false
			if b[0] == '\n' {
				b = b[1:]
				continue
			}
		}
		end := mcpwire.LineBreak(b)
		if end >= len(b) {
			t.keep(b)
			return
		}
		line := b[:end]
		if len(t.line) > 0 {
			t.keep(line)
			line = t.line
		}
		t.take(line)
		t.line = t.line[:0]
		t.skipLF = b[end] == '\r'
		b = b[end+1:]
	}
}

func (t *eventTee) keep(part []byte) {
	if len(t.line)+len(t.data)+len(part) > mostRead {
		if !t.long {
			t.long = true
			if head, ok := dataOf(append(t.line, part[:min(len(part), 1<<10)]...)); ok && !t.some {
				t.w.glance(head, t.status)
			}
		}
		t.line = append(t.line[:0], 'x') // the line goes on, and is not empty
		return
	}
	if t.line == nil {
		t.line = room()
	}
	t.line = append(t.line, part...)
}

var dataField = []byte("data:")

// dataOf is the value of a line of data.
func dataOf(line []byte) ([]byte, bool) {
	line = bytes.TrimPrefix(line, []byte("\ufeff"))
	value, ok := bytes.CutPrefix(line, dataField)
	if !ok {
		return nil, false
	}
	return bytes.TrimPrefix(value, []byte(" ")), true
}

// take takes one whole line.
func (t *eventTee) take(line []byte) {
	if len(line) > 0 {
		if value, ok := dataOf(line); ok && !t.long {
			switch {
			case t.some:
				t.data = append(append(t.data, '\n'), value...)
			case len(t.line) > 0: // it stays where it was put together
				t.data = value
				t.line, t.spare = t.spare[:0], t.line
			default:
				if t.spare == nil {
					t.spare = room()
				}
				t.data = append(t.spare[:0], value...)
				t.spare = t.data
			}
			t.some = true
		}
		return
	}
	if t.some && !t.long {
		t.w.answered(t.data, t.status)
	}
	t.data, t.some, t.long = t.data[:0], false, false
}
