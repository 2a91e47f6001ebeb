package govern

import (
	"context"
	"slices"
	"strings"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// GrantView is a grant as it is shown.
type GrantView struct {
	registry.Grant
	ServerName string `json:"server_name"`
	PolicyName string `json:"policy_name,omitempty"`
	State      string `json:"state"` // live, expired, revoked
	// Orphan says that the member who made it, or the one it acts for, is gone.
	Orphan   bool `json:"orphan"`
	HasToken bool `json:"has_token"`
}

// The states of a grant.
const (
	GrantLive    = "live"
	GrantExpired = "expired"
	GrantRevoked = "revoked"
)

func (e *everything) viewOfGrant(g *registry.Grant, now time.Time) GrantView {
	v := GrantView{Grant: *g, State: GrantLive, HasToken: len(g.MAC) > 0}
	if r := e.server(g.Server); r != nil {
		v.ServerName = r.Name
	}
	if p := e.policy(g.Policy); p != nil {
		v.PolicyName = p.Name
	}
	switch {
	case !g.RevokedAt.IsZero():
		v.State = GrantRevoked
	case !g.Live(now):
		v.State = GrantExpired
	}
	v.Orphan = v.State == GrantLive && (e.gone(g.CreatedBy) || e.gone(g.User))
	return v
}

// localOwner is whom a caller on the machine acts as; that one is always there.
var localOwner = tenant.Local("").User

// gone reports whether a member is not one any more.
func (e *everything) gone(user string) bool {
	return user != "" && user != localOwner && !slices.ContainsFunc(e.members, func(m tenant.Member) bool { return m.User == user })
}

// Grants lists the grants of a server, or of all when it is empty. Revoked ones are left
// out unless asked for.
func (s *Service) Grants(ctx context.Context, server string, revoked bool) (list []GrantView, err error) {
	list = []GrantView{}
	err = s.view(ctx, func(tx ledger.Tx) error {
		id, all, err := s.of(ctx, tx, server)
		if err != nil {
			return err
		}
		for i := range all.grants {
			g := &all.grants[i]
			if (id == "" || g.Server == id) && (revoked || g.RevokedAt.IsZero()) {
				list = append(list, all.viewOfGrant(g, moment(tx)))
			}
		}
		return nil
	})
	return list, err
}

// Grant returns one by id, or by server and name as SERVER/NAME.
func (s *Service) Grant(ctx context.Context, grant string) (v *GrantView, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		g, err := s.grant(ctx, tx, grant)
		if err != nil {
			return err
		}
		v, err = s.viewGrant(ctx, tx, g)
		return err
	})
	return v, err
}

func (s *Service) viewGrant(ctx context.Context, tx ledger.Tx, g *registry.Grant) (*GrantView, error) {
	all, err := s.all(ctx, tx)
	if err != nil {
		return nil, err
	}
	v := all.viewOfGrant(g, moment(tx))
	return &v, nil
}

// grant finds one of the caller's workspace.
func (s *Service) grant(ctx context.Context, tx ledger.Tx, grant string) (g *registry.Grant, err error) {
	if server, name, ok := strings.Cut(grant, "/"); ok {
		r, err := s.server(ctx, tx, server)
		if err != nil {
			return nil, err
		}
		g, err = tx.Registry().GrantNamed(ctx, r.ID, name)
		if err != nil {
			return nil, listed(missing(err, "server %s has no grant %s", r.Name, shownName(name)), "`sluice grant list %s` names them; with --revoked, those that were revoked too", r.Name)
		}
		return g, nil
	}
	g, err = tx.Registry().Grant(ctx, grant)
	if err == nil && g.Workspace != s.o.Caller.Workspace {
		err = ledger.ErrNotFound
	}
	if err != nil {
		return nil, listed(missing(err, "there is no grant with that id; by name it is SERVER/NAME"), "`sluice grant list` names them")
	}
	return g, nil
}
