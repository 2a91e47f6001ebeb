package enforcetest

import (
	"errors"
	"time"

	"sluice/internal/enforce"
)

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
