package pipeline

import (
	"math"
	"slices"
	"time"

	"sluice/internal/enforce"
	"sluice/policy"
)

// verdict is what all policies together say of a call.
type verdict struct {
	denial *denial // nil: none denies
	by     *Bound  // the policy that the record of an admitted call names: the last one
	// asks is the rule that wants a person asked, of the policy asker; others want that too.
	asks   *policy.Approval
	asker  *Bound
	others []*Bound

	charges []enforce.Charge
	limits  []taken // of each charge

	// observes says that no policy is in force: all of them only watch.
	observes bool
	// would is why the call would not have been let through, by policies that only watch.
	would     policy.Code
	wouldRule string

	// Room for what most calls need.
	chargeRoom [2]enforce.Charge
	limitRoom  [2]taken
}

// taken says where a charge comes from.
type taken struct {
	limit *policy.Limit
	by    *Bound
}

// never is a limit that does not end.
const never = math.MaxInt64

// judge asks every policy in order. All have to allow the call.
func (t *toolCall) judge() *verdict {
	s := t.s
	v := &verdict{observes: len(s.Policies) > 0}
	v.charges, v.limits = v.chargeRoom[:0], v.limitRoom[:0]
	t.marks, t.keep = t.marks[:0], t.keep[:0]
	if len(s.Policies) == 0 {
		v.denial = &denial{code: policy.NoPolicy, rule: "(no policy)", text: deniedPrefix + "No policy is attached to this grant, so that it may call nothing."}
		return v
	}
	for i := range s.Policies {
		v.observes = v.observes && !s.Policies[i].decides()
	}
	if b := hider(s, t.call.Tool); b != nil { // before a rule could give the name away
		d, _ := t.ask(b)
		v.by, v.denial = b, deniedBy(b, &d)
		return v
	}
	for i := range s.Policies {
		b := &s.Policies[i]
		v.by = b
		d, charges := t.ask(b)
		switch {
		case d.Verdict == policy.Allow:
		case !b.decides():
			v.note(&d)
		case d.Verdict != policy.Approve:
			v.denial = deniedBy(b, &d)
			return v
		case v.asks == nil:
			v.asks, v.asker = d.Approval, b
		case !v.askTogether(b, d.Approval):
			v.denial = &denial{code: policy.Denied, rule: d.Rule, by: b, text: deniedPrefix +
				"Rules of two policies ask different people about this call, and nobody may answer for both."}
			return v
		}
		for j := range charges {
			t.charge(v, b, &charges[j])
		}
		if b.Policy != nil {
			t.mark(b.Policy.Marks(nil, t.call))
		}
	}
	return v
}

// ask is what one policy says, and what its limits take. A decision that is none, or
// that this code does not know, denies.
func (t *toolCall) ask(b *Bound) (policy.Decision, []policy.Charge) {
	if b.Policy == nil {
		return policy.Decision{Code: policy.Invalid, Rule: "(policy)", Message: "The policy of this grant can't be read, so that nothing is let through."}, nil
	}
	d := b.Policy.Decide(t.call)
	switch {
	case d.Verdict == policy.Approve && d.Approval != nil, d.Verdict == policy.Allow:
	case d.Verdict == policy.Approve || d.Verdict != policy.Deny:
		return policy.Decision{Code: policy.Invalid, Rule: d.Rule}, nil
	default:
		return d, nil
	}
	var room [4]policy.Charge
	charges, no, ok := b.Policy.Charges(room[:0], &d, t.call)
	if !ok {
		no.Verdict = policy.Deny
		return no, nil
	}
	return d, charges
}

// askTogether adds a rule of one more policy that wants a person asked. One person answers
// for all of them: one whom each rule names, if it names any. It is false where there is
// none.
func (v *verdict) askTogether(b *Bound, a *policy.Approval) bool {
	v.others = append(v.others, b)
	switch {
	case len(a.Approvers) == 0:
	case len(v.asks.Approvers) == 0:
		v.others[len(v.others)-1] = v.asker
		v.asks, v.asker = a, b
	default:
		one := *v.asks
		one.Approvers = slices.DeleteFunc(slices.Clone(one.Approvers), func(name string) bool { return !slices.Contains(a.Approvers, name) })
		v.asks = &one
		return len(one.Approvers) > 0
	}
	return true
}

// note keeps the first thing that would have kept the call from passing.
func (v *verdict) note(d *policy.Decision) {
	if v.would == "" {
		v.would, v.wouldRule = d.Code, d.Rule
		if d.Verdict == policy.Approve {
			v.would, v.wouldRule = policy.ApprovalPending, d.Approval.Rule
		}
	}
}

// charge adds what a limit takes. A counter that several limits share is charged once
// for one call, under the least of them.
func (t *toolCall) charge(v *verdict, b *Bound, c *policy.Charge) {
	l := c.Limit
	e := enforce.Charge{
		Counter: enforce.CounterOf(t.counter(l, c.Key)), Window: l.Window, Sliding: l.Sliding,
		Amount: c.Amount, Max: l.Max, After: l.After != "", Rule: l.Rule,
	}
	if !b.decides() && !v.observes { // counted beside limits that hold, it must not deny
		if e.After {
			return
		}
		e.Max = never
	}
	for i := range v.charges {
		if k := &v.charges[i]; k.Counter == e.Counter && k.Amount == e.Amount && k.Sliding == e.Sliding && !k.After && !e.After {
			if e.Max < k.Max {
				k.Max, k.Rule, v.limits[i] = e.Max, e.Rule, taken{l, b}
			}
			return
		}
	}
	v.charges = append(v.charges, e)
	v.limits = append(v.limits, taken{l, b})
}

// counter is the identity of what a limit counts: policy-gateway §5.1. Of a condition on
// what was done before it is that of the mark, which no other limit shares. A grant of an
// aggregate is one grant at all of its members, whose own limits are not one.
func (t *toolCall) counter(l *policy.Limit, key [16]byte) enforce.Identity {
	id := enforce.Identity{Org: t.s.Workspace, Scope: string(l.Scope), Section: l.Section, Counter: l.Counter, Window: l.Window, Key: key}
	if l.After != "" {
		id.Window, id.Mark = 0, l.After
	}
	switch l.Scope {
	case policy.PerServer:
		id.ScopeID = t.s.Server
		return id
	case policy.PerOrg:
		id.ScopeID, id.Section = t.s.Workspace, "org"
		return id
	case policy.PerSession:
		if id.ScopeID = t.c.Session; id.ScopeID == "" {
			id.ScopeID = t.s.Grant
		}
	default:
		id.Scope, id.ScopeID = string(policy.PerGrant), t.s.Grant
	}
	if t.s.Through {
		id.Section = t.s.Server + " " + id.Section
	}
	return id
}

// mark keeps what the call leaves when it succeeds.
func (t *toolCall) mark(marks []policy.Mark) {
	for i := range marks {
		t.marks = append(t.marks, enforce.CounterOf(t.counter(marks[i].Limit, marks[i].Key)))
		t.keep = append(t.keep, max(marks[i].Limit.Window, time.Second))
	}
}
