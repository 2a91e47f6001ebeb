package graph

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"time"

	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

const (
	// patience is how long one call waits in all, between its tries.
	patience = 5 * time.Second
	// mostTries of one call.
	mostTries = 3
	// Waits between tries are random between shortestWait and twice as much each time,
	// up to longestWait.
	shortestWait = 500 * time.Millisecond
	longestWait  = 8 * time.Second
)

// Do makes a call, repeats it where that can do no harm, and returns the answer without
// anything secret. Its errors are faults.
func (a *API) Do(ctx context.Context, r Request) (*Response, error) {
	return a.do(ctx, r, internally{})
}

// internally is what the client's own calls may do beyond those of others.
type internally struct {
	mode scrubMode
	// tokensIn is the parameter of the body that may hold tokens.
	tokensIn string
}

func (a *API) do(ctx context.Context, r Request, own internally) (*Response, error) {
	if err := ctx.Err(); err != nil {
		return nil, stopped(ctx, nil)
	}
	c, err := a.prepare(&r)
	if err != nil {
		return nil, err
	}
	c.own = own
	if r.Serial != "" && !reads(&r) {
		release, err := a.serial.take(ctx, r.Serial)
		if err != nil {
			return nil, stopped(ctx, nil)
		}
		defer release()
	}
	left := patience
	renewed, refused := false, ""
	var last *failure
	for try := 1; ; try++ {
		token, err := a.token(ctx, &r)
		if err != nil {
			return nil, err
		}
		if token.text == refused && last != nil {
			return nil, last.err // no other token was found
		}
		wait, err := a.gate(c, token, left)
		if err != nil {
			if last != nil {
				return nil, last.err
			}
			return nil, err
		}
		left -= wait
		if err := a.opts.Sleep(ctx, wait); err != nil {
			return nil, stopped(ctx, last)
		}
		res, failed := a.try(ctx, c, token)
		if failed == nil {
			return res, nil
		}
		last = failed
		if ctx.Err() != nil {
			return nil, stopped(ctx, failed)
		}
		if failed.class == graphspec.ClassAuth && !renewed && a.renew(token) && c.rewind() {
			renewed, refused = true, token.text
			continue
		}
		pause, again := a.again(&r, failed, try, left)
		if !again || !c.rewind() {
			return nil, failed.err
		}
		left -= pause
		if err := a.opts.Sleep(ctx, pause); err != nil {
			return nil, stopped(ctx, failed)
		}
	}
}

// again decides whether to try once more, and after how long. The Graph API has no
// idempotency keys: a write is only repeated when it was certainly not done, or when
// doing it twice does no harm.
func (a *API) again(r *Request, f *failure, try int, left time.Duration) (time.Duration, bool) {
	if try >= mostTries {
		return 0, false
	}
	switch f.class {
	case graphspec.ClassAppRate, graphspec.ClassUserRate, graphspec.ClassAssetRate:
		return f.wait, f.wait > 0 && f.wait <= left
	case graphspec.ClassTransient:
		if !f.unsent && !reads(r) && !r.Repeat {
			return 0, false
		}
		most := min(longestWait, shortestWait<<(try+1))
		pause := shortestWait + time.Duration(math.Round(a.opts.Random()*float64(most-shortestWait)))
		return min(pause, left), left > 0
	}
	return 0, false
}

// stopped is the fault of a call that the caller ended, or whose time ran out. A write
// that may have been done is unknown, whatever ended it.
func stopped(ctx context.Context, last *failure) error {
	if last != nil && (last.unanswered || last.err.Code == fault.CallUnknown) {
		return last.err
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return fault.New(fault.Cancelled, "the call was ended before it was done").Wrap(ctx.Err())
	}
	return fault.New(fault.MetaUnavailable, "the time for the call was over before Meta answered").Wrap(ctx.Err())
}

// readAnswer decodes an answer of which the members are known.
func readAnswer(body []byte, into any) error {
	if err := json.Unmarshal(body, into); err != nil {
		return fault.New(fault.MetaRefused, "the answer of the Graph API has not the form it should have").Wrap(err)
	}
	return nil
}
