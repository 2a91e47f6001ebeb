package deliver_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/store/sqlite"
)

var start = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// bundle is a confirmed plan in a real ledger, with a destination that is a
// function and a clock that moves when somebody sleeps.
type bundle struct {
	t      *testing.T
	engine *deliver.Engine
	store  *sqlite.Store
	plan   *ledger.Plan

	ticking sync.Mutex // over now; the store asks for the time inside a transaction
	now     time.Time
	mu      sync.Mutex // over the rest: one answer at a time
	bodies  [][]byte
	answers func(n int, ids []string) (graph.Accepted, error)
}

// SendEvents implements deliver.Sender.
func (b *bundle) SendEvents(_ context.Context, _ string, body []byte) (graph.Accepted, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bodies = append(b.bodies, bytes.Clone(body))
	return b.answers(len(b.bodies), eventIDs(b.t, body))
}

func eventIDs(t *testing.T, body []byte) []string {
	t.Helper()
	var req struct {
		Data []struct {
			EventID string `json:"event_id"`
		} `json:"data"`
	}
	if err := json.Unmarshal(body, &req); err != nil {
		t.Errorf("the body is not JSON: %v", err)
	}
	var ids []string
	for _, e := range req.Data {
		ids = append(ids, e.EventID)
	}
	return ids
}

func accept(ids []string) (graph.Accepted, error) {
	return graph.Accepted{EventsReceived: len(ids), TraceID: fmt.Sprintf("A%d", len(ids))}, nil
}

func refuse(class graph.Class, code, subcode int) error {
	return &graph.Error{Class: class, Code: code, Subcode: subcode, HTTP: 400, Index: -1, TraceID: "Arefused"}
}

// setup lays n events of one action source into batches of size and confirms them.
func setup(t *testing.T, n, size int, source string, age time.Duration) *bundle {
	t.Helper()
	b := &bundle{t: t, now: start, answers: func(_ int, ids []string) (graph.Accepted, error) { return accept(ids) }}
	dir := t.TempDir()
	store, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), b.clock)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b.store = store
	key := secret.NewDataKey()
	events := seal(t, store, key, n, age)
	b.plan = &ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: start, ExpiresAt: start.Add(time.Hour), File: "plan.frozen", WrappedKey: key}
	run := &ledger.Run{ID: "run_1", State: ledger.RunSending, Fence: 1, Key: "k", Tag: "sluice:test", StartedAt: start}
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Plans().Create(ctx, b.plan); err != nil {
			return err
		}
		run.Plan = b.plan.No
		var batches []ledger.Batch
		for i := range events {
			events[i].Ref = ledger.RefOf(b.plan.No, i)
			if i%size == 0 {
				batches = append(batches, ledger.Batch{Plan: b.plan.No, No: i / size, First: i, Count: min(size, n-i), Class: "62d", State: ledger.Queued, Fence: 1})
			}
			if _, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: events[i].Key, Ref: events[i].Ref}}); err != nil {
				return err
			}
		}
		return errors.Join(tx.Events().Put(ctx, events), tx.Batches().Put(ctx, batches), tx.Runs().Create(ctx, run))
	})
	from, err := store.Payloads().Open(t.Context(), "plan.frozen")
	if err != nil {
		t.Fatal(err)
	}
	r, err := frozen.Open(from, key)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.Close() })
	b.engine = &deliver.Engine{
		Store: store, Sender: b, Payload: r, Plan: b.plan, Run: run, Concurrency: 1,
		Kinds: []ledger.Kind{{EventName: "Purchase", ActionSource: source}}, Files: []string{"orders.csv"},
		Now: b.clock,
		Sleep: func(ctx context.Context, d time.Duration) error {
			b.advance(d)
			return ctx.Err()
		},
	}
	return b
}

func seal(t *testing.T, store ledger.Store, key []byte, n int, age time.Duration) []ledger.Event {
	t.Helper()
	sealer, err := frozen.NewSealer(key)
	if err != nil {
		t.Fatal(err)
	}
	to, err := store.Payloads().Create(t.Context(), "plan.frozen")
	if err != nil {
		t.Fatal(err)
	}
	w, err := frozen.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	events := make([]ledger.Event, n)
	for i := range events {
		id := fmt.Sprintf("e%d", i)
		sealed := sealer.Seal(nil, uint64(i), []byte(fmt.Sprintf(`{"event_id":%q}`, id)))
		at, err := w.Append(sealed)
		if err != nil {
			t.Fatal(err)
		}
		events[i] = ledger.Event{Key: ledger.KeyOf("meta", "1", "Purchase", id), EventID: id, Time: start.Add(-age).Unix() + int64(i), Line: int64(i + 2), Offset: at, Length: len(sealed)}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return events
}

func (b *bundle) clock() time.Time {
	b.ticking.Lock()
	defer b.ticking.Unlock()
	return b.now
}

func (b *bundle) advance(d time.Duration) {
	b.ticking.Lock()
	defer b.ticking.Unlock()
	b.now = b.now.Add(d)
}

func (b *bundle) do(fn func(context.Context, ledger.Tx) error) {
	b.t.Helper()
	if err := b.store.Do(context.Background(), func(tx ledger.Tx) error { return fn(context.Background(), tx) }); err != nil {
		b.t.Fatal(err)
	}
}

// wants checks the states and that they add up.
func (b *bundle) wants(want map[ledger.State]int) {
	b.t.Helper()
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Events().Counts(ctx, b.plan.No)
		if !maps.Equal(got, want) {
			b.t.Errorf("states %v, want %v", got, want)
		}
		return err
	})
}

