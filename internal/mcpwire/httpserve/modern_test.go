package httpserve

import (
	"bufio"
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// authenticate takes the Authorization header for the caller's name.
func authenticate(r *http.Request) (exchange.Caller, error) {
	switch name := r.Header.Get("Authorization"); name {
	case "":
		return exchange.Caller{}, &Refusal{Status: 401, WWWAuthenticate: "Bearer", Message: "a token is needed"}
	case "expired":
		return exchange.Caller{}, &Refusal{Status: 401, WWWAuthenticate: `Bearer error="invalid_token"`, Message: "the token is not valid"}
	case "small":
		return exchange.Caller{}, &Refusal{Status: 403, Message: "the scope is too small"}
	default:
		return exchange.Caller{ID: name}, nil
	}
}

func TestMalformedModernTrafficFailsAsModern(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{}, Versions: []string{"2026-07-28", "2025-11-25"}})
	list := modernCall(`"a"`, "tools/list", "")
	call := modernCall("1", "tools/call", `"name":"add"`)
	odd := strings.Replace(list, "2026-07-28", "2031-01-01", 1)
	tests := []struct {
		name    string
		body    string
		headers pairs
		status  int
		parts   []string
	}{
		{"no _meta", `{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{}}`, modernHeaders("tools/list"), 400, []string{"-32602", `"id":5`}},
		{"no version in _meta", `{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{}}}}`,
			modernHeaders("tools/list"), 400, []string{"-32602"}},
		{"no capabilities", `{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}}}`,
			modernHeaders("tools/list"), 400, []string{"-32602"}},
		{"version is no string", strings.Replace(list, `"2026-07-28"`, "20260728", 1), modernHeaders("tools/list"), 400, []string{"-32602"}},
		{"capabilities are no object", strings.Replace(list, `{}`, `[]`, 1), modernHeaders("tools/list"), 400, []string{"-32602"}},
		{"no version header", list, modernHeaders("tools/list", "MCP-Protocol-Version", ""), 400, []string{"-32020", `"id":"a"`}},
		{"legacy version header", list, modernHeaders("tools/list", "MCP-Protocol-Version", "2025-11-25"), 400, []string{"-32020"}},
		{"other version header", list, modernHeaders("tools/list", "MCP-Protocol-Version", "2031-01-01"), 400, []string{"-32020"}},
		{"no method header", list, modernHeaders("tools/list", "Mcp-Method", ""), 400, []string{"-32020"}},
		{"other method header", list, modernHeaders("tools/call"), 400, []string{"-32020"}},
		{"method header in capitals", list, modernHeaders("TOOLS/LIST"), 400, []string{"-32020"}},
		{"no name header", call, modernHeaders("tools/call"), 400, []string{"-32020"}},
		{"other name header", call, modernHeaders("tools/call", "Mcp-Name", "sub"), 400, []string{"-32020"}},
		{"name header in capitals", call, modernHeaders("tools/call", "Mcp-Name", "ADD"), 400, []string{"-32020"}},
		{"name header without a name", modernCall("1", "tools/call", ""), modernHeaders("tools/call", "Mcp-Name", "add"), 400, []string{"-32020"}},
		{"name header with a broken wrapper", call, modernHeaders("tools/call", "Mcp-Name", "=?base64?YWRk!?="), 400, []string{"-32020"}},
		{"name header of an extension", modernCall("1", "skills/get", `"name":"x"`), modernHeaders("skills/get", "Mcp-Name", "y"), 400, []string{"-32020"}},
		{"unsupported version", odd, modernHeaders("tools/list", "MCP-Protocol-Version", "2031-01-01"), 400,
			[]string{"-32022", `"supported":["2026-07-28","2025-11-25"]`, `"requested":"2031-01-01"`}},
		{"response", `{"jsonrpc":"2.0","id":5,"result":{}}`, modernHeaders(""), 400, []string{"-32600"}},
		{"only JSON accepted", list, modernHeaders("tools/list", "Accept", "application/json"), 406, []string{"-32600"}},
		{"only streams accepted", list, modernHeaders("tools/list", "Accept", "text/event-stream, application/json;q=0"), 406, []string{"-32600"}},
		{"modern session", `{"jsonrpc":"2.0","id":5,"method":"tools/list","params":{}}`, modernHeaders("tools/list", "Mcp-Session-Id", "x"), 400, []string{"-32602"}},
		{"nothing but the method header", `{"jsonrpc":"2.0","id":5,"method":"tools/list"}`, modernHeaders("tools/list", "MCP-Protocol-Version", ""), 400, []string{"-32602"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, answer := post(t, url, tt.body, tt.headers)
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %s, want %d", resp.StatusCode, answer, tt.status)
			}
			for _, part := range tt.parts {
				if !strings.Contains(answer, part) {
					t.Errorf("got %s, want %s in it", answer, part)
				}
			}
		})
	}
	for _, method := range []string{http.MethodGet, http.MethodDelete} {
		if resp := send(context.Background(), t, method, url, "", modernHeaders("")); resp.StatusCode != 405 || resp.Header.Get("Allow") != "POST" {
			t.Errorf("%s: %d %v", method, resp.StatusCode, resp.Header)
		}
	}
}

