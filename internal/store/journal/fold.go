package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/audit"
	"sluice/internal/filelock"
)

// How call records reach the audit log.
const (
	foldAfter   = 500 * time.Millisecond // of the first record that waits
	othersFirst = 300 * time.Millisecond // more, in a process that has not handed on lately
	lookEvery   = 2 * time.Second        // for what dead processes left
	lately      = 30 * time.Second
	foldAtOnce  = 500                   // calls in one transaction
	foldTime    = 30 * time.Second      // for all of one turn
	behindAge   = time.Minute           // without progress: calls are denied
	behindBytes = 64 << 20              // so they are with this much waiting
	slowBytes   = 16 << 20              // from here on calls are slowed down
	slowCall    = 40 * time.Microsecond // to one in this time
)

// folder hands records on, if it gets the lock.
type folder struct {
	mu       sync.Mutex // held while this store hands on, or tries to
	file     *os.File
	dirty    atomic.Bool       // this store has written since it last handed on
	last     position          // as it was last seen
	progress time.Time         // when that moved, or nothing waited
	active   atomic.Int64      // when this store last handed calls on, in Unix nanoseconds
	calls    []audit.TimedCall // room for those of one transaction, used again
	text     []byte            // what their texts are parts of
	tidied   time.Time
	lost     bool // the directory is another one: this store stays behind
}

// position is up to where records were handed on; seq is the number of the last call.
type position struct {
	seq, gen, offset int64
}

// The position stands behind the first byte, which is what is locked where locks keep
// others from reading.
const (
	positionSize = 28
	positionAt   = 64
)

func (f *folder) close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		return nil
	}
	err := f.file.Close()
	f.file = nil
	return err
}

// position reads how far anybody got; the zero position where that is not known, for
// whoever takes the records knows what it has.
func (f *folder) position() (p position) {
	var b [positionSize]byte
	if n, _ := f.file.ReadAt(b[:], positionAt); n < len(b) || crc32.Checksum(b[:24], castagnoli) != binary.LittleEndian.Uint32(b[24:]) {
		return p
	}
	p.seq = int64(binary.LittleEndian.Uint64(b[:]))
	p.gen = int64(binary.LittleEndian.Uint64(b[8:]))
	p.offset = int64(binary.LittleEndian.Uint64(b[16:]))
	return p
}

func (f *folder) put(p position) error {
	b := make([]byte, 0, positionSize)
	b = binary.LittleEndian.AppendUint64(b, uint64(p.seq))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.gen))
	b = binary.LittleEndian.AppendUint64(b, uint64(p.offset))
	b = binary.LittleEndian.AppendUint32(b, crc32.Checksum(b, castagnoli))
	_, err := f.file.WriteAt(b, positionAt)
	return err
}

// background hands on what this store wrote, and looks now and then after the others. Of
// several processes the one that does it goes on doing it, for all of them: the others
// need not open the audit log.
func (s *Store) background() {
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	soon := time.NewTimer(time.Hour)
	soon.Stop()
	defer soon.Stop()
	said := false
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
			soon.Reset(s.foldDelay())
			continue
		case <-soon.C:
		case <-look.C:
		}
		ctx, cancel := context.WithTimeout(s.ctx, foldTime)
		err := s.foldNow(ctx, false)
		cancel()
		if err != nil && s.ctx.Err() == nil && !said {
			s.o.Log.Warn("call records wait in the gateway's journal for the audit log", "error", err)
		}
		said = err != nil
		switch {
		case s.fold.dirty.Load():
			soon.Reset(s.foldDelay())
		case s.fold.lately():
			soon.Reset(foldAfter) // whoever wrote
		}
	}
}

func (f *folder) lately() bool { return time.Now().UnixNano()-f.active.Load() < int64(lately) }

func (s *Store) foldDelay() time.Duration {
	if s.fold.lately() {
		return foldAfter
	}
	return foldAfter + othersFirst
}

