package deliver

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// Sender is the destination.
type Sender interface {
	SendEvents(ctx context.Context, dataset string, body []byte) (graph.Accepted, error)
}

// Engine sends one run. Every field but Progress is required.
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
	Limiter     *rate.Limiter // requests per second; nil: no limit
	Now         func() time.Time
	Sleep       func(context.Context, time.Duration) error
	Progress    func(map[ledger.State]int)

	gate      *gate
	exhausted atomic.Int32 // batches in a row that got no answer
	refused   atomic.Int32 // batches in a row that were refused for the most part
	mu        sync.Mutex   // guards tally; never held across a call
	tally     map[ledger.State]int
}

// Send works through every batch of the run that is not final. It returns nil when
// nothing is left to do, and a typed fault when the run stopped early: what was not
// sent keeps its state, and the next Send goes on from there.
func (e *Engine) Send(ctx context.Context) error {
	batches, err := e.begin(ctx)
	if err != nil {
		return err
	}
	e.gate = newGate(e.Concurrency)
	queue := make(chan ledger.Batch)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		defer close(queue)
		for _, b := range batches {
			select {
			case queue <- b:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	})
	for range e.Concurrency {
		g.Go(func() error {
			var s shipment
			for b := range queue {
				s.reset(e, b)
				if err := s.ship(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	}
	return g.Wait()
}

// begin books attempts that a dead process left open as "may have been processed"
// and returns the batches that are not final, oldest first.
func (e *Engine) begin(ctx context.Context) ([]ledger.Batch, error) {
	var todo []ledger.Batch
	err := e.Store.Do(ctx, func(tx ledger.Tx) error {
		var open []ledger.Attempt
		doubtful := map[int]bool{} // batches of which an attempt may have been processed
		err := tx.Runs().Attempts(ctx, e.Run.ID, func(a *ledger.Attempt) error {
			if a.EndedAt.IsZero() {
				open = append(open, *a)
			}
			doubtful[a.Batch] = doubtful[a.Batch] || a.EndedAt.IsZero() || a.Result == string(ledger.Unknown)
			return nil
		})
		if err != nil {
			return err
		}
		for i := range open {
			open[i].EndedAt, open[i].Result = e.Now(), string(ledger.Unknown)
			if err := tx.Runs().End(ctx, &open[i]); err != nil {
				return err
			}
		}
		batches, err := tx.Batches().List(ctx, e.Plan.No)
		if err != nil {
			return err
		}
		for _, b := range batches {
			if b.State.Terminal() {
				continue
			}
			from, fence := b.State, b.Fence
			if b.Fence = e.Run.Fence; b.State == ledger.InFlight {
				// The owner died between an attempt and its answer, or inside a split
				// whose every part had been refused.
				if b.State = ledger.Unknown; !doubtful[b.No] {
					b.State, b.FirstAttempt = ledger.RetryWait, time.Time{}
				}
			}
			if err := tx.Batches().Move(ctx, &b, from, fence); err != nil {
				return err
			}
			todo = append(todo, b)
		}
		e.tally, err = tx.Events().Counts(ctx, e.Plan.No)
		return err
	})
	e.report(nil)
	return todo, err
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

// stop turns the end of a run into a typed fault.
func stop(err *graph.Error) *fault.Error {
	var f *fault.Error
	switch err.Class {
	case graph.Auth:
		f = fault.New(fault.ConnectorExpired, "Meta refuses the access token (%v)", err)
	case graph.Config:
		f = fault.New(fault.ConnectionInactive, "the dataset can't be used with this token (%v)", err)
	case graph.Blocked:
		f = fault.New(fault.DestinationRejected, "Meta has blocked this app or account for a policy violation (%v)", err).
			WithFix("stop every send to this dataset and look at Account Quality in Business settings")
	case graph.NotSent:
		f = fault.New(fault.DestinationUnreached, "the Graph API can't be reached: %v", err)
	case graph.Throttle:
		f = fault.New(fault.RateLimited, "Meta keeps refusing calls for their rate (%v)", err)
		f.RetryAfter = int(err.RetryAfter / time.Second)
	case graph.Transient:
		f = fault.New(fault.DestinationUnreached, "Meta keeps answering with a passing error (%v)", err).WithFix("confirm again later, it resumes")
	case graph.Ambiguous:
		f = fault.New(fault.OutcomeUnknown, "requests were sent but no answer was read (%v)", err)
	default:
		f = fault.New(fault.DestinationRejected, "Meta refuses the request (%v)", err)
	}
	if err.Code != 0 {
		f.With("graph_code", err.Code).With("graph_subcode", err.Subcode)
	}
	if err.TraceID != "" {
		f.With("fbtrace_id", err.TraceID)
	}
	return f.Wrap(err)
}

// asGraph makes every failure of a Sender a graph.Error; what is not one proves
// nothing.
func asGraph(err error) *graph.Error {
	var e *graph.Error
	if errors.As(err, &e) {
		return e
	}
	return &graph.Error{Class: graph.Ambiguous, Index: -1, Message: "the request failed"}
}

// Stopped is the typed fault of a failed read: nothing was sent, whatever the
// answer was.
func Stopped(err error) error {
	e := asGraph(err)
	if e.Class == graph.Ambiguous || e.Class == graph.Content {
		return fault.New(fault.DestinationUnreached, "the Graph API gave no usable answer: %v", e).Wrap(err)
	}
	return stop(e)
}
