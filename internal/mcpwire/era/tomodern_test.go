package era_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

const someDiscovery = `{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{"tools":{"listChanged":true},"resources":{"subscribe":true},` +
	`"logging":{},"extensions":{"io.modelcontextprotocol/tasks":{},"com.example/x":{}}},"instructions":"be kind","ttlMs":9,"cacheScope":"public","vendor":1.0,` +
	`"_meta":{"io.modelcontextprotocol/serverInfo":{"name":"new","version":"2"},"v":1}}`

// modernServer answers discover, and everything else by script. seen holds what came.
type modernServer struct {
	fake
	seenMu sync.Mutex
	seen   []string
}

func newModern(script func(ctx context.Context, m *mcpwire.Message, out exchange.Sink) error) *modernServer {
	f := &modernServer{}
	f.modern = func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		m := c.Message
		if m.Method == mcpwire.MethodDiscover {
			return finish(m, out, someDiscovery)
		}
		f.seenMu.Lock()
		f.seen = append(f.seen, string(m.Raw))
		f.seenMu.Unlock()
		return script(ctx, m, out)
	}
	return f
}

func (f *modernServer) requests() []string {
	f.seenMu.Lock()
	defer f.seenMu.Unlock()
	return append([]string(nil), f.seen...)
}

// opened is a legacy session through an adapter.
func opened(t *testing.T, up exchange.Upstream, capabilities string) (exchange.Session, *mcpwire.Message) {
	t.Helper()
	c := client{t: t, up: up}
	r := newRecord()
	s, err := up.Initialize(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18",`+
		`"capabilities":%s,"clientInfo":{"name":"old client","version":"0","x":1.0}}}`, capabilities), r)
	if err != nil || s == nil {
		t.Fatalf("initialize: %v %v", err, r.all())
	}
	if err := s.Notify(t.Context(), c.legacy(`{"jsonrpc":"2.0","method":"notifications/initialized"}`)); err != nil {
		t.Fatal(err)
	}
	return s, r.last(t)
}

// request makes a legacy request and waits for what becomes of it.
func request(t *testing.T, s exchange.Session, format string, args ...any) *record {
	t.Helper()
	r := newRecord()
	c := client{t: t}
	if err := s.Call(t.Context(), c.legacy(format, args...), r); err != nil {
		t.Fatal(err)
	}
	return r
}

func TestHandshakeWithAModernServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		up := facing(t, &newModern(nil).fake, era.Options{})
		s, hello := opened(t, up, `{}`)
		same(t, "version", at(t, hello, "result", "protocolVersion"), `"2025-06-18"`)
		same(t, "serverInfo", at(t, hello, "result", "serverInfo"), `{"name":"new","version":"2"}`)
		same(t, "capabilities", at(t, hello, "result", "capabilities"),
			`{"tools":{"listChanged":true},"resources":{"subscribe":true},"logging":{},"extensions":{"com.example/x":{}}}`)
		same(t, "instructions", at(t, hello, "result", "instructions"), `"be kind"`)
		same(t, "unknown members", at(t, hello, "result", "vendor"), `1.0`)
		same(t, "_meta", at(t, hello, "result", "_meta"), `{"v":1}`)
		lacks(t, "result", string(hello.Raw), "resultType", "ttlMs", "cacheScope", "supportedVersions")
		if !s.Stateful() {
			t.Error("the client gets no session id")
		}
		same(t, "ping", at(t, request(t, s, `{"jsonrpc":"2.0","id":1,"method":"ping"}`).last(t), "result"), `{}`)
		same(t, "tasks", at(t, request(t, s, `{"jsonrpc":"2.0","id":1,"method":"tasks/list"}`).last(t), "error", "code"), `-32601`)
	})
}

func TestLegacyRequestReachesAModernServerAsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":"t","progress":1}}`)
			return finish(m, out, `{"resultType":"complete","ttlMs":5,"tools":[ 1.0 ],"cacheScope":"public","_meta":{"v":1}}`)
		})
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{"roots":{"listChanged":true},"tasks":{}}`)
		got := request(t, s, `{"jsonrpc":"2.0","id":9007199254740993,"method":"tools/list","params":{"_meta":{"progressToken":"t","v":{"a" :1}},"cursor":""}}`)
		same(t, "result", string(got.last(t).Raw), `{"jsonrpc":"2.0","id":9007199254740993,"result":{"tools":[ 1.0 ],"_meta":{"v":1}}}`)
		contains(t, "progress", got.all()[0], `"progressToken":"t"`)
		up := message(t, "%s", f.requests()[0])
		same(t, "version", string(up.Bytes(up.Version)), `"2026-07-28"`)
		same(t, "capabilities", string(up.Bytes(up.Capabilities)), `{"roots":{"listChanged":true}}`)
		same(t, "clientInfo", string(up.Bytes(up.ClientInfo)), `{"name":"old client","version":"0","x":1.0}`)
		same(t, "level before it was set", string(up.Bytes(up.LogLevel)), ``)
		contains(t, "request", string(up.Raw), `"progressToken":"t","v":{"a" :1}}`, `"cursor":""`)

		request(t, s, `{"jsonrpc":"2.0","id":1,"method":"logging/setLevel","params":{"level":"info"}}`)
		request(t, s, `{"jsonrpc":"2.0","id":2,"method":"prompts/list"}`)
		up = message(t, "%s", f.requests()[1])
		same(t, "level", string(up.Bytes(up.LogLevel)), `"info"`)
		request(t, s, `{"jsonrpc":"2.0","id":3,"method":"prompts/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`)
		up = message(t, "%s", f.requests()[2])
		same(t, "names that are ours", string(up.Bytes(up.LogLevel)), `"info"`)
	})
}

// answering is a sink of a client that answers requests of the server.
type answering struct {
	*record
	t       *testing.T
	s       exchange.Session
	answers map[string]string // by method: result, or error where it starts with !
}

func (a *answering) Send(e exchange.Event) error {
	_ = a.record.Send(e)
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{})
	if err != nil || m.Kind != mcpwire.Request {
		return err
	}
	result, ok := a.answers[m.Method]
	if !ok {
		return nil
	}
	raw := string(mcpwire.BuildResult(m.Bytes(m.ID), []byte(result)))
	if strings.HasPrefix(result, "!") {
		raw = string(mcpwire.BuildError(m.Bytes(m.ID), -1, result, nil))
	}
	c := client{t: a.t}
	return a.s.Notify(a.t.Context(), c.legacy("%s", raw))
}

// roundsOf is a modern tool that asks first.
func roundsOf(first string) func(ctx context.Context, m *mcpwire.Message, out exchange.Sink) error {
	return func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
		if !m.RequestState.Present() {
			return finish(m, out, first)
		}
		return finish(m, out, fmt.Sprintf(`{"resultType":"complete","state":%s,"answers":%s}`, m.Bytes(m.RequestState), m.Bytes(m.InputResponses)))
	}
}

const threeQuestions = `{"resultType":"input_required","requestState":"\u0041 b","inputRequests":{` +
	`"form":{"method":"elicitation/create","params":{"message":"m","requestedSchema":{"x":1.0}}},` +
	`"link":{"method":"elicitation/create","params":{"mode":"url","url":"https://example.com","message":"m"}},` +
	`"dirs":{"method":"roots/list"}}}`

func TestInputRequiredBecomesRequestsToALegacyClient(t *testing.T) {
	for _, method := range []string{"tools/call", "prompts/get", "resources/read"} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newModern(roundsOf(threeQuestions))
				s, _ := opened(t, facing(t, &f.fake, era.Options{}), allCaps)
				a := &answering{newRecord(), t, s, map[string]string{"elicitation/create": `{"action":"accept","content":{"n":1.0}}`, "roots/list": `{"roots":[]}`}}
				c := client{t: t}
				if err := s.Call(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":%q,"params":{"name":"n","uri":"u","arguments":{"a":1.0}}}`, method), a); err != nil {
					t.Fatal(err)
				}
				got := a.last(t)
				same(t, "id", at(t, got, "id"), "1")
				contains(t, "result", string(got.Raw), `"state":"\u0041 b"`, `"form":{"action":"accept","content":{"n":1.0}}`, `"link":{"action"`, `"dirs":{"roots":[]}`)
				contains(t, "the link", a.all()[1], `"elicitationId":`)
				first, second := message(t, "%s", f.requests()[0]), message(t, "%s", f.requests()[1])
				if string(first.Bytes(first.ID)) == string(second.Bytes(second.ID)) {
					t.Error("the retry has the id of the first")
				}
				same(t, "arguments", string(second.Bytes(second.Arguments)), `{"a":1.0}`)
			})
		})
	}
}

