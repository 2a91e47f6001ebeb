package deliver_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// shared is the same ledger as a store of several machines would be: no lock says
// who lives.
type shared struct{ ledger.Store }

func (shared) Shared() bool { return true }

// twin is another worker on the same run.
func (b *bundle) twin() *deliver.Engine {
	e := &deliver.Engine{
		Store: b.engine.Store, Sender: b, Payload: b.engine.Payload, Plan: b.plan, Run: b.engine.Run, Kinds: b.engine.Kinds,
		Files: b.engine.Files, Concurrency: 1, Now: b.engine.Now, Sleep: b.engine.Sleep,
	}
	return e
}

func share(b *bundle) *bundle {
	b.engine.Store = shared{b.store}
	return b
}

func TestTwoWorkersShareARunAndSendEverythingOnce(t *testing.T) {
	t.Parallel()
	b := share(setup(t, 400, 10, "physical_store", time.Hour))
	seen := map[string]int{}
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		for _, id := range ids {
			seen[id]++
		}
		return accept(ids)
	}
	var wg sync.WaitGroup
	for _, e := range []*deliver.Engine{b.engine, b.twin(), b.twin()} {
		wg.Go(func() {
			if err := e.Send(context.Background()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	b.wants(map[ledger.State]int{ledger.Delivered: 400})
	for id, n := range seen {
		if n != 1 {
			t.Errorf("%s was sent %d times", id, n)
		}
	}
}

func TestAWorkerThatSleptBeyondItsLeaseTouchesNothing(t *testing.T) {
	t.Parallel()
	for name, hold := range map[string]bool{"resend": false, "hold": true} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := share(setup(t, 10, 10, "physical_store", time.Hour))
			b.engine.Hold = hold
			other := b.twin()
			other.Hold = hold
			b.answers = func(n int, ids []string) (graph.Accepted, error) {
				if n > 1 {
					return accept(ids)
				}
				// The first worker is paused with its bytes on the wire; the lease runs out
				// and somebody else looks after the batch.
				b.advance(deliver.LeaseTime + time.Second)
				b.mu.Unlock()
				err := other.Send(context.Background())
				b.mu.Lock()
				if err != nil {
					t.Error(err)
				}
				return accept(ids)
			}
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			if hold {
				b.wants(map[ledger.State]int{ledger.Unknown: 10})
				if len(b.bodies) != 1 {
					t.Errorf("%d requests", len(b.bodies))
				}
				return
			}
			b.wants(map[ledger.State]int{ledger.Delivered: 10})
			if len(b.bodies) != 2 || !bytes.Equal(b.bodies[0], b.bodies[1]) {
				t.Errorf("%d requests", len(b.bodies))
			}
		})
	}
}

// A worker whose last batch was taken over stays until it is known what became of it:
// were it to leave, the run would be ended under the other's hands.
func TestAWorkerWaitsForABatchItLost(t *testing.T) {
	t.Parallel()
	b := share(setup(t, 10, 10, "physical_store", time.Hour))
	other := b.twin()
	taken, waits, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		b.mu.Unlock()
		defer b.mu.Lock()
		if n == 1 {
			b.advance(deliver.LeaseTime + time.Second)
			go func() {
				defer close(done)
				if err := other.Send(context.Background()); err != nil {
					t.Error(err)
				}
			}()
			<-taken
			return accept(ids)
		}
		close(taken)
		<-waits
		return accept(ids)
	}
	var once sync.Once
	b.engine.Sleep = func(context.Context, time.Duration) error {
		once.Do(func() { close(waits) })
		<-done
		return nil
	}
	err := b.engine.Send(t.Context())
	stayed := true
	once.Do(func() { close(waits); stayed = false })
	<-done
	if err != nil || !stayed {
		t.Fatalf("it left before the other was through: %v", err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 10})
}

// slowStore holds the worker up between its attempt and its first byte.
type slowStore struct {
	ledger.Store
	after func()
}

func (s slowStore) Do(ctx context.Context, fn func(ledger.Tx) error) error {
	err := s.Store.Do(ctx, fn)
	s.after()
	return err
}

func TestAWorkerThatWasHeldUpBeforeTheFirstByteSendsNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 10, "physical_store", time.Hour)
	var held atomic.Bool
	b.engine.Store = slowStore{b.store, func() {
		var batch *ledger.Batch
		_ = b.store.View(context.Background(), func(tx ledger.Tx) (err error) {
			batch, err = tx.Batches().Get(context.Background(), b.plan.No, 0)
			return err
		})
		if batch.State == ledger.InFlight && held.CompareAndSwap(false, true) {
			b.advance(deliver.LeaseTime/2 + time.Second)
		}
	}}
	sentAt := time.Time{}
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		sentAt = b.clock()
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(b.bodies) != 1 || sentAt.Sub(start) <= deliver.LeaseTime/2 || !held.Load() {
		t.Errorf("%d requests, the first after %v", len(b.bodies), sentAt.Sub(start))
	}
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		var results []string
		err := tx.Runs().Attempts(ctx, "run_1", func(a *ledger.Attempt) error {
			results = append(results, a.Result)
			return nil
		})
		if fmt.Sprint(results) != "[retry delivered]" {
			t.Errorf("attempts %v", results)
		}
		return err
	})
}

