// Package frozen holds the exact event bytes of a plan, encrypted, as one stream.
//
// Once a plan exists its bytes never change: what is confirmed, and what is sent
// again after a lost answer, is what was previewed. Every event is sealed on its
// own with AES-256-GCM under the plan's data key, so any event can be read without
// the others and a changed byte is noticed. Where the stream is kept is the store's
// business; removing it and deleting the wrapped key is the whole of retention.
package frozen

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"

	"sluice/internal/secret"
)

// Ref is the place of one sealed event in its stream.
type Ref struct {
	Offset int64
	Length int // sealed length in bytes
}

const (
	magic      = "sluice-frozen-1\n"
	noncePart  = 8
	tagPart    = 16
	bufferSize = 1 << 20
)

// PlainLength is the length of an event whose sealed form has the given length.
func PlainLength(sealed int) int { return sealed - noncePart - tagPart }

// ErrDamaged says that a sealed event does not open: the bytes were changed, cut, or
// belongs to another plan.
var ErrDamaged = errors.New("the frozen payload does not open")

// Sealer encrypts events. It is safe for concurrent use as long as no slot is
// used twice.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a sealer for a data key of secret.KeySize bytes.
func NewSealer(key []byte) (*Sealer, error) {
	aead, err := secret.NewAEAD(key)
	if err != nil {
		return nil, err
	}
	return &Sealer{aead: aead}, nil
}

// Seal appends the sealed form of payload to dst. slot must be unique within the
// plan: it is the nonce.
func (s *Sealer) Seal(dst []byte, slot uint64, payload []byte) []byte {
	dst = binary.BigEndian.AppendUint64(dst, slot)
	nonce := nonceOf(slot)
	return s.aead.Seal(dst, nonce[:], payload, nil)
}

func nonceOf(slot uint64) [12]byte {
	var nonce [12]byte
	binary.BigEndian.PutUint64(nonce[4:], slot)
	return nonce
}

// Sink takes the stream; what was not committed leaves nothing behind.
type Sink interface {
	io.Writer
	Commit() error
	Abort()
}

// Source gives the stream back.
type Source interface {
	io.ReaderAt
	io.Closer
}

// Writer appends sealed events to a new stream.
type Writer struct {
	sink   Sink
	buf    *bufio.Writer
	offset int64
}

// Create starts a stream.
func Create(to Sink) (*Writer, error) {
	w := &Writer{sink: to, buf: bufio.NewWriterSize(to, bufferSize), offset: int64(len(magic))}
	_, err := w.buf.WriteString(magic)
	return w, err
}

// Append writes a run of sealed events and returns the offset of its first byte.
func (w *Writer) Append(sealed []byte) (int64, error) {
	at := w.offset
	n, err := w.buf.Write(sealed)
	w.offset += int64(n)
	return at, err
}

// Close makes the stream durable.
func (w *Writer) Close() error {
	if err := w.buf.Flush(); err != nil {
		w.sink.Abort()
		return err
	}
	return w.sink.Commit()
}

// Abort forgets the stream.
func (w *Writer) Abort() { w.sink.Abort() }

// Reader opens sealed events. It is safe for concurrent use.
type Reader struct {
	from Source
	aead cipher.AEAD
}

// Open opens a stream that Writer made. The reader closes it, also when it does not
// open.
func Open(from Source, key []byte) (*Reader, error) {
	aead, err := secret.NewAEAD(key)
	if err != nil {
		return nil, errors.Join(err, from.Close())
	}
	r := &Reader{from: from, aead: aead}
	head := make([]byte, len(magic))
	if err := r.read(head, 0); err != nil {
		return nil, errors.Join(err, from.Close())
	}
	if string(head) != magic {
		return nil, errors.Join(fmt.Errorf("%w: not a frozen payload", ErrDamaged), from.Close())
	}
	return r, nil
}

// read tells a stream that is too short from one that can't be reached.
func (r *Reader) read(p []byte, at int64) error {
	n, err := r.from.ReadAt(p, at)
	switch {
	case n == len(p):
		return nil
	case errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	default:
		return err
	}
}

// Gatherer is a Source that reads many pieces at once faster than one after the
// other. Piece i is the len(into[i]) bytes at offset at[i]; a piece beyond the end is
// an io.EOF.
type Gatherer interface {
	Gather(at []int64, into [][]byte) error
}

// Load holds the bytes of sealed events while they are opened.
type Load struct {
	r      *Reader
	base   int64
	data   []byte
	places map[int64]int // of gathered events: offset in the stream to place in data
}

// Load reads the span from first to last at once when they lie together, which
// spares a system call per event, or all of them in one go where the source can do
// that. Events outside the span are read on their own.
func (r *Reader) Load(span []Ref, into []byte) (*Load, error) {
	l := &Load{r: r}
	if len(span) == 0 {
		return l, nil
	}
	low, high, sum := span[0].Offset, int64(0), int64(0)
	for _, ref := range span {
		low = min(low, ref.Offset)
		high = max(high, ref.Offset+int64(ref.Length))
		sum += int64(ref.Length)
	}
	// Reading up to twice what is needed beats a call per event; more does not.
	if high-low > 2*sum {
		many, ok := r.from.(Gatherer)
		if !ok {
			return l, nil
		}
		return l, l.gather(many, span, slices.Grow(into[:0], int(sum))[:sum])
	}
	if int64(cap(into)) < high-low {
		into = make([]byte, high-low)
	}
	l.base, l.data = low, into[:high-low]
	if err := r.read(l.data, low); err != nil {
		return nil, err
	}
	return l, nil
}

// gather reads scattered events in one go.
func (l *Load) gather(from Gatherer, span []Ref, into []byte) error {
	at, pieces := make([]int64, len(span)), make([][]byte, len(span))
	l.data, l.places = into, make(map[int64]int, len(span))
	place := 0
	for i, ref := range span {
		at[i], pieces[i] = ref.Offset, into[place:place+ref.Length]
		l.places[ref.Offset] = place
		place += ref.Length
	}
	err := from.Gather(at, pieces)
	if errors.Is(err, io.EOF) {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return err
}

// held returns the sealed bytes of an event that was read with the others.
func (l *Load) held(ref Ref) ([]byte, bool) {
	at := ref.Offset - l.base
	if l.places != nil {
		place, ok := l.places[ref.Offset]
		if !ok {
			return nil, false
		}
		at = int64(place)
	}
	if l.data == nil || at < 0 || at+int64(ref.Length) > int64(len(l.data)) {
		return nil, false
	}
	return l.data[at : at+int64(ref.Length)], true
}

// Buffer returns the memory of the load for the next one, nil when it had none.
func (l *Load) Buffer() []byte {
	if l.data == nil {
		return nil
	}
	return l.data[:0]
}

// Append opens one event and appends its bytes to dst.
func (l *Load) Append(dst []byte, ref Ref) ([]byte, error) {
	if ref.Length < noncePart+tagPart {
		return dst, ErrDamaged
	}
	sealed, ok := l.held(ref)
	if !ok {
		sealed = make([]byte, ref.Length)
		if err := l.r.read(sealed, ref.Offset); err != nil {
			return dst, err
		}
	}
	nonce := nonceOf(binary.BigEndian.Uint64(sealed))
	out, err := l.r.aead.Open(dst, nonce[:], sealed[noncePart:], nil)
	if err != nil {
		return dst, ErrDamaged
	}
	return out, nil
}

// Close closes the stream.
func (r *Reader) Close() error { return r.from.Close() }
