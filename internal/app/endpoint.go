package app

import (
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/gateway"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/graphtool/tool"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/registry"
	"sluice/internal/writetool"
)

// endpoint is one server as the gateway serves it.
type endpoint struct {
	record   *registry.Server
	name     string // in metrics, logs and calls
	built    string // what it was built from: one that differs is built anew
	upstream exchange.Upstream
	face     *httpserve.Handler // nil: it could not be built
	closer   io.Closer          // beside the upstream
	broken   error              // why it could not be built
}

func (e *endpoint) close(ctx context.Context) error {
	var errs []error
	if e.upstream != nil {
		errs = append(errs, e.upstream.Close(ctx))
	}
	if e.closer != nil {
		errs = append(errs, e.closer.Close())
	}
	return errors.Join(errs...)
}

// endpoints are all that are served at one time.
type endpoints struct {
	all       []*endpoint
	workspace string
}

// at is the endpoint at a path: /mcp/NAME in the gateway's workspace, /mcp/ID in any,
// /mcp for the aggregate.
func (l *endpoints) at(path string) *endpoint {
	key, ok := strings.CutPrefix(path, "/mcp/")
	if path == "/mcp" {
		key, ok = AggregateServer, true
	}
	if !ok {
		return nil
	}
	key = strings.TrimSuffix(key, "/")
	for _, e := range l.all {
		if e.record.ID == key || e.record.Name == key && e.record.Workspace == l.workspace {
			return e
		}
	}
	return nil
}

func (l *endpoints) byID(id string) *endpoint {
	for _, e := range l.all {
		if e.record.ID == id {
			return e
		}
	}
	return nil
}

// apart are the aggregates and the rest.
func (l *endpoints) apart() (aggregates, servers []*endpoint) {
	for _, e := range l.all {
		if len(e.record.Members) > 0 {
			aggregates = append(aggregates, e)
		} else {
			servers = append(servers, e)
		}
	}
	return aggregates, servers
}

// refresh makes the endpoints those of the registry. What did not change goes on with
// its connections and sessions; what did is drained in the background.
func (g *Gateway) refresh() {
	g.building.Lock()
	defer g.building.Unlock()
	if g.closed {
		return
	}
	old := g.ends.Load()
	next := &endpoints{workspace: g.app.Config.MCP.Workspace()}
	records := g.directory.Servers()
	// Aggregates last: they stand on the others.
	slices.SortStableFunc(records, func(a, b *registry.Server) int { return min(len(a.Members), 1) - min(len(b.Members), 1) })
	for _, r := range records {
		built := builtFrom(r, next)
		if e := old.byID(r.ID); e != nil && e.built == built {
			kept := *e
			kept.record = r
			next.all = append(next.all, &kept)
			continue
		}
		e := g.build(r, next)
		e.built = built
		next.all = append(next.all, e)
	}
	g.ends.Store(next)
	for _, e := range old.all {
		if kept := next.byID(e.record.ID); kept == nil || kept.upstream != e.upstream {
			g.retire(e)
		}
	}
}

// builtFrom is what decides whether an endpoint can stay.
func builtFrom(r *registry.Server, standing *endpoints) string {
	text := r.Name + "\n" + string(r.Spec)
	for _, m := range r.Members {
		text += "\n" + m.Server + " " + m.Prefix
		if e := standing.member(r, m); e != nil {
			text += " " + e.record.ID + " " + e.built
		}
	}
	return text
}

func (l *endpoints) member(r *registry.Server, m registry.Member) *endpoint {
	for _, e := range l.all {
		if e.record.Name == m.Server && e.record.Workspace == r.Workspace {
			return e
		}
	}
	return nil
}

// retire lets calls under way finish and closes what is not served any more.
func (g *Gateway) retire(e *endpoint) {
	g.retiring.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), closeGrace)
		defer cancel()
		if e.face != nil {
			_ = e.face.Shutdown(ctx)
		}
		if err := e.close(ctx); err != nil {
			g.o.Log.Warn("a server that is not served any more did not end in order", "server", e.name, "error", err)
		}
	})
}

