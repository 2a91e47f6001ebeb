package app

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"slices"
	"time"

	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/mcpwire"
	"sluice/internal/policytool"
)

// toolsTime bounds the asking for tools; a command may have to be fetched first.
const toolsTime = time.Minute

// Tools asks an MCP server for the definitions of its tools, over all pages.
func Tools(ctx context.Context, spec UpstreamSpec) ([]policytool.Tool, error) {
	ctx, cancel := context.WithTimeout(ctx, toolsTime)
	defer cancel()
	up, err := Upstream(spec)
	if err != nil {
		return nil, err
	}
	defer func() {
		end, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
		defer cancel()
		_ = up.Close(end)
	}()
	tools, err := definitions(ctx, &questions{up: up, server: spec.Name})
	if err == nil {
		return tools, nil
	}
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		err = silence(spec.Name, len(spec.Command) > 0, toolsTime)
	}
	if _, ok := fault.As(err); ok {
		return nil, err
	}
	_, text, fix := problem(err)
	f := fault.New(fault.UpstreamFailed, "%s", text).Wrap(err)
	if fix != "" {
		f = f.WithFix("%s", fix)
	}
	return nil, f
}

// ToolsOfServer asks a server of the configuration, with its credentials.
func ToolsOfServer(ctx context.Context, c *config.Config, name string, log *slog.Logger) ([]policytool.Tool, error) {
	if err := c.MayServe(); err != nil {
		return nil, err
	}
	return toolsVia(ctx, func() (UpstreamSpec, io.Closer, error) { return ServerSpec(c, name, nil, nil, log) })
}

// ToolsOfRecord asks a server that was added here and stands in no file.
func (a *App) ToolsOfRecord(ctx context.Context, name string) ([]policytool.Tool, error) {
	r, err := a.Govern.Server(ctx, name)
	if err != nil {
		return nil, err
	}
	if len(r.Members) > 0 {
		return nil, fault.New(fault.Usage, "%s is several servers", r.Name).WithFix("scaffold each of its members, or its endpoint: --upstream URL --header 'Authorization: Bearer ${TOKEN}'")
	}
	s, err := config.ServerOf(r)
	if err != nil {
		return nil, err
	}
	return toolsVia(ctx, func() (UpstreamSpec, io.Closer, error) { return serverSpec(a.Config, r.Name, s, nil, nil, a.log) })
}

func toolsVia(ctx context.Context, of func() (UpstreamSpec, io.Closer, error)) ([]policytool.Tool, error) {
	spec, closer, err := of()
	if closer != nil {
		defer func() { _ = closer.Close() }()
	}
	if err != nil {
		return nil, err
	}
	return Tools(ctx, spec)
}

// definitions reads tools/list to its end; a server without tools has none.
func definitions(ctx context.Context, q *questions) ([]policytool.Tool, error) {
	// What the server speaks is found out first, as a client does.
	if _, err := q.ask(ctx, mcpwire.MethodDiscover, nil); err != nil {
		return nil, err
	}
	var tools []policytool.Tool
	var cursor []byte
	for range mostPages {
		reply, err := q.ask(ctx, mcpwire.MethodToolsList, cursor)
		if reply != nil && string(reply.Bytes(mcpwire.Member(reply.Raw, reply.Error, "code"))) == "-32601" {
			return tools, nil
		}
		if err != nil {
			return nil, err
		}
		for at := range mcpwire.Elements(reply.Raw, mcpwire.Member(reply.Raw, reply.Result, "tools")) {
			t, err := policytool.ReadTool(reply.Bytes(at))
			if err != nil {
				return nil, fault.New(fault.UpstreamFailed, "the server lists a tool that can't be read: %v", err)
			}
			tools = append(tools, t)
		}
		next := mcpwire.Member(reply.Raw, reply.Result, "nextCursor")
		if !next.Present() || string(reply.Bytes(next)) == "null" {
			return tools, nil
		}
		cursor = bytes.Clone(reply.Bytes(next))
	}
	return nil, fault.New(fault.UpstreamFailed, "the list of tools has no end").WithFix("nothing to do here: the server gives a next page %d times", mostPages)
}

// mostReplayed bounds how many calls of the past are judged again: the newest.
const mostReplayed = 100_000

// replayPage is how many are read at a time.
const replayPage = 1000

// pastCalls reads recorded calls, oldest first; more reports that there are older ones.
func pastCalls(ctx context.Context, store enforce.Store, f enforce.CallFilter, keep func(*enforce.RecordedCall) bool, open func([]byte) ([]byte, error)) (past []policytool.Past, more bool, err error) {
	f.Limit, f.Arguments = replayPage, true
	for {
		page, err := store.Calls(ctx, f)
		if err != nil {
			return nil, false, err
		}
		for i := range page {
			if keep != nil && !keep(&page[i]) {
				continue
			}
			if len(past) == mostReplayed {
				slices.Reverse(past)
				return past, true, nil
			}
			past = append(past, policytool.PastOf(&page[i], open))
		}
		if len(page) < replayPage {
			slices.Reverse(past)
			return past, false, nil
		}
		f.Before = page[len(page)-1].Call.Request
	}
}
