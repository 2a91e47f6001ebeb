package enforce

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"time"
)

// Park stores a call that waits for a person under an id, unless the same call waits
// already or was approved: then that one is returned, and stored is false.
func (b *Book) Park(at time.Time, id string, p *Parking) (a *Approval, stored bool, err error) {
	if known := b.approvals[b.prints[p.Approval.Fingerprint]]; known != nil && known.live(at) {
		return known.clone(), false, nil
	}
	parked := 0
	for _, a := range b.approvals {
		if a.State == Pending && a.live(at) && a.Grant == p.Approval.Grant && a.Workspace == p.Approval.Workspace {
			parked++
		}
	}
	if parked >= MaxParked {
		return nil, false, ErrTooManyParked
	}
	n := p.Approval
	n.ID, n.State, n.CreatedAt, n.ExpiresAt = id, Pending, at, at.Add(p.TTL)
	n.EscalateAt, n.Escalated = time.Time{}, false
	if p.Escalate > 0 {
		n.EscalateAt = at.Add(p.Escalate)
	}
	n.Decider, n.Via, n.Reason, n.DecidedAt, n.ConsumedAt, n.Request = "", "", "", time.Time{}, time.Time{}, ""
	n.ArgKeys, n.Approvers, n.EscalateTo = slices.Clone(n.ArgKeys), slices.Clone(n.Approvers), slices.Clone(n.EscalateTo)
	n.Arguments = slices.Clone(n.Arguments)
	b.Turn(at)
	b.PutApproval(&n)
	return n.clone(), true, nil
}

// live reports whether an approval can still lead to a call.
func (a *Approval) live(at time.Time) bool { return !a.State.Terminal() && at.Before(a.ExpiresAt) }

// rebase moves the times of an approval that was asked for or given after a moment: the
// clock was ahead and has been set back, and nothing may last longer for it.
func (a *Approval) rebase(at time.Time) {
	since := a.CreatedAt
	if a.State == Approved {
		since = a.DecidedAt
	}
	if a.State.Terminal() || !since.After(at) {
		return
	}
	ahead := since.Sub(at)
	a.ExpiresAt = a.ExpiresAt.Add(-ahead)
	if a.State == Approved {
		a.DecidedAt = at
		return
	}
	a.CreatedAt = at
	if !a.EscalateAt.IsZero() {
		a.EscalateAt = a.EscalateAt.Add(-ahead)
	}
}

func (a *Approval) clone() *Approval {
	c := *a
	return &c
}

// Decide is Store.Decide.
func (b *Book) Decide(at time.Time, d *Decision) (*Approval, error) {
	a := b.approvals[d.ID]
	switch {
	case a == nil:
		return nil, ErrNotFound
	case a.State != Pending || !a.live(at):
		return a.clone(), ErrDecided
	}
	b.Turn(at)
	a.State, a.Decider, a.Via, a.Reason, a.DecidedAt = DeniedBy, d.By, d.Via, d.Reason, at
	if d.Approve {
		a.State, a.ExpiresAt = Approved, at.Add(UnusedApproval)
	}
	b.ended(a)
	return a.clone(), nil
}

// Cancel is Store.Cancel; it returns those that were cancelled.
func (b *Book) Cancel(at time.Time, c *Cancellation) []Approval {
	return b.move(at, func(a *Approval) bool {
		if (c.Workspace != "" && a.Workspace != c.Workspace) || (c.Grant != "" && a.Grant != c.Grant) || (c.Server != "" && a.Server != c.Server) {
			return false
		}
		a.State = Cancelled
		if c.Reason != "" {
			a.Reason = c.Reason
		}
		return true
	})
}

// Escalate is Store.Escalate.
func (b *Book) Escalate(at time.Time) []Approval {
	return b.move(at, func(a *Approval) bool {
		if a.State != Pending || a.Escalated || a.EscalateAt.IsZero() || at.Before(a.EscalateAt) || !a.live(at) {
			return false
		}
		a.Escalated = true
		return true
	})
}

// Expire is Store.Expire.
func (b *Book) Expire(at time.Time) []Approval {
	return b.move(at, func(a *Approval) bool {
		if a.live(at) {
			return false
		}
		a.State = Expired
		return true
	})
}

// move changes approvals that have not ended, oldest first, and returns those it did.
func (b *Book) move(at time.Time, change func(*Approval) bool) (moved []Approval) {
	var list []*Approval
	for _, a := range b.approvals {
		if !a.State.Terminal() && change(a) {
			b.ended(a)
			list = append(list, a)
		}
	}
	if list == nil {
		return nil
	}
	b.Turn(at)
	for _, a := range list {
		moved = append(moved, *a)
	}
	slices.SortFunc(moved, func(a, b Approval) int { return newestFirst(&b, &a) })
	return moved
}

// ended does what follows from a terminal state: the arguments are wiped.
func (b *Book) ended(a *Approval) {
	if !a.State.Terminal() {
		return
	}
	a.Arguments = nil
	if b.prints[a.Fingerprint] == a.ID {
		delete(b.prints, a.Fingerprint)
	}
}

// Approval returns one; nil when it is not known.
func (b *Book) Approval(id string) *Approval {
	if a := b.approvals[id]; a != nil {
		return a.clone()
	}
	return nil
}

// defaultList is how many of a list are returned where no limit is asked for.
const defaultList = 100

// Approvals is Store.Approvals.
func (b *Book) Approvals(f *ApprovalFilter) []Approval {
	var list []Approval
	for _, a := range b.approvals {
		if (f.Workspace == "" || a.Workspace == f.Workspace) && (f.Grant == "" || a.Grant == f.Grant) && (f.Server == "" || a.Server == f.Server) &&
			(f.Tool == "" || a.Tool == f.Tool) && (f.State == "" || a.State == f.State) {
			list = append(list, *a)
		}
	}
	slices.SortFunc(list, func(a, b Approval) int { return newestFirst(&a, &b) })
	limit := f.Limit
	if limit <= 0 {
		limit = defaultList
	}
	return list[:min(limit, len(list))]
}

func newestFirst(a, b *Approval) int {
	return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(b.ID, a.ID))
}

// AllApprovals goes through all of them, in no order. They must not be changed.
func (b *Book) AllApprovals() iter.Seq2[string, *Approval] { return maps.All(b.approvals) }

// PutApproval stores one as it stands, in place of what has its id.
func (b *Book) PutApproval(a *Approval) {
	b.approvals[a.ID] = a
	if a.State.Terminal() {
		b.ended(a)
	} else {
		b.prints[a.Fingerprint] = a.ID
	}
}
