package era_test

import (
	"fmt"
	"net/http"
	"slices"
	"testing"

	"sluice/internal/mcpwire"
)

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
	resp := p.post(t.Context(), p.body(p.newID(), "tools/call", `"name":"legacy_link"`), "tools/call", "legacy_link") //nolint:bodyclose // each closes it
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
	resp := p.post(t.Context(), p.body(p.newID(), "tools/call", fmt.Sprintf(`"name":%q,"arguments":%s`, name, arguments)), "tools/call", name) //nolint:bodyclose // each closes it
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
