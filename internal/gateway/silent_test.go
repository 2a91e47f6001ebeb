package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/gateway"
	"sluice/internal/mcpwire/exchange"
)

// mute is a member that says nothing until it is told to speak.
func mute() (f *fake, speaks *atomic.Bool) {
	speaks = &atomic.Bool{}
	says := says(`{"tools":[{"name":"y"}]}`)
	return &fake{
		answer: func(ctx context.Context, c *exchange.Call, out exchange.Sink) (string, error) {
			if !speaks.Load() {
				return hangs(ctx, c, out)
			}
			return says(ctx, c, out)
		},
		hang: func(ctx context.Context) error {
			if !speaks.Load() {
				<-ctx.Done()
			}
			return ctx.Err()
		},
	}, speaks
}

// withLog is an aggregate of a and b, and what it logs.
func withLog(t *testing.T, a, b *fake) (exchange.Upstream, *bytes.Buffer) {
	t.Helper()
	var log bytes.Buffer
	up, err := gateway.Aggregate([]gateway.Member{{Name: "a", Prefix: "a_", Upstream: a}, {Name: "b", Prefix: "b_", Upstream: b}},
		gateway.AggregateOptions{Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelWarn}))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close(context.Background()) })
	return up, &log
}

func TestASilentMemberIsWaitedForOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, speaks := mute()
		up, log := withLog(t, &fake{answer: says(`{"tools":[{"name":"x"}]}`)}, b)
		for n, want := range []time.Duration{5 * time.Second, 0, 0} {
			begun := time.Now()
			got := ask(t, up, "tools/list", "")
			if took := time.Since(begun); took != want || !strings.Contains(got, `"sluice/unavailable":["b"]`) {
				t.Errorf("list %d took %v: %s", n, took, got)
			}
		}
		begun := time.Now()
		err := up.Call(t.Context(), modern(t, "tools/call", `"name":"b_y"`), &inbox{})
		var e *exchange.Error
		if !errors.As(err, &e) || e.Code != exchange.BackingOff || e.Fix == "" || !strings.Contains(e.Message, `server "b"`) || time.Since(begun) != 0 {
			t.Errorf("a call after %v: %v", time.Since(begun), err)
		}
		if text := ask(t, up, "resources/read", `"uri":"x:1"`); !strings.Contains(text, `"name":"x"`) || time.Since(begun) != 0 {
			t.Errorf("a guess after %v: %s", time.Since(begun), text)
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("%d warnings, want 1:\n%s", n, log)
		}
		speaks.Store(true)
		time.Sleep(2 * time.Minute) // it is asked again at the latest 30 s after it hung for 30
		synctest.Wait()
		if got := ask(t, up, "tools/list", ""); !strings.Contains(got, `[{"name":"a_x"},{"name":"b_y"}]`) {
			t.Error(got)
		}
		if n := strings.Count(log.String(), "\n"); n != 2 || !strings.Contains(log.String(), "answers again") {
			t.Errorf("%d warnings, want 2:\n%s", n, log)
		}
	})
}

func TestASilentMemberIsAskedBoundedlyAndAgainOnDemand(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, speaks := mute()
		up, _ := withLog(t, &fake{answer: says(`{"tools":[]}`)}, b)
		ask(t, up, "tools/list", "")
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(b.log()); n != 11 {
			t.Errorf("it was asked %d times", n)
		}
		speaks.Store(true)
		ask(t, up, "tools/list", "") // somebody wants it
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := ask(t, up, "tools/list", ""); !strings.Contains(got, "b_y") {
			t.Error(got)
		}
	})
}

func TestOneThatAnsweredBeforeStillTakesCalls(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, speaks := mute()
		speaks.Store(true)
		up, _ := withLog(t, &fake{answer: says(`{"tools":[]}`)}, b)
		ask(t, up, "tools/list", "")
		speaks.Store(false) // busy
		ask(t, up, "tools/list", "")
		ended := make(chan error, 1)
		ctx, cancel := context.WithCancel(t.Context())
		go func() { ended <- up.Call(ctx, modern(t, "tools/call", `"name":"b_y"`), &inbox{}) }()
		synctest.Wait()
		select {
		case err := <-ended:
			t.Errorf("the call did not wait: %v", err)
		default:
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("the call ended with %v", err)
		}
	})
}

func TestASilentMemberDelaysTheFirstSessionOnly(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, speaks := mute()
		up, log := withLog(t, &fake{answer: says(`{"tools":[{"name":"x"}]}`)}, b)
		var sessions []exchange.Session
		for n, want := range []time.Duration{5 * time.Second, 0} {
			begun := time.Now()
			s, got := open(t, up)
			sessions = append(sessions, s)
			if took := time.Since(begun); took != want || !strings.Contains(got, `"sluice/unavailable":["b"]`) {
				t.Errorf("session %d took %v: %s", n, took, got)
			}
			begun = time.Now()
			if got := call(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`); time.Since(begun) != 0 || !strings.Contains(got, `"sluice/unavailable":["b"]`) {
				t.Errorf("its list took %v: %s", time.Since(begun), got)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 1 {
			t.Errorf("%d warnings, want 1:\n%s", n, log)
		}
		speaks.Store(true)
		time.Sleep(3 * time.Minute)
		synctest.Wait()
		for n, s := range sessions {
			if got := call(t, s, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`); !strings.Contains(got, "b_y") {
				t.Errorf("session %d: %s", n, got)
			}
		}
		s, got := open(t, up)
		if strings.Contains(got, "unavailable") {
			t.Error(got)
		}
		for _, s := range append(sessions, s) {
			if err := s.Close(context.Background()); err != nil {
				t.Error(err)
			}
		}
		if n := strings.Count(log.String(), "\n"); n != 2 {
			t.Errorf("%d warnings, want 2:\n%s", n, log)
		}
	})
}

func TestAStreamIsAcknowledgedWithoutTheSilent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, _ := mute()
		a := streaming(`{"toolsListChanged":true}`, nil)
		listens := a.answer
		a.answer = func(ctx context.Context, c *exchange.Call, out exchange.Sink) (string, error) {
			if c.Message.Method == "tools/list" {
				return says(`{"tools":[]}`)(ctx, c, out)
			}
			return listens(ctx, c, out)
		}
		up, _ := withLog(t, a, b)
		ask(t, up, "tools/list", "")
		ctx, cancel := context.WithCancel(t.Context())
		out, ended := &inbox{came: make(chan struct{}, 1)}, make(chan struct{})
		begun := time.Now()
		go func() {
			defer close(ended)
			_ = up.Call(ctx, modern(t, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`), out)
		}()
		<-out.came
		if took := time.Since(begun); took != 0 {
			t.Errorf("acknowledged after %v", took)
		}
		cancel()
		<-ended
	})
}

func TestALogLevelReachesOneThatWasBusy(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b, speaks := mute()
		speaks.Store(true)
		up, _ := withLog(t, &fake{answer: says(`{"tools":[]}`)}, b)
		s, _ := open(t, up)
		speaks.Store(false)
		call(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`)
		begun := time.Now()
		call(t, s, `{"jsonrpc":"2.0","id":2,"method":"logging/setLevel","params":{"level":"debug"}}`)
		if took := time.Since(begun); took != 0 {
			t.Errorf("the others waited %v", took)
		}
		synctest.Wait()
		if heard := strings.Join(b.log(), "\n"); !strings.Contains(heard, `"level":"debug"`) {
			t.Errorf("it heard\n%s", heard)
		}
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
