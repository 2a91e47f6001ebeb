package pipeline_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

const changedNotice = `"method":"notifications/tools/list_changed"`

// forever is a stream on which nothing is said.
func forever(ctx context.Context, _ string, out exchange.Sink) error {
	if err := out.Send(exchange.Event{}); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// acknowledges answers subscriptions/listen with what it agreed to.
func acknowledges(agreed string) func(context.Context, *exchange.Call, exchange.Sink) (bool, error) {
	return func(ctx context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		if c.Message.Method != mcpwire.MethodListen {
			return false, nil
		}
		id := string(c.Message.Bytes(c.Message.ID))
		err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":` +
			id + `},"notifications":` + agreed + `}}`)})
		if err == nil {
			<-ctx.Done()
			err = ctx.Err()
		}
		return true, err
	}
}

// ear listens for as long as a test wants.
type ear struct {
	*tape
	stop context.CancelFunc
	done chan error
}

func hearing(t *testing.T, listen func(context.Context, exchange.Sink) error) *ear {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	e := &ear{tape: newTape(), stop: cancel, done: make(chan error, 1)}
	go func() { e.done <- listen(ctx, e.tape) }()
	t.Cleanup(cancel)
	return e
}

// silent fails when something was said that was not waited for.
func (e *ear) silent(t *testing.T, why string) {
	t.Helper()
	synctest.Wait()
	if n := len(e.said); n > 0 {
		t.Errorf("%s: %d messages, %q", why, n, e.last(t))
	}
}

func (l *lab) session(caps string) func(context.Context, exchange.Sink) error {
	s := l.open(caps)
	return func(ctx context.Context, out exchange.Sink) error { return s.Listen(ctx, l.stream(), "", out) }
}

func (l *lab) subscription(id, filter string) func(context.Context, exchange.Sink) error {
	c := modern(l.t, id, "subscriptions/listen", `"notifications":`+filter, `{}`)
	c.Caller.Expires = l.expires
	return func(ctx context.Context, out exchange.Sink) error { return l.front.Call(ctx, c, out) }
}

// TestStreamsTellWhatAPolicyChanges has every kind of stream.
func TestStreamsTellWhatAPolicyChanges(t *testing.T) {
	t.Parallel()
	unknown := func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		if c.Message.Method == mcpwire.MethodListen {
			return true, failure(out, c, mcpwire.CodeMethodNotFound, "what is that")
		}
		return false, nil
	}
	const mine = `"io.modelcontextprotocol/subscriptionId":"s-1"`
	for _, tc := range []struct {
		name  string
		setup func(*lab) func(context.Context, exchange.Sink) error
		first string // what opens the stream
		want  string // in the notice, besides its method
	}{
		{"a session's stream", func(l *lab) func(context.Context, exchange.Sink) error {
			l.up.listen = forever
			return l.session(`{}`)
		}, "", ""},
		{"a session whose server has no stream", func(l *lab) func(context.Context, exchange.Sink) error {
			return l.session(`{}`)
		}, "", ""},
		{"a subscription", func(l *lab) func(context.Context, exchange.Sink) error {
			l.up.answer = acknowledges(`{"toolsListChanged":true}`)
			return l.subscription(`"s-1"`, `{"toolsListChanged":true}`)
		}, `"toolsListChanged":true`, mine},
		{"a subscription to a server whose tools never change", func(l *lab) func(context.Context, exchange.Sink) error {
			l.up.answer = acknowledges(`{"promptsListChanged":true}`)
			return l.subscription(`"s-1"`, `{"toolsListChanged":true,"promptsListChanged":true}`)
		}, `"toolsListChanged":true`, mine},
		{"a subscription to a server that knows none", func(l *lab) func(context.Context, exchange.Sink) error {
			l.up.answer = unknown
			return l.subscription(`"s-1"`, `{"toolsListChanged":true}`)
		}, `"toolsListChanged":true`, mine},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, allowAll)
				l.up.list = listing(`{"tools":[{"name":"a"},{"name":"b"}]}`)
				e := hearing(t, tc.setup(l))
				if first := e.next(t); !strings.Contains(first, tc.first) {
					t.Errorf("it opens with %s", first)
				}
				l.dir.put("bob", subject(t, "bob", hideB))
				e.silent(t, "somebody else's policy changed")
				l.dir.put("ann", subject(t, "ann", hideB))
				if got := e.next(t); !strings.Contains(got, changedNotice) || !strings.Contains(got, tc.want) {
					t.Errorf("said %s", got)
				}
				l.dir.put("ann", subject(t, "ann", hideB))
				e.silent(t, "nothing changed")

				l.say("9", "tools/list", "") // from here on it is known what there is to see
				l.dir.put("ann", subject(t, "ann", `{"version":"1","default":"allow","hide":["b","gone"],"tools":{}}`))
				e.silent(t, "a policy hides what is not there")
				l.dir.put("ann", subject(t, "ann", hideAll))
				if got := e.next(t); !strings.Contains(got, changedNotice) {
					t.Errorf("said %s", got)
				}
				e.stop()
				if err := <-e.done; !errors.Is(err, context.Canceled) {
					t.Errorf("the stream ended with %v", err)
				}
			})
		})
	}
}

