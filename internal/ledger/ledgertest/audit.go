package ledgertest

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"

	"sluice/internal/audit"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

func record(op string) audit.Record {
	return audit.Record{Op: op, Actor: audit.Actor{Type: "local", ID: "owner"}}
}

// Writers of one chain follow each other, and a transaction that fails takes its
// record with it.
func testAuditRace(t *testing.T, s ledger.Store) {
	const writers, each = 8, 10
	failed := errors.New("changed its mind")
	var group sync.WaitGroup
	for range writers {
		group.Go(func() {
			for i := range each {
				err := s.Do(t.Context(), func(tx ledger.Tx) error {
					_, err := tx.Audit().Append(t.Context(), at, record("preview"))
					if err == nil && i%5 == 4 {
						return failed
					}
					return err
				})
				if err != nil && !errors.Is(err, failed) {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		v, err := audit.Verify(ctx, s.ID(), tx.Audit())
		if !v.OK || v.Records != writers*each*4/5 {
			t.Errorf("verification %+v", v)
		}
		heads, err2 := tx.Audit().Heads(ctx)
		if len(heads) != 1 || heads[0].Size != v.Records || heads[0].Root != v.Chains[0].Root || heads[0].Hash.Hex() != v.Head {
			t.Errorf("heads %+v", heads)
		}
		return errors.Join(err, err2)
	})
}

func testCheckpoints(t *testing.T, s ledger.Store) {
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	public := key.Public().(ed25519.PublicKey)
	var first audit.Signed
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if last, err := tx.Audit().LastCheckpoint(ctx); err != nil || last != nil {
			t.Errorf("an empty log has checkpoint %+v, %v", last, err)
		}
		if _, err := tx.Audit().Append(ctx, at, record("preview")); err != nil {
			return err
		}
		heads, err := tx.Audit().Heads(ctx)
		if err != nil {
			return err
		}
		if err := tx.Audit().PutKey(ctx, &audit.Key{ID: audit.KeyID(public), Public: public, Sealed: []byte("s"), CreatedAt: at}); err != nil {
			return err
		}
		signed, err := audit.Sign(audit.Checkpoint{Log: s.ID(), No: 1, Heads: heads}, at, key)
		if err != nil {
			return err
		}
		first = *signed
		if stored, err := tx.Audit().PutCheckpoint(ctx, signed); !stored || err != nil {
			t.Errorf("stored %v, %v", stored, err)
		}
		return nil
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if stored, err := tx.Audit().PutCheckpoint(ctx, &first); stored || err != nil {
			t.Errorf("a number was taken twice: %v, %v", stored, err)
		}
		last, err := tx.Audit().LastCheckpoint(ctx)
		if err != nil || last == nil || last.Hash() != first.Hash() || !last.Valid(public) || !last.Public.Equal(public) {
			t.Errorf("last %+v, %v", last, err)
		}
		keys, err := tx.Audit().Keys(ctx)
		if err != nil || len(keys) != 1 || keys[0].ID != audit.KeyID(public) || !keys[0].CreatedAt.Equal(at) {
			t.Errorf("keys %+v, %v", keys, err)
		}
		v, err := audit.Verify(ctx, s.ID(), tx.Audit(), first)
		if !v.OK || v.Checkpoints != 1 || v.Unsigned != 0 {
			t.Errorf("verification %+v", v)
		}
		return err
	})
}

func testConnections(t *testing.T, s ledger.Store) {
	yes := true
	c := tenant.Connection{
		ID: "conn_1", Profile: tenant.Default, Dataset: "1000000000000001", Realm: "meta", State: tenant.ConnActive, GraphVersion: "v26.0",
		Consolidated: &yes, Scopes: []string{"ads_management"}, KnownStores: []string{"st_other"}, Credential: []byte{1, 2}, CheckedAt: at, CreatedAt: at,
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Tenants().PutConnection(ctx, &c) })
	c.State, c.Reason, c.Consolidated = tenant.ConnInactive, "the token ended", nil
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Tenants().PutConnection(ctx, &c) })
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Tenants().Connection(ctx, c.Profile, c.Realm, c.Dataset)
		if err != nil || got.State != tenant.ConnInactive || got.Consolidated != nil || len(got.KnownStores) != 1 || string(got.Credential) != "\x01\x02" {
			t.Errorf("%+v, %v", got, err)
		}
		return tx.Tenants().DeleteConnection(ctx, c.Profile, c.Realm, c.Dataset)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if _, err := tx.Tenants().Connection(ctx, c.Profile, c.Realm, c.Dataset); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a removed connection: %v", err)
		}
		if err := tx.Tenants().DeleteConnection(ctx, c.Profile, c.Realm, c.Dataset); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("removing nothing: %v", err)
		}
		return nil
	})
}
