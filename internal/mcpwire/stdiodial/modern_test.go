package stdiodial

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

func TestModernAnswersKeepTheirBytes(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	tests := []struct{ name, id, arguments string }{
		{"integer id", "7", `{"a":1}`},
		{"string id", `"7"`, `{"a":1}`},
		{"id above 2^53", "9007199254740993", `{"n":9007199254740993.000000001e3,"u":"\u00e9\/"}`},
		{"spaces and order", `"x y"`, `{ "z" : [ ] ,"a":null }`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			out := newSink()
			if err := b.Call(within(t), sent(t, "a", tool(tt.id, "echo", tt.arguments, "")), out); err != nil {
				t.Fatal(err)
			}
			// The fake server compacts what it quotes with json.RawMessage only through
			// fmt, which does not: the bytes come back.
			want := `{"jsonrpc":"2.0","id":` + tt.id + `,"result":{"arguments":` + tt.arguments + `}}`
			if out.final != want {
				t.Errorf("got  %s\nwant %s", out.final, want)
			}
		})
	}
}

func TestConcurrentCallsWithOneID(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			out := newSink()
			arguments := fmt.Sprintf(`{"n":%d}`, i)
			if err := b.Call(within(t), sent(t, "a", tool("1", "echo", arguments, "")), out); err != nil {
				t.Error(err)
				return
			}
			if want := `{"jsonrpc":"2.0","id":1,"result":{"arguments":` + arguments + `}}`; out.final != want {
				t.Errorf("got %s, want %s", out.final, want)
			}
		})
	}
	wg.Wait()
}

func TestOneChildPerCaller(t *testing.T) {
	t.Parallel()
	for _, shared := range []bool{false, true} {
		t.Run(fmt.Sprintf("shared %v", shared), func(t *testing.T) {
			t.Parallel()
			b := setup(t, "modern", func(o *Options) { o.Shared = shared })
			first, again, other := b.ask(t, "a", "pid", ""), b.ask(t, "a", "pid", ""), b.ask(t, "b", "pid", "")
			if first != again {
				t.Errorf("one caller has two children: %s, %s", first, again)
			}
			if (other == first) != shared {
				t.Errorf("another caller's child is %s, the first's %s", other, first)
			}
		})
	}
}

func TestLargeResults(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	if got := b.ask(t, "a", "big", `{"size":3145728}`); len(got) != 3<<20 {
		t.Errorf("%d bytes came", len(got))
	}
}

func TestResultBeyondTheLimitFailsItsCallOnly(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.Limits.Size = 64 << 10 })
	before := b.ask(t, "a", "pid", "")
	err := b.Call(within(t), sent(t, "a", tool("1", "big", `{"size":100000}`, "")), newSink())
	wantCode(t, err, exchange.BrokeOff) // it was done: no client may take it for one to send again
	if after := b.ask(t, "a", "pid", ""); after != before {
		t.Errorf("the child did not survive: %s, then %s", before, after)
	}
}

func TestGarbageIsDropped(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	if got := b.ask(t, "a", "garbage", ""); got != "still here" {
		t.Errorf("got %q", got)
	}
	if !strings.Contains(b.log.String(), "a line of the server's output was dropped") {
		t.Error("nothing was logged")
	}
	wantCode(t, b.Call(within(t), sent(t, "a", tool("1", "spoiled", "", "")), newSink()), exchange.BrokeOff)
}

func TestProgressGoesToItsCall(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			out := newSink()
			// All use one token: callers do not know of each other's.
			if err := b.Call(within(t), sent(t, "a", tool(fmt.Sprint(i), "progress", "", `"progressToken":"t"`)), out); err != nil {
				t.Error(err)
				return
			}
			out.mu.Lock()
			defer out.mu.Unlock()
			if len(out.events) != 3 {
				t.Errorf("call %d: %d notifications: %v", i, len(out.events), out.events)
			}
			for n, ev := range out.events {
				if want := fmt.Sprintf(`"progressToken":"t","progress":%d`, n); !strings.Contains(ev, want) {
					t.Errorf("call %d: %s lacks %s", i, ev, want)
				}
			}
		})
	}
	wg.Wait()
}

