package pipeline_test

import (
	"context"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/enforce"
	"sluice/policy"
)

const asks = `{"version":"1","default":"deny","tools":{"pay":{"approve_if":[{"conditions":[],"message":"Money moves","ttl_seconds":900,"wait_seconds":0}]}}}`

// approved is a desk where the call pay {"amount":1} was parked and approved.
func approved(t *testing.T, document string) *desk {
	t.Helper()
	d := newDesk(t, document)
	if a := d.call("pay", `{"amount":1}`); a.code() != "approval_pending" {
		t.Fatalf("it is not parked: %s", a.raw)
	}
	d.books.decide(t, true, "")
	return d
}

func TestAnApprovedCallIsForwardedOnce(t *testing.T) {
	t.Parallel()
	d := newDesk(t, asks)
	a := d.call("pay", `{"amount":1}`)
	if a.code() != "approval_pending" || !a.isError || !strings.HasPrefix(a.text, "[APPROVAL PENDING] apr_") || a.says("approval") == "" {
		t.Fatalf("parked: %s", a.raw)
	}
	if rec := d.books.last(t); rec.Decision != "park" || rec.Code != "approval_pending" || rec.Rule == "" {
		t.Errorf("recorded %+v", rec)
	}
	again := d.call("pay", `{"amount":1}`)
	if again.says("approval") != a.says("approval") || d.books.notified != 1 {
		t.Errorf("the same call again: %s; people were told %d times", again.raw, d.books.notified)
	}
	if rec := d.books.last(t); rec.Decision != "park" || rec.Approval != a.says("approval") {
		t.Errorf("the second time it recorded %+v", rec)
	}
	id := d.books.decide(t, true, "")
	if a := d.call("pay", ` { "amount" : 1.0 } `); a.code() != "" || d.forwarded() != 1 {
		t.Fatalf("approved: %s", a.raw)
	}
	if rec := d.books.last(t); rec.Decision != "allow" || rec.Approval != id {
		t.Errorf("recorded %+v", rec)
	}
	if a := d.call("pay", `{"amount":1}`); a.code() != "approval_pending" || a.says("approval") == id || d.forwarded() != 1 {
		t.Errorf("used twice: %s", a.raw)
	}
}

// An approval fits the call it was given for, under the policy it was given under, and
// nothing else: vector 28.
func TestWhatAnApprovalDoesNotFit(t *testing.T) {
	t.Parallel()
	change := func(d *desk, version int, document string) {
		s := subject(d.t, "ann", document)
		s.Policies[0].Version = version
		d.dir.put("ann", s)
	}
	longer := strings.Replace(asks, "Money moves", "Money really moves", 1)
	tests := []struct {
		name      string
		arguments string // default: those that were approved
		between   func(*desk)
		tool      string
		code      string
	}{
		{name: "one byte of the arguments", arguments: `{"amount":2}`, code: "approval_pending"},
		{name: "one more argument", arguments: `{"amount":1,"to":null}`, code: "approval_pending"},
		{name: "a number that is the same double", arguments: `{"amount":1.00000000000000000001}`, code: "approval_pending"},
		{name: "text in place of a number", arguments: `{"amount":"1"}`, code: "approval_pending"},
		{name: "another tool", tool: "other", code: "default_deny"},
		{name: "the policy denies now", between: func(d *desk) {
			change(d, 2, `{"version":"1","default":"deny","tools":{"pay":{"deny_if":[{"conditions":[]}],"approve_if":[{"conditions":[],"wait_seconds":0}]}}}`)
		}, code: "denied"},
		{name: "another version of the policy", between: func(d *desk) { change(d, 2, asks) }, code: "approval_pending"},
		{name: "another document", between: func(d *desk) { change(d, 1, longer) }, code: "approval_pending"},
		{name: "it was not used in time", between: func(d *desk) { d.books.advance(enforce.UnusedApproval) }, code: "approval_pending"},
		{name: "the grant's are cancelled", between: func(d *desk) {
			d.books.book.Cancel(d.books.now, &enforce.Cancellation{Grant: "ann"})
		}, code: "approval_pending"},
		{name: "another grant", between: func(d *desk) {
			s := subject(d.t, "ann", asks)
			s.Grant = "bob"
			d.dir.put("ann", s)
		}, code: "approval_pending"},
		{name: "nobody is asked any more", between: func(d *desk) { change(d, 2, `{"version":"1","default":"deny","tools":{"pay":{}}}`) }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := approved(t, asks)
			if tt.between != nil {
				tt.between(d)
			}
			if tt.arguments == "" {
				tt.arguments = `{"amount":1}`
			}
			if tt.tool == "" {
				tt.tool = "pay"
			}
			if a := d.call(tt.tool, tt.arguments); a.code() != tt.code || (d.forwarded() == 1) != (tt.code == "") {
				t.Errorf("the answer is %s", a.raw)
			}
		})
	}
}

