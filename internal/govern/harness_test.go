package govern_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/secret"
	"sluice/internal/store/postgres"
	"sluice/internal/store/sqlite"
	"sluice/internal/tenant"
	"sluice/policy"
)

// clock is the time of a store and of a directory.
type clock struct {
	mu sync.Mutex
	at time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *clock) forward(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at = c.at.Add(d)
}

// engines open a fresh store of each kind.
var engines = map[string]func(t *testing.T, now func() time.Time) ledger.Store{
	"sqlite": func(t *testing.T, now func() time.Time) ledger.Store {
		t.Helper()
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "writeback.db"), now)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
	"postgres": func(t *testing.T, now func() time.Time) ledger.Store {
		t.Helper()
		s, err := postgres.Open(t.Context(), ledgertest.PostgresURL(t), postgres.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = s.Close() })
		return s
	},
}

// house is one installation: a store, its keys, a clock and what was cancelled.
type house struct {
	t         *testing.T
	clock     *clock
	store     ledger.Store
	keys      *secret.Keyring
	cancelled []enforce.Cancellation
	owner     *govern.Service
}

func open(t *testing.T, engine string) *house {
	t.Helper()
	h := &house{t: t, clock: &clock{at: time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)}}
	h.store = engines[engine](t, h.clock.now)
	keys, err := secret.OpenKeyring(filepath.Join(t.TempDir(), "master.key"), true)
	if err != nil {
		t.Fatal(err)
	}
	h.keys = keys
	h.owner = govern.New(govern.Options{Store: h.store, Keys: keys, Caller: tenant.Local("cli"), Version: "test", Approvals: h})
	return h
}

// Cancel implements govern.Canceller.
func (h *house) Cancel(_ context.Context, c enforce.Cancellation) (int, error) {
	h.cancelled = append(h.cancelled, c)
	return 1, nil
}

// both runs a test on each engine.
func both(t *testing.T, test func(t *testing.T, h *house)) {
	t.Helper()
	for name := range engines {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t, name))
		})
	}
}

// As is a member of the default workspace with a token of both scopes.
func (h *house) as(user string, role tenant.Role, flag bool) *govern.Service {
	h.t.Helper()
	h.do(func(ctx context.Context, tx ledger.Tx) error {
		return tx.Tenants().PutMember(ctx, &tenant.Member{Workspace: tenant.Default, User: user, Name: user, Role: role, Policy: flag, CreatedAt: h.clock.now()})
	})
	return h.owner.As(tenant.Caller{
		Type: "token", ID: "tok_" + user, Workspace: tenant.Default, User: user, Role: role, Policy: flag, Scopes: []tenant.Scope{tenant.Read, tenant.Write}, Via: "api",
	})
}

func (h *house) do(fn func(ctx context.Context, tx ledger.Tx) error) {
	h.t.Helper()
	if err := h.store.Do(h.t.Context(), func(tx ledger.Tx) error { return fn(h.t.Context(), tx) }); err != nil {
		h.t.Fatal(err)
	}
}

// server makes a server.
func (h *house) server(name string) {
	h.t.Helper()
	_, err := h.owner.PutServer(h.t.Context(), govern.ServerSpec{Name: name, Text: []byte("url: https://" + name + ".example.com/mcp\n")}, false)
	if err != nil {
		h.t.Fatal(err)
	}
}

// set previews a change and makes it.
func (h *house) set(c govern.PolicyChange) *govern.PolicyView {
	h.t.Helper()
	v, err := h.owner.PreviewPolicy(h.t.Context(), c)
	if err != nil {
		h.t.Fatal(err)
	}
	p, err := h.owner.SetPolicy(h.t.Context(), c, v.Confirm, "")
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// grant makes a grant and returns its token.
func (h *house) grant(n govern.NewGrant) (string, *govern.GrantView) {
	h.t.Helper()
	token, g, err := h.owner.AddGrant(h.t.Context(), n)
	if err != nil {
		h.t.Fatal(err)
	}
	return token, g
}

func (h *house) directory() *govern.Directory {
	h.t.Helper()
	d, err := govern.OpenDirectory(h.t.Context(), govern.DirectoryOptions{Store: h.store, Keys: h.keys, Workspace: tenant.Default, Now: h.clock.now})
	if err != nil {
		h.t.Fatal(err)
	}
	return d
}

func (h *house) refresh(d *govern.Directory) {
	h.t.Helper()
	if err := d.Refresh(h.t.Context()); err != nil {
		h.t.Fatal(err)
	}
}

// records are the audit log, oldest first.
func (h *house) records() (list []string) {
	h.t.Helper()
	err := h.store.View(h.t.Context(), func(tx ledger.Tx) error {
		return tx.Audit().Each(h.t.Context(), 1, func(l audit.Link) error {
			list = append(list, string(l.Body))
			return nil
		})
	})
	if err != nil {
		h.t.Fatal(err)
	}
	return list
}

// refused checks the code of an error.
func refused(t *testing.T, what string, err error, want fault.Code) {
	t.Helper()
	var f *fault.Error
	if !errors.As(err, &f) || f.Code != want {
		t.Errorf("%s: %v, want code %s", what, err, want)
	}
}

const (
	denyAll  = `{"version":"1","default":"deny"}`
	allowAll = `{"version":"1","default":"allow"}`
)

// canonical is a document as it is stored; nil for one that can't be used.
func canonical(text string) []byte {
	d, _ := policy.Parse([]byte(text))
	if d == nil {
		return nil
	}
	return d.Canonical()
}
