package pipeline

import (
	"context"
	"crypto/sha256"
	"slices"
	"sync"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// task takes a request about a task that a call became. Under default deny it has to be
// one of a call that was admitted.
func (p *Pipeline) task(ctx context.Context, of *session, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	m := c.Message
	if s.onlyReads(c) && !reads(m.Method) {
		return readOnly()
	}
	if s.permits(m.Method) {
		return next(ctx, c, out)
	}
	if !m.TaskID.Present() { // tasks/list, and what else is about no task in particular
		return p.refuseMethod(ctx, of, s, c, out)
	}
	owns, err := p.owns(ctx, of, s, c, m.TaskID)
	switch {
	case err != nil:
		return err
	case !owns:
		return noTask(c, out)
	}
	return next(ctx, c, out)
}

// mayFollow reports whether every task that a subscription names is the grant's.
func (p *Pipeline) mayFollow(ctx context.Context, of *session, s *Subject, c *exchange.Call) (bool, error) {
	m := c.Message
	if s.permits(mcpwire.MethodTaskGet) {
		return true, nil
	}
	return p.owns(ctx, of, s, c, slices.Collect(mcpwire.Elements(m.Raw, mcpwire.Lookup(m.Raw, m.Params, "notifications", "taskIds")))...)
}

// owns reports whether tasks are of calls that were admitted to the grant: here, which is
// remembered, or by another process, which the store knows by the marks they left.
func (p *Pipeline) owns(ctx context.Context, of *session, s *Subject, c *exchange.Call, at ...mcpwire.Span) (bool, error) {
	var asked []enforce.Charge
	var ids []string
	for _, span := range at {
		id, ok := c.Message.Text(span)
		if !ok {
			return false, nil
		}
		if !p.tasks.has(s.Grant, id) {
			ids = append(ids, id)
			asked = append(asked, enforce.Charge{Counter: s.taskMark(id), Window: keepTask, After: true, Rule: "(task)"})
		}
	}
	if len(asked) == 0 {
		return true, nil
	}
	if len(asked) > mostAsked {
		return false, nil
	}
	rec := p.decision(of, s, c)
	rec.Decision = "allow"
	reply, err := p.o.Store.Reserve(ctx, &enforce.Request{Call: rec, Charges: asked})
	switch {
	case err != nil:
		return false, &exchange.Error{Code: exchange.Unavailable, Message: "the gateway can't look up the task", Fix: "try again in a moment", Cause: err}
	case !reply.Admitted:
		return false, nil
	}
	rec.Phase, rec.Settlement = audit.PhaseOutcome, settlements[enforce.Commit]
	if err := p.o.Store.Settle(ctx, &enforce.Settlement{Call: rec, Outcome: enforce.Commit}); err != nil {
		p.o.Log.Debug("the look-up of a task could not be settled", "server", p.o.Server, "error", err)
	}
	for _, id := range ids {
		p.tasks.add(s.Grant, id)
	}
	return true, nil
}

const (
	// keepTask is for how long a task can be asked after.
	keepTask = 7 * 24 * time.Hour
	// mostAsked bounds how many unknown tasks one request may name.
	mostAsked = 100
)

// taskMark is the mark that a call leaves which became a task.
func (s *Subject) taskMark(id string) enforce.Counter {
	sum := sha256.Sum256([]byte(id))
	return enforce.CounterOf(enforce.Identity{
		Org: s.Workspace, Scope: "grant", ScopeID: s.Grant, Section: s.Server, Mark: "(task)", Key: [16]byte(sum[:16]),
	})
}

func noTask(c *exchange.Call, out exchange.Sink) error {
	m := c.Message
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeInvalidParams, "there is no such task of this grant", nil)})
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
