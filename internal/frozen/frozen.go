// Package frozen stores the exact event bytes of a plan, encrypted, in one file.
//
// Once a plan exists its bytes never change: what is confirmed, and what is sent
// again after a lost answer, is what was previewed. Every event is sealed on its
// own with AES-256-GCM under the plan's data key, so any event can be read without
// the others and a changed byte is noticed. Unlinking the file and deleting the
// wrapped key is the whole of retention.
package frozen

import (
	"bufio"
	"crypto/cipher"
	"encoding/binary"
	"errors"
	"fmt"
	"os"

	"sluice/internal/secret"
)

// Ref is the place of one sealed event in its file.
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

// ErrDamaged says that a sealed event does not open: the file was changed, cut, or
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

// Writer appends sealed events to a new file.
type Writer struct {
	file   *os.File
	buf    *bufio.Writer
	offset int64
}

// Create starts a file that only its owner can read; it must not exist.
func Create(path string) (*Writer, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	w := &Writer{file: f, buf: bufio.NewWriterSize(f, bufferSize), offset: int64(len(magic))}
	_, err = w.buf.WriteString(magic)
	return w, err
}

// Append writes a run of sealed events and returns the offset of its first byte.
func (w *Writer) Append(sealed []byte) (int64, error) {
	at := w.offset
	n, err := w.buf.Write(sealed)
	w.offset += int64(n)
	return at, err
}

// Close makes the file durable.
func (w *Writer) Close() error {
	err := w.buf.Flush()
	if err == nil {
		err = w.file.Sync()
	}
	return errors.Join(err, w.file.Close())
}

// Abort closes and removes the file.
func (w *Writer) Abort() {
	_ = w.file.Close()
	_ = os.Remove(w.file.Name())
}

// Reader opens sealed events. It is safe for concurrent use.
type Reader struct {
	file *os.File
	aead cipher.AEAD
}

// Open opens a file that Writer made.
func Open(path string, key []byte) (*Reader, error) {
	aead, err := secret.NewAEAD(key)
	if err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	head := make([]byte, len(magic))
	if _, err := f.ReadAt(head, 0); err != nil || string(head) != magic {
		_ = f.Close()
		return nil, fmt.Errorf("%w: not a frozen payload file", ErrDamaged)
	}
	return &Reader{file: f, aead: aead}, nil
}

// Load holds the bytes of consecutive sealed events while they are opened.
type Load struct {
	r    *Reader
	base int64
	data []byte
}

// Load reads the span from first to last at once when they lie together, which
// spares a system call per event. Events outside the span are read on their own.
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
		return l, nil
	}
	if int64(cap(into)) < high-low {
		into = make([]byte, high-low)
	}
	l.base, l.data = low, into[:high-low]
	if _, err := r.file.ReadAt(l.data, low); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return l, nil
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
	var sealed []byte
	if at := ref.Offset - l.base; l.data != nil && at >= 0 && at+int64(ref.Length) <= int64(len(l.data)) {
		sealed = l.data[at : at+int64(ref.Length)]
	} else {
		sealed = make([]byte, ref.Length)
		if _, err := l.r.file.ReadAt(sealed, ref.Offset); err != nil {
			return dst, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	nonce := nonceOf(binary.BigEndian.Uint64(sealed))
	out, err := l.r.aead.Open(dst, nonce[:], sealed[noncePart:], nil)
	if err != nil {
		return dst, ErrDamaged
	}
	return out, nil
}

// Close closes the file.
func (r *Reader) Close() error { return r.file.Close() }
