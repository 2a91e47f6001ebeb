package mcpserver

import (
	"context"
	"encoding/json"
	"slices"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// list answers tools/list with what the caller sees: the listed tools, and those that
// its searches have found. It is one page; a cursor is refused, since none was given.
func (s *Server) list(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if c.Message.Cursor.Present() {
		return refuse(c, out, mcpwire.CodeInvalidParams, "no such cursor: the list has one page")
	}
	rest := map[string]any{}
	if c.Era == mcpwire.Modern {
		rest["ttlMs"], rest["cacheScope"] = 0, "private" // a search may make it grow at any time
	}
	end, err := s.encode(c, rest)
	if err != nil {
		return err
	}
	// The definitions are JSON already; going over hundreds of kilobytes of it again would
	// take most of the time.
	size := len(end) + len(`{"tools":[],`)
	var definitions []json.RawMessage
	for _, name := range s.visible(ctx, c.Caller.ID) {
		d := s.tools[name].Definition()
		definitions = append(definitions, d)
		size += len(d) + 1
	}
	b := append(make([]byte, 0, size), `{"tools":[`...)
	for i, d := range definitions {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, d...)
	}
	b = append(b, ']')
	if len(rest) > 0 {
		b = append(b, ',')
	}
	b = append(b, end[1:]...)
	return out.Send(exchange.Event{Data: mcpwire.BuildResult(c.Message.Bytes(c.Message.ID), b), Final: true})
}

// visible are the names a caller sees, in the order of the tools.
func (s *Server) visible(ctx context.Context, caller string) []string {
	if s.o.Listed == nil {
		return s.order
	}
	listed := s.o.Listed(ctx)
	more := s.found.of(caller)
	var names []string
	for _, name := range s.order {
		if slices.Contains(listed, name) || slices.Contains(more, name) || name == SearchTool {
			names = append(names, name)
		}
	}
	return names
}

// found are the tools that searches brought into callers' lists.
type found struct {
	mu      sync.Mutex
	by      map[string][]string
	callers []string // oldest first
}

const (
	mostFound   = 64   // of one caller
	mostCallers = 1000 // the one that searched first is forgotten first
)

func (f *found) of(caller string) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.by[caller])
}

// add reports whether the caller's list has grown.
func (f *found) add(caller string, names []string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.by == nil {
		f.by = map[string][]string{}
	}
	if _, known := f.by[caller]; !known {
		if len(f.callers) == mostCallers {
			delete(f.by, f.callers[0])
			f.callers = f.callers[1:]
		}
		f.callers = append(f.callers, caller)
		f.by[caller] = nil
	}
	grown := false
	for _, name := range names {
		if !slices.Contains(f.by[caller], name) {
			f.by[caller] = append(f.by[caller], name)
			grown = true
		}
	}
	if over := len(f.by[caller]) - mostFound; over > 0 {
		f.by[caller] = f.by[caller][over:]
	}
	return grown
}

type callerKey struct{}

func withCaller(ctx context.Context, id string) context.Context {
	return context.WithValue(ctx, callerKey{}, id)
}

// CallerOf is the id of who called the tool that runs with a context.
func CallerOf(ctx context.Context) string {
	id, _ := ctx.Value(callerKey{}).(string)
	return id
}
