package mcpserver_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpserver"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// inbox is a sink that keeps what comes.
type inbox struct {
	mu   sync.Mutex
	all  []string
	came chan string
}

func newInbox() *inbox { return &inbox{came: make(chan string, 64)} }

// Send implements exchange.Sink.
func (s *inbox) Send(e exchange.Event) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, string(e.Data))
	s.came <- string(e.Data)
	return nil
}

func (s *inbox) last() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.all) == 0 {
		return ""
	}
	return s.all[len(s.all)-1]
}

func (s *inbox) waits(t *testing.T, what string) string {
	t.Helper()
	for {
		select {
		case got := <-s.came:
			if strings.Contains(got, what) {
				return got
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("%s never came", what)
		}
	}
}

func message(t *testing.T, text string) *mcpwire.Message {
	t.Helper()
	m, err := mcpwire.Parse([]byte(text), mcpwire.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return &m
}

func ask(t *testing.T, m *mcpwire.Message, caller string) *exchange.Call {
	t.Helper()
	c := &exchange.Call{Message: m, Caller: exchange.Caller{ID: caller}, Server: "test", Era: mcpwire.Legacy}
	if m.Modern() {
		c.Era = mcpwire.Modern
	}
	return c
}

const modernMeta = `"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}`

// plain is a tool that answers at once, after some progress.
func plain(name, set string) tool.Handler {
	t := &tool.Tool{
		Name: name, Title: "Title of " + name, Set: set, Category: tool.Read, Severity: tool.Low,
		Does: "Reads something of " + strings.ReplaceAll(name, "_", " ") + ".", Use: "For tests.",
		Args: []tool.Arg{tool.Text("word", "A word.").Local()}, Out: tool.Out{Members: "word"},
		Run: func(_ context.Context, e *tool.Env) (*tool.Answer, error) {
			e.Progress(1, 3, "begun")
			e.Progress(1, 3, "again") // no progress
			e.Progress(2, 3, "nearly")
			if e.Args.Str("word") == "fail" {
				return nil, fault.New(fault.NotReady, "not yet").With("id", "7")
			}
			return &tool.Answer{Data: map[string]any{"word": e.Args.Str("word")}}, nil
		},
	}
	return (&tool.Runner{}).Handler(t)
}

func server(t *testing.T, listed func(context.Context) []string) *mcpserver.Server {
	t.Helper()
	s, err := mcpserver.New(mcpserver.Options{
		Name: "test", Version: "1", Tools: []tool.Handler{plain("pause_campaign", "ads.write"), plain("list_pages", "pages.read"), plain("delete_comment", "pages.write")},
		Listed: listed, Search: true,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestBothErasGetTheSameTools(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	modern, legacy := newInbox(), newInbox()
	if err := s.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modernMeta+`}}`), "a"), modern); err != nil {
		t.Fatal(err)
	}
	session, err := s.Initialize(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":"i","method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"x","version":"1"}}}`), "a"), legacy)
	if err != nil || !strings.Contains(legacy.last(), `"protocolVersion":"2025-06-18"`) || !strings.Contains(legacy.last(), `"id":"i"`) {
		t.Fatalf("%v: %s", err, legacy.last())
	}
	if err := session.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":2,"method":"tools/list"}`), "a"), legacy); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"name":"pause_campaign"`, `"name":"` + mcpserver.SearchTool + `"`, `"outputSchema"`} {
		if !strings.Contains(modern.last(), want) || !strings.Contains(legacy.last(), want) {
			t.Errorf("%s is missing", want)
		}
	}
	if !strings.Contains(modern.last(), `"resultType":"complete"`) || strings.Contains(legacy.last(), "resultType") {
		t.Error("resultType is of the modern era, and only of it")
	}
}

func TestCallsAndTheirFailures(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	tests := []struct{ name, params, want string }{
		{"an answer", `"name":"list_pages","arguments":{"word":"tea"}`, `"structuredContent":{"data":{"word":"tea"}}`},
		{"a failure is a result", `"name":"list_pages","arguments":{"word":"fail"}`, `"isError":true`},
		{"with its code", `"name":"list_pages","arguments":{"word":"fail"}`, `"sluice/error":{"code":"not_ready"`},
		{"wrong arguments", `"name":"list_pages","arguments":{"wrd":"x"}`, `did you mean word?`},
		{"an unknown tool", `"name":"list_page"`, `"code":-32602`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			out := newInbox()
			err := s.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{`+tt.params+`,`+modernMeta+`}}`), "a"), out)
			if err != nil || !strings.Contains(out.last(), tt.want) {
				t.Errorf("%v\n%s", err, out.last())
			}
		})
	}
	out := newInbox()
	if err := s.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"resources/list","params":{`+modernMeta+`}}`), "a"), out); err != nil || !strings.Contains(out.last(), "-32601") {
		t.Errorf("a method there is none of: %v %s", err, out.last())
	}
}

func TestProgressGoesUpAndNowhereElse(t *testing.T) {
	t.Parallel()
	s := server(t, nil)
	out := newInbox()
	meta := strings.Replace(modernMeta, `"_meta":{`, `"_meta":{"progressToken":"p-1",`, 1)
	if err := s.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"list_pages",`+meta+`}}`), "a"), out); err != nil {
		t.Fatal(err)
	}
	var told []float64
	for _, line := range out.all[:len(out.all)-1] {
		var n struct {
			Params struct {
				Token    string  `json:"progressToken"`
				Progress float64 `json:"progress"`
			} `json:"params"`
		}
		if err := json.Unmarshal([]byte(line), &n); err != nil || n.Params.Token != "p-1" {
			t.Errorf("%v: %s", err, line)
		}
		told = append(told, n.Params.Progress)
	}
	if fmt.Sprint(told) != "[1 2]" {
		t.Errorf("progress %v", told)
	}
}

