package mcpwire

import (
	"bytes"
	"errors"
	"io"
)

// ErrLineTooLong is a line beyond the limit of its LineReader. The rest of the line
// is skipped: the next one can be read.
var ErrLineTooLong = errors.New("a line is longer than the limit")

// AppendLine appends a checked message as one line: line ends, which JSON has between
// its tokens only, become blanks.
func AppendLine(dst, message []byte) []byte {
	from := len(dst)
	dst = append(dst, message...)
	if bytes.IndexByte(message, '\n') >= 0 || bytes.IndexByte(message, '\r') >= 0 {
		for i := from; i < len(dst); i++ {
			if dst[i] == '\n' || dst[i] == '\r' {
				dst[i] = ' '
			}
		}
	}
	return append(dst, '\n')
}

// LineReader reads messages that stand on a line each.
type LineReader struct {
	r     io.Reader
	limit int
	buf   []byte // what was read; buf[done:] is not delivered yet
	done  int
	seen  int // up to here buf[done:] is known to hold no line end
	skip  bool
	err   error
}

// NewLineReader reads lines of at most limit bytes; 0 is MaxSize.
func NewLineReader(r io.Reader, limit int) *LineReader {
	if limit <= 0 {
		limit = MaxSize
	}
	return &LineReader{r: r, limit: limit}
}

// Next is the next line that is not blank, without its end, and a last one that has
// none. It is valid until the call after.
func (r *LineReader) Next() ([]byte, error) {
	for {
		line, err := r.line()
		if err != nil {
			return nil, err
		}
		if line = bytes.Trim(line, " \t\r"); len(line) > 0 {
			return line, nil
		}
	}
}

func (r *LineReader) line() ([]byte, error) {
	for {
		b := r.buf[r.done:]
		if n := bytes.IndexByte(b[r.seen:], '\n'); n >= 0 {
			line := b[:r.seen+n]
			r.done, r.seen = r.done+len(line)+1, 0
			switch {
			case r.skip: // the end of a line that was refused
				r.skip = false
				continue
			case len(line) > r.limit:
				return nil, ErrLineTooLong
			}
			return line, nil
		}
		r.seen = len(b)
		switch {
		case r.skip:
			r.buf, r.done, r.seen = r.buf[:0], 0, 0
		case len(b) > r.limit:
			r.skip = true
			r.buf, r.done, r.seen = nil, 0, 0
			return nil, ErrLineTooLong
		case r.err != nil && len(b) > 0:
			r.done, r.seen = len(r.buf), 0
			return b, nil
		}
		if r.err != nil {
			return nil, r.err
		}
		r.buf, r.done = room(r.buf, r.done, keptByLine)
		n, err := r.r.Read(r.buf[len(r.buf):cap(r.buf)])
		r.buf, r.err = r.buf[:len(r.buf)+n], err
	}
}

// Sizes of a reader's buffer: the first, and what it keeps after something large. A
// child process speaks on one pipe for long; streams are many, and most of them idle.
const (
	firstBuffer = 4 << 10
	keptByLine  = 256 << 10
	keptByEvent = 32 << 10
)

// room is buf with space behind it and without what was delivered, buf[:done].
func room(buf []byte, done, keep int) ([]byte, int) {
	switch {
	case done == len(buf) && (buf == nil || cap(buf) > keep):
		return make([]byte, 0, firstBuffer), 0
	case done > 0 && (len(buf) == cap(buf) || done > cap(buf)/2):
		return buf[:copy(buf, buf[done:])], 0
	case len(buf) < cap(buf):
		return buf, done
	}
	size := 2 * cap(buf)
	if size < 64<<10 {
		size *= 2
	}
	grown := make([]byte, len(buf), size)
	copy(grown, buf)
	return grown, 0
}
