package auth

import (
	"context"
	"encoding/hex"
	"errors"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// Profiles lists the profiles of the caller's workspace.
func (s *Service) Profiles(ctx context.Context) (list []tenant.Profile, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Tenants().Profiles(ctx, s.caller.Workspace)
		return err
	})
	return list, err
}

// Profile returns a profile of the caller's workspace. Without an id it is the only
// one there is; of several, one has to be named.
func (s *Service) Profile(ctx context.Context, id string) (*tenant.Profile, error) {
	list, err := s.Profiles(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(list))
	for i := range list {
		if names[i] = list[i].ID; list[i].ID == id || id == "" && len(list) == 1 {
			return &list[i], nil
		}
	}
	if id == "" {
		return nil, fault.New(fault.ProfileRequired, "the workspace has %d profiles and none is named", len(list)).With("profiles", names)
	}
	return nil, fault.New(fault.NotFound, "there is no profile %s in this workspace", id).With("profiles", names)
}

// ProfileChange is what to set of a profile; nil leaves it as it is.
type ProfileChange struct {
	Name     *string        `json:"name,omitempty"`
	Currency *string        `json:"currency,omitempty"` // ISO 4217
	Timezone *string        `json:"timezone,omitempty"` // IANA
	Policy   *tenant.Policy `json:"policy,omitempty"`   // the whole policy
}

// PutProfile adds a profile or changes one. Admins may; the policy takes the flag
// policy besides.
func (s *Service) PutProfile(ctx context.Context, id string, c ProfileChange) (p *tenant.Profile, err error) {
	if err := s.require(tenant.Admin, "setting a profile"); err != nil {
		return nil, err
	}
	if c.Policy != nil && !s.caller.Policy {
		return nil, fault.New(fault.RoleRequired, "editing a policy needs the flag policy").With("flag", "policy").
			WithFix("an owner or admin sets it: `sluice member set USER --policy`")
	}
	if err := c.check(id); err != nil {
		return nil, err
	}
	r := audit.Record{Op: "profile.set", Object: id, Profile: id}
	if c.Policy != nil {
		d := c.Policy.Digest()
		r.Op, r.Result = "policy.set", "policy "+hex.EncodeToString(d[:8])
	}
	err = s.change(ctx, r, func(tx ledger.Tx) error {
		p, err = tx.Tenants().Profile(ctx, id)
		switch {
		case errors.Is(err, ledger.ErrNotFound):
			p = &tenant.Profile{ID: id, Workspace: s.caller.Workspace, Name: id, Timezone: "UTC", CreatedAt: tx.Now()}
		case err != nil:
			return err
		case p.Workspace != s.caller.Workspace:
			return fault.New(fault.Usage, "the profile id %s is not free", id)
		}
		if c.Name != nil {
			p.Name = *c.Name
		}
		if c.Currency != nil {
			p.Currency = *c.Currency
		}
		if c.Timezone != nil {
			p.Timezone = *c.Timezone
		}
		if c.Policy != nil {
			p.Policy = *c.Policy
		}
		return tx.Tenants().PutProfile(ctx, p)
	})
	return p, err
}

func (c *ProfileChange) check(id string) error {
	if err := checkID("profile", id); err != nil {
		return err
	}
	if c.Name != nil {
		if err := checkName(c.Name, id); err != nil {
			return err
		}
	}
	if c.Currency != nil && *c.Currency != "" && (len(*c.Currency) != 3 || strings.Trim(*c.Currency, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != "") {
		return fault.New(fault.Usage, "the currency is an ISO 4217 code such as GBP")
	}
	if c.Timezone != nil {
		if _, err := time.LoadLocation(*c.Timezone); err != nil || *c.Timezone == "" || *c.Timezone == "Local" {
			return fault.New(fault.Usage, "the time zone is an IANA name such as Europe/London")
		}
	}
	if c.Policy != nil {
		return c.Policy.Check()
	}
	return nil
}

// Connections lists the connections of the caller's workspace.
func (s *Service) Connections(ctx context.Context) (list []tenant.Connection, err error) {
	list = []tenant.Connection{}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		profiles, err := tx.Tenants().Profiles(ctx, s.caller.Workspace)
		if err != nil {
			return err
		}
		for _, p := range profiles {
			of, err := tx.Tenants().Connections(ctx, p.ID)
			if err != nil {
				return err
			}
			list = append(list, of...)
		}
		return nil
	})
	return list, err
}