// TestNewsOfASessionAreToldOnce: on the stream that its client opened last.
func TestNewsOfASessionAreToldOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, allowAll)
		listen := l.session(`{}`)
		older := hearing(t, listen)
		older.next(t)
		newer := hearing(t, listen)
		newer.next(t)
		l.dir.put("ann", subject(t, "ann", hideB))
		if got := newer.next(t); !strings.Contains(got, changedNotice) {
			t.Errorf("said %s", got)
		}
		older.silent(t, "it was told on the newer stream")
		newer.stop()
		if err := <-newer.done; !errors.Is(err, context.Canceled) {
			t.Errorf("the newer stream ended with %v", err)
		}
		l.dir.put("ann", subject(t, "ann", allowAll))
		if got := older.next(t); !strings.Contains(got, changedNotice) {
			t.Errorf("said %s", got)
		}
	})
}

func TestSubscriptionWithoutToolsIsLeftAlone(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, allowAll)
		l.up.answer = acknowledges(`{"promptsListChanged":true}`)
		e := hearing(t, l.subscription("1", `{"promptsListChanged":true,"toolsListChanged":false}`))
		if got := e.next(t); strings.Contains(got, "toolsListChanged") {
			t.Errorf("acknowledged %s", got)
		}
		l.dir.put("ann", subject(t, "ann", hideB))
		e.silent(t, "nobody asked for tools")
	})
	l := newLab(t, allowAll)
	l.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
		return true, failure(out, c, mcpwire.CodeMethodNotFound, "what is that")
	}
	out := newTape()
	if err := l.subscription("1", `{"promptsListChanged":true}`)(t.Context(), out); err != nil || !strings.Contains(out.last(t), "-32601") {
		t.Errorf("a refusal that we can't help: %v, %s", err, out.last(t))
	}
}

// TestWhatChangesBeforeTheAcknowledgementComesAfterIt: nothing may come before it.
func TestWhatChangesBeforeTheAcknowledgementComesAfterIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := newLab(t, allowAll)
		acknowledge, asked := acknowledges(`{"toolsListChanged":true}`), make(chan struct{})
		l.up.answer = func(ctx context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
			<-asked
			return acknowledge(ctx, c, out)
		}
		e := hearing(t, l.subscription("1", `{"toolsListChanged":true}`))
		synctest.Wait()
		l.dir.put("ann", subject(t, "ann", hideB))
		e.silent(t, "before the acknowledgement")
		close(asked)
		if first, second := e.next(t), e.next(t); !strings.Contains(first, "acknowledged") || !strings.Contains(second, changedNotice) {
			t.Errorf("said %s, then %s", first, second)
		}
	})
}

