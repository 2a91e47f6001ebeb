package mcpserver

import (
	"context"
	"slices"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Initialize implements exchange.Sessions.
func (s *Server) Initialize(_ context.Context, c *exchange.Call, out exchange.Sink) (exchange.Session, error) {
	m := c.Message
	version, _ := m.Text(mcpwire.Member(m.Raw, m.Params, "protocolVersion"))
	if !slices.Contains(mcpwire.LegacyVersions, version) {
		version = mcpwire.LegacyVersions[0]
	}
	err := s.answer(c, out, map[string]any{
		"protocolVersion": version, "capabilities": capabilities, "serverInfo": s.info(), "instructions": s.o.Instructions,
	})
	return session{s}, err
}

// Resume implements exchange.Sessions: there is nothing to resume, so that any client
// may go on.
func (s *Server) Resume(context.Context, *exchange.Call) (exchange.Session, error) {
	return session{s}, nil
}

// session is the conversation with a legacy client. It holds nothing.
type session struct{ *Server }

// Stateful implements exchange.Session.
func (session) Stateful() bool { return false }

// Close implements exchange.Session.
func (session) Close(context.Context) error { return nil }

// Call implements exchange.Session.
func (s session) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	if c.Message.Method == mcpwire.MethodDiscover || c.Message.Method == mcpwire.MethodListen {
		return refuse(c, out, mcpwire.CodeMethodNotFound, c.Message.Method+" is of another revision of the protocol")
	}
	return s.Server.Call(ctx, c, out)
}

// Listen implements exchange.Session: the stream tells when the caller's list grows.
func (s session) Listen(ctx context.Context, c *exchange.Call, _ string, out exchange.Sink) error {
	w, leave := s.enter(c.Caller.ID)
	defer leave()
	if err := out.Send(exchange.Event{}); err != nil {
		return err
	}
	return s.watch(ctx, w, func() error {
		return out.Send(exchange.Event{Data: mcpwire.BuildNotification(listChanged, nil)})
	})
}
