package enforcetest

import (
	"errors"
	"slices"
	"sync"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

func testRollback(b *bundle) {
	s, other := b.open(), b.open()
	one, two := limit("one", time.Minute, 1), limit("two", time.Hour, 5)
	for range 5 {
		c := b.admitted(s, one, chargeOf(two).amount(4*whole))
		b.denied(other, 0, one)
		b.settle(s, c, enforce.Rollback)
		for _, from := range []enforce.Store{s, other} {
			b.wantUsed(from, one, 0)
			b.wantUsed(from, two, 0)
		}
	}
	b.admitted(other, one, chargeOf(two).amount(5*whole))
}

func testSettledOnce(b *bundle) {
	s := b.open()
	c := limit("calls", time.Minute, 5)
	first, second := b.admitted(s, c), b.admitted(s, c)
	b.settle(s, first, enforce.Rollback)
	b.settle(s, first, enforce.Rollback)
	b.settle(s, first, enforce.Commit)
	b.settle(s, first, enforce.Ambiguous)
	b.wantUsed(s, c, whole)
	b.settle(s, second, enforce.Commit)
	b.settle(s, second, enforce.Rollback)
	b.wantUsed(s, c, whole)
	for id, want := range map[string]string{first.Request: "rollback", second.Request: "commit"} {
		var outcomes []string
		for _, r := range b.records(s, id) {
			if r.Phase == audit.PhaseOutcome {
				outcomes = append(outcomes, r.Settlement)
			}
		}
		if !slices.Equal(outcomes, []string{want}) {
			b.Errorf("outcomes recorded: %v, want %s once", outcomes, want)
		}
	}
	if open, err := s.Ambiguous(b.Context(), 10); err != nil || len(open) != 0 {
		b.Errorf("settled calls are listed: %v %v", open, err)
	}
	// What was never admitted has nothing to give back.
	b.settle(s, b.call(), enforce.Rollback)
	b.wantUsed(s, c, whole)
}

func testSettleRace(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	c := limit("calls", time.Minute, 100)
	b.admitted(stores[0], c)
	for range 10 {
		call := b.admitted(stores[0], c)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if err := stores[i%2].Settle(b.Context(), &enforce.Settlement{Call: ended(call, enforce.Rollback), Outcome: enforce.Rollback}); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		b.wantUsed(stores[1], c, whole)
	}
}

func (b *bundle) ambiguous(s enforce.Store) []enforce.Reservation {
	b.Helper()
	list, err := s.Ambiguous(b.Context(), 100)
	if err != nil {
		b.Fatalf("ambiguous: %v", err)
	}
	return list
}

func testAmbiguous(b *bundle) {
	s, other := b.open(), b.open()
	c := limit("calls", time.Hour, 2)
	open := b.admitted(s, c)
	at := b.clock.Now()
	lost := b.admitted(s, c)
	b.settle(s, lost, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.wantUsed(other, c, 2*whole)
	b.denied(other, 0, c)
	list := b.ambiguous(other)
	if len(list) != 1 || list[0].Request != lost.Request || list[0].Grant != grant || list[0].Server != server || list[0].Tool != tool ||
		!list[0].At.Equal(at) || !slices.Equal(list[0].Rules, []string{c.Rule}) {
		b.Errorf("listed: %+v", list)
	}
	b.settle(s, open, enforce.Commit)
	b.clock.advance(time.Second)
	next := b.admitted(s)
	b.settle(s, next, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if list := b.ambiguous(other); len(list) != 2 || list[0].Request != next.Request {
		b.Errorf("not newest first: %+v", list)
	}
	if list, err := other.Ambiguous(b.Context(), 1); err != nil || len(list) != 1 {
		b.Errorf("%d listed, want 1: %v", len(list), err)
	}
}

func testReleasedOnce(b *bundle) {
	s, other := b.open(), b.open()
	c, day := limit("minute", time.Minute, 5), limit("day", 24*time.Hour, 5)
	b.admitted(s, c, day)
	lost, open := b.admitted(s, c, day), b.admitted(s)
	b.settle(s, lost, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.clock.advance(time.Minute)
	b.admitted(s, c, day)
	if err := other.Release(b.Context(), open.Request, "mem_1", "still running"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an open call was released: %v", err)
	}
	if err := other.Release(b.Context(), "call_unknown", "mem_1", "typo"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an unknown call was released: %v", err)
	}
	var won int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, from := range []enforce.Store{s, other, s, other} {
		wg.Go(func() {
			err := from.Release(b.Context(), lost.Request, "mem_1", "it was never sent")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, enforce.ErrNotFound):
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		b.Errorf("released %d times", won)
	}
	b.wantUsed(s, c, whole) // only the call of this minute
	b.wantUsed(s, day, 2*whole)
	if list := b.ambiguous(s); len(list) != 0 {
		b.Errorf("still listed: %+v", list)
	}
	got := b.records(other, lost.Request)
	if len(got) != 3 {
		b.Errorf("recorded as %+v, want decision, outcome and release", got)
	}
}

func testKilled(b *bundle) {
	if b.in.Kill == nil {
		b.Skip("a process can't be killed here; the store has a test of its own with real ones")
	}
	s, dead := b.open(), b.in.Open(b.T)
	c := limit("calls", 24*time.Hour, 3)
	alive, lost := b.admitted(s, c), b.admitted(dead, c)
	b.in.Kill(b.T, dead)
	b.clock.advance(time.Minute)
	b.eventually("the dead process's call is ambiguous", func() bool { return len(b.ambiguous(s)) > 0 })
	list := b.ambiguous(s)
	if len(list) != 1 || list[0].Request != lost.Request {
		b.Errorf("listed: %+v", list)
	}
	b.wantUsed(s, c, 2*whole)
	b.settle(s, alive, enforce.Rollback)
	b.wantUsed(s, c, whole)
	another := b.open()
	b.ambiguous(another)
	var outcomes []string
	for _, r := range b.records(s, lost.Request) {
		if r.Phase == audit.PhaseOutcome {
			outcomes = append(outcomes, r.Settlement)
		}
	}
	if !slices.Equal(outcomes, []string{"ambiguous"}) {
		b.Errorf("outcomes recorded: %v, want one", outcomes)
	}
	if err := s.Release(b.Context(), lost.Request, "mem_1", "looked"); err != nil {
		b.Error(err)
	}
	b.wantUsed(s, c, 0)
}
