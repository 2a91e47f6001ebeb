package approve

import (
	"context"
	"slices"
	"strings"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// rolePrefix marks a role among approvers. role:approver is the flag of that name.
const rolePrefix = "role:"

// person is what approvers are chosen by.
type person struct {
	user     string
	role     tenant.Role
	approver bool
}

// named reports whether a list of approvers means the person: by name, or by a role
// that theirs covers.
func (p person) named(list []string) bool {
	return slices.ContainsFunc(list, func(who string) bool {
		role, isRole := strings.CutPrefix(who, rolePrefix)
		switch {
		case !isRole:
			return p.user != "" && who == p.user
		case role == "approver":
			return p.approver || p.role.Covers(tenant.Admin)
		default:
			return p.role.Covers(tenant.Role(role))
		}
	})
}

// decides reports whether the person may decide under a list of approvers; an empty one
// means admins, owners and those with the flag approver.
func (p person) decides(list []string) bool {
	if len(list) == 0 {
		return p.approver || p.role.Covers(tenant.Admin)
	}
	return p.named(list)
}

// FourEyes says whether the member who made a grant is kept from deciding its calls:
// what the server's settings say, and where they say nothing, whether another member
// could decide. approvers are those of the rule, or of the server (see Approvers).
func FourEyes(set registry.Approvals, approvers []string, mintedBy string, members []tenant.Member) bool {
	if set.FourEyes != nil {
		return *set.FourEyes
	}
	return slices.ContainsFunc(members, func(m tenant.Member) bool {
		return m.User != mintedBy && person{m.User, m.Role, m.Approver}.decides(approvers)
	})
}

// Approvers are who may decide: those the rule names, else those of the server.
func Approvers(rule []string, set registry.Approvals) []string {
	if len(rule) > 0 {
		return rule
	}
	return set.Approvers
}

// EscalateAfter is how long silence may last before an approval escalates: what the
// settings say, else half of the time to decide. A time that can't be read is the
// default too, and one beyond the end never comes.
func EscalateAfter(set registry.Approvals, ttl time.Duration) time.Duration {
	d, err := time.ParseDuration(set.EscalateAfter)
	if err != nil || d <= 0 {
		return ttl / 2
	}
	return d
}

// eligible reports whether the caller is one of those who may decide this approval,
// the four eyes aside: who sees its arguments.
func (s *Service) eligible(a *enforce.Approval) bool {
	if s.caller.Agent || !s.sees(a.Workspace) {
		return false
	}
	p := person{s.caller.User, s.caller.Role, s.caller.Approver}
	return p.decides(a.Approvers) || a.Escalated && p.named(a.EscalateTo)
}

// may is nil when the caller may decide the approval.
func (s *Service) may(ctx context.Context, a *enforce.Approval, at Place) error {
	if err := tenant.Permit(s.caller, tenant.Need{Scope: tenant.Write, Role: tenant.Viewer}, tenant.Facts{}); err != nil {
		return err
	}
	switch {
	case s.caller.Agent:
		return fault.New(fault.RoleRequired, "an agent's token can't decide approvals").WithFix("a person decides, with a token of their own")
	case !s.eligible(a) && len(a.Approvers) > 0:
		return fault.New(fault.RoleRequired, "only these decide this approval: %s", printable(strings.Join(whom(a), ", "))).WithFix("ask one of them")
	case !s.eligible(a):
		return fault.New(fault.RoleRequired, "deciding an approval needs the role admin or the flag approver").With("role", string(tenant.Admin))
	case !a.FourEyes:
		return nil
	}
	minted := a.MintedBy != "" && a.MintedBy == s.person()
	if !minted {
		user, err := s.actsFor(ctx, a)
		if err != nil || user == "" || user != s.person() {
			return err
		}
	}
	alone, err := s.alone(ctx, a, at)
	if err != nil || alone {
		return err
	}
	who := "who made the grant"
	if !minted {
		who = "whom the grant acts for"
	}
	return fault.New(fault.RoleRequired, "%s does not decide its calls (four eyes)", who).WithFix("ask another owner, admin or approver")
}

// actsFor is the member that the grant of a call acts for: it is as much their own as
// that of who made the grant.
func (s *Service) actsFor(ctx context.Context, a *enforce.Approval) (string, error) {
	if s.o.ActsFor == nil {
		return "", nil
	}
	user, err := s.o.ActsFor(ctx, a.Grant)
	return user, failed(err, a.ID)
}

// alone reports whether four eyes are only the default, and nobody else could decide:
// then those whose own it is do, or nobody ever would. A server that is not known
// any more keeps what was asked for when the call came.
func (s *Service) alone(ctx context.Context, a *enforce.Approval, at Place) (bool, error) {
	if !at.known || at.Approvals.FourEyes != nil {
		return false, nil
	}
	agentOf, err := s.actsFor(ctx, a)
	if err != nil {
		return false, err
	}
	var members []tenant.Member
	err = s.o.Ledger.View(ctx, func(tx ledger.Tx) (err error) {
		members, err = tx.Tenants().Members(ctx, a.Workspace)
		return err
	})
	if err != nil {
		return false, failed(err, a.ID)
	}
	members = slices.DeleteFunc(members, func(m tenant.Member) bool { return m.User == agentOf })
	others := FourEyes(at.Approvals, a.Approvers, a.MintedBy, members)
	if len(a.EscalateTo) > 0 {
		others = others || FourEyes(at.Approvals, a.EscalateTo, a.MintedBy, members)
	}
	return !others, nil
}

// whom lists who decides an approval now, as they are named.
func whom(a *enforce.Approval) []string {
	list := slices.Clone(a.Approvers)
	if a.Escalated {
		for _, who := range a.EscalateTo {
			if !slices.Contains(list, who) {
				list = append(list, who)
			}
		}
	}
	return list
}
