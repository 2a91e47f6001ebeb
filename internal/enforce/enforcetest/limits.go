package enforcetest

import (
	"math"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/enforce"
)

func testMaximum(b *bundle) {
	s, c := b.open(), limit("calls", time.Minute, 3)
	for range 3 {
		b.admitted(s, c)
	}
	for range 3 {
		b.denied(s, 0, c)
	}
	b.wantUsed(s, c, 3*whole)
	b.denied(s, 0, limit("never", time.Minute, 0))
}

func testFirstFailing(b *bundle) {
	s := b.open()
	wide, full, alsoFull := limit("wide", time.Minute, 100), limit("full", time.Minute, 1), limit("also full", time.Minute, 1)
	b.admitted(s, full, alsoFull)
	b.denied(s, 1, wide, full, alsoFull)
	b.denied(s, 0, alsoFull, wide, full)
	b.denied(s, 2, wide, wide, full)
}

func testAllOrNothing(b *bundle) {
	s := b.open()
	first, second := limit("first", time.Minute, 10), limit("second", time.Minute, 1)
	b.admitted(s, second)
	for range 20 {
		b.denied(s, 1, first, second)
	}
	b.wantUsed(s, first, 0)
	b.wantUsed(s, second, whole)
	for range 10 {
		b.admitted(s, first)
	}
}

func testSameCounterTwice(b *bundle) {
	s, c := b.open(), limit("calls", time.Minute, 5)
	b.admitted(s, c, c)
	b.wantUsed(s, c, 2*whole)
	b.admitted(s, c, c)
	reply := b.denied(s, 1, c, c)
	if reply.RetryAfter != time.Minute {
		b.Errorf("retry after %s, want the whole minute", reply.RetryAfter)
	}
	b.wantUsed(s, c, 4*whole)
	b.admitted(s, c)
	// The same counter under two maxima: each compares with its own.
	tight := c
	tight.Max = whole
	b.clock.advance(time.Minute)
	b.denied(s, 1, c, tight)
	b.admitted(s, tight, c)
	// What asks for more than there can be is not told to wait.
	narrow := limit("narrow", time.Minute, 1)
	if reply := b.denied(s, 1, narrow, narrow); reply.RetryAfter != 0 {
		b.Errorf("waiting %s would not help", reply.RetryAfter)
	}
}

func testNoLimits(b *bundle) {
	s := b.open()
	c := b.admitted(s)
	b.settle(s, c, enforce.Commit)
	if got := b.records(s, c.Request); len(got) != 2 {
		b.Errorf("%d records, want decision and outcome: %+v", len(got), got)
	}
}

func testSums(b *bundle) {
	s, c := b.open(), limit("value", 24*time.Hour, 100)
	b.admitted(s, chargeOf(c).amount(60_000_000))
	b.admitted(s, chargeOf(c).amount(39_999_999))
	b.admitted(s, chargeOf(c).amount(1))
	b.denied(s, 0, chargeOf(c).amount(1))
	b.admitted(s, chargeOf(c).amount(0))
	b.wantUsed(s, c, 100_000_000)
}

func testBeyondMaximum(b *bundle) {
	s, c := b.open(), limit("value", time.Hour, 100)
	if reply := b.denied(s, 0, chargeOf(c).amount(100_000_001)); reply.RetryAfter != 0 {
		b.Errorf("waiting %s would not help", reply.RetryAfter)
	}
	slid := sliding("value", time.Hour, 100)
	if reply := b.denied(s, 0, chargeOf(slid).amount(100_000_001)); reply.RetryAfter != 0 {
		b.Errorf("waiting %s would not help", reply.RetryAfter)
	}
	b.wantUsed(s, c, 0)
	b.admitted(s, chargeOf(c).amount(100_000_000))
}

func testExtremeAmounts(b *bundle) {
	s, c := b.open(), limit("value", time.Hour, 1)
	c.Max = math.MaxInt64
	b.admitted(s, chargeOf(c).amount(math.MaxInt64-1))
	b.denied(s, 0, chargeOf(c).amount(math.MaxInt64))
	b.denied(s, 0, chargeOf(c).amount(2))
	b.admitted(s, chargeOf(c).amount(1))
	b.denied(s, 0, c)
	// Nobody should ask for less than nothing; who does gets nothing.
	if reply, err := s.Reserve(b.Context(), &enforce.Request{Call: b.call(), Charges: []enforce.Charge{chargeOf(c).amount(-5)}}); err == nil && reply.Admitted {
		b.Error("a negative amount was admitted")
	}
	b.wantUsed(s, c, math.MaxInt64)
}

func testChangedMaximum(b *bundle) {
	s, c := b.open(), limit("calls", time.Hour, 2)
	b.admitted(s, c)
	b.admitted(s, c)
	b.denied(s, 0, c)
	c.Max = 3 * whole
	b.admitted(s, c)
	c.Max = whole
	b.denied(s, 0, c)
	b.wantUsed(s, c, 3*whole)
}