func TestRoundsThatCantBeCarried(t *testing.T) {
	sampling := `{"resultType":"input_required","requestState":"s","inputRequests":{"k":{"method":"sampling/createMessage","params":{"messages":[]}}}}`
	for _, tc := range []struct {
		name, caps, answer string
		answers            map[string]string
	}{
		{"undeclared", `{}`, sampling, nil},
		{"the client answers with an error", allCaps, sampling, map[string]string{"sampling/createMessage": "!no"}},
		{"a task", allCaps, `{"resultType":"task","taskId":"t"}`, nil},
		{"no end", allCaps, `{"resultType":"input_required","inputRequests":{"k":{"method":"roots/list"}}}`, map[string]string{"roots/list": `{"roots":[]}`}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error { return finish(m, out, tc.answer) })
				s, _ := opened(t, facing(t, &f.fake, era.Options{}), tc.caps)
				a := &answering{newRecord(), t, s, tc.answers}
				c := client{t: t}
				err := s.Call(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"n"}}`), a)
				if !errors.Is(err, &exchange.Error{Code: exchange.CannotCarry}) {
					t.Errorf("got %v", err)
				}
			})
		})
	}
}

func TestFormThatCouldNotBeShownIsCancelled(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newModern(roundsOf(`{"resultType":"input_required","requestState":"s","inputRequests":{"k":{"method":"elicitation/create","params":{"message":"m"}}}}`))
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{"elicitation":{}}`)
		a := &answering{newRecord(), t, s, map[string]string{"elicitation/create": "!no"}}
		c := client{t: t}
		if err := s.Call(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"n"}}`), a); err != nil {
			t.Fatal(err)
		}
		contains(t, "result", string(a.last(t).Raw), `"k":{"action":"cancel"}`)
	})
}

func TestStateOnlyRoundIsRepeated(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		n := 0
		f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
			if n++; n < 4 {
				return finish(m, out, `{"resultType":"input_required","requestState":"s"}`)
			}
			return finish(m, out, `{"resultType":"complete"}`)
		})
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
		got := request(t, s, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"n"}}`)
		same(t, "result", at(t, got.last(t), "result"), `{}`)
		lacks(t, "retry", f.requests()[3], "inputResponses")
	})
}

func TestErrorsOfModernServers(t *testing.T) {
	for _, tc := range []struct {
		name, method string
		code         int
		data, want   string
	}{
		{"missing resource", "resources/read", -32602, `{"uri":"u"}`, "-32002"},
		{"wrong arguments", "tools/call", -32602, `{"uri":"u"}`, "-32602"},
		{"missing capability", "tools/call", -32021, `{"requiredCapabilities":{}}`, "-32600"},
		{"header mismatch", "tools/call", -32020, `{}`, "-32603"},
		{"of its own", "tools/call", 17, `{"a":1e999}`, "17"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
					return fail(m, out, tc.code, "words", tc.data)
				})
				s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
				got := request(t, s, `{"jsonrpc":"2.0","id":1,"method":%q,"params":{"name":"n"}}`, tc.method).last(t)
				same(t, "code", at(t, got, "error", "code"), tc.want)
				same(t, "data", at(t, got, "error", "data"), tc.data)
				same(t, "message", at(t, got, "error", "message"), `"words"`)
			})
		})
	}
}

