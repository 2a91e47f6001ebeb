package pipeline

import (
	"context"

	"sluice/internal/mcpwire/exchange"
)

// list answers tools/list as the subject may see it.
func (p *Pipeline) list(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) error {
	return next(ctx, c, out)
}
