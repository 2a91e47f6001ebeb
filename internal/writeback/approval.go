package writeback

import (
	"context"
	"encoding/hex"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// parks names why this confirm needs somebody else's yes; empty when it needs none.
func (c *confirm) parks() string {
	p := c.owner.Policy
	switch {
	case !c.caller.Role.Covers(tenant.Admin):
		return "the caller is an operator, who may propose"
	case c.caller.Agent && p.ApproveAgents:
		return "the policy wants a person to approve what an agent confirms"
	case p.FourEyes:
		return "the policy wants a second person for every confirm"
	default:
		return ""
	}
}

// approved passes a confirm that needs no approval or has one, and parks any other.
func (c *confirm) approved(ctx context.Context) error {
	why := c.parks()
	if why == "" {
		return nil
	}
	if err := c.alive(); err != nil { // nobody is asked about a plan that can't be sent
		return err
	}
	a, err := c.Propose(ctx, c.plan.ID, why)
	if err != nil {
		return err
	}
	if a.State == ledger.ApprovalApproved {
		c.approval = a
		return nil
	}
	f := fault.New(fault.ApprovalRequired, "plan %s waits for approval %s: %s", c.plan.ID, a.ID, a.Why).
		WithFix("somebody else decides: `sluice approvals approve %s --reason TEXT`; then repeat this confirm", a.ID).
		WithCommand("sluice", "approvals", "approve", a.ID)
	return f.With("approval_id", a.ID).With("plan_id", c.plan.ID).With("expires_at", a.ExpiresAt)
}

// consume uses the approval up in the transaction that creates the run. A request
// that is still open for a plan that goes out without it is closed as well.
func (c *confirm) consume(ctx context.Context, tx ledger.Tx) error {
	for _, state := range []ledger.ApprovalState{ledger.ApprovalApproved, ledger.ApprovalPending} {
		list, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Plan: c.plan.No, State: state})
		if err != nil {
			return err
		}
		for i := range list {
			a := &list[i]
			if c.approval != nil && a.ID != c.approval.ID {
				continue
			}
			a.State, a.Run, a.ConsumedAt = ledger.ApprovalConsumed, c.run.ID, tx.Now()
			if err := tx.Approvals().Move(ctx, a, state); err != nil {
				return err
			}
			if c.approval != nil {
				return nil
			}
		}
	}
	if c.approval != nil {
		return ledger.ErrLost // another confirm used it: look again
	}
	return nil
}

// Propose asks for an approval of a plan, or returns the one that is open. One that
// was rejected stays rejected for this plan.
func (s *Service) Propose(ctx context.Context, planID, why string) (*ledger.Approval, error) {
	plan, err := s.plan(ctx, planID)
	if err != nil {
		return nil, err
	}
	var out *ledger.Approval
	err = s.store.Do(ctx, func(tx ledger.Tx) error {
		list, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Plan: plan.No})
		if err != nil {
			return err
		}
		now := tx.Now()
		for i := range list {
			a := &list[i]
			switch {
			case a.PlanHash != plan.Hash:
				continue
			case a.State == ledger.ApprovalRejected:
				return fault.New(fault.ApprovalDecided, "approval %s of plan %s was rejected: %s", a.ID, plan.ID, a.Reason).
					WithFix("mend what was found wrong and preview again").With("approval_id", a.ID)
			case (a.State == ledger.ApprovalPending || a.State == ledger.ApprovalApproved) && now.Before(a.ExpiresAt):
				out = a
				return nil
			case a.State == ledger.ApprovalPending || a.State == ledger.ApprovalApproved:
				from := a.State
				a.State = ledger.ApprovalExpired
				if err := tx.Approvals().Move(ctx, a, from); err != nil {
					return err
				}
			}
		}
		out = &ledger.Approval{
			ID: ids.New("ap", now), Profile: plan.Profile, Plan: plan.No, PlanID: plan.ID, PlanHash: plan.Hash, Why: why,
			Proposer: s.person(), Via: s.caller.Via, State: ledger.ApprovalPending, CreatedAt: now, ExpiresAt: plan.ExpiresAt,
		}
		if err := tx.Approvals().Create(ctx, out); err != nil {
			return err
		}
		return s.approvalMoved(ctx, tx, out, "approval.requested")
	})
	if errors.Is(err, ledger.ErrTaken) { // somebody proposed it at the same moment
		return s.openApproval(ctx, plan)
	}
	return out, err
}

