package govern

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// ErrRefused says that a person may not call a server: there is no grant for them and
// none is made, or theirs was revoked or is over.
var ErrRefused = errors.New("there is no grant for this caller")

// FirstUse is what a grant is like that is made when a person of an authorization
// server first calls.
type FirstUse struct {
	Server  string // id
	Issuer  string
	Subject string
	Policy  string // name of a policy of the server; without one, everything is denied
	Scopes  []string
	Life    time.Duration // until it expires; 0: never
}

// GrantFor is the grant of a person, and makes it where they call for the first time.
// make is nil where none is to be made. One that was revoked or is over stays so:
// ErrRefused, until somebody makes a new one.
//
// It is the program's own act, on the word of an authorization server that was
// configured; it asks for no role.
func (s *Service) GrantFor(ctx context.Context, server, issuer, subject string, first *FirstUse) (g *registry.Grant, err error) {
	find := func(tx ledger.Tx) error {
		g, err = tx.Registry().GrantOf(ctx, server, issuer, subject)
		if err == nil && !g.Live(moment(tx)) {
			return ErrRefused
		}
		return err
	}
	err = s.o.Store.View(ctx, find)
	if !errors.Is(err, ledger.ErrNotFound) {
		return g, err
	}
	if first == nil {
		return nil, ErrRefused
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		if err := find(tx); !errors.Is(err, ledger.ErrNotFound) {
			return err // another process was first
		}
		r, err := tx.Registry().Server(ctx, server)
		if err != nil {
			return err
		}
		n := NewGrant{Name: personName(issuer, subject), Policy: first.Policy, Scopes: first.Scopes, Issuer: issuer, Subject: subject, Life: first.Life}
		if g, err = s.prepareGrant(ctx, tx, r, &n); err != nil {
			return err
		}
		_, err = s.mint(ctx, tx, g, book)
		return err
	})
	if f, ok := fault.As(err); ok && f.Code == fault.NotFound {
		return nil, ErrRefused
	}
	return g, err
}

// personName names a grant after its person without saying who it is: a subject may be
// an address.
func personName(issuer, subject string) string {
	sum := sha256.Sum256([]byte(issuer + "\x00" + subject))
	return "oauth-" + hex.EncodeToString(sum[:6])
}
