package enforcetest

import (
	"errors"
	"fmt"
	"slices"
	"sync"
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

func testPark(b *bundle) {
	s, other := b.open(), b.open()
	p := b.parking(1)
	a := b.park(s, p)
	now := b.clock.Now()
	if a.ID == "" || a.State != enforce.Pending || string(a.Arguments) != "sealed" || !a.CreatedAt.Equal(now) || !a.ExpiresAt.Equal(now.Add(p.TTL)) || !a.EscalateAt.Equal(now.Add(p.Escalate)) {
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
	repeated := b.parking(1)
	repeated.Approval.Arguments = []byte("sealed again") // the same arguments never seal alike
	if again := b.park(other, repeated); again.ID != first.ID || !again.ExpiresAt.Equal(first.ExpiresAt) || string(again.Arguments) != "sealed" {
		b.Errorf("parked twice: %+v", again)
	}
	if got := b.records(other, repeated.Call.Request); len(got) != 0 {
		b.Errorf("recorded as %+v, which is the caller's to do", got)
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
			if a.Arguments != nil {
				b.Errorf("%s: %s is listed with its arguments", name, a.ID)
			}
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
