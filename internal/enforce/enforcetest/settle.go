package enforcetest

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

func testRollback(b *bundle) {
	s, other := b.open(), b.open()
	one, two := limit("one", time.Minute, 1), limit("two", time.Hour, 5)
	for range 5 {
		c := b.admitted(s, one, chargeOf(two).amount(4*whole))
		b.denied(other, 0, one)
		b.settle(s, c, enforce.Rollback)
		for _, from := range []enforce.Store{s, other} {
			b.wantUsed(from, one, 0)
			b.wantUsed(from, two, 0)
		}
	}
	b.admitted(other, one, chargeOf(two).amount(5*whole))
}

func testSettledOnce(b *bundle) {
	s := b.open()
	c := limit("calls", time.Minute, 5)
	first, second := b.admitted(s, c), b.admitted(s, c)
	b.settle(s, first, enforce.Rollback)
	b.settle(s, first, enforce.Rollback)
	b.settle(s, first, enforce.Commit)
	b.settle(s, first, enforce.Ambiguous)
	b.wantUsed(s, c, whole)
	b.settle(s, second, enforce.Commit)
	b.settle(s, second, enforce.Rollback)
	b.wantUsed(s, c, whole)
	for id, want := range map[string]string{first.Request: "rollback", second.Request: "commit"} {
		var outcomes []string
		for _, r := range b.records(s, id) {
			if r.Phase == audit.PhaseOutcome {
				outcomes = append(outcomes, r.Settlement)
			}
		}
		if !slices.Equal(outcomes, []string{want}) {
			b.Errorf("outcomes recorded: %v, want %s once", outcomes, want)
		}
	}
	if open, err := s.Ambiguous(b.Context(), 10); err != nil || len(open) != 0 {
		b.Errorf("settled calls are listed: %v %v", open, err)
	}
	// What was never admitted has nothing to give back.
	b.settle(s, b.call(), enforce.Rollback)
	b.wantUsed(s, c, whole)
}

func testSettleRace(b *bundle) {
	stores := []enforce.Store{b.open(), b.open()}
	c := limit("calls", time.Minute, 100)
	b.admitted(stores[0], c)
	for range 10 {
		call := b.admitted(stores[0], c)
		var wg sync.WaitGroup
		for i := range 6 {
			wg.Go(func() {
				if err := stores[i%2].Settle(b.Context(), &enforce.Settlement{Call: ended(call, enforce.Rollback), Outcome: enforce.Rollback}); err != nil {
					b.Error(err)
				}
			})
		}
		wg.Wait()
		b.wantUsed(stores[1], c, whole)
	}
}

func (b *bundle) ambiguous(s enforce.Store) []enforce.Reservation {
	b.Helper()
	list, err := s.Ambiguous(b.Context(), 100)
	if err != nil {
		b.Fatalf("ambiguous: %v", err)
	}
	return list
}

