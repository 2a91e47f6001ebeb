package era_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
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
		if resp, err := http.DefaultClient.Do(req); err == nil {
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
	p.each(p.get(t.Context(), last), func(m *mcpwire.Message) bool { got = m; return !m.Kind.Response() })
	if got == nil {
		t.Fatal("nothing was resumed")
	}
	same(t, "result", content(t, got), "the result of a call whose stream had ended")
	return works
}

// inCall calls a tool that asks: one that asks by a request where the server is legacy,
// by interrupting the call where it is modern.
func inCall(t *testing.T, x crossing, method, legacyTool, modernTool, want string) string {
	t.Helper()
	p := x.peer(t)
	name, arguments := legacyTool, `"message":"Who?","prompt":"Capital?"`
	if x.server == mcpwire.Modern {
		name, arguments = modernTool, ""
	}
	contains(t, "result", p.tool(name, arguments), want)
	if !slices.Contains(p.asked, method) {
		t.Errorf("the client was asked %v", p.asked)
	}
	switch {
	case x.same():
		return works
	case x.modernOnLegacy():
		return "translated: the call waits, its client gets `input_required`"
	}
	return "translated: `input_required` becomes a request on the call's stream"
}

func elicitation(t *testing.T, x crossing) string {
	return inCall(t, x, "elicitation/create", "test_elicitation", "test_input_required_result_elicitation", "a")
}

func sampling(t *testing.T, x crossing) string {
	return inCall(t, x, "sampling/createMessage", "test_sampling", "test_input_required_result_sampling", "Paris")
}

func rootsInCall(t *testing.T, x crossing) string {
	return inCall(t, x, "roots/list", "legacy_roots", "test_input_required_result_list_roots", "file:///home")
}

func severalQuestions(t *testing.T, x crossing) string {
	if x.server == mcpwire.Legacy {
		// Each request of a legacy server stands alone; TestSeveralQuestionsAtOnceAndMissingAnswers
		// has a server that sends three before it waits.
		return inCall(t, x, "elicitation/create", "test_elicitation", "", "accept")
	}
	p := x.peer(t)
	same(t, "result", p.tool("test_input_required_result_multiple_inputs", ""), "Paris Ada, roots: 1")
	if len(p.asked) != 3 {
		t.Errorf("asked %v", p.asked)
	}
	if x.same() {
		return works
	}
	return "translated: as many requests, one retry"
}

func severalRounds(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.server == mcpwire.Legacy {
		if x.client == mcpwire.Legacy {
			return "none in this era"
		}
		contains(t, "result", p.tool("test_elicitation", `"message":"Who?"`), "accept")
		return "Sluice seals a state of its own, for one caller and one call"
	}
	same(t, "result", p.tool("test_input_required_result_multi_round", ""), "Ada likes blue")
	if x.same() {
		return works
	}
	return "translated: the state is kept and echoed by Sluice"
}

func links(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.server == mcpwire.Modern {
		same(t, "result", p.tool("modern_link", ""), `"agreed"`)
		if x.same() {
			return works
		}
		return "translated, with an elicitation id of Sluice's"
	}
	if x.same() {
		got, _ := p.call("tools/call", `"name":"legacy_link"`)
		same(t, "code", at(t, got, "error", "code"), "-32042")
		return works
	}
	resp := p.post(t.Context(), p.body(p.newID(), "tools/call", `"name":"legacy_link"`), "tools/call", "legacy_link")
	p.each(resp, func(m *mcpwire.Message) bool {
		same(t, "url", at(t, m, "result", "inputRequests", "request-1", "params", "url"), `"https://example.com/consent"`)
		return !m.Kind.Response()
	})
	return "translated: error -32042 becomes `input_required`"
}

