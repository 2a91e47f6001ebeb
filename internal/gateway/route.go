package gateway

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"strings"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// route takes a request to the member or members that answer it.
func (a *aggregate) route(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach) error {
	m := c.Message
	if l, ok := lists[m.Method]; ok {
		return a.list(ctx, c, out, to, l)
	}
	switch {
	case m.Method == mcpwire.MethodDiscover:
		return a.discover(ctx, c, out, to)
	case m.Method == mcpwire.MethodPing:
		return answer(out, c, []byte("{}"))
	case m.Method == mcpwire.MethodToolsCall || m.Method == mcpwire.MethodPromptsGet || strings.HasPrefix(m.Method, "tasks/"):
		return a.byName(ctx, c, out, to, m.Name)
	case m.Method == mcpwire.MethodComplete:
		return a.complete(ctx, c, out, to)
	case m.URI.Present():
		return a.byURI(ctx, c, out, to, m.URI, nil)
	default: // of an extension: whoever knows the method
		return a.inOrder(ctx, c, out, to, a.all(), unknownMethod, nil)
	}
}

// byName routes by the prefix of a name or task id, which the member does not see.
// The retry of an interrupted call names the same and comes to the same member.
func (a *aggregate) byName(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach, at mcpwire.Span) error {
	name, ok := c.Message.Text(at)
	member, rest := a.split(name)
	if !ok || member < 0 {
		kind := "tool"
		switch {
		case c.Message.Method == mcpwire.MethodPromptsGet:
			kind = "prompt"
		case strings.HasPrefix(c.Message.Method, "tasks/"):
			kind = "task"
		}
		return refuse(out, c, mcpwire.CodeInvalidParams, "unknown "+kind+": "+name)
	}
	if err := a.hold(to, member, false); err != nil {
		return err
	}
	bare, err := edited(c, mcpwire.Edit{Span: at, With: mcpwire.Quote(rest)})
	if err != nil {
		return err
	}
	return to.call(ctx, member, bare, out)
}

// complete routes by the prompt or template that is being completed.
func (a *aggregate) complete(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach) error {
	m := c.Message
	ref := mcpwire.Member(m.Raw, m.Params, "ref")
	if uri := mcpwire.Member(m.Raw, ref, "uri"); uri.Present() {
		return a.byURI(ctx, c, out, to, uri, nil)
	}
	name := mcpwire.Member(m.Raw, ref, "name")
	text, _ := m.Text(name)
	member, rest := a.split(text)
	if member < 0 {
		return refuse(out, c, mcpwire.CodeInvalidParams, "unknown prompt: "+text)
	}
	if err := a.hold(to, member, false); err != nil {
		return err
	}
	bare, err := edited(c, mcpwire.Edit{Span: name, With: mcpwire.Quote(rest)})
	if err != nil {
		return err
	}
	return to.call(ctx, member, bare, out)
}

// byURI asks the member that listed the URI, and then the others in their order:
// URIs are not rewritten (a `ui://` stays one), and what was never listed can be read
// all the same. took is told who gave a result.
func (a *aggregate) byURI(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach, at mcpwire.Span, took func(member int)) error {
	uri, ok := c.Message.Text(at)
	if !ok {
		return refuse(out, c, mcpwire.CodeInvalidParams, "uri is not a string")
	}
	return a.inOrder(ctx, c, out, to, a.places.candidates(uri, len(a.members)), notFound, took)
}

// inOrder asks members one after the other until one does not decline. When all do,
// the client hears the first that could be reached; when none could, why.
func (a *aggregate) inOrder(ctx context.Context, c *exchange.Call, out exchange.Sink, to reach, order []int, declines func(code int) bool, took func(int)) error {
	var declined *exchange.Event
	var failed error
	for n, i := range order {
		s := &declining{out: out, declines: declines}
		// Who is only guessed must not keep the others waiting; once it has begun to
		// answer it may take its time.
		guessed := n > 0 || len(order) > 1 && !a.places.sure(c)
		if err := a.hold(to, i, guessed); err != nil {
			failed = cmp.Or(failed, err)
			continue
		}
		guess, cancel := context.WithCancel(ctx)
		if guessed {
			s.begun = stopAfter(a.o.Wait, cancel)
		}
		err := to.call(guess, i, c, s)
		s.begin()
		late := guess.Err() != nil
		cancel()
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case s.passed:
			if took != nil && err == nil && s.took {
				took(i)
			}
			return err
		case err != nil && failed == nil:
			failed = a.late(late, i, err)
		case err == nil && s.held.Data != nil && (declined == nil || informs(declined, &s.held)):
			declined = &s.held
		}
	}
	switch {
	case failed != nil: // whoever could not be asked might have had it
		return failed
	case declined != nil:
		return out.Send(*declined)
	default:
		return refuse(out, c, mcpwire.CodeMethodNotFound, "no server knows the method")
	}
}

// late gives an error its cause where the wait ended it.
func (a *aggregate) late(late bool, i int, err error) error {
	var e *exchange.Error
	if late && !errors.As(err, &e) {
		return &exchange.Error{Code: exchange.TimedOut, Message: named(a.members[i].Name) + " did not answer in time",
			Fix: "see what holds it up: `sluice server check " + a.members[i].Name + "`", Cause: err}
	}
	return err
}

// informs prefers "there is no such thing" to "there is no such method".
func informs(old, now *exchange.Event) bool {
	return unknownMethod(errorCode(old.Data)) && !unknownMethod(errorCode(now.Data))
}

func (a *aggregate) all() []int {
	order := make([]int, len(a.members))
	for i := range order {
		order[i] = i
	}
	return order
}

func unknownMethod(code int) bool { return code == mcpwire.CodeMethodNotFound }

func notFound(code int) bool {
	return code == mcpwire.CodeMethodNotFound || code == mcpwire.CodeInvalidParams || code == mcpwire.CodeResourceNotFound
}

// mayMakeTask reports whether the answer may name a task: a tool call of a client
// that declared the extension, and everything about tasks.
func (a *aggregate) mayMakeTask(c *exchange.Call) bool {
	m := c.Message
	return strings.HasPrefix(m.Method, "tasks/") ||
		m.Method == mcpwire.MethodToolsCall && bytes.Contains(m.Bytes(m.Capabilities), []byte("/tasks"))
}
