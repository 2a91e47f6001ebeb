package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"sluice/internal/approve"
	"sluice/internal/auth"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// approvals is the one service of a process: what the API, the page and the pipeline ask
// it to tell goes through one queue.
type approvals struct {
	mu      sync.Mutex
	service *approve.Service
	base    atomic.Pointer[string] // where people reach the pages; nil: mcp.public_url says
}

// reached says where people reach the pages of this process.
func (p *approvals) reached(base string) { p.base.Store(&base) }

// Approve returns the approvals and calls of the gateway, for whoever holds the state
// directory; As makes it another caller's.
func (a *App) Approve(ctx context.Context) (*approve.Service, error) {
	a.approvals.mu.Lock()
	defer a.approvals.mu.Unlock()
	if a.approvals.service != nil {
		return a.approvals.service, nil
	}
	store, err := a.Enforce(ctx)
	if err != nil {
		return nil, err
	}
	opener := func(purpose string) func([]byte) ([]byte, error) {
		return func(sealed []byte) ([]byte, error) { return a.keys.Open(sealed, purpose) }
	}
	a.approvals.service = approve.New(approve.Options{
		Store: store, Ledger: a.store, Keys: a.keys, Caller: tenant.Local("cli"), Open: opener(enforce.SealParked), OpenCall: opener(enforce.SealRecorded),
		Place: a.place, GrantName: a.grantName, ActsFor: a.actsFor, Over: a.over, Charges: a.headroom, Link: a.approvalLink, Private: a.Config.MCP.PrivateWebhooks, Version: Version(), Log: a.log,
		Variable: func(name string) (string, bool) { v := a.Config.Env(name); return v, v != "" },
	})
	return a.approvals.service, nil
}

// refusals counts tokens that one face of the server refused; op names its records.
func (a *App) refusals(op string, log *slog.Logger) *auth.Refusals {
	return auth.NewRefusals(auth.RefusalOptions{Store: a.store, Keys: a.keys, Op: op, Version: Version(), Now: a.now, Log: log})
}

// FlushCalls brings what the gateway recorded last into the audit log, for somebody who
// reads the log next. A database has it there already, and where no call was ever made
// there is nothing to bring.
func (a *App) FlushCalls(ctx context.Context) error {
	if a.Config.DatabaseURL != "" {
		return nil
	}
	if _, err := os.Stat(filepath.Join(a.Config.StateDir, "gateway")); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	store, err := a.Enforce(ctx)
	if err != nil {
		return err
	}
	return store.Flush(ctx)
}

// place is a server by its id, or by its name where there are no records of servers.
func (a *App) place(ctx context.Context, workspace, server string) (p approve.Place, err error) {
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		s, err := tx.Registry().Server(ctx, server)
		if errors.Is(err, ledger.ErrNotFound) {
			s, err = tx.Registry().ServerNamed(ctx, workspace, server)
		}
		if err == nil {
			p = approve.Place{Name: s.Name, Approvals: s.Settings.Approvals}
		}
		return err
	})
	// A file that was only found says nothing of who is told: it could run any program.
	if s, known := a.Config.MCP.Servers[server]; errors.Is(err, ledger.ErrNotFound) && known && a.Config.MayServe() == nil {
		return approve.Place{Name: server, Approvals: s.Approvals}, nil
	}
	return p, err
}

// grantName is how people call a grant.
func (a *App) grantName(ctx context.Context, id string) (name string, err error) {
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		g, err := tx.Registry().Grant(ctx, id)
		if err == nil {
			name = g.Name
		}
		return err
	})
	return name, err
}

// over reports whether the grant or the server of an approval has ended. What has no
// record, as with a relay, has no end.
func (a *App) over(ctx context.Context, approval *enforce.Approval) (over bool, err error) {
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		g, err := tx.Registry().Grant(ctx, approval.Grant)
		if err == nil && !g.Live(tx.Now()) {
			over = true
			return nil
		}
		if err != nil && !errors.Is(err, ledger.ErrNotFound) {
			return err
		}
		s, err := tx.Registry().Server(ctx, approval.Server)
		if errors.Is(err, ledger.ErrNotFound) {
			return nil
		}
		over = err == nil && !s.DeletedAt.IsZero()
		return err
	})
	return over, err
}

// actsFor is the member that a grant acts for. One that is not in the registry, as that of
// a relay is not, acts for nobody.
func (a *App) actsFor(ctx context.Context, grant string) (user string, err error) {
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		g, err := tx.Registry().Grant(ctx, grant)
		if err == nil {
			user = g.User
		}
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		err = nil
	}
	return user, err
}

// approvalLink leads to the page of one approval, where people can reach this server.
func (a *App) approvalLink(id string) string {
	base := a.Config.MCP.PublicURL
	if at := a.approvals.base.Load(); at != nil {
		base = *at
	}
	if base == "" {
		return ""
	}
	return strings.TrimSuffix(base, "/") + approve.PagePath + id
}

// Named replaces names of a server and a grant by their ids, as calls are recorded under
// them. Ids, and names without a record, stay as they are; a grant's name that several
// servers have needs the server beside it.
func (a *App) Named(ctx context.Context, workspace, server, grant string) (serverID, grantID string, err error) {
	serverID, grantID = server, grant
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		if server != "" && !strings.HasPrefix(server, "srv_") {
			switch s, err := tx.Registry().ServerNamed(ctx, workspace, server); {
			case err == nil:
				serverID = s.ID
			case !errors.Is(err, ledger.ErrNotFound):
				return err
			}
		}
		if grant == "" || strings.HasPrefix(grant, "grt_") || grant == LocalGrant {
			return nil
		}
		all, err := tx.Registry().Grants(ctx, workspace)
		if err != nil {
			return err
		}
		all = slices.DeleteFunc(all, func(g registry.Grant) bool {
			return g.Name != grant || serverID != "" && g.Server != serverID
		})
		switch live := slices.DeleteFunc(slices.Clone(all), func(g registry.Grant) bool { return !g.Live(tx.Now()) }); {
		case len(live) == 1:
			grantID = live[0].ID
		case len(all) == 1:
			grantID = all[0].ID
		case len(all) == 0:
			return fault.New(fault.NotFound, "there is no grant %s in this workspace", grant).WithFix("see `sluice grant list`")
		default:
			return fault.New(fault.Usage, "several grants are named %s", grant).WithFix("name its server as well, or its id: see `sluice grant list`")
		}
		return nil
	})
	return serverID, grantID, err
}