func testAmbiguous(b *bundle) {
	s, other := b.open(), b.open()
	c := limit("calls", time.Hour, 2)
	open := b.admitted(s, c)
	at := b.clock.Now()
	lost := b.admitted(s, c)
	b.settle(s, lost, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.wantUsed(other, c, 2*whole)
	b.denied(other, 0, c)
	list := b.ambiguous(other)
	if len(list) != 1 || list[0].Request != lost.Request || list[0].Grant != grant || list[0].Server != server || list[0].Tool != tool ||
		!list[0].At.Equal(at) || !slices.Equal(list[0].Rules, []string{c.Rule}) {
		b.Errorf("listed: %+v", list)
	}
	b.settle(s, open, enforce.Commit)
	b.clock.advance(time.Second)
	next := b.admitted(s)
	b.settle(s, next, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if list := b.ambiguous(other); len(list) != 2 || list[0].Request != next.Request {
		b.Errorf("not newest first: %+v", list)
	}
	if list, err := other.Ambiguous(b.Context(), 1); err != nil || len(list) != 1 {
		b.Errorf("%d listed, want 1: %v", len(list), err)
	}
}

func testReleasedOnce(b *bundle) {
	s, other := b.open(), b.open()
	c, day := limit("minute", time.Minute, 5), limit("day", 24*time.Hour, 5)
	b.admitted(s, c, day)
	lost, open := b.admitted(s, c, day), b.admitted(s)
	b.settle(s, lost, enforce.Ambiguous)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.clock.advance(time.Minute)
	b.admitted(s, c, day)
	if err := other.Release(b.Context(), open.Request, "mem_1", "still running"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an open call was released: %v", err)
	}
	if err := other.Release(b.Context(), "call_unknown", "mem_1", "typo"); !errors.Is(err, enforce.ErrNotFound) {
		b.Errorf("an unknown call was released: %v", err)
	}
	var won int
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, from := range []enforce.Store{s, other, s, other} {
		wg.Go(func() {
			err := from.Release(b.Context(), lost.Request, "mem_1", "it was never sent")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				won++
			case !errors.Is(err, enforce.ErrNotFound):
				b.Error(err)
			}
		})
	}
	wg.Wait()
	if won != 1 {
		b.Errorf("released %d times", won)
	}
	b.wantUsed(s, c, whole) // only the call of this minute
	b.wantUsed(s, day, 2*whole)
	if list := b.ambiguous(s); len(list) != 0 {
		b.Errorf("still listed: %+v", list)
	}
	got := b.records(other, lost.Request)
	if len(got) != 3 {
		b.Errorf("recorded as %+v, want decision, outcome and release", got)
	}
}

func testKilled(b *bundle) {
	if b.in.Kill == nil {
		b.Skip("a process can't be killed here; the store has a test of its own with real ones")
	}
	s, dead := b.open(), b.in.Open(b.T)
	c := limit("calls", 24*time.Hour, 3)
	alive, lost := b.admitted(s, c), b.admitted(dead, c)
	b.in.Kill(b.T, dead)
	b.clock.advance(time.Minute)
	b.eventually("the dead process's call is ambiguous", func() bool { return len(b.ambiguous(s)) > 0 })
	list := b.ambiguous(s)
	if len(list) != 1 || list[0].Request != lost.Request {
		b.Errorf("listed: %+v", list)
	}
	b.wantUsed(s, c, 2*whole)
	b.settle(s, alive, enforce.Rollback)
	b.wantUsed(s, c, whole)
	another := b.open()
	b.ambiguous(another)
	var outcomes []string
	for _, r := range b.records(s, lost.Request) {
		if r.Phase == audit.PhaseOutcome {
			outcomes = append(outcomes, r.Settlement)
		}
	}
	if !slices.Equal(outcomes, []string{"ambiguous"}) {
		b.Errorf("outcomes recorded: %v, want one", outcomes)
	}
	if err := s.Release(b.Context(), lost.Request, "mem_1", "looked"); err != nil {
		b.Error(err)
	}
	b.wantUsed(s, c, 0)
}

func testRecords(b *bundle) {
	s, other := b.open(), b.open()
	c := limit("calls", time.Minute, 50)
	var calls []audit.Call
	for i := range 10 {
		from := []enforce.Store{s, other}[i%2]
		call := b.admitted(from, c)
		b.settle(from, call, enforce.Commit)
		calls = append(calls, call)
	}
	if err := other.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	for _, call := range calls {
		got := b.records(s, call.Request)
		if len(got) != 2 || got[0].Phase != audit.PhaseDecision || got[1].Phase != audit.PhaseOutcome {
			b.Fatalf("recorded as %+v, want decision and then outcome", got)
		}
		d := got[0]
		if d.Decision != "allow" || d.Grant != grant || d.Server != server || d.Tool != tool || !slices.Equal(d.ArgKeys, call.ArgKeys) || d.Settlement != "" {
			b.Errorf("the decision is %+v", d)
		}
		if got[1].Settlement != "commit" {
			b.Errorf("the outcome is %+v", got[1])
		}
	}
}

func testRecordedDenial(b *bundle) {
	s := b.open()
	wide, full := limit("wide", time.Minute, 5), limit("full", time.Minute, 0)
	c, _ := b.reserve(s, wide, full)
	got := b.records(s, c.Request)
	if len(got) != 1 || got[0].Decision != "deny" || got[0].Code != "limit_exceeded" || got[0].Rule != full.Rule || got[0].Phase != audit.PhaseDecision {
		b.Errorf("recorded as %+v", got)
	}
	denied, again := b.call(), b.call()
	denied.Decision, denied.Code, denied.Rule = "deny", "hidden", "(hidden)"
	again.Decision, again.Code, again.Rule = "deny", "default_deny", "(default deny)"
	if err := s.Record(b.Context(), denied, again); err != nil {
		b.Fatal(err)
	}
	for _, want := range []audit.Call{denied, again} {
		if got := b.records(s, want.Request); len(got) != 1 || got[0].Code != want.Code || got[0].Rule != want.Rule {
			b.Errorf("recorded as %+v", got)
		}
	}
	if err := s.Record(b.Context()); err != nil {
		b.Errorf("to record nothing: %v", err)
	}
}

func testRecordsSurvive(b *bundle) {
	s := b.in.Open(b.T)
	c := b.admitted(s)
	b.settle(s, c, enforce.Commit)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	if got := b.records(b.open(), c.Request); len(got) != 2 {
		b.Errorf("recorded as %+v", got)
	}
}

func (b *bundle) find(s enforce.Store, f enforce.CallFilter) []enforce.RecordedCall {
	b.Helper()
	if err := s.Flush(b.Context()); err != nil {
		b.Fatalf("flush: %v", err)
	}
	got, err := s.Calls(b.Context(), f)
	if err != nil {
		b.Fatalf("calls: %v", err)
	}
	return got
}

func testCalls(b *bundle) {
	s, other := b.open(), b.open()
	var want []audit.Call
	for i := range 4 {
		c := b.call()
		switch i {
		case 1:
			c.Grant, c.Tool = "grt_2", "delete"
		case 2:
			c.Server, c.Workspace = "srv_2", "wks_2"
		case 3:
			c.Decision, c.Code, c.Rule = "deny", "denied", "/tools/send/deny_if/0"
		}
		if i == 3 {
			if err := other.Record(b.Context(), c); err != nil {
				b.Fatal(err)
			}
		} else {
			b.ask(s, &enforce.Request{Call: c})
		}
		want = append(want, c)
		b.clock.advance(time.Minute)
	}
	b.settle(s, want[0], enforce.Commit)
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	start := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		filter enforce.CallFilter
		want   []int // newest first
	}{
		"all":                 {enforce.CallFilter{}, []int{3, 2, 1, 0}},
		"workspace":           {enforce.CallFilter{Workspace: workspace}, []int{3, 1, 0}},
		"grant":               {enforce.CallFilter{Grant: "grt_2"}, []int{1}},
		"server":              {enforce.CallFilter{Server: "srv_2"}, []int{2}},
		"tool":                {enforce.CallFilter{Tool: tool}, []int{3, 2, 0}},
		"tool and server":     {enforce.CallFilter{Tool: tool, Server: server}, []int{3, 0}},
		"decision":            {enforce.CallFilter{Decision: "deny"}, []int{3}},
		"code":                {enforce.CallFilter{Code: "denied"}, []int{3}},
		"rule":                {enforce.CallFilter{Rule: "/tools/send/deny_if/0"}, []int{3}},
		"request":             {enforce.CallFilter{Request: want[2].Request}, []int{2}},
		"since":               {enforce.CallFilter{Since: start.Add(2 * time.Minute)}, []int{3, 2}},
		"until":               {enforce.CallFilter{Until: start.Add(time.Minute + time.Second)}, []int{1, 0}},
		"since and until":     {enforce.CallFilter{Since: start.Add(time.Second), Until: start.Add(150 * time.Second)}, []int{2, 1}},
		"nobody's":            {enforce.CallFilter{Grant: "grt_9"}, nil},
		"limit":               {enforce.CallFilter{Limit: 2}, []int{3, 2}},
		"grant and its limit": {enforce.CallFilter{Grant: grant, Limit: 1}, []int{3}},
	} {
		b.Run(name, func(t *testing.T) {
			for _, from := range []enforce.Store{s, other} {
				got, err := from.Calls(t.Context(), test.filter)
				if err != nil {
					t.Fatal(err)
				}
				var names, wanted []string
				for _, c := range got {
					names = append(names, c.Call.Request)
				}
				for _, i := range test.want {
					wanted = append(wanted, want[i].Request)
				}
				if !slices.Equal(names, wanted) {
					t.Errorf("found %v, want %v", names, wanted)
				}
			}
		})
	}
	got := b.find(other, enforce.CallFilter{Request: want[0].Request})
	if len(got) != 1 {
		b.Fatalf("found %+v", got)
	}
	c := got[0].Call
	if !got[0].Ended || !got[0].At.Equal(start) || c.Settlement != "commit" || c.UpstreamStatus != 200 || c.Outcome != "ok" || c.LatencyUS != 1500 {
		b.Errorf("without its outcome: %+v", got[0])
	}
	if c.Decision != "allow" || c.Policy != "pol_1" || c.PolicyVersion != 3 || !slices.Equal(c.ArgKeys, []string{"amount", "to"}) || c.ArgsHMAC != "m" || c.ToolHash != "h" {
		b.Errorf("not the decision: %+v", c)
	}
	if got := b.find(other, enforce.CallFilter{Request: want[1].Request}); len(got) != 1 || got[0].Ended {
		b.Errorf("an open call: %+v", got)
	}
}