// build makes the endpoint of a server. One that can't be built is there without a face.
func (g *Gateway) build(r *registry.Server, standing *endpoints) *endpoint {
	e := &endpoint{record: r, name: r.Name}
	if r.Workspace != g.app.Config.MCP.Workspace() {
		e.name = r.ID
	}
	if len(r.Members) > 0 {
		e.broken = g.buildAggregate(e, standing)
	} else {
		e.broken = g.buildServer(e)
	}
	if e.broken != nil {
		g.o.Log.Error("a server can't be served the way it is configured", "server", e.name, "error", e.broken)
		return e
	}
	e.face = httpserve.New(httpserve.Options{
		Upstream: e.upstream, Server: e.name, Authenticate: g.callers.of(r.ID, g.path(r)), Log: g.o.Log,
		Sealer: g.app.keys, Siblings: Engine(g.app.Config) == EnginePostgres,
		AllowedHosts: slices.Concat(g.o.Hosts, g.app.Config.MCP.AllowedHosts), AllowedOrigins: g.app.Config.MCP.AllowedOrigins,
	})
	return e
}

// path is the one that clients are told, which is the resource of their tokens.
func (g *Gateway) path(r *registry.Server) string {
	switch {
	case r.Workspace != g.app.Config.MCP.Workspace():
		return "/mcp/" + r.ID
	case r.Name == AggregateServer:
		return "/mcp"
	default:
		return "/mcp/" + r.Name
	}
}

func (g *Gateway) buildServer(e *endpoint) (err error) {
	s, err := config.ServerOf(e.record)
	if err != nil {
		return err
	}
	spec, closer, err := serverSpec(g.app.Config, e.name, s, g.consents, nil, g.o.Log)
	e.closer = closer
	if err != nil {
		return err
	}
	if s.Builtin != "" {
		spec.Local = func() (exchange.Upstream, error) { return g.meta(e, s) }
	}
	spec.Metrics, spec.Tracer = g.metrics, g.o.Tracer
	spec.Interceptor = gateway.Bound(gateway.Bounds{Calls: s.MaxCalls})
	spec.Wrap = g.pipeline(e).Wrap
	if e.upstream, err = Upstream(spec); err != nil {
		return fault.New(fault.Usage, "server %s: %v", e.name, err).WithFix("see docs/gateway.md")
	}
	return nil
}

// meta is the built-in server for Meta's platform, for grants. It works with this
// installation's own credentials, so that it belongs to its workspace only.
func (g *Gateway) meta(e *endpoint, s *config.MCPServer) (exchange.Upstream, error) {
	if e.record.Workspace != g.app.Config.MCP.Workspace() {
		return nil, fault.New(fault.Usage, "the built-in server works with the credentials of this installation, which belong to another workspace").
			WithFix("serve it in the workspace that `mcp.workspace` names")
	}
	return Meta(context.Background(), g.app.Config, MetaOptions{
		Sets: s.Sets, Always: writetool.Handlers(g.app.grantedWrites, &tool.Runner{Log: g.o.Log}), Log: g.o.Log,
	})
}

// pipeline stands around the upstream of one endpoint.
func (g *Gateway) pipeline(e *endpoint) *pipeline.Pipeline {
	return pipeline.New(pipeline.Options{
		Directory: &subjects{directory: g.directory, server: e.record.ID}, Store: g.store, Keys: g.app.keys, Server: e.name,
		Link: g.link, Notify: g.approvals.Notify, Now: g.app.now, Metrics: g.decisions, Log: g.o.Log,
	})
}

func (g *Gateway) buildAggregate(e *endpoint, standing *endpoints) error {
	var members []gateway.Member
	for _, m := range e.record.Members {
		member := standing.member(e.record, m)
		if member == nil || member.upstream == nil {
			g.o.Log.Warn("a member of an aggregate can't be reached", "aggregate", e.name, "member", m.Server)
			continue
		}
		members = append(members, gateway.Member{Name: m.Server, Prefix: m.Prefix, Upstream: shared{member.upstream}})
	}
	up, err := gateway.Aggregate(members, gateway.AggregateOptions{Name: "sluice", Version: Version(), Log: g.o.Log})
	if err != nil {
		return fault.New(fault.Usage, "aggregate %s: %v", e.name, err).WithFix("see docs/gateway.md")
	}
	up = g.pipeline(e).Wrap(up)
	e.upstream = gateway.Observe(up, gateway.Observation{Server: aggregateName, Metrics: g.metrics, Tracer: g.o.Tracer})
	return nil
}

// shared is an upstream that somebody else closes.
type shared struct{ exchange.Upstream }

func (shared) Close(context.Context) error { return nil }
