package journal

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/filelock"
)

// op is what one caller wants; several of them share a turn.
type op struct {
	request *enforce.Request
	reply   enforce.Reply
	settle  *enforce.Settlement
	calls   []audit.Call
	fn      func(*group) error
	err     error
	turn    chan bool // true: lead now; false: done
}

// group is one turn: what its operations see and write.
type group struct {
	*Store
	at     time.Time
	buf    []byte
	seq    int64
	kept   []kept
	wipes  []string // approvals that ended
	over   bool     // the file is long enough: begin the next one
	broken error    // the book is ahead of what can be written: nothing of the turn counts
	left   bool     // what could not be written, or kept, may stand in the file
}

// do runs fn in a turn of the lock.
func (s *Store) do(ctx context.Context, fn func(*group) error) error {
	o := s.newOp()
	defer s.put(o)
	o.fn = fn
	return s.submit(ctx, o)
}

func (s *Store) newOp() *op { return s.ops.Get().(*op) } //nolint:forcetypeassert // New makes them

func (s *Store) put(o *op) {
	*o = op{turn: o.turn}
	s.ops.Put(o)
}

// submit waits for its answer even when the caller goes away: what was admitted has to
// be known to somebody.
func (s *Store) submit(ctx context.Context, o *op) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.queue = append(s.queue, o)
	lead := !s.leading
	s.leading = true
	s.mu.Unlock()
	if lead || <-o.turn {
		s.lead(o)
	}
	return o.err
}

// lead runs one turn for everybody who waits, own among them, and hands over.
func (s *Store) lead(own *op) {
	s.mu.Lock()
	ops := s.queue
	s.queue = s.spare[:0]
	s.riding.takeFrom(&s.settled)
	s.mu.Unlock()

	s.run(ops)
	for i, o := range ops {
		if o != own {
			o.turn <- false
		}
		ops[i] = nil
	}
	if s.slow.Load() {
		time.Sleep(time.Duration(len(ops)) * slowCall)
	}

	s.mu.Lock()
	s.spare = ops[:0]
	var next *op
	if len(s.queue) > 0 {
		next = s.queue[0]
	} else {
		s.leading = false
		s.idle.Broadcast()
	}
	s.mu.Unlock()
	if next != nil {
		next.turn <- true
	}
}

// run is one turn: lock, read what others wrote, decide, write, unlock.
func (s *Store) run(ops []*op) {
	g, err := s.take()
	if err == nil {
		err = g.all(ops)
	}
	if err == nil {
		s.riding.clear()
		g.after()
		return
	}
	for _, o := range ops {
		switch {
		case o.settle != nil:
			s.riding.add(o.settle) // it is written as soon as that is possible
		case o.err == nil && o.reply.Admitted && g.left:
			// It may be in the file all the same, and nobody forwards the call.
			call := o.request.Call
			call.Phase, call.Settlement, call.Outcome = audit.PhaseOutcome, "rollback", "store_unavailable"
			s.riding.add(&enforce.Settlement{Call: call, Outcome: enforce.Rollback})
		}
		o.err, o.reply = err, enforce.Reply{Failed: -1}
	}
}

// take begins a turn.
func (s *Store) take() (*group, error) {
	if err := s.acquire(); err != nil {
		return nil, err
	}
	now := s.o.Now()
	if err := s.refresh(now); err != nil {
		s.forget()
		_ = filelock.Unlock(s.lock)
		return nil, s.pause(err)
	}
	return &group{Store: s, at: clockAt(now, s.st.book.Now()), seq: s.st.seq, buf: s.buf[:0]}, nil
}

// stillTime is how far the clock may go back before that is believed.
const stillTime = 5 * time.Minute

// clockAt is the time of a turn: it does not run backwards for a correction.
func clockAt(now, last time.Time) time.Time {
	now = unixTime(now.UnixNano())
	if now.Before(last) && last.Sub(now) <= stillTime {
		return last
	}
	return now
}

// acquire locks the directory. Others hold it for microseconds; one that was stopped
// while it held it must not stop everybody for ever.
func (s *Store) acquire() error {
	var since time.Time
	for i := 0; ; i++ {
		err := filelock.Try(s.lock)
		if err == nil {
			return nil
		}
		if !errors.Is(err, filelock.ErrBusy) {
			return fmt.Errorf("lock the gateway's journal: %w", err)
		}
		switch {
		case i == 0:
			since = time.Now()
		case time.Since(since) > s.patience:
			return fmt.Errorf("another process has kept the gateway's journal locked for %s", s.patience)
		}
		if i < 8 {
			runtime.Gosched()
		} else {
			time.Sleep(min(time.Duration(i)*5*time.Microsecond, time.Millisecond))
		}
	}
}

