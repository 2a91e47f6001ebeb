package app

import (
	"context"
	"slices"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/govern"
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

// SyncServers brings the servers of the configuration into the registry. With remove,
// those that stood in it once and don't any more are taken out: that is for a server
// that starts, not for a command that happens to see another file.
func (a *App) SyncServers(ctx context.Context, remove bool) error {
	if len(a.Config.MCP.Servers) > 0 {
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
	return a.Govern.As(program).SyncServers(ctx, slices.Clip(all), remove)
}