func testPages(b *bundle) {
	s := b.open()
	want := map[string]bool{}
	for i := range 25 {
		want[b.admitted(s).Request] = true
		if i%3 == 0 { // several in one moment too
			b.clock.advance(time.Second)
		}
	}
	var last time.Time
	f := enforce.CallFilter{Grant: grant, Limit: 7}
	for pages := 1; ; pages++ {
		page := b.find(s, f)
		for _, c := range page {
			if !want[c.Call.Request] {
				b.Fatalf("%s comes twice, or was never made", c.Call.Request)
			}
			delete(want, c.Call.Request)
			if !last.IsZero() && c.At.After(last) {
				b.Fatal("not newest first")
			}
			last, f.Before = c.At, c.Call.Request
		}
		if len(page) < f.Limit {
			if pages != 4 {
				b.Errorf("%d pages, want 4", pages)
			}
			break
		}
	}
	if len(want) != 0 {
		b.Errorf("%d calls are on no page", len(want))
	}
}

func testArguments(b *bundle) {
	s := b.open()
	kept := &enforce.Request{Call: b.call(), Arguments: []byte("sealed")}
	b.ask(s, kept)
	refused := &enforce.Request{Call: b.call(), Arguments: []byte("sealed too"), Charges: []enforce.Charge{limit("none", time.Minute, 0)}}
	b.ask(s, refused)
	for id, want := range map[string]string{kept.Call.Request: "sealed", refused.Call.Request: "sealed too"} {
		if got := b.find(s, enforce.CallFilter{Request: id}); len(got) != 1 || got[0].Arguments != nil {
			b.Errorf("nobody asked for the arguments: %+v", got)
		}
		if got := b.find(s, enforce.CallFilter{Request: id, Arguments: true}); len(got) != 1 || string(got[0].Arguments) != want {
			b.Errorf("the arguments are not there: %+v", got)
		}
	}
}

