package deliver

import (
	"bytes"
	"context"
	"slices"
	"time"

	"sluice/capi"
	"sluice/internal/crash"
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
	// most bounds the events of a trial, 0 is no bound; part says that the request
	// holds fewer events than the batch, and sent how many were taken from it.
	most, sent int
	part       bool
	until      deadline      // of the attempt under way
	wait       time.Duration // until the next try
}

func (s *shipment) reset(e *Engine, b ledger.Batch) {
	s.Engine, s.batch = e, b
	s.doubtful = b.State == ledger.Unknown
	s.most, s.sent, s.part = 0, 0, false
}

// ship sends the batch until it is final, the run has to stop, or its tries are
// used up. While it waits for the next try it keeps its place: when nobody answers,
// only a few batches learn it.
func (s *shipment) ship(ctx context.Context) error {
	for try := 1; ; try++ {
		failure, err := s.once(ctx)
		if err != nil || failure == nil {
			return err
		}
		switch failure.Class {
		case graph.Auth, graph.Config, graph.Blocked:
			return stop(failure)
		case graph.Throttle:
			s.gate.throttled(s.Now().Add(s.wait))
		}
		if s.doubtful && s.Hold {
			return s.leave(ctx)
		}
		if try >= maxTries {
			// One batch that never gets an answer must not keep the others back; several
			// in a row mean that nobody answers.
			if failure.Class == graph.Ambiguous && s.exhausted.Add(1) < maxExhausted {
				return nil
			}
			return stop(failure)
		}
		if err := s.Sleep(ctx, s.wait); err != nil {
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
		return nil, s.leave(ctx) // only a person decides now
	}
	s.cut()
	trial := s.part
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
		if trial && failure.Class == graph.Ambiguous {
			return failure, s.unanswered(ctx)
		}
		// Before anything is judged by the clock again: a part may have arrived, and
		// what may have arrived neither expires nor gives its key back.
		s.doubtful = s.doubtful || failure.Class == graph.Ambiguous
		if err := s.load(ctx); err != nil { // what the parts that went through left
			return nil, err
		}
	}
	if trial && failure.Class == graph.Ambiguous {
		return failure, s.unanswered(ctx)
	}
	return failure, s.park(ctx, failure)
}

// cut takes the first events of the batch for a trial. What may have arrived is
// repeated as it was.
func (s *shipment) cut() {
	s.sent = len(s.events)
	if s.most > 0 && s.most < len(s.events) && !s.doubtful {
		s.events, s.part, s.sent = s.events[:s.most], true, s.most
	}
}

// leave keeps an unknown batch for a person.
func (s *shipment) leave(ctx context.Context) error {
	s.sent, s.wait = len(s.events), 0
	s.batch.NextAt = ledger.Never
	return s.settle(ctx, ledger.Unknown, nil)
}

// turn waits until this worker may send. No attempt is written before: what waits
// has provably not been sent.
func (s *shipment) turn(ctx context.Context) error {
	for {
		if err := s.gate.enter(ctx, s.Now, s.Sleep); err != nil {
			return err
		}
		rest := s.Hosts.wait(s.Plan.Realm, s.Now())
		if rest <= 0 {
			break
		}
		s.gate.leave(false)
		if err := s.Sleep(ctx, rest); err != nil {
			return err
		}
	}
	if s.Limiter != nil {
		if err := s.Limiter.Wait(ctx); err != nil {
			s.gate.leave(false)
			return err
		}
	}
	return nil
}

