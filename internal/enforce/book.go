package enforce

import (
	"cmp"
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"sluice/internal/audit"
)

// Book is the state of enforcement in memory: a state machine that changes only by its
// methods, each with the moment it happens at. The same calls in the same order make the
// same book, which is what a store that keeps a journal is built on. It is not safe for
// concurrent use.
type Book struct {
	now       time.Time // the latest moment seen
	tallies   map[Counter]*Tally
	marks     map[Counter]Mark
	open      map[string]*Held
	ambiguous map[string]*Held
	approvals map[string]*Approval
	prints    map[[32]byte]string // of the newest approval that is pending or approved
}

// Mark is that a call was made which later ones may ask for.
type Mark struct {
	At    time.Time
	Until time.Time // it can be forgotten then
}

// Held is what an admitted call holds until it is settled, and keeps when it ends
// ambiguous.
type Held struct {
	Call    audit.Call // of the decision
	At      time.Time
	Owner   uint64 // the process that forwards the call
	Charges []Charge
	Parts   []Part // where each charge went
	Ended   time.Time
}

// NewBook is a book in which nothing has happened.
func NewBook() *Book {
	return &Book{
		tallies: map[Counter]*Tally{}, marks: map[Counter]Mark{}, open: map[string]*Held{}, ambiguous: map[string]*Held{},
		approvals: map[string]*Approval{}, prints: map[[32]byte]string{},
	}
}

// Now is the latest moment that the book knows.
func (b *Book) Now() time.Time { return b.now }

// Turn moves the book's time. When it goes back, what was taken in the time that has not
// come yet counts in the windows that are open now, and what waits has the time left that
// it had.
func (b *Book) Turn(at time.Time) {
	if at.Before(b.now) {
		for _, t := range b.tallies {
			t.rebase(at.UnixNano())
		}
		for c, m := range b.marks {
			if m.At.After(at) {
				m.Until = at.Add(m.Until.Sub(m.At))
				m.At = at
				b.marks[c] = m
			}
		}
		for _, a := range b.approvals {
			a.rebase(at)
		}
	}
	b.now = at
}

// Tally implements Counted.
func (b *Book) Tally(c Counter) *Tally { return b.tallies[c] }

// Marked implements Counted.
func (b *Book) Marked(c Counter) time.Time { return b.marks[c].At }

// Judge says what becomes of a request, and changes nothing.
func (b *Book) Judge(at time.Time, r *Request) Reply {
	if r.Approval != "" {
		a := b.approvals[r.Approval]
		if a == nil || a.State != Approved || a.Fingerprint != r.Fingerprint || !at.Before(a.ExpiresAt) ||
			a.Workspace != r.Call.Workspace || a.Grant != r.Call.Grant {
			return Reply{Failed: -1, ApprovalGone: true}
		}
	}
	failed, retry := Judge(r.Charges, at, b)
	return Reply{Admitted: failed < 0 || r.Observe, Failed: failed, RetryAfter: retry}
}

// Admit judges a request and takes what it asks for, if it is admitted. A request
// without an id has nothing to settle.
func (b *Book) Admit(at time.Time, r *Request) Reply {
	reply := b.Judge(at, r)
	if reply.Admitted {
		b.Take(at, r.Recorded(&reply), r.Charges, r.Approval, 0)
	}
	return reply
}

// Take is what an admission does: it takes the charges, opens the reservation and
// consumes the approval. It keeps a copy of charges, and nothing of the arguments' keys.
func (b *Book) Take(at time.Time, call audit.Call, charges []Charge, approval string, owner uint64) {
	b.Turn(at)
	call.ArgKeys = nil
	h := &Held{Call: call, At: at, Owner: owner, Charges: slices.Clone(charges)}
	if len(charges) > 0 {
		h.Parts = make([]Part, len(charges))
	}
	for i := range h.Charges {
		c := &h.Charges[i]
		if c.After {
			continue
		}
		t := b.tallies[c.Counter]
		if t == nil {
			t = &Tally{}
			b.tallies[c.Counter] = t
		}
		h.Parts[i] = t.Take(c, at)
	}
	if call.Request != "" {
		b.open[call.Request] = h
	}
	if a := b.approvals[approval]; a != nil {
		a.State, a.ConsumedAt, a.Request = Consumed, at, call.Request
		b.ended(a)
	}
}

// Open is the reservation of a call that is not settled yet; nil for none.
func (b *Book) Open(request string) *Held { return b.open[request] }

// Settle ends an open reservation; false when there is none, and then nothing changes.
func (b *Book) Settle(at time.Time, s *Settlement) bool {
	h := b.open[s.Call.Request]
	if h == nil {
		return false
	}
	b.Turn(at)
	delete(b.open, s.Call.Request)
	switch s.Outcome {
	case Commit:
		for i, c := range s.Marks {
			keep := defaultKeep
			if i < len(s.Keep) && s.Keep[i] > 0 {
				keep = s.Keep[i]
			}
			m := b.marks[c]
			b.marks[c] = Mark{At: at, Until: later(m.Until, at.Add(keep))}
		}
	case Rollback:
		b.give(h)
	case Ambiguous:
		h.Ended = at
		b.ambiguous[h.Call.Request] = h
	}
	return true
}

