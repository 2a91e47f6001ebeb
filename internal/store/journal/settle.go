package journal

import (
	"context"
	"errors"
	"slices"
	"time"

	"sluice/internal/enforce"
)

// rideFor is how long a settlement that gives nothing back waits for another write.
const rideFor = 50 * time.Millisecond

// manyRiding is how many of them don't wait any longer.
const manyRiding = 256

// pending are settlements as they will be written.
type pending struct {
	list []ride
	b    []byte
}

type ride struct {
	request  string
	outcome  enforce.Outcome
	from, to int // in b
}

func (p *pending) add(s *enforce.Settlement) {
	from := len(p.b)
	p.b = appendSettle(p.b, s)
	p.list = append(p.list, ride{s.Call.Request, s.Outcome, from, len(p.b)})
}

// takeFrom moves what q holds behind what is there.
func (p *pending) takeFrom(q *pending) {
	if len(p.list) == 0 {
		p.list, q.list = q.list, p.list[:0]
		p.b, q.b = q.b, p.b[:0]
		return
	}
	for _, r := range q.list {
		from := len(p.b)
		p.b = append(p.b, q.b[r.from:r.to]...)
		p.list = append(p.list, ride{r.request, r.outcome, from, len(p.b)})
	}
	q.clear()
}

func (p *pending) clear() {
	clear(p.list)
	p.list, p.b = p.list[:0], p.b[:0]
}

// Settle implements enforce.Store. What gives nothing back and leaves no marks rides with
// the next write, for it changes nothing that anybody else is asked: a process that dies
// meanwhile leaves the call ambiguous, which keeps the same quota.
func (s *Store) Settle(ctx context.Context, settlement *enforce.Settlement) error {
	if settlement.Outcome < enforce.Commit || settlement.Outcome > enforce.Ambiguous {
		return errors.New("a call ends with commit, rollback or ambiguous") // nobody could read the record
	}
	if settlement.Outcome == enforce.Rollback || (settlement.Outcome == enforce.Commit && len(settlement.Marks) > 0) {
		o := s.newOp()
		defer s.put(o)
		o.settle = settlement
		return s.submit(context.WithoutCancel(ctx), o) // the call is over, whoever waits for it
	}
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return errClosed
	}
	s.settled.add(settlement)
	many := len(s.settled.list) >= manyRiding
	arm := !s.armed
	s.armed = true
	s.mu.Unlock()
	if arm {
		s.timer.Reset(rideFor)
	}
	if many {
		return s.do(context.WithoutCancel(ctx), func(*group) error { return nil })
	}
	return nil
}

// ride writes what nothing came along for.
func (s *Store) ride() {
	s.mu.Lock()
	s.armed = false
	waiting := len(s.settled.list) > 0
	s.mu.Unlock()
	if waiting {
		_ = s.do(context.Background(), func(*group) error { return nil }) // kept, and said by who asks next
	}
}

func (g *group) writeRiding() {
	// What is not open was settled, or is not in the file: it need not ride any longer.
	open := func(r ride) bool { return g.st.book.Open(r.request) != nil }
	if p := &g.riding; slices.ContainsFunc(p.list, func(r ride) bool { return !open(r) }) {
		var kept pending
		for _, r := range p.list {
			if open(r) {
				from := len(kept.b)
				kept.b = append(kept.b, p.b[r.from:r.to]...)
				kept.list = append(kept.list, ride{r.request, r.outcome, from, len(kept.b)})
			}
		}
		*p = kept
	}
	for _, r := range g.riding.list {
		g.settleAs(r.request, r.outcome, nil, g.riding.b[r.from:r.to])
	}
}

func (g *group) settle(s *enforce.Settlement) error {
	g.settleAs(s.Call.Request, s.Outcome, s, nil)
	return nil
}

// settleAs writes a settlement, from itself or from its body, unless the call is settled.
func (g *group) settleAs(request string, outcome enforce.Outcome, s *enforce.Settlement, body []byte) {
	if g.st.book.Open(request) == nil {
		return
	}
	start := g.emit(kindSettle)
	if s == nil {
		s = &g.said
		s.Outcome, s.Marks, s.Keep = outcome, s.Marks[:0], s.Keep[:0]
		s.Call.Request = request
		if outcome == enforce.Commit {
			_ = settlementOf(s, body) // with its marks; our own writing
		}
		g.buf = append(g.buf, body...)
	} else {
		g.buf = appendSettle(g.buf, s)
	}
	g.done(start)
	g.st.book.Settle(g.at, s)
}