// load reads the batch's events and takes out those that can't be sent any more:
// their window has closed, or they were tried in vain for too long.
func (s *shipment) load(ctx context.Context) error {
	s.events, s.part = s.events[:0], false
	var closed, late []ledger.Event
	now := s.Now()
	tried := s.batch.State == ledger.RetryWait && !s.doubtful && !s.batch.FirstAttempt.IsZero()
	giveUp := tried && now.Sub(s.batch.FirstAttempt) >= patience
	err := s.Store.View(ctx, func(tx ledger.Tx) error {
		return tx.Events().Range(ctx, s.Plan.No, s.batch.First, s.batch.First+s.batch.Count, func(e *ledger.Event) error {
			age, window := now.Sub(time.Unix(e.Time, 0)), capi.Window(s.source(e), s.Window)
			switch {
			case e.State != "":
			case age > window || (age > window-sendMargin && !tried):
				closed = append(closed, *e)
			case age > window-sendMargin || giveUp:
				late = append(late, *e)
			default:
				s.events = append(s.events, *e)
			}
			return nil
		})
	})
	if err != nil {
		return err
	}
	if len(late) > 0 { // tried, and provably never arrived
		listed := s.list(late, "gave_up", "every try was refused for the time being, until it was too late; preview the row again", nil)
		if err := s.setApart(ctx, late, ledger.Rejected, "gave_up", nil, listed); err != nil {
			return err
		}
	}
	if len(closed) == 0 {
		return nil
	}
	state, code := ledger.Expired, "too_old"
	if s.doubtful {
		state, code = ledger.Unknown, "window_closed"
	}
	return s.setApart(ctx, closed, state, code, nil, nil)
}

func (s *shipment) source(e *ledger.Event) capi.ActionSource {
	return capi.ActionSource(s.Kinds[e.Kind].ActionSource)
}