func undeclaredQuestion(t *testing.T, x crossing) string {
	p := &peer{t: t, url: x.url, era: x.client, caps: "{}", header: http.Header{}}
	if x.client == mcpwire.Legacy {
		p.open()
	}
	name, arguments := "test_sampling", `{"prompt":"?"}`
	if x.server == mcpwire.Modern {
		name, arguments = "test_input_required_result_sampling", `{}`
	}
	resp := p.post(t.Context(), p.body(p.newID(), "tools/call", fmt.Sprintf(`"name":%q,"arguments":%s`, name, arguments)), "tools/call", name)
	var got *mcpwire.Message
	p.each(resp, func(m *mcpwire.Message) bool {
		if m.Kind == mcpwire.Request {
			if !x.same() {
				t.Errorf("the client was asked %s", m.Method)
			}
			p.send(string(mcpwire.BuildError(m.Bytes(m.ID), -32601, "no", nil)))
		}
		got = m
		return !m.Kind.Response()
	})
	switch {
	case x.same():
		return "as the server decides"
	case x.modernOnLegacy():
		same(t, "end", at(t, got, "result", "isError"), "true")
		return "refused to the server by Sluice; the call goes on"
	}
	if got.Kind != mcpwire.Failure {
		t.Errorf("got %s", got.Raw)
	}
	return "cannot: the call ends with an error"
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

func lists(t *testing.T, x crossing) string {
	p := x.peer(t)
	for method, want := range map[string]string{"tools/list": `"name":"saw"`, "prompts/list": `"test_simple_prompt"`,
		"resources/list": `"test://static-text"`, "resources/templates/list": `"test://template/{id}/data"`} {
		got, _ := p.call(method, `"cursor":""`)
		contains(t, method, string(got.Raw), want)
	}
	got, _ := p.call("tools/list", `"cursor":"not one of yours"`)
	if got.Kind != mcpwire.Failure {
		t.Errorf("a cursor of nobody's: %s", got.Raw)
	}
	return works
}

func cacheHints(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("tools/list", "")
	ttl, scope := at(t, got, "result", "ttlMs"), at(t, got, "result", "cacheScope")
	switch {
	case x.same() && x.client == mcpwire.Legacy:
		return "none in this era"
	case x.client == mcpwire.Legacy:
		same(t, "hints", ttl+scope, "")
		return "left out, like `resultType`"
	case ttl == "" || scope == "":
		t.Errorf("no hints: %s %s", ttl, scope)
	case x.same():
		return works
	}
	return "added where missing: `ttlMs` 0, `private`"
}

func completion(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("completion/complete", `"ref":{"type":"ref/prompt","name":"test_prompt_with_arguments"},"argument":{"name":"arg1","value":"p"},"context":{"arguments":{"arg2":"x"}}`)
	if got.Kind != mcpwire.Result || at(t, got, "result", "completion", "values") == "" {
		t.Errorf("got %s", got.Raw)
	}
	return works
}

func schemas(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("tools/list", "")
	contains(t, "schema", string(got.Raw), `"$schema":"https://json-schema.org/draft/2020-12/schema"`, `"$anchor":"addressDef"`, `"$ref":"#/$defs/address"`, `"allOf":[`, `"if":`, `"else":`)
	return works
}

func structured(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("tools/call", `"name":"rich"`)
	same(t, "structured", at(t, got, "result", "structuredContent"), `[null,{"n":12345678901234567890}]`)
	same(t, "isError", at(t, got, "result", "isError"), `true`)
	return works
}

func contentTypes(t *testing.T, x crossing) string {
	p := x.peer(t)
	for name, want := range map[string]string{"test_image_content": `"mimeType":"image/png"`, "test_audio_content": `"type":"audio"`,
		"test_embedded_resource": `"uri":"test://embedded-resource"`} {
		got, _ := p.call("tools/call", fmt.Sprintf(`"name":%q`, name))
		contains(t, name, string(got.Raw), want)
	}
	return works
}

func paramHeaders(t *testing.T, x crossing) string {
	p := x.peer(t)
	if x.client == mcpwire.Modern {
		p.header.Set("Mcp-Param-Region", "eu-west")
	}
	contains(t, "result", p.tool("test_x_mcp_header", `"region":"eu-west","level":1`), `"region":"eu-west"`)
	switch {
	case x.stdio:
		return "none on stdio"
	case x.server == mcpwire.Legacy && x.client == mcpwire.Legacy:
		return "none in this era"
	case x.server == mcpwire.Legacy:
		return "checked by Sluice, left out upstream"
	case x.same():
		return works
	}
	return "derived by Sluice from the tool's schema"
}

func unknownMethod(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("example/unknown", "")
	return unknown(t, x, got)
}

// unknown checks the answer to a method that the server does not have.
func unknown(t *testing.T, x crossing, got *mcpwire.Message) string {
	t.Helper()
	if x.server == mcpwire.Legacy && !x.stdio { // the SDK's legacy handler answers with a status alone
		same(t, "status", at(t, got, "error", "data", "status"), "400")
		return "passed on; what is answered with an HTTP status alone becomes error -31001"
	}
	same(t, "code", at(t, got, "error", "code"), "-32601")
	return works
}

func unknownTool(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("tools/call", `"name":"no-such-tool"`)
	same(t, "code", at(t, got, "error", "code"), "-32602")
	return works
}

func missingResource(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("resources/read", `"uri":"test://nowhere"`)
	same(t, "uri", at(t, got, "error", "data", "uri"), `"test://nowhere"`)
	want, outcome := "-32602", works // this SDK says so in both eras
	switch {
	case x.modernOnLegacy():
		outcome = "translated: -32002 becomes -32602 with `data.uri`"
	case !x.same():
		want, outcome = "-32002", "translated: -32602 with `data.uri` becomes -32002"
	}
	same(t, "code", at(t, got, "error", "code"), want)
	return outcome
}

func skills(t *testing.T, x crossing) string {
	p := x.peer(t)
	p.caps = `{"extensions":{"io.modelcontextprotocol/skills":{}}}`
	if x.client == mcpwire.Legacy {
		p.open()
	}
	got, _ := p.call("skills/list", "")
	if x.server == mcpwire.Legacy {
		unknown(t, x, got)
		return "passed on; this server has none in this era"
	}
	if at(t, got, "result", "skills") == "" {
		t.Errorf("got %s", got.Raw)
	}
	return works
}

func tasksExtension(t *testing.T, x crossing) string {
	p := x.peer(t)
	p.caps = `{"extensions":{"io.modelcontextprotocol/tasks":{}}}`
	if x.client == mcpwire.Legacy {
		p.open()
	}
	got, _ := p.call("tools/call", `"name":"slow_compute","arguments":{"seconds":0.01,"label":"x"}`)
	switch {
	case x.same() && x.client == mcpwire.Modern:
		same(t, "resultType", at(t, got, "result", "resultType"), `"task"`)
		task, _ := p.call("tasks/get", `"taskId":`+at(t, got, "result", "taskId"))
		if task.Kind != mcpwire.Result {
			t.Errorf("tasks/get: %s", task.Raw)
		}
		return works
	case x.same():
		return "none in this era"
	}
	same(t, "a call", content(t, got), "computed x")
	got, _ = p.call("tasks/get", `"taskId":"t"`)
	same(t, "tasks/get", at(t, got, "error", "code"), "-32601")
	if x.modernOnLegacy() {
		return "cannot: the server has none; calls run without"
	}
	return "cannot: a legacy client can't read a task as a result; it is not offered, calls run without"
}

func legacyTasks(t *testing.T, x crossing) string {
	got, _ := x.peer(t).call("tasks/list", "")
	if x.same() && x.client == mcpwire.Legacy {
		unknown(t, x, got)
		return "passed on; this server has none"
	}
	same(t, "code", at(t, got, "error", "code"), "-32601")
	switch {
	case x.client == mcpwire.Modern:
		return "removed in this era"
	}
	return "cannot: the server has none; not offered"
}

func batches(t *testing.T, x crossing) string {
	p := x.peer(t)
	resp := p.post(t.Context(), "["+p.body("1", "tools/list", "")+"]", "tools/list", "")
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	p.each(resp, func(m *mcpwire.Message) bool {
		same(t, "code", at(t, m, "error", "code"), "-32600")
		return false
	})
	return "refused"
}