func TestModernCallArrivesAsItWasSent(t *testing.T) {
	t.Parallel()
	calls := make(chan *exchange.Call, 1)
	url, _ := endpoint(t, Options{Server: "crm", Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		calls <- c
		return echo(ctx, c, out)
	}}})
	tests := []struct{ name, method, params, field string }{
		{"tool", "tools/call", `"name":"add","arguments":{"n":12345678901234567890.10}`, "add"},
		{"tool with an encoded name", "tools/call", `"name":"größe"`, mcpwire.EncodeHeader("größe")},
		{"name with escapes", "tools/call", `"name":"gr\u00f6\u00dfe"`, mcpwire.EncodeHeader("größe")},
		{"resource", "resources/read", `"uri":"file:///a b"`, "file:///a b"},
		{"prompt", "prompts/get", `"name":" edge "`, mcpwire.EncodeHeader(" edge ")},
		{"task", "tasks/get", `"taskId":"t-1"`, "t-1"},
		{"extension", "skills/get", `"name":"x"`, "x"},
		{"no name", "tools/list", `"cursor":""`, ""},
	}
	for _, tt := range tests {
		body := modernCall("9007199254740993", tt.method, tt.params)
		resp, answer := post(t, url, body, modernHeaders(tt.method, "Mcp-Name", tt.field, "Mcp-Param-Region", "eu",
			"Authorization", "Bearer canary", "Cookie", "canary", "X-Forwarded-For", "canary", "Traceparent", "00-1-2-01"))
		if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "application/json" || !strings.Contains(answer, `"id":9007199254740993`) {
			t.Errorf("%s: %d %s", tt.name, resp.StatusCode, answer)
			continue
		}
		c := <-calls
		if string(c.Message.Raw) != body || c.Era != mcpwire.Modern || c.Version != "2026-07-28" || c.Server != "crm" || c.Caller.ID != "local" {
			t.Errorf("%s: arrived as %+v: %s", tt.name, c, c.Message.Raw)
		}
		want := http.Header{"Traceparent": {"00-1-2-01"}}
		if tt.method == "tools/call" {
			want["Mcp-Param-Region"] = []string{"eu"}
		}
		if len(c.Header) != len(want) || c.Header.Get("Mcp-Param-Region") != want.Get("Mcp-Param-Region") {
			t.Errorf("%s: headers %v, want %v", tt.name, c.Header, want)
		}
	}
}

