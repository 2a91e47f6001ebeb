// Package extsort sorts byte records in bounded memory.
//
// Records are ordered by bytes.Compare over the whole record, so a caller puts
// the sort key first, big-endian. What does not fit in memory is spilled to
// files that are encrypted with a key which never leaves the process: they may
// hold rows that have not been hashed yet, and nothing readable must survive a
// crash. The files are unlinked as soon as they are open.
package extsort

import (
	"bytes"
	"cmp"
	"container/heap"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
)

// DefaultMemory is the arena of a sorter in bytes.
const DefaultMemory = 16 << 20

// firstArena is what a sorter starts with: most inputs are small.
const firstArena = 256 << 10

// ErrSpill says that records could not be spilled or read back: the disk is full or
// broken.
var ErrSpill = errors.New("the temporary directory can't be used")

// Sorter collects records and yields them in order. It is not safe for
// concurrent use. Close releases its files at any point.
type Sorter struct {
	dir    string
	memory int

	arena []byte
	refs  []ref
	runs  []*spill
	count int
}

// ref is one record in the arena; prefix is its first eight bytes, which decide
// most comparisons without touching the arena.
type ref struct {
	prefix     uint64
	start, end uint32
}

// New returns a sorter that spills into dir once its records pass memory bytes
// (0: DefaultMemory).
func New(dir string, memory int) *Sorter {
	if memory <= 0 {
		memory = DefaultMemory
	}
	return &Sorter{dir: dir, memory: memory}
}

// Len is the number of records added.
func (s *Sorter) Len() int { return s.count }

// Add copies rec into the sorter.
func (s *Sorter) Add(rec []byte) error {
	// A ref costs 16 bytes beside the record itself.
	if len(s.refs) > 0 && len(s.arena)+len(rec)+16*len(s.refs) > s.memory {
		if err := s.spill(); err != nil {
			return err
		}
	}
	if s.arena == nil {
		s.arena = make([]byte, 0, min(s.memory, firstArena))
	} else if len(s.arena)+len(rec) > cap(s.arena) && cap(s.arena) < s.memory {
		// One step to the full size: doubling would leave as much garbage again.
		s.arena = append(make([]byte, 0, s.memory), s.arena...)
	}
	start := len(s.arena)
	s.arena = append(s.arena, rec...)
	s.refs = append(s.refs, ref{prefix: prefixOf(rec), start: uint32(start), end: uint32(len(s.arena))})
	s.count++
	return nil
}

func prefixOf(rec []byte) uint64 {
	if len(rec) >= 8 {
		return binary.BigEndian.Uint64(rec)
	}
	var b [8]byte
	copy(b[:], rec)
	return binary.BigEndian.Uint64(b[:])
}

func (s *Sorter) sortArena() {
	slices.SortFunc(s.refs, func(a, b ref) int {
		if c := cmp.Compare(a.prefix, b.prefix); c != 0 {
			return c
		}
		return bytes.Compare(s.arena[a.start:a.end], s.arena[b.start:b.end])
	})
}

func (s *Sorter) spill() error {
	s.sortArena()
	run, err := newSpill(s.dir)
	if err != nil {
		return err
	}
	s.runs = append(s.runs, run)
	for _, r := range s.refs {
		if err := run.write(s.arena[r.start:r.end]); err != nil {
			return err
		}
	}
	s.arena, s.refs = s.arena[:0], s.refs[:0]
	return run.seal()
}

// Each calls fn for every record in order; the record is valid during the call.
// It may be called once.
func (s *Sorter) Each(fn func(rec []byte) error) error {
	s.sortArena()
	if len(s.runs) == 0 {
		for _, r := range s.refs {
			if err := fn(s.arena[r.start:r.end]); err != nil {
				return err
			}
		}
		return nil
	}
	return s.merge(fn)
}

// merge walks the spilled runs and the arena together.
func (s *Sorter) merge(fn func(rec []byte) error) error {
	h := make(mergeHeap, 0, len(s.runs)+1)
	for _, run := range s.runs {
		if err := run.rewind(); err != nil {
			return err
		}
		h = append(h, &cursor{next: run.read})
	}
	i := 0
	h = append(h, &cursor{next: func() ([]byte, error) {
		if i == len(s.refs) {
			return nil, io.EOF
		}
		r := s.refs[i]
		i++
		return s.arena[r.start:r.end], nil
	}})
	live := h[:0]
	for _, c := range h {
		ok, err := c.advance()
		if err != nil {
			return err
		}
		if ok {
			live = append(live, c)
		}
	}
	h = live
	heap.Init(&h)
	for len(h) > 0 {
		if err := fn(h[0].rec); err != nil {
			return err
		}
		ok, err := h[0].advance()
		if err != nil {
			return err
		}
		if ok {
			heap.Fix(&h, 0)
		} else {
			heap.Pop(&h)
		}
	}
	return nil
}

// Close removes the spilled runs and lets go of the memory.
func (s *Sorter) Close() error {
	var first error
	for _, run := range s.runs {
		if err := run.close(); err != nil && first == nil {
			first = err
		}
	}
	s.runs, s.arena, s.refs = nil, nil, nil
	return first
}

type cursor struct {
	rec  []byte
	next func() ([]byte, error)
}

func (c *cursor) advance() (bool, error) {
	rec, err := c.next()
	if err == io.EOF {
		return false, nil
	}
	c.rec = rec
	return err == nil, err
}

type mergeHeap []*cursor

func (h mergeHeap) Len() int           { return len(h) }
func (h mergeHeap) Less(i, j int) bool { return bytes.Compare(h[i].rec, h[j].rec) < 0 }
func (h mergeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *mergeHeap) Push(x any)        { *h = append(*h, x.(*cursor)) }
func (h *mergeHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}

// tempFile creates a file that has no name any more: it goes when it is closed,
// however the process ends.
func tempFile(dir string) (*os.File, error) {
	f, err := os.CreateTemp(dir, "sort-*.spill")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSpill, err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("%w: %w", ErrSpill, err)
	}
	return f, nil
}