// TestWhatASearchFindsIsListed for whoever searched, and their streams are told.
func TestWhatASearchFindsIsListed(t *testing.T) {
	t.Parallel()
	s := server(t, func(context.Context) []string { return []string{"list_pages"} })
	list := func(caller string) string {
		out := newInbox()
		if err := s.Call(t.Context(), ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"tools/list","params":{`+modernMeta+`}}`), caller), out); err != nil {
			t.Fatal(err)
		}
		return out.last()
	}
	if got := list("a"); strings.Contains(got, `"name":"delete_comment"`) || !strings.Contains(got, `"name":"list_pages"`) {
		t.Fatalf("before: %s", got)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	stream, others := newInbox(), newInbox()
	ended := make(chan error, 2)
	subscribe := `{"jsonrpc":"2.0","id":"s","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true},` + modernMeta + `}}`
	go func() { ended <- s.Call(ctx, ask(t, message(t, subscribe), "a"), stream) }()
	session, err := s.Resume(ctx, ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`), "a"))
	if err != nil {
		t.Fatal(err)
	}
	legacy := newInbox()
	go func() {
		ended <- session.Listen(ctx, ask(t, message(t, `{"jsonrpc":"2.0","id":1,"method":"ping"}`), "a"), "", legacy)
	}()
	stream.waits(t, "acknowledged")
	<-legacy.came // it is open
	search := `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"` + mcpserver.SearchTool + `","arguments":{"query":"delete a comment"},` + modernMeta + `}}`
	if err := s.Call(t.Context(), ask(t, message(t, search), "a"), others); err != nil || !strings.Contains(others.last(), "delete_comment") {
		t.Fatalf("%v: %s", err, others.last())
	}
	if got := stream.waits(t, "list_changed"); !strings.Contains(got, `"io.modelcontextprotocol/subscriptionId":"s"`) {
		t.Errorf("%s", got)
	}
	legacy.waits(t, "list_changed")
	if !strings.Contains(list("a"), `"name":"delete_comment"`) {
		t.Error("what was found is not listed")
	}
	if strings.Contains(list("b"), `"name":"delete_comment"`) {
		t.Error("another caller's list has grown")
	}
	cancel()
	for range 2 {
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("a stream ended with %v", err)
		}
	}
}

func TestTwoToolsOfOneName(t *testing.T) {
	t.Parallel()
	if _, err := mcpserver.New(mcpserver.Options{Name: "x", Tools: []tool.Handler{plain("a", "utility"), plain("a", "utility")}}); err == nil {
		t.Error("it was made")
	}
}
