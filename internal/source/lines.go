package source

import (
	"bytes"
	"errors"
	"io"
)

const (
	// firstBuffer is also how much of an input is looked at before reading it.
	firstBuffer = 64 << 10
	noQuote     = 0
)

var (
	// errTooLarge: the record is over the limit and was passed over.
	errTooLarge = errors.New("record over the limit")
	// errOpenQuote: a quote was opened and not closed within the limit or the input.
	errOpenQuote = errors.New("quote is not closed")
)

// lines cuts a stream into records at line ends outside quotes. It holds one
// record at a time and never more than the limit and one buffer.
type lines struct {
	in    io.Reader
	buf   []byte
	start int // of the bytes not yet handed out
	end   int
	ended error // what in ended with, io.EOF or a failure
	limit int

	offset int64 // of buf[start] in the stream
	line   int64 // of buf[start], 1-based

	// quoteLine is the line of the quote that errOpenQuote is about.
	quoteLine int64
}

func newLines(in io.Reader, limit int) *lines {
	return &lines{in: in, buf: make([]byte, firstBuffer), limit: limit, line: 1}
}

// fill reads more bytes, making room first. It returns false when there are none.
func (l *lines) fill() bool {
	if l.ended != nil {
		return false
	}
	if l.start > 0 {
		l.end = copy(l.buf, l.buf[l.start:l.end])
		l.start = 0
	}
	if l.end == len(l.buf) {
		grown := make([]byte, min(2*len(l.buf), l.limit+firstBuffer))
		copy(grown, l.buf[:l.end])
		l.buf = grown
	}
	// A reader may return no bytes and no error; giving up after many of those
	// keeps a broken one from spinning here.
	for range 100 {
		n, err := l.in.Read(l.buf[l.end:])
		l.end += n
		if err != nil {
			l.ended = err
		}
		if n > 0 {
			return true
		}
		if err != nil {
			return false
		}
	}
	l.ended = io.ErrNoProgress
	return false
}

// peek returns up to a buffer of bytes without consuming them.
func (l *lines) peek() []byte {
	for l.end-l.start < firstBuffer && l.fill() {
	}
	return l.buf[l.start:min(l.end, l.start+firstBuffer)]
}

// skip drops n bytes that hold no line end.
func (l *lines) skip(n int) {
	l.start += n
	l.offset += int64(n)
}

// next returns the bytes of the next record without its line end, and its place.
// They are valid until the following call. quote is the character between which
// a line end is data, noQuote for none; it opens a quotation only at the start of
// a field. quoted tells whether the record holds any.
//
// The error is io.EOF, errTooLarge (reading can go on), errOpenQuote, or the
// stream's own.
func (l *lines) next(delim, quote byte) (rec []byte, at Position, quoted bool, err error) {
	at = Position{Line: l.line, Offset: l.offset}
	for n := 0; ; {
		chunk := l.buf[l.start+n : l.end]
		i := bytes.IndexByte(chunk, '\n')
		seg := chunk
		if i >= 0 {
			seg = chunk[:i]
		}
		if quote != noQuote && bytes.IndexByte(seg, quote) >= 0 {
			rec, err = l.nextQuoted(delim, quote)
			return rec, at, true, err
		}
		if i >= 0 {
			if n+i > l.limit {
				l.consume(n+i+1, 1)
				return nil, at, false, errTooLarge
			}
			rec = l.buf[l.start : l.start+n+i]
			l.consume(n+i+1, 1)
			return trimCR(rec), at, false, nil
		}
		n += len(seg)
		if n > l.limit {
			return nil, at, false, l.passOver(delim, quote)
		}
		if !l.fill() {
			rec, err = l.last()
			return rec, at, false, err
		}
	}
}

// last returns what follows the last line end, or why there is no more.
func (l *lines) last() ([]byte, error) {
	if !errors.Is(l.ended, io.EOF) {
		return nil, l.ended
	}
	rec := l.buf[l.start:l.end]
	if len(rec) == 0 {
		return nil, io.EOF
	}
	l.consume(len(rec), 0)
	return trimCR(rec), nil
}

func (l *lines) consume(n int, lineEnds int64) {
	l.start += n
	l.offset += int64(n)
	l.line += lineEnds
}

func trimCR(rec []byte) []byte {
	if n := len(rec); n > 0 && rec[n-1] == '\r' {
		return rec[:n-1]
	}
	return rec
}

// quoting follows quotations through a record, byte by byte.
type quoting struct {
	delim, quote byte
	state        quoteState
	lineEnds     int64 // met so far, in quotations
	openedLine   int64 // line ends before the quotation that is open
	openedAt     int   // bytes since that quotation was opened
}

type quoteState uint8

const (
	fieldStart quoteState = iota
	inField
	inQuotes
	afterQuote // a quote inside quotes: the end of them, or the first half of ""
)

// ends reads bytes until the line end of the record and returns its index, -1
// when the bytes do not hold it.
func (q *quoting) ends(chunk []byte) int {
	if q.quote == noQuote {
		return bytes.IndexByte(chunk, '\n')
	}
	for i := 0; i < len(chunk); i++ {
		c := chunk[i]
		if q.state == inQuotes {
			q.openedAt++
			switch c {
			case q.quote:
				q.state = afterQuote
			case '\n':
				q.lineEnds++
			}
			continue
		}
		switch {
		case c == '\n':
			return i
		case c == q.delim:
			q.state = fieldStart
		case c == q.quote && q.state == afterQuote:
			q.state = inQuotes
		case c == q.quote && q.state == fieldStart:
			q.state, q.openedLine, q.openedAt = inQuotes, q.lineEnds, 0
		default:
			q.state = inField
		}
	}
	return -1
}

// nextQuoted is next for a record whose first lines hold a quote.
func (l *lines) nextQuoted(delim, quote byte) ([]byte, error) {
	q := quoting{delim: delim, quote: quote}
	first := l.line
	for n := 0; ; {
		chunk := l.buf[l.start+n : l.end]
		if i := q.ends(chunk); i >= 0 && n+i <= l.limit {
			rec := l.buf[l.start : l.start+n+i]
			l.consume(n+i+1, q.lineEnds+1)
			return trimCR(rec), nil
		}
		n += len(chunk)
		if n > l.limit {
			return nil, l.passOver(delim, quote)
		}
		if !l.fill() {
			if q.state == inQuotes && errors.Is(l.ended, io.EOF) {
				l.quoteLine = first + q.openedLine
				return nil, errOpenQuote
			}
			rec, err := l.last()
			l.line += q.lineEnds
			return rec, err
		}
	}
}

// passOver consumes a record that is over the limit without holding it. Within a
// quotation that is itself over the limit it gives up: the quote was most likely
// never meant to open one, and the records behind it would be lost in silence.
func (l *lines) passOver(delim, quote byte) error {
	q := quoting{delim: delim, quote: quote}
	first := l.line
	for {
		chunk := l.buf[l.start:l.end]
		i := q.ends(chunk)
		if q.state == inQuotes && q.openedAt > l.limit {
			l.quoteLine = first + q.openedLine
			return errOpenQuote
		}
		if i >= 0 {
			l.consume(i+1, q.lineEnds+1)
			return errTooLarge
		}
		l.consume(len(chunk), 0)
		if !l.fill() {
			if !errors.Is(l.ended, io.EOF) {
				return l.ended
			}
			if q.state == inQuotes {
				l.quoteLine = first + q.openedLine
				return errOpenQuote
			}
			l.line += q.lineEnds
			return errTooLarge
		}
	}
}