func TestADeniedApprovalSaysWhy(t *testing.T) {
	t.Parallel()
	d := newDesk(t, asks)
	d.call("pay", `{"amount":1}`)
	id := d.books.decide(t, false, "Not this month.")
	for range 2 {
		if a := d.call("pay", `{"amount":1}`); a.code() != "approval_denied" || !strings.HasSuffix(a.text, "Not this month.") || a.says("approval") == "" {
			t.Fatalf("the answer is %s", a.raw)
		}
		if rec := d.books.last(t); rec.Decision != "deny" || rec.Code != "approval_denied" || rec.Approval != id {
			t.Errorf("recorded %+v", rec)
		}
	}
	if a := d.call("pay", `{"amount":2}`); a.code() != "approval_pending" {
		t.Errorf("another call: %s", a.raw)
	}
	d.books.advance(15 * time.Minute)
	if a := d.call("pay", `{"amount":1}`); a.code() != "approval_pending" {
		t.Errorf("after its time: %s", a.raw)
	}
	if d.forwarded() != 0 {
		t.Error("it was forwarded")
	}
}

// Vector 29: an approval is not used up by a call that a limit keeps back.
func TestAnApprovalOutlivesAFullLimit(t *testing.T) {
	t.Parallel()
	d := newDesk(t, strings.Replace(asks, `"pay":{`, `"pay":{"limits":[{"counter":"n","window":"minute","max":1,"scope":"grant"}],`, 1))
	for i := range 2 {
		d.call("pay", `{"amount":`+strconv.Itoa(i)+`}`)
		d.books.decide(t, true, "")
	}
	if a := d.call("pay", `{"amount":0}`); a.code() != "" {
		t.Fatalf("the first: %s", a.raw)
	}
	if a := d.call("pay", `{"amount":1}`); a.code() != "limit_exceeded" {
		t.Fatalf("the second: %s", a.raw)
	}
	d.books.advance(time.Minute)
	if a := d.call("pay", `{"amount":1}`); a.code() != "" || d.forwarded() != 2 {
		t.Errorf("in the next minute: %s", a.raw)
	}
}