func (b *bundle) held(id string) bool {
	mine := false
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		found, err := tx.Claims().Find(ctx, []ledger.Key{ledger.KeyOf("meta", "1", "Purchase", id)})
		mine = len(found) == 1
		return err
	})
	return mine
}

func TestEverythingIsDeliveredInOrder(t *testing.T) {
	t.Parallel()
	b := setup(t, 25, 10, "physical_store", time.Hour)
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 25})
	if len(b.bodies) != 3 || eventIDs(t, b.bodies[0])[0] != "e0" || !bytes.Contains(b.bodies[0], []byte(`"upload_tag":"sluice:test"`)) {
		t.Errorf("%d requests, first %s", len(b.bodies), b.bodies[0])
	}
}

func TestBadEventsAreFoundInFewRequests(t *testing.T) {
	t.Parallel()
	b := setup(t, 1000, 1000, "physical_store", time.Hour)
	bad := map[string]bool{"e3": true, "e500": true, "e997": true}
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		for _, id := range ids {
			if bad[id] {
				return graph.Accepted{}, refuse(graph.Content, 100, 2804019)
			}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 997, ledger.Rejected: 3})
	if most := 2 * 3 * 11; len(b.bodies) > most {
		t.Errorf("%d requests, want at most %d", len(b.bodies), most)
	}
	if b.held("e500") || !b.held("e501") {
		t.Error("a rejected event must give its key back, a delivered one must keep it")
	}
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		var lines []int64
		err := tx.Rejects().Each(ctx, ledger.RejectFilter{Plan: b.plan.No}, func(r *ledger.Reject) error {
			lines = append(lines, r.Line)
			if r.Meta.Subcode != 2804019 || r.File != "orders.csv" {
				t.Errorf("reject %+v", r)
			}
			return nil
		})
		if len(lines) != 3 {
			t.Errorf("rejects at lines %v", lines)
		}
		return err
	})
}

func TestANamedEventIsTakenOutFirst(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 100, "physical_store", time.Hour)
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 1 {
			return graph.Accepted{}, &graph.Error{Class: graph.Content, Code: 100, Subcode: 2804019, Index: 42}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 99, ledger.Rejected: 1})
	if len(b.bodies) != 2 || b.held("e42") {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestABatchThatIsBadThroughoutIsGivenUpEarly(t *testing.T) {
	t.Parallel()
	b := setup(t, 1000, 1000, "physical_store", time.Hour)
	b.answers = func(int, []string) (graph.Accepted, error) {
		return graph.Accepted{}, refuse(graph.Content, 100, 2804050)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Rejected: 1000})
	if len(b.bodies) > 201 {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestARunThatIsRefusedThroughoutStopsEarly(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 10, "physical_store", time.Hour)
	b.answers = func(int, []string) (graph.Accepted, error) {
		return graph.Accepted{}, refuse(graph.Content, 100, 2804050)
	}
	if err := b.engine.Send(t.Context()); fault.CodeOf(err) != fault.DestinationRejected {
		t.Fatalf("got %v, want %s", err, fault.DestinationRejected)
	}
	b.wants(map[ledger.State]int{ledger.Rejected: 20, ledger.Queued: 80})
}

func TestSilenceStopsTheRunButOneSilentBatchDoesNot(t *testing.T) {
	t.Parallel()
	b := setup(t, 100, 10, "physical_store", time.Hour)
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		if ids[0] == "e10" {
			return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0)
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 90, ledger.Unknown: 10})

	b = setup(t, 100, 10, "physical_store", time.Hour)
	b.answers = func(int, []string) (graph.Accepted, error) { return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0) }
	if err := b.engine.Send(t.Context()); fault.CodeOf(err) != fault.OutcomeUnknown {
		t.Fatalf("got %v, want %s", err, fault.OutcomeUnknown)
	}
	b.wants(map[ledger.State]int{ledger.Unknown: 30, ledger.Queued: 70})
}

