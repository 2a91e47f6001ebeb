package govern

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// maxLife bounds the lifetime of a grant that has one.
const maxLife = 10 * 365 * 24 * time.Hour

// NewGrant is a grant to be made.
type NewGrant struct {
	Server string   `json:"server"`           // name or id
	Name   string   `json:"name"`             // what it is for: alice-laptop, nightly-ci
	Policy string   `json:"policy,omitempty"` // name; without one, everything is denied
	User   string   `json:"user,omitempty"`   // member it acts for
	Scopes []string `json:"scopes,omitempty"` // mcp:read, mcp:write; both when empty
	// Issuer and Subject bind it to a person of an authorization server; it then has no
	// token of its own.
	Issuer  string        `json:"issuer,omitempty"`
	Subject string        `json:"subject,omitempty"`
	Life    time.Duration `json:"-"` // until it expires; 0: never
	// Until is when it expires, instead of Life.
	Until time.Time `json:"-"`
}

// AddGrant makes a grant and returns the text of its token, which is not kept; empty for
// one that is bound to a person.
func (s *Service) AddGrant(ctx context.Context, n NewGrant) (token string, v *GrantView, err error) {
	if err := s.governs(); err != nil {
		return "", nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		r, err := s.server(ctx, tx, n.Server)
		if err != nil {
			return err
		}
		g, err := s.prepareGrant(ctx, tx, r, &n)
		if err != nil {
			return err
		}
		if token, err = s.mint(ctx, tx, g, book); err != nil {
			return err
		}
		v, err = s.viewGrant(ctx, tx, g)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return token, v, nil
}

// prepareGrant checks what is asked for and makes a record of it.
func (s *Service) prepareGrant(ctx context.Context, tx ledger.Tx, r *registry.Server, n *NewGrant) (*registry.Grant, error) {
	if err := checkName("grant", n.Name); err != nil {
		return nil, err
	}
	scopes, err := checkScopes(n.Scopes)
	if err != nil {
		return nil, err
	}
	if n.Life < 0 || n.Life > maxLife {
		return nil, fault.New(fault.Usage, "a grant lives for up to ten years, or without end")
	}
	if err := checkPerson(n.Issuer, n.Subject); err != nil {
		return nil, err
	}
	now := moment(tx)
	g := &registry.Grant{
		Workspace: r.Workspace, Server: r.ID, Name: n.Name, Scopes: scopes, Issuer: n.Issuer, Subject: n.Subject, User: n.User, ExpiresAt: n.Until,
	}
	if n.Life > 0 {
		g.ExpiresAt = now.Add(n.Life)
	}
	if !g.ExpiresAt.IsZero() && !now.Before(g.ExpiresAt) {
		return nil, fault.New(fault.Usage, "the grant would be over before it begins: it ends at %s", g.ExpiresAt.Format(time.RFC3339))
	}
	if err := s.checkUser(ctx, tx, n.User); err != nil {
		return nil, err
	}
	if n.Policy != "" {
		p, err := tx.Registry().PolicyNamed(ctx, r.ID, n.Policy)
		if err != nil {
			return nil, listed(missing(err, "server %s has no policy %s", r.Name, shownName(n.Policy)), "`sluice policy list %s` names them", r.Name)
		}
		g.Policy = p.ID
	}
	return g, nil
}

func (s *Service) checkUser(ctx context.Context, tx ledger.Tx, user string) error {
	if user == "" {
		return nil
	}
	if _, err := tx.Tenants().Member(ctx, s.o.Caller.Workspace, user); err != nil {
		return listed(missing(err, "there is no member %s", shownName(user)), "`sluice member list` names them")
	}
	return nil
}

func checkScopes(scopes []string) ([]string, error) {
	for _, scope := range scopes {
		if scope != string(tenant.Read) && scope != string(tenant.Write) {
			return nil, fault.New(fault.Usage, "the scopes of a grant are %s and %s", tenant.Read, tenant.Write)
		}
	}
	scopes = slices.Clone(scopes)
	slices.Sort(scopes)
	scopes = slices.Compact(scopes)
	if len(scopes) != 1 {
		return nil, nil // both
	}
	return scopes, nil
}

func checkPerson(issuer, subject string) error {
	if issuer == "" && subject == "" {
		return nil
	}
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || subject == "" || len(subject) > 255 {
		return fault.New(fault.Usage, "a grant is bound to a person by the issuer's URL and a subject of up to 255 bytes, both")
	}
	for _, r := range subject {
		if r < ' ' || r == 0x7f {
			return fault.New(fault.Usage, "a subject has no control characters")
		}
	}
	return nil
}

// mint stores a new grant and makes its token, unless it is bound to a person.
func (s *Service) mint(ctx context.Context, tx ledger.Tx, g *registry.Grant, book func(audit.Record) error) (token string, err error) {
	now := moment(tx)
	g.ID, g.CreatedAt, g.CreatedBy = ids.New("grt", now), now, s.o.Caller.User
	if g.Subject == "" {
		token = newToken(g.ID)
		g.MAC = tokenMAC(tokenKey(s.o.Keys), token)
	}
	if err := tx.Registry().PutGrant(ctx, g); err != nil {
		return "", taken(err, "the server has a grant %s, or one for that person, already", g.Name)
	}
	return token, book(audit.Record{Op: "grant.add", Object: g.ID, After: grantDigest(g)})
}

// grantDigest is that of what a grant says, without its token.
func grantDigest(g *registry.Grant) string {
	return digest([]any{g.Server, g.Name, g.Policy, g.Issuer, g.Subject, g.Scopes, g.User, g.ExpiresAt, g.RevokedAt})
}

// GrantChange is what to set of a grant; nil leaves it as it is.
type GrantChange struct {
	Policy *string        `json:"policy,omitempty"` // name; empty: none, which denies everything
	Scopes *[]string      `json:"scopes,omitempty"`
	User   *string        `json:"user,omitempty"`
	Life   *time.Duration `json:"-"` // from now on; 0: without end
}

// SetGrant changes a grant. Its token and its quota stay.
func (s *Service) SetGrant(ctx context.Context, grant string, c GrantChange) (v *GrantView, err error) {
	if err := s.governs(); err != nil {
		return nil, err
	}
	err = s.changeGrant(ctx, grant, func(tx ledger.Tx, g *registry.Grant) (op string, err error) {
		if err := stands(g); err != nil {
			return "", err
		}
		if c.Policy != nil {
			g.Policy = ""
			if *c.Policy != "" {
				p, err := tx.Registry().PolicyNamed(ctx, g.Server, *c.Policy)
				if err != nil {
					return "", listed(missing(err, "the grant's server has no policy %s", shownName(*c.Policy)), "`sluice policy list` names them")
				}
				g.Policy = p.ID
			}
		}
		if c.Scopes != nil {
			if g.Scopes, err = checkScopes(*c.Scopes); err != nil {
				return "", err
			}
		}
		if c.User != nil {
			if err := s.checkUser(ctx, tx, *c.User); err != nil {
				return "", err
			}
			g.User = *c.User
		}
		if c.Life != nil {
			if *c.Life < 0 || *c.Life > maxLife {
				return "", fault.New(fault.Usage, "a grant lives for up to ten years, or without end")
			}
			if g.ExpiresAt = (time.Time{}); *c.Life > 0 {
				g.ExpiresAt = moment(tx).Add(*c.Life)
			}
		}
		return "grant.set", nil
	}, &v)
	return v, err
}

// stands refuses to change a grant that was revoked: that is final.
func stands(g *registry.Grant) error {
	if !g.RevokedAt.IsZero() {
		return fault.New(fault.Usage, "grant %s was revoked", g.Name).WithFix("make a new one: `sluice grant add`")
	}
	return nil
}

// changeGrant runs fn on a grant that is edited here, and stores and books what it did.
func (s *Service) changeGrant(ctx context.Context, grant string, fn func(ledger.Tx, *registry.Grant) (op string, err error), v **GrantView) error {
	return s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		g, err := s.grant(ctx, tx, grant)
		if err != nil {
			return err
		}
		if err := writable(g.ManagedBy, "grant "+g.Name); err != nil {
			return err
		}
		before, mac := grantDigest(g), string(g.MAC)
		op, err := fn(tx, g)
		if err != nil {
			return err
		}
		if after := grantDigest(g); after != before || string(g.MAC) != mac {
			err = errors.Join(tx.Registry().PutGrant(ctx, g), book(audit.Record{Op: op, Object: g.ID, Before: before, After: after}))
		}
		if err == nil {
			*v, err = s.viewGrant(ctx, tx, g)
		}
		return err
	})
}

