package postgres

import (
	"bytes"
	"math"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ids"
)

// decide does one op in memory; what it changes is written with the group.
func (t *turn) decide(o *op) answer {
	switch {
	case o.reserve != nil:
		return answer{reply: t.reserve(o.reserve)}
	case o.settle != nil:
		t.settle(o.settle)
	case o.park != nil:
		a, err := t.park(o.park)
		return answer{approval: a, err: err}
	case o.release != nil:
		return answer{err: t.release(o.release)}
	}
	for i := range o.record {
		t.writes.decided(&o.record[i], o.record[i].Sealed)
	}
	return answer{}
}

func (t *turn) reserve(r *enforce.Request) enforce.Reply {
	reply := enforce.Reply{Failed: -1}
	a := t.approvals[r.Approval]
	if r.Approval != "" && !a.fits(r, t.now) {
		reply.ApprovalGone = true
	} else {
		reply.Failed, reply.RetryAfter = enforce.Judge(r.Charges, t.now, t)
		reply.Admitted = reply.Failed < 0 || r.Observe
	}
	call := r.Recorded(&reply)
	t.writes.decided(&call, r.Arguments)
	if !reply.Admitted {
		return reply
	}
	h := hold{call: call, taken: make([]taken, 0, len(r.Charges))}
	for i := range r.Charges {
		c := &r.Charges[i]
		if c.After {
			continue
		}
		row := t.counters[c.Counter]
		h.taken = append(h.taken, taken{counter: c.Counter, part: row.tally.Take(c, t.now), rule: c.Rule})
		row.keep = max(row.keep, until(t.now, 3*c.Window))
		row.changed = true
	}
	t.writes.holds = append(t.writes.holds, h)
	if a != nil {
		a.state = enforce.Consumed
		t.writes.consumed = append(t.writes.consumed, consumption{r.Approval, call.Request})
	}
	return reply
}

// fits reports whether an approval is there to be consumed by a request.
func (a *consumable) fits(r *enforce.Request, now time.Time) bool {
	return a != nil && a.state == enforce.Approved && now.UnixNano() < a.expires &&
		bytes.Equal(a.fingerprint, r.Fingerprint[:]) && a.workspace == r.Call.Workspace && a.grant == r.Call.Grant
}

// until is a moment from now, however far.
func until(now time.Time, d time.Duration) int64 {
	if ns := now.UnixNano(); d < 0 || ns > math.MaxInt64-int64(d) {
		return math.MaxInt64
	} else {
		return ns + int64(d)
	}
}

// settle ends an open call; of one that is not open it says nothing.
func (t *turn) settle(s *enforce.Settlement) {
	h := t.held[s.Call.Request]
	if h == nil || h.gone || h.ended != 0 {
		return
	}
	h.gone = true
	switch s.Outcome {
	case enforce.Commit:
		for i, m := range s.Marks {
			row := t.counters[m]
			row.mark, row.changed = max(row.mark, t.now.UnixNano()), true
			keep := 30 * 24 * time.Hour
			if i < len(s.Keep) && s.Keep[i] > 0 {
				keep = s.Keep[i]
			}
			row.keep = max(row.keep, until(t.now, keep+keep))
		}
	case enforce.Rollback:
		t.give(h)
	default: // whatever else is said, what it took stays used
		t.writes.doubtful = append(t.writes.doubtful, s.Call.Request)
		t.writes.ended(&s.Call)
		return
	}
	t.writes.dropped = append(t.writes.dropped, s.Call.Request)
	t.writes.ended(&s.Call)
}

func (t *turn) give(h *heldRow) {
	for _, p := range h.taken {
		if row := t.counters[p.counter]; row != nil {
			row.tally.Give(p.part)
			row.changed = true
		}
	}
}

func (t *turn) release(r *release) error {
	h := t.held[r.request]
	if h == nil || h.gone || h.ended == 0 {
		return enforce.ErrNotFound
	}
	h.gone = true
	t.give(h)
	c := h.call
	c.Phase, c.Method, c.Settlement, c.By, c.Reason = audit.PhaseReview, "tools/call", "rollback", r.by, r.reason
	t.writes.dropped = append(t.writes.dropped, r.request)
	t.writes.records = append(t.writes.records, c)
	return nil
}

func (t *turn) park(p *enforce.Parking) (*enforce.Approval, error) {
	now := t.now.UnixNano()
	for i := range t.parked {
		if a := &t.parked[i]; a.ExpiresAt.UnixNano() > now {
			return a, nil
		}
	}
	open := 0
	for _, expires := range t.waiting {
		if expires > now {
			open++
		}
	}
	if open >= enforce.MaxParked {
		return nil, enforce.ErrTooManyParked
	}
	a := p.Approval
	a.ID, a.State, a.CreatedAt, a.ExpiresAt = ids.New("apr", t.now), enforce.Pending, t.now, t.now.Add(p.TTL)
	a.EscalateAt, a.Escalated = time.Time{}, false
	if p.Escalate > 0 {
		a.EscalateAt = t.now.Add(p.Escalate)
	}
	a.Decider, a.Via, a.Reason, a.DecidedAt, a.ConsumedAt, a.Request = "", "", "", time.Time{}, time.Time{}, ""
	t.writes.parked = &a
	call := p.Call
	call.Approval = a.ID
	t.writes.decided(&call, nil)
	return &a, nil
}

// keep remembers what the turn changed, once it is committed.
func (t *turn) keep() {
	for _, h := range t.writes.holds {
		t.g.mine[h.call.Request] = h.taken
	}
	for _, list := range [][]string{t.writes.dropped, t.writes.doubtful} {
		for _, id := range list {
			delete(t.g.mine, id)
		}
	}
	for _, o := range t.ops {
		if o.settle != nil { // also where somebody else had settled it
			delete(t.g.mine, o.settle.Call.Request)
		}
	}
}
