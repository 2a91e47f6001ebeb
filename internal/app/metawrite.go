package app

import (
	"context"
	"errors"
	"log/slog"
	"sync"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/graphtool/tool"
	"sluice/internal/ledger"
	"sluice/internal/mcpserver"
	"sluice/internal/registry"
	"sluice/internal/source"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
	"sluice/internal/writetool"
)

// LocalWrites are the write-back tools of a server without accounts. Its one caller owns
// the state directory, which is opened when a tool needs it; --write-back is its switch.
type LocalWrites struct {
	config *config.Config
	on     bool
	log    *slog.Logger

	mu  sync.Mutex
	app *App
}

// NewLocalWrites makes them.
func NewLocalWrites(c *config.Config, on bool, log *slog.Logger) *LocalWrites {
	return &LocalWrites{config: c, on: on, log: log}
}

// Handlers are the tools.
func (w *LocalWrites) Handlers() []tool.Handler {
	return writetool.Handlers(w.open, &tool.Runner{Log: w.log})
}

// Close closes the state directory, if it was opened.
func (w *LocalWrites) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.app == nil {
		return nil
	}
	return w.app.Close()
}

func (w *LocalWrites) open(ctx context.Context, n tenant.Need) (*writetool.Session, error) {
	if !w.on && n.Switch {
		return nil, fault.New(fault.WritebackDisabled, "write-back is switched off in this server").
			WithFix("whoever starts it switches it on: sluice mcp --write-back").WithCommand("sluice", "mcp", "--write-back")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.app == nil {
		a, err := Open(context.WithoutCancel(ctx), w.config, Options{Log: w.log, Via: "mcp", Small: true})
		if err != nil {
			return nil, err
		}
		w.app = a
	}
	caller := localAgent()
	return w.app.writes(caller, w.app.Writeback.As(caller))
}

// localAgent is who calls a server without accounts: it may do what the owner of the state
// directory may, but is no person. What a policy wants of agents holds for it, and whoever
// is at the machine can approve what it proposed.
func localAgent() tenant.Caller {
	caller := tenant.Local("mcp")
	caller.ID, caller.User, caller.Agent = "mcp", "", true
	return caller
}

// writes is the engine for a caller who passed the gates.
func (a *App) writes(caller tenant.Caller, s *writeback.Service) (*writetool.Session, error) {
	realm, err := a.Realm()
	if err != nil {
		return nil, err
	}
	return &writetool.Session{
		Service: s, Caller: caller, Realm: realm,
		Source: func(ctx context.Context, name string, o source.Options) (source.Reader, error) {
			return a.named(ctx, s, name, o)
		},
		Connected: func(ctx context.Context, to writeback.Target) error {
			k, err := s.Connection(ctx, to)
			if err != nil {
				return err
			}
			return tenant.Permit(caller, tenant.Need{Connection: true}, tenant.Facts{Connection: k})
		},
	}, nil
}

// grantedWrites gives the engine to the grant that calls: it acts for the member it was
// made for, as an agent, in the workspace of its server.
func (a *App) grantedWrites(ctx context.Context, n tenant.Need) (*writetool.Session, error) {
	var caller tenant.Caller
	var facts tenant.Facts
	err := a.store.View(ctx, func(tx ledger.Tx) error {
		g, err := tx.Registry().Grant(ctx, mcpserver.CallerOf(ctx))
		if err != nil {
			return err
		}
		if facts.Workspace, err = tx.Tenants().Workspace(ctx, g.Workspace); err != nil {
			return err
		}
		caller, err = actsFor(ctx, tx, g)
		return err
	})
	if err != nil {
		return nil, fault.New(fault.RoleRequired, "the grant acts for no member of the workspace").
			WithFix("make one with `sluice grant add … --user MEMBER`").Wrap(err)
	}
	if err := tenant.Permit(caller, n, facts); err != nil {
		return nil, err
	}
	s, err := a.writes(caller, a.Writeback.As(caller))
	if err != nil {
		return nil, err
	}
	s.Owns = func(ctx context.Context, profile string) error {
		err := a.store.View(ctx, func(tx ledger.Tx) error {
			p, err := tx.Tenants().Profile(ctx, profile)
			if err == nil && p.Workspace != caller.Workspace {
				err = ledger.ErrNotFound
			}
			return err
		})
		if errors.Is(err, ledger.ErrNotFound) {
			return fault.New(fault.NotFound, "there is no profile of that name in this workspace").WithFix("name another profile_id, or leave it out")
		}
		return err
	}
	return s, nil
}

func actsFor(ctx context.Context, tx ledger.Tx, g *registry.Grant) (tenant.Caller, error) {
	user := g.User
	if user == "" {
		user = g.CreatedBy
	}
	caller := tenant.Caller{Type: "grant", ID: g.ID, Workspace: g.Workspace, User: user, Agent: true, Via: "mcp"}
	for _, s := range g.Scopes {
		caller.Scopes = append(caller.Scopes, tenant.Scope(s))
	}
	if len(g.Scopes) == 0 {
		caller.Scopes = []tenant.Scope{tenant.Read, tenant.Write}
	}
	m, err := tx.Tenants().Member(ctx, g.Workspace, user)
	if err != nil {
		return caller, err
	}
	caller.Role = m.Role
	return caller, nil
}
