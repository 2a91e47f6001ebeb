package app

import (
	"context"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// AggregateServer is the name that the endpoint of several servers has in the registry:
// its grants call at /mcp.
const AggregateServer = "aggregate"

// Configured lists the servers of a configuration as the registry keeps them.
func Configured(c *config.Config) ([]govern.Configured, error) {
	var all []govern.Configured
	for _, name := range c.MCP.Names() {
		s := c.MCP.Servers[name]
		spec, err := s.Spec()
		if err != nil {
			return nil, err
		}
		all = append(all, govern.Configured{Name: name, Spec: spec, Settings: s.Settings()})
	}
	if len(c.MCP.Aggregate) == 0 {
		return all, nil
	}
	if _, is := c.MCP.Servers[AggregateServer]; is {
		return nil, fault.New(fault.Usage, "mcp.servers.%s: the name is that of mcp.aggregate", AggregateServer).WithFix("give the server another name")
	}
	var members []registry.Member
	for _, name := range c.MCP.Aggregate {
		members = append(members, registry.Member{Server: name, Prefix: c.MCP.PrefixOf(name)})
	}
	return append(all, govern.Configured{Name: AggregateServer, Members: members}), nil
}

// SyncServers brings the servers of the configuration into the registry: with whole as
// the file has them, which is for a server that starts; else those that it never had,
// which is for a command that may see any file.
func (a *App) SyncServers(ctx context.Context, whole bool) error {
	if whole || len(a.Config.MCP.Servers) > 0 {
		if err := a.Config.MayServe(); err != nil {
			return err
		}
	}
	all, err := Configured(a.Config)
	if err != nil {
		return err
	}
	program := tenant.Local("config")
	program.Workspace = a.Config.MCP.Workspace()
	return a.Govern.As(program).SyncServers(ctx, slices.Clip(all), whole)
}

// HasState reports whether there is a ledger to open.
func HasState(c *config.Config) bool {
	_, err := os.Stat(filepath.Join(c.StateDir, "writeback.db"))
	return c.DatabaseURL != "" || !errors.Is(err, fs.ErrNotExist)
}

// Path is where clients reach a server.
func (s *ServerStatus) Path() string {
	if s.Kind == "aggregate" && s.ManagedBy == "config" {
		return "/mcp"
	}
	return "/mcp/" + s.Name
}

// OtherServers lists the servers of the gateway's workspace that don't stand in the
// configuration.
func (a *App) OtherServers(ctx context.Context) (list []ServerStatus, err error) {
	var all []registry.Server
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		all, err = tx.Registry().Servers(ctx, a.Config.MCP.Workspace())
		return err
	})
	for i := range all {
		r := &all[i]
		if _, is := a.Config.MCP.Servers[r.Name]; is || r.ManagedBy == "config" {
			continue
		}
		out := ServerStatus{Name: r.Name, ID: r.ID, ManagedBy: r.ManagedBy, Kind: "aggregate"}
		for _, m := range r.Members {
			out.Target = strings.TrimPrefix(out.Target+", "+m.Server, ", ")
		}
		if s, err := config.ServerOf(r); err == nil && len(r.Members) == 0 {
			out.Kind, out.Target = "command", commandLine(s.Command)
			if u, err := url.Parse(s.URL); err == nil && s.URL != "" {
				out.Kind, out.Target = "url", u.Scheme+"://"+u.Host+u.Path
			}
		}
		list = append(list, out)
	}
	return list, err
}

// AddRegistered adds the servers of the gateway's workspace that don't stand in a
// configuration to it, for commands that ask servers or sign in to them.
func (a *App) AddRegistered(ctx context.Context, into *config.Config) error {
	return a.store.View(ctx, func(tx ledger.Tx) error {
		all, err := tx.Registry().Servers(ctx, into.MCP.Workspace())
		for i := range all {
			r := &all[i]
			if _, is := into.MCP.Servers[r.Name]; is || r.ManagedBy == "config" || len(r.Members) > 0 {
				continue
			}
			if s, err := config.ServerOf(r); err == nil {
				if into.MCP.Servers == nil {
					into.MCP.Servers = map[string]config.MCPServer{}
				}
				into.MCP.Servers[r.Name] = *s
			}
		}
		return err
	})
}
