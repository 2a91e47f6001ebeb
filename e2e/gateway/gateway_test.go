// Package gateway tests several MCP servers behind `sluice serve`, with clients on the
// official SDK, in both eras.
package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/cli"
	"sluice/internal/mcpwire/stdiodial"
	"sluice/internal/testkit/everything"
	"sluice/internal/testkit/mcptest"
)

// asServer makes the test binary the server that a configuration runs as a command.
const asServer = "SLUICE_TEST_AS_SERVER"

func TestMain(m *testing.M) {
	stdiodial.MaybeChild()
	if os.Getenv(asServer) != "" {
		s := everything.New()
		err := s.Stdio(context.Background(), os.Stdin, os.Stdout)
		s.Close()
		if err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// gate is a running `sluice serve` with three servers: one over HTTP, one that is a
// command, one that is dead.
type gate struct {
	t      *testing.T
	dir    string
	env    []string
	config string
	url    string
	token  string // of the owner
	stop   func() int
}

// admit makes a grant of a server that may call everything, and waits until the gateway
// knows it.
func (g *gate) admit(server string, more ...string) string {
	g.t.Helper()
	run := mcptest.Run(g.run)
	run.SetPolicy(g.t, server, "all", mcptest.AllowAll)
	_, token := run.Grant(g.t, server, "everything", append([]string{"--policy", "all"}, more...)...)
	path := "/mcp/" + server
	if server == "aggregate" {
		path = "/mcp"
	}
	mcptest.AwaitToken(g.t, g.url+path, token)
	return token
}

func start(t *testing.T) *gate {
	t.Helper()
	everywhere := everything.New()
	upstream := httptest.NewServer(everywhere.Handler())
	t.Cleanup(func() { upstream.Close(); everywhere.Close() })
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return serve(t, "mcp:\n  servers:\n"+
		"    web: {url: \""+upstream.URL+"/mcp\"}\n"+
		"    local: {command: ["+quote(self)+"], env: {"+asServer+": {value: \"1\"}}, prefix: l.}\n"+
		"    gone: {url: \"http://"+closedPort(t)+"/mcp\"}\n"+
		"  aggregate: [web, gone, local]\n")
}

// serve starts `sluice serve` with a configuration.
func serve(t *testing.T, text string, env ...string) *gate {
	t.Helper()
	g := &gate{t: t, dir: t.TempDir(), env: env}
	g.config = filepath.Join(g.dir, "sluice.yaml")
	if err := os.WriteFile(g.config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	out, in := io.Pipe()
	var logs bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- cli.Main(ctx, g.process([]string{"serve", "--addr", "127.0.0.1:0"}, in, &logs))
		_ = in.Close()
	}()
	g.stop = sync.OnceValue(func() int { cancel(); return <-code })
	t.Cleanup(func() { g.stop() })
	first := make([]byte, 256)
	n, err := out.Read(first)
	if err != nil {
		t.Fatalf("serve ended: exit %d, %v\n%s", g.stop(), err, logs.String())
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	g.url = strings.TrimPrefix(strings.TrimSpace(string(first[:n])), "listening on ")
	token, err := os.ReadFile(filepath.Join(g.dir, "state", "owner-token"))
	if err != nil {
		t.Fatal(err)
	}
	g.token = strings.TrimSpace(string(token))
	return g
}

func (g *gate) process(args []string, out, logs io.Writer) cli.Process {
	return cli.Process{
		Args: append([]string{"--state-dir", filepath.Join(g.dir, "state"), "--config", g.config}, args...),
		Env:  append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + g.dir}, g.env...), Stdin: strings.NewReader(""), Stdout: out, Stderr: logs,
	}
}

// run runs a command beside the server.
func (g *gate) run(args ...string) (int, string) {
	var out, logs bytes.Buffer
	code := cli.Main(g.t.Context(), g.process(args, &out, &logs))
	return code, out.String()
}

func quote(s string) string {
	text, _ := json.Marshal(s) // strings always encode
	return string(text)
}

// closedPort is an address of this machine that nobody listens on.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// bearer sends a token with every request.
type bearer struct{ token string }

func (b bearer) RoundTrip(r *http.Request) (*http.Response, error) {
	r = r.Clone(r.Context())
	r.Header.Set("Authorization", "Bearer "+b.token)
	return http.DefaultTransport.RoundTrip(r)
}

// connect is a client on the official SDK that speaks one revision.
func (g *gate) connect(path, version, token string, o *mcp.ClientOptions) *mcp.ClientSession {
	g.t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, o)
	s, err := client.Connect(g.t.Context(), &mcp.StreamableClientTransport{Endpoint: g.url + path, HTTPClient: &http.Client{Transport: bearer{token}}},
		&mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		g.t.Fatalf("connect to %s: %v", path, err)
	}
	g.t.Cleanup(func() { _ = s.Close() })
	return s
}