// A call that is held goes on as soon as a person decides, judged by what holds then.
func TestAHeldCall(t *testing.T) {
	t.Parallel()
	holds := strings.Replace(asks, `"wait_seconds":0`, `"wait_seconds":25`, 1)
	held := func(t *testing.T, then func(*desk)) *answer {
		t.Helper()
		d := newDesk(t, holds)
		parked := make(chan struct{}, 8)
		d.books.onPark = func() { parked <- struct{}{} }
		done := make(chan struct{})
		go func() {
			defer close(done)
			<-parked
			then(d)
		}()
		a := d.call("pay", `{"amount":1}`)
		<-done
		return a
	}
	t.Run("approved", func(t *testing.T) {
		t.Parallel()
		if a := held(t, func(d *desk) { d.books.decide(t, true, "") }); a.code() != "" {
			t.Errorf("the answer is %s", a.raw)
		}
	})
	t.Run("denied", func(t *testing.T) {
		t.Parallel()
		if a := held(t, func(d *desk) { d.books.decide(t, false, "No.") }); a.code() != "approval_denied" {
			t.Errorf("the answer is %s", a.raw)
		}
	})
	t.Run("expired", func(t *testing.T) {
		t.Parallel()
		if a := held(t, func(d *desk) { d.books.advance(time.Hour); d.books.expire() }); a.code() != "approval_expired" {
			t.Errorf("the answer is %s", a.raw)
		}
	})
	t.Run("approved under a policy that denies by now", func(t *testing.T) {
		t.Parallel()
		if a := held(t, func(d *desk) {
			d.dir.put("ann", subject(t, "ann", readsOnly))
			d.books.decide(t, true, "")
		}); a.code() != "default_deny" {
			t.Errorf("the answer is %s", a.raw)
		}
	})
	t.Run("its grant is revoked", func(t *testing.T) {
		t.Parallel()
		if a := held(t, func(d *desk) { d.dir.put("ann", nil) }); !strings.Contains(a.raw, `"grant_ended"`) {
			t.Errorf("the answer is %s", a.raw)
		}
	})
	t.Run("its client gives up", func(t *testing.T) {
		t.Parallel()
		d := newDesk(t, holds)
		ctx, cancel := context.WithCancel(t.Context())
		d.books.onPark = cancel
		if err := d.front.Call(ctx, modern(t, "1", "tools/call", `"name":"pay"`, `{}`), newTape()); err == nil || d.forwarded() != 0 {
			t.Errorf("it ended with %v", err)
		}
	})
}

// A store that fails while a call waits for a person gives it one answer, and the process
// goes on.
func TestTheStoreFailsWhileACallIsParked(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		wait    string
		prepare func(*desk)
	}{
		"held": {wait: "25", prepare: func(d *desk) {
			d.books.onAwait = func() error { return errBroken }
		}},
		"repeated": {wait: "0", prepare: func(d *desk) {
			d.call("pay", `{"amount":1}`)
			d.books.onPark = func() { d.books.broken = errBroken }
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, strings.Replace(asks, `"wait_seconds":0`, `"wait_seconds":`+tt.wait, 1))
			tt.prepare(d)
			out := newTape()
			if err := d.front.Call(t.Context(), modern(t, "1", "tools/call", `"name":"pay","arguments":{"amount":1}`, `{}`), out); err != nil {
				t.Fatal(err)
			}
			if a := readAnswer(t, out.last(t)); len(out.events) != 1 || a.code() != string(policy.StoreUnavailable) || d.forwarded() != 0 {
				t.Errorf("the answers are %q", out.events)
			}
		})
	}
}

// Two calls race for one approval: one is forwarded, the other waits anew.
func TestTwoCallsRaceForOneApproval(t *testing.T) {
	t.Parallel()
	d := approved(t, asks)
	// The second call takes the approval while the first is between finding and using it.
	first := true
	d.books.onPark = func() {
		if first {
			first = false
			d.books.book.Admit(d.books.now, &enforce.Request{
				Call: d.books.calls[0], Approval: "apr_1", Fingerprint: d.books.book.Approval("apr_1").Fingerprint,
			})
		}
	}
	if a := d.call("pay", `{"amount":1}`); a.code() != "approval_pending" || d.forwarded() != 0 {
		t.Errorf("the answer is %s", a.raw)
	}
}

func TestTooManyParkedCallsAreDenied(t *testing.T) {
	t.Parallel()
	d := newDesk(t, asks)
	for i := range enforce.MaxParked {
		if a := d.call("pay", `{"amount":`+strconv.Itoa(i)+`}`); a.code() != "approval_pending" {
			t.Fatalf("call %d: %s", i, a.raw)
		}
	}
	if a := d.call("pay", `{"amount":-1}`); a.code() != string(policy.LimitExceeded) || !strings.Contains(a.text, "approval") {
		t.Errorf("one more: %s", a.raw)
	}
}

