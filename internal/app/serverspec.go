package app

import (
	"context"
	"io"
	"log/slog"

	"go.opentelemetry.io/otel/trace"

	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/stdiodial"
)

// aggregateName is how the endpoint of several servers is called in metrics and logs.
const aggregateName = "(aggregate)"

// ServerSpec is how a configured server is reached. What it returns beside is to be
// closed with the upstream; it may be nil.
func ServerSpec(c *config.Config, name string, consents *credential.Consents, open func(string) error, log *slog.Logger) (UpstreamSpec, io.Closer, error) {
	s, ok := c.MCP.Servers[name]
	if !ok {
		return UpstreamSpec{}, nil, fault.New(fault.NotFound, "there is no MCP server %q in the configuration", name).WithFix("`mcp.servers` of sluice.yaml names them")
	}
	return serverSpec(c, name, &s, consents, open, log)
}

// serverSpec is the same for a server from wherever it is described.
func serverSpec(c *config.Config, name string, s *config.MCPServer, consents *credential.Consents, open func(string) error, log *slog.Logger) (UpstreamSpec, io.Closer, error) {
	spec := UpstreamSpec{
		Name: name, URL: s.URL, Command: s.Command, Env: c.Environment(s), Dir: s.Dir, Shared: s.Shared,
		Isolation: stdiodial.Isolation(s.Isolation), AllowPrivate: s.AllowPrivate, Timeout: duration(s.Timeout),
		Era: map[string]mcpwire.Era{"legacy": mcpwire.Legacy, "modern": mcpwire.Modern}[s.Era],
		Log: log,
	}
	if s.Builtin != "" {
		spec.Local = func() (exchange.Upstream, error) {
			return Meta(context.Background(), c, MetaOptions{Sets: s.Sets, Always: NewLocalWrites(c, false, log).Handlers(), Log: log})
		}
		return spec, nil, nil
	}
	if len(s.Command) > 0 {
		spec.Protect = ProtectedPaths(c)
		return spec, nil, nil
	}
	u := UpstreamCredential{
		Server: name, URL: s.URL, Headers: s.Headers, OAuth: s.OAuth, AllowPrivate: s.AllowPrivate,
		Store: CredentialStore(c), Open: open, Getenv: c.Env, Log: log,
	}
	if s.OAuth != nil && s.OAuth.PerUser {
		u.Consents = consents
	}
	var err error
	spec.Credential, err = NewCredential(u)
	closer, _ := spec.Credential.(io.Closer)
	return spec, closer, err
}

// around puts what every upstream of a process has in front of it.
func (s *UpstreamSpec) around(up, transport exchange.Upstream) exchange.Upstream {
	up = gateway.Intercept(up, s.Interceptor)
	if s.Wrap != nil {
		up = s.Wrap(up)
	}
	seen := gateway.Observation{Server: s.Name, Metrics: s.Metrics, Tracer: s.Tracer}
	if d, ok := transport.(interface{ Children() int }); ok {
		seen.Children = d.Children
	}
	return gateway.Observe(up, seen)
}

// Observed puts traces around an upstream of this process.
func Observed(up exchange.Upstream, name string, tracer trace.Tracer) exchange.Upstream {
	return gateway.Observe(up, gateway.Observation{Server: name, Tracer: tracer})
}
