package era_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
)

// row is one feature. run tries it on one combination and says what came of it.
type row struct {
	feature string
	run     func(t *testing.T, x crossing) string
}

var rows = []row{
	{"version", version}, {"capabilities of the client", clientCapabilities}, {"capabilities of the server", serverCapabilities},
	{"`_meta`, both ways", meta}, {"trace context in `_meta`", traceContext}, {"ids", ids},
	{"progress", progress}, {"cancellation", cancellation}, {"session id", sessionID}, {"ping", ping},
	{"resumption of a stream", resumption},
	{"elicitation in mid-call", elicitation}, {"sampling in mid-call", sampling}, {"roots in mid-call", rootsInCall},
	{"several questions at once", severalQuestions}, {"several rounds, `requestState`", severalRounds}, {"links to visit (URL elicitation)", links},
	{"a question the client can't answer", undeclaredQuestion},
	{"log messages and level", logging}, {"changed lists", listsChanged}, {"resource subscriptions", resourceUpdates},
	{"lists, cursors", lists}, {"cache hints", cacheHints}, {"completion", completion}, {"schemas", schemas},
	{"structured content, `isError`", structured}, {"content types", contentTypes}, {"mirrored parameter headers", paramHeaders},
	{"unknown method", unknownMethod}, {"unknown tool", unknownTool}, {"missing resource", missingResource},
	{"extension methods (Skills)", skills}, {"extension Tasks", tasksExtension}, {"tasks of 2025-11-25", legacyTasks},
	{"batches", batches},
}

func version(t *testing.T, x crossing) string {
	if x.client == mcpwire.Legacy {
		p := x.peer(t)
		same(t, "version", at(t, p.open(), "result", "protocolVersion"), `"2025-11-25"`)
		if x.same() {
			return works
		}
		return "translated: `initialize` is answered from `server/discover`"
	}
	p := x.peer(t)
	got, _ := p.call("server/discover", "")
	contains(t, "versions", at(t, got, "result", "supportedVersions"), `"2026-07-28"`)
	if x.same() {
		return works
	}
	return "translated: `server/discover` is answered from `initialize`"
}

func clientCapabilities(t *testing.T, x crossing) string {
	saw := x.peer(t).tool("saw", "")
	contains(t, "what the server saw", saw, `"elicitation":{"form":{},"url":{}}`, `"sampling":{}`, `"name":"peer"`)
	switch {
	case x.same():
		return works
	case x.modernOnLegacy():
		return "translated: one upstream session per caller and set of capabilities"
	}
	return "translated: each request carries those of the session"
}

func serverCapabilities(t *testing.T, x crossing) string {
	p := x.peer(t)
	var got *mcpwire.Message
	if x.client == mcpwire.Legacy {
		got = p.open()
	} else {
		got, _ = p.call("server/discover", "")
	}
	caps := at(t, got, "result", "capabilities")
	contains(t, "capabilities", caps, `"tools":{"listChanged":true}`, `"completions":{}`, `"logging":{}`, `"io.modelcontextprotocol/skills"`)
	contains(t, "instructions", at(t, got, "result", "instructions"), "A server for tests")
	if x.client == mcpwire.Legacy && !x.same() {
		lacks(t, "capabilities", caps, "io.modelcontextprotocol/tasks")
		return "works, without the Tasks extension"
	}
	return works
}

func meta(t *testing.T, x crossing) string {
	p := x.peer(t)
	p.meta = `,"example.com/trace":{"deep":[1,{"x":"y"}]}`
	contains(t, "what the server saw", p.tool("saw", ""), `"example.com/trace":{"deep":[1,{"x":"y"}]}`)
	got, _ := p.call("tools/call", `"name":"rich"`)
	same(t, "the server's", at(t, got, "result", "_meta", "example.com/k"), `"v"`)
	return works
}

func traceContext(t *testing.T, x crossing) string {
	p := x.peer(t)
	const parent = `"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"`
	p.meta = "," + parent + `,"tracestate":"a=b"`
	contains(t, "what the server saw", p.tool("saw", ""), parent, `"tracestate":"a=b"`)
	return works
}

func ids(t *testing.T, x crossing) string {
	p := x.peer(t)
	all := []string{`"9007199254740992"`, `"a b"`, `77`}
	if !x.same() { // the SDK behind reads numbers as floats; here it gets ids of Sluice's
		all = append(all, `9007199254740993`)
	}
	for _, id := range all {
		got, _ := p.callAs(t.Context(), id, "tools/call", `"name":"test_simple_text"`)
		same(t, "id", string(got.Bytes(got.ID)), id)
	}
	return works
}

func progress(t *testing.T, x crossing) string {
	p := x.peer(t)
	p.meta = `,"progressToken":"tok-1"`
	got, notes := p.call("tools/call", `"name":"test_tool_with_progress"`)
	if got.Kind != mcpwire.Result || len(notes) != 3 {
		t.Fatalf("%s %q", got.Raw, notes)
	}
	for _, n := range notes {
		contains(t, "progress", n, `"progressToken":"tok-1"`)
	}
	return works
}

