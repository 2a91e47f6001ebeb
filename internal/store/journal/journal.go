package journal

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// Durability is what a decision survives once it was answered.
type Durability string

// The durabilities. The end of a process, kill -9 included, takes nothing with it under
// either. PowerLoss waits for the disk before every answer: some hundred microseconds on
// a good one, ten milliseconds on a bad one, shared by the calls that wait together.
const (
	Process   Durability = "process" // the default
	PowerLoss Durability = "power_loss"
)

// Options are what a store is opened with.
type Options struct {
	// Dir is the directory, made when it is not there.
	Dir string
	// Now is the clock; nil: time.Now.
	Now func() time.Time
	// Fold hands call records on to the audit log: those among the numbers from to to,
	// both included. It must store them and the position to in one transaction, and leave
	// out what the stored position says it has taken before; audit.ErrLeftOut says that it
	// lacks what came before from. audit.Log.AppendCalls does. The calls and their texts are
	// lent until it returns. nil: they stay in the journal.
	Fold       func(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error
	Durability Durability
	// KeepCalls is how long calls can be searched, 0: 90 days. KeepArguments is how long
	// their sealed arguments are kept, 0: 14 days.
	KeepCalls, KeepArguments time.Duration
	Log                      *slog.Logger // nil: nowhere
}

// Store is an enforce.Store over one directory.
type Store struct {
	o      Options
	id     uint64    // of this store among those that share the directory
	lock   *os.File  // of the directory
	st     *state    // nil: to be read anew. Held by who leads.
	proc   *os.File  // locked while this store lives; made with the first admission
	why    error     // of the turn that failed, until the next one is tried
	retry  time.Time // when that is
	failed bool      // the last write did

	mu      sync.Mutex // of what follows; never held during I/O
	queue   []*op
	spare   []*op
	leading bool
	idle    *sync.Cond // leading ended
	closing bool
	closed  bool
	settled pending // settlements that ride with the next write
	riding  pending // those that are being written
	armed   bool    // a timer will write them

	timer   *time.Timer
	changed chan struct{} // closed when an approval changed; replaced then

	seenGen   atomic.Int64 // the file as it was last read, for those who wait
	seenEnd   atomic.Int64
	behind    atomic.Bool // the audit log has not taken anything for too long
	slow      atomic.Bool // it takes less than there is
	fold      folder
	wake      chan struct{}   // the background has something to do
	ctx       context.Context // of the background
	cancel    context.CancelFunc
	stopped   sync.WaitGroup
	ops       sync.Pool
	buf       []byte
	said      enforce.Settlement                                // room for one that is written. Held by who leads
	moves     int                                               // of the state that was last announced
	write     func(f *os.File, b []byte, at int64) (int, error) // WriteAt outside tests
	read      func(path string) ([]byte, error)                 // ReadFile outside tests
	patience  time.Duration
	turnBytes int64
}

var _ enforce.Store = (*Store)(nil)

// errClosed is what a closed store answers.
var errClosed = errors.New("the store of the gateway is closed")

// The retentions where none is set.
const (
	defaultKeepCalls     = 90 * 24 * time.Hour
	defaultKeepArguments = 14 * 24 * time.Hour
)

// lockPatience is how long an operation waits for the other processes.
const lockPatience = 5 * time.Second

// Open opens a directory. It reads nothing yet: the first operation does.
func Open(_ context.Context, o Options) (*Store, error) {
	if o.Dir == "" {
		return nil, errors.New("the gateway's journal needs a directory")
	}
	if o.Durability != "" && o.Durability != Process && o.Durability != PowerLoss {
		return nil, errors.New("durability is process or power_loss")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.KeepCalls <= 0 {
		o.KeepCalls = defaultKeepCalls
	}
	if o.KeepArguments <= 0 {
		o.KeepArguments = defaultKeepArguments
	}
	if err := makeDirs(o.Dir); err != nil {
		return nil, err
	}
	lock, err := openFile(filepath.Join(o.Dir, lockFile))
	if err != nil {
		return nil, err
	}
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	s := &Store{
		o: o, lock: lock, id: max(1, binary.LittleEndian.Uint64(id[:])), changed: make(chan struct{}),
		wake: make(chan struct{}, 1), patience: lockPatience, turnBytes: turnBytes,
		write: new(quickWriter).writeAt, read: os.ReadFile,
	}
	s.idle = sync.NewCond(&s.mu)
	s.fold.progress = time.Now()
	s.ctx, s.cancel = context.WithCancel(context.Background())
	s.ops.New = func() any { return &op{turn: make(chan bool, 1)} }
	s.timer = time.AfterFunc(time.Hour, s.ride)
	s.timer.Stop()
	s.stopped.Go(s.background)
	return s, nil
}

// Close writes what was settled, hands on what this store recorded, and ends it. Calls
// that are still under way end ambiguous.
func (s *Store) Close() error {
	s.mu.Lock()
	if s.closing {
		s.mu.Unlock()
		return nil
	}
	s.closing = true
	s.mu.Unlock()
	s.cancel()
	s.stopped.Wait()
	s.timer.Stop()
	ctx, cancel := context.WithTimeout(context.Background(), closeFold)
	defer cancel()
	err := s.do(ctx, func(*group) error { return nil })
	if err == nil && s.fold.dirty.Load() {
		if err := s.foldNow(ctx, true); err != nil {
			s.o.Log.Warn("call records wait in the gateway's journal for the audit log", "error", err)
		}
	}
	s.mu.Lock()
	s.closed = true
	for s.leading {
		s.idle.Wait()
	}
	s.leading = true
	s.mu.Unlock()
	s.lead(nil) // what was settled meanwhile
	return errors.Join(err, s.release())
}

// closeFold is how long closing waits for the audit log.
const closeFold = 2 * time.Second

// release closes the files, as the end of the process would.
func (s *Store) release() error {
	s.forget()
	if s.proc != nil {
		_ = os.Remove(s.proc.Name())
		_ = s.proc.Close()
		s.proc = nil
	}
	return errors.Join(s.fold.close(), s.lock.Close())
}
