package tools

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/mcpserver"
	"sluice/internal/testkit/mcptest"
	"sluice/internal/testkit/proc"
)

// The revisions of the protocol.
var eras = []string{mcptest.Modern, mcptest.Legacy}

// enough is how long a process may take for anything.
const enough = 60 * time.Second

// meta is a running `sluice sandbox`.
func meta(t testing.TB, args ...string) (url string) {
	t.Helper()
	_, env := mcptest.Environment(t)
	p, err := proc.StartLogging(context.WithoutCancel(t.Context()), io.Discard, env, mcptest.Program(t), append([]string{"sandbox", "--addr", "127.0.0.1:0"}, args...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("the sandbox ended with: %v", err)
		}
	})
	return p.URL
}

// plan tells a sandbox to fail.
func plan(t testing.TB, box, faults string) {
	t.Helper()
	resp, err := http.Post(box+"/_emulator/faults", "application/json", strings.NewReader(faults))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	if text, _ := io.ReadAll(resp.Body); resp.StatusCode >= 300 {
		t.Fatalf("the fault plan is refused: %s", text)
	}
}

// met waits until a sandbox's faults have met a request.
func met(t testing.TB, box string) {
	t.Helper()
	within(t, "a fault is met", func() bool {
		resp, err := http.Get(box + "/_emulator/faults")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		text, _ := io.ReadAll(resp.Body)
		return strings.Contains(string(text), `"hits":1`) || strings.Contains(string(text), `"hits": 1`)
	})
}

func within(t testing.TB, what string, ok func() bool) {
	t.Helper()
	limit := time.NewTimer(enough)
	defer limit.Stop()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-limit.C:
			t.Fatalf("in vain waited: %s", what)
		case <-tick.C:
		}
	}
}

// paths are those of the requests that a sandbox remembers.
func paths(t testing.TB, box string) (list []string) {
	t.Helper()
	resp, err := http.Get(box + "/_emulator/requests")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	var answer struct {
		Requests []struct{ Method, Path string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	for _, r := range answer.Requests {
		list = append(list, r.Method+" "+r.Path)
	}
	return list
}

// server is how `sluice mcp` is started.
type server struct {
	box    string // address of a sandbox; empty: Meta
	env    []string
	config string // of sluice.yaml
	args   []string
}

// command is the command, with a state directory of its own unless env names one.
func (s server) command(t testing.TB) *exec.Cmd {
	t.Helper()
	args := slices.Clone(s.args)
	if s.box != "" {
		args = append(args, "--graph-url", s.box)
	}
	if s.config != "" {
		file := filepath.Join(t.TempDir(), "sluice.yaml")
		if err := os.WriteFile(file, []byte(s.config), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, "--config", file)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), mcptest.Program(t), append([]string{"mcp"}, args...)...)
	_, env := mcptest.Environment(t)
	cmd.Env = append(append([]string{"PATH=" + os.Getenv("PATH")}, env...), s.env...)
	return cmd
}

// client connects to the server over its standard streams.
func (s server) client(t testing.TB, version string, o *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	cmd := s.command(t)
	var logs bytes.Buffer
	cmd.Stderr = &locked{to: &logs}
	return connect(t, &mcp.CommandTransport{Command: cmd, TerminateDuration: enough}, version, o)
}

// listen starts the server over HTTP, and ends it with the test.
func (s server) listen(t testing.TB) (url string) {
	t.Helper()
	p := s.process(t)
	t.Cleanup(func() {
		if err := p.Stop(); err != nil {
			t.Errorf("the server ended with: %v", err)
		}
	})
	return p.URL
}

func (s server) process(t testing.TB) *proc.Process {
	t.Helper()
	s.args = append(slices.Clone(s.args), "--listen", "127.0.0.1:0")
	cmd := s.command(t)
	p, err := proc.StartLogging(context.WithoutCancel(t.Context()), io.Discard, cmd.Env, cmd.Args[0], cmd.Args[1:]...)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func connect(t testing.TB, over mcp.Transport, version string, o *mcp.ClientOptions) *mcp.ClientSession {
	t.Helper()
	client := mcp.NewClient(&mcp.Implementation{Name: "test", Version: "1"}, o)
	s, err := client.Connect(t.Context(), over, &mcp.ClientSessionOptions{ProtocolVersion: version})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// names are those of the tools that a client sees.
func names(t testing.TB, s *mcp.ClientSession) (list []string) {
	t.Helper()
	answer, err := s.ListTools(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, tool := range answer.Tools {
		list = append(list, tool.Name)
	}
	return list
}

// said is a result as tests look at it.
type said struct {
	text string
	code string // of a failure
	data map[string]any
}

func call(t testing.TB, s *mcp.ClientSession, name string, args map[string]any) said {
	t.Helper()
	res, err := s.CallTool(t.Context(), &mcp.CallToolParams{Name: name, Arguments: args})
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return read(res)
}

func read(res *mcp.CallToolResult) (a said) {
	for _, c := range res.Content {
		if text, ok := c.(*mcp.TextContent); ok {
			a.text += text.Text
		}
	}
	answer, _ := res.StructuredContent.(map[string]any)
	a.data, _ = answer["data"].(map[string]any)
	if failure, _ := res.Meta[mcpserver.MetaError].(map[string]any); failure != nil {
		a.code, _ = failure["code"].(string)
	}
	if res.IsError && a.code == "" {
		a.code = "unnamed"
	}
	return a
}

// bell rings when a client hears that its list has changed.
type bell struct {
	once sync.Once
	rung chan struct{}
}

func newBell() *bell { return &bell{rung: make(chan struct{})} }

func (b *bell) options() *mcp.ClientOptions {
	return &mcp.ClientOptions{ToolListChangedHandler: func(context.Context, *mcp.ToolListChangedRequest) { b.once.Do(func() { close(b.rung) }) }}
}

func (b *bell) heard(t testing.TB) {
	t.Helper()
	limit := time.NewTimer(enough)
	defer limit.Stop()
	select {
	case <-b.rung:
	case <-limit.C:
		t.Error("the client never heard that its list has changed")
	}
}