func TestARequestUnderWayIsFinishedWhenTheRunIsStopped(t *testing.T) {
	t.Parallel()
	b := setup(t, 30, 10, "physical_store", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	b.engine.Sender = senderFunc(func(ctx context.Context, body []byte) (graph.Accepted, error) {
		cancel()
		if err := ctx.Err(); err != nil {
			return graph.Accepted{}, err
		}
		return accept(eventIDs(t, body))
	})
	if err := b.engine.Send(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 10, ledger.Queued: 20})
}

type senderFunc func(context.Context, []byte) (graph.Accepted, error)

func (f senderFunc) SendEvents(ctx context.Context, _ string, body []byte) (graph.Accepted, error) {
	return f(ctx, body)
}

func TestWaitingForATurnLeavesNoAttempt(t *testing.T) {
	t.Parallel()
	b := setup(t, 30, 10, "physical_store", time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	b.engine.Concurrency = 3
	b.answers = func(int, []string) (graph.Accepted, error) {
		cancel() // everybody else is waiting, or about to
		return graph.Accepted{}, &graph.Error{Class: graph.Throttle, HTTP: 400, Code: 80004, Index: -1, RetryAfter: time.Hour}
	}
	if err := b.engine.Send(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want cancelled", err)
	}
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		counts, err := tx.Events().Counts(ctx, b.plan.No)
		if counts[ledger.InFlight] != 0 || counts[ledger.Unknown] != 0 {
			t.Errorf("states %v", counts)
		}
		return err
	})
}

func TestTooOldAtMetaIsExpiredNotRejected(t *testing.T) {
	t.Parallel()
	b := setup(t, 1, 1, "physical_store", time.Hour)
	b.answers = func(int, []string) (graph.Accepted, error) {
		return graph.Accepted{}, refuse(graph.Content, 100, 2804003)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Expired: 1})
}

func TestALostAnswerIsRepeatedWithTheSameBytes(t *testing.T) {
	t.Parallel()
	tests := map[string]func(ids []string) (graph.Accepted, error){
		"connection lost": func([]string) (graph.Accepted, error) { return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0) },
		"one short":       func(ids []string) (graph.Accepted, error) { return graph.Accepted{EventsReceived: len(ids) - 1}, nil },
		"one too many":    func(ids []string) (graph.Accepted, error) { return graph.Accepted{EventsReceived: len(ids) + 1}, nil },
	}
	for name, first := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 10, 10, "website", time.Hour)
			b.answers = func(n int, ids []string) (graph.Accepted, error) {
				if n == 1 {
					return first(ids)
				}
				return accept(ids)
			}
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.wants(map[ledger.State]int{ledger.Delivered: 10})
			if len(b.bodies) != 2 || !bytes.Equal(b.bodies[0], b.bodies[1]) {
				t.Errorf("%d requests, equal: %v", len(b.bodies), bytes.Equal(b.bodies[0], b.bodies[len(b.bodies)-1]))
			}
		})
	}
}

func TestBeyondTheGuardWindowOnlyAPersonDecides(t *testing.T) {
	t.Parallel()
	for source, tt := range map[string]struct {
		wait   time.Duration
		repeat bool
	}{
		"website":            {23 * time.Hour, true},
		"phone_call":         {25 * time.Hour, false},
		"physical_store":     {83 * time.Hour, true},
		"business_messaging": {0, false},
	} {
		t.Run(source, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 5, 5, source, time.Minute)
			b.answers = func(int, []string) (graph.Accepted, error) { return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0) }
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.wants(map[ledger.State]int{ledger.Unknown: 5})
			sent := len(b.bodies)
			b.advance(tt.wait)
			b.answers = func(_ int, ids []string) (graph.Accepted, error) { return accept(ids) }
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			if tt.repeat {
				b.wants(map[ledger.State]int{ledger.Delivered: 5})
			} else {
				b.wants(map[ledger.State]int{ledger.Unknown: 5})
				if len(b.bodies) != sent {
					t.Error("events were sent again outside the guard window")
				}
			}
		})
	}
}

func TestARefusalAfterALostAnswerProvesNothing(t *testing.T) {
	t.Parallel()
	b := setup(t, 2, 2, "website", time.Hour)
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 1 {
			return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0)
		}
		for _, id := range ids {
			if id == "e1" {
				return graph.Accepted{}, refuse(graph.Content, 100, 2804019)
			}
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Delivered: 1, ledger.Unknown: 1})
	if !b.held("e1") {
		t.Error("an event that may have arrived gave its key back")
	}
}

