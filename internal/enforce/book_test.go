package enforce_test

import (
	"fmt"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func perHour(most int64) enforce.Charge {
	return enforce.Charge{Counter: enforce.Counter{1}, Window: time.Hour, Amount: 1_000_000, Max: most * 1_000_000, Rule: "/limits/hourly"}
}

func request(charges ...enforce.Charge) *enforce.Request {
	return &enforce.Request{Call: audit.Call{Decision: "allow"}, Charges: charges}
}

func used(t *testing.T, b *enforce.Book, at time.Time, c enforce.Charge, want int64) {
	t.Helper()
	if got := b.Usage(at, []enforce.Charge{c})[0]; got != want*1_000_000 {
		t.Errorf("%d millionths are used, want %d calls", got, want)
	}
}

func TestACallWithoutIDHoldsNothing(t *testing.T) {
	t.Parallel()
	b := enforce.NewBook()
	for i := range 3 {
		reply := b.Admit(noon.Add(time.Duration(i)*time.Minute), request(perHour(2)))
		if want := i < 2; reply.Admitted != want {
			t.Errorf("call %d: %+v", i, reply)
		}
		if i == 2 && reply.RetryAfter != 58*time.Minute {
			t.Errorf("it is told to wait %s", reply.RetryAfter)
		}
	}
	if _, _, open, _, _ := b.Counts(); open != 0 {
		t.Errorf("%d calls are open", open)
	}
}

// A rule may become sliding, or fixed again, without anything being forgotten.
func TestUseOutlivesAChangeOfTheAlgorithm(t *testing.T) {
	t.Parallel()
	fixed, sliding := perHour(10), perHour(10)
	sliding.Sliding = true
	b := enforce.NewBook()
	b.Admit(noon, request(fixed))
	used(t, b, noon.Add(30*time.Minute), sliding, 1)
	b.Admit(noon.Add(30*time.Minute), request(sliding))
	used(t, b, noon.Add(40*time.Minute), fixed, 2)
	used(t, b, noon.Add(70*time.Minute), sliding, 2) // the hour from 12:00 overlaps the window
	used(t, b, noon.Add(70*time.Minute), fixed, 0)
	used(t, b, noon.Add(2*time.Hour), sliding, 0)
}

func TestTimeThatGoesBack(t *testing.T) {
	t.Parallel()
	c := perHour(10)
	b := enforce.NewBook()
	b.Admit(noon, request(c))
	ahead := noon.Add(100 * time.Hour)
	b.Admit(ahead, request(c))
	b.Turn(noon.Add(time.Minute))
	used(t, b, noon.Add(time.Minute), c, 1) // what was taken ahead of time counts now; noon was over
	used(t, b, noon.Add(time.Hour), c, 0)
	used(t, b, ahead, c, 0)
}

// An approval that was asked for or given while the clock was ahead lasts no longer for it.
func TestApprovalsWhenTimeGoesBack(t *testing.T) {
	t.Parallel()
	b := enforce.NewBook()
	ahead := noon.AddDate(1, 0, 0)
	park := func(id string, fingerprint byte) {
		t.Helper()
		p := &enforce.Parking{Approval: enforce.Approval{Fingerprint: [32]byte{fingerprint}}, TTL: time.Hour, Escalate: 30 * time.Minute}
		if _, _, err := b.Park(ahead, id, p); err != nil {
			t.Fatal(err)
		}
	}
	park("given", 1)
	park("pending", 2)
	if _, err := b.Decide(ahead, &enforce.Decision{ID: "given", Approve: true}); err != nil {
		t.Fatal(err)
	}
	back := noon.Add(time.Minute)
	b.Turn(back)
	if a := b.Approval("given"); !a.ExpiresAt.Equal(back.Add(enforce.UnusedApproval)) {
		t.Errorf("the approval that was given lasts until %s", a.ExpiresAt)
	}
	if a := b.Approval("pending"); !a.ExpiresAt.Equal(back.Add(time.Hour)) || !a.EscalateAt.Equal(back.Add(30*time.Minute)) {
		t.Errorf("the one that waits escalates at %s, and waits until %s", a.EscalateAt, a.ExpiresAt)
	}
	if list := b.Escalate(back.Add(-10 * time.Minute)); list != nil {
		t.Errorf("escalated: %+v", list)
	}
	list := b.Escalate(back.Add(31 * time.Minute))
	if len(list) != 1 || !list[0].ExpiresAt.Equal(b.Approval("pending").ExpiresAt) {
		t.Errorf("what is told of one that escalated is not what is stored: %+v", list)
	}
}

func TestSweepForgetsWhatIsOver(t *testing.T) {
	t.Parallel()
	b := enforce.NewBook()
	settle := func(at time.Time, id string, o enforce.Outcome, marks ...enforce.Counter) {
		b.Settle(at, &enforce.Settlement{Call: audit.Call{Request: id}, Outcome: o, Marks: marks, Keep: []time.Duration{time.Hour}})
	}
	for i, o := range []enforce.Outcome{enforce.Commit, enforce.Ambiguous} {
		r := request(perHour(10))
		r.Call.Request = fmt.Sprint("call-", i)
		b.Admit(noon, r)
		settle(noon, r.Call.Request, o, enforce.Counter{9})
	}
	open := request(perHour(10))
	open.Call.Request = "open"
	b.Admit(noon, open)
	parked, _, err := b.Park(noon, "apr_1", &enforce.Parking{TTL: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want := func(at time.Time, counters, marks, ambiguous, approvals int) {
		t.Helper()
		b.Sweep(at)
		c, m, o, a, p := b.Counts()
		if c != counters || m != marks || o != 1 || a != ambiguous || p != approvals {
			t.Errorf("%s later it holds %d counters, %d marks, %d open, %d ambiguous, %d approvals", at.Sub(noon), c, m, o, a, p)
		}
	}
	want(noon.Add(59*time.Minute), 1, 1, 1, 1)
	used(t, b, noon.Add(59*time.Minute), perHour(10), 3)
	want(noon.Add(3*time.Hour), 0, 0, 1, 1)
	want(noon.Add(31*24*time.Hour), 0, 0, 0, 1) // a pending approval is not forgotten
	if list := b.Expire(noon.Add(time.Hour)); len(list) != 1 || list[0].ID != parked.ID {
		t.Errorf("expired: %+v", list)
	}
	want(noon.Add(31*24*time.Hour), 0, 0, 0, 0)
}

func TestADecisionAllocatesLittle(t *testing.T) {
	b := enforce.NewBook()
	r := request(perHour(1 << 30))
	b.Admit(noon, r)
	if n := testing.AllocsPerRun(100, func() { b.Judge(noon, r) }); n != 0 {
		t.Errorf("judging allocates %v times", n)
	}
}
