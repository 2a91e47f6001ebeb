package pipeline

import (
	"context"

	"sluice/internal/mcpwire/exchange"
)

// unlisted answers calls of names that the subject can't see, where a policy with
// default allow hides anything. It sends that answer to out, which records the denial
// first, and reports true; or it sends nothing and reports false.
func (p *Pipeline) unlisted(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, next exchange.Next) (handled bool, err error) {
	return false, nil
}
