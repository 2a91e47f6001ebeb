package pipeline

import (
	"context"
	"sync"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// task takes a request about a task that a call became. Under default deny it has to be
// one of a call that was admitted.
func (p *Pipeline) task(ctx context.Context, of *session, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	m := c.Message
	if (s.ReadOnly || c.Caller.ReadOnly) && (m.Method == mcpwire.MethodTaskUpdate || m.Method == mcpwire.MethodTaskCancel) {
		return readOnly()
	}
	if s.permits(m.Method) {
		return next(ctx, c, out)
	}
	id, ok := m.Text(m.TaskID)
	switch {
	case !ok: // tasks/list, and what else is about no task in particular
		return p.refuseMethod(ctx, of, s, c, out)
	case !p.tasks.has(s.Grant, id):
		return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeInvalidParams,
			"there is no such task of this grant", nil)})
	}
	return next(ctx, c, out)
}

func readOnly() error {
	return &exchange.Error{Code: exchange.ReadOnlyScope, Message: "this token may read, not call tools", Fix: "use a token with scope mcp:write",
		Data: map[string]any{"scope": "mcp:write"}}
}

// Bounds of the tasks that are remembered: of one grant, the newest ones, and of how many
// grants.
const (
	mostTasks      = 512
	mostTaskGrants = 1024
)

// tasks are the ids of tasks that admitted calls became. Its zero value is ready.
type tasks struct {
	mu  sync.Mutex
	ids map[string]*ring
}

// ring holds the newest ids.
type ring struct {
	known map[string]struct{}
	order []string
	at    int
}

func (t *tasks) add(grant, id string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.ids[grant]
	if r == nil {
		if t.ids == nil || len(t.ids) >= mostTaskGrants {
			t.ids = map[string]*ring{}
		}
		r = &ring{known: map[string]struct{}{}}
		t.ids[grant] = r
	}
	if _, ok := r.known[id]; ok {
		return
	}
	r.known[id] = struct{}{}
	if len(r.order) < mostTasks {
		r.order = append(r.order, id)
		return
	}
	delete(r.known, r.order[r.at])
	r.order[r.at] = id
	r.at = (r.at + 1) % mostTasks
}

func (t *tasks) has(grant, id string) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	r := t.ids[grant]
	if r == nil {
		return false
	}
	_, ok := r.known[id]
	return ok
}