// TestStreamsEndWithTheGrant: revoked, and expired without anybody doing anything.
func TestStreamsEndWithTheGrant(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name  string
		after time.Duration
		token time.Duration // for how long what the caller shows is good
		end   func(*lab)
	}{
		{"revoked", 0, time.Hour, func(l *lab) { l.dir.put("ann", nil) }},
		{"its token expired", 30 * time.Second, 30 * time.Second, func(*lab) {}},
		{"expired", time.Minute, time.Hour, func(l *lab) {
			l.dir.mu.Lock()
			delete(l.dir.all, "ann") // and nobody says so
			l.dir.mu.Unlock()
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				l := newLab(t, allowAll)
				s := subject(t, "ann", allowAll)
				s.Expires = time.Now().Add(time.Minute)
				l.dir.put("ann", s)
				l.expires = time.Now().Add(tc.token)
				l.up.listen, l.up.answer = forever, acknowledges(`{"toolsListChanged":true}`)
				session, subscription := hearing(t, l.session(`{}`)), hearing(t, l.subscription(`7`, `{"toolsListChanged":true}`))
				session.next(t)
				subscription.next(t)
				time.Sleep(tc.after)
				tc.end(l)
				begun := time.Now()
				if err := <-session.done; err != nil {
					t.Errorf("the session's stream: %v", err)
				}
				if err := <-subscription.done; err != nil {
					t.Errorf("the subscription: %v", err)
				}
				if took := time.Since(begun); took > time.Second {
					t.Errorf("it took %v", took)
				}
				if got := subscription.last(t); !strings.Contains(got, `"id":7`) || !strings.Contains(got, `"resultType":"complete"`) || !strings.Contains(got, `subscriptionId":7`) {
					t.Errorf("the subscription ended with %s", got)
				}
				var e *exchange.Error
				if err := l.session2(); !errors.As(err, &e) || e.Code != exchange.GrantEnded {
					t.Errorf("the next stream: %v", err)
				}
			})
		})
	}
}

// session2 asks for a stream of a session that is open already.
func (l *lab) session2() error {
	s, err := l.front.Resume(l.t.Context(), l.stream())
	if err != nil {
		return err
	}
	return s.Listen(l.t.Context(), l.stream(), "", newTape())
}

func (l *lab) stream() *exchange.Call {
	c := stream()
	c.Caller.Expires = l.expires
	return c
}

// TestGreetingSaysThatToolsMayChange: a policy changes them even where the server does not.
func TestGreetingSaysThatToolsMayChange(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ name, capabilities, want string }{
		{"tools that never change", `{"tools":{}, "x":1.0}`, `{"tools":{"listChanged":true}, "x":1.0}`},
		{"it says no", `{"tools":{"listChanged":false}}`, `{"tools":{"listChanged":true}}`},
		{"it says so itself", `{"tools": {"listChanged":true}}`, `{"tools": {"listChanged":true}}`},
		{"no tools", `{"prompts":{}}`, `{"prompts":{}}`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, allowAll)
			result := `{"protocolVersion":"2025-11-25","capabilities":` + tc.capabilities + `,"serverInfo":{"name":"s","version":"1"}}`
			l.up.hello = result
			l.up.answer = func(_ context.Context, c *exchange.Call, out exchange.Sink) (bool, error) {
				return true, final(out, c, result)
			}
			out := newTape()
			if _, err := l.front.Initialize(t.Context(), legacy(t, "0", "initialize", `"protocolVersion":"2025-11-25","capabilities":{}`), out); err != nil {
				t.Fatal(err)
			}
			for _, answer := range []string{out.last(t), l.say("1", "server/discover", "")} {
				if !strings.Contains(answer, `"capabilities":`+tc.want+`,`) {
					t.Errorf("answered %s", answer)
				}
			}
		})
	}
}
