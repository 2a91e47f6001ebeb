package era_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
)

const allCaps = `{"elicitation":{"form":{},"url":{}},"sampling":{},"roots":{}}`

// echoing answers every call with this result.
func echoing(result string) *fake {
	return &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
		return finish(m, out, result)
	}}
}

func TestModernRequestReachesALegacyServerAsItsOwn(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing(`{"tools":[ {"name":"a","x":1.0e3} ],"nextCursor":"","_meta":{"vendor/k":12345678901234567890}}`)
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps, meta: `,"vendor/trace":{"deep":[1, 2]},"progressToken":"p"`}
		got := c.call(`9007199254740993`, "tools/list", `"cursor":"","future":{"a" : 1}`).last(t)

		s := f.session(t, 0)
		contains(t, "initialize", s.hello, `"protocolVersion":"2025-11-25"`, `"capabilities":`+allCaps, `"clientInfo":{"name":"c","version":"0"}`)
		contains(t, "request", s.lastSeen(), `"vendor/trace":{"deep":[1, 2]}`, `"future":{"a" : 1}`, `"cursor":""`)
		lacks(t, "request", s.lastSeen(), "io.modelcontextprotocol/", `"p"`)

		same(t, "id", at(t, got, "id"), `9007199254740993`)
		contains(t, "result", string(got.Raw), `"tools":[ {"name":"a","x":1.0e3} ],"nextCursor":""`, `"vendor/k":12345678901234567890`)
		same(t, "resultType", at(t, got, "result", "resultType"), `"complete"`)
		same(t, "ttlMs", at(t, got, "result", "ttlMs"), `0`)
		same(t, "cacheScope", at(t, got, "result", "cacheScope"), `"private"`)
		same(t, "serverInfo", at(t, got, "result", "_meta", mcpwire.MetaServerInfo), `{"name":"old","version":"1","x":[1]}`)
	})
}

func TestDiscoverSaysWhatTheHandshakeSaid(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		c := client{t: t, up: facing(t, echoing("{}"), era.Options{})}
		got := c.call(`"d"`, "server/discover", "").last(t)
		same(t, "versions", at(t, got, "result", "supportedVersions"), `["2026-07-28","2025-11-25"]`)
		same(t, "instructions", at(t, got, "result", "instructions"), `"be kind"`)
		same(t, "extensions", at(t, got, "result", "capabilities", "extensions"), `{"com.example/x":{"n":1e400}}`)
		same(t, "legacy tasks", at(t, got, "result", "capabilities", "tasks"), ``)
		same(t, "serverInfo", at(t, got, "result", "_meta", mcpwire.MetaServerInfo), `{"name":"old","version":"1","x":[1]}`)
		same(t, "serverInfo in its old place", at(t, got, "result", "serverInfo"), ``)
		same(t, "ttlMs", at(t, got, "result", "ttlMs"), `0`)
	})
}

func TestRemovedMethodsAreUnknownToModernClients(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		for _, method := range []string{"ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe", "initialize", "tasks/get"} {
			r := c.call("1", method, "")
			same(t, method, at(t, r.last(t), "error", "code"), "-32601")
			if r.status != 404 {
				t.Errorf("%s: status %d", method, r.status)
			}
		}
		if f.count() > 0 {
			t.Error("the server was bothered")
		}
	})
}

func TestLeavingCancelsUpstream(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		started, gone := make(chan struct{}), make(chan struct{})
		f := &fake{legacy: func(ctx context.Context, _ *fakeSession, _ *mcpwire.Message, _ exchange.Sink) error {
			close(started)
			<-ctx.Done()
			close(gone)
			return ctx.Err()
		}}
		c := client{t: t, up: facing(t, f, era.Options{})}
		ctx, cancel := context.WithCancel(t.Context())
		result := make(chan error)
		go func() { result <- c.up.Call(ctx, c.modern("1", "tools/call", `"name":"slow"`), newRecord()) }()
		<-started
		began := time.Now()
		cancel()
		<-gone
		if err := <-result; !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		if d := time.Since(began); d > 0 { // on the made-up clock
			t.Errorf("it took %s", d)
		}
	})
}

func TestProgressAndLogsOfACall(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			if m.ProgressToken.Present() {
				_ = say(out, `{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1.0,"x":[]}}`, m.Bytes(m.ProgressToken))
			}
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"debug","data":1}}`)
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"error","data":2}}`)
			_ = say(out, `{"jsonrpc":"2.0","method":"notifications/vendor","params":{"v":3}}`)
			return finish(m, out, `{}`)
		}}
		c := client{t: t, up: facing(t, f, era.Options{})}
		quiet := c.call("1", "tools/call", `"name":"x"`).all()
		if len(quiet) != 2 {
			t.Errorf("a request that asked for no logs got %q", quiet)
		}
		c.meta = `,"progressToken":"tok","io.modelcontextprotocol/logLevel":"warning"`
		loud := c.call("2", "tools/call", `"name":"x"`).all()
		if len(loud) != 4 {
			t.Fatalf("got %q", loud)
		}
		contains(t, "progress", loud[0], `"progressToken":"tok"`, `"progress":1.0,"x":[]`)
		contains(t, "log", loud[1], `"level":"error"`)
		if got := f.session(t, 0).methods(); got[1] != mcpwire.MethodSetLevel {
			t.Errorf("the server was not told the level: %v", got)
		}
		c.meta = `,"io.modelcontextprotocol/logLevel":"loud"`
		same(t, "unknown level", at(t, c.call("3", "tools/call", `"name":"x"`).last(t), "error", "code"), "-32602")
	})
}

