package deliver

import (
	"math/rand/v2"
	"time"

	"sluice/capi"
)

// Limits of one batch and of one process's patience.
const (
	maxSubRequests = 200 // of one bisect
	maxTries       = 6   // of one batch, before it is left for the next resume
	maxExhausted   = 3   // batches in a row without an answer, before the run stops
	maxRefused     = 2   // batches in a row that Meta refuses for the most part
	sendMargin     = 30 * time.Minute
	backoffCap     = 5 * time.Minute
	patience       = 24 * time.Hour // from the first try to giving up
	throttleFloor  = time.Minute
)

// backoff is full jitter over 1 s doubled per try.
func backoff(try int) time.Duration {
	limit := backoffCap
	if try < 9 {
		limit = min(backoffCap, time.Second<<try)
	}
	return rand.N(limit) + 1
}

// guardWindow is how long Meta's own deduplication is known to absorb a repeat;
// half of it may be used. Business messaging has none.
func guardWindow(source capi.ActionSource) time.Duration {
	switch source {
	case capi.PhysicalStore:
		return 7 * 24 * time.Hour / 2
	case capi.BusinessMessaging:
		return 0
	default:
		return 48 * time.Hour / 2
	}
}

// deadline is the time one request has. The clock is the worker's own, looked at
// both ways: by the steps since, which a clock that is set does not change, and by
// the hands, which go on while a machine sleeps.
type deadline struct {
	from  time.Time
	lease time.Duration
}

func (d deadline) since(now time.Time) time.Duration {
	return max(now.Sub(d.from), now.Round(0).Sub(d.from.Round(0)))
}

// mayBegin reports whether a request that takes its full time still ends inside the
// lease.
func (d deadline) mayBegin(now time.Time) bool { return d.since(now) < d.lease/2 }

// left is the time until the request must be over, with some of the lease kept for
// booking what it brought.
func (d deadline) left(now time.Time) time.Duration { return d.lease - d.lease/8 - d.since(now) }