var eras = []string{"2026-07-28", "2025-11-25"}

func text(t *testing.T, r *mcp.CallToolResult, err error) string {
	t.Helper()
	if err != nil {
		t.Error(err)
		return ""
	}
	if len(r.Content) == 0 {
		return ""
	}
	c, _ := r.Content[0].(*mcp.TextContent)
	if c == nil {
		return ""
	}
	return c.Text
}

func TestSeveralServersAreOne(t *testing.T) {
	t.Parallel()
	g := start(t)
	token := g.admit("aggregate")
	for _, version := range eras {
		t.Run(version, func(t *testing.T) {
			ctx := t.Context()
			s := g.connect("/mcp", version, token, nil)
			list, err := s.ListTools(ctx, nil)
			if err != nil {
				t.Fatal(err)
			}
			web, local := 0, 0
			for _, tool := range list.Tools {
				switch {
				case strings.HasPrefix(tool.Name, "web_"):
					web++
				case strings.HasPrefix(tool.Name, "l."):
					local++
				default:
					t.Errorf("a tool without a prefix: %s", tool.Name)
				}
			}
			if web == 0 || web != local {
				t.Errorf("%d tools of one server and %d of its twin", web, local)
			}
			if missing, _ := list.Meta["sluice/unavailable"].([]any); len(missing) != 1 || missing[0] != "gone" {
				t.Errorf("unavailable: %v", list.Meta)
			}
			for _, prefix := range []string{"web_", "l."} {
				r, err := s.CallTool(ctx, &mcp.CallToolParams{Name: prefix + "test_simple_text"})
				if got := text(t, r, err); !strings.Contains(got, "simple text") {
					t.Errorf("%s: %q", prefix, got)
				}
				p, err := s.GetPrompt(ctx, &mcp.GetPromptParams{Name: prefix + "test_simple_prompt"})
				if err != nil || len(p.Messages) == 0 {
					t.Errorf("prompt of %s: %v", prefix, err)
				}
			}
			if r, err := s.ReadResource(ctx, &mcp.ReadResourceParams{URI: "test://static-text"}); err != nil || len(r.Contents) == 0 {
				t.Errorf("resource: %v", err)
			}
			if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "test_simple_text"}); err == nil {
				t.Error("a tool without a prefix was found")
			}
			if _, err := s.CallTool(ctx, &mcp.CallToolParams{Name: "gone_x"}); err == nil {
				t.Error("a dead server answered")
			}
		})
	}
}

func TestMembersAskTheClientOfTheAggregate(t *testing.T) {
	t.Parallel()
	g := start(t)
	token := g.admit("aggregate")
	// The modern era asks by interrupting the call, the legacy one by a request.
	tools := map[string]string{eras[0]: "test_input_required_result_elicitation", eras[1]: "test_elicitation"}
	for _, version := range eras {
		for _, prefix := range []string{"web_", "l."} {
			t.Run(version+" "+prefix, func(t *testing.T) {
				s := g.connect("/mcp", version, token, &mcp.ClientOptions{
					ElicitationHandler: func(context.Context, *mcp.ElicitRequest) (*mcp.ElicitResult, error) {
						return &mcp.ElicitResult{Action: "accept", Content: map[string]any{"name": "Ada", "username": "Ada", "email": "ada@example.com"}}, nil
					},
				})
				r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: prefix + tools[version], Arguments: map[string]any{"message": "Who?"}})
				if got := text(t, r, err); !strings.Contains(got, "Ada") {
					t.Errorf("answered %q", got)
				}
			})
		}
	}
}

func TestChangesOfMembersReachTheClient(t *testing.T) {
	t.Parallel()
	g := start(t)
	changed := make(chan struct{}, 16)
	s := g.connect("/mcp", "2025-11-25", g.admit("aggregate"), &mcp.ClientOptions{
		ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) {
			select {
			case changed <- struct{}{}:
			default:
			}
		},
	})
	list, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(list.Tools, func(tool *mcp.Tool) bool {
		return strings.HasPrefix(tool.Name, "l.") && strings.Contains(tool.Name, "change") && strings.Contains(tool.Name, "tool")
	})
	if i < 0 {
		t.Fatal("the server has no tool that changes its list")
	}
	if r, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: list.Tools[i].Name}); err != nil || r.IsError {
		t.Fatalf("%v %+v", err, r)
	}
	select {
	case <-changed:
	case <-t.Context().Done():
		t.Fatal("the client never heard of it")
	}
}

