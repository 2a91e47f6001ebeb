package deliver

import (
	"bytes"
	"context"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
)

// shipment is one batch on its way.
type shipment struct {
	*Engine
	batch  ledger.Batch
	events []ledger.Event // those that follow the batch's state
	req    request
	// doubtful: an earlier attempt may have been processed, so nothing that a later
	// answer says about these events is the whole truth.
	doubtful bool
}

func (s *shipment) reset(e *Engine, b ledger.Batch) {
	s.Engine, s.batch = e, b
	s.doubtful = b.State == ledger.Unknown
}

// ship sends the batch until it is final, the run has to stop, or its tries are
// used up.
func (s *shipment) ship(ctx context.Context) error {
	if wait := s.batch.NextAt.Sub(s.Now()); wait > 0 { // what a stopped run was told to wait
		if err := s.Sleep(ctx, wait); err != nil {
			return err
		}
	}
	for try := 1; ; try++ {
		failure, err := s.once(ctx)
		if err != nil || failure == nil {
			return err
		}
		switch failure.Class {
		case graph.Auth, graph.Config, graph.Blocked:
			return stop(failure)
		case graph.Throttle:
			s.gate.throttled(s.batch.NextAt)
		}
		if try >= maxTries {
			// One batch that never gets an answer must not keep the others back; several
			// in a row mean that nobody answers.
			if failure.Class == graph.Ambiguous && s.exhausted.Add(1) < maxExhausted {
				return nil
			}
			return stop(failure)
		}
		if err := s.Sleep(ctx, s.batch.NextAt.Sub(s.Now())); err != nil {
			return err
		}
	}
}

// once makes one try: it waits for its turn, judges every event by the clock of
// that moment, and sends. It returns nil, nil when nothing is left to try.
func (s *shipment) once(ctx context.Context) (*graph.Error, error) {
	if err := s.turn(ctx); err != nil {
		return nil, err
	}
	answered := false
	defer func() { s.gate.leave(answered) }()
	if err := s.load(ctx); err != nil {
		return nil, err
	}
	if len(s.events) == 0 {
		return nil, s.settle(ctx, ledger.Delivered, nil)
	}
	if s.doubtful && !s.mayRepeat() {
		return nil, nil // stays unknown: only a person decides beyond the guard window
	}
	failure, err := s.attempt(ctx)
	if err != nil || failure == nil {
		answered = err == nil
		s.exhausted.Store(0)
		s.refused.Store(0)
		return nil, err
	}
	if failure.Class == graph.Content {
		if failure, err = s.split(ctx, failure); err != nil || failure == nil {
			return nil, err
		}
		// Before anything is judged by the clock again: a part may have arrived, and
		// what may have arrived neither expires nor gives its key back.
		s.doubtful = s.doubtful || failure.Class == graph.Ambiguous
		if err := s.load(ctx); err != nil { // what the parts that went through left
			return nil, err
		}
	}
	return failure, s.park(ctx, failure)
}

// turn waits until this worker may send. No attempt is written before: what waits
// has provably not been sent.
func (s *shipment) turn(ctx context.Context) error {
	if err := s.gate.enter(ctx, s.Now, s.Sleep); err != nil {
		return err
	}
	if s.Limiter != nil {
		if err := s.Limiter.Wait(ctx); err != nil {
			s.gate.leave(false)
			return err
		}
	}
	return nil
}

// load reads the batch's events and takes out those whose window has closed.
func (s *shipment) load(ctx context.Context) error {
	s.events = s.events[:0]
	var late []ledger.Event
	now := s.Now()
	err := s.Store.View(ctx, func(tx ledger.Tx) error {
		return tx.Events().Range(ctx, s.Plan.No, s.batch.First, s.batch.First+s.batch.Count, func(e *ledger.Event) error {
			switch {
			case e.State != "":
			case now.Sub(time.Unix(e.Time, 0)) > capi.Window(s.source(e), s.Window)-sendMargin:
				late = append(late, *e)
			default:
				s.events = append(s.events, *e)
			}
			return nil
		})
	})
	if err != nil || len(late) == 0 {
		return err
	}
	state, code := ledger.Expired, "too_old"
	if s.doubtful {
		state, code = ledger.Unknown, "window_closed"
	}
	return s.setApart(ctx, late, state, code, nil, nil)
}

func (s *shipment) source(e *ledger.Event) capi.ActionSource {
	return capi.ActionSource(s.Kinds[e.Kind].ActionSource)
}

// mayRepeat reports whether Meta's deduplication still absorbs a repeat of every
// event of the batch.
func (s *shipment) mayRepeat() bool {
	age := s.Now().Sub(s.batch.FirstAttempt)
	for i := range s.events {
		if window := guardWindow(s.source(&s.events[i])); window == 0 || age >= window {
			return false
		}
	}
	return true
}

// attempt sends the whole batch once. It returns nil, nil when it was delivered,
// the API's failure when it was not, and an error when the ledger can't be used.
func (s *shipment) attempt(ctx context.Context) (*graph.Error, error) {
	if err := s.req.fill(s.Payload, s.events, s.Run.Tag); err != nil {
		return nil, damaged(err)
	}
	a := s.newAttempt(s.events)
	from, fence := s.batch.State, s.batch.Fence
	s.batch.State, s.batch.Fence = ledger.InFlight, s.Run.Fence
	s.batch.Attempts++
	if s.batch.FirstAttempt.IsZero() {
		s.batch.FirstAttempt = s.Now()
	}
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Batches().Move(ctx, &s.batch, from, fence); err != nil {
			return err
		}
		return tx.Runs().Begin(ctx, a)
	})
	if err != nil {
		return nil, err
	}
	s.report(map[ledger.State]int{from: -len(s.events), ledger.InFlight: len(s.events)})
	failure, err := s.post(ctx, a)
	if err != nil || failure != nil {
		return failure, err
	}
	return nil, s.settle(ctx, ledger.Delivered, a)
}