// mayRepeat reports whether Meta's deduplication still absorbs a repeat of every
// event of the batch, and the profile leaves that to us. A batch that a person has
// released has no first attempt any more.
func (s *shipment) mayRepeat() bool {
	if s.batch.FirstAttempt.IsZero() {
		return true
	}
	age := s.Now().Sub(s.batch.FirstAttempt)
	for i := range s.events {
		if window := guardWindow(s.source(&s.events[i])); s.Hold || window == 0 || age >= window {
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
	from := s.batch.State
	s.batch.Attempts++
	if s.batch.FirstAttempt.IsZero() {
		s.batch.FirstAttempt = s.Now()
	}
	a, err := s.open(ctx, from)
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

// open commits the attempt of the request that was filled, and takes the batch for
// the time of one request.
func (s *shipment) open(ctx context.Context, from ledger.State) (*ledger.Attempt, error) {
	a := &ledger.Attempt{
		Run: s.Run.ID, Plan: s.Plan.No, Batch: s.batch.No, Fence: s.batch.Fence, Digest: s.req.digest(), StartedAt: s.Now(),
		From: s.req.events[0].Ref.Ord(), To: s.req.events[len(s.req.events)-1].Ref.Ord() + 1, Count: len(s.req.events),
	}
	// Our own time begins before the store's, so it ends before the store's as well.
	s.until, s.wait = deadline{from: s.Now(), lease: s.Lease}, 0
	s.batch.State, s.batch.NextAt, s.batch.Owner = ledger.InFlight, time.Time{}, s.owner
	return a, s.Store.Do(ctx, func(tx ledger.Tx) error {
		s.batch.LeaseUntil = tx.Now().Add(s.Lease)
		if err := tx.Batches().Move(ctx, &s.batch, from, s.batch.Fence); err != nil {
			return err
		}
		return tx.Runs().Begin(ctx, a)
	})
}

// post puts the prepared body on the wire and reads the answer into the attempt.
// A failed attempt is booked here; a delivered one together with its events.
func (s *shipment) post(ctx context.Context, a *ledger.Attempt) (*graph.Error, error) {
	crash.Point("C3")
	failure, accepted := s.exchange(ctx, a)
	crash.Point("C5")
	a.EndedAt, a.TraceID, a.Received = s.Now(), accepted.TraceID, accepted.EventsReceived
	if failure == nil && accepted.EventsReceived == a.Count {
		a.Result, a.HTTP = string(ledger.Delivered), 200
		return nil, nil
	}
	short := failure == nil
	if short {
		failure = &graph.Error{Class: graph.Ambiguous, HTTP: 200, Index: -1, TraceID: accepted.TraceID, Message: "Meta acknowledged another number of events than were sent"}
		s.Log.Warn("Meta acknowledged another number of events than were sent; all of them are unknown",
			"plan", s.Plan.ID, "batch", s.batch.No, "sent", a.Count, "received", accepted.EventsReceived, "fbtrace_id", accepted.TraceID)
	}
	a.HTTP, a.Code, a.Subcode, a.TraceID = failure.HTTP, failure.Code, failure.Subcode, failure.TraceID
	switch failure.Class {
	case graph.Ambiguous:
		a.Result = string(ledger.Unknown)
		if !s.doubtful {
			s.batch.FirstAttempt = a.StartedAt // the guard window counts from here
		}
	case graph.Content:
		a.Result = "refused"
	default:
		a.Result = "retry"
	}
	// The answer is booked even when the caller has gone: it is what is known.
	ctx = context.WithoutCancel(ctx)
	return failure, s.Store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Batches().Move(ctx, &s.batch, ledger.InFlight, s.batch.Fence); err != nil {
			return err
		}
		if short && s.Alert != nil {
			if err := s.Alert(ctx, tx, a); err != nil {
				return err
			}
		}
		return tx.Runs().End(ctx, a)
	})
}

// exchange sends the body, unless the time for it is over.
func (s *shipment) exchange(ctx context.Context, a *ledger.Attempt) (*graph.Error, graph.Accepted) {
	if !s.until.mayBegin(s.Now()) {
		return &graph.Error{Class: graph.NotSent, Index: -1, Message: "this worker was held up for longer than its lease allows, and sent nothing"}, graph.Accepted{}
	}
	// A request under way is finished even when the run is told to stop: giving it up
	// would only turn an answer into a doubt. The client's own timeout bounds it, and
	// so does the lease: after a pause no further piece of the body leaves.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.until.left(s.Now()))
	defer cancel()
	ctx = graph.WithGuard(ctx, func() bool { return s.until.left(s.Now()) > 0 })
	accepted, err := s.Sender.SendEvents(ctx, s.Plan.Dataset, s.req.body)
	if err == nil {
		s.Hosts.note(s.Plan.Realm, true, s.Now())
		return nil, accepted
	}
	failure := asGraph(err)
	s.Hosts.note(s.Plan.Realm, failure.HTTP != 0 || failure.Code != 0, s.Now())
	return failure, accepted
}

// settle moves the whole batch, together with the answer that caused it, and lets
// go of it.
func (s *shipment) settle(ctx context.Context, to ledger.State, a *ledger.Attempt) error {
	if s.part && to == ledger.Delivered {
		return s.handBack(ctx, a)
	}
	from := s.batch.State
	if len(s.events) > 0 && from != to && !ledger.CanMove(from, to) && !(ledger.CanMove(from, ledger.RetryWait) && ledger.CanMove(ledger.RetryWait, to)) {
		return fault.New(fault.Internal, "a batch can't go from %s to %s", from, to)
	}
	s.batch.State, s.batch.LeaseUntil = to, time.Time{}
	ctx = context.WithoutCancel(ctx)
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		if s.wait > 0 {
			s.batch.NextAt = tx.Now().Add(s.wait)
		}
		if err := tx.Batches().Move(ctx, &s.batch, from, s.batch.Fence); err != nil {
			return err
		}
		if a != nil {
			return tx.Runs().End(ctx, a)
		}
		return nil
	})
	if err == nil {
		s.report(map[ledger.State]int{from: -len(s.events), to: len(s.events)})
	}
	return err
}

// codeTrial marks events of a trial whose answer was lost.
const codeTrial = "trial_unanswered"

// unanswered books the events of a trial's last request as unknown. The rest of
// their batch was never sent and must not share the doubt.
func (s *shipment) unanswered(ctx context.Context) error {
	s.events = s.req.events
	return s.apart(ctx, nil, ledger.Unknown, codeTrial)
}