func TestAPartThatMayHaveArrivedDoesNotExpire(t *testing.T) {
	t.Parallel()
	// The window closes, less the margin, while the second request waits in vain.
	b := setup(t, 4, 4, "website", 7*24*time.Hour-30*time.Minute-10*time.Second)
	b.answers = func(n int, _ []string) (graph.Accepted, error) {
		if n == 1 {
			return graph.Accepted{}, refuse(graph.Content, 100, 2804019)
		}
		b.advance(30 * time.Second)
		return graph.Accepted{}, refuse(graph.Ambiguous, 0, 0)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Unknown: 4})
	if !b.held("e0") {
		t.Error("an event that may have arrived gave its key back")
	}
}

func TestStopsAreTypedAndResumable(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		code fault.Code
		left ledger.State
		most int // requests before the stop
	}{
		"dead token":      {refuse(graph.Auth, 190, 463), fault.ConnectorExpired, ledger.Queued, 1},
		"unknown dataset": {refuse(graph.Config, 100, 33), fault.ConnectionInactive, ledger.Queued, 1},
		"policy block":    {refuse(graph.Blocked, 368, 0), fault.DestinationRejected, ledger.Queued, 1},
		"nobody there":    {refuse(graph.NotSent, 0, 0), fault.DestinationUnreached, ledger.RetryWait, 6},
		"throttled":       {refuse(graph.Throttle, 80004, 0), fault.RateLimited, ledger.RetryWait, 6},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := setup(t, 20, 10, "physical_store", time.Hour)
			b.answers = func(n int, ids []string) (graph.Accepted, error) {
				if n == 1 {
					return accept(ids)
				}
				return graph.Accepted{}, tt.err
			}
			if err := b.engine.Send(t.Context()); fault.CodeOf(err) != tt.code {
				t.Fatalf("got %v, want %s", err, tt.code)
			}
			if len(b.bodies) > 1+tt.most {
				t.Errorf("%d requests after the first", len(b.bodies)-1)
			}
			b.wants(map[ledger.State]int{ledger.Delivered: 10, tt.left: 10})
			b.answers = func(_ int, ids []string) (graph.Accepted, error) { return accept(ids) }
			if err := b.engine.Send(t.Context()); err != nil {
				t.Fatal(err)
			}
			b.wants(map[ledger.State]int{ledger.Delivered: 20})
		})
	}
}

func TestRetryAfterIsHonoured(t *testing.T) {
	t.Parallel()
	b := setup(t, 1, 1, "physical_store", time.Hour)
	var again time.Time
	b.answers = func(n int, ids []string) (graph.Accepted, error) {
		if n == 1 {
			return graph.Accepted{}, &graph.Error{Class: graph.Throttle, HTTP: 429, Index: -1, RetryAfter: 7 * time.Second}
		}
		again = b.clock()
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	if again.Sub(start) < 7*time.Second {
		t.Errorf("sent again after %v", again.Sub(start))
	}
}

func TestEventsThatLeaveTheirWindowAreNotSent(t *testing.T) {
	t.Parallel()
	// Seven days less ten minutes: inside Meta's window, inside our margin.
	b := setup(t, 3, 3, "website", 7*24*time.Hour-10*time.Minute)
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Expired: 3})
	if len(b.bodies) != 0 || b.held("e0") {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestAnOpenAttemptOfADeadProcessIsUnknown(t *testing.T) {
	t.Parallel()
	b := setup(t, 4, 4, "physical_store", time.Hour)
	b.do(func(ctx context.Context, tx ledger.Tx) error {
		batch, err := tx.Batches().Get(ctx, b.plan.No, 0)
		if err != nil {
			return err
		}
		batch.State, batch.FirstAttempt, batch.Attempts = ledger.InFlight, start.Add(-4*24*time.Hour), 1
		if err := tx.Batches().Move(ctx, batch, ledger.Queued, 1); err != nil {
			return err
		}
		return tx.Runs().Begin(ctx, &ledger.Attempt{Run: "run_1", Plan: b.plan.No, To: 4, Count: 4, Digest: []byte("d"), StartedAt: start.Add(-4 * 24 * time.Hour)})
	})
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Unknown: 4}) // the guard window has closed
	if len(b.bodies) != 0 {
		t.Errorf("%d requests", len(b.bodies))
	}
}

func TestAnOldOwnerCanNotWrite(t *testing.T) {
	t.Parallel()
	b := setup(t, 2, 2, "physical_store", time.Hour)
	b.answers = func(_ int, ids []string) (graph.Accepted, error) {
		// While the bytes are on the wire, somebody else takes the run over.
		err := b.store.Do(context.Background(), func(tx ledger.Tx) error {
			_, err := tx.Batches().MoveAll(context.Background(), b.plan.No, ledger.InFlight, ledger.Unknown, 2)
			return err
		})
		if err != nil {
			t.Error(err)
		}
		return accept(ids)
	}
	if err := b.engine.Send(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.wants(map[ledger.State]int{ledger.Unknown: 2})
	if len(b.bodies) != 1 {
		t.Errorf("%d requests", len(b.bodies))
	}
}