func TestErrorsOfLegacyServers(t *testing.T) {
	links := `{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://example.com/a","message":"go"}],"x":1}`
	for _, tc := range []struct {
		name, caps, method string
		code               int
		data               string
		path               []string
		want               string
	}{
		{"missing resource", "", "resources/read", -32002, `{"uri":"u"}`, []string{"error", "code"}, "-32602"},
		{"missing resource without data", "", "resources/read", -32002, ``, []string{"error", "data", "uri"}, `"file:///x"`},
		{"data is kept", "", "tools/call", -32050, `{"a":[1e999]}`, []string{"error", "data"}, `{"a":[1e999]}`},
		{"code is kept", "", "tools/call", -32050, `{}`, []string{"error", "code"}, `-32050`},
		{"links, declared", allCaps, "tools/call", -32042, links, []string{"result", "inputRequests", "request-1", "params", "url"}, `"https://example.com/a"`},
		{"links, undeclared", "{}", "tools/call", -32042, links, []string{"error", "data", "requiredCapabilities"}, `{"elicitation":{"url":{}}}`},
		{"links where none may be asked", allCaps, "tools/list", -32042, links, []string{"error", "code"}, `-31009`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
					return fail(m, out, tc.code, "the server's words", tc.data)
				}}
				c := client{t: t, up: facing(t, f, era.Options{}), caps: tc.caps}
				got := c.call("1", tc.method, `"name":"n","uri":"file:///x"`).last(t)
				same(t, string(got.Raw), at(t, got, tc.path...), tc.want)
				if got.Kind == mcpwire.Failure {
					same(t, "message", at(t, got, "error", "message"), `"the server's words"`)
				}
			})
		})
	}
}

func TestFollowedLinkCallsAgain(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		f := &fake{legacy: func(_ context.Context, _ *fakeSession, m *mcpwire.Message, out exchange.Sink) error {
			if calls++; calls != 3 {
				return fail(m, out, -32042, "sign in", `{"elicitations":[{"mode":"url","elicitationId":"e","url":"https://example.com/a","message":"go"}]}`)
			}
			return finish(m, out, `{}`)
		}}
		c := client{t: t, up: facing(t, f, era.Options{}), caps: allCaps}
		got := c.call("1", "tools/call", `"name":"n"`).last(t)
		for _, want := range []string{`"input_required"`, `"complete"`} { // not there yet, then there
			got = c.call("2", "tools/call", `"name":"n","requestState":`+at(t, got, "result", "requestState")+`,"inputResponses":{"request-1":{"action":"accept"}}`).last(t)
			same(t, "after following", at(t, got, "result", "resultType"), want)
		}
		got = c.call("3", "tools/call", `"name":"n"`).last(t)
		got = c.call("4", "tools/call", `"name":"n","requestState":`+at(t, got, "result", "requestState")+`,"inputResponses":{"request-1":{"action":"decline"}}`).last(t)
		same(t, "after declining", at(t, got, "error", "message"), `"sign in"`)
	})
}

func TestSessionsBelongToOneCaller(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		up := facing(t, f, era.Options{SessionIdle: time.Minute, CallerSessions: 2})
		alice, bob := client{t: t, up: up}, client{t: t, up: up, who: "bob"}
		alice.call("1", "tools/list", "")
		alice.call("2", "tools/list", "")
		bob.call("1", "tools/list", "")
		if f.count() != 2 || f.session(t, 0).caller.ID != "alice" || f.session(t, 1).caller.ID != "bob" {
			t.Fatalf("%d sessions", f.count())
		}
		time.Sleep(time.Second)
		alice.caps = allCaps
		alice.call("3", "tools/list", "")
		alice.caps = `{"roots":{}}`
		alice.call("4", "tools/list", "")
		synctest.Wait()
		if f.count() != 4 || !f.session(t, 0).over() || f.session(t, 1).over() {
			t.Errorf("of %d sessions her own oldest should have made room", f.count())
		}
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		for i := range f.count() {
			if !f.session(t, i).over() {
				t.Errorf("session %d did not expire", i)
			}
		}
	})
}

func TestLostSessionIsReplaced(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := echoing("{}")
		c := client{t: t, up: facing(t, f, era.Options{})}
		c.call("1", "tools/list", "")
		_ = f.session(t, 0).Close(t.Context())
		same(t, "next call", at(t, c.call("2", "tools/list", "").last(t), "result", "resultType"), `"complete"`)
		if f.count() != 2 {
			t.Errorf("%d sessions", f.count())
		}
	})
}

func TestCloseEndsWhatWaits(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := asking(elicit)
		c := client{t: t, up: era.New(f, era.Options{}), caps: allCaps}
		c.call("1", "tools/call", `"name":"greet"`)
		if err := c.up.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !f.session(t, 0).over() || !f.closed {
			t.Error("the session or the upstream is still open")
		}
		err := c.up.Call(t.Context(), c.modern("2", "tools/call", `"name":"greet"`), newRecord())
		if !errors.Is(err, &exchange.Error{Code: exchange.ShuttingDown}) {
			t.Errorf("after closing: %v", err)
		}
	})
}
