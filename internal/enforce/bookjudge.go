package enforce

import (
	"time"

	"sluice/internal/audit"
)

// The codes that a store writes into the record of a call it does not admit.
const (
	codeLimit    = "limit_exceeded"
	codeApproval = "approval_expired"
)

// Counted is what judging needs to know: what was taken from a counter (nil: nothing),
// and when a mark was last left (the zero time: never).
type Counted interface {
	Tally(Counter) *Tally
	Marked(Counter) time.Time
}

// Judge says whether every charge has room at a moment: all limits or none. It changes
// nothing. Where a counter comes more than once, each charge finds what those before it
// take. failed is the first charge without room, in the order given; -1 for none.
func Judge(charges []Charge, at time.Time, s Counted) (failed int, retry time.Duration) {
	for i := range charges {
		c := &charges[i]
		if c.After {
			if marked := s.Marked(c.Counter); marked.IsZero() || at.Sub(marked) > c.Window {
				return i, 0
			}
			continue
		}
		t := s.Tally(c.Counter)
		all := *c // with what the call takes from the same counter before
		for j := range i {
			if charges[j].Counter == c.Counter && !charges[j].After {
				all.Amount = saturate(all.Amount, charges[j].Amount)
			}
		}
		if c.Window <= 0 || c.Amount < 0 || !all.Room(t.Used(c, at)) {
			return i, t.Retry(&all, at)
		}
	}
	return -1, 0
}

// Recorded is the record of a decision as it is written once the reply is known.
func (r *Request) Recorded(reply *Reply) audit.Call {
	call := r.Call
	code, rule := "", call.Rule
	switch {
	case reply.ApprovalGone:
		code = codeApproval
	case reply.Failed >= 0:
		code, rule = codeLimit, r.Charges[reply.Failed].Rule
	default:
		return call
	}
	switch {
	case !reply.Admitted:
		call.Decision, call.Code, call.Rule = "deny", code, rule
	case call.Decision != "observe":
		call.Decision, call.Code, call.Rule = "observe", code, rule
	}
	return call
}
