package enforcetest

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/enforce"
)

func testDeciders(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	for round := range 5 {
		a := b.park(stores[0], b.parking(byte(round)))
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				d := enforce.Decision{ID: a.ID, Approve: i%3 != 0, By: fmt.Sprint("mem_", i), Via: "api", Reason: "r"}
				_, err := stores[i%2].Decide(b.Context(), d)
				switch {
				case err == nil:
					won.Add(1)
				case !errors.Is(err, enforce.ErrDecided):
					b.Error(err)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			b.Errorf("%d decisions were taken", won.Load())
		}
	}
}

func testConsumers(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	c := limit("calls", time.Hour, 1000)
	for round := range 5 {
		a := b.park(stores[0], b.parking(byte(round)))
		b.approve(stores[1], a.ID)
		var won atomic.Int64
		var wg sync.WaitGroup
		for i := range 6 {
			r := &enforce.Request{Call: b.call(), Charges: []enforce.Charge{c}, Approval: a.ID, Fingerprint: [32]byte{byte(round)}}
			wg.Go(func() {
				reply, err := stores[i%2].Reserve(b.Context(), r)
				switch {
				case err != nil:
					b.Error(err)
				case reply.Admitted:
					won.Add(1)
				case !reply.ApprovalGone:
					b.Errorf("%+v", reply)
				}
			})
		}
		wg.Wait()
		if won.Load() != 1 {
			b.Errorf("one approval was used %d times", won.Load())
		}
		b.wantUsed(stores[0], c, int64(round+1)*whole)
	}
}

func testDecideOrExpire(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	for round := range 8 {
		a := b.park(stores[0], b.parking(byte(round)))
		at := b.clock.Now().Add(15*time.Minute - time.Millisecond)
		b.clock.set(at)
		var decided, expired atomic.Int64
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := stores[0].Decide(b.Context(), enforce.Decision{ID: a.ID, By: "mem_1", Reason: "no"}); err == nil {
				decided.Add(1)
			}
		})
		wg.Go(func() {
			b.clock.set(at.Add(time.Millisecond))
			list, err := stores[1].Expire(b.Context())
			if err != nil {
				b.Error(err)
			}
			expired.Add(int64(len(list)))
		})
		wg.Wait()
		list, err := stores[0].Expire(b.Context()) // a decision may have been under way
		if err != nil {
			b.Fatal(err)
		}
		if decided.Load()+expired.Load()+int64(len(list)) != 1 {
			b.Fatalf("decided %d times and expired %d+%d times", decided.Load(), expired.Load(), len(list))
		}
	}
}

// oncePerStore calls from both stores at once, and counts who got what.
func (b *bundle) oncePerStore(want int, ask func(enforce.Store) ([]enforce.Approval, error)) []enforce.Approval {
	b.Helper()
	stores := []enforce.Store{b.open(), b.open()}
	var mu sync.Mutex
	seen := map[string]int{}
	var all []enforce.Approval
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			list, err := ask(stores[i%2])
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				b.Error(err)
			}
			for _, a := range list {
				seen[a.ID]++
				all = append(all, a)
			}
		})
	}
	wg.Wait()
	if len(seen) != want || len(all) != want {
		b.Errorf("%d approvals in %d answers, want %d", len(seen), len(all), want)
	}
	return all
}

func testEscalate(b *bundle) {
	s := b.open()
	for i := range 5 {
		b.park(s, b.parking(byte(i)))
	}
	decided := b.park(s, b.parking(5))
	b.approve(s, decided.ID)
	never := b.parking(6)
	never.Escalate = 0
	b.park(s, never)
	escalate := func(from enforce.Store) ([]enforce.Approval, error) { return from.Escalate(b.Context()) }
	b.clock.advance(5*time.Minute - time.Millisecond)
	b.oncePerStore(0, escalate)
	b.clock.advance(time.Millisecond)
	for _, a := range b.oncePerStore(5, escalate) {
		if a.State != enforce.Pending || !a.Escalated {
			b.Errorf("escalated as %+v", a)
		}
		if got := b.approval(s, a.ID); !got.Escalated {
			b.Errorf("it reads %+v", got)
		}
	}
	b.oncePerStore(0, escalate)
}

func testExpire(b *bundle) {
	s := b.open()
	for i := range 5 {
		b.park(s, b.parking(byte(i)))
	}
	denied := b.park(s, b.parking(5))
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: denied.ID, By: "mem_1", Reason: "no"}); err != nil {
		b.Fatal(err)
	}
	expire := func(from enforce.Store) ([]enforce.Approval, error) { return from.Expire(b.Context()) }
	b.clock.advance(15*time.Minute - time.Millisecond)
	b.oncePerStore(0, expire)
	b.clock.advance(time.Millisecond)
	for _, a := range b.oncePerStore(5, expire) {
		if a.State != enforce.Expired {
			b.Errorf("expired as %+v", a)
		}
		b.wantState(s, a.ID, enforce.Expired)
	}
	b.oncePerStore(0, expire)
	if list, err := s.Escalate(b.Context()); err != nil || len(list) != 0 {
		b.Errorf("what is over escalates: %+v %v", list, err)
	}
}

func testAwait(b *bundle) {
	s, other := b.open(), b.open()
	for name, end := range map[string]func(id string) error{
		"denied": func(id string) error {
			_, err := other.Decide(b.Context(), enforce.Decision{ID: id, By: "mem_1", Reason: "no"})
			return err
		},
		"approved": func(id string) error {
			_, err := s.Decide(b.Context(), enforce.Decision{ID: id, Approve: true, By: "mem_1"})
			return err
		},
		"cancelled": func(string) error {
			_, err := other.Cancel(b.Context(), enforce.Cancellation{Grant: grant})
			return err
		},
		"expired": func(string) error {
			b.clock.advance(15 * time.Minute)
			_, err := other.Expire(b.Context())
			return err
		},
	} {
		p := b.parking(byte(len(name)))
		a := b.park(s, p)
		ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
		type answer struct {
			a   *enforce.Approval
			err error
		}
		got := make(chan answer, 2)
		for range 2 {
			go func() {
				a, err := s.Await(ctx, a.ID)
				got <- answer{a, err}
			}()
		}
		if err := end(a.ID); err != nil {
			b.Error(err)
		}
		for range 2 {
			if r := <-got; r.err != nil || string(r.a.State) != name {
				b.Errorf("%s: awaited %+v, %v", name, r.a, r.err)
			}
		}
		// Nothing to wait for any more.
		if now, err := other.Await(ctx, a.ID); err != nil || string(now.State) != name {
			b.Errorf("%s: awaited %+v, %v", name, now, err)
		}
		cancel()
	}
	if _, err := s.Await(b.Context(), "apr_unknown"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an unknown approval: %v", err)
	}
}

func testAwaitCancelled(b *bundle) {
	s := b.open()
	a := b.park(s, b.parking(1))
	ctx, cancel := context.WithCancel(b.Context())
	done := make(chan error)
	go func() {
		_, err := s.Await(ctx, a.ID)
		done <- err
	}()
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		b.Errorf("waiting ended with %v", err)
	}
	b.wantState(s, a.ID, enforce.Pending)
}
