//go:build unix

package stdiodial

import (
	"bytes"
	"context"
	"errors"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

func init() {
	detach = func(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} }
}

// alive reports whether a process runs; one that nobody waited for counts as gone.
func alive(t *testing.T, pid string) bool {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	return syscall.Kill(n, 0) == nil && !zombie(n)
}

func TestCrashBreaksCallsOffAndTheChildComesBack(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.BackOff = time.Millisecond })
	before := b.ask(t, "a", "pid", "")
	out, done := newSink(), make(chan error, 1)
	go func() { done <- b.Call(within(t), sent(t, "a", tool("1", "slow", "", `"progressToken":1`)), out) }()
	<-out.came
	err := b.Call(within(t), sent(t, "a", tool("2", "crash", "", "")), newSink())
	wantCode(t, err, exchange.BrokeOff)
	wantCode(t, <-done, exchange.BrokeOff)
	if after := b.ask(t, "a", "pid", ""); after == before {
		t.Error("the child did not change")
	}
}

func TestEveryCallIsAnsweredWhileChildrenAreKilled(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.BackOff = time.Millisecond })
	var wg sync.WaitGroup
	var results, broken atomic.Int64
	stop := make(chan struct{})
	for range 16 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				out := newSink()
				err := b.Call(within(t), sent(t, "a", tool("1", "echo", `{"x":1}`, "")), out)
				var e *exchange.Error
				switch {
				case err == nil && strings.Contains(out.final, `{"x":1}`):
					results.Add(1)
				case errors.As(err, &e) && out.final == "" && e.Code != exchange.TimedOut:
					broken.Add(1)
				default:
					t.Errorf("answered %q and %v", out.final, err)
				}
			}
		})
	}
	for range 5 {
		before := results.Load()
		eventually(t, "calls go through", func() bool { return results.Load() > before+50 })
		b.mu.Lock()
		for kid := range b.all {
			killGroup(kid.cmd.Process, true)
		}
		b.mu.Unlock()
	}
	close(stop)
	wg.Wait()
	t.Logf("%d results, %d errors", results.Load(), broken.Load())
}

// What a dead child left behind may hold its pipes for a while; calls do not wait for
// that, nor are they given the dead one.
func TestDeadChildGetsNoMoreCalls(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.BackOff = time.Millisecond })
	before := b.ask(t, "a", "pid", "")
	orphan, err := strconv.Atoi(b.ask(t, "a", "orphan", ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(orphan, syscall.SIGKILL) })
	b.mu.Lock()
	kid := b.homes["a"].modern
	b.mu.Unlock()
	done := make(chan error, 1)
	go func() { done <- b.Call(within(t), sent(t, "a", tool("2", "crash", "", "")), newSink()) }()
	eventually(t, "it takes no more", func() bool {
		kid.out.mu.Lock()
		defer kid.out.mu.Unlock()
		return kid.out.closed
	})
	if after := b.ask(t, "a", "pid", ""); after == before {
		t.Error("the dead child answered")
	}
	wantCode(t, <-done, exchange.BrokeOff)
}

func TestChildThatEndsInOrderIsReplacedAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.BackOff = time.Hour })
	b.ask(t, "a", "bye", "")
	eventually(t, "the child is gone", func() bool { return b.Children() == 0 })
	b.ask(t, "a", "pid", "")
}

func TestBackOff(t *testing.T) {
	t.Parallel()
	b := setup(t, "exit", func(o *Options) { o.BackOff = time.Minute })
	err := b.Call(within(t), sent(t, "a", tool("1", "pid", "", "")), newSink())
	if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
		wantCode(t, err, exchange.BackingOff)
	}
	err = b.Call(within(t), sent(t, "a", tool("1", "pid", "", "")), newSink())
	wantCode(t, err, exchange.BackingOff)
	var e *exchange.Error
	if !errors.As(err, &e) || e.Data["retry_after_ms"].(int64) <= 0 {
		t.Errorf("no delay in %v", err)
	}
	if _, err := b.Initialize(within(t), sent(t, "a", hello), newSink()); err == nil {
		t.Error("the back-off does not count for sessions")
	}
	eventually(t, "what it wrote to stderr is in the log", func() bool { return strings.Contains(b.log.String(), "no luck today") })
}

func TestBackOffGrows(t *testing.T) {
	t.Parallel()
	d := &Dialer{o: Options{BackOff: 250 * time.Millisecond}}
	h := &home{}
	for i, full := range []time.Duration{250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000} {
		full *= time.Millisecond
		d.crashed(h, time.Second)
		if got := time.Until(h.until); got > full || got < full/2-time.Second {
			t.Errorf("crash %d: %v of at most %v", i+1, got, full)
		}
	}
	d.crashed(h, 2*time.Minute)
	if got := time.Until(h.until); got > 250*time.Millisecond {
		t.Errorf("after a stable time: %v", got)
	}
}

func TestCommandThatIsNotThere(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.Command = []string{"no-such-program"}; o.BackOff = time.Millisecond })
	err := b.Call(within(t), sent(t, "a", tool("1", "pid", "", "")), newSink())
	wantCode(t, err, exchange.Unreachable)
	if !strings.Contains(err.Error(), `"no-such-program"`) {
		t.Errorf("the error does not say which: %v", err)
	}
}

func TestIdleChildIsStopped(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.IdleStop = 50 * time.Millisecond })
	first := b.ask(t, "a", "pid", "")
	eventually(t, "the idle child is stopped", func() bool { return b.Children() == 0 })
	if b.ask(t, "a", "pid", "") == first {
		t.Error("the child was not started again")
	}
}