func testClosed(b *bundle) {
	s := b.in.Open(b.T)
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	if reply, err := s.Reserve(b.Context(), &enforce.Request{Call: b.call()}); err == nil || reply.Admitted {
		b.Errorf("a closed store admits: %+v %v", reply, err)
	}
	if err := s.Record(b.Context(), b.call()); err == nil {
		b.Error("a closed store records")
	}
	if err := s.Health(b.Context()); err == nil {
		b.Error("a closed store is well")
	}
	if err := s.Close(); err != nil {
		b.Errorf("closing twice: %v", err)
	}
}

func testCancelledCaller(b *bundle) {
	s := b.open()
	c := limit("calls", time.Hour, 1000)
	var mu sync.Mutex
	admitted := 0
	var wg sync.WaitGroup
	for range 40 {
		ctx, cancel := context.WithCancel(b.Context())
		wg.Go(func() {
			reply, err := s.Reserve(ctx, &enforce.Request{Call: b.call(), Charges: []enforce.Charge{c}})
			mu.Lock()
			defer mu.Unlock()
			if err == nil && reply.Admitted {
				admitted++
			}
		})
		wg.Go(cancel)
	}
	wg.Wait()
	// Who was told nothing has nothing reserved.
	b.eventually("only admitted calls are counted", func() bool { return b.usage(s, c)[0] == int64(admitted)*whole })
}

func testHealth(b *bundle) {
	s := b.open()
	if err := s.Health(b.Context()); err != nil {
		b.Errorf("a fresh store: %v", err)
	}
	b.admitted(s)
	if err := s.Health(b.Context()); err != nil {
		b.Errorf("a used store: %v", err)
	}
}
