// Package enforcetest is the conformance suite of stores that enforce: every sentence
// of enforce.Store as a test, over one store and over several that share an
// installation.
package enforcetest

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// Installation is what several stores share: a state directory, or a database.
type Installation struct {
	// Open opens one more store of it, as another process would.
	Open func(t testing.TB) enforce.Store
	// Kill ends a store as kill -9 ends its process: nothing is tidied up. Nil where
	// that can't be had inside one process; the cases that need it are then skipped.
	Kill func(t testing.TB, s enforce.Store)
	// Log returns the bodies of the audit log's records, each chain in its order.
	Log func(t testing.TB) [][]byte
}

// Install makes a fresh installation whose stores take the time from now.
type Install func(t testing.TB, now func() time.Time) Installation

// Run runs every case against an installation of its own.
func Run(t *testing.T, install Install) {
	for name, test := range map[string]func(*bundle){
		// limits.go
		"a limit admits up to its maximum":                  testMaximum,
		"the first limit without room is named":             testFirstFailing,
		"a denial takes nothing from any limit":             testAllOrNothing,
		"a counter that comes twice is charged twice":       testSameCounterTwice,
		"a call without limits is admitted and recorded":    testNoLimits,
		"sums are exact to the millionth":                   testSums,
		"an amount beyond the maximum never fits":           testBeyondMaximum,
		"amounts neither overflow nor give back":            testExtremeAmounts,
		"another maximum holds at once":                     testChangedMaximum,
		"counters of other identities are apart":            testIdentities,
		"observe counts and admits":                         testObserve,
		"usage is what was taken":                           testUsage,
		"quota outlives the store":                          testReopened,
		"racing calls over two stores: exactly the maximum": testRace,
		"racing calls of several limits don't deadlock":     testCrossedLimits,
		// windows.go
		"a window ends at its boundary in UTC":            testBoundary,
		"a rollback finds its own window":                 testRollbackAcrossWindows,
		"retry after is the end of the window":            testRetryAfter,
		"a sliding window never holds more than its max":  testSliding,
		"a sliding window has room when it says":          testSlidingRetry,
		"what was done before is asked for with its mark": testMarks,
		"only a commit leaves marks":                      testMarksOfCommits,
		"any order of calls agrees with the naive model":  testModel,
		// settle.go
		"a rollback gives back at once, to all":          testRollback,
		"a call is settled once":                         testSettledOnce,
		"two stores settle a call once":                  testSettleRace,
		"an ambiguous call keeps what it took":           testAmbiguous,
		"what is ambiguous is released once":             testReleasedOnce,
		"calls of a process that died are ambiguous":     testKilled,
		"a decision is recorded before its outcome":      testRecords,
		"a denial by a limit is recorded with its rule":  testRecordedDenial,
		"recorded calls are found by every filter":       testCalls,
		"recorded calls are paged":                       testPages,
		"arguments come back only to those who ask":      testArguments,
		"a closed store admits nothing":                  testClosed,
		"a caller that went away leaves no reservation":  testCancelledCaller,
		"a store says that it is well":                   testHealth,
		"what was recorded survives a store that closed": testRecordsSurvive,
		// approvals.go
		"a call is parked and found":                           testPark,
		"an identical call finds the parked one":               testParkAgain,
		"a decided or expired one is parked anew":              testParkAnew,
		"no more than so many of a grant wait":                 testTooManyParked,
		"a person decides once":                                testDecide,
		"silence is a denial":                                  testSilence,
		"an approval is consumed with the call's limits":       testConsume,
		"a call without room leaves its approval":              testFailedReserveKeepsApproval,
		"an approval is for one fingerprint":                   testFingerprint,
		"an approval that nobody used ends":                    testUnused,
		"a rolled back call has used its approval":             testRollbackKeepsConsumed,
		"cancelling takes what is open of a grant or a server": testCancel,
		"approvals are listed by every filter":                 testList,
		"arguments are wiped in a terminal state":              testWiped,
		"two deciders: one wins":                               testDeciders,
		"two consumers: one wins":                              testConsumers,
		"deciding races with expiry: one wins":                 testDecideOrExpire,
		"each escalation is one process's":                     testEscalate,
		"each expiry is one process's":                         testExpire,
		"waiting ends with the decision, wherever it is made":  testAwait,
		"waiting ends with the caller":                         testAwaitCancelled,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			clock := &clock{now: time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)}
			test(&bundle{T: t, in: install(t, clock.Now), clock: clock})
		})
	}
}

// clock is the time of an installation; only a test moves it.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) set(at time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = at
}

func (c *clock) advance(d time.Duration) { c.set(c.Now().Add(d)) }

// bundle is what one case works with.
type bundle struct {
	*testing.T
	in    Installation
	clock *clock
	calls atomic.Int64
}

func (b *bundle) open() enforce.Store {
	b.Helper()
	s := b.in.Open(b.T)
	b.Cleanup(func() { _ = s.Close() })
	return s
}

const (
	workspace = "wks_1"
	grant     = "grt_1"
	server    = "srv_1"
	tool      = "send"
	whole     = 1_000_000 // one call, in millionths
)

