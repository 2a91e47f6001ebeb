package enforcetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/enforce"
)

// parking asks for the approval of one call.
func (b *bundle) parking(fingerprint byte) *enforce.Parking {
	c := b.call()
	c.Decision, c.Code, c.Rule = "park", "approval_pending", "/tools/send/approve_if/0"
	return &enforce.Parking{
		Approval: enforce.Approval{
			Workspace: workspace, Server: server, Grant: grant, GrantName: "agent", MintedBy: "mem_2", Tool: tool,
			Fingerprint: [32]byte{fingerprint}, ArgKeys: []string{"amount", "to"}, Arguments: []byte("sealed"),
			Rule: c.Rule, Message: "High value", Policy: "pol_1", Version: 3, PolicyHash: "p",
			Approvers: []string{"mem_1"}, EscalateTo: []string{"mem_3"}, FourEyes: true,
		},
		TTL: 15 * time.Minute, Escalate: 5 * time.Minute, Call: c,
	}
}

func (b *bundle) park(s enforce.Store, p *enforce.Parking) *enforce.Approval {
	b.Helper()
	a, err := s.Park(b.Context(), p)
	if err != nil {
		b.Fatalf("park: %v", err)
	}
	return a
}

func (b *bundle) approval(s enforce.Store, id string) *enforce.Approval {
	b.Helper()
	a, err := s.Approval(b.Context(), id)
	if err != nil {
		b.Fatalf("approval: %v", err)
	}
	return a
}

func (b *bundle) wantState(s enforce.Store, id string, want enforce.State) *enforce.Approval {
	b.Helper()
	a := b.approval(s, id)
	if a.State != want {
		b.Fatalf("the approval is %s, want %s", a.State, want)
	}
	return a
}

func (b *bundle) approve(s enforce.Store, id string) *enforce.Approval {
	b.Helper()
	a, err := s.Decide(b.Context(), enforce.Decision{ID: id, Approve: true, By: "mem_1", Via: "cli"})
	if err != nil {
		b.Fatalf("decide: %v", err)
	}
	return a
}

// use asks for admission with an approval.
func (b *bundle) use(s enforce.Store, id string, fingerprint byte, charges ...enforce.Charge) (*enforce.Request, enforce.Reply) {
	b.Helper()
	r := &enforce.Request{Call: b.call(), Charges: charges, Approval: id, Fingerprint: [32]byte{fingerprint}}
	r.Call.Approval = id
	return r, b.ask(s, r)
}

func (b *bundle) wantGone(s enforce.Store, id string, fingerprint byte, charges ...enforce.Charge) {
	b.Helper()
	r, reply := b.use(s, id, fingerprint, charges...)
	if reply.Admitted || !reply.ApprovalGone || reply.Failed != -1 {
		b.Fatalf("got %+v, want that the approval is gone", reply)
	}
	if got := b.records(s, r.Call.Request); len(got) != 1 || got[0].Decision != "deny" {
		b.Fatalf("recorded as %+v, want a denial", got)
	}
}

func testPark(b *bundle) {
	s, other := b.open(), b.open()
	p := b.parking(1)
	a := b.park(s, p)
	now := b.clock.Now()
	if a.ID == "" || a.State != enforce.Pending || !a.CreatedAt.Equal(now) || !a.ExpiresAt.Equal(now.Add(p.TTL)) || !a.EscalateAt.Equal(now.Add(p.Escalate)) {
		b.Fatalf("parked as %+v", a)
	}
	for _, from := range []enforce.Store{s, other} {
		got := b.wantState(from, a.ID, enforce.Pending)
		want := p.Approval
		want.ID, want.State, want.CreatedAt, want.ExpiresAt, want.EscalateAt = a.ID, enforce.Pending, now, now.Add(p.TTL), now.Add(p.Escalate)
		got.CreatedAt, got.ExpiresAt, got.EscalateAt = got.CreatedAt.UTC(), got.ExpiresAt.UTC(), got.EscalateAt.UTC()
		if g, w := fmt.Sprintf("%+v", *got), fmt.Sprintf("%+v", want); g != w {
			b.Errorf("it reads\n%s, want\n%s", g, w)
		}
	}
	if got := b.records(s, p.Call.Request); len(got) != 1 || got[0].Decision != "park" || got[0].Rule != p.Call.Rule {
		b.Errorf("recorded as %+v", got)
	}
	if _, err := s.Approval(b.Context(), "apr_unknown"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an unknown approval: %v", err)
	}
	never := b.parking(2)
	never.Escalate = 0
	if a := b.park(s, never); !a.EscalateAt.IsZero() {
		b.Errorf("it escalates at %s", a.EscalateAt)
	}
}

