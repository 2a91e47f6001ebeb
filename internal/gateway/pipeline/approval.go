package pipeline

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/mcpwire/exchange"
	"sluice/policy"
)

// Times of an approval where the rule says nothing.
const (
	defaultTTL = 15 * time.Minute
	longestTTL = 7 * 24 * time.Hour
	mostWait   = 25 * time.Second
)

// approve looks for a person's agreement to this very call, and asks for it where there
// is none. It returns the approval to consume; or again, when one came while the call was
// held and everything has to be judged anew; or done, when the call was answered.
func (t *toolCall) approve(ctx context.Context, v *verdict) (id string, print [32]byte, again, done bool, err error) {
	p, rule := t.p, v.asks
	print = t.fingerprint(v.asker, v.others)
	decidedBy(&t.rec, v.asker)
	ttl := cmp.Or(min(max(rule.TTL, 0), longestTTL), defaultTTL)
	before, err := t.refused(ctx, print, ttl)
	if err != nil {
		return "", print, false, true, t.deny(ctx, t.unavailable(err))
	}
	if before != nil {
		return "", print, false, true, t.deny(ctx, t.decidedDenial(v, before))
	}
	ask := t.parking(v, print, ttl)
	a, err := p.o.Store.Park(ctx, ask)
	switch {
	case errors.Is(err, enforce.ErrTooManyParked):
		return "", print, false, true, t.deny(ctx, &denial{code: policy.LimitExceeded, rule: rule.Rule, by: v.asker,
			text: deniedPrefix + "Too many calls of this grant wait for approval. Have them decided first."})
	case err != nil:
		return "", print, false, true, t.deny(ctx, t.unavailable(err))
	case a.State == enforce.Approved:
		return a.ID, print, false, false, nil
	}
	fresh := bytes.Equal(a.Arguments, ask.Approval.Arguments) // sealing the same twice gives two texts
	if fresh {
		p.o.Metrics.decided(p.o.Server, "park", string(policy.ApprovalPending))
		if p.o.Notify != nil {
			p.o.Notify("parked", a)
		}
	}
	held, err := t.hold(ctx, a, min(max(rule.Wait, 0), mostWait))
	if held == nil {
		return "", print, false, true, err
	}
	switch held.State {
	case enforce.Approved, enforce.Consumed:
		return "", print, true, false, nil
	case enforce.Pending:
		if !fresh {
			if err := t.stillParked(ctx, v, held); err != nil {
				return "", print, false, true, t.deny(ctx, t.unavailable(err))
			}
		}
		tellStopped(ctx)
		return "", print, false, true, p.pending(ctx, t.s, t.c, t.out, held)
	default:
		return "", print, false, true, t.deny(ctx, t.decidedDenial(v, held))
	}
}

// parking is the request for a person's decision.
func (t *toolCall) parking(v *verdict, print [32]byte, ttl time.Duration) *enforce.Parking {
	s, b, rule := t.s, v.asker, v.asks
	set := &s.Settings.Approvals
	rec := t.rec
	rec.Decision, rec.Code, rec.Rule = "park", string(policy.ApprovalPending), rule.Rule
	ask := &enforce.Parking{
		Approval: enforce.Approval{
			Workspace: s.Workspace, Server: s.Server, Grant: s.Grant, GrantName: s.GrantName, MintedBy: s.MintedBy,
			Tool: t.call.Tool, Fingerprint: print, ArgKeys: rec.ArgKeys, Arguments: t.p.o.Keys.Seal(t.arguments(), enforce.SealParked),
			Rule: rule.Rule, Message: rule.Message, Policy: cmp.Or(b.ID, b.Name), Version: b.Version, PolicyHash: b.Hash,
			Approvers: rule.Approvers, EscalateTo: set.EscalateTo, FourEyes: set.FourEyes == nil || *set.FourEyes,
		},
		TTL: ttl, Escalate: ttl / 2, Call: rec,
	}
	if len(ask.Approval.Approvers) == 0 {
		ask.Approval.Approvers = set.Approvers
	}
	if d, err := time.ParseDuration(set.EscalateAfter); err == nil && d > 0 {
		ask.Escalate = d
	}
	return ask
}

