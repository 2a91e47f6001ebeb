package ledgertest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// exampleServer is a server with every member set.
func exampleServer(id, name string) registry.Server {
	four := true
	return registry.Server{
		ID: id, Workspace: tenant.Default, Name: name, Spec: json.RawMessage(`{"url":"https://mcp.example.com/"}`),
		Members: []registry.Member{{Server: "crm", Prefix: "crm_"}},
		Settings: registry.Settings{
			Policy: "floor", Methods: []string{"resources/*"}, List: "callable", RecordArguments: "encrypted",
			Approvals: registry.Approvals{Approvers: []string{"role:admin"}, FourEyes: &four, Notify: []registry.Notify{{Webhook: "${HOOK}"}}},
		},
		ManagedBy: "config", CreatedBy: "owner", CreatedAt: at,
	}
}

func testServers(t *testing.T, s ledger.Store) {
	want := exampleServer("srv_1", "crm")
	var before int64
	do(t, s, func(ctx context.Context, tx ledger.Tx) (err error) {
		if before, err = tx.Registry().Revision(ctx); err != nil {
			return err
		}
		return tx.Registry().PutServer(ctx, &want)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Registry().Server(ctx, "srv_1")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("what was stored (-put +got):\n%s", diff)
		}
		after, err := tx.Registry().Revision(ctx)
		if err != nil || after <= before {
			t.Errorf("the revision went from %d to %d, %v", before, after, err)
		}
		_, missing := tx.Registry().ServerNamed(ctx, tenant.Default, "none")
		if !errors.Is(missing, ledger.ErrNotFound) {
			t.Errorf("a server that is not there: %v", missing)
		}
		other := exampleServer("srv_2", "crm")
		if err := tx.Registry().PutServer(ctx, &other); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a second server of one name: %v", err)
		}
		want.DeletedAt = at.Add(time.Hour)
		if err := tx.Registry().PutServer(ctx, &want); err != nil {
			return err
		}
		if err := tx.Registry().PutServer(ctx, &other); err != nil {
			t.Errorf("the name of a deleted server: %v", err)
		}
		removed, err := tx.Registry().RemovedServer(ctx, tenant.Default, "crm", "config")
		if err != nil || removed.ID != "srv_1" {
			t.Errorf("the server that was removed: %+v, %v", removed, err)
		}
		list, err := tx.Registry().Servers(ctx, "")
		if len(list) != 1 || list[0].ID != "srv_2" {
			t.Errorf("the list holds %d servers", len(list))
		}
		return err
	})
}

// registered makes a server with a policy in version 1.
func registered(t *testing.T, s ledger.Store) (registry.Server, registry.Policy) {
	t.Helper()
	server := exampleServer("srv_1", "crm")
	p := registry.Policy{ID: "pol_1", Workspace: tenant.Default, Server: server.ID, Name: "agents", Mode: registry.Enforce, Version: 1, CreatedAt: at, UpdatedAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return errors.Join(tx.Registry().PutServer(ctx, &server), tx.Registry().PutPolicy(ctx, &p, 0),
			tx.Registry().AddVersion(ctx, &registry.Version{
				Policy: p.ID, Version: 1, Document: json.RawMessage(`{"version":"1","default":"deny"}`), Hash: "h1", Author: "owner", Via: "cli", Reason: "first", CreatedAt: at,
			}))
	})
	return server, p
}

func testPolicies(t *testing.T, s ledger.Store) {
	_, p := registered(t, s)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		v2 := registry.Version{Policy: p.ID, Version: 2, Document: json.RawMessage(`{"version":"1","default":"allow"}`), Hash: "h2", Author: "owner", Via: "cli", Of: 1, CreatedAt: at}
		if err := tx.Registry().AddVersion(ctx, &v2); err != nil {
			return err
		}
		if err := tx.Registry().AddVersion(ctx, &v2); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a version was written twice: %v", err)
		}
		p.Version, p.Mode = 2, registry.Observe
		if err := tx.Registry().PutPolicy(ctx, &p, 7); !errors.Is(err, ledger.ErrLost) {
			t.Errorf("a change of another version than the one in force: %v", err)
		}
		if err := tx.Registry().PutPolicy(ctx, &p, 1); err != nil {
			return err
		}
		second := p
		second.ID = "pol_2"
		if err := tx.Registry().PutPolicy(ctx, &second, 0); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a second policy of one name: %v", err)
		}
		got, err := tx.Registry().PolicyNamed(ctx, "srv_1", "agents")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(&p, got); diff != "" {
			t.Errorf("the policy (-put +got):\n%s", diff)
		}
		versions, err := tx.Registry().Versions(ctx, p.ID)
		if err != nil || len(versions) != 2 || versions[0].Version != 2 || versions[0].Document != nil || versions[1].Reason != "first" {
			t.Errorf("versions %+v, %v", versions, err)
		}
		first, err := tx.Registry().Version(ctx, p.ID, 1)
		if err != nil || string(first.Document) != `{"version":"1","default":"deny"}` {
			t.Errorf("version 1 is %+v, %v", first, err)
		}
		p.DeletedAt = at
		if err := tx.Registry().PutPolicy(ctx, &p, 2); err != nil {
			return err
		}
		list, err := tx.Registry().Policies(ctx, tenant.Default)
		if len(list) != 0 {
			t.Errorf("%d policies are listed after the only one was deleted", len(list))
		}
		return err
	})
}

