package pipeline

import (
	"context"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Under default deny a server may not ask for a completion of the client's model or for
// input of its user, unless its settings name the method (ruling 3). It learns whom it
// may ask from the client's capabilities, so that those are taken out. What it asks all
// the same goes no further (unasked).

// askable are the capabilities of a client by which a server asks it for something.
var askable = map[string]string{"sampling": mcpwire.MethodSample, "elicitation": mcpwire.MethodElicit}

// narrowing is next for a call that says no more than the subject's server may know, and
// whose answer asks no more than that.
func (s *Subject) narrowing(of *session, next exchange.Next) exchange.Next {
	if s.allowsAll() {
		return next
	}
	return func(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
		told, err := s.narrowed(c)
		if err != nil {
			return err
		}
		now := func() *Subject { return s }
		switch {
		case of != nil && of.canAsk:
			out = &unasked{Sink: out, ctx: ctx, s: now, c: c, back: of.pass}
		case told != c:
			out = &unasked{Sink: out, ctx: ctx, s: now, c: c}
		}
		return next(ctx, told, out)
	}
}

func (s *Subject) narrowed(c *exchange.Call) (*exchange.Call, error) {
	m := c.Message
	capabilities := m.Capabilities
	if m.Method == mcpwire.MethodInitialize {
		capabilities = mcpwire.Member(m.Raw, m.Params, "capabilities")
	}
	withheld := false
	for key := range mcpwire.Members(m.Raw, capabilities) {
		name, _ := m.Text(key)
		withheld = withheld || s.withholds(name)
	}
	if !withheld {
		return c, nil
	}
	raw, err := mcpwire.Splice(m.Raw, mcpwire.RemoveMembers(m.Raw, capabilities, s.withholds)...)
	if err != nil {
		return nil, err
	}
	edited, err := mcpwire.Parse(raw, mcpwire.Limits{Size: len(raw) + 1, Depth: anyDepth})
	if err != nil {
		return nil, err
	}
	return c.With(&edited), nil
}

// canBeAsked reports whether a client says that a server can ask it for something.
func canBeAsked(raw []byte, capabilities mcpwire.Span) bool {
	for key := range mcpwire.Members(raw, capabilities) {
		name, _ := mcpwire.Unquote(raw[key.Start:key.End])
		if askable[name] != "" {
			return true
		}
	}
	return false
}

// withholds reports whether a capability is one that the server may not use.
func (s *Subject) withholds(capability string) bool {
	method, ok := askable[capability]
	return ok && !s.named(method)
}
