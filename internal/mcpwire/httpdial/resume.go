package httpdial

import (
	"errors"
	"io"
	"net/http"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// A stream that can't be resumed is tried again a few times: as long after it broke off
// as the upstream said, else after a pause; and never at once, over and over.
const (
	reconnects    = 5
	reconnectWait = 500 * time.Millisecond
	shortestWait  = 10 * time.Millisecond
)

// resume asks for the rest of a legacy stream that broke off, the way a client would:
// for those who can't do it themselves.
func (r *reply) resume() (*http.Response, error) {
	wait := r.retry
	if wait < 0 {
		wait = reconnectWait
	}
	for attempt := 0; ; attempt++ {
		select {
		case <-time.After(max(wait, shortestWait)):
		case <-r.f.ctx.Done():
			return nil, r.f.stopped()
		}
		resp, err := r.session.get(r.f, r.last)
		switch {
		case err == nil:
			return resp, nil
		case r.f.ctx.Err() != nil:
			return nil, r.f.stopped()
		case r.listens && errors.Is(err, &exchange.Error{Code: exchange.SessionLost}):
			return nil, err // nothing was cut short but the session itself
		case errors.Is(err, &exchange.Error{Code: exchange.SessionLost}), errors.Is(err, exchange.ErrNoStream),
			attempt+1 == reconnects:
			return nil, r.f.u.brokeOff(err)
		}
		wait = max(wait, reconnectWait)
	}
}

// listen passes on a GET stream to somebody who can't resume it. It ends where the
// upstream ends it in order, which is at an event boundary and without event ids.
func (r *reply) listen(resp *http.Response) error {
	r.retry = -1
	for {
		over, err := r.events(resp)
		_ = resp.Body.Close()
		broke := errors.Is(err, &exchange.Error{Code: exchange.BrokeOff})
		switch {
		case over || !broke:
			return err
		case !r.hasLast && errors.Is(err, io.EOF):
			return nil
		case !r.hasLast:
			return err
		}
		resp, err = r.resume()
		if errors.Is(err, exchange.ErrNoStream) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}
