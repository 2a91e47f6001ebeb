package era_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// A session that is lost in the middle of a call takes the call with it: whether it was
// done nobody knows, so that it is not made a second time.
func TestCallThatBrokeOffIsNotMadeTwice(t *testing.T) {
	t.Parallel()
	f := &fake{legacy: func(context.Context, *fakeSession, *mcpwire.Message, exchange.Sink) error {
		return &exchange.Error{Code: exchange.BrokeOff, Cause: &exchange.Error{Code: exchange.SessionLost}}
	}}
	c := client{t: t, up: facing(t, f, era.Options{})}
	err := c.up.Call(t.Context(), c.modern("1", "tools/call", `"name":"pay"`), newRecord())
	if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
		t.Errorf("the error is %v", err)
	}
	if f.count() != 1 || len(f.session(t, 0).methods()) != 1 {
		t.Errorf("%d sessions, the first with %v", f.count(), f.session(t, 0).methods())
	}
}

// stuck is the sink of a client that takes nothing until it is released.
type stuck struct {
	*record
	release chan struct{}
	once    sync.Once
	began   chan struct{}
}

func newStuck() *stuck {
	return &stuck{record: newRecord(), release: make(chan struct{}), began: make(chan struct{})}
}

func (s *stuck) Send(e exchange.Event) error {
	s.once.Do(func() { close(s.began) })
	<-s.release
	return s.record.Send(e)
}

func TestListenIsBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		var uris []string
		for i := range 3000 {
			uris = append(uris, fmt.Sprintf(`"a:%d"`, i))
		}
		ctx, cancel := context.WithCancel(t.Context())
		out, end := newStuck(), make(chan error, 1)
		call := c.modern(`1`, "subscriptions/listen", `"notifications":{"resourceSubscriptions":[`+strings.Join(uris, ",")+`]}`)
		go func() { end <- c.up.Call(ctx, call, out) }()
		<-out.began
		for i := range 900 {
			f.session(t, 0).stream <- fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1","n":%d}}`, i)
		}
		synctest.Wait()
		close(out.release)
		synctest.Wait()
		all := out.all()
		if n := strings.Count(all[0], `"a:`); n != 1000 {
			t.Errorf("%d of the resources were acknowledged", n)
		}
		if len(all) > 300 || !strings.Contains(all[len(all)-1], `"n":899`) {
			t.Errorf("%d notifications were kept for a client that took none, the last %s", len(all)-1, all[len(all)-1])
		}
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
}

func TestQuestionsOfACallAreBounded(t *testing.T) {
	t.Parallel()
	f := &fake{legacy: func(ctx context.Context, _ *fakeSession, _ *mcpwire.Message, out exchange.Sink) error {
		for i := range 100 {
			if err := say(out, `{"jsonrpc":"2.0","id":"q%d","method":"elicitation/create","params":{"message":"?"}}`, i); err != nil {
				return err
			}
		}
		<-ctx.Done()
		return ctx.Err()
	}}
	c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps}
	got := string(c.call("1", "tools/call", `"name":"x"`).last(t).Raw)
	if n := strings.Count(got, "elicitation/create"); n != 64 {
		t.Errorf("the client was asked %d questions", n)
	}
	for range 100 - 64 {
		if m := <-f.session(t, 0).heard; m.Kind != mcpwire.Failure {
			t.Errorf("the server was told %s", m.Raw)
		}
	}
}

func TestLogsOnAnotherStreamAreBounded(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			if err := say(out, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"first"}}`); err != nil {
				return err
			}
			<-goOn
			return finish(m, out, "{}")
		}}
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps, meta: `,"io.modelcontextprotocol/logLevel":"info"`}
		out, end := newStuck(), make(chan error, 1)
		go func() { end <- c.up.Call(t.Context(), c.modern("1", "tools/call", `"name":"x"`), out) }()
		<-out.began
		for i := range 900 {
			f.session(t, 0).stream <- fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":%d}}`, i)
		}
		for range 50 {
			f.session(t, 0).stream <- `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"` + strings.Repeat("x", 4<<20) + `"}}`
		}
		synctest.Wait()
		close(goOn)
		synctest.Wait()
		close(out.release)
		if err := <-end; err != nil {
			t.Fatal(err)
		}
		size := 0
		for _, raw := range out.all() {
			size += len(raw)
		}
		if all := out.all(); len(all) > 300 || size > 80<<20 {
			t.Errorf("%d messages, %d bytes were kept for a client that took none", len(all), size)
		}
		contains(t, "the end", string(out.last(t).Raw), `"id":1,"result":{`)
	})
}

func TestSubscriptionsOfASessionAreBounded(t *testing.T) {
	t.Parallel()
	f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error { return finish(m, out, "{}") })
	s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
	c := client{t: t}
	var err error
	for i := range 1001 {
		if err != nil {
			t.Fatalf("subscription %d: %v", i, err)
		}
		err = s.Call(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a:%d"}}`, i), newRecord())
	}
	if !errors.Is(err, &exchange.Error{Code: exchange.TooMany}) {
		t.Errorf("the last: %v", err)
	}
}