func TestCancelledNotificationEndsTheCall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started := make(chan struct{}, 2)
		f := newModern(func(ctx context.Context, _ *mcpwire.Message, _ exchange.Sink) error {
			started <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		})
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
		c := client{t: t}
		ends := map[string]chan error{"7": make(chan error, 1), `"7"`: make(chan error, 1)}
		for id, end := range ends {
			call := c.legacy(`{"jsonrpc":"2.0","id":%s,"method":"tools/call","params":{"name":"n"}}`, id)
			go func() { end <- s.Call(context.Background(), call, newRecord()) }()
		}
		<-started
		<-started
		_ = s.Notify(t.Context(), c.legacy(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"7"}}`))
		if err := <-ends[`"7"`]; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		synctest.Wait()
		if len(ends["7"]) > 0 {
			t.Error("the call with the integer id ended as well")
		}
		_ = s.Close(t.Context())
		if err := <-ends["7"]; !errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) {
			t.Errorf("after the end of the session: %v", err)
		}
		if err := s.Call(t.Context(), c.legacy(`{"jsonrpc":"2.0","id":1,"method":"ping"}`), newRecord()); !errors.Is(err, &exchange.Error{Code: exchange.SessionLost}) {
			t.Errorf("call on an ended session: %v", err)
		}
	})
}

func TestSubscriptionsOfASessionAreOneListen(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		streams := make(chan func(string), 10)
		ended := make(chan string, 10)
		f := newModern(func(ctx context.Context, m *mcpwire.Message, out exchange.Sink) error {
			id := string(m.Bytes(m.ID))
			filter := string(m.Bytes(mcpwire.Member(m.Raw, m.Params, "notifications")))
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{}}}`, id)
			streams <- func(params string) {
				_ = say(out, `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s,"v":1.0},%s}}`, id, params)
			}
			<-ctx.Done()
			ended <- filter
			return ctx.Err()
		})
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
		ctx, cancel := context.WithCancel(t.Context())
		r, end := newRecord(), make(chan error)
		c := client{t: t}
		call := &exchange.Call{Message: &mcpwire.Message{}, Caller: c.legacy(`{"jsonrpc":"2.0","method":"x"}`).Caller, Era: mcpwire.Legacy}
		go func() { end <- s.Listen(ctx, call, "", r) }()
		<-streams
		request(t, s, `{"jsonrpc":"2.0","id":1,"method":"resources/subscribe","params":{"uri":"a:1"}}`)
		send := <-streams
		same(t, "what the first heard for", <-ended, `{"toolsListChanged":true}`)
		send(`"uri":"a:1"`)
		<-r.came
		same(t, "update", string(r.last(t).Raw), `{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"v":1.0},"uri":"a:1"}}`)
		request(t, s, `{"jsonrpc":"2.0","id":2,"method":"resources/unsubscribe","params":{"uri":"a:1"}}`)
		<-streams
		same(t, "what the second heard for", <-ended, `{"toolsListChanged":true,"resourceSubscriptions":["a:1"]}`)
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Errorf("the stream ended with %v", err)
		}
		if n := len(r.all()); n != 1 {
			t.Errorf("the client got %q", r.all())
		}
	})
}

func TestStreamIsOpenedAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		opens := make(chan time.Time, 10)
		f := newModern(func(_ context.Context, m *mcpwire.Message, out exchange.Sink) error {
			opens <- time.Now()
			return finish(m, out, `{"resultType":"complete"}`)
		})
		s, _ := opened(t, facing(t, &f.fake, era.Options{}), `{}`)
		ctx, cancel := context.WithCancel(t.Context())
		end := make(chan error)
		go func() { end <- s.Listen(ctx, &exchange.Call{Message: &mcpwire.Message{}}, "", newRecord()) }()
		first, second, third := <-opens, <-opens, <-opens
		if second.Sub(first) != time.Second || third.Sub(second) != 2*time.Second {
			t.Errorf("opened after %s and %s", second.Sub(first), third.Sub(second))
		}
		cancel()
		if err := <-end; !errors.Is(err, context.Canceled) {
			t.Errorf("the stream ended with %v", err)
		}
	})
}
