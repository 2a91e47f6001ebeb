package privacy

import (
	"crypto/rand"
	"encoding/binary"
	"errors"

	"sluice/internal/secret"
)

// The subject index of a plan says which sealed payload belongs to which tags. It
// is a list in the order of the payload, cut into sealed parts: writing it costs a
// copy, where a table by tag would cost a random insert for each identifier of each
// event. Looking a person up reads the whole list, which is rare and takes some
// milliseconds per hundred thousand events. It is sealed under a key that derives
// from the plan's data key, so it goes with it.

// short is how much of a tag the index keeps. Two people of one plan share it with
// a chance of one in 2^64 per pair.
const short = 8

// Span is the place of one sealed event in its plan's payload.
type Span struct {
	Offset int64
	Length int
}

// partSize is where a part ends: big enough to seal cheaply, small enough to be
// rewritten when somebody is erased.
const partSize = 256 << 10

// Index collects the subject index of one plan.
type Index struct {
	seal  func([]byte) []byte
	no    int
	plain []byte
	parts []Part
	last  int64
}

// indexPurpose separates the index from the payload under one data key.
var indexPurpose = []byte("subject index 1")

// NewIndex starts an index under a plan's data key.
func NewIndex(key []byte) (*Index, error) {
	aead, err := secret.NewAEAD(secret.Subkey(key, string(indexPurpose)))
	if err != nil {
		return nil, err
	}
	return &Index{seal: func(plain []byte) []byte {
		nonce := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
		_, _ = rand.Read(nonce) // never fails: crypto/rand aborts the process instead
		return aead.Seal(nonce, nonce, plain, indexPurpose)
	}}, nil
}

// Add records the tags of one sealed event. Places must not fall.
func (x *Index) Add(tags []Tag, at Span) {
	for _, t := range tags {
		x.plain = append(x.plain, t[:short]...)
		x.plain = binary.AppendUvarint(x.plain, uint64(at.Offset-x.last))
		x.plain = binary.AppendUvarint(x.plain, uint64(at.Length))
		x.last = at.Offset
	}
	if len(x.plain) >= partSize {
		x.cut()
	}
}

func (x *Index) cut() {
	if len(x.plain) == 0 {
		return
	}
	x.parts = append(x.parts, Part{No: x.no, Body: x.seal(x.plain)})
	x.no++
	x.plain, x.last = x.plain[:0], 0
}

// Take hands over the finished parts; last also the one that is not full.
func (x *Index) Take(last bool) []Part {
	if last {
		x.cut()
	}
	out := x.parts
	x.parts = nil
	return out
}

var errIndex = errors.New("a plan's subject index does not open")

// Finder looks people up in indexes.
type Finder struct{ set map[[short]byte]struct{} }

// NewFinder looks for everybody on a list.
func NewFinder(l *List) *Finder {
	f := &Finder{set: make(map[[short]byte]struct{}, len(l.tags))}
	for _, t := range l.tags {
		f.set[[short]byte(t[:short])] = struct{}{}
	}
	return f
}

// In finds the places of those it looks for in one part, ascending.
func (f *Finder) In(key []byte, part Part) ([]Span, error) {
	var found []Span
	err := open(key, part, func(tag [short]byte, at Span) {
		if _, ok := f.set[tag]; ok && (len(found) == 0 || found[len(found)-1] != at) {
			found = append(found, at)
		}
	})
	return found, err
}

// Without returns a part that no longer holds anything about the given places.
func Without(key []byte, part Part, gone map[int64]bool) (Part, error) {
	x, err := NewIndex(key)
	if err != nil {
		return Part{}, err
	}
	x.no = part.No
	err = open(key, part, func(tag [short]byte, at Span) {
		if gone[at.Offset] {
			return
		}
		x.plain = append(x.plain, tag[:]...)
		x.plain = binary.AppendUvarint(x.plain, uint64(at.Offset-x.last))
		x.plain = binary.AppendUvarint(x.plain, uint64(at.Length))
		x.last = at.Offset
	})
	if err != nil {
		return Part{}, err
	}
	return Part{No: part.No, Body: x.seal(x.plain)}, nil
}

func open(key []byte, part Part, fn func([short]byte, Span)) error {
	aead, err := secret.NewAEAD(secret.Subkey(key, string(indexPurpose)))
	if err != nil {
		return err
	}
	n := aead.NonceSize()
	if len(part.Body) < n {
		return errIndex
	}
	b, err := aead.Open(nil, part.Body[:n], part.Body[n:], indexPurpose)
	if err != nil {
		return errIndex
	}
	var last int64
	for len(b) > 0 {
		if len(b) < short {
			return errIndex
		}
		tag := [short]byte(b)
		delta, w := binary.Uvarint(b[short:])
		if w <= 0 {
			return errIndex
		}
		b = b[short+w:]
		length, w := binary.Uvarint(b)
		if w <= 0 {
			return errIndex
		}
		b = b[w:]
		last += int64(delta)
		fn(tag, Span{Offset: last, Length: int(length)})
	}
	return nil
}