// call is the decision of an admitted call with an id of its own.
func (b *bundle) call() audit.Call {
	return audit.Call{
		Request: fmt.Sprintf("call_%06d", b.calls.Add(1)), Phase: audit.PhaseDecision,
		Workspace: workspace, Grant: grant, Server: server, Method: "tools/call", Tool: tool, ToolHash: "h",
		Policy: "pol_1", PolicyVersion: 3, PolicyHash: "p", Decision: "allow",
		ArgKeys: []string{"amount", "to"}, ArgsHMAC: "m",
	}
}

// limit is a charge of one whole call.
func limit(name string, window time.Duration, most int64) enforce.Charge {
	return enforce.Charge{
		Counter: enforce.CounterOf(enforce.Identity{Org: workspace, Scope: "grant", ScopeID: grant, Section: "tool:" + tool, Counter: name, Window: window}),
		Window:  window, Amount: whole, Max: most * whole, Rule: "/tools/send/limits/" + name,
	}
}

func sliding(name string, window time.Duration, most int64) enforce.Charge {
	c := limit(name, window, most)
	c.Sliding = true
	return c
}

func (c chargeOf) amount(millionths int64) enforce.Charge {
	c.Amount = millionths
	return enforce.Charge(c)
}

type chargeOf enforce.Charge

// reserve asks for admission of a new call.
func (b *bundle) reserve(s enforce.Store, charges ...enforce.Charge) (audit.Call, enforce.Reply) {
	b.Helper()
	r := &enforce.Request{Call: b.call(), Charges: charges}
	return r.Call, b.ask(s, r)
}

func (b *bundle) ask(s enforce.Store, r *enforce.Request) enforce.Reply {
	b.Helper()
	reply, err := s.Reserve(b.Context(), r)
	if err != nil {
		b.Fatalf("reserve: %v", err)
	}
	if reply.Admitted && reply.Failed < 0 && reply.RetryAfter != 0 {
		b.Fatalf("a call with room is told to wait: %+v", reply)
	}
	return reply
}

func (b *bundle) admitted(s enforce.Store, charges ...enforce.Charge) audit.Call {
	b.Helper()
	c, reply := b.reserve(s, charges...)
	if !reply.Admitted || reply.Failed != -1 || reply.ApprovalGone {
		b.Fatalf("not admitted: %+v", reply)
	}
	return c
}

func (b *bundle) denied(s enforce.Store, failed int, charges ...enforce.Charge) enforce.Reply {
	b.Helper()
	_, reply := b.reserve(s, charges...)
	if reply.Admitted || reply.Failed != failed || reply.ApprovalGone {
		b.Fatalf("got %+v, want a denial by charge %d", reply, failed)
	}
	return reply
}

// ended is the record of a call's outcome.
func ended(c audit.Call, o enforce.Outcome) audit.Call {
	c.Phase = audit.PhaseOutcome
	c.Settlement = map[enforce.Outcome]string{enforce.Commit: "commit", enforce.Rollback: "rollback", enforce.Ambiguous: "ambiguous"}[o]
	c.UpstreamStatus, c.Outcome, c.LatencyUS = 200, "ok", 1500
	return c
}

func (b *bundle) settle(s enforce.Store, c audit.Call, o enforce.Outcome) {
	b.Helper()
	if err := s.Settle(b.Context(), &enforce.Settlement{Call: ended(c, o), Outcome: o}); err != nil {
		b.Fatalf("settle: %v", err)
	}
}

func (b *bundle) usage(s enforce.Store, charges ...enforce.Charge) []int64 {
	b.Helper()
	used, err := s.Usage(b.Context(), charges)
	if err != nil {
		b.Fatalf("usage: %v", err)
	}
	if len(used) != len(charges) {
		b.Fatalf("usage of %d counters: %v", len(charges), used)
	}
	return used
}

// wantUsed checks what is used of one counter, as a store sees it.
func (b *bundle) wantUsed(s enforce.Store, c enforce.Charge, want int64) {
	b.Helper()
	if got := b.usage(s, c)[0]; got != want {
		b.Fatalf("%d millionths are used, want %d", got, want)
	}
}

// record is what the suite reads of a record of the log.
type record struct {
	Kind       string   `json:"kind"`
	Phase      string   `json:"phase"`
	Request    string   `json:"request_id"`
	Grant      string   `json:"grant"`
	Server     string   `json:"server"`
	Tool       string   `json:"tool"`
	Decision   string   `json:"decision"`
	Code       string   `json:"code"`
	Rule       string   `json:"rule"`
	ArgKeys    []string `json:"arg_keys"`
	Approval   string   `json:"approval"`
	Settlement string   `json:"settlement"`
}

// records flushes the store and reads what the log says of one call.
func (b *bundle) records(s enforce.Store, request string) (out []record) {
	b.Helper()
	if err := s.Flush(b.Context()); err != nil {
		b.Fatalf("flush: %v", err)
	}
	for _, body := range b.in.Log(b.T) {
		var r record
		if err := json.Unmarshal(body, &r); err != nil {
			b.Fatalf("a record of the log: %v\n%s", err, body)
		}
		if r.Kind == "call" && r.Request == request {
			out = append(out, r)
		}
	}
	return out
}

// eventually waits for what another process does by itself, a bounded time.
func (b *bundle) eventually(what string, done func() bool) {
	b.Helper()
	ctx, cancel := context.WithTimeout(b.Context(), 20*time.Second)
	defer cancel()
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.Fatalf("it never came: %s", what)
		}
	}
}
