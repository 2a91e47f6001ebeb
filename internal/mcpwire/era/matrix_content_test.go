package era_test

import (
	"fmt"
	"net/http"
	"testing"

	"sluice/internal/mcpwire"
)

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
		return "passed on; what is answered with an HTTP status alone becomes error -31003"
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
	resp := p.post(t.Context(), "["+p.body("1", "tools/list", "")+"]", "tools/list", "") //nolint:bodyclose // each closes it
	if resp.StatusCode != http.StatusBadRequest {
		t.Errorf("status %d", resp.StatusCode)
	}
	p.each(resp, func(m *mcpwire.Message) bool {
		same(t, "code", at(t, m, "error", "code"), "-32600")
		return false
	})
	return "refused"
}