func testParkAgain(b *bundle) {
	s, other := b.open(), b.open()
	first := b.park(s, b.parking(1))
	b.clock.advance(time.Minute)
	if again := b.park(other, b.parking(1)); again.ID != first.ID || !again.ExpiresAt.Equal(first.ExpiresAt) {
		b.Errorf("parked twice: %+v", again)
	}
	if another := b.park(s, b.parking(2)); another.ID == first.ID {
		b.Error("another call found the approval")
	}
	b.approve(other, first.ID)
	if again := b.park(s, b.parking(1)); again.ID != first.ID || again.State != enforce.Approved {
		b.Errorf("the approved one was not found: %+v", again)
	}
	var ids sync.Map
	var wg sync.WaitGroup
	for i := range 8 {
		p := b.parking(9)
		wg.Go(func() {
			a, err := []enforce.Store{s, other}[i%2].Park(b.Context(), p)
			if err != nil {
				b.Error(err)
				return
			}
			ids.Store(a.ID, true)
		})
	}
	wg.Wait()
	n := 0
	ids.Range(func(any, any) bool { n++; return true })
	if n != 1 {
		b.Errorf("eight identical calls were parked as %d", n)
	}
}

func testParkAnew(b *bundle) {
	s := b.open()
	seen := map[string]bool{}
	fresh := func(after string) *enforce.Approval {
		b.Helper()
		a := b.park(s, b.parking(1))
		if a.State != enforce.Pending || seen[a.ID] {
			b.Fatalf("after %s it found %+v", after, a)
		}
		seen[a.ID] = true
		return a
	}
	a := fresh("nothing")
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: a.ID, By: "mem_1", Via: "cli", Reason: "no"}); err != nil {
		b.Fatal(err)
	}
	a = fresh("a denial")
	b.approve(s, a.ID)
	if _, reply := b.use(s, a.ID, 1); !reply.Admitted {
		b.Fatalf("%+v", reply)
	}
	fresh("its use")
	if _, err := s.Cancel(b.Context(), enforce.Cancellation{Grant: grant, Reason: "revoked"}); err != nil {
		b.Fatal(err)
	}
	fresh("cancelling")
	b.clock.advance(15 * time.Minute)
	a = fresh("its time, before anybody looked")
	b.approve(s, a.ID)
	b.clock.advance(enforce.UnusedApproval)
	fresh("nobody used it")
}

func testTooManyParked(b *bundle) {
	s, other := b.open(), b.open()
	var last *enforce.Approval
	for i := range enforce.MaxParked {
		last = b.park([]enforce.Store{s, other}[i%2], b.parking(byte(i)))
	}
	for _, from := range []enforce.Store{s, other} {
		if _, err := from.Park(b.Context(), b.parking(100)); !errors.Is(err, enforce.ErrTooManyParked) {
			b.Fatalf("one too many: %v", err)
		}
	}
	if again := b.park(other, b.parking(0)); again.State != enforce.Pending {
		b.Errorf("a repeated call: %+v", again)
	}
	p := b.parking(100)
	p.Approval.Grant, p.Call.Grant = "grt_2", "grt_2"
	b.park(s, p)
	b.approve(s, last.ID)
	b.park(s, b.parking(101))
	if _, err := s.Park(b.Context(), b.parking(102)); !errors.Is(err, enforce.ErrTooManyParked) {
		b.Fatalf("one too many: %v", err)
	}
	b.clock.advance(15 * time.Minute)
	b.park(s, b.parking(103))
}

func testDecide(b *bundle) {
	s, other := b.open(), b.open()
	a := b.park(s, b.parking(1))
	b.clock.advance(time.Minute)
	now := b.clock.Now()
	got := b.approve(other, a.ID)
	for _, got := range []*enforce.Approval{got, b.approval(s, a.ID)} {
		if got.State != enforce.Approved || got.Decider != "mem_1" || got.Via != "cli" || !got.DecidedAt.Equal(now) || !got.ExpiresAt.Equal(now.Add(enforce.UnusedApproval)) {
			b.Errorf("approved as %+v", got)
		}
	}
	for _, approve := range []bool{true, false} {
		if _, err := s.Decide(b.Context(), enforce.Decision{ID: a.ID, Approve: approve, By: "mem_3", Via: "api"}); !errors.Is(err, enforce.ErrDecided) {
			b.Errorf("decided twice: %v", err)
		}
	}
	if got := b.approval(s, a.ID); got.Decider != "mem_1" {
		b.Errorf("the second decision stands: %+v", got)
	}
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: "apr_unknown", Approve: true}); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an unknown approval: %v", err)
	}
	a = b.park(s, b.parking(2))
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: a.ID, By: "mem_1", Via: "web", Reason: "too much"}); err != nil {
		b.Fatal(err)
	}
	if got := b.wantState(other, a.ID, enforce.DeniedBy); got.Reason != "too much" || got.Via != "web" {
		b.Errorf("denied as %+v", got)
	}
	b.wantGone(other, a.ID, 2)
}