func testIdentities(b *bundle) {
	s := b.open()
	base := enforce.Identity{Org: "o", Scope: "grant", ScopeID: "g", Section: "tool:t", Counter: "c", Window: time.Minute}
	vary := map[string]func(*enforce.Identity){
		"base":    func(*enforce.Identity) {},
		"org":     func(i *enforce.Identity) { i.Org = "p" },
		"scope":   func(i *enforce.Identity) { i.Scope = "server" },
		"id":      func(i *enforce.Identity) { i.ScopeID = "h" },
		"section": func(i *enforce.Identity) { i.Section = "all" },
		"counter": func(i *enforce.Identity) { i.Counter = "d" },
		"window":  func(i *enforce.Identity) { i.Window = time.Hour },
		"key":     func(i *enforce.Identity) { i.Key[3] = 1 },
		"mark":    func(i *enforce.Identity) { i.Mark = "m" },
		"borders": func(i *enforce.Identity) { i.Org, i.Scope = "og", "rant" },
	}
	for name, change := range vary {
		id := base
		change(&id)
		c := enforce.Charge{Counter: enforce.CounterOf(id), Window: id.Window, Amount: whole, Max: whole, Rule: name}
		if _, reply := b.reserve(s, c); !reply.Admitted {
			b.Errorf("%s shares its counter with another identity", name)
		}
		b.denied(s, 0, c)
	}
}

func testObserve(b *bundle) {
	s := b.open()
	wide, full := limit("wide", time.Minute, 10), limit("full", time.Minute, 1)
	first := &enforce.Request{Call: b.call(), Charges: []enforce.Charge{wide, full}, Observe: true}
	if reply := b.ask(s, first); !reply.Admitted || reply.Failed != -1 {
		b.Fatalf("got %+v, want room", reply)
	}
	b.clock.advance(20 * time.Second)
	beyond := &enforce.Request{Call: b.call(), Charges: []enforce.Charge{wide, full}, Observe: true}
	if reply := b.ask(s, beyond); !reply.Admitted || reply.Failed != 1 || reply.RetryAfter != 40*time.Second {
		b.Fatalf("got %+v, want it admitted and charge 1 named", reply)
	}
	if got := b.usage(s, wide, full); got[0] != 2*whole || got[1] != 2*whole {
		b.Errorf("observed calls are not counted: %v", got)
	}
	got := b.records(s, beyond.Call.Request)
	if len(got) != 1 || got[0].Decision != "observe" || got[0].Code != "limit_exceeded" || got[0].Rule != full.Rule {
		b.Errorf("recorded as %+v", got)
	}
	b.denied(s, 1, wide, full)
	// It is settled like any other.
	b.settle(s, beyond.Call, enforce.Rollback)
	b.wantUsed(s, full, whole)
}

func testUsage(b *bundle) {
	s, other := b.open(), b.open()
	minute, hour, slid := limit("minute", time.Minute, 10), limit("hour", time.Hour, 10), sliding("slid", time.Minute, 10)
	b.admitted(s, minute, hour, slid)
	b.admitted(other, chargeOf(hour).amount(250_000))
	for _, from := range []enforce.Store{s, other} {
		got := b.usage(from, hour, minute, limit("unknown", time.Minute, 1), slid)
		want := []int64{1_250_000, whole, 0, whole}
		for i := range want {
			if got[i] != want[i] {
				b.Errorf("usage %v, want %v", got, want)
				break
			}
		}
	}
	b.clock.advance(59 * time.Second)
	b.wantUsed(s, minute, whole)
	b.clock.advance(time.Second)
	b.wantUsed(s, minute, 0)
	b.wantUsed(s, hour, 1_250_000)
}

func testReopened(b *bundle) {
	c := limit("calls", time.Hour, 3)
	s := b.in.Open(b.T)
	done := b.admitted(s, c)
	b.settle(s, done, enforce.Commit)
	b.settle(s, b.admitted(s, c), enforce.Commit)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	s = b.open()
	b.wantUsed(s, c, 2*whole)
	b.admitted(s, c)
	b.denied(s, 0, c)
}

func testRace(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	const most, callers, each = 30, 16, 6
	c, spare := limit("calls", time.Minute, most), limit("spare", time.Minute, 1000)
	var won atomic.Int64
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			s := stores[i%len(stores)]
			for range each {
				r := &enforce.Request{Call: b.call(), Charges: []enforce.Charge{spare, c}}
				reply, err := s.Reserve(b.Context(), r)
				switch {
				case err != nil:
					b.Error(err)
				case reply.Admitted:
					won.Add(1)
					if err := s.Settle(b.Context(), &enforce.Settlement{Call: ended(r.Call, enforce.Commit), Outcome: enforce.Commit}); err != nil {
						b.Error(err)
					}
				}
			}
		})
	}
	wg.Wait()
	if won.Load() != most {
		b.Errorf("%d calls were admitted, want exactly %d", won.Load(), most)
	}
	for _, s := range stores {
		b.wantUsed(s, c, most*whole)
		b.wantUsed(s, spare, most*whole)
	}
}

func testCrossedLimits(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	x, y, z := limit("x", time.Minute, 1000), limit("y", time.Minute, 1000), limit("z", time.Minute, 1000)
	orders := [][]enforce.Charge{{x, y, z}, {z, y, x}, {y, x, z}, {z, x, y}}
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			s := stores[i%2]
			for range 10 {
				r := &enforce.Request{Call: b.call(), Charges: orders[i/2]}
				reply, err := s.Reserve(b.Context(), r)
				if err != nil || !reply.Admitted {
					b.Errorf("%+v %v", reply, err)
					return
				}
				o := enforce.Rollback
				if i%4 < 2 {
					o = enforce.Commit
				}
				if err := s.Settle(b.Context(), &enforce.Settlement{Call: ended(r.Call, o), Outcome: o}); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, c := range []enforce.Charge{x, y, z} {
		b.wantUsed(stores[0], c, 40*whole)
	}
}