// reloadPause is how long a failure stands for itself before the next turn tries again:
// reading everything anew for every call that is denied would help nobody.
const reloadPause = 250 * time.Millisecond

func (s *Store) pause(err error) error {
	if err != s.why { //nolint:errorlint // the very error of this pause
		s.why, s.retry = err, time.Now().Add(reloadPause)
	}
	return err
}

// refresh brings the state up to what is written.
func (s *Store) refresh(now time.Time) error {
	if s.st != nil {
		return s.st.catchUp(now)
	}
	if s.why != nil && time.Now().Before(s.retry) {
		return s.why
	}
	if err := makeDirs(s.o.Dir); err != nil {
		return err
	}
	st, err := load(s.o.Dir, now, s.o.Log)
	if err == nil {
		err = st.catchUp(now)
	}
	if err != nil {
		return err
	}
	s.st, s.why = st, nil
	return nil
}

// all runs the operations of a turn, writes, and unlocks.
func (g *group) all(ops []*op) error {
	g.writeRiding()
	for _, o := range ops {
		if g.broken != nil {
			break
		}
		g.one(o)
	}
	err := g.broken
	if err == nil {
		err = g.flush()
	}
	s := g.Store
	if err == nil && g.over {
		if err := g.turnOver(); err != nil {
			s.o.Log.Warn("the gateway's journal could not begin a new file", "error", err)
		}
	}
	if unlock := filelock.Unlock(s.lock); unlock != nil {
		s.o.Log.Error("the gateway's journal can't be unlocked", "error", unlock)
	}
	if err == nil && len(g.buf) > 0 && s.o.Durability == PowerLoss && s.st.file != nil {
		// What others wrote before us, in the same file, is on the disk then, too.
		err = syncData(s.st.file)
		g.left = err != nil
	}
	if err != nil {
		s.forget() // the book may be ahead of the file
		s.failed = true
		return s.pause(fmt.Errorf("write the gateway's journal: %w", err))
	}
	return nil
}

// forget has the next turn read everything anew.
func (s *Store) forget() {
	if s.st != nil {
		s.st.close()
		s.st = nil
	}
}

func (g *group) one(o *op) {
	switch {
	case o.request != nil:
		o.reply, o.err = g.reserve(o.request)
	case o.settle != nil:
		o.err = g.settle(o.settle)
	case o.calls != nil:
		o.err = g.record(o.calls)
	default:
		o.err = o.fn(g)
	}
}

// emit begins a record; the body is appended to g.buf and finished with done.
func (g *group) emit(k kind) (start int) {
	g.seq++
	start = len(g.buf)
	g.st.book.Turn(g.at)
	g.buf = beginFrame(g.buf, g.seq, g.at.UnixNano(), k)
	return start
}

func (g *group) done(start int) {
	endFrame(g.buf, start)
	if len(g.buf)-start > longestRecord {
		g.broken = errTooLong
	}
}

// flush writes the records of the turn at the end of the file.
func (g *group) flush() error {
	if len(g.buf) == 0 {
		return nil
	}
	st := g.st
	n, err := g.write(st.file, g.buf, st.end)
	if err != nil {
		// Whatever was counted as written: a part may be there. Where it can't be cut off,
		// the next writer cuts off what is no record.
		g.left = st.file.Truncate(st.end) != nil
		return err
	}
	st.end += int64(n)
	st.seq = g.seq
	g.keep()
	return nil
}

// after is what a turn leaves to be done without the lock.
func (g *group) after() {
	s := g.Store
	s.seenGen.Store(s.st.header.Generation)
	s.seenEnd.Store(s.st.end)
	if len(g.buf) > 0 {
		s.failed = false
		if !s.fold.dirty.Swap(true) {
			select {
			case s.wake <- struct{}{}:
			default:
			}
		}
	}
	for _, id := range g.wipes {
		wipe(s.o.Dir, id)
	}
	if s.st.moves != s.moves {
		s.moves = s.st.moves
		s.announce()
	}
	if cap(g.buf) <= 1<<20 {
		s.buf = g.buf[:0]
	}
}

// announce tells those who wait that an approval changed.
func (s *Store) announce() {
	s.mu.Lock()
	close(s.changed)
	s.changed = make(chan struct{})
	s.mu.Unlock()
}
