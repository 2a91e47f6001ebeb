package enforcetest

import (
	"fmt"
	"slices"
	"time"

	"pgregory.net/rapid"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// naive is what a store is compared with: a list of everything that was taken, gone
// through from its beginning for every question.
type naive struct {
	taken []taking
	marks map[enforce.Counter]time.Time
}

type taking struct {
	request    string
	counter    enforce.Counter
	start, end time.Time // of the window, or of its part
	amount     int64
}

func (n *naive) used(c enforce.Charge, now time.Time) (sum int64) {
	from := now.Truncate(c.Window) // Truncate counts from year 1, which is a whole number of days before 1970
	if c.Sliding {
		from = now.Add(-c.Window)
	}
	for _, t := range n.taken {
		if t.counter == c.Counter && t.end.After(from) {
			sum += t.amount
		}
	}
	return sum
}

// judge is the contract, word for word.
func (n *naive) judge(charges []enforce.Charge, now time.Time) (failed int, wait time.Duration) {
	own := map[enforce.Counter]int64{}
	for i, c := range charges {
		if c.After {
			at, known := n.marks[c.Counter]
			if !known || now.Sub(at) > c.Window {
				return i, 0
			}
			continue
		}
		own[c.Counter] += c.Amount
		if n.used(c, now)+own[c.Counter] > c.Max {
			return i, n.wait(c, own[c.Counter], now)
		}
	}
	return -1, 0
}

// wait tries every moment at which something leaves the window.
func (n *naive) wait(c enforce.Charge, need int64, now time.Time) time.Duration {
	if need > c.Max {
		return 0
	}
	if !c.Sliding {
		return now.Truncate(c.Window).Add(c.Window).Sub(now)
	}
	var moments []time.Time
	for _, t := range n.taken {
		if t.counter == c.Counter {
			moments = append(moments, t.end.Add(c.Window))
		}
	}
	slices.SortFunc(moments, time.Time.Compare)
	for _, m := range moments {
		if m.After(now) && n.used(c, m)+need <= c.Max {
			return m.Sub(now)
		}
	}
	return 0
}

func (n *naive) take(request string, charges []enforce.Charge, now time.Time) {
	for _, c := range charges {
		if c.After {
			continue
		}
		width := c.Window
		if c.Sliding {
			width = max(c.Window/60, time.Second)
		}
		ns := now.UnixNano()
		start := time.Unix(0, ns-ns%int64(width))
		n.taken = append(n.taken, taking{request, c.Counter, start, start.Add(width), c.Amount})
	}
}

func (n *naive) give(request string) {
	n.taken = slices.DeleteFunc(n.taken, func(t taking) bool { return t.request == request })
}

func testModel(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	round := 0
	rapid.Check(b.T, func(t *rapid.T) {
		round++
		name := func(s string) string { return fmt.Sprint(s, round) }
		limits := []enforce.Charge{
			limit(name("minute"), time.Minute, 4), limit(name("hour"), time.Hour, 9), limit(name("day"), 24*time.Hour, 30),
			sliding(name("slid"), time.Minute, 4), sliding(name("odd"), 97*time.Second, 5), sliding(name("long"), time.Hour, 12),
			asks(name("read"), 2*time.Minute, 1), asks(name("read"), 2*time.Minute, 2),
		}
		model := &naive{marks: map[enforce.Counter]time.Time{}}
		var open, lost []audit.Call
		store := func() enforce.Store { return stores[rapid.IntRange(0, 1).Draw(t, "store")] }
		check := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		// one takes a random call out of a list.
		one := func(list *[]audit.Call) audit.Call {
			i := rapid.IntRange(0, len(*list)-1).Draw(t, "which")
			c := (*list)[i]
			*list = slices.Delete(*list, i, i+1)
			return c
		}
		t.Repeat(map[string]func(*rapid.T){
			"reserve": func(t *rapid.T) {
				var charges []enforce.Charge
				for range rapid.IntRange(0, 3).Draw(t, "charges") {
					c := limits[rapid.IntRange(0, len(limits)-1).Draw(t, "limit")]
					c.Amount = rapid.SampledFrom([]int64{whole, whole, 0, 1, 2 * whole, 1_500_001}).Draw(t, "amount")
					if !c.After && rapid.IntRange(0, 9).Draw(t, "changed") == 0 {
						c.Max += whole
					}
					charges = append(charges, c)
				}
				r := &enforce.Request{Call: b.call(), Charges: charges, Observe: rapid.IntRange(0, 9).Draw(t, "observe") == 0}
				now := b.clock.Now()
				failed, wait := model.judge(charges, now)
				want := enforce.Reply{Admitted: failed < 0 || r.Observe, Failed: failed, RetryAfter: wait}
				got, err := store().Reserve(b.Context(), r)
				check(err)
				if got != want {
					t.Fatalf("%+v at %s: got %+v, want %+v", charges, now, got, want)
				}
				if want.Admitted {
					model.take(r.Call.Request, charges, now)
					open = append(open, r.Call)
				}
			},
			"settle": func(t *rapid.T) {
				if len(open) == 0 {
					return
				}
				c := one(&open)
				s := &enforce.Settlement{Outcome: rapid.SampledFrom([]enforce.Outcome{enforce.Commit, enforce.Rollback, enforce.Ambiguous}).Draw(t, "outcome")}
				s.Call = ended(c, s.Outcome)
				if rapid.Bool().Draw(t, "marks") {
					m := limits[6+rapid.IntRange(0, 1).Draw(t, "mark")]
					s.Marks, s.Keep = []enforce.Counter{m.Counter}, []time.Duration{m.Window}
				}
				from := store()
				check(from.Settle(b.Context(), s))
				switch s.Outcome {
				case enforce.Commit:
					for _, m := range s.Marks {
						model.marks[m] = b.clock.Now()
					}
				case enforce.Rollback:
					model.give(c.Request)
				case enforce.Ambiguous:
					check(from.Flush(b.Context()))
					lost = append(lost, c)
				}
			},
			"release": func(t *rapid.T) {
				if len(lost) == 0 {
					return
				}
				c := one(&lost)
				check(store().Release(b.Context(), c.Request, "mem_1", "looked"))
				model.give(c.Request)
			},
			"time": func(t *rapid.T) {
				b.clock.advance(time.Duration(rapid.SampledFrom([]int{1, 500, 999, 1000, 7_777, 20_000, 45_000, 60_000, 600_000}).Draw(t, "ms")) * time.Millisecond)
			},
			"": func(t *rapid.T) {
				got, err := store().Usage(b.Context(), limits[:6])
				check(err)
				for i, c := range limits[:6] {
					if want := model.used(c, b.clock.Now()); got[i] != want {
						t.Fatalf("%d are used of %s at %s, want %d", got[i], c.Rule, b.clock.Now(), want)
					}
				}
			},
		})
	})
}
