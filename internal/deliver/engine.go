package deliver

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ids"
	"sluice/internal/ledger"
)

// Sender is the destination.
type Sender interface {
	SendEvents(ctx context.Context, dataset string, body []byte) (graph.Accepted, error)
}

// Engine sends the batches of one run, beside other engines where the store is
// shared. The fields up to Sleep are required.
type Engine struct {
	Store       ledger.Store
	Sender      Sender
	Payload     *frozen.Reader
	Plan        *ledger.Plan
	Run         *ledger.Run
	Kinds       []ledger.Kind
	Files       []string
	Window      capi.OfflineWindow
	Concurrency int
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error

	Limiter *rate.Limiter // requests per second; nil: no limit
	// Lease is how long a batch is a worker's own; LeaseTime when zero. A request
	// begins in its first half or not at all.
	Lease time.Duration
	// Exclusive says that nobody else works on this run now: what earlier owners
	// held is free at once.
	Exclusive bool
	// Hold keeps what may have arrived for a person to decide about, instead of
	// sending it again inside the guard window.
	Hold bool
	// First makes the oldest First events travel alone, before anything else. Only
	// stops after them.
	First int
	Only  bool
	// Hosts pauses a destination to which no connection can be made; nil: never.
	Hosts *Hosts
	// Alert is called, inside the transaction that books the attempt, when Meta
	// acknowledged another number of events than were sent.
	Alert    func(ctx context.Context, tx ledger.Tx, a *ledger.Attempt) error
	Progress func(map[ledger.State]int)
	Log      *slog.Logger

	owner     string
	tried     bool // the trial is over
	gate      *gate
	exhausted atomic.Int32 // batches in a row that got no answer
	refused   atomic.Int32 // batches in a row that were refused for the most part
	mu        sync.Mutex   // guards tally; never held across a call
	tally     map[ledger.State]int
}

// LeaseTime is how long a batch is a worker's own: a request may begin in the first
// half, and the client's timeout of 30 s is the other.
const LeaseTime = 60 * time.Second

// ErrEnded says that the run was stopped, paused or finished by somebody else.
var ErrEnded = errors.New("the run was ended elsewhere")

// Send works through the batches of the run until none is left that it may send. It
// returns nil when nothing is left to do but what waits for a person or was tried in
// vain, ErrEnded when another worker or a person ended the run, and a typed fault when
// it can't go on: what was not sent keeps its state, and the next Send goes on from
// there. An engine that sends again remembers how often it got no answer.
func (e *Engine) Send(ctx context.Context) (err error) {
	if e.Lease == 0 {
		e.Lease = LeaseTime
	}
	if e.Log == nil {
		e.Log = slog.New(slog.DiscardHandler)
	}
	e.owner = ids.New("wk", e.Now())
	e.gate = newGate(e.Concurrency)
	if err := e.begin(ctx); err != nil {
		return err
	}
	defer func() {
		// What this worker leaves is for whoever comes next, at once.
		ctx := context.WithoutCancel(ctx)
		free := e.Store.Do(ctx, func(tx ledger.Tx) error { return tx.Batches().Release(ctx, e.Plan.No, e.owner) })
		if err == nil {
			err = free
		}
	}()
	if e.First > 0 && (e.Only || !e.tried) {
		if err := e.trial(ctx); err != nil || e.Only {
			return err
		}
		e.tried = true
	}
	for again := true; again; {
		if err := e.round(ctx); err != nil {
			return err
		}
		if again, err = e.more(ctx); err != nil {
			return err
		}
	}
	return nil
}

// round hands out batches to the senders until there is nothing more to hand out, and
// waits for the last of them.
func (e *Engine) round(ctx context.Context) error {
	queue := make(chan ledger.Batch)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(queue)
		return e.dispatch(ctx, queue)
	})
	for range e.Concurrency {
		g.Go(func() error {
			var s shipment
			for b := range queue {
				s.reset(e, b)
				err := s.ship(ctx)
				if errors.Is(err, ledger.ErrLost) {
					// Somebody else has it now, with everything that is known of it.
					e.Log.Info("a batch was taken over by another worker", "plan", e.Plan.ID, "batch", b.No)
					err = e.recount(ctx)
				}
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// begin counts, and frees what a dead owner held where the lock proves it dead.
func (e *Engine) begin(ctx context.Context) error {
	if e.Exclusive {
		err := e.Store.Do(ctx, func(tx ledger.Tx) error { return tx.Batches().Release(ctx, e.Plan.No, "") })
		if err != nil {
			return err
		}
	}
	return e.recount(ctx)
}

// recount reads the counts anew, as others may have moved batches, and checks that
// no event of the plan is missing or counted twice.
func (e *Engine) recount(ctx context.Context) error {
	var counts map[ledger.State]int
	err := e.Store.View(ctx, func(tx ledger.Tx) (err error) {
		counts, err = tx.Events().Counts(ctx, e.Plan.No)
		return err
	})
	if err != nil {
		return err
	}
	total := 0
	for _, n := range counts {
		total += n
	}
	if e.Plan.Events > 0 && total != e.Plan.Events {
		return fault.New(fault.Internal, "the ledger holds %d events of a plan of %d", total, e.Plan.Events)
	}
	e.mu.Lock()
	e.tally = counts
	e.mu.Unlock()
	e.report(nil)
	return nil
}

// report applies a change to the running counts and passes them on.
func (e *Engine) report(change map[ledger.State]int) {
	e.mu.Lock()
	for s, n := range change {
		e.tally[s] += n
	}
	counts := make(map[ledger.State]int, len(e.tally))
	for s, n := range e.tally {
		if n > 0 {
			counts[s] = n
		}
	}
	e.mu.Unlock()
	if e.Progress != nil {
		e.Progress(counts)
	}
}