// handBack books a trial's events as delivered and returns the rest of their batch
// to the queue, as it was before.
func (s *shipment) handBack(ctx context.Context, a *ledger.Attempt) error {
	return s.apart(ctx, a, ledger.Delivered, "")
}

// apart gives the events of a trial a state of their own, and its batch back.
func (s *shipment) apart(ctx context.Context, a *ledger.Attempt, to ledger.State, code string) error {
	from := s.batch.State
	s.batch.State, s.batch.LeaseUntil, s.batch.Owner, s.batch.FirstAttempt = ledger.Queued, time.Time{}, "", time.Time{}
	refs, _ := refsOf(s.events)
	ctx = context.WithoutCancel(ctx)
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Batches().Move(ctx, &s.batch, from, s.batch.Fence); err != nil {
			return err
		}
		if a != nil {
			if err := tx.Runs().End(ctx, a); err != nil {
				return err
			}
		}
		return tx.Events().Set(ctx, refs, to, code)
	})
	if err == nil {
		s.report(map[ledger.State]int{from: -len(s.events), to: len(s.events)})
	}
	return err
}

// park books a failure that leaves the batch to be sent again: what may have arrived
// as unknown, what provably did not as waiting. A refusal that a person has to mend
// takes nothing from the time a batch has.
func (s *shipment) park(ctx context.Context, failure *graph.Error) error {
	to := ledger.RetryWait
	switch {
	case failure.Class == graph.Ambiguous:
		to, s.doubtful = ledger.Unknown, true
	case s.doubtful:
		to = ledger.Unknown
	case failure.Class == graph.Auth || failure.Class == graph.Config || failure.Class == graph.Blocked:
		s.batch.FirstAttempt = time.Time{}
		return s.settle(ctx, ledger.Queued, nil)
	}
	s.wait = backoff(s.batch.Attempts - 1)
	if failure.Class == graph.Throttle {
		s.wait = min(max(failure.RetryAfter, time.Second), ledger.MaxWait)
		if failure.RetryAfter == 0 {
			s.wait = throttleFloor + backoff(s.batch.Attempts-1)
		}
	}
	return s.settle(ctx, to, nil)
}

// setApart gives events a state of their own, with the answer that caused it and
// the rows that list them; those that never reached Meta give their key back.
func (s *shipment) setApart(ctx context.Context, events []ledger.Event, state ledger.State, code string, a *ledger.Attempt, listed []ledger.Reject) error {
	ctx = context.WithoutCancel(ctx)
	err := s.Store.Do(ctx, func(tx ledger.Tx) error {
		// First of all the proof that the batch is still ours.
		if err := tx.Batches().Move(ctx, &s.batch, s.batch.State, s.batch.Fence); err != nil {
			return err
		}
		if err := tx.Rejects().Put(ctx, listed); err != nil {
			return err
		}
		if a != nil {
			if err := tx.Runs().End(ctx, a); err != nil {
				return err
			}
		}
		refs, claims := refsOf(events)
		if err := tx.Events().Set(ctx, refs, state, code); err != nil {
			return err
		}
		if state != ledger.Rejected && state != ledger.Expired {
			return nil
		}
		return tx.Claims().Release(ctx, claims)
	})
	if err == nil {
		s.report(map[ledger.State]int{s.batch.State: -len(events), state: len(events)})
	}
	return err
}

// refsOf names events and their claims, the latter in key order.
func refsOf(events []ledger.Event) ([]ledger.EventRef, []ledger.Claim) {
	refs, claims := make([]ledger.EventRef, len(events)), make([]ledger.Claim, len(events))
	for i := range events {
		e := &events[i]
		refs[i], claims[i] = e.Ref, ledger.Claim{Key: e.Key, Ref: e.Ref}
	}
	slices.SortFunc(claims, func(a, b ledger.Claim) int { return bytes.Compare(a.Key[:], b.Key[:]) })
	return refs, claims
}

func damaged(err error) error {
	return fault.New(fault.StoreUnavailable, "the plan's payload can't be read").
		WithFix("restore the state directory's `plans` folder from a backup, or preview again").Wrap(err)
}
