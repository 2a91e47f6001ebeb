package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/proc"
)

// server is one that is measured.
type server struct {
	name string
	// command starts it over stdio.
	command func(context.Context) *exec.Cmd
	// http starts it over HTTP; nil: stdio only.
	http func(context.Context) (*proc.Process, error)

	startup          []time.Duration
	list, again      []time.Duration // the first list, and one more
	startCPU         []time.Duration
	tools, bytes     int
	calls            map[string][]time.Duration
	callCPU          time.Duration // of one call, all kinds together
	idle, after, top int64         // resident memory: started, after the calls, at most
}

// kinds are the calls, by what is measured with them. All servers have these tools.
var kinds = []struct{ kind, tool, arguments string }{
	{"read", "meta_get_campaign", `{"campaign_id":"3100000000000001"}`},
	{"list", "meta_list_campaigns", `{"ad_account_id":"act_3000000000000001"}`},
	{"write", "meta_update_campaign", `{"campaign_id":"3100000000000001","name":"Summer"}`},
}

// ours are the ways of starting `sluice mcp`.
func ours(program, home, graph string) []*server {
	command := func(args ...string) func(context.Context) *exec.Cmd {
		return func(ctx context.Context) *exec.Cmd {
			cmd := exec.CommandContext(ctx, program, append([]string{"mcp", "--graph-url", graph, "--state-dir", filepath.Join(home, "state")}, args...)...)
			cmd.Env = environment(home)
			return cmd
		}
	}
	return []*server{
		{name: "sluice mcp", command: command()},
		{name: "sluice mcp --sets all", command: command("--sets", "all")},
		{name: "sluice mcp --sets all --listen", http: func(ctx context.Context) (*proc.Process, error) {
			return proc.Start(ctx, nil, program, "mcp", "--graph-url", graph, "--state-dir", filepath.Join(home, "state"), "--sets", "all", "--listen", "127.0.0.1:0")
		}},
	}
}

// environment has no credentials: nothing is looked up that takes time.
func environment(home string, more ...string) []string {
	return append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + home}, more...)
}

const (
	initialize = `{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"bench","version":"1"}}}` + "\n"
	ready      = `{"jsonrpc":"2.0","method":"notifications/initialized"}` + "\n"
	toolsList  = `{"jsonrpc":"2.0","id":2,"method":"tools/list"}` + "\n"
)

// start starts the server once, asks for its list, and ends it.
func (s *server) start(ctx context.Context) error {
	if s.command == nil {
		return nil
	}
	cmd := s.command(ctx)
	in, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	p := proc.Of(cmd)
	defer p.Kill()
	lines := bufio.NewReaderSize(out, 1<<20)
	if _, err := answer(in, lines, initialize); err != nil {
		return err
	}
	s.startup = append(s.startup, time.Since(began))
	s.startCPU = append(s.startCPU, p.CPU())
	if s.idle, _ = p.Memory(); s.idle == 0 {
		return errors.New("the system does not tell what the process uses")
	}
	if _, err := io.WriteString(in, ready); err != nil {
		return err
	}
	began = time.Now()
	line, err := answer(in, lines, toolsList)
	if err != nil {
		return err
	}
	s.list = append(s.list, time.Since(began))
	var list struct {
		Result struct{ Tools []json.RawMessage }
	}
	if err := json.Unmarshal(line, &list); err != nil {
		return err
	}
	s.tools, s.bytes = len(list.Result.Tools), len(line)
	began = time.Now()
	if _, err := answer(in, lines, toolsList); err != nil {
		return err
	}
	s.again = append(s.again, time.Since(began))
	return nil
}

// answer sends a request and reads lines until one is an answer.
func answer(in io.Writer, lines *bufio.Reader, request string) ([]byte, error) {
	if _, err := io.WriteString(in, request); err != nil {
		return nil, err
	}
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		// A notification may come between; reading all of a long list is the client's time.
		if bytes.Contains(line[:min(len(line), 60)], []byte(`"result"`)) {
			return line, nil
		}
	}
}

// call makes n calls of each kind, in turns, through the official client.
func (s *server) call(ctx context.Context, n int) error {
	var transport mcp.Transport
	var p *proc.Process
	if s.http != nil {
		var err error
		if p, err = s.http(ctx); err != nil {
			return err
		}
		defer p.Kill()
		transport = &mcp.StreamableClientTransport{Endpoint: p.URL}
	} else {
		cmd := s.command(ctx)
		p = proc.Of(cmd)
		transport = &mcp.CommandTransport{Command: cmd}
	}
	client := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
	session, err := client.Connect(ctx, transport, nil)
	if err != nil {
		return err
	}
	defer func() { _ = session.Close() }()
	if s.http != nil {
		s.idle, _ = p.Memory()
	}
	s.calls = map[string][]time.Duration{}
	const warm = 50
	var before time.Duration
	for i := range n + warm {
		if i == warm {
			before = p.CPU()
		}
		for _, k := range kinds {
			began := time.Now()
			res, err := session.CallTool(ctx, &mcp.CallToolParams{Name: k.tool, Arguments: json.RawMessage(k.arguments)})
			if err != nil {
				return fmt.Errorf("%s: %w", k.tool, err)
			}
			if res.IsError {
				text, _ := json.Marshal(res.Content)
				return fmt.Errorf("%s: %s", k.tool, text)
			}
			if i >= warm {
				s.calls[k.kind] = append(s.calls[k.kind], time.Since(began))
			}
		}
	}
	s.callCPU = (p.CPU() - before) / time.Duration(n*len(kinds))
	s.after, s.top = p.Memory()
	return nil
}
