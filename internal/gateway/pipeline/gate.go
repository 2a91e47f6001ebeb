package pipeline

import (
	"context"
	"slices"
	"strings"
	"unicode"

	"sluice/internal/audit"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// call takes one request of a client through the pipeline.
func (p *Pipeline) call(ctx context.Context, of *session, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	s, err := p.subject(c)
	switch {
	case err != nil:
		return err
	case s.passes():
		return next(ctx, c, out)
	}
	next = s.narrowing(of, next)
	switch method := c.Message.Method; method {
	case mcpwire.MethodToolsCall:
		return p.toolsCall(ctx, of, s, c, out, next)
	case mcpwire.MethodInitialize, mcpwire.MethodDiscover:
		return next(ctx, c, p.greeting(c, out))
	case mcpwire.MethodToolsList:
		return p.list(ctx, s, c, out, next)
	case mcpwire.MethodListen:
		switch may, err := p.mayFollow(ctx, of, s, c); {
		case err != nil:
			return err
		case !may:
			return noTask(c, out)
		}
		return p.subscribe(ctx, s, c, out, next)
	case mcpwire.MethodPing, mcpwire.MethodSetLevel:
		return next(ctx, c, out)
	default:
		switch {
		case disguised(method):
			return p.refuseMethod(ctx, of, s, c, out)
		case strings.HasPrefix(method, "tasks/"):
			return p.task(ctx, of, s, c, out, next)
		case !s.permits(method):
			return p.refuseMethod(ctx, of, s, c, out)
		case s.onlyReads(c) && !reads(method):
			return readOnly()
		}
		return next(ctx, c, out)
	}
}

// onlyReads reports whether a call is of somebody who may not act.
func (s *Subject) onlyReads(c *exchange.Call) bool { return s.ReadOnly || c.Caller.ReadOnly }

// reads reports whether a method is known to change nothing. What an extension's does
// nobody knows.
func reads(method string) bool {
	switch method {
	case mcpwire.MethodResourcesList, mcpwire.MethodTemplatesList, mcpwire.MethodResourcesRead, mcpwire.MethodSubscribe, mcpwire.MethodUnsubscribe,
		mcpwire.MethodPromptsList, mcpwire.MethodPromptsGet, mcpwire.MethodComplete, mcpwire.MethodTaskGet, "tasks/list", "tasks/result":
		return true
	}
	return false
}

// notify passes on what has no answer: notifications and responses of a client. What
// takes back a call always passes.
func (p *Pipeline) notify(ctx context.Context, c *exchange.Call, next exchange.Next) error {
	m := c.Message
	if m.Method == mcpwire.MethodCancelled {
		return next(ctx, c, nowhere{})
	}
	s, err := p.subject(c)
	switch {
	case err != nil:
		return err
	case m.Kind.Response(), strings.HasPrefix(m.Method, "notifications/"):
		return next(ctx, c, nowhere{})
	// A request without an id has no answer, and is not done for that.
	case m.Method == mcpwire.MethodToolsCall, m.Method == mcpwire.MethodToolsList, disguised(m.Method), !s.permits(m.Method),
		s.onlyReads(c) && !reads(m.Method):
		return &exchange.Error{Code: exchange.CannotCarry, Message: "a request without an id is not passed on", Fix: "send it with an id"}
	}
	return next(ctx, c, nowhere{})
}

// nowhere takes what would answer a notification, which has no answer.
type nowhere struct{}

func (nowhere) Send(exchange.Event) error { return nil }

// subject is the caller's snapshot, or the error of one who may not call any more.
func (p *Pipeline) subject(c *exchange.Call) (*Subject, error) {
	if s := p.o.Directory.Subject(c.Caller, p.o.Server); s != nil && !p.over(c.Caller) {
		return s, nil
	}
	if d, ok := p.o.Directory.(interface{ Available() error }); ok && d.Available() != nil {
		return nil, &exchange.Error{Code: exchange.Unavailable, Message: "the gateway can't read who may call this server, so that nobody may", Fix: "try again in a moment"}
	}
	return nil, &exchange.Error{Code: exchange.GrantEnded, Message: "the grant of this session has ended: it was revoked, expired, or never was this server's",
		Fix: "ask whoever runs the gateway for a new grant"}
}

// passes reports whether a call was judged by others, and nothing is left to judge.
func (s *Subject) passes() bool { return s.Through && len(s.Policies) == 0 }

// allowsAll reports whether no policy in force denies what it does not list.
func (s *Subject) allowsAll() bool {
	return s.passes() || len(s.Policies) > 0 && meets(s) == nil
}

// permits is the method gate of ruling 3. Methods of tools and tasks have their own.
func (s *Subject) permits(method string) bool {
	if s.allowsAll() {
		return true
	}
	switch method {
	case mcpwire.MethodInitialize, mcpwire.MethodPing, mcpwire.MethodDiscover, mcpwire.MethodSetLevel, mcpwire.MethodListen,
		mcpwire.MethodToolsList, mcpwire.MethodToolsCall:
		return true
	}
	return strings.HasPrefix(method, "notifications/") || s.named(method)
}

// named reports whether the server's settings name the method.
func (s *Subject) named(method string) bool {
	return slices.ContainsFunc(s.Settings.Methods, func(allowed string) bool {
		if family, ok := strings.CutSuffix(allowed, "/*"); ok {
			rest, ok := strings.CutPrefix(method, family)
			return ok && len(rest) > 1 && rest[0] == '/'
		}
		return allowed == method
	})
}

// disguised reports whether a method is written like one of those that are judged
// without being it: a lenient server would take it for that.
func disguised(method string) bool {
	letters := strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) {
			return r
		}
		return -1
	}, method)
	return strings.EqualFold(letters, "toolscall") || strings.EqualFold(letters, "toolslist")
}

// refuseMethod answers a request whose method the subject may not use.
func (p *Pipeline) refuseMethod(ctx context.Context, of *session, s *Subject, c *exchange.Call, out exchange.Sink) error {
	rec := p.decision(of, s, c)
	rec.Decision, rec.Code, rec.Rule = "deny", string(policy.MethodNotAllowed), "(method)"
	p.record(ctx, rec)
	m := c.Message
	return out.Send(exchange.Event{Final: true, Data: mcpwire.BuildError(m.Bytes(m.ID), mcpwire.CodeMethodNotFound,
		"the gateway does not let this method pass", []byte(`{"code":"`+string(policy.MethodNotAllowed)+
			`","fix":"whoever runs the gateway can allow it: methods of the server, --method of sluice proxy"}`))})
}

// record writes down a denial that is given whether or not it can be.
func (p *Pipeline) record(ctx context.Context, rec audit.Call) {
	p.o.Metrics.decided(p.o.Server, rec.Decision, rec.Code)
	if err := p.o.Store.Record(context.WithoutCancel(ctx), rec); err != nil {
		p.o.Log.Warn("a denial was given that could not be recorded", "server", p.o.Server, "code", rec.Code, "error", err)
	}
}