func TestMirroredArguments(t *testing.T) {
	t.Parallel()
	schema := func(_ context.Context, _ exchange.Caller, tool string) ([]mcpwire.ParamHeader, bool) {
		return []mcpwire.ParamHeader{{Name: "Region", Path: []string{"region"}, Type: "string"}, {Name: "n", Path: []string{"n"}, Type: "integer"}}, tool == "known"
	}
	url, _ := endpoint(t, Options{Upstream: &fake{call: echo}, Schema: schema})
	tests := []struct {
		name, tool, args string
		headers          pairs
		status           int
	}{
		{"both", "known", `{"region":"eu","n":7}`, pairs{"Mcp-Param-Region", "eu", "Mcp-Param-N", "7"}, 200},
		{"number in another form", "known", `{"n":42.0}`, pairs{"Mcp-Param-N", "42"}, 200},
		{"encoded", "known", `{"region":"größe"}`, pairs{"Mcp-Param-Region", mcpwire.EncodeHeader("größe")}, 200},
		{"missing", "known", `{"region":"eu"}`, nil, 400},
		{"different", "known", `{"region":"eu"}`, pairs{"Mcp-Param-Region", "us"}, 400},
		{"without the argument", "known", `{}`, pairs{"Mcp-Param-Region", "eu"}, 400},
		{"null", "known", `{"region":null}`, nil, 200},
		{"not a header of the tool", "known", `{}`, pairs{"Mcp-Param-Other", "x"}, 200},
		{"unknown tool", "unknown", `{"region":"eu"}`, pairs{"Mcp-Param-Region", "us"}, 200},
	}
	if twice, err := http.NewRequest(http.MethodPost, url, strings.NewReader(modernCall("1", "tools/call", `"name":"unknown"`))); err != nil {
		t.Error(err)
	} else {
		for hs, i := modernHeaders("tools/call", "Mcp-Name", "unknown"), 0; i < len(hs); i += 2 {
			twice.Header.Set(hs[i], hs[i+1])
		}
		twice.Header["Mcp-Param-Region"] = []string{"eu", "us"}
		if resp, err := http.DefaultTransport.RoundTrip(twice); err != nil || resp.Body.Close() != nil || resp.StatusCode != 400 {
			t.Errorf("a header that comes twice: %v, %v", resp, err)
		}
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			body := modernCall("1", "tools/call", `"name":"`+tt.tool+`","arguments":`+tt.args)
			resp, answer := post(t, url, body, append(modernHeaders("tools/call", "Mcp-Name", tt.tool), tt.headers...))
			if resp.StatusCode != tt.status || tt.status == 400 && !strings.Contains(answer, "-32020") {
				t.Errorf("got %d %s, want %d", resp.StatusCode, answer, tt.status)
			}
		})
	}
}

func TestModernNotificationIsAccepted(t *testing.T) {
	t.Parallel()
	got := make(chan string, 1)
	url, _ := endpoint(t, Options{Upstream: &fake{notify: func(_ context.Context, c *exchange.Call) error {
		got <- c.Message.Method
		return nil
	}}})
	body := `{"jsonrpc":"2.0","method":"notifications/x","params":{` + modernMeta + `}}`
	resp, answer := post(t, url, body, append(pairs{"MCP-Protocol-Version", "2026-07-28"}, common...))
	if resp.StatusCode != 202 || answer != "" || <-got != "notifications/x" {
		t.Errorf("%d %q", resp.StatusCode, answer)
	}
	resp, _ = post(t, url, body, modernHeaders("notifications/y"))
	if resp.StatusCode != 400 {
		t.Errorf("headers of another notification: %d", resp.StatusCode)
	}
}

func TestClosingTheStreamCancels(t *testing.T) {
	t.Parallel()
	cancelled := make(chan struct{})
	url, _ := endpoint(t, Options{Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if err := out.Send(exchange.Event{Data: []byte(`{"jsonrpc":"2.0","method":"notifications/progress"}`)}); err != nil {
			return err
		}
		<-ctx.Done()
		close(cancelled)
		return ctx.Err()
	}}})
	ctx, cancel := context.WithCancel(context.Background())
	resp := send(ctx, t, http.MethodPost, url, modernCall("1", "tools/call", `"name":"add"`), modernHeaders("tools/call", "Mcp-Name", "add"))
	until(t, bufio.NewReader(resp.Body), `data: {"jsonrpc":"2.0","method":"notifications/progress"}`)
	began := time.Now()
	cancel()
	wait(t, cancelled, "the call to be cancelled")
	t.Logf("cancelled after %v", time.Since(began))
}