func (s *shipment) newAttempt(events []ledger.Event) *ledger.Attempt {
	return &ledger.Attempt{
		Run: s.Run.ID, Plan: s.Plan.No, Batch: s.batch.No, From: events[0].Ref.Ord(), To: events[len(events)-1].Ref.Ord() + 1,
		Count: len(events), Fence: s.Run.Fence, Digest: s.req.digest(), StartedAt: s.Now(),
	}
}

// post puts the prepared body on the wire and reads the answer into the attempt.
// A failed attempt is booked here; a delivered one together with its events.
func (s *shipment) post(ctx context.Context, a *ledger.Attempt) (*graph.Error, error) {
	// A request under way is finished even when the run is told to stop: giving it up
	// would only turn an answer into a doubt. The client's own timeout bounds it.
	accepted, err := s.Sender.SendEvents(context.WithoutCancel(ctx), s.Plan.Dataset, s.req.body)
	a.EndedAt, a.TraceID, a.Received = s.Now(), accepted.TraceID, accepted.EventsReceived
	if err == nil && accepted.EventsReceived == a.Count {
		a.Result, a.HTTP = string(ledger.Delivered), 200
		return nil, nil
	}
	failure := &graph.Error{Class: graph.Ambiguous, HTTP: 200, Index: -1, TraceID: accepted.TraceID, Message: "Meta acknowledged another number of events than were sent"}
	if err != nil {
		failure = asGraph(err)
	}
	a.HTTP, a.Code, a.Subcode, a.TraceID = failure.HTTP, failure.Code, failure.Subcode, failure.TraceID
	switch failure.Class {
	case graph.Ambiguous:
		a.Result = string(ledger.Unknown)
	case graph.Content:
		a.Result = "refused"
	default:
		a.Result = "retry"
	}
	// The answer is booked even when the caller has gone: it is what is known.
	ctx = context.WithoutCancel(ctx)
	return failure, s.Store.Do(ctx, func(tx ledger.Tx) error { return tx.Runs().End(ctx, a) })
}

// settle moves the whole batch, together with the answer that caused it.
func (s *shipment) settle(ctx context.Context, to ledger.State, a *ledger.Attempt) error {
	from, fence := s.batch.State, s.batch.Fence
	if len(s.events) > 0 && !ledger.CanMove(from, to) {
		return fault.New(fault.Internal, "a batch can't go from %s to %s", from, to)
	}
	s.batch.State, s.batch.Fence = to, s.Run.Fence
	ctx = context.WithoutCancel(ctx)
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		if a != nil {
			if err := tx.Runs().End(ctx, a); err != nil {
				return err
			}
		}
		return tx.Batches().Move(ctx, &s.batch, from, fence)
	})
	if err == nil {
		s.report(map[ledger.State]int{from: -len(s.events), to: len(s.events)})
	}
	return err
}

// park books a failure that leaves the batch to be sent again.
func (s *shipment) park(ctx context.Context, failure *graph.Error) error {
	var to ledger.State
	switch {
	case failure.Class == graph.Ambiguous:
		to, s.doubtful = ledger.Unknown, true
	case s.doubtful:
		to = ledger.Unknown
	default:
		to, s.batch.FirstAttempt = ledger.RetryWait, time.Time{}
	}
	wait := backoff(s.batch.Attempts - 1)
	if failure.Class == graph.Throttle {
		wait = max(failure.RetryAfter, time.Second)
		if failure.RetryAfter == 0 {
			wait = throttleFloor + backoff(s.batch.Attempts-1)
		}
	}
	s.batch.NextAt = s.Now().Add(wait)
	return s.settle(ctx, to, nil)
}

// setApart gives events a state of their own, with the answer that caused it and
// the rows that list them; those that never reached Meta give their key back.
func (s *shipment) setApart(ctx context.Context, events []ledger.Event, state ledger.State, code string, a *ledger.Attempt, listed []ledger.Reject) error {
	ctx = context.WithoutCancel(ctx)
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Rejects().Put(ctx, listed); err != nil {
			return err
		}
		if a != nil {
			if err := tx.Runs().End(ctx, a); err != nil {
				return err
			}
		}
		refs, claims := make([]ledger.EventRef, len(events)), make([]ledger.Claim, len(events))
		for i := range events {
			e := &events[i]
			refs[i], claims[i] = e.Ref, ledger.Claim{Key: e.Key, Ref: e.Ref}
		}
		if err := tx.Events().Set(ctx, refs, state, code); err != nil {
			return err
		}
		if state != ledger.Rejected && state != ledger.Expired {
			return nil
		}
		slices.SortFunc(claims, func(a, b ledger.Claim) int { return bytes.Compare(a.Key[:], b.Key[:]) })
		return tx.Claims().Release(ctx, claims)
	})
	if err == nil {
		s.report(map[ledger.State]int{s.batch.State: -len(events), state: len(events)})
	}
	return err
}

func damaged(err error) error {
	return fault.New(fault.StoreUnavailable, "the plan's payload can't be read").
		WithFix("restore the state directory's `plans` folder from a backup, or preview again").Wrap(err)
}