// foldNow hands on everything that was written before it was called. Without wait it
// leaves that to another process which is just doing it.
func (s *Store) foldNow(ctx context.Context, wait bool) error {
	f := &s.fold
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.file == nil {
		s.mu.Lock()
		closed := s.closed
		s.mu.Unlock()
		if closed {
			return errClosed
		}
		file, err := openFile(filepath.Join(s.o.Dir, foldFile))
		if err != nil {
			return err
		}
		f.file = file
	}
	for {
		err := filelock.Try(f.file)
		if err == nil {
			break
		}
		if !errors.Is(err, filelock.ErrBusy) {
			return err
		}
		if !wait {
			s.judge(f.position())
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(5 * time.Millisecond):
		}
	}
	err := s.handOn(ctx)
	_ = filelock.Unlock(f.file)
	return err
}

// handOn does it, under the lock.
func (s *Store) handOn(ctx context.Context) error {
	f := &s.fold
	if err := s.inPlace(ctx); err != nil {
		return err
	}
	if err := s.bury(ctx); err != nil {
		return err
	}
	// What was settled is written by this turn, and counted by the next.
	err := s.do(ctx, func(*group) error { return nil })
	if err != nil {
		return err
	}
	f.dirty.Store(false)
	to, source, err := s.reached(ctx)
	if err == nil {
		p := f.position()
		if err = s.handOver(ctx, source, &p, to); errors.Is(err, audit.ErrLeftOut) {
			s.o.Log.Warn("the audit log was put back to an earlier state; it is handed again what the gateway's journal still has")
			p = position{}
			err = s.handOver(ctx, source, &p, to)
		}
		s.judge(p)
		if err == nil {
			err = s.tidy(ctx, p.gen)
		}
	}
	if err != nil {
		f.dirty.Store(true)
	}
	return err
}

// inPlace finds out whether the directory and the journal are still those that were
// opened. Where they were removed or replaced, other processes would count in others.
func (s *Store) inPlace(ctx context.Context) error {
	err := sameFile(s.lock, filepath.Join(s.o.Dir, lockFile))
	if err == nil {
		turn := s.do(ctx, func(g *group) error {
			err = sameFile(g.st.file, journalPath(s.o.Dir, g.st.header.Generation))
			return nil
		})
		if turn != nil {
			return turn
		}
	}
	if err != nil {
		s.fold.lost = true
		s.behind.Store(true)
		return fmt.Errorf("the gateway's directory was removed or replaced, start again: %w", err)
	}
	return nil
}

func sameFile(f *os.File, path string) error {
	here, err := os.Stat(path)
	if err != nil {
		return err
	}
	opened, err := f.Stat()
	if err == nil && !os.SameFile(here, opened) {
		err = fmt.Errorf("%s is another file", filepath.Base(path))
	}
	return err
}

// reached is the end of what was written before this turn.
func (s *Store) reached(ctx context.Context) (p position, source string, err error) {
	err = s.do(ctx, func(g *group) error {
		p = position{seq: g.st.seq, gen: g.st.header.Generation, offset: g.st.end}
		source = g.st.header.Source
		return nil
	})
	return p, source, err
}

// handOver gives the records between two positions to Fold, file by file.
func (s *Store) handOver(ctx context.Context, source string, p *position, to position) error {
	gens, err := generations(s.o.Dir, journalStart)
	if err != nil {
		return err
	}
	if err := s.rejoin(p, to); err != nil {
		return err
	}
	for _, gen := range gens {
		if gen < p.gen || gen > to.gen {
			continue
		}
		if gen > p.gen {
			p.gen, p.offset = gen, 0
		}
		end := to.offset
		if gen < to.gen {
			end = -1
		}
		if err := s.handFile(ctx, source, p, end); err != nil {
			return err
		}
	}
	return nil
}

// rejoin makes a position one that the journal has. Where the journal was put back to an
// earlier state without it, or it without the journal, the whole file is handed on again:
// the audit log knows what of it is new.
func (s *Store) rejoin(p *position, to position) error {
	if p.gen < to.gen || (p.gen == to.gen && p.offset < to.offset) {
		if p.offset == 0 {
			return nil
		}
		file, err := os.Open(journalPath(s.o.Dir, p.gen))
		if gone(err) {
			return nil
		}
		if err != nil {
			return err
		}
		defer func() { _ = file.Close() }()
		var head [frameHead + payloadHead]byte
		n, err := file.ReadAt(head[:], p.offset)
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		size, seq := binary.LittleEndian.Uint32(head[:]), int64(binary.LittleEndian.Uint64(head[frameHead:]))
		if n == 0 || n == len(head) && size >= payloadHead && size <= maxFrame && seq > p.seq && seq-p.seq < math.MaxInt32 {
			return nil
		}
	} else if p.gen == to.gen && p.offset == to.offset {
		return nil
	}
	*p = position{gen: min(p.gen, to.gen)}
	return nil
}