func testGrants(t *testing.T, s ledger.Store) {
	server, p := registered(t, s)
	want := registry.Grant{
		ID: "grt_1", Workspace: tenant.Default, Server: server.ID, Name: "alice-laptop", Policy: p.ID, MAC: []byte("mac"), Issuer: "https://id.example.com", Subject: "alice",
		Scopes: []string{"mcp:read"}, User: "alice", ManagedBy: "apply:prod", CreatedBy: "owner", CreatedAt: at, ExpiresAt: at.Add(time.Hour),
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Registry().PutGrant(ctx, &want) })
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Registry().GrantNamed(ctx, server.ID, want.Name)
		if err != nil {
			return err
		}
		if diff := cmp.Diff(&want, got); diff != "" {
			t.Errorf("the grant (-put +got):\n%s", diff)
		}
		named := registry.Grant{ID: "grt_2", Workspace: tenant.Default, Server: server.ID, Name: want.Name, CreatedAt: at}
		if err := tx.Registry().PutGrant(ctx, &named); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a second grant of one name: %v", err)
		}
		named.Name, named.Issuer, named.Subject = "other", want.Issuer, want.Subject
		if err := tx.Registry().PutGrant(ctx, &named); !errors.Is(err, ledger.ErrTaken) {
			t.Errorf("a second grant of one person: %v", err)
		}
		want.RotatedAt, want.RevokedAt = at.Add(time.Minute), at.Add(2*time.Minute)
		if err := tx.Registry().PutGrant(ctx, &want); err != nil {
			return err
		}
		revoked, err := tx.Registry().GrantOf(ctx, server.ID, want.Issuer, want.Subject)
		if err != nil || revoked.ID != want.ID || revoked.RevokedAt.IsZero() {
			t.Errorf("the person's grant after it was revoked: %+v, %v", revoked, err)
		}
		named.Name = want.Name
		if err := tx.Registry().PutGrant(ctx, &named); err != nil {
			t.Errorf("the name of a revoked grant: %v", err)
		}
		now, err := tx.Registry().GrantOf(ctx, server.ID, want.Issuer, want.Subject)
		if err != nil || now.ID != named.ID {
			t.Errorf("the person's grant after a new one was made: %+v, %v", now, err)
		}
		list, err := tx.Registry().Grants(ctx, tenant.Default)
		if len(list) != 2 {
			t.Errorf("%d grants are listed, want 2", len(list))
		}
		return err
	})
}

// testRegistryRace has many writers ask whether a name is free before they take it, and
// change one policy: one of them wins each.
func testRegistryRace(t *testing.T, s ledger.Store) {
	server, p := registered(t, s)
	var made, moved atomic.Int32
	var group sync.WaitGroup
	for i := range 8 {
		group.Go(func() {
			err := s.Do(t.Context(), func(tx ledger.Tx) error {
				return tx.Registry().PutGrant(t.Context(), &registry.Grant{ID: fmt.Sprintf("grt_%d", i), Workspace: tenant.Default, Server: server.ID, Name: "one", CreatedAt: at})
			})
			switch {
			case err == nil:
				made.Add(1)
			case !errors.Is(err, ledger.ErrTaken):
				t.Error(err)
			}
			err = s.Do(t.Context(), func(tx ledger.Tx) error {
				if err := tx.Registry().Lock(t.Context()); err != nil {
					return err
				}
				now, err := tx.Registry().Policy(t.Context(), p.ID)
				if err != nil {
					return err
				}
				before := now.Version
				now.Version++
				if err := tx.Registry().PutPolicy(t.Context(), now, before); err != nil {
					return err
				}
				moved.Add(1)
				return nil
			})
			if err != nil {
				t.Errorf("a change under the lock: %v", err)
			}
		})
	}
	group.Wait()
	if made.Load() != 1 || moved.Load() != 8 {
		t.Errorf("%d grants of one name were made and %d of 8 changes kept", made.Load(), moved.Load())
	}
}
