package httpdial

import (
	"bytes"
	"context"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// cancelTimeout bounds what telling that nobody waits any more may take.
const cancelTimeout = 5 * time.Second

// cancelled tells the upstream that nobody waits for a call any more. The client does
// not wait for that either; Close does.
func (s *session) cancelled(ctx context.Context, c *exchange.Call) {
	if c.Message.Kind != mcpwire.Request {
		return
	}
	id, version, _, err := s.now()
	if err != nil {
		return
	}
	f, err := s.u.begin(context.WithoutCancel(ctx), min(s.u.o.ShortTimeout, cancelTimeout))
	if err != nil {
		return
	}
	f.parting = true
	params := append([]byte(`{"requestId":`), bytes.Clone(c.Message.Bytes(c.Message.ID))...)
	o := s.u.post(f.ctx, mcpwire.BuildNotification(mcpwire.MethodCancelled, append(params, '}')), nil)
	o.identify(id, version)
	go func() {
		defer f.end()
		if resp, err := f.send(s.caller, o); err == nil {
			discard(resp)
		}
	}()
}
