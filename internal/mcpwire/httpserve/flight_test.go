package httpserve

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

func TestShutdownLetsCallsFinish(t *testing.T) {
	t.Parallel()
	begun, release := make(chan struct{}), make(chan struct{})
	url, h := endpoint(t, Options{Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(progress)}); err != nil {
			return err
		}
		close(begun)
		<-release
		return echo(ctx, c, out)
	}}})
	resp := listAt(t, url)
	wait(t, begun, "the call")
	down := make(chan error, 1)
	go func() { down <- h.Shutdown(context.Background()) }()
	for draining := false; !draining; { // until it refuses what is new
		h.mu.Lock()
		draining = h.draining
		h.mu.Unlock()
	}
	if late, answer := post(t, url, modernCall("1", "tools/list", ""), modernHeaders("tools/list")); late.StatusCode != 503 || !strings.Contains(answer, "shutting_down") {
		t.Errorf("a new call: %d %s", late.StatusCode, answer)
	}
	close(release)
	if got := all(t, resp); !strings.Contains(got, `"result"`) {
		t.Errorf("the call under way: %s", got)
	}
	if err := <-down; err != nil {
		t.Error(err)
	}
}

func TestShutdownCancelsWhatTakesTooLong(t *testing.T) {
	t.Parallel()
	url, h := endpoint(t, Options{Upstream: &fake{call: func(ctx context.Context, _ *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(progress)}); err != nil {
			return err
		}
		<-ctx.Done()
		return ctx.Err()
	}}})
	resp := listAt(t, url)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := h.Shutdown(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("Shutdown: %v", err)
	}
	if got := all(t, resp); !strings.Contains(got, "upstream_broke_off") || !strings.Contains(got, `"retryable":false`) {
		t.Errorf("a call that the upstream has: %s", got)
	}
}

func TestShutdownEndsStreamsInOrder(t *testing.T) {
	t.Parallel()
	wait := func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }
	s := &fakeSession{closed: make(chan struct{}), listen: func(ctx context.Context, _ *exchange.Call, _ string, out exchange.Sink) error {
		if err := out.Send(exchange.Event{}); err != nil {
			return err
		}
		return wait(ctx)
	}}
	up := opening(s)
	up.call = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(`{"ack":1}`)}); err != nil {
			return err
		}
		return wait(ctx)
	}
	url, h := endpoint(t, Options{Upstream: up})
	get := send(context.Background(), t, http.MethodGet, url, "", open(t, url))
	listen := send(context.Background(), t, http.MethodPost, url, modernCall(`"s"`, mcpwire.MethodListen, ""), modernHeaders(mcpwire.MethodListen))
	r := bufio.NewReader(listen.Body)
	until(t, r, `data: {"ack":1}`)
	if err := h.Shutdown(context.Background()); err != nil {
		t.Error(err)
	}
	want := "\ndata: {\"jsonrpc\":\"2.0\",\"id\":\"s\",\"result\":{\"resultType\":\"complete\",\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":\"s\"}}}\n\n"
	if rest, err := io.ReadAll(r); err != nil || string(rest) != want {
		t.Errorf("subscription: %q %v", rest, err)
	}
	if got := all(t, get); got != "" {
		t.Errorf("GET stream: %q", got)
	}
	select {
	case <-s.closed:
	default:
		t.Error("the session is still open upstream")
	}
}

func TestShutdownWaitsForHangingSessionsOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		h := New(Options{Upstream: &fake{}})
		for range 50 {
			h.open(&hangingSession{}, rand.Text(), "ada", "")
		}
		start := time.Now()
		if err := h.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
		if took := time.Since(start); took != closeTimeout {
			t.Errorf("shutdown took %v", took)
		}
	})
}

// hangingSession is one of an upstream that does not answer any more.
type hangingSession struct{ fakeSession }

func (*hangingSession) Close(ctx context.Context) error {
	<-ctx.Done()
	return ctx.Err()
}
