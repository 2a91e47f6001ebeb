package era_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

// listening opens a listen request in the background. What it returns ends it.
func listening(t *testing.T, c client, id, filter string) (*record, func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	r, end := newRecord(), make(chan error, 1)
	call := c.modern(id, "subscriptions/listen", `"notifications":`+filter)
	go func() { end <- c.up.Call(ctx, call, r) }()
	return r, func() error { cancel(); return <-end }
}

func TestListenOnALegacyServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		one, endOne := listening(t, c, `"s"`, `{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a:1","a:2"],"vendor":true}`)
		<-one.came
		ack := one.last(t)
		same(t, "first message", ack.Method, mcpwire.MethodAcknowledged)
		// This server does not tell of changed prompts.
		same(t, "honoured", at(t, ack, "params", "notifications"), `{"toolsListChanged":true,"resourceSubscriptions":["a:1","a:2"]}`)
		same(t, "tag", at(t, ack, "params", "_meta", mcpwire.MetaSubscription), `"s"`)

		two, endTwo := listening(t, c, `2`, `{"resourceSubscriptions":["a:1"]}`)
		<-two.came
		s := f.session(t, 0)
		s.stream <- `{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`
		<-one.came
		same(t, "tools", at(t, one.last(t), "params", "_meta", mcpwire.MetaSubscription), `"s"`)
		s.stream <- `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"uri":"a:1","_meta":{"v":1.0},"x":2}}`
		<-one.came
		<-two.came
		contains(t, "update", string(two.last(t).Raw), `"io.modelcontextprotocol/subscriptionId":2`, `"v":1.0`, `"x":2`)
		s.stream <- `{"jsonrpc":"2.0","method":"notifications/resources/list_changed"}`
		synctest.Wait()
		if n := len(one.all()) + len(two.all()); n != 5 {
			t.Errorf("%d messages: %q %q", n, one.all(), two.all())
		}

		_ = endOne()
		synctest.Wait()
		same(t, "subscribed", list(s.methods()), "resources/subscribe resources/subscribe resources/unsubscribe")
		contains(t, "unsubscribed", s.lastSeen(), "a:2") // a:1 is still wanted
		_ = endTwo()
		synctest.Wait()
		contains(t, "unsubscribed at last", s.lastSeen(), "unsubscribe", "a:1")
	})
}

func list(all []string) string {
	out := ""
	for i, s := range all {
		if i > 0 {
			out += " "
		}
		out += s
	}
	return out
}

func TestListenWhereThereIsNoStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		c.call("1", "tools/list", "")
		f.session(t, 0).stream = nil
		r, end := listening(t, c, `1`, `{"toolsListChanged":true,"resourceSubscriptions":["a:1"]}`)
		<-r.came
		same(t, "honoured", at(t, r.last(t), "params", "notifications"), `{}`)
		_ = end()
	})
}

func TestListenEndsWellWhenSluiceDoes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: era.New(f, era.Options{})}
		r := newRecord()
		done := make(chan error, 1)
		go func() {
			done <- c.up.Call(t.Context(), c.modern(`"s"`, "subscriptions/listen", `"notifications":{"toolsListChanged":true}`), r)
		}()
		<-r.came
		_ = c.up.Close(t.Context())
		if err := <-done; err != nil {
			t.Fatal(err)
		}
		same(t, "end", at(t, r.last(t), "result", "_meta", mcpwire.MetaSubscription), `"s"`)
	})
}

func TestQuestionsAndLogsOnTheServersOwnStream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := make(chan struct{})
		f := &fake{legacy: func(_ context.Context, s *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			close(started)
			<-s.heard
			return finish(m, out, "{}")
		}}
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps}
		r, end := listening(t, c, `1`, `{"toolsListChanged":true}`)
		<-r.came
		c.meta = `,"io.modelcontextprotocol/logLevel":"info","progressToken":5`
		got := make(chan *record)
		go func() { got <- c.call("2", "tools/call", `"name":"x"`) }()
		<-started
		s := f.session(t, 0)
		up := message(t, "%s", s.lastSeen())
		s.stream <- `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":1}}`
		s.stream <- `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":` + string(up.Bytes(up.ProgressToken)) + `,"progress":1}}`
		s.stream <- elicit
		call := <-got
		if all := call.all(); len(all) != 3 {
			t.Fatalf("got %q", all)
		}
		contains(t, "progress", call.all()[1], `"progressToken":5`)
		same(t, "question", at(t, call.last(t), "result", "resultType"), `"input_required"`)
		c.call("3", "tools/call", `"name":"x","requestState":`+at(t, call.last(t), "result", "requestState")+`,"inputResponses":{"request-1":{"action":"cancel"}}`)
		_ = end()
	})
}

func TestListenSurvivesALostSession(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		r, end := listening(t, c, `1`, `{"resourceSubscriptions":["a:1"]}`)
		<-r.came
		first := f.session(t, 0)
		_ = first.Close(t.Context())
		c.call("2", "tools/list", "") // finds out
		time.Sleep(3 * time.Second)
		synctest.Wait()
		same(t, "on the new session", list(f.session(t, 1).methods()), "tools/list resources/subscribe")
		_ = end()
		if n := len(r.all()); n != 1 {
			t.Errorf("acknowledged again: %q", r.all())
		}
	})
}
