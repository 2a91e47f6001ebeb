package mcpwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
)

// SSEEvent is one block of an event stream: the lines up to an empty one. Where a
// block stands does not depend on how the stream was cut into reads.
type SSEEvent struct {
	ID    string
	HasID bool   // an id was given; it may be empty
	Event string // empty is "message"
	// Data is the data lines joined by \n: nil when the block has none, empty but not
	// nil for an event that carries nothing (the priming event of a resumable stream).
	Data  []byte
	Retry string // as it was written; empty when it is not a number
	// Comment marks what carries no event: a comment line between events, or an empty
	// line where nothing had to be ended. It comes at once, being a sign of life.
	Comment bool
	// Raw is the bytes of the block, its end included. All Raw of a stream together
	// are the stream.
	Raw []byte
}

// ErrEventTooLarge is an event beyond the limit of its EventReader.
var ErrEventTooLarge = errors.New("an event of the stream is larger than the limit")

// EventReader takes an event stream apart as it arrives.
type EventReader struct {
	r     io.Reader
	limit int
	buf   []byte // what was read; buf[done:] is not delivered yet
	done  int
	join  []byte // data of several lines
	err   error  // of r, once it came
	began bool   // something was delivered: no byte order mark any more
	end   lineEnd

	// Of the block that buf[done:] begins with: where its first line starts, the line
	// that is looked at, and up to where that one is known not to end.
	first, at, seen int
}

type lineEnd uint8

const (
	unseen lineEnd = iota // as good as CRLF: a CR waits for what follows
	lf
	cr
	crlf
)

// NewEventReader reads events of at most limit bytes each; 0 is MaxSize.
func NewEventReader(r io.Reader, limit int) *EventReader {
	if limit <= 0 {
		limit = MaxSize
	}
	return &EventReader{r: r, limit: limit}
}

// Next is the next event. Its Data and Raw are valid until the call after. The error
// is io.EOF after the last whole event. When the stream ends within an event it is
// io.ErrUnexpectedEOF, and the event is what had arrived of it: the standard has it
// dropped.
func (r *EventReader) Next() (SSEEvent, error) {
	if cap(r.join) > keptByEvent {
		r.join = nil
	}
	for {
		if n := r.block(); n > 0 {
			if n > r.limit {
				return SSEEvent{}, ErrEventTooLarge
			}
			return r.deliver(n), nil
		}
		if len(r.buf)-r.done > r.limit {
			return SSEEvent{}, ErrEventTooLarge
		}
		if r.err != nil {
			return r.rest()
		}
		r.fill()
	}
}

func (r *EventReader) fill() {
	r.buf, r.done = room(r.buf, r.done, keptByEvent)
	n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
	r.buf, r.err = r.buf[:len(r.buf)+n], err
}

// block is the length of the block that buf[done:] begins with; 0 when more has to
// come to tell.
func (r *EventReader) block() int {
	b := r.buf[r.done:]
	if r.at == 0 {
		if r.first = r.leading(b); r.first < 0 {
			return 0
		}
		r.at, r.seen = r.first, r.first
	}
	for {
		from := max(r.at, r.seen)
		end := from + LineBreak(b[from:])
		if r.seen = end; end >= len(b) {
			return 0
		}
		last := end == r.at || r.at == r.first && b[r.at] == ':'
		size := r.ending(b[end:], last)
		if size == 0 {
			return 0
		}
		r.at = end + size
		if last {
			return r.at
		}
	}
}

// leading is how many bytes before the first line belong to none: a byte order mark,
// or the second half of a line end whose first half ended the block before. It is -1
// when that can't be told yet.
func (r *EventReader) leading(b []byte) int {
	const mark = "\ufeff"
	switch {
	case len(b) == 0:
		return -1
	case r.began && r.end == cr && b[0] == '\n':
		return 1
	case r.began:
		return 0
	case len(b) >= len(mark) && string(b[:len(mark)]) == mark:
		return len(mark)
	case r.err == nil && strings.HasPrefix(mark, string(b)):
		return -1
	}
	return 0
}

// LineBreak is where the first line end of b is; len(b) when there is none. It looks
// ahead by little: in a stream without LF the next one is as far away as can be.
func LineBreak(b []byte) int {
	const ahead = 1 << 10
	for from := 0; from < len(b); from += ahead {
		part := b[from:min(from+ahead, len(b))]
		n := bytes.IndexByte(part, '\n')
		if n < 0 {
			n = len(part)
		}
		if c := bytes.IndexByte(part[:n], '\r'); c >= 0 {
			return from + c
		}
		if n < len(part) {
			return from + n
		}
	}
	return len(b)
}

