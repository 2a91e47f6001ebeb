package enforcetest

import (
	"time"

	"sluice/internal/enforce"
)

func testBoundary(b *bundle) {
	s := b.open()
	for i, c := range []enforce.Charge{limit("day", 24*time.Hour, 1), limit("hour", time.Hour, 1), limit("minute", time.Minute, 1)} {
		day := time.Date(2026, 11, 28+i, 23, 59, 59, 0, time.UTC) // the last of a month among them
		b.clock.set(day)
		b.admitted(s, c)
		b.denied(s, 0, c)
		b.clock.set(day.Add(time.Second - time.Nanosecond))
		b.denied(s, 0, c)
		b.clock.set(day.Add(time.Second)) // 00:00:00
		b.admitted(s, c)
		b.denied(s, 0, c)
	}
}

func testRollbackAcrossWindows(b *bundle) {
	s := b.open()
	c := limit("minute", time.Minute, 5)
	b.clock.set(time.Date(2026, 11, 21, 10, 0, 59, 0, time.UTC))
	old := b.admitted(s, c)
	b.clock.advance(time.Second)
	b.admitted(s, c)
	b.admitted(s, c)
	b.settle(s, old, enforce.Rollback)
	b.wantUsed(s, c, 2*whole)

	slid := sliding("slid", time.Minute, 5)
	old = b.admitted(s, slid)
	b.clock.advance(30 * time.Second)
	b.admitted(s, slid)
	b.settle(s, old, enforce.Rollback)
	b.wantUsed(s, slid, whole)
	b.clock.advance(31 * time.Second) // the first one's part would have left by now
	b.wantUsed(s, slid, whole)
}

func testRetryAfter(b *bundle) {
	s := b.open()
	c := limit("minute", time.Minute, 1)
	b.clock.set(time.Date(2026, 11, 21, 10, 0, 12, 500_000_000, time.UTC))
	b.admitted(s, c)
	wait := b.denied(s, 0, c).RetryAfter
	if want := 47500 * time.Millisecond; wait != want {
		b.Fatalf("retry after %s, want %s", wait, want)
	}
	b.clock.advance(wait - time.Millisecond)
	b.denied(s, 0, c)
	b.clock.advance(time.Millisecond)
	b.admitted(s, c)
	// Of several limits it is the one that was named.
	hour := limit("hour", time.Hour, 1)
	b.admitted(s, hour)
	if wait := b.denied(s, 0, hour, c).RetryAfter; wait != 59*time.Minute {
		b.Errorf("retry after %s, want the end of the hour", wait)
	}
	// A limit of nothing has no better time.
	if wait := b.denied(s, 0, limit("never", time.Minute, 0)).RetryAfter; wait != 0 {
		b.Errorf("retry after %s, though waiting does not help", wait)
	}
}

// testSliding offers calls all the time and checks every window afterwards.
func testSliding(b *bundle) {
	s := b.open()
	const most, window = 7, time.Minute
	c := sliding("slid", window, most)
	var admitted []time.Time
	for range 400 {
		if _, reply := b.reserve(s, c); reply.Admitted {
			admitted = append(admitted, b.clock.Now())
		}
		b.clock.advance(777 * time.Millisecond)
	}
	for i := range admitted {
		n := 0
		for _, at := range admitted[i:] {
			if at.Sub(admitted[i]) < window {
				n++
			}
		}
		if n > most {
			b.Fatalf("%d calls inside one window, want at most %d", n, most)
		}
	}
	// 311 s hold 5 whole windows, and counting in parts loses one part in sixty.
	if len(admitted) < 5*most {
		b.Errorf("only %d calls were admitted", len(admitted))
	}
}

func testSlidingRetry(b *bundle) {
	s := b.open()
	c := sliding("slid", time.Minute, 3)
	b.clock.set(time.Date(2026, 11, 21, 10, 0, 30, 250_000_000, time.UTC))
	b.admitted(s, c)
	b.clock.advance(10 * time.Second)
	b.admitted(s, c)
	b.clock.advance(10 * time.Second)
	b.admitted(s, c)
	// Two of them have to leave: the part of second 40, at the end of second 41.
	two := chargeOf(c).amount(2 * whole)
	if wait := b.denied(s, 0, two).RetryAfter; wait != 50750*time.Millisecond {
		b.Errorf("retry after %s, want 50.75s", wait)
	}
	wait := b.denied(s, 0, c).RetryAfter
	if wait != 40750*time.Millisecond {
		b.Fatalf("retry after %s, want 40.75s", wait)
	}
	b.clock.advance(wait - time.Millisecond)
	b.denied(s, 0, c)
	b.clock.advance(time.Millisecond)
	b.admitted(s, c)
	b.denied(s, 0, c)
}

// asks is the condition that the tool was called before.
func asks(of string, within time.Duration, key byte) enforce.Charge {
	return enforce.Charge{
		Counter: enforce.CounterOf(enforce.Identity{Org: workspace, Scope: "grant", ScopeID: grant, Mark: of, Key: [16]byte{key}}),
		Window:  within, After: true, Rule: "/tools/update/limits/0",
	}
}

func testMarks(b *bundle) {
	s, other := b.open(), b.open()
	read := asks("read", 30*time.Minute, 1)
	calls := limit("calls", 24*time.Hour, 10)
	if wait := b.denied(s, 1, calls, read).RetryAfter; wait != 0 {
		b.Errorf("waiting %s does not make a read", wait)
	}
	b.wantUsed(s, calls, 0)
	done := b.admitted(s)
	b.clock.advance(time.Minute)
	err := s.Settle(b.Context(), &enforce.Settlement{
		Call: ended(done, enforce.Commit), Outcome: enforce.Commit,
		Marks: []enforce.Counter{read.Counter}, Keep: []time.Duration{read.Window},
	})
	if err != nil {
		b.Fatal(err)
	}
	// Both see it at once; another key does not.
	b.admitted(s, calls, read)
	b.admitted(other, calls, read)
	b.denied(other, 0, asks("read", 30*time.Minute, 2))
	b.clock.advance(30 * time.Minute)
	b.admitted(other, read)
	b.clock.advance(time.Millisecond)
	b.denied(s, 0, read)
	// A second one counts from its own time.
	done = b.admitted(other)
	err = other.Settle(b.Context(), &enforce.Settlement{
		Call: ended(done, enforce.Commit), Outcome: enforce.Commit,
		Marks: []enforce.Counter{read.Counter}, Keep: []time.Duration{read.Window},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.clock.advance(29 * time.Minute)
	b.admitted(s, read)
}

func testMarksOfCommits(b *bundle) {
	s := b.open()
	read := asks("read", 30*time.Minute, 1)
	for _, o := range []enforce.Outcome{enforce.Rollback, enforce.Ambiguous} {
		done := b.admitted(s)
		err := s.Settle(b.Context(), &enforce.Settlement{
			Call: ended(done, o), Outcome: o,
			Marks: []enforce.Counter{read.Counter}, Keep: []time.Duration{read.Window},
		})
		if err != nil {
			b.Fatal(err)
		}
		b.denied(s, 0, read)
	}
}
