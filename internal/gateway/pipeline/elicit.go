package pipeline

import (
	"context"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// pending answers a call that waits for a person.
func (p *Pipeline) pending(ctx context.Context, s *Subject, c *exchange.Call, out exchange.Sink, a *enforce.Approval) error {
	return p.answerDenial(ctx, c, out, &denial{
		code: policy.ApprovalPending, rule: a.Rule, text: "[APPROVAL PENDING] " + a.ID + ": " + a.Message + " Repeat the identical call after approval.",
		policy: a.Policy, version: a.Version, approval: a.ID, expires: a.ExpiresAt,
	})
}

// returned takes what is the gateway's own out of a call that is repeated after it was
// asked for: the call as it is to be judged and forwarded.
func (p *Pipeline) returned(ctx context.Context, s *Subject, c *exchange.Call) (*exchange.Call, error) {
	return c, nil
}