func testSilence(b *bundle) {
	s := b.open()
	a := b.park(s, b.parking(1))
	b.clock.advance(15 * time.Minute)
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: a.ID, Approve: true, By: "mem_1"}); !errors.Is(err, enforce.ErrDecided) {
		b.Errorf("decided too late: %v", err)
	}
	b.wantGone(s, a.ID, 1)
	expired, err := s.Expire(b.Context())
	if err != nil || len(expired) != 1 || expired[0].ID != a.ID || expired[0].State != enforce.Expired {
		b.Errorf("expired: %+v %v", expired, err)
	}
	b.wantState(s, a.ID, enforce.Expired)
}

func testConsume(b *bundle) {
	s, other := b.open(), b.open()
	c := limit("calls", time.Hour, 5)
	a := b.park(s, b.parking(1))
	b.wantGone(s, a.ID, 1, c) // still pending
	b.wantState(s, a.ID, enforce.Pending)
	b.approve(other, a.ID)
	b.clock.advance(time.Minute)
	r, reply := b.use(s, a.ID, 1, c)
	if !reply.Admitted || reply.ApprovalGone {
		b.Fatalf("%+v", reply)
	}
	got := b.wantState(other, a.ID, enforce.Consumed)
	if got.Request != r.Call.Request || !got.ConsumedAt.Equal(b.clock.Now()) {
		b.Errorf("consumed as %+v", got)
	}
	b.wantGone(s, a.ID, 1, c)
	b.wantGone(other, a.ID, 1, c)
	b.wantUsed(s, c, whole)
	if got := b.records(s, r.Call.Request); len(got) != 1 || got[0].Decision != "allow" || got[0].Approval != a.ID {
		b.Errorf("recorded as %+v", got)
	}
	b.wantGone(s, "apr_unknown", 1)
}

func testFailedReserveKeepsApproval(b *bundle) {
	s := b.open()
	full := limit("full", time.Minute, 1)
	b.admitted(s, full)
	a := b.park(s, b.parking(1))
	b.approve(s, a.ID)
	for range 3 {
		if _, reply := b.use(s, a.ID, 1, full); reply.Admitted || reply.ApprovalGone || reply.Failed != 0 || reply.RetryAfter != time.Minute {
			b.Fatalf("%+v", reply)
		}
		b.wantState(s, a.ID, enforce.Approved)
	}
	b.clock.advance(time.Minute)
	if _, reply := b.use(s, a.ID, 1, full); !reply.Admitted {
		b.Fatalf("%+v", reply)
	}
	b.wantState(s, a.ID, enforce.Consumed)
}

func testFingerprint(b *bundle) {
	s := b.open()
	a := b.park(s, b.parking(1))
	b.approve(s, a.ID)
	c := limit("calls", time.Hour, 5)
	b.wantGone(s, a.ID, 2, c)
	b.wantUsed(s, c, 0)
	b.wantState(s, a.ID, enforce.Approved)
	if _, reply := b.use(s, a.ID, 1, c); !reply.Admitted {
		b.Fatalf("%+v", reply)
	}
}

func testUnused(b *bundle) {
	s := b.open()
	a := b.park(s, b.parking(1))
	b.approve(s, a.ID)
	b.clock.advance(enforce.UnusedApproval - time.Millisecond)
	b.wantState(s, a.ID, enforce.Approved)
	b.clock.advance(time.Millisecond)
	b.wantGone(s, a.ID, 1)
	if expired, err := s.Expire(b.Context()); err != nil || len(expired) != 1 {
		b.Errorf("expired: %+v %v", expired, err)
	}
	b.wantState(s, a.ID, enforce.Expired)
}

func testRollbackKeepsConsumed(b *bundle) {
	s := b.open()
	a := b.park(s, b.parking(1))
	b.approve(s, a.ID)
	r, reply := b.use(s, a.ID, 1)
	if !reply.Admitted {
		b.Fatalf("%+v", reply)
	}
	b.settle(s, r.Call, enforce.Rollback)
	b.wantState(s, a.ID, enforce.Consumed)
	b.wantGone(s, a.ID, 1)
}

