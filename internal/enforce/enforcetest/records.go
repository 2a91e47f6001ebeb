package enforcetest

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

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
	denied.Decision, denied.Code, denied.Rule, denied.Sealed = "deny", "hidden", "(hidden)", []byte("sealed")
	again.Decision, again.Code, again.Rule = "deny", "default_deny", "(default deny)"
	if err := s.Record(b.Context(), denied, again); err != nil {
		b.Fatal(err)
	}
	for _, want := range []audit.Call{denied, again} {
		if got := b.records(s, want.Request); len(got) != 1 || got[0].Code != want.Code || got[0].Rule != want.Rule {
			b.Errorf("recorded as %+v", got)
		}
	}
	// What a denied call was called with is kept for a replay, beside the log.
	for request, want := range map[string]string{denied.Request: "sealed", again.Request: ""} {
		found, err := s.Calls(b.Context(), enforce.CallFilter{Request: request, Arguments: true})
		if err != nil || len(found) != 1 || string(found[0].Arguments) != want {
			b.Errorf("found %+v, %v; want the arguments %q", found, err, want)
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
