package httpdial

import (
	"context"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

// Call sends a request of the modern era.
func (u *Upstream) Call(ctx context.Context, c *exchange.Call, out exchange.Sink) error {
	exchange.Taken(ctx) // requests of HTTP have no order
	f, err := u.begin(ctx, u.o.CallTimeout)
	if err != nil {
		return err
	}
	defer f.end()
	if err = u.call(f, c, out); err != nil {
		// Whoever passed the answer on may have seen no more than that it ended.
		if stopped := f.stopped(); stopped != nil {
			return stopped
		}
	}
	return err
}

func (u *Upstream) call(f *flight, c *exchange.Call, out exchange.Sink) error {
	r := reply{f: f, c: c, out: out}
	for attempt := 0; ; attempt++ {
		params, known := u.mirrored(f.ctx, c)
		resp, err := f.send(c.Caller, u.modern(f.ctx, c, params, known))
		if err != nil {
			return err
		}
		if answered(resp.StatusCode) {
			switch c.Message.Method {
			case mcpwire.MethodListen:
				f.unlimit()
			case mcpwire.MethodToolsList:
				if _, whole := out.(exchange.Relayer); whole {
					u.along(c, resp)
				}
			}
			return r.deliver(resp)
		}
		e, err := r.explain(resp)
		if err != nil {
			return err
		}
		// The schema may have changed since it was learned. The refusal came before the
		// call was done, so it can be sent again.
		if attempt == 0 && e.code == "-32020" && c.Message.Method == mcpwire.MethodToolsCall && derives(c) {
			u.tools.forget(c.Caller.ID)
			continue
		}
		return r.modernStatus(resp, e)
	}
}

// Notify sends a notification of the modern era.
func (u *Upstream) Notify(ctx context.Context, c *exchange.Call) error {
	f, err := u.begin(ctx, u.o.ShortTimeout)
	if err != nil {
		return err
	}
	defer f.end()
	resp, err := f.send(c.Caller, u.modern(f.ctx, c, nil, false))
	if err != nil {
		return err
	}
	defer discard(resp)
	switch {
	case answered(resp.StatusCode):
		return nil
	case unlikeThis(resp.StatusCode):
		return u.wrongEra(resp.StatusCode)
	}
	return u.refused(resp)
}

// ParamHeaders is what a tool mirrors into headers, as far as its caller has seen the
// list of tools. It is what a face that checks those headers needs.
func (u *Upstream) ParamHeaders(_ context.Context, caller exchange.Caller, tool string) (params []mcpwire.ParamHeader, known bool) {
	params, known, _ = u.tools.lookup(caller.ID, tool)
	return params, known
}
