package httpdial

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"sluice/internal/mcpwire/exchange"
)

// flight is one call, notification or stream under way: its context, its time limit
// and whether anything was heard.
type flight struct {
	u      *Upstream
	ctx    context.Context
	cancel context.CancelCauseFunc
	timer  *time.Timer
	silent time.Duration // 0: it may last
	start  time.Time
	heard  atomic.Int64 // time since start
	lasts  atomic.Bool  // no limit any more
	sent   http.Header  // what the credential added to the last request
	// parting says that nobody waits: a credential that is refused is not renewed.
	parting bool
}

// Causes of a cancelled flight that are ours.
var (
	errTimedOut = errors.New("the time limit of the call ended")
	errClosed   = errors.New("the upstream is being closed")
	errEnded    = errors.New("the exchange is over")
)

// begin starts a flight that may be silent for so long; 0 is for ever.
func (u *Upstream) begin(ctx context.Context, silent time.Duration) (*flight, error) {
	f := u.apart(ctx, silent)
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.closed {
		f.unlimit()
		f.cancel(errEnded)
		return nil, &exchange.Error{Code: exchange.ShuttingDown, Message: u.named() + " is being closed", Fix: "send the call again in a moment"}
	}
	u.flights[f] = struct{}{}
	return f, nil
}

// apart is a flight that Close does not wait for.
func (u *Upstream) apart(ctx context.Context, silent time.Duration) *flight {
	f := &flight{u: u, silent: silent, start: time.Now()}
	f.ctx, f.cancel = context.WithCancelCause(ctx)
	if silent > 0 {
		f.timer = time.AfterFunc(silent, f.tick)
	}
	return f
}

// tick looks whether the flight was silent for too long. That something is heard costs
// a store; only here is the timer set again.
func (f *flight) tick() {
	now := time.Since(f.start)
	left := min(time.Duration(f.heard.Load())+f.silent, f.u.o.HardTimeout) - now
	if f.lasts.Load() {
		return
	}
	if left <= 0 {
		f.cancel(errTimedOut)
		return
	}
	f.timer.Reset(left)
}

// hear notes that the upstream said something.
func (f *flight) hear() {
	if f.silent > 0 {
		f.heard.Store(int64(time.Since(f.start)))
	}
}

// unlimit lets the flight last from here on.
func (f *flight) unlimit() {
	if f.timer != nil {
		f.lasts.Store(true)
		f.timer.Stop()
	}
}

func (f *flight) end() {
	f.unlimit()
	f.cancel(errEnded)
	u := f.u
	u.mu.Lock()
	delete(u.flights, f)
	if u.closed && len(u.flights) == 0 {
		select {
		case <-u.idle:
		default:
			close(u.idle)
		}
	}
	u.mu.Unlock()
}

// stopped says why the flight's context ended; nil while it did not.
func (f *flight) stopped() error {
	if f.ctx.Err() == nil {
		return nil
	}
	switch cause := context.Cause(f.ctx); {
	case errors.Is(cause, errTimedOut):
		return f.u.timedOut(cause)
	case errors.Is(cause, errClosed):
		return &exchange.Error{Code: exchange.ShuttingDown, Message: f.u.named() + " is being closed", Cause: cause}
	default:
		return f.ctx.Err()
	}
}

// body is the body of an answer as the flight sees it.
type body struct {
	io.ReadCloser
	f *flight
}

// Read turns what goes wrong into an error that says it.
func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.f.hear()
	}
	if err != nil && err != io.EOF {
		if stopped := b.f.stopped(); stopped != nil {
			return n, stopped
		}
		return n, b.f.u.brokeOff(err)
	}
	return n, err
}