func TestTokensDecideWhoComesIn(t *testing.T) {
	t.Parallel()
	g := start(t)
	token := g.admit("web")
	_, readOnly := mcptest.Run(g.run).Grant(t, "web", "reader", "--policy", "all", "--scopes", "mcp:read")
	_, noPolicy := mcptest.Run(g.run).Grant(t, "web", "new")
	mcptest.AwaitToken(t, g.url+"/mcp/web", noPolicy)
	call := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"test_simple_text","arguments":{},` +
		`"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}}}`
	for _, tt := range []struct {
		name, path, token string
		status            int
		part              string
	}{
		{"a grant", "/mcp/web", token, 200, "simple text"},
		{"a grant without policy", "/mcp/web", noPolicy, 200, "no_policy"},
		{"nobody", "/mcp/web", "", 401, "no token"},
		{"nobody, at a server that is not there", "/mcp/none", "", 401, "no token"},
		{"a made-up token", "/mcp/web", token[:len(token)-4] + "AAAA", 401, "not valid"},
		{"an API token", "/mcp/web", g.token, 401, "not valid"},
		{"a grant that only reads", "/mcp/web", readOnly, 403, "read_only_scope"},
		{"a grant of another server", "/mcp/local", token, 401, "not valid"},
		{"a grant of a server, at the aggregate", "/mcp", token, 401, "not valid"},
		{"a server that is not there", "/mcp/none", token, 401, "not valid"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, g.url+tt.path, strings.NewReader(call))
		if err != nil {
			t.Fatal(err)
		}
		for k, v := range map[string]string{"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
			"MCP-Protocol-Version": "2026-07-28", "Mcp-Method": "tools/call", "Mcp-Name": "test_simple_text"} {
			req.Header.Set(k, v)
		}
		if tt.token != "" {
			req.Header.Set("Authorization", "Bearer "+tt.token)
		}
		r, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(r.Body)
		_ = r.Body.Close()
		if err != nil || r.StatusCode != tt.status || !strings.Contains(string(body), tt.part) {
			t.Errorf("%s: HTTP %d %s, want %d and %q", tt.name, r.StatusCode, body, tt.status, tt.part)
		}
		if (r.Header.Get("WWW-Authenticate") != "") != (tt.status == 401) {
			t.Errorf("%s: challenge %q", tt.name, r.Header.Get("WWW-Authenticate"))
		}
	}
	s := g.connect("/mcp/web", "2026-07-28", readOnly, nil)
	if list, err := s.ListTools(t.Context(), nil); err != nil || len(list.Tools) == 0 {
		t.Errorf("a token that reads lists nothing: %v", err)
	}
}

func TestMetricsAndTheEnd(t *testing.T) {
	t.Parallel()
	g := start(t)
	s := g.connect("/mcp", "2025-11-25", g.admit("aggregate"), nil)
	if _, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: "l.test_simple_text"}); err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, g.url+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := (bearer{g.token}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(r.Body)
	_ = r.Body.Close()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`mcp_calls_total{server="local",method="tools/call",outcome="ok"} 1`,
		`mcp_calls_total{server="(aggregate)",method="tools/call",outcome="ok"} 1`,
		`mcp_upstream_up{server="gone"} 0`,
		`mcp_children{server="local"} 1`,
		`mcp_sessions{server="(aggregate)"} 1`,
	} {
		if !strings.Contains(string(body), want+"\n") {
			t.Errorf("no %s in the metrics", want)
		}
	}
	if code := g.stop(); code != 0 {
		t.Errorf("exit %d", code)
	}
}

func TestServersAreListedAndChecked(t *testing.T) {
	t.Parallel()
	g := start(t)
	code, out := g.run("server", "list", "--json")
	if code != 0 || !strings.Contains(out, `{"name":"local","kind":"command"`) || !strings.Contains(out, `"prefix":"web_"`) {
		t.Errorf("exit %d: %s", code, out)
	}
	code, out = g.run("server", "check", "--json")
	var all []struct {
		Name      string
		Reachable bool
		Era       string
		Tools     *int
		Code      string
	}
	if err := json.Unmarshal([]byte(out), &all); err != nil || code != 3 || len(all) != 3 {
		t.Fatalf("exit %d, %v: %s", code, err, out)
	}
	for _, s := range all {
		switch alive := s.Name != "gone"; {
		case alive && (!s.Reachable || s.Era != "modern" || s.Tools == nil || *s.Tools == 0):
			t.Errorf("%+v", s)
		case !alive && (s.Reachable || s.Code != "upstream_unreachable"):
			t.Errorf("%+v", s)
		}
	}
	if code, out := g.run("server", "check", "nobody"); code != 2 {
		t.Errorf("exit %d: %s", code, out)
	}
}
