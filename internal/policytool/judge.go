package policytool

import (
	"time"

	"sluice/internal/enforce"
	"sluice/policy"
)

// Who is on whose behalf a call is judged; it decides which counters it shares.
type Who struct {
	Workspace, Server, Grant, Session string
}

// Judge judges calls one after the other, as the gateway would: the document, then the
// limits, which it counts in counters of its own. A call that is allowed counts as one
// that succeeded.
type Judge struct {
	policy  *policy.Policy
	book    *enforce.Book
	calls   int
	charges []policy.Charge
	marks   []policy.Mark
}

// NewJudge returns a judge that has counted nothing yet.
func NewJudge(p *policy.Policy) *Judge { return &Judge{policy: p, book: enforce.NewBook()} }

// sweepEvery is after how many calls what is over is forgotten.
const sweepEvery = 4096

// Answer is what a judge says of one call.
type Answer struct {
	Decision string `json:"decision"` // allow, deny, approval
	Code     string `json:"code"`
	Rule     string `json:"rule"`
	Message  string `json:"message"`
	// RetryAfter is in how many seconds the limit has room again.
	RetryAfter int `json:"retry_after_s,omitempty"`
}

// The decisions of an answer.
const (
	Allowed       = "allow"
	Denied        = "deny"
	NeedsApproval = "approval"
)

// Decide judges a call.
func (j *Judge) Decide(w Who, at time.Time, c policy.Call) Answer {
	return j.decide(w, at, c, false, true).Answer
}

// judged is an answer, and whether it passed only since somebody had approved it.
type judged struct {
	Answer
	approved bool
}

// decide judges a call. One that has been approved passes where an approval is asked
// for; one that was not done takes no quota.
func (j *Judge) decide(w Who, at time.Time, c policy.Call, approved, done bool) judged {
	d := j.policy.Decide(c)
	if d.Verdict == policy.Approve && !approved {
		return judged{Answer: answer(NeedsApproval, &d)}
	}
	if d.Verdict == policy.Deny {
		return judged{Answer: answer(Denied, &d)}
	}
	out := judged{approved: d.Verdict == policy.Approve}
	out.Answer = j.count(w, at, c, &d, done)
	out.approved = out.approved && out.Decision == Allowed
	return out
}

// count judges by the limits.
func (j *Judge) count(w Who, at time.Time, c policy.Call, d *policy.Decision, done bool) Answer {
	charges, denial, ok := j.policy.Charges(j.charges[:0], d, c)
	j.charges = charges
	if !ok {
		return answer(Denied, &denial)
	}
	if j.calls++; j.calls%sweepEvery == 0 {
		j.book.Sweep(at)
	}
	r := enforce.Request{Charges: make([]enforce.Charge, len(charges))}
	r.Call.Request, r.Call.Workspace, r.Call.Grant, r.Call.Server, r.Call.Tool = requestID(j.calls), w.Workspace, w.Grant, w.Server, c.Tool
	for i := range charges {
		r.Charges[i] = chargeOf(w, &charges[i])
	}
	reply := j.book.Admit(at, &r)
	if !reply.Admitted {
		out := Answer{Decision: Denied, Code: string(policy.LimitExceeded), RetryAfter: int((reply.RetryAfter + time.Second - 1) / time.Second)}
		if reply.Failed >= 0 && reply.Failed < len(charges) {
			l := charges[reply.Failed].Limit
			out.Rule, out.Message = l.Rule, l.Message
			if out.Message == "" {
				out.Message = "limit reached: " + l.Rule
			}
		}
		return out
	}
	s := enforce.Settlement{Call: r.Call, Outcome: enforce.Commit}
	if !done {
		s.Outcome = enforce.Rollback
	}
	j.marks = j.policy.Marks(j.marks[:0], c)
	for i := range j.marks {
		s.Marks = append(s.Marks, markOf(w, &j.marks[i]))
		s.Keep = append(s.Keep, j.marks[i].Limit.Window)
	}
	j.book.Settle(at, &s)
	return Answer{Decision: Allowed}
}

func answer(decision string, d *policy.Decision) Answer {
	return Answer{Decision: decision, Code: string(d.Code), Rule: d.Rule, Message: d.Message}
}

func requestID(n int) string {
	const digits = "0123456789abcdef"
	id := []byte("req_000000000000")
	for i := len(id) - 1; n > 0; i-- {
		id[i] = digits[n&15]
		n >>= 4
	}
	return string(id)
}