// RotateGrant gives a grant another token and returns its text. The old one is refused
// within a second; quota and approvals stay, for they are the grant's.
//
// It is allowed for grants that files own as well: a file says who may call, never with
// which secret.
func (s *Service) RotateGrant(ctx context.Context, grant string) (token string, v *GrantView, err error) {
	if err := s.governs(); err != nil {
		return "", nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		g, err := s.grant(ctx, tx, grant)
		if err != nil {
			return err
		}
		if err := stands(g); err != nil {
			return err
		}
		if g.Subject != "" {
			return fault.New(fault.Usage, "grant %s has no token: it is bound to a person of an authorization server", g.Name)
		}
		token = newToken(g.ID)
		g.MAC, g.RotatedAt = tokenMAC(tokenKey(s.o.Keys), token), moment(tx)
		same := grantDigest(g)
		if err := errors.Join(tx.Registry().PutGrant(ctx, g), book(audit.Record{Op: "grant.rotate", Object: g.ID, Before: same, After: same})); err != nil {
			return err
		}
		v, err = s.viewGrant(ctx, tx, g)
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return token, v, nil
}

// RevokeGrant ends a grant for good, within a second everywhere, and cancels what waits
// for a person's word on its behalf. It is idempotent.
//
// A grant that files own can be revoked here too: that must not wait for a file. The
// next apply says that the file still has it.
func (s *Service) RevokeGrant(ctx context.Context, grant, reason string) (v *GrantView, err error) {
	if err := s.governs(); err != nil {
		return nil, err
	}
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		g, err := s.grant(ctx, tx, grant)
		if err != nil {
			return err
		}
		if g.RevokedAt.IsZero() {
			if err := s.revoke(ctx, tx, g, reason, book); err != nil {
				return err
			}
		}
		v, err = s.viewGrant(ctx, tx, g)
		return err
	})
	if err != nil {
		return nil, err
	}
	return v, s.cancel(ctx, enforce.Cancellation{Workspace: v.Workspace, Grant: v.ID, Reason: "the grant was revoked"})
}

func (s *Service) revoke(ctx context.Context, tx ledger.Tx, g *registry.Grant, reason string, book func(audit.Record) error) error {
	before := grantDigest(g)
	g.RevokedAt = moment(tx)
	return errors.Join(tx.Registry().PutGrant(ctx, g), book(audit.Record{Op: "grant.revoke", Object: g.ID, Before: before, After: grantDigest(g), Reason: reason}))
}
