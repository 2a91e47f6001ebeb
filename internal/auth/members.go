package auth

import (
	"context"
	"errors"
	"slices"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Members lists the members of the caller's workspace.
func (s *Service) Members(ctx context.Context) (list []tenant.Member, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Tenants().Members(ctx, s.caller.Workspace)
		return err
	})
	return list, err
}

// MemberChange is what to set of a member; nil leaves it as it is.
type MemberChange struct {
	Name     *string      `json:"name,omitempty"`
	Role     *tenant.Role `json:"role,omitempty"`
	Policy   *bool        `json:"policy,omitempty"`
	Approver *bool        `json:"approver,omitempty"`
}

// PutMember adds a member (a role is needed then) or changes one. Admins may, and
// nobody gives or takes a role above the own.
func (s *Service) PutMember(ctx context.Context, user string, c MemberChange) (m *tenant.Member, err error) {
	if err := s.require(tenant.Admin, "setting a member"); err != nil {
		return nil, err
	}
	if err := checkID("member", user); err != nil {
		return nil, err
	}
	if c.Role != nil && !slices.Contains(tenant.Roles, *c.Role) {
		return nil, fault.New(fault.Usage, "a role is one of owner, admin, operator, viewer")
	}
	r := audit.Record{Op: "member.set", Object: user}
	if c.Role != nil {
		r.Result = "role " + string(*c.Role)
	}
	err = s.change(ctx, r, func(tx ledger.Tx) error {
		if m, err = tx.Tenants().Member(ctx, s.caller.Workspace, user); err != nil {
			if !errors.Is(err, ledger.ErrNotFound) {
				return err
			}
			if c.Role == nil {
				return fault.New(fault.NotFound, "there is no member %s; a new one needs a role", user)
			}
			m = &tenant.Member{Workspace: s.caller.Workspace, User: user, Name: user, CreatedAt: tx.Now()}
		}
		if !s.caller.Role.Covers(m.Role) && m.Role != "" {
			return s.above(m.Role)
		}
		if c.Name != nil {
			if err := checkName(c.Name, user); err != nil {
				return err
			}
			m.Name = *c.Name
		}
		demoted := m.Role == tenant.Owner && c.Role != nil && *c.Role != tenant.Owner
		if c.Role != nil {
			if !s.caller.Role.Covers(*c.Role) {
				return s.above(*c.Role)
			}
			m.Role = *c.Role
		}
		set(&m.Policy, c.Policy)
		set(&m.Approver, c.Approver)
		if demoted {
			if err := s.keepOwner(ctx, tx, user); err != nil {
				return err
			}
		}
		return tx.Tenants().PutMember(ctx, m)
	})
	return m, err
}

// RemoveMember removes a member; the tokens of a removed member open nothing.
func (s *Service) RemoveMember(ctx context.Context, user string) error {
	if err := s.require(tenant.Admin, "removing a member"); err != nil {
		return err
	}
	return s.change(ctx, audit.Record{Op: "member.remove", Object: user}, func(tx ledger.Tx) error {
		m, err := tx.Tenants().Member(ctx, s.caller.Workspace, user)
		if err != nil {
			return missing(err, "member", user)
		}
		if !s.caller.Role.Covers(m.Role) {
			return s.above(m.Role)
		}
		if m.Role == tenant.Owner {
			if err := s.keepOwner(ctx, tx, user); err != nil {
				return err
			}
		}
		return tx.Tenants().DeleteMember(ctx, s.caller.Workspace, user)
	})
}

// keepOwner refuses to take the last owner away.
func (s *Service) keepOwner(ctx context.Context, tx ledger.Tx, user string) error {
	members, err := tx.Tenants().Members(ctx, s.caller.Workspace)
	if err != nil {
		return err
	}
	others := slices.ContainsFunc(members, func(m tenant.Member) bool { return m.Role == tenant.Owner && m.User != user })
	if !others {
		return fault.New(fault.Usage, "member %s is the only owner of the workspace", user).
			WithFix("make somebody else an owner first: `sluice member set USER --role owner`")
	}
	return nil
}

func (s *Service) above(r tenant.Role) error {
	return fault.New(fault.RoleRequired, "role %s is above the caller's", r).With("role", r)
}

func set(to *bool, from *bool) {
	if from != nil {
		*to = *from
	}
}
