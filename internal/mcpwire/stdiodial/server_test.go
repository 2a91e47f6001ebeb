package stdiodial

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// serverMode makes the test binary an MCP server instead.
const serverMode = "STDIODIAL_SERVER"

func TestMain(m *testing.M) {
	MaybeChild()
	if mode := os.Getenv(serverMode); mode != "" {
		serve(mode)
	}
	os.Exit(m.Run())
}

// server is a small MCP server of both eras whose tools do what a test needs.
type server struct {
	mode      string
	mu        sync.Mutex
	waiting   map[string]chan json.RawMessage // ids of requests that wait for a cancellation, or of our own
	cancelled []string
	listens   []json.RawMessage
	seen      []string
	stale     []json.RawMessage // progress tokens of calls of slow
	asked     int
}

type incoming struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params struct {
		Name      string          `json:"name"`
		Arguments json.RawMessage `json:"arguments"`
		RequestID json.RawMessage `json:"requestId"`
		Meta      struct {
			Token json.RawMessage `json:"progressToken"`
		} `json:"_meta"`
	} `json:"params"`
	Result json.RawMessage `json:"result"`
}

// detach has a process leave its group, where a system can do that.
var detach = func(*exec.Cmd) {}

func serve(mode string) {
	if mode == "exit" {
		fmt.Fprintln(os.Stderr, "no luck today")
		os.Exit(7)
	}
	if mode == "stubborn" {
		signal.Ignore(syscall.SIGTERM)
	}
	s := &server{mode: mode, waiting: map[string]chan json.RawMessage{}}
	in := bufio.NewReader(os.Stdin)
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			break
		}
		var m incoming
		if json.Unmarshal(line, &m) != nil {
			s.say(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"what?"}}`)
			continue
		}
		s.mu.Lock()
		s.seen = append(s.seen, string(line))
		s.mu.Unlock()
		s.handle(&m)
	}
	if mode == "stubborn" || mode == "lingers" {
		select {}
	}
	os.Exit(0)
}

func (s *server) say(format string, args ...any) {
	text := format
	if len(args) > 0 {
		text = fmt.Sprintf(format, args...)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	_, _ = io.WriteString(os.Stdout, text+"\n")
}

func (s *server) result(id json.RawMessage, text string) {
	quoted, _ := json.Marshal(text)
	s.say(`{"jsonrpc":"2.0","id":%s,"result":{"content":[{"type":"text","text":%s}]}}`, id, quoted)
}

func (s *server) handle(m *incoming) {
	switch m.Method {
	case "initialize":
		if s.mode == "modern" {
			s.say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32022,"message":"modern only","data":{"supported":["2026-07-28"]}}}`, m.ID)
			return
		}
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"protocolVersion":"2025-11-25","capabilities":{"tools":{}},"serverInfo":{"name":"child","version":"1"}}}`, m.ID)
	case "server/discover":
		if s.mode == "modern" {
			s.say(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete","supportedVersions":["2026-07-28"],"capabilities":{},"ttlMs":0,"cacheScope":"private"}}`, m.ID)
			return
		}
		s.say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32601,"message":"unknown method"}}`, m.ID)
	case "subscriptions/listen":
		s.mu.Lock()
		s.listens = append(s.listens, m.ID)
		s.mu.Unlock()
		s.say(`{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"notifications":{}}}`, m.ID)
	case "notifications/cancelled":
		s.mu.Lock()
		s.cancelled = append(s.cancelled, string(m.Params.RequestID))
		wait := s.waiting[string(m.Params.RequestID)]
		s.mu.Unlock()
		if wait != nil {
			close(wait)
		}
	case "tools/call":
		go s.tool(m)
	case "":
		s.mu.Lock()
		wait := s.waiting[string(m.ID)]
		s.mu.Unlock()
		if wait != nil {
			wait <- m.Result
		}
	}
}

func (s *server) tool(m *incoming) {
	var arg struct {
		Size int
		Path string
		Text string
	}
	_ = json.Unmarshal(m.Params.Arguments, &arg)
	switch m.Params.Name {
	case "echo":
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"arguments":%s}}`, m.ID, m.Params.Arguments)
	case "id":
		s.result(m.ID, string(m.ID))
	case "pid":
		s.result(m.ID, fmt.Sprint(os.Getpid()))
	case "env":
		s.result(m.ID, strings.Join(os.Environ(), "\n"))
	case "seen":
		s.mu.Lock()
		text := strings.Join(s.seen, "")
		s.mu.Unlock()
		s.result(m.ID, text)
	case "cancelled":
		s.mu.Lock()
		text := strings.Join(s.cancelled, " ")
		s.mu.Unlock()
		s.result(m.ID, text)
	case "big":
		s.result(m.ID, strings.Repeat("x", arg.Size))
	case "crash":
		os.Exit(3)
	case "bye":
		s.result(m.ID, "bye")
		os.Exit(0)
	case "slow":
		wait := make(chan json.RawMessage, 1)
		s.mu.Lock()
		s.waiting[string(m.ID)] = wait
		s.stale = append(s.stale, m.Params.Meta.Token)
		s.mu.Unlock()
		s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":0}}`, m.Params.Meta.Token)
		<-wait
		if arg.Text == "late" {
			s.result(m.ID, "too late")
		}
	case "progress":
		for i := range 3 {
			s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":%d}}`, m.Params.Meta.Token, i)
		}
		s.result(m.ID, "done")
		s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":9}}`, m.Params.Meta.Token)
	case "stale": // says what belongs to calls that were given up
		s.mu.Lock()
		stale := s.stale
		s.mu.Unlock()
		for _, token := range stale {
			s.say(`{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1,"message":"theirs"}}`, token)
			s.say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"theirs"}}`)
		}
		s.result(m.ID, "said")
	case "task":
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"task":{"taskId":"t","status":"working"}}}`, m.ID)
	case "orphan": // leaves the group, and keeps the pipes
		cmd := exec.Command("sleep", "1000")
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		detach(cmd)
		if err := cmd.Start(); err != nil {
			s.result(m.ID, err.Error())
			return
		}
		s.result(m.ID, fmt.Sprint(cmd.Process.Pid))
	case "log":
		s.say(`{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"hello"}}`)
		s.result(m.ID, "logged")
	case "changed":
		s.say(`{"jsonrpc":"2.0","method":"notifications/tools/list_changed"}`)
		s.result(m.ID, "ok")
	case "touch":
		s.mu.Lock()
		listens := s.listens
		s.mu.Unlock()
		for _, id := range listens {
			s.say(`{"jsonrpc":"2.0","method":"notifications/resources/updated","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":%s},"uri":"a:b"}}`, id)
		}
		s.result(m.ID, "touched")
	case "teardown":
		s.mu.Lock()
		listens := s.listens
		s.listens = nil
		s.mu.Unlock()
		for _, id := range listens {
			s.say(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":%s}}`, id)
			s.say(`{"jsonrpc":"2.0","id":%s,"result":{"resultType":"complete"}}`, id)
		}
		s.result(m.ID, "torn")
	case "ask":
		wait := make(chan json.RawMessage, 1)
		s.mu.Lock()
		s.asked++
		id := fmt.Sprintf("%q", fmt.Sprintf("s-%d", s.asked))
		s.waiting[id] = wait
		s.mu.Unlock()
		s.say(`{"jsonrpc":"2.0","id":%s,"method":"elicitation/create","params":{"message":"sure?"}}`, id)
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{"answer":%s}}`, m.ID, <-wait)
	case "garbage":
		s.say("Server running on stdio!")
		s.say(`{"jsonrpc":"2.0","id":`)
		s.result(m.ID, "still here")
	case "spoiled":
		s.say(`{"jsonrpc":"2.0","id":%s,"result":{}} and more`, m.ID)
	case "grandchild":
		cmd := exec.Command("sleep", "1000")
		if err := cmd.Start(); err != nil {
			s.result(m.ID, err.Error())
			return
		}
		s.result(m.ID, fmt.Sprint(cmd.Process.Pid))
	case "stderr":
		fmt.Fprintln(os.Stderr, arg.Text)
		s.result(m.ID, "ok")
	case "read":
		data, err := os.ReadFile(arg.Path)
		s.outcome(m.ID, string(data), err)
	case "write":
		s.outcome(m.ID, "written", os.WriteFile(arg.Path, []byte("x"), 0o600))
	case "link":
		s.outcome(m.ID, "linked", os.Link(arg.Path, arg.Text))
	case "rename":
		s.outcome(m.ID, "renamed", os.Rename(arg.Path, arg.Text))
	case "temp":
		f, err := os.CreateTemp("", "x")
		if err == nil {
			_, err = f.WriteString("hello")
			_ = f.Close()
		}
		if err == nil {
			_, err = os.ReadFile(f.Name())
		}
		s.outcome(m.ID, "ok", err)
	default:
		s.say(`{"jsonrpc":"2.0","id":%s,"error":{"code":-32602,"message":"unknown tool"}}`, m.ID)
	}
}

func (s *server) outcome(id json.RawMessage, text string, err error) {
	if err != nil {
		text = "error: " + err.Error()
	}
	s.result(id, text)
}