func (s *Service) openApproval(ctx context.Context, plan *ledger.Plan) (a *ledger.Approval, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Plan: plan.No, Limit: 1})
		if err == nil && len(list) == 0 {
			err = ledger.ErrNotFound
		}
		if err == nil {
			a = &list[0]
		}
		return err
	})
	return a, err
}

// person is who answers for what the caller does: the member, also behind a token.
func (s *Service) person() string {
	if s.caller.User != "" {
		return s.caller.User
	}
	return s.caller.Type + ":" + s.caller.ID
}

// Approvals lists approvals of the service's profile, newest first; all states when
// state is empty.
func (s *Service) Approvals(ctx context.Context, state ledger.ApprovalState) ([]ledger.Approval, error) {
	list := []ledger.Approval{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		found, err := tx.Approvals().List(ctx, ledger.ApprovalFilter{Profile: s.profile})
		now := tx.Now()
		for _, a := range found {
			if a.State == ledger.ApprovalPending && now.After(a.ExpiresAt) {
				a.State = ledger.ApprovalExpired
			}
			if state == "" || a.State == state {
				list = append(list, a)
			}
		}
		return err
	})
	return list, err
}

// Decide approves or rejects. An owner, an admin or an approver decides; nobody
// decides about what they proposed themselves, and no agent decides at all.
func (s *Service) Decide(ctx context.Context, id string, approve bool, reason string) (*ledger.Approval, error) {
	if err := s.requireReason(reason); err != nil {
		return nil, err
	}
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write}, tenant.Facts{}); err != nil {
		return nil, err
	}
	switch {
	case s.caller.Agent:
		return nil, fault.New(fault.RoleRequired, "an agent's token can't decide approvals").WithFix("a person decides, with a token of their own")
	case !s.caller.Approver && !s.caller.Role.Covers(tenant.Admin):
		return nil, fault.New(fault.RoleRequired, "deciding an approval needs the role admin or the flag approver").With("role", string(tenant.Admin))
	}
	var a *ledger.Approval
	err := s.store.Do(ctx, func(tx ledger.Tx) (err error) {
		if a, err = tx.Approvals().ByID(ctx, id); err != nil {
			return err
		}
		if err := s.mayDecide(ctx, tx, a); err != nil {
			return err
		}
		a.State, a.Decider, a.Reason, a.DecidedAt = ledger.ApprovalRejected, s.person(), reason, tx.Now()
		op := "approval.rejected"
		if approve {
			a.State, op = ledger.ApprovalApproved, "approval.approved"
		}
		if err := tx.Approvals().Move(ctx, a, ledger.ApprovalPending); err != nil {
			return err
		}
		return s.approvalMoved(ctx, tx, a, op)
	})
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return nil, fault.New(fault.NotFound, "there is no approval %s in this workspace", id).WithFix("see `sluice approvals list`")
	case errors.Is(err, ledger.ErrLost):
		return nil, fault.New(fault.ApprovalDecided, "approval %s was decided meanwhile", id)
	}
	return a, err
}

func (s *Service) mayDecide(ctx context.Context, tx ledger.Tx, a *ledger.Approval) error {
	p, err := tx.Tenants().Profile(ctx, a.Profile)
	if err != nil {
		return err
	}
	switch {
	case s.caller.Type != tenant.LocalCaller && p.Workspace != s.caller.Workspace:
		return ledger.ErrNotFound
	case a.State != ledger.ApprovalPending:
		return fault.New(fault.ApprovalDecided, "approval %s is %s already", a.ID, a.State)
	case tx.Now().After(a.ExpiresAt):
		return fault.New(fault.ApprovalDecided, "approval %s expired with its plan at %s", a.ID, a.ExpiresAt.Format(time.RFC3339)).
			WithFix("preview again and propose that")
	case a.Proposer == s.person():
		return fault.New(fault.RoleRequired, "nobody approves what they proposed themselves").WithFix("ask another owner, admin or approver")
	}
	return nil
}

func (s *Service) approvalMoved(ctx context.Context, tx ledger.Tx, a *ledger.Approval, op string) error {
	_, err := tx.Audit().Append(ctx, s.now(), audit.Record{
		Actor: s.actor(), Via: s.caller.Via, Profile: a.Profile, Op: op, Object: a.ID, Plan: a.PlanID, PlanHash: a.PlanHash,
		Reason: a.Reason, Result: string(a.State), AppVersion: s.version,
	})
	return unaudited(err)
}

// policyDigest is the digest of a profile's policy as plans carry it.
func policyDigest(p *tenant.Profile) string {
	d := p.Policy.Digest()
	return hex.EncodeToString(d[:])
}