func TestLimitOfChildren(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.PerCaller, o.Total = 1, 2 })
	s := b.open(t, "a")
	_, err := b.Initialize(within(t), sent(t, "a", hello), newSink())
	wantCode(t, err, exchange.TooMany)
	b.open(t, "b")
	_, err = b.Initialize(within(t), sent(t, "c", hello), newSink())
	wantCode(t, err, exchange.TooMany)
	if err := s.Close(within(t)); err != nil {
		t.Fatal(err)
	}
	b.open(t, "c")
}

// Sessions count for their caller even where the modern child is everybody's.
func TestLimitOfSessionsBesideASharedChild(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.Shared, o.PerCaller, o.Total = true, 1, 8 })
	b.open(t, "a")
	_, err := b.Initialize(within(t), sent(t, "a", hello), newSink())
	wantCode(t, err, exchange.TooMany)
	b.open(t, "b")
}

// A child that asks and never reads fills no memory with our answers.
func TestAnswersOfOurOwnAreBounded(t *testing.T) {
	t.Parallel()
	w := newWriter()
	for range 100 {
		w.force(make([]byte, 1<<20))
	}
	if w.bytes > 2*queueBytes {
		t.Errorf("%d bytes wait", w.bytes)
	}
}

func TestIdleSessionGivesWay(t *testing.T) {
	t.Parallel()
	b := setup(t, "legacy", func(o *Options) { o.PerCaller = 2 })
	idle, busy := b.open(t, "a").(*session), b.open(t, "a")
	ctx, cancel := context.WithCancel(within(t))
	defer cancel()
	out, done := newSink(), make(chan error, 1)
	go func() { done <- busy.Call(ctx, sent(t, "a", legacyTool("1", "slow", "")), out) }()
	<-out.came
	idle.mu.Lock()
	idle.touched = time.Now().Add(-idleEnough)
	idle.mu.Unlock()
	b.open(t, "a")
	wantCode(t, idle.Call(within(t), sent(t, "a", legacyTool("1", "pid", "")), newSink()), exchange.SessionLost)
	select {
	case err := <-done:
		t.Errorf("the busy session gave way: %v", err)
	default:
	}
	cancel()
	gone(t, <-done)
}

func TestShutdownLadder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		mode    string
		atLeast time.Duration
	}{
		{"modern", 0},     // ends with its input
		{"lingers", 300},  // ends with SIGTERM
		{"stubborn", 600}, // ends with SIGKILL
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			t.Parallel()
			b := setup(t, tt.mode)
			pid := b.ask(t, "a", "pid", "")
			start := time.Now()
			if err := b.Close(context.Background()); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(start); took < tt.atLeast*time.Millisecond {
				t.Errorf("took %v", took)
			}
			if alive(t, pid) {
				t.Error("the child is still there")
			}
			wantCode(t, b.Call(within(t), sent(t, "a", tool("1", "pid", "", "")), newSink()), exchange.ShuttingDown)
		})
	}
}

func TestCloseDoesNotWaitLongerThanItsContext(t *testing.T) {
	t.Parallel()
	b := setup(t, "stubborn", func(o *Options) { o.StopGrace = time.Hour })
	pid := b.ask(t, "a", "pid", "")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if alive(t, pid) {
		t.Error("the child is still there")
	}
}

func TestGrandchildrenEndWithTheChild(t *testing.T) {
	t.Parallel()
	b := setup(t, "modern", func(o *Options) { o.BackOff = time.Millisecond })
	for _, how := range []string{"crash", "close"} {
		grandchild := b.ask(t, "a", "grandchild", "")
		if !alive(t, grandchild) {
			t.Fatalf("no grandchild: %s", grandchild)
		}
		if how == "crash" {
			wantCode(t, b.Call(within(t), sent(t, "a", tool("2", "crash", "", "")), newSink()), exchange.BrokeOff)
		} else if err := b.Close(context.Background()); err != nil {
			t.Fatal(err)
		}
		eventually(t, "the grandchild ends after "+how, func() bool { return !alive(t, grandchild) })
	}
}

func TestStderrIsCopiedLineByLine(t *testing.T) {
	t.Parallel()
	var copied logBuffer
	b := setup(t, "modern", func(o *Options) { o.Stderr = &copied })
	b.ask(t, "a", "stderr", `{"text":"hello"}`)
	b.ask(t, "a", "stderr", `{"text":"`+strings.Repeat("y", 3*stderrLine)+`"}`)
	b.ask(t, "a", "stderr", `{"text":"the next"}`)
	eventually(t, "all lines are there", func() bool { return strings.Contains(copied.String(), "[test] the next\n") })
	lines := bytes.Split([]byte(copied.String()), []byte("\n"))
	if string(lines[0]) != "[test] hello" || len(lines[1]) > stderrLine+10 {
		t.Errorf("%q, then %d bytes", lines[0], len(lines[1]))
	}
}

func TestNothingIsLeftBehind(t *testing.T) {
	b := setup(t, "legacy")
	s := b.open(t, "a")
	ctx, cancel := context.WithCancel(within(t))
	out, done := newSink(), make(chan error, 2)
	go func() { done <- s.Call(ctx, sent(t, "a", legacyTool("1", "slow", "")), out) }()
	go func() { done <- s.Listen(ctx, nil, "", newSink()) }()
	<-out.came
	b.ask(t, "b", "pid", "")
	if err := b.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	cancel()
	gone(t, <-done)
	gone(t, <-done)
	noGoroutines(t)
}
