package pipeline

import (
	"context"
	"strings"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
)

// list answers tools/list as the subject may see it: what is hidden is cut out, the rest
// stays the bytes it was. It reads along in any case, since records name the definition
// that a call was decided on.
func (p *Pipeline) list(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	return next(ctx, c, &listing{p: p, s: s, c: c, out: out})
}

// listing is the sink of a tools/list. It is no Relayer: every message is looked at.
type listing struct {
	p   *Pipeline
	s   *Subject
	c   *exchange.Call
	out exchange.Sink
}

// Send passes a message on as the subject may see it.
func (l *listing) Send(e exchange.Event) error {
	if e.Final && len(e.Data) > 0 {
		e = l.p.listed(l.s, l.c, e)
	}
	return l.out.Send(e)
}

// listed is the answer to a tools/list as the subject may see it. One that can't be read
// is never passed on, since nothing could be cut out of it.
func (p *Pipeline) listed(s *Subject, c *exchange.Call, e exchange.Event) exchange.Event {
	m, err := mcpwire.ParseReply(e.Data, mcpwire.Limits{Size: len(e.Data) + 1, Depth: anyDepth})
	if err == nil && m.Kind == mcpwire.Failure {
		return e
	}
	var at listPage
	if err == nil {
		at, err = partsOf(&m)
	}
	if err == nil {
		cursor, _ := c.Message.Text(c.Message.Cursor)
		_, err = p.results.tools.learn(viewOf(s, c), cursor, &m, &at, p.o.Now())
	}
	data := e.Data
	if err == nil {
		data, err = filtered(s, &m, &at)
	}
	switch {
	case err != nil && !filters(s): // nothing to cut out, and not ours to judge
		return e
	case err != nil:
		p.o.Log.Warn("a list of tools is withheld: it can't be read", "server", p.o.Server, "error", err.Error())
		e.Data = mcpwire.BuildError(c.Message.Bytes(c.Message.ID), mcpwire.CodeInternal, unreadable, nil)
		e.Status = 0
		return e
	}
	e.Data = data
	return e
}

// unreadable stands in place of a list that is withheld.
const unreadable = "the server's list of tools can't be read, so that nothing of it is shown"

// anyDepth: the transport has bounded the depth of what came in.
const anyDepth = 1 << 20

// filtered is a list without what the subject must not see.
func filtered(s *Subject, m *mcpwire.Message, at *listPage) (data []byte, err error) {
	var edits []mcpwire.Edit
	if filters(s) {
		edits = cut(m.Raw, at.tools, func(tool mcpwire.Span) bool {
			name, bad := nameOf(m.Raw, tool)
			if bad != nil {
				err = bad
			}
			return bad == nil && shows(s, name)
		})
		if err != nil {
			return nil, err
		}
		// An aggregate tells the names that it could not carry.
		edits = append(edits, cut(m.Raw, mcpwire.Member(m.Raw, at.meta, metaDropped), func(at mcpwire.Span) bool {
			name, ok := m.Text(at)
			return ok && shows(s, name)
		})...)
	}
	if !private(s, m, at) {
		edits = append(edits, mcpwire.Edit{Span: at.scope, With: []byte(`"private"`)})
	}
	if len(edits) == 0 {
		return m.Raw, nil
	}
	return mcpwire.Splice(m.Raw, edits...)
}

// listsTools reports whether a result may be one of tools/list to anybody.
func listsTools(m *mcpwire.Message) bool {
	for key := range mcpwire.Members(m.Raw, m.Result) {
		if name, _ := m.Text(key); strings.EqualFold(name, "tools") {
			return true
		}
	}
	return false
}

// metaDropped is where an aggregate names what it left out.
const metaDropped = "sluice/dropped"

// private reports whether a list stays as private as it has to be: one that is a single
// grant's must not be in caches that serve others.
func private(s *Subject, m *mcpwire.Message, at *listPage) bool {
	return !at.scope.Present() || string(m.Bytes(at.scope)) == `"private"` || !filters(s) && s.Grant == implicitGrant
}

// implicitGrant is the grant of a process without accounts: nobody else is there to see
// something else.
const implicitGrant = "local"

// cut takes those elements out of an array that are not to be kept, each with one comma.
func cut(raw []byte, array mcpwire.Span, keep func(mcpwire.Span) bool) (edits []mcpwire.Edit) {
	kept, end := false, array.Start+1
	var lead mcpwire.Span // of what is gone at the front, up to the first that stays
	for at := range mcpwire.Elements(raw, array) {
		switch ok := keep(at); {
		case ok && lead.Present():
			lead.End = at.Start
			edits = append(edits, mcpwire.Edit{Span: lead})
			lead, kept = mcpwire.Span{}, true
		case ok:
			kept = true
		case kept: // from the end of the one before it, comma included
			edits = append(edits, mcpwire.Edit{Span: mcpwire.Span{Start: end, End: at.End}})
		case lead.Present():
			lead.End = at.End
		default:
			lead = at
		}
		end = at.End
	}
	if lead.Present() {
		edits = append(edits, mcpwire.Edit{Span: lead})
	}
	return edits
}

// callableOnly is the setting under which a list shows nothing that would be denied
// whatever its arguments.
const callableOnly = "callable"

// filters reports whether there is anything that the subject must not see.
func filters(s *Subject) bool {
	if s.passes() {
		return false
	}
	if len(s.Policies) == 0 || s.Settings.List == callableOnly {
		return true
	}
	for i := range s.Policies {
		if b := &s.Policies[i]; b.decides() && (b.Policy == nil || b.Policy.HidesAny()) {
			return true
		}
	}
	return false
}

// shows reports whether a list shows a name: all policies have to.
func shows(s *Subject, name string) bool {
	for i := range s.Policies {
		switch b := &s.Policies[i]; {
		case !b.decides():
		case b.Policy == nil, b.Policy.Hides(name), s.Settings.List == callableOnly && !b.Policy.Callable(name):
			return false
		}
	}
	return len(s.Policies) > 0 || s.passes() // else nobody said that it may be seen
}

// decides reports whether the policy is in force: one that only watches hides nothing.
func (b *Bound) decides() bool { return b.Mode != registry.Observe }
