package era_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

func TestQuestionThatTheServerTakesBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		goOn := make(chan struct{})
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			_ = say(out, "%s", elicit)
			<-goOn
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"srv-1"}}`)
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":2}}`, m.Bytes(m.ProgressToken))
			return finish(m, out, `{"content":[]}`)
		}}
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps, meta: `,"progressToken":"one"`}
		first := c.call("1", "tools/call", `"name":"x"`).last(t)
		close(goOn)
		synctest.Wait() // the call ends while nobody is there
		c.meta = `,"progressToken":"two"`
		second := c.call("2", "tools/call", `"name":"x","requestState":`+at(t, first, "result", "requestState")+`,"inputResponses":{}`)
		same(t, "result", at(t, second.last(t), "result", "resultType"), `"complete"`)
		contains(t, "progress that came meanwhile", second.all()[0], `"progressToken":"two"`)
		if n := len(f.session(t, 0).heard); n != 0 {
			t.Errorf("the server got %d answers to a question it took back", n)
		}
	})
}

func TestNotificationsOfOthersCross(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		request := c.modern("1", "vendor/note", `"x":1.0`)
		raw := strings.Replace(string(request.Message.Raw), `"id":1,`, "", 1)
		note := *request
		note.Message = message(t, "%s", raw)
		if err := c.up.Notify(t.Context(), &note); err != nil { // no session yet: nobody to tell
			t.Fatal(err)
		}
		c.call("2", "tools/list", "")
		if err := c.up.Notify(t.Context(), &note); err != nil {
			t.Fatal(err)
		}
		got := <-f.session(t, 0).heard
		same(t, "note", string(got.Raw), `{"jsonrpc":"2.0","method":"vendor/note","params":{"_meta":{},"x":1.0}}`)
	})
	t.Run("to a modern server", func(t *testing.T) {
		t.Parallel()
		synctest.Test(t, func(t *testing.T) {
			f := newModern(nil)
			s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
			c := client{t: t}
			if err := s.Notify(t.Context(), c.legacy(`{"jsonrpc":"2.0","method":"vendor/note","params":{"x":1.0}}`)); err != nil {
				t.Fatal(err)
			}
			if err := s.Notify(t.Context(), c.legacy(`{"jsonrpc":"2.0","method":"notifications/roots/list_changed"}`)); err != nil {
				t.Fatal(err)
			}
			if len(f.notified) != 1 {
				t.Fatalf("it heard %q", f.notified)
			}
			contains(t, "note", f.notified[0], `"x":1.0`, mcpwire.MetaProtocolVersion)
		})
	})
}

func TestClientWithoutASession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
			return finish(m, out, `{"resultType":"complete","tools":[]}`)
		})
		up := facing(t, &f.fake, era.Options{})
		c := client{t: t, up: up}
		opened(t, up, "{}") // the server is found to be modern
		s, err := up.Resume(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"tools/list"}`))
		if err != nil {
			t.Fatal(err)
		}
		same(t, "result", at(t, request(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/list"}`).last(t), "result"), `{"tools":[]}`)
		if err := s.Listen(t.Context(), &exchange.Call{Message: &mcpwire.Message{}}, "", newRecord()); !errors.Is(err, exchange.ErrNoStream) {
			t.Errorf("its stream: %v", err)
		}
	})
}

func TestSubscriptionThatTheServerRefuses(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &refusingSubscriptions{fake: *echoing("{}")}
		c := client{t: t, up: era.New(f, era.Options{})}
		defer func() { _ = c.up.Close(context.Background()) }()
		r, end := listening(t, c, `1`, `{"resourceSubscriptions":["good","bad"]}`)
		<-r.came
		same(t, "honoured", at(t, r.last(t), "params", "notifications"), `{"resourceSubscriptions":["good"]}`)
		if err := end(); !errors.Is(err, context.Canceled) {
			t.Errorf("it ended with %v", err)
		}
	})
}

type refusingSubscriptions struct{ fake }

func (f *refusingSubscriptions) Initialize(ctx context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	s, err := f.fake.Initialize(ctx, c, out)
	return &refusingSession{s.(*fakeSession)}, err
}

type refusingSession struct{ *fakeSession }

func (s *refusingSession) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if uri, _ := c.Message.Text(c.Message.URI); uri == "bad" {
		return fail(c.Message, out, -32602, "no", "")
	}
	return s.fakeSession.Call(ctx, c, out)
}

func TestErrorWithoutAnIDReachesItsCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, _ *mcpwire.Message, out exchange.Sink) error {
			return out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}`), Final: true})
		}}
		c := client{t: t, up: facing(t, f, era.Options{})}
		got := c.call(`"x"`, "tools/list", "").last(t)
		same(t, "id", at(t, got, "id"), `"x"`)
		same(t, "message", at(t, got, "error", "message"), `"what?"`)
	})
}

func TestCallThatEndsWithoutAnAnswer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{legacy: func(context.Context, *fakeSession, *mcpwire.Message, exchange.Sink) error { return nil }}
		c := client{t: t, up: facing(t, f, era.Options{})}
		err := c.up.Call(t.Context(), c.modern("1", "tools/call", `"name":"x"`), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
			t.Errorf("got %v", err)
		}
		f.legacy = func(_ context.Context, _ *fakeSession, _ *mcpwire.Message, out exchange.Sink) error {
			return say(out, `{"jsonrpc":`)
		}
		err = c.up.Call(t.Context(), c.modern("2", "tools/call", `"name":"x"`), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
			t.Errorf("after rubbish: %v", err)
		}
	})
}

func TestSlowClientHoldsItsServerBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		sent := make(chan int, 1000)
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			for i := range 500 {
				if err := say(out, `{"jsonrpc":"2.0","method":"notifications/vendor","params":{"n":%d}}`, i); err != nil {
					return err
				}
				sent <- i
			}
			return finish(m, out, `{}`)
		}}
		c := client{t: t, up: facing(t, f, era.Options{})}
		r := &slow{record: newRecord(), gate: make(chan struct{})}
		done := make(chan error)
		go func() { done <- c.up.Call(t.Context(), c.modern("1", "tools/call", `"name":"x"`), r) }()
		synctest.Wait()
		if n := len(sent); n > 100 {
			t.Errorf("%d messages were taken from the server while the client took none", n)
		}
		close(r.gate)
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		if n := len(r.all()); n != 501 {
			t.Errorf("%d messages arrived", n)
		}
	})
}

// slow is a client that takes nothing until its gate opens.
type slow struct {
	*record
	gate chan struct{}
}

func (s *slow) Send(e exchange.Event) error {
	<-s.gate
	return s.record.Send(e)
}
