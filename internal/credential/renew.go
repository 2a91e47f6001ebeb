package credential

import (
	"context"
	"errors"
	"time"
)

// renewEarly renews a token before or at its end. While it is still good, it is used
// rather than waited for.
func (o *OAuth) renewEarly(ctx context.Context, h *hold, g *grant) error {
	good := !g.expired(o.o.Now())
	if good {
		select {
		case h.busy <- struct{}{}:
		default:
			return nil
		}
		if o.o.Now().Before(h.renewAfter) {
			<-h.busy
			return nil
		}
	} else if err := h.lock(ctx); err != nil {
		return err
	}
	err := o.do(ctx, h, func(ctx context.Context) error {
		err := o.renew(ctx, h, g)
		if err != nil {
			h.renewAfter = o.o.Now().Add(10 * time.Second)
		}
		return err
	})
	var lost *refusal
	switch {
	case err == nil, errors.As(err, &lost) && lost.code == "invalid_grant":
		return nil // without a token the upstream asks for one, and a consent begins
	case good:
		o.o.Log.Warn("a token could not be renewed early", "server", o.o.Server, "err", err)
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	}
	return o.noToken(err)
}

// renew refreshes a grant unless somebody has done so meanwhile. It is called with
// h.busy held.
func (o *OAuth) renew(ctx context.Context, h *hold, old *grant) error {
	if h.grant.Load() != old {
		return nil
	}
	unlock, err := o.o.Store.Lock(ctx, o.tokenKey(h.key))
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if err != nil {
		o.unstored(err)
		unlock = func() {}
	}
	defer unlock()
	if changed, err := o.reload(h); changed || err != nil {
		return err
	}
	fresh, err := o.refresh(ctx, old)
	var no *refusal
	switch {
	case errors.As(err, &no) && (no.code == "invalid_grant" || no.code == "invalid_client" && !old.Client.Configured):
		if no.code == "invalid_client" {
			o.forgetClient(old.Issuer, &old.Client, old.Client.Redirect)
		}
		h.grant.Store(nil)
		if e := o.o.Store.Delete(o.tokenKey(h.key)); e != nil {
			o.o.Log.Warn("a lost token can't be removed", "server", o.o.Server, "err", e)
		}
		return &refusal{host: no.host, status: no.status, code: "invalid_grant"}
	case err != nil:
		return err
	}
	o.keepLocked(h.key, fresh)
	return nil
}
