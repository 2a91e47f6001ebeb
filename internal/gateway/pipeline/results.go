package pipeline

import (
	"context"

	"sluice/internal/mcpwire/exchange"
)

// results is what the pipeline keeps of what comes back from its upstream. Its zero value
// is ready.
//
// How the parts of this side are called by Wrap:
//
//	initialize, server/discover   next(ctx, c, p.greeting(c, out))
//	a session that was opened     v := newConversation(c); every call and stream of it
//	                              gets v.in(ctx) or v.on(ctx); v.end() with its Close
//	tools/list                    p.list(ctx, s, c, out, next)
//	tools/call                    p.retried, then p.unlisted, then Decide
//	a call that is held           ctx, stop := p.whileAllowed(ctx, c)
//	a call that stays parked      p.pending
//	Session.Listen                p.listen(ctx, c, lastEventID, out, session.Listen)
//	subscriptions/listen          p.subscribe(ctx, s, c, out, next)
type results struct {
	tools catalogue
}

// listener is Session.Listen.
type listener func(ctx context.Context, c *exchange.Call, lastEventID string, out exchange.Sink) error
