package journal

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/enforce/enforcetest"
)

// sink is an audit log as Fold sees one: it keeps its position, and takes nothing twice.
type sink struct {
	mu     sync.Mutex
	done   map[string]int64
	bodies [][]byte
	calls  []audit.TimedCall
	fail   error
}

func (l *sink) fold(_ context.Context, source string, from, to int64, calls []audit.TimedCall) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return l.fail
	}
	if l.done == nil {
		l.done = map[string]int64{}
	}
	if from > to || len(calls) == 0 || calls[0].Seq < from || calls[len(calls)-1].Seq > to {
		return fmt.Errorf("calls outside of %d…%d", from, to)
	}
	for _, c := range calls {
		if c.Seq > l.done[source] {
			l.bodies = append(l.bodies, audit.AppendCall(nil, "st_1/gateway", int64(len(l.bodies)+1), c.At, &c.Call))
			kept, err := callOf(appendCall(nil, &c.Call)) // its texts are lent
			if err != nil {
				return err
			}
			c.Call = kept
			l.calls = append(l.calls, c)
		}
	}
	l.done[source] = max(l.done[source], to)
	return nil
}

func (l *sink) list() []audit.TimedCall {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls)
}

// die ends a store as the end of its process would: locks and files are free, and nothing
// is tidied up.
func (s *Store) die() {
	s.cancel()
	s.stopped.Wait()
	s.timer.Stop()
	s.mu.Lock()
	s.closed, s.closing = true, true
	s.mu.Unlock()
	if s.proc != nil {
		_ = s.proc.Close()
		s.proc = nil
	}
	_ = s.release()
}

func open(t testing.TB, o Options) *Store {
	t.Helper()
	s, err := Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for _, d := range []Durability{Process, PowerLoss} {
		t.Run(string(d), func(t *testing.T) {
			t.Parallel()
			enforcetest.Run(t, func(t testing.TB, now func() time.Time) enforcetest.Installation {
				dir, log := t.TempDir(), &sink{}
				return enforcetest.Installation{
					Open: func(t testing.TB) enforce.Store {
						s, err := Open(t.Context(), Options{Dir: dir, Now: now, Fold: log.fold, Durability: d})
						if err != nil {
							t.Fatal(err)
						}
						return s
					},
					Kill: func(_ testing.TB, s enforce.Store) { s.(*Store).die() },
					Log: func(testing.TB) [][]byte {
						log.mu.Lock()
						defer log.mu.Unlock()
						return slices.Clone(log.bodies)
					},
				}
			})
		})
	}
}
