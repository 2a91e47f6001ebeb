package httpdial_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
)

func TestDeadUpstream(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_ = l.Close()
	var mu sync.Mutex
	now := time.Unix(0, 0)
	u := dial(t, httpdial.Options{URL: "http://" + address, Now: func() time.Time { mu.Lock(); defer mu.Unlock(); return now }})
	for range 3 {
		wantCode(t, u.Call(t.Context(), modern(t, call), &relay{}), exchange.Unreachable)
	}
	e := errorOf(t, u.Call(t.Context(), modern(t, call), &relay{}), exchange.BackingOff)
	if !e.Retryable() || e.Data["retry_after_ms"] == nil {
		t.Errorf("the error does not say when to try again: %s", e.Response(nil))
	}

	if l, err = net.Listen("tcp", address); err != nil {
		t.Skip("the port was taken meanwhile")
	}
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { answer(w, 200, done) })}
	go func() { _ = srv.Serve(l) }()
	defer srv.Close()
	mu.Lock()
	now = now.Add(time.Minute)
	mu.Unlock()
	for range 2 {
		if err := u.Call(t.Context(), modern(t, call), &relay{}); err != nil {
			t.Error(err)
		}
	}
}

// Once an upstream is connected to again, nobody waits until the first call is answered.
func TestSlowTryHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	for name, transport := range map[string]http.RoundTripper{"own": nil, "net/http": &http.Transport{}} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			address := l.Addr().String()
			_ = l.Close()
			var clock atomic.Int64
			u := dial(t, httpdial.Options{URL: "http://" + address, Transport: transport, Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
			for range 3 {
				wantCode(t, u.Call(t.Context(), modern(t, call), &relay{}), exchange.Unreachable)
			}
			if l, err = net.Listen("tcp", address); err != nil {
				t.Skip("the port was taken meanwhile")
			}
			began, release := make(chan struct{}), make(chan struct{})
			var asked atomic.Int64
			srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				_, _ = io.Copy(io.Discard, r.Body)
				if asked.Add(1) == 1 {
					close(began)
					<-release
				}
				answer(w, 200, done)
			})}
			go func() { _ = srv.Serve(l) }()
			defer srv.Close()
			clock.Store(60)
			first := background(t.Context(), func(ctx context.Context) error { return u.Call(ctx, modern(t, call), &relay{}) })
			wait(t, began, "the first call")
			if err := u.Call(t.Context(), modern(t, call), &relay{}); err != nil {
				t.Errorf("beside a slow call: %v", err)
			}
			close(release)
			if err := <-first; err != nil {
				t.Error(err)
			}
		})
	}
}

// An upstream that is killed and started again under load: every call is answered
// with a result or an error that says what is known.
func TestRestartUnderLoad(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	start := func(l net.Listener) *http.Server {
		s := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			answer(w, 200, done)
		})}
		go func() { _ = s.Serve(l) }()
		return s
	}
	srv := start(l)
	u := dial(t, httpdial.Options{URL: "http://" + address})
	stop := make(chan struct{})
	good, bad := make(chan struct{}, 1), make(chan struct{}, 1)
	count := func(c chan struct{}) {
		select {
		case c <- struct{}{}:
		default:
		}
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				err := u.Call(t.Context(), modern(t, call), &sink{})
				var e *exchange.Error
				switch {
				case err == nil:
					count(good)
				case errors.As(err, &e):
					count(bad)
				default:
					t.Errorf("error is %v", err)
				}
			}
		})
	}
	until := func(c chan struct{}, what string) {
		for range 100 {
			wait(t, c, what)
		}
	}
	until(good, "results")
	_ = srv.Close()
	until(bad, "errors")
	if l, err = net.Listen("tcp", address); err != nil {
		close(stop)
		wg.Wait()
		t.Skip("the port was taken meanwhile")
	}
	srv = start(l)
	until(good, "results again")
	close(stop)
	wg.Wait()
	_ = srv.Close()
}

// A connection that closes while it is idle costs no call.
func TestIdleConnectionClosed(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *recorded) { answer(w, 200, done) })
	u := to(t, s)
	for range 5 {
		if err := u.Call(t.Context(), modern(t, call), &relay{}); err != nil {
			t.Fatal(err)
		}
		s.CloseClientConnections()
	}
}

// An upstream that hangs up without an answer: a call is not sent twice, a list is.
func TestHangingUp(t *testing.T) {
	t.Parallel()
	s := serve(t, func(_ http.ResponseWriter, _ *recorded) { panic(http.ErrAbortHandler) })
	wantCode(t, to(t, s).Call(t.Context(), modern(t, call), &relay{}), exchange.BrokeOff)
	if n := len(s.got()); n != 1 {
		t.Errorf("the call was sent %d times", n)
	}
	list := modern(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+meta+`}}`)
	wantCode(t, to(t, s).Call(t.Context(), list, &relay{}), exchange.BrokeOff)
	if n := len(s.got()); n != 3 {
		t.Errorf("the list was asked for %d times; want twice", n-1)
	}
}

// A gateway that lost its server in the middle of a call answers like one that never
// had it: only what reads may be sent again without a thought.
func TestGatewayWithoutItsServer(t *testing.T) {
	t.Parallel()
	s := serve(t, func(w http.ResponseWriter, _ *recorded) { w.WriteHeader(502) })
	for method, retry := range map[string]bool{"tools/call": false, "tools/list": true} {
		c := modern(t, `{"jsonrpc":"2.0","id":1,"method":"`+method+`","params":{"name":"add",`+meta+`}}`)
		if e := exchange.As(to(t, s).Call(t.Context(), c, &sink{})); e.Retryable() != retry {
			t.Errorf("%s: %v may be sent again: %v", method, e, e.Retryable())
		}
	}
}

func TestCloseCutsWhatIsLeft(t *testing.T) {
	t.Parallel()
	began := make(chan struct{})
	s := serve(t, func(_ http.ResponseWriter, r *recorded) {
		close(began)
		<-r.Context().Done()
	})
	u := to(t, s)
	result := background(t.Context(), func(ctx context.Context) error { return u.Call(ctx, modern(t, call), &sink{}) })
	wait(t, began, "the call")
	over, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := u.Close(over); err != nil {
		t.Error(err)
	}
	wantCode(t, <-result, exchange.ShuttingDown)
}