func testCancel(b *bundle) {
	s, other := b.open(), b.open()
	place := func(fingerprint byte, workspace, grant, server string) string {
		p := b.parking(fingerprint)
		p.Approval.Workspace, p.Approval.Grant, p.Approval.Server = workspace, grant, server
		return b.park(s, p).ID
	}
	pending, approved, denied := place(1, workspace, grant, server), place(2, workspace, grant, server), place(3, workspace, grant, server)
	elsewhere, abroad := place(4, workspace, grant, "srv_2"), place(5, "wks_2", "grt_3", "srv_3")
	b.approve(s, approved)
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: denied, By: "mem_1", Reason: "no"}); err != nil {
		b.Fatal(err)
	}
	cancel := func(want int, c enforce.Cancellation) {
		b.Helper()
		if n, err := other.Cancel(b.Context(), c); err != nil || n != want {
			b.Errorf("%d cancelled, want %d: %v", n, want, err)
		}
	}
	cancel(0, enforce.Cancellation{Workspace: "wks_2", Grant: grant})
	cancel(2, enforce.Cancellation{Workspace: workspace, Grant: grant, Server: server, Reason: "revoked"})
	for _, id := range []string{pending, approved} {
		if a := b.wantState(s, id, enforce.Cancelled); a.Reason != "revoked" {
			b.Errorf("cancelled as %+v", a)
		}
	}
	b.wantState(s, denied, enforce.DeniedBy)
	b.wantState(s, elsewhere, enforce.Pending)
	b.wantGone(s, approved, 2)
	if _, err := s.Decide(b.Context(), enforce.Decision{ID: pending, Approve: true, By: "mem_1"}); !errors.Is(err, enforce.ErrDecided) {
		b.Errorf("decided after it was cancelled: %v", err)
	}
	cancel(1, enforce.Cancellation{Server: "srv_2"})
	cancel(1, enforce.Cancellation{Workspace: "wks_2"})
	b.wantState(s, abroad, enforce.Cancelled)
	cancel(0, enforce.Cancellation{})
}

func testList(b *bundle) {
	s, other := b.open(), b.open()
	var ids []string
	for i := range 5 {
		p := b.parking(byte(i))
		switch i {
		case 1:
			p.Approval.Grant = "grt_2"
		case 2:
			p.Approval.Server = "srv_2"
		case 3:
			p.Approval.Tool = "delete"
		case 4:
			p.Approval.Workspace = "wks_2"
		}
		ids = append(ids, b.park(s, p).ID)
		b.clock.advance(time.Second)
	}
	b.approve(s, ids[0])
	for name, test := range map[string]struct {
		filter enforce.ApprovalFilter
		want   []int
	}{
		"all":       {enforce.ApprovalFilter{}, []int{4, 3, 2, 1, 0}},
		"workspace": {enforce.ApprovalFilter{Workspace: workspace}, []int{3, 2, 1, 0}},
		"grant":     {enforce.ApprovalFilter{Grant: "grt_2"}, []int{1}},
		"server":    {enforce.ApprovalFilter{Server: "srv_2"}, []int{2}},
		"tool":      {enforce.ApprovalFilter{Tool: "delete"}, []int{3}},
		"state":     {enforce.ApprovalFilter{State: enforce.Approved}, []int{0}},
		"two":       {enforce.ApprovalFilter{State: enforce.Pending, Workspace: workspace}, []int{3, 2, 1}},
		"limit":     {enforce.ApprovalFilter{Limit: 2}, []int{4, 3}},
	} {
		got, err := other.Approvals(b.Context(), test.filter)
		if err != nil {
			b.Fatal(err)
		}
		var found, want []string
		for _, a := range got {
			found = append(found, a.ID)
		}
		for _, i := range test.want {
			want = append(want, ids[i])
		}
		if !slices.Equal(found, want) {
			b.Errorf("%s: found %v, want %v", name, found, want)
		}
	}
}

func testWiped(b *bundle) {
	s := b.open()
	end := map[string]func(id string, fingerprint byte){
		"denied": func(id string, _ byte) {
			if _, err := s.Decide(b.Context(), enforce.Decision{ID: id, By: "mem_1", Reason: "no"}); err != nil {
				b.Fatal(err)
			}
		},
		"consumed": func(id string, fingerprint byte) {
			b.approve(s, id)
			if a := b.approval(s, id); string(a.Arguments) != "sealed" {
				b.Errorf("an approved one has lost its arguments: %q", a.Arguments)
			}
			b.use(s, id, fingerprint)
		},
		"cancelled": func(string, byte) {
			if _, err := s.Cancel(b.Context(), enforce.Cancellation{Grant: grant}); err != nil {
				b.Fatal(err)
			}
		},
		"expired": func(string, byte) {
			b.clock.advance(time.Hour)
			if _, err := s.Expire(b.Context()); err != nil {
				b.Fatal(err)
			}
		},
	}
	fingerprint := byte(0)
	for state, finish := range end {
		fingerprint++
		id := b.park(s, b.parking(fingerprint)).ID
		finish(id, fingerprint)
		a := b.wantState(s, id, enforce.State(state))
		if !a.State.Terminal() || len(a.Arguments) != 0 {
			b.Errorf("%s: the arguments are still there", state)
		}
		if a.Fingerprint != [32]byte{fingerprint} || len(a.ArgKeys) != 2 {
			b.Errorf("%s: more than the arguments was wiped: %+v", state, a)
		}
	}
}

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