func TestAProfileThatHoldsNeverResends(t *testing.T) {
	t.Parallel()
	b := setup(t, 30, 10, "physical_store", time.Hour)
	b.engine.Hold = true
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 2 {
			return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0)
		}
		return accept(ids)
	}
	for range 2 {
		if err := b.engine.Send(t.Context()); err != nil {
			t.Fatal(err)
		}
		b.wants(map[ledger.State]int{ledger.Delivered: 20, ledger.Unknown: 10})
	}
	if len(b.bodies) != 3 {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestWhatNeverArrivedIsGivenUpAfterADay(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		age  time.Duration // of the events
		wait time.Duration // until the second look
		want map[ledger.State]int
	}{
		"inside a day":            {time.Hour, 23 * time.Hour, map[ledger.State]int{ledger.Delivered: 10}},
		"after a day":             {time.Hour, 24 * time.Hour, map[ledger.State]int{ledger.Rejected: 10}},
		"the window ends earlier": {7*24*time.Hour - 2*time.Hour, 100 * time.Minute, map[ledger.State]int{ledger.Rejected: 10}},
		"the window has ended":    {7*24*time.Hour - 2*time.Hour, 3 * time.Hour, map[ledger.State]int{ledger.Expired: 10}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 10, 10, "website", tt.age)
			b.answers = func(int, []string) (graph.Accepted, error) { return graph.Accepted{}, refuse(graph.Transient, 2, 0) }
			if err := b.engine.Send(t.Context()); fault.CodeOf(err) != fault.DestinationUnreached {
				t.Fatalf("got %v", err)
			}
			b.wants(map[ledger.State]int{ledger.RetryWait: 10})
			b.advance(start.Add(tt.wait).Sub(b.clock()))
			b.answers = func(_ int, ids []string) (graph.Accepted, error) { return accept(ids) }
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.wants(tt.want)
			if b.held("e0") != (tt.want[ledger.Delivered] > 0) {
				t.Error("what is given up gives its key back, what was delivered keeps it")
			}
		})
	}
}

func TestATrialGoesAloneAndFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, 40, 10, "physical_store", time.Hour)
	b.engine.First, b.engine.Only = 4, true
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 4, ledger.Queued: 36})
	if len(b.bodies) != 1 || len(eventIDs(t, b.bodies[0])) != 4 {
		t.Errorf("%d requests", len(b.bodies))
	}
	// Interrupted and repeated, it does not send four more.
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 4, ledger.Queued: 36})
	b.engine.First, b.engine.Only = 0, false
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 40})
}

func TestATrialThatFailsStopsTheRun(t *testing.T) {
	t.Parallel()
	b := setup(t, 40, 10, "physical_store", time.Hour)
	b.engine.First = 15
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 2 {
			return graph.Accepted{}, refuse(graph.NotSent, 0, 0)
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); fault.CodeOf(err) != fault.DestinationUnreached {
		t.Fatalf("got %v", err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 10, ledger.RetryWait: 10, ledger.Queued: 20})
	if len(b.bodies) != 2 || len(eventIDs(t, b.bodies[1])) != 5 {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestATrialFindsTheBadEventInsideIt(t *testing.T) {
	t.Parallel()
	b := setup(t, 20, 10, "physical_store", time.Hour)
	b.engine.First = 4
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		for _, id := range ids {
			if id == "e2" {
				return graph.Accepted{}, refuse(graph.Content, 100, 2804019)
			}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 19, ledger.Rejected: 1})
}

func TestADestinationThatCanNotBeReachedIsLeftAlone(t *testing.T) {
	t.Parallel()
	b := setup(t, 10, 10, "physical_store", time.Hour)
	b.engine.Hosts = deliver.NewHosts()
	var at []time.Time
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		at = append(at, b.clock())
		if n <= 5 {
			return graph.Accepted{}, refuse2(graph.NotSent)
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(at) != 6 || at[5].Sub(at[4]) < 30*time.Second {
		t.Errorf("tries at %v", at)
	}
}

func refuse2(class graph.Class) error { return &graph.Error{Class: class, Index: -1} }

func TestAClockThatIsPutBackStallsNobody(t *testing.T) {
	t.Parallel()
	b := share(setup(t, 10, 10, "physical_store", time.Hour))
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 1 { // throttled for a minute, then the clock goes back an hour
			b.advance(-time.Hour)
			return graph.Accepted{}, &graph.Error{Class: graph.Throttle, HTTP: 429, Index: -1, RetryAfter: time.Minute}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 10})
	if took := b.clock().Sub(start.Add(-time.Hour)); took > 2*time.Minute {
		t.Errorf("it waited %v", took)
	}

	// A worker dies with a batch, and then the clock goes back: another one has it
	// after the time of a lease, not after an hour.
	b = share(setup(t, 10, 10, "physical_store", time.Hour))
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		list, err := tx.Batches().Lease(ctx, b.plan.No, "dead", deliver.LeaseTime, 1)
		if err != nil || len(list) != 1 {
			t.Fatalf("lease: %v %v", list, err)
		}
		return nil
	})
	b.advance(-time.Hour)
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 10})
	if took := b.clock().Sub(start.Add(-time.Hour)); took > 2*deliver.LeaseTime {
		t.Errorf("it waited %v", took)
	}
}

func TestARunThatIsEndedElsewhereIsLeft(t *testing.T) {
	t.Parallel()
	b := share(setup(t, 100, 10, "physical_store", time.Hour))
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 2 {
			run := *b.engine.Run
			run.State = ledger.RunStopped
			err := b.store.Do(context.Background(), func(tx ledger.Tx) error { return tx.Runs().Move(context.Background(), &run, run.Fence) })
			if err != nil {
				t.Error(err)
			}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); !errors.Is(err, deliver.ErrEnded) {
		t.Fatalf("got %v, want ErrEnded", err)
	}
	if n := len(b.bodies); n > 3 {
		t.Errorf("%d requests", n)
	}
}