func cancellation(t *testing.T, x crossing) string {
	p := x.peer(t)
	other := x.peer(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	id := p.newID()
	done := make(chan struct{})
	go func() {
		defer close(done)
		req, _ := http.NewRequestWithContext(ctx, http.MethodPost, p.url, strings.NewReader(p.body(id, "tools/call", `"name":"hang"`)))
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Accept", "application/json, text/event-stream")
		if p.era == mcpwire.Modern {
			req.Header.Set(mcpwire.HeaderVersion, mcpwire.Version20260728)
			req.Header.Set(mcpwire.HeaderMethod, "tools/call")
			req.Header.Set(mcpwire.HeaderName, "hang")
		} else {
			req.Header.Set(mcpwire.HeaderSession, p.session)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil { //nolint:bodyclose // each closes it
			p.each(resp, func(m *mcpwire.Message) bool { return !m.Kind.Response() })
		}
	}()
	hung := func() string {
		if x.stdio && !x.same() || x.stdio && x.client == mcpwire.Legacy {
			return p.tool("hung", "") // the process of this very client
		}
		return other.tool("hung", "")
	}
	soon(t, "the call is there", func() bool { return hung() == "1" })
	if x.client == mcpwire.Legacy {
		p.send(fmt.Sprintf(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id))
	} else {
		cancel()
	}
	soon(t, "the call is cancelled", func() bool { return hung() == "0" })
	cancel()
	<-done
	switch {
	case x.same():
		return works
	case x.modernOnLegacy():
		return "translated: closing the stream sends `notifications/cancelled`"
	}
	return "translated: `notifications/cancelled` closes the stream upstream"
}

func sessionID(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.client == mcpwire.Modern {
		if x.same() {
			return "none in this era"
		}
		return "none in this era; Sluice keeps the upstream's"
	}
	if p.session == "" {
		t.Fatal("no session id")
	}
	p.end(p.session)
	resp := p.post(t.Context(), p.body("1", "ping", ""), "", "")
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusNotFound {
		t.Errorf("after its end: status %d", resp.StatusCode)
	}
	if x.same() {
		return works
	}
	return "translated: the session is kept by Sluice"
}

func ping(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("ping", "")
	if x.client == mcpwire.Modern {
		same(t, "ping", at(t, got, "error", "code"), "-32601")
		return "removed in this era"
	}
	same(t, "ping", at(t, got, "result"), "{}")
	if x.same() {
		return works
	}
	return "answered by Sluice"
}

func resumption(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.client == mcpwire.Modern || x.stdio || !x.same() {
		same(t, "result", p.tool("test_reconnection", ""), "the result of a call whose stream had ended")
		switch {
		case x.modernOnLegacy() && !x.stdio:
			return "Sluice resumes for the client"
		case x.client == mcpwire.Modern:
			return "none in this era"
		}
		return "cannot: this server's streams have no event ids"
	}
	var last string
	resp := p.post(t.Context(), p.body(p.newID(), "tools/call", `"name":"test_reconnection"`), "tools/call", "")
	events := mcpwire.NewEventReader(resp.Body, 0)
	for e, err := events.Next(); err == nil; e, err = events.Next() {
		if e.HasID {
			last = e.ID
		}
	}
	_ = resp.Body.Close()
	var got *mcpwire.Message
	resp = p.get(t.Context(), last) //nolint:bodyclose // each closes it
	p.each(resp, func(m *mcpwire.Message) bool { got = m; return !m.Kind.Response() })
	if got == nil {
		t.Fatal("nothing was resumed")
	}
	same(t, "result", content(t, got), "the result of a call whose stream had ended")
	return works
}

func logging(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.client == mcpwire.Legacy {
		if got, _ := p.call("logging/setLevel", `"level":"debug"`); got.Kind != mcpwire.Result {
			t.Fatalf("setLevel: %s", got.Raw)
		}
	} else {
		if _, notes := p.call("tools/call", `"name":"test_tool_with_logging"`); len(notes) != 0 {
			t.Errorf("unasked: %q", notes)
		}
		p.level = "debug"
	}
	_, notes := p.call("tools/call", `"name":"test_tool_with_logging"`)
	if len(notes) != 3 {
		t.Errorf("got %q", notes)
	}
	switch {
	case x.same():
		return works
	case x.modernOnLegacy():
		return "translated: the session's level is raised, each request gets its own messages"
	}
	return "translated: the session's level goes into each request"
}

func listsChanged(t *testing.T, x crossing) string {
	p := x.peer(t)
	stream, end := p.listen("test://static-text")
	defer end()
	m := expect(t, stream, "notifications/tools/list_changed", func() { p.tool("test_trigger_tool_change", "") })
	return streamed(t, x, m)
}

// streamed checks the tag of a change, and says how it travelled.
func streamed(t *testing.T, x crossing, m *mcpwire.Message) string {
	t.Helper()
	tagged := at(t, m, "params", "_meta", mcpwire.MetaSubscription) != ""
	if tagged != (x.client == mcpwire.Modern) {
		t.Errorf("tag: %s", m.Raw)
	}
	switch {
	case x.same():
		return works
	case x.modernOnLegacy():
		return "translated: `subscriptions/listen` is fed by the session's own stream"
	}
	return "translated: the session's stream is fed by one `subscriptions/listen`"
}

func resourceUpdates(t *testing.T, x crossing) string {
	p := x.peer(t)
	stream, end := p.listen("test://watched-resource")
	defer end()
	m := expect(t, stream, "notifications/resources/updated", func() { p.tool("touch", "") })
	same(t, "uri", at(t, m, "params", "uri"), `"test://watched-resource"`)
	if x.modernOnLegacy() {
		_ = streamed(t, x, m)
		return "translated to `resources/subscribe`, counted per session"
	}
	if got := streamed(t, x, m); x.same() {
		return got
	}
	return "translated: `resources/subscribe` widens the `subscriptions/listen`"
}
