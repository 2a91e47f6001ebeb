package pipeline

import (
	"context"

	"sluice/internal/mcpwire/exchange"
)

// conversation is what the result side keeps of a legacy session.
type conversation struct{}

// Listening is Session.Listen of the upstream.
type listening func(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error

// listen is the stream of a legacy session that belongs to no call.
func (p *Pipeline) listen(ctx context.Context, s *Subject, c *exchange.Call, lastEventID string, out exchange.Sink, up listening) error {
	return up(ctx, c, lastEventID, out)
}

// subscribe is subscriptions/listen.
func (p *Pipeline) subscribe(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	return next(ctx, c, out)
}

// greet answers initialize and server/discover.
func (p *Pipeline) greet(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	return next(ctx, c, out)
}
