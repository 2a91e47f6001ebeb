// Package auth is who may call and who says so: API tokens, and the administration
// of workspaces, members, profiles and tokens.
//
// Its guarantees: a token is shown once and stored only as a keyed MAC; what a token
// may do is read at each call (a member who was demoted is demoted at once); nobody
// gives away more than they have; a workspace always keeps an owner; every change is
// in the audit log, in its own transaction. Its limit: there are no passwords and no
// sign-in pages, a token is all there is.
package auth

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/tenant"
)

// Service administers one store.
type Service struct {
	store   ledger.Store
	keys    *secret.Keyring
	caller  tenant.Caller
	version string
}

// New returns a service for a caller.
func New(store ledger.Store, keys *secret.Keyring, caller tenant.Caller, version string) *Service {
	return &Service{store: store, keys: keys, caller: caller, version: version}
}

// As returns the service as another caller meets it.
func (s *Service) As(c tenant.Caller) *Service {
	as := *s
	as.caller = c
	return &as
}

// require checks scope and role for what changes something.
func (s *Service) require(least tenant.Role, what string) error {
	if !s.caller.Has(tenant.Write) {
		return fault.New(fault.InsufficientScope, "%s needs a token with scope %s", what, tenant.Write).With("scope", tenant.Write)
	}
	if !s.caller.Role.Covers(least) {
		return fault.New(fault.RoleRequired, "%s needs role %s", what, least).With("role", least)
	}
	if s.caller.Agent && least.Covers(tenant.Admin) {
		return tenant.AgentRefused()
	}
	return nil
}

// change runs fn in one transaction and books it.
func (s *Service) change(ctx context.Context, r audit.Record, fn func(tx ledger.Tx) error) error {
	return s.store.Do(ctx, func(tx ledger.Tx) error {
		if err := fn(tx); err != nil {
			return err
		}
		r.Actor, r.Via, r.AppVersion = audit.Actor{Type: s.caller.Type, ID: s.caller.ID}, s.caller.Via, s.version
		if r.Result == "" {
			r.Result = "ok"
		}
		_, err := tx.Audit().Append(ctx, tx.Now(), r)
		return err
	})
}

// Workspaces lists what the caller may see: everything on this machine, the own
// workspace over a token.
func (s *Service) Workspaces(ctx context.Context) (list []tenant.Workspace, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		if s.caller.Type == tenant.LocalCaller {
			list, err = tx.Tenants().Workspaces(ctx)
			return err
		}
		w, err := tx.Tenants().Workspace(ctx, s.caller.Workspace)
		if err == nil {
			list = []tenant.Workspace{*w}
		}
		return err
	})
	return list, err
}

// Workspace returns the caller's workspace.
func (s *Service) Workspace(ctx context.Context) (w *tenant.Workspace, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		w, err = tx.Tenants().Workspace(ctx, s.caller.Workspace)
		return err
	})
	return w, err
}

// AddWorkspace makes a workspace, with write-back off. Only this machine may.
func (s *Service) AddWorkspace(ctx context.Context, id, name string) (*tenant.Workspace, error) {
	if s.caller.Type != tenant.LocalCaller {
		return nil, fault.New(fault.RoleRequired, "workspaces are made on the machine that holds the state directory")
	}
	if err := checkID("workspace", id); err != nil {
		return nil, err
	}
	if err := checkName(&name, id); err != nil {
		return nil, err
	}
	w := &tenant.Workspace{ID: id, Name: name}
	return w, s.change(ctx, audit.Record{Op: "workspace.add", Object: id}, func(tx ledger.Tx) error {
		switch _, err := tx.Tenants().Workspace(ctx, id); {
		case err == nil:
			return fault.New(fault.Usage, "there is a workspace %s already", id)
		case !errors.Is(err, ledger.ErrNotFound):
			return err
		}
		w.CreatedAt = tx.Now()
		return tx.Tenants().PutWorkspace(ctx, w)
	})
}

// WorkspaceChange is what to set; nil leaves a setting as it is.
type WorkspaceChange struct {
	Name      *string `json:"name,omitempty"`
	Writeback *bool   `json:"writeback_enabled,omitempty"`
}

// SetWorkspace changes the caller's workspace; admins may.
func (s *Service) SetWorkspace(ctx context.Context, c WorkspaceChange) (w *tenant.Workspace, err error) {
	if err := s.require(tenant.Admin, "setting a workspace"); err != nil {
		return nil, err
	}
	r := audit.Record{Op: "workspace.set", Object: s.caller.Workspace}
	if c.Writeback != nil {
		r.Result = map[bool]string{true: "writeback on", false: "writeback off"}[*c.Writeback]
	}
	err = s.change(ctx, r, func(tx ledger.Tx) error {
		if w, err = tx.Tenants().Workspace(ctx, s.caller.Workspace); err != nil {
			return missing(err, "workspace", s.caller.Workspace)
		}
		if c.Name != nil {
			if err := checkName(c.Name, w.ID); err != nil {
				return err
			}
			w.Name = *c.Name
		}
		if c.Writeback != nil {
			w.Writeback = *c.Writeback
		}
		return tx.Tenants().PutWorkspace(ctx, w)
	})
	return w, err
}

// missing gives a row that is not there its fault.
func missing(err error, kind, id string) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return fault.New(fault.NotFound, "there is no %s %s", kind, id)
	}
	return err
}

// checkID accepts what can stand in a path, a file name and an audit record: no
// addresses of people.
func checkID(kind, id string) error {
	ok := len(id) >= 1 && len(id) <= 64
	for i, r := range id {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		ok = ok && (letter || i > 0 && (r == '-' || r == '_' || r == '.'))
	}
	if !ok {
		return fault.New(fault.Usage, "the id of a %s is 1 to 64 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit", kind)
	}
	return nil
}

// checkName bounds a display name; an empty one is the id.
func checkName(name *string, id string) error {
	if *name == "" {
		*name = id
	}
	if len(*name) > 200 {
		return fault.New(fault.Usage, "a name has at most 200 bytes")
	}
	for _, r := range *name {
		if r < ' ' || r == 0x7f {
			return fault.New(fault.Usage, "a name has no control characters")
		}
	}
	return nil
}

// expiry turns a lifetime into a time; zero is never.
func expiry(now time.Time, d time.Duration) time.Time {
	if d == 0 {
		return time.Time{}
	}
	return now.Add(d)
}