func TestStatusOfErrors(t *testing.T) {
	t.Parallel()
	rpc := func(code string) func(context.Context, *exchange.Call, exchange.Sink) error {
		return func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			return out.Send(exchange.Event{Final: true, Data: []byte(`{"jsonrpc":"2.0","id":1,"error":{"code":` + code + `,"message":"m","data":{"x":1}}}`)})
		}
	}
	status := func(status int) func(context.Context, *exchange.Call, exchange.Sink) error {
		return func(_ context.Context, c *exchange.Call, out exchange.Sink) error {
			return out.Send(exchange.Event{Final: true, Status: status, Data: resultFor(c, "x")})
		}
	}
	relay := func(code exchange.Code) func(context.Context, *exchange.Call, exchange.Sink) error {
		return func(context.Context, *exchange.Call, exchange.Sink) error {
			return &exchange.Error{Code: code, Message: "it failed"}
		}
	}
	tests := []struct {
		name   string
		call   func(context.Context, *exchange.Call, exchange.Sink) error
		status int
		part   string
	}{
		{"unknown method", rpc("-32601"), 404, `"data":{"x":1}`},
		{"header mismatch", rpc("-32020"), 400, "-32020"},
		{"missing capability", rpc("-32021"), 400, "-32021"},
		{"unsupported version", rpc("-32022"), 400, "-32022"},
		{"invalid params", rpc("-32602"), 200, "-32602"},
		{"accepted, with the answer", status(202), 200, "result"},
		{"forbidden, by the upstream", status(403), 502, "result"},
		{"busy", status(503), 503, "result"},
		{"unreachable", relay(exchange.Unreachable), 502, `"code":"upstream_unreachable"`},
		{"timed out", relay(exchange.TimedOut), 504, `"retryable":false`},
		{"backing off", relay(exchange.BackingOff), 503, `"retryable":true`},
		{"read only", relay(exchange.ReadOnlyScope), 403, "read_only_scope"},
		{"no answer at all", func(context.Context, *exchange.Call, exchange.Sink) error { return nil }, 502, "upstream_broke_off"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{Upstream: &fake{call: tt.call}})
			resp, answer := post(t, url, modernCall("1", "x/y", ""), modernHeaders("x/y"))
			if resp.StatusCode != tt.status || !strings.Contains(answer, tt.part) || !strings.Contains(answer, `"id":1`) {
				t.Errorf("got %d %s, want %d and %s", resp.StatusCode, answer, tt.status, tt.part)
			}
		})
	}
}

// Where the upstream has no headers of its own to compare, the face learns from the
// lists that pass by what it has to check.
func TestMirroredArgumentsOfListedTools(t *testing.T) {
	t.Parallel()
	tools := `{"tools":[{"name":"plain","inputSchema":{}},{"name":"mirrored","inputSchema":{"type":"object","properties":{"region":{"type":"string","x-mcp-header":"Region"}}}}]}`
	url, _ := endpoint(t, Options{Authenticate: authenticate, Upstream: &fake{call: func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		if c.Message.Method == mcpwire.MethodToolsList {
			return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), []byte(tools))})
		}
		return echo(ctx, c, out)
	}}})
	call := func(who, tool string) int {
		resp, _ := post(t, url, modernCall("1", "tools/call", `"name":"`+tool+`","arguments":{"region":"eu"}`),
			modernHeaders("tools/call", "Mcp-Name", tool, "Mcp-Param-Region", "us", "Authorization", who))
		return resp.StatusCode
	}
	list := func(cursor string) {
		post(t, url, modernCall("1", "tools/list", cursor), modernHeaders("tools/list", "Authorization", "ada"))
	}
	if got := call("ada", "mirrored"); got != 200 {
		t.Errorf("not listed yet: %d", got)
	}
	list("")
	for _, tt := range []struct {
		who, tool string
		status    int
	}{{"ada", "mirrored", 400}, {"ada", "plain", 200}, {"bob", "mirrored", 200}} {
		if got := call(tt.who, tt.tool); got != tt.status {
			t.Errorf("%s calls %s: %d, want %d", tt.who, tt.tool, got, tt.status)
		}
	}
	tools = `{"tools":[]}`
	list(`"cursor":"2"`)
	if got := call("ada", "mirrored"); got != 400 {
		t.Errorf("after an empty second page: %d", got)
	}
	list("")
	if got := call("ada", "mirrored"); got != 200 {
		t.Errorf("after a new list: %d", got)
	}
}