// refused is the decision of a person who denied the same call not long ago: repeating
// it does not ask again until the time is over that the decision had.
func (t *toolCall) refused(ctx context.Context, print [32]byte, ttl time.Duration) (*enforce.Approval, error) {
	list, err := t.p.o.Store.Approvals(ctx, enforce.ApprovalFilter{
		Workspace: t.s.Workspace, Grant: t.s.Grant, Server: t.s.Server, Tool: t.call.Tool, State: enforce.DeniedBy,
	})
	if err != nil {
		return nil, err
	}
	now := t.p.o.Now()
	for i := range list {
		if a := &list[i]; a.Fingerprint == print && now.Before(a.DecidedAt.Add(ttl)) {
			return a, nil
		}
	}
	return nil, nil //nolint:nilnil // nobody denied it
}

// hold waits for the decision, as long as the rule says, the caller may call and there is
// time to decide. nil says that the call needs no further answer: it was given one, or err
// is why there is none.
func (t *toolCall) hold(ctx context.Context, a *enforce.Approval, wait time.Duration) (*enforce.Approval, error) {
	now := t.p.o.Now()
	if t.patience.IsZero() {
		t.patience = now.Add(wait)
	}
	wait = min(wait, t.patience.Sub(now))
	if wait <= 0 || t.round >= heldRounds || a.State != enforce.Pending {
		return a, nil
	}
	exchange.Taken(ctx) // what its client says next need not wait for a person
	allowed, stop := t.p.whileAllowed(ctx, t.c)
	defer stop()
	waiting, cancel := context.WithTimeout(allowed, min(wait, a.ExpiresAt.Sub(now)))
	defer cancel()
	after, err := t.p.o.Store.Await(waiting, a.ID)
	switch {
	case ctx.Err() != nil: // the client gave up
		return nil, ctx.Err()
	case allowed.Err() != nil:
		if _, err := t.p.subject(t.c); err != nil {
			return nil, err
		}
		return a, nil
	case waiting.Err() != nil && !t.p.o.Now().Before(a.ExpiresAt): // silence is no before somebody writes it down
		over := *a
		over.State = enforce.Expired
		return &over, nil
	case waiting.Err() != nil || errors.Is(err, enforce.ErrNotFound):
		return a, nil
	case err != nil:
		return nil, t.deny(ctx, t.unavailable(err))
	}
	return after, nil
}

// stillParked records that a call came again while it waited.
func (t *toolCall) stillParked(ctx context.Context, v *verdict, a *enforce.Approval) error {
	rec := t.rec
	rec.Decision, rec.Code, rec.Rule, rec.Approval = "park", string(policy.ApprovalPending), v.asks.Rule, a.ID
	t.p.o.Metrics.decided(t.p.o.Server, rec.Decision, rec.Code)
	return t.p.o.Store.Record(context.WithoutCancel(ctx), rec)
}

// decidedDenial is the denial of a call that a person did not agree to.
func (t *toolCall) decidedDenial(v *verdict, a *enforce.Approval) *denial {
	d := &denial{code: policy.ApprovalDenied, rule: v.asks.Rule, by: v.asker, approval: a.ID}
	switch a.State {
	case enforce.Expired:
		d.code, d.text = policy.ApprovalExpired, "Nobody decided about this call in time."
	case enforce.Cancelled:
		d.text = "The request for approval of this call was cancelled."
	default:
		d.text = "A person denied this call."
	}
	if a.Reason != "" && a.State == enforce.DeniedBy {
		d.text = "A person denied this call: " + a.Reason
	}
	d.text = deniedPrefix + d.text
	return d
}