// defaultKeep is how long a mark is kept that says nothing of it.
const defaultKeep = 30 * 24 * time.Hour

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func (b *Book) give(h *Held) {
	for i := range h.Charges {
		if t := b.tallies[h.Charges[i].Counter]; t != nil && !h.Charges[i].After {
			t.Give(h.Parts[i])
		}
	}
}

// Release gives back what an ambiguous reservation took, and returns it; nil when there
// is none.
func (b *Book) Release(at time.Time, request string) *Held {
	h := b.ambiguous[request]
	if h == nil {
		return nil
	}
	b.Turn(at)
	delete(b.ambiguous, request)
	b.give(h)
	return h
}

// Usage is what is used of counters, in the same order.
func (b *Book) Usage(at time.Time, counters []Charge) []int64 {
	used := make([]int64, len(counters))
	for i := range counters {
		if c := &counters[i]; c.Window > 0 && !c.After {
			used[i] = b.tallies[c.Counter].Used(c, at)
		}
	}
	return used
}

// Ambiguous lists reservations that ended ambiguous, newest first; all for limit 0.
func (b *Book) Ambiguous(limit int) []Reservation {
	list := make([]Reservation, 0, len(b.ambiguous))
	for _, h := range b.ambiguous {
		list = append(list, h.Reservation())
	}
	slices.SortFunc(list, func(a, b Reservation) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(b.Request, a.Request))
	})
	if limit > 0 && len(list) > limit {
		list = list[:limit]
	}
	return list
}

// Reservation is the held call as people see it.
func (h *Held) Reservation() Reservation {
	r := Reservation{Request: h.Call.Request, Grant: h.Call.Grant, Server: h.Call.Server, Tool: h.Call.Tool, At: h.At, Charges: h.Charges}
	for i := range h.Charges {
		if !h.Charges[i].After {
			r.Rules = append(r.Rules, h.Charges[i].Rule)
		}
	}
	return r
}

// What a book remembers of what has ended.
const (
	keepAmbiguous = 30 * 24 * time.Hour
	maxAmbiguous  = 5000
	keepApprovals = 30 * 24 * time.Hour
	maxApprovals  = 2000
)

// Sweep forgets what can't matter any more: windows that are over, marks nobody may ask
// for, what ended long ago. It changes no decision.
func (b *Book) Sweep(at time.Time) {
	for c, t := range b.tallies {
		if t.drop(at.UnixNano()) {
			delete(b.tallies, c)
		}
	}
	for c, m := range b.marks {
		if m.Until.Before(at) {
			delete(b.marks, c)
		}
	}
	forget(b.ambiguous, at.Add(-keepAmbiguous), maxAmbiguous, func(h *Held) (time.Time, bool) { return h.Ended, true })
	forget(b.approvals, at.Add(-keepApprovals), maxApprovals, func(a *Approval) (time.Time, bool) { return a.CreatedAt, a.State.Terminal() })
}

// forget removes what ended before a moment, and the oldest beyond a number.
func forget[V any](m map[string]V, before time.Time, most int, ended func(V) (time.Time, bool)) {
	type old struct {
		id string
		at time.Time
	}
	var list []old
	for id, v := range m {
		if at, over := ended(v); over {
			list = append(list, old{id, at})
		}
	}
	slices.SortFunc(list, func(a, b old) int { return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.id, b.id)) })
	for i, o := range list {
		if o.at.Before(before) || len(list)-i > most {
			delete(m, o.id)
		}
	}
}

// Counts says how much the book holds: counters, marks, open and ambiguous reservations,
// approvals.
func (b *Book) Counts() (counters, marks, open, ambiguous, approvals int) {
	return len(b.tallies), len(b.marks), len(b.open), len(b.ambiguous), len(b.approvals)
}

// Tallies goes through all counters, for whoever stores the book, in no order. As with
// Marks, OpenCalls and AmbiguousCalls, what it yields must not be changed.
func (b *Book) Tallies() iter.Seq2[Counter, *Tally] { return maps.All(b.tallies) }

// Marks goes through all marks.
func (b *Book) Marks() iter.Seq2[Counter, Mark] { return maps.All(b.marks) }

// OpenCalls goes through the calls that are not settled.
func (b *Book) OpenCalls() iter.Seq2[string, *Held] { return maps.All(b.open) }

// AmbiguousCalls goes through those that ended ambiguous.
func (b *Book) AmbiguousCalls() iter.Seq2[string, *Held] { return maps.All(b.ambiguous) }

// PutTally gives a book back a counter as it was stored.
func (b *Book) PutTally(c Counter, t *Tally) { b.tallies[c] = t }

// PutMark gives back a mark.
func (b *Book) PutMark(c Counter, m Mark) { b.marks[c] = m }

// PutHeld gives back a held call; one that has ended is an ambiguous one.
func (b *Book) PutHeld(h *Held) error {
	if len(h.Parts) != len(h.Charges) {
		return fmt.Errorf("the reservation of %s has %d charges and %d parts", h.Call.Request, len(h.Charges), len(h.Parts))
	}
	if h.Ended.IsZero() {
		b.open[h.Call.Request] = h
	} else {
		b.ambiguous[h.Call.Request] = h
	}
	return nil
}