// A server that is slow to stop says things for a call that nobody waits for any more.
// The next caller of a shared child, whose token is often the same, gets none of it.
func TestWhatComesLateReachesNoOtherCaller(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.Shared = true })
	ctx, cancel := context.WithCancel(within(t))
	asks := `"progressToken":1,"io.modelcontextprotocol/logLevel":"info"`
	first, done := newSink(), make(chan error, 1)
	go func() { done <- b.Call(ctx, sent(t, "a", tool("1", "slow", "", asks)), first) }()
	if got := <-first.came; !strings.Contains(got, `"progressToken":1,`) {
		t.Errorf("the caller's own progress is %s", got)
	}
	cancel()
	gone(t, <-done)
	second := newSink()
	if err := b.Call(within(t), sent(t, "b", tool("1", "stale", "", asks)), second); err != nil {
		t.Fatal(err)
	}
	if len(second.events) != 0 {
		t.Errorf("another caller got %v", second.events)
	}
}

func TestEndOfContextCancelsUpstream(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	for _, late := range []string{"", "late"} {
		ctx, cancel := context.WithCancel(within(t))
		out := newSink()
		done := make(chan error, 1)
		go func() {
			done <- b.Call(ctx, sent(t, "a", tool(`"c"`, "slow", `{"text":"`+late+`"}`, `"progressToken":1`)), out)
		}()
		<-out.came // it runs
		cancel()
		if err := <-done; err == nil {
			t.Error("a cancelled call ended without an error")
		}
		if out.final != "" {
			t.Errorf("a cancelled call was answered: %s", out.final)
		}
	}
	eventually(t, "both cancellations arrive", func() bool {
		return len(strings.Fields(b.ask(t, "a", "cancelled", ""))) == 2
	})
}

func TestCallTimesOut(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.Timeout = time.Second })
	wantCode(t, b.Call(within(t), sent(t, "a", tool("1", "slow", "", `"progressToken":1`)), newSink()), exchange.TimedOut)
	eventually(t, "the server is told", func() bool { return b.ask(t, "a", "cancelled", "") != "" })
}

func TestLogMessagesGoToWhoAsked(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	for meta, want := range map[string]int{"": 0, `"io.modelcontextprotocol/logLevel":"info"`: 1} {
		out := newSink()
		if err := b.Call(within(t), sent(t, "a", tool("1", "log", "", meta)), out); err != nil {
			t.Fatal(err)
		}
		if len(out.events) != want {
			t.Errorf("with %q: %v", meta, out.events)
		}
	}
}

func TestSubscription(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern")
	listen := strings.Replace(tool(`"sub"`, "x", "", ""), "tools/call", "subscriptions/listen", 1)
	start := func(ctx context.Context) (*sink, chan error) {
		out, done := newSink(), make(chan error, 1)
		go func() { done <- b.Call(ctx, sent(t, "a", listen), out) }()
		if got := <-out.came; !strings.Contains(got, `"io.modelcontextprotocol/subscriptionId":"sub"`) || !strings.Contains(got, "acknowledged") {
			t.Errorf("acknowledged with %s", got)
		}
		return out, done
	}
	out, done := start(within(t))
	b.ask(t, "a", "touch", "")
	if got := <-out.came; !strings.Contains(got, `{"io.modelcontextprotocol/subscriptionId":"sub"},"uri":"a:b"`) {
		t.Errorf("updated with %s", got)
	}
	b.ask(t, "a", "teardown", "")
	if err := <-done; err != nil {
		t.Error(err)
	}
	if want := `{"jsonrpc":"2.0","id":"sub","result":{"resultType":"complete","_meta":{"io.modelcontextprotocol/subscriptionId":"sub"}}}`; out.final != want {
		t.Errorf("ended with %s", out.final)
	}
	if got := out.events[len(out.events)-1]; !strings.Contains(got, `"method":"notifications/cancelled","params":{"requestId":"sub"}`) {
		t.Errorf("torn down with %s", got)
	}

	ctx, cancel := context.WithCancel(within(t))
	_, done = start(ctx)
	cancel()
	gone(t, <-done)
	eventually(t, "the server is told", func() bool { return b.ask(t, "a", "cancelled", "") != "" })
}