// ending is the size of the line end that b begins with, and 0 when it may go on.
//
// The question is a CR at the end of what arrived. After most lines there is time to
// see what follows. After the last line of a block the next byte may be a long time
// coming: there an LF is waited for in a stream whose lines end in CRLF, so that a
// peer downstream that counts on it gets it together with the event; in any other
// stream nothing is held back, and the LF, if there is one, opens the next block.
func (r *EventReader) ending(b []byte, last bool) int {
	switch {
	case b[0] == '\n':
		r.end = lf
		return 1
	case last && (r.end == lf || r.end == cr):
		r.end = cr
		return 1
	case len(b) > 1 && b[1] == '\n':
		r.end = crlf
		return 2
	case len(b) > 1 || r.err != nil:
		r.end = cr
		return 1
	}
	return 0
}

func (r *EventReader) deliver(n int) SSEEvent {
	e := SSEEvent{Raw: r.buf[r.done : r.done+n]}
	r.fields(&e, e.Raw[r.first:])
	r.done += n
	r.began = true
	r.first, r.at, r.seen = 0, 0, 0
	return e
}

// rest is what a stream that ended leaves.
func (r *EventReader) rest() (SSEEvent, error) {
	n := len(r.buf) - r.done
	if n == 0 || !errors.Is(r.err, io.EOF) {
		return SSEEvent{}, r.err
	}
	r.first = max(r.first, 0)
	if e := r.deliver(n); len(bytes.Trim(e.Raw, "\r\n")) > 0 && !e.Comment {
		return e, io.ErrUnexpectedEOF
	}
	return SSEEvent{}, io.EOF
}

// fields reads the lines of a block.
func (r *EventReader) fields(e *SSEEvent, b []byte) {
	e.Comment = true
	r.join = r.join[:0]
	lines := 0
	for len(b) > 0 {
		n := LineBreak(b)
		line := b[:n]
		switch rest := b[n:]; {
		case len(rest) > 1 && rest[0] == '\r' && rest[1] == '\n':
			b = rest[2:]
		case len(rest) > 0:
			b = rest[1:]
		default:
			b = nil
		}
		if len(line) == 0 || line[0] == ':' {
			continue
		}
		e.Comment = false
		name, value, _ := bytes.Cut(line, []byte(":"))
		if len(value) > 0 && value[0] == ' ' {
			value = value[1:]
		}
		switch string(name) {
		case "data":
			switch lines++; lines {
			case 1:
				e.Data = value[:len(value):len(value)]
				if e.Data == nil {
					e.Data = []byte{}
				}
				continue
			case 2:
				r.join = append(r.join, e.Data...)
			}
			r.join = append(append(r.join, '\n'), value...)
			e.Data = r.join
		case "event":
			if e.Event = ""; string(value) != "message" {
				e.Event = string(value)
			}
		case "id":
			if bytes.IndexByte(value, 0) < 0 {
				e.ID, e.HasID = string(value), true
			}
		case "retry":
			if decimal(value) {
				e.Retry = string(value)
			}
		}
	}
}

func decimal(b []byte) bool {
	for _, c := range b {
		if c < '0' || c > '9' {
			return false
		}
	}
	return len(b) > 0
}

// AppendEvent appends e as a block of its own. Line ends in Data, whichever they are,
// part it into several data lines; an ID, Event or Retry that can't stand on a line is
// left out. A comment is appended as it came.
func AppendEvent(dst []byte, e SSEEvent) []byte {
	if e.Comment {
		return append(dst, e.Raw...)
	}
	if e.HasID && !strings.ContainsAny(e.ID, "\r\n\x00") {
		dst = append(append(append(dst, "id: "...), e.ID...), '\n')
	}
	if e.Event != "" && !strings.ContainsAny(e.Event, "\r\n") {
		dst = append(append(append(dst, "event: "...), e.Event...), '\n')
	}
	if decimal([]byte(e.Retry)) {
		dst = append(append(append(dst, "retry: "...), e.Retry...), '\n')
	}
	for b := e.Data; b != nil; {
		n := LineBreak(b)
		dst = append(append(append(dst, "data: "...), b[:n]...), '\n')
		switch {
		case n == len(b):
			b = nil
		case b[n] == '\r' && n+1 < len(b) && b[n+1] == '\n':
			b = b[n+2:]
		default:
			b = b[n+1:]
		}
	}
	return append(dst, '\n')
}
