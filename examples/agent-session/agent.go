package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// agent calls tools and keeps what came of it.
type agent struct {
	*stage
	client     *mcp.ClientSession
	out        io.Writer
	transcript []entry
	err        error // the first thing that was not as expected; nothing is asked after it
}

// entry is one call as the agent saw it.
type entry struct {
	tool string
	code string // "ok", or why not
	by   string // who said no: the policy, or the server; empty for ok
}

// hire connects an MCP client to the proxy.
func (s *stage) hire(ctx context.Context, out io.Writer) (*agent, error) {
	client := mcp.NewClient(&mcp.Implementation{Name: "agent-session", Version: "1"}, nil)
	session, err := client.Connect(ctx, &mcp.CommandTransport{Command: s.proxy(ctx), TerminateDuration: 30 * time.Second}, nil)
	if err != nil {
		return nil, fmt.Errorf("connecting: %w\n%s", err, s.log.String())
	}
	return &agent{stage: s, client: session, out: out}, nil
}

func (a *agent) leave() error { return a.client.Close() }

// done calls a tool that has to succeed. line says what to print of its answer, with
// {paths} into it.
func (a *agent) done(ctx context.Context, tool string, args arguments, line string) *answer {
	return a.call(ctx, "ok", tool, args, line)
}

// refused calls a tool that has to be refused with a code.
func (a *agent) refused(ctx context.Context, code, tool string, args arguments) *answer {
	return a.call(ctx, code, tool, args, "{message}")
}

func (a *agent) call(ctx context.Context, want, tool string, args arguments, line string) *answer {
	if a.err != nil {
		return &answer{}
	}
	r, err := a.client.CallTool(ctx, &mcp.CallToolParams{Name: tool, Arguments: args})
	if err != nil {
		a.err = fmt.Errorf("%s: %w", tool, err)
		return &answer{}
	}
	got := read(r)
	if got.code != "ok" {
		line = "{message}"
	}
	a.transcript = append(a.transcript, entry{tool, got.code, got.by})
	fmt.Fprintf(a.out, "%3d  %-31s  %-16s  %s\n", len(a.transcript), tool, got.code, got.fill(line))
	a.check(got.code == want, "%s answered %s instead of %s: %s", tool, got.code, want, got.words)
	return got
}

// check notes what is not as it should be.
func (a *agent) check(ok bool, format string, args ...any) {
	if !ok && a.err == nil {
		a.err = fmt.Errorf(format, args...)
	}
}

// read tells who answered: policy and server each put a code into _meta.
func read(r *mcp.CallToolResult) *answer {
	got := &answer{code: "ok"}
	for _, c := range r.Content {
		switch c := c.(type) {
		case *mcp.TextContent:
			got.words += c.Text
		case *mcp.ImageContent:
			got.picture = sizeOf(c.Data)
		}
	}
	got.data = r.StructuredContent
	if policy, ok := r.Meta["sluice/policy"].(map[string]any); ok {
		got.by = "policy"
		got.code, _ = policy["code"].(string)
		got.approval, _ = policy["approval"].(string)
		_, got.message, _ = strings.Cut(got.words, "] ")
		got.message, _, _ = strings.Cut(got.message, " Ask a person") // and how, and until when
	} else if failure, ok := r.Meta["sluice/error"].(map[string]any); ok {
		got.by = "server"
		got.code, _ = failure["code"].(string)
		got.message, _ = failure["message"].(string)
	} else if r.IsError {
		got.by, got.code, got.message = "server", "error", got.words
	}
	return got
}
