package auth

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

// A token is `slt_<id>_<secret>`: 26 characters that name it, 64 hexadecimal ones
// that prove it.
const (
	tokenPrefix = "slt_"
	idPrefix    = "tok_"
	idLength    = 26
	secretBytes = 32
	tokenLength = len(tokenPrefix) + idLength + 1 + 2*secretBytes
)

// maxLife bounds the lifetime of a token that has one.
const maxLife = 10 * 365 * 24 * time.Hour

// Issue is one new token.
type Issue struct {
	User   string         `json:"user"`
	Name   string         `json:"name"`
	Scopes []tenant.Scope `json:"scopes"` // mcp:read when empty
	Agent  bool           `json:"agent"`  // held by an agent that acts for the user
	Life   time.Duration  `json:"-"`      // until it expires; 0: never
}

// IssueToken makes a token of a member and returns its text, which is not kept.
// Admins make them for members whose role their own covers.
func (s *Service) IssueToken(ctx context.Context, i Issue) (string, *tenant.Token, error) {
	if err := s.require(tenant.Admin, "making a token"); err != nil {
		return "", nil, err
	}
	if len(i.Scopes) == 0 {
		i.Scopes = []tenant.Scope{tenant.Read}
	}
	for _, scope := range i.Scopes {
		if scope != tenant.Read && scope != tenant.Write {
			return "", nil, fault.New(fault.Usage, "the scopes are %s and %s", tenant.Read, tenant.Write)
		}
	}
	slices.Sort(i.Scopes)
	i.Scopes = slices.Compact(i.Scopes)
	if i.Life < 0 || i.Life > maxLife {
		return "", nil, fault.New(fault.Usage, "a token lives for up to ten years, or without end")
	}
	if err := checkName(&i.Name, i.User); err != nil {
		return "", nil, err
	}
	raw := make([]byte, secretBytes)
	_, _ = rand.Read(raw) // never fails: crypto/rand aborts the process instead
	t := &tenant.Token{Workspace: s.caller.Workspace, User: i.User, Name: i.Name, Scopes: i.Scopes, Agent: i.Agent}
	var text string
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		m, err := tx.Tenants().Member(ctx, s.caller.Workspace, i.User)
		if err != nil {
			return missing(err, "member", shownID(i.User))
		}
		if !s.caller.Role.Covers(m.Role) {
			return s.above(m.Role)
		}
		now := tx.Now()
		t.ID, t.CreatedAt, t.ExpiresAt = ids.New("tok", now), now, expiry(now, i.Life)
		text = tokenPrefix + strings.TrimPrefix(t.ID, idPrefix) + "_" + hex.EncodeToString(raw)
		t.MAC = s.mac(text)
		if err := tx.Tenants().PutToken(ctx, t); err != nil {
			return err
		}
		_, err = tx.Audit().Append(ctx, now, audit.Record{
			Actor: audit.Actor{Type: s.caller.Type, ID: s.caller.ID}, Via: s.caller.Via, Op: "token.add", Object: t.ID, Result: "ok", AppVersion: s.version,
		})
		return err
	})
	if err != nil {
		return "", nil, err
	}
	return text, t, nil
}

// shownID keeps a name that is no id out of a message: it may be an address.
func shownID(id string) string {
	if checkID("member", id) != nil {
		return "of that name"
	}
	return id
}

// Tokens lists the tokens of the caller's workspace; who is no admin sees the own.
func (s *Service) Tokens(ctx context.Context) (list []tenant.Token, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		list, err = tx.Tenants().Tokens(ctx, s.caller.Workspace)
		return err
	})
	if !s.caller.Role.Covers(tenant.Admin) {
		list = slices.DeleteFunc(list, func(t tenant.Token) bool { return t.User != s.caller.User })
	}
	return list, err
}

// RevokeToken ends a token. Everybody may end the own ones, admins all whose user
// they cover.
func (s *Service) RevokeToken(ctx context.Context, id string) (t *tenant.Token, err error) {
	if err := s.require(tenant.Viewer, "revoking a token"); err != nil {
		return nil, err
	}
	err = s.change(ctx, audit.Record{Op: "token.revoke", Object: id}, func(tx ledger.Tx) error {
		t, err = tx.Tenants().Token(ctx, id)
		if err == nil && t.Workspace != s.caller.Workspace {
			err = ledger.ErrNotFound
		}
		if err != nil {
			return missing(err, "token", "with that id")
		}
		if t.User != s.caller.User {
			if !s.caller.Administers() {
				return missing(ledger.ErrNotFound, "token", "with that id")
			}
			switch m, err := tx.Tenants().Member(ctx, t.Workspace, t.User); {
			case err == nil && !s.caller.Role.Covers(m.Role):
				return s.above(m.Role)
			case err != nil && !errors.Is(err, ledger.ErrNotFound):
				return err
			}
		}
		if t.RevokedAt.IsZero() {
			t.RevokedAt = tx.Now()
		}
		return tx.Tenants().PutToken(ctx, t)
	})
	return t, err
}

// Resolve returns whom a token stands for, with the role the member has now.
func (s *Service) Resolve(ctx context.Context, text, via string) (tenant.Caller, error) {
	var c tenant.Caller
	if len(text) != tokenLength || !strings.HasPrefix(text, tokenPrefix) || text[len(tokenPrefix)+idLength] != '_' {
		return c, refused()
	}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		t, err := tx.Tenants().Token(ctx, idPrefix+text[len(tokenPrefix):len(tokenPrefix)+idLength])
		if errors.Is(err, ledger.ErrNotFound) {
			t, err = &tenant.Token{MAC: make([]byte, secretBytes)}, nil // as much work as for a known one
		}
		if err != nil {
			return err
		}
		if !hmac.Equal(t.MAC, s.mac(text)) {
			return refused()
		}
		switch now := tx.Now(); {
		case !t.RevokedAt.IsZero():
			return fault.New(fault.TokenExpired, "the token was revoked")
		case !t.ExpiresAt.IsZero() && !now.Before(t.ExpiresAt):
			return fault.New(fault.TokenExpired, "the token expired at %s", t.ExpiresAt.Format(time.RFC3339))
		}
		m, err := tx.Tenants().Member(ctx, t.Workspace, t.User)
		if errors.Is(err, ledger.ErrNotFound) {
			return refused()
		}
		if err != nil {
			return err
		}
		c = tenant.Caller{
			Type: "token", ID: t.ID, Workspace: t.Workspace, User: t.User, Role: m.Role, Policy: m.Policy,
			Approver: m.Approver, Agent: t.Agent, Scopes: t.Scopes, Via: via,
		}
		return nil
	})
	return c, err
}

func refused() error {
	return fault.New(fault.AuthRequired, "the call carries no valid API token").
		WithFix("send `Authorization: Bearer slt_…`; `sluice token add` makes one")
}

// mac is what is stored of a token.
func (s *Service) mac(text string) []byte { return s.keys.MAC("api token", []byte(text)) }

// Owner makes sure that the default workspace has its owner, and returns a new token
// for it.
func (s *Service) Owner(ctx context.Context) (string, error) {
	err := s.store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Tenants().Member(ctx, tenant.Default, "owner")
		if !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		return tx.Tenants().PutMember(ctx, &tenant.Member{
			Workspace: tenant.Default, User: "owner", Name: "owner", Role: tenant.Owner, Policy: true, CreatedAt: tx.Now(),
		})
	})
	if err != nil {
		return "", err
	}
	text, _, err := s.IssueToken(ctx, Issue{User: "owner", Name: "owner-token", Scopes: []tenant.Scope{tenant.Read, tenant.Write}})
	return text, err
}