// handFile hands on one file, up to end or to its own.
func (s *Store) handFile(ctx context.Context, source string, p *position, end int64) error {
	file, err := os.OpenFile(journalPath(s.o.Dir, p.gen), os.O_RDWR, 0) // else some systems don't sync it
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	if end < 0 {
		info, err := file.Stat()
		if err != nil {
			return err
		}
		end = info.Size()
	}
	if p.offset >= end {
		return nil
	}
	// What the audit log has, the journal must not lose: numbers are never used twice.
	if err := syncData(file); err != nil {
		return err
	}
	calls, text := s.fold.calls[:0], s.fold.text[:0]
	defer func() { s.fold.calls, s.fold.text = calls, text }()
	next, start := *p, p.offset
	give := func() error {
		if len(calls) > 0 && s.o.Fold != nil {
			if err := s.o.Fold(ctx, source, p.seq+1, next.seq, calls); err != nil {
				return err
			}
			s.fold.active.Store(time.Now().UnixNano())
		}
		for i := range calls {
			calls[i] = audit.TimedCall{Call: audit.Call{ArgKeys: calls[i].Call.ArgKeys[:0]}}
		}
		calls, text = calls[:0], text[:0]
		*p = next
		s.judge(*p)
		return s.fold.put(*p)
	}
	sc := scanner{r: io.NewSectionReader(file, p.offset, end-p.offset), last: p.seq}
	for sc.next() {
		if sc.f.kind.hasCall() && s.o.Fold != nil {
			next.seq = max(next.seq, sc.f.seq)
			n := len(calls)
			if n < cap(calls) {
				calls = calls[:n+1]
			} else {
				calls = append(calls, audit.TimedCall{})
			}
			c := &calls[n]
			c.Seq, c.At = sc.f.seq, unixTime(sc.f.at)
			if text, err = appendedCall(&c.Call, text, sc.f.body); err != nil {
				return fmt.Errorf("record %d: %w", sc.f.seq, err)
			}
		}
		next.offset = start + sc.at
		if len(calls) == foldAtOnce {
			if err := give(); err != nil {
				return err
			}
		}
	}
	if sc.err != nil {
		return sc.err
	}
	next.offset = end
	return give()
}

// appendedCall reads a call whose texts are parts of text from then on.
func appendedCall(c *audit.Call, text, body []byte) ([]byte, error) {
	r := reader{b: body}
	p := r.part()
	start := len(text)
	text = append(text, p.b...)
	o := reader{b: text[start:]}
	o.members(c)
	if p.bad || o.bad {
		return text, errDamaged
	}
	return text, nil
}

func callOf(body []byte) (c audit.Call, err error) {
	r := reader{b: body}
	p := r.part()
	o := owned(p.b)
	o.members(&c)
	if p.bad || o.bad {
		err = errDamaged
	}
	return c, err
}

// judge decides whether the audit log is too far behind for calls to be admitted.
func (s *Store) judge(p position) {
	f := &s.fold
	if f.lost {
		return
	}
	gen, end := s.seenGen.Load(), s.seenEnd.Load()
	waiting := end - p.offset
	if p.gen < gen {
		if info, err := os.Stat(journalPath(s.o.Dir, p.gen)); err == nil {
			waiting = info.Size() - p.offset
		}
		waiting += end
		for between := p.gen + 1; between < gen; between++ {
			if info, err := os.Stat(journalPath(s.o.Dir, between)); err == nil {
				waiting += info.Size()
			}
		}
	}
	s.slow.Store(s.o.Fold != nil && waiting > slowBytes)
	now := time.Now()
	if p != f.last || waiting <= 0 {
		f.last, f.progress = p, now
	}
	s.behind.Store(s.o.Fold != nil && waiting > 0 && (waiting > behindBytes || now.Sub(f.progress) > behindAge))
}
