// Package mcpserver is an MCP server inside this process: tools behind the contract that
// remote servers have (exchange.Upstream), so that the same faces, relays, policies and
// aggregates stand in front of it. It speaks both eras itself and keeps no session: what
// it knows of a caller is which tools its searches have brought into its list.
package mcpserver

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"sync"

	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/suggest"
)

// Options configures a Server.
type Options struct {
	Name, Title, Version string
	// Instructions tell an agent how the tools belong together.
	Instructions string
	// Tools are all that can be called; Listed says which of them a caller sees without
	// asking. Nil: all of them.
	Tools  []tool.Handler
	Listed func(context.Context) []string
	// Search adds the tool that finds what is not listed.
	Search bool
	Log    *slog.Logger
}

// Server implements exchange.Upstream.
type Server struct {
	o     Options
	tools map[string]tool.Handler
	order []string
	found found
	// searchable is made at the first search: most processes never see one.
	searchable func() *index

	mu       sync.Mutex
	watchers map[*watcher]bool
	closed   context.Context
	end      context.CancelFunc
}

// New makes a server. Two tools of one name are a mistake.
func New(o Options) (*Server, error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, tools: map[string]tool.Handler{}, watchers: map[*watcher]bool{}}
	s.closed, s.end = context.WithCancel(context.Background())
	if o.Search {
		o.Tools = append(o.Tools[:len(o.Tools):len(o.Tools)], s.search())
	}
	s.searchable = sync.OnceValue(func() *index { return newIndex(o.Tools) })
	for _, t := range o.Tools {
		if s.tools[t.Name()] != nil {
			return nil, fmt.Errorf("two tools are named %s", t.Name())
		}
		s.tools[t.Name()] = t
		s.order = append(s.order, t.Name())
	}
	return s, nil
}

// Call implements exchange.Stateless.
func (s *Server) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	switch m.Method {
	case mcpwire.MethodDiscover:
		return s.answer(c, out, s.discover())
	case mcpwire.MethodPing:
		return s.answer(c, out, map[string]any{})
	case mcpwire.MethodToolsList:
		return s.list(ctx, c, out)
	case mcpwire.MethodToolsCall:
		return s.call(ctx, c, out)
	case mcpwire.MethodListen:
		return s.subscribe(ctx, c, out)
	}
	return refuse(c, out, mcpwire.CodeMethodNotFound, "this server has tools only; it does not know the method "+clip(m.Method))
}

// Notify implements exchange.Stateless and Session: there is nothing it waits for.
func (s *Server) Notify(context.Context, *exchange.Call) error { return nil }

// Close implements exchange.Upstream.
func (s *Server) Close(context.Context) error {
	s.end()
	return nil
}

func clip(method string) string {
	if len(method) > 80 {
		method = method[:80]
	}
	return method
}

// answer sends a result; in the modern era with what every result carries there.
func (s *Server) answer(c *exchange.Call, out exchange.Sink, result map[string]any) error {
	b, err := s.encode(c, result)
	if err != nil {
		return err
	}
	return out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), b), Final: true})
}

func (s *Server) encode(c *exchange.Call, result map[string]any) ([]byte, error) {
	if c.Era == mcpwire.Modern {
		result["resultType"] = "complete"
		meta, _ := result["_meta"].(map[string]any)
		if meta == nil {
			meta = map[string]any{}
		}
		meta[mcpwire.MetaServerInfo] = s.info()
		result["_meta"] = meta
	}
	b, err := encode(result)
	if err != nil {
		return nil, &exchange.Error{Code: exchange.BrokeOff, Message: "the answer can't be written", Cause: err}
	}
	return b, nil
}

func refuse(c *exchange.Call, out exchange.Sink, code int, text string) error {
	return out.Send(exchange.Event{Data: mcpwire.BuildError(c.Message.Bytes(c.Message.ID), code, text, nil), Final: true})
}

func (s *Server) info() map[string]any {
	return map[string]any{"name": s.o.Name, "title": s.o.Title, "version": s.o.Version}
}

var capabilities = map[string]any{"tools": map[string]any{"listChanged": true}}

func (s *Server) discover() map[string]any {
	return map[string]any{
		"supportedVersions": mcpwire.ModernVersions, "capabilities": capabilities, "instructions": s.o.Instructions,
		"ttlMs": 60_000, "cacheScope": "private",
	}
}

// call runs a tool. A name that there is none of is the caller's mistake (-32602).
func (s *Server) call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	name, _ := m.Text(m.Name)
	t := s.tools[name]
	if t == nil {
		return refuse(c, out, mcpwire.CodeInvalidParams, "Unknown tool: "+clip(name)+"."+s.instead(name))
	}
	var arguments json.RawMessage
	if m.Arguments.Present() {
		arguments = m.Bytes(m.Arguments)
	}
	ctx = withCaller(ctx, c.Caller.ID)
	p := &progress{c: c, out: out, token: m.Bytes(m.ProgressToken)}
	r := t.Call(ctx, arguments, p.tell)
	p.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	return s.answer(c, out, result(r))
}

// instead is where to find what was meant: the nearest name, and the search where there is one.
func (s *Server) instead(name string) string {
	text := ""
	if near := suggest.Closest(name, s.order); near != "" {
		text = " Did you mean " + near + "?"
	}
	if s.o.Search {
		text += " Find it with " + SearchTool + "."
	}
	return text
}

// progress sends notifications for whoever gave a token, one at a time, and none after
// the answer.
type progress struct {
	c     *exchange.Call
	out   exchange.Sink
	token []byte

	mu    sync.Mutex
	last  float64
	told  bool
	ended bool
}

func (p *progress) tell(done, total float64, message string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.token) == 0 || p.ended || p.told && done <= p.last {
		return
	}
	p.last, p.told = done, true
	params := map[string]any{"progressToken": json.RawMessage(p.token), "progress": done}
	if total > 0 {
		params["total"] = total
	}
	if message != "" {
		params["message"] = message
	}
	b, err := encode(params)
	if err != nil {
		return
	}
	// A client that went away ends the call's context; there is no one else to tell.
	_ = p.out.Send(exchange.Event{Data: mcpwire.BuildNotification(mcpwire.MethodProgress, b)})
}

func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ended = true
}