// Where two policies ask, whoever answers may answer for both.
func TestTwoPoliciesAsk(t *testing.T) {
	t.Parallel()
	asking := func(approvers string) string {
		return strings.Replace(asks, `"wait_seconds":0`, `"wait_seconds":0`+approvers, 1)
	}
	named := func(names string) string { return asking(`,"approvers":[` + names + `]`) }
	tests := map[string]struct {
		first, second string
		code, names   string
	}{
		"nobody is named":            {asks, asks, "approval_pending", ""},
		"the first names somebody":   {named(`"ann"`), asks, "approval_pending", "ann"},
		"the second names somebody":  {asks, named(`"ann"`), "approval_pending", "ann"},
		"both name one":              {named(`"bob","ann"`), named(`"ann","cid"`), "approval_pending", "ann"},
		"they name different people": {named(`"bob"`), named(`"ann"`), "denied", ""},
		"a role and a member":        {named(`"role:admin"`), named(`"ann"`), "denied", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, tt.first, tt.second)
			if a := d.call("pay", `{"amount":1}`); a.code() != tt.code {
				t.Fatalf("the answer is %s", a.raw)
			}
			if tt.code != "approval_pending" {
				return
			}
			if got := strings.Join(d.books.pending(t).Approvers, " "); got != tt.names {
				t.Errorf("it may be decided by %q", got)
			}
			d.books.decide(t, true, "")
			// The policy that is not named in the approval asks differently now.
			for i, document := range []string{tt.first, tt.second} {
				documents := []string{tt.first, tt.second}
				documents[i] = strings.Replace(document, "Money moves", "Money really moves", 1)
				d.dir.put("ann", subject(t, "ann", documents...))
				if a := d.call("pay", `{"amount":1}`); a.code() != "approval_pending" {
					t.Errorf("policy %d is another one: %s", i, a.raw)
				}
			}
			d.dir.put("ann", subject(t, "ann", tt.first, tt.second))
			if a := d.call("pay", `{"amount":1}`); a.code() != "" {
				t.Errorf("approved: %s", a.raw)
			}
		})
	}
}

// The answer to a question of the upstream belongs to the call that a person agrees to.
func TestAnswersToTheUpstreamArePartOfTheCall(t *testing.T) {
	t.Parallel()
	for _, more := range []string{`,"requestState":"s"`, `,"inputResponses":{"q":{"action":"accept"}}`} {
		d := approved(t, asks)
		c := modern(t, "1", "tools/call", `"name":"pay","arguments":{"amount":1}`+more, `{}`)
		if a := readAnswer(t, d.with(d.front, c)); a.code() != "approval_pending" {
			t.Errorf("with %s: %s", more, a.raw)
		}
	}
}

// Numbers that are one double are told apart by where they stand, in whatever order the
// arguments are written.
func TestAnApprovalTellsLargeNumbersApart(t *testing.T) {
	t.Parallel()
	const one, other = `9007199254740993`, `9007199254740992`
	tests := map[string]struct {
		arguments string
		code      string
	}{
		"the same":                 {`{"from":` + one + `,"to":` + other + `}`, ""},
		"written in another order": {`{"to":` + other + `,"from":` + one + `}`, ""},
		"the other way round":      {`{"from":` + other + `,"to":` + one + `}`, "approval_pending"},
		"the other way round, written in another order": {`{"to":` + one + `,"from":` + other + `}`, "approval_pending"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, asks)
			d.call("pay", `{"from":`+one+`,"to":`+other+`}`)
			d.books.decide(t, true, "")
			if a := d.call("pay", tt.arguments); a.code() != tt.code {
				t.Errorf("the answer is %s", a.raw)
			}
		})
	}
}
