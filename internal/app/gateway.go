package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/trace"

	"sluice/internal/approve"
	"sluice/internal/bearer"
	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/enforce"
	"sluice/internal/gateway"
	"sluice/internal/gateway/pipeline"
	"sluice/internal/govern"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/obs"
)

// Gateway serves MCP servers: each at /mcp/{server}, and the members of the aggregate
// as one at /mcp. Which there are and who may call them is in the registry, and is
// followed while it changes.
type Gateway struct {
	app       *App
	o         GatewayOptions
	directory *govern.Directory
	store     enforce.Store
	callers   *callers
	consents  *credential.Consents
	approvals *approve.Service
	page      http.Handler // of approvals
	nobody    http.Handler // of servers that are not there
	metrics   *gateway.Metrics
	decisions *pipeline.Metrics

	ends atomic.Pointer[endpoints]
	// building is held while ends is replaced.
	building sync.Mutex
	closed   bool
	retiring sync.WaitGroup
}

// GatewayOptions is how a gateway runs.
type GatewayOptions struct {
	Hosts   []string // host names besides loopback's under which it is called
	Address string   // http://HOST:PORT of the listener, where public_url says nothing
	Tracer  trace.Tracer
	Log     *slog.Logger
}

// Gateway opens the gateway of this state directory. Servers of the configuration are
// brought into the registry first.
func (a *App) Gateway(ctx context.Context, o GatewayOptions) (g *Gateway, err error) {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if err := a.SyncServers(ctx, true); err != nil {
		return nil, err
	}
	store, err := a.Enforce(ctx)
	if err != nil {
		return nil, err
	}
	g = &Gateway{app: a, o: o, store: store, metrics: gateway.NewMetrics(), decisions: pipeline.NewMetrics()}
	g.ends.Store(&endpoints{})
	g.directory, err = govern.OpenDirectory(ctx, govern.DirectoryOptions{
		Store: a.store, Keys: a.keys, Workspace: a.Config.MCP.Workspace(), Now: a.now, Log: o.Log,
	})
	if err != nil {
		return nil, err
	}
	a.following.Store(g.directory)
	if g.approvals, err = a.Approve(ctx); err != nil {
		return nil, err
	}
	if g.consents, err = credential.NewConsents(credential.ConsentOptions{PublicURL: g.base(), Now: a.now}); err != nil {
		return nil, err
	}
	g.callers = a.callers(g.directory, g.base(), o.Log)
	a.approvals.reached(g.base())
	g.page = g.approvals.Page(approve.PageOptions{
		Resolve: a.Auth.Resolve, Hosts: slices.Concat(a.Config.MCP.AllowedHosts, o.Hosts), Public: a.Config.MCP.PublicURL,
		Limit: a.refusals("web.refused", o.Log), // its own: an agent with an old token must not keep people from deciding
	})
	for _, name := range a.Config.MCP.Names() {
		for _, m := range a.Config.MissingSecrets(name) {
			o.Log.Warn("a configured secret of a server is missing", "server", name, "for", m.For, "looked_for", m.Place())
		}
	}
	g.nobody = httpserve.New(httpserve.Options{
		Upstream: shared{}, Authenticate: g.unknown, AllowedHosts: slices.Concat(o.Hosts, a.Config.MCP.AllowedHosts), AllowedOrigins: a.Config.MCP.AllowedOrigins,
	})
	g.refresh()
	// What its own file says wrongly, a server that starts refuses; a server that somebody
	// added elsewhere must not keep the others from being served.
	for _, e := range g.ends.Load().all {
		if _, mine := a.Config.MCP.Servers[e.name]; mine && e.broken != nil {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
			defer cancel()
			return nil, errors.Join(e.broken, g.Close(ctx))
		}
	}
	return g, nil
}

// callers builds what says who sends.
func (a *App) callers(d *govern.Directory, base string, log *slog.Logger) *callers {
	k := &callers{directory: d, base: base, issuers: map[string]config.MCPBearer{}}
	k.refusals = a.refusals("gateway.refused", log)
	var issuers []bearer.Issuer
	for _, b := range a.Config.MCP.Bearer {
		issuers = append(issuers, bearer.Issuer{URL: b.Issuer, JWKS: b.JWKS, Audience: b.Audience})
		k.issuers[b.Issuer] = b
	}
	k.bearer = bearer.New(bearer.Options{Issuers: issuers, Now: a.now})
	return k
}

// base is where clients and their people reach this server.
func (g *Gateway) base() string {
	if public := g.app.Config.MCP.PublicURL; public != "" {
		return strings.TrimSuffix(public, "/")
	}
	return g.o.Address
}

// link is the page of one approval.
func (g *Gateway) link(id string) string { return g.base() + approve.PagePath + id }

// Run follows the registry and keeps approvals, until the context ends.
func (g *Gateway) Run(ctx context.Context) {
	var wg sync.WaitGroup
	wg.Go(func() { g.directory.Run(ctx) })
	wg.Go(func() {
		if err := g.approvals.Run(ctx); err != nil && ctx.Err() == nil {
			g.o.Log.Error("approvals are not looked after any more", "error", err)
		}
	})
	wg.Go(func() {
		for {
			changed := g.directory.Changed()
			g.refresh()
			select {
			case <-ctx.Done():
				return
			case <-changed:
			}
		}
	})
	wg.Wait()
}

// Serves reports whether a path is the gateway's.
func (g *Gateway) Serves(path string) bool {
	if g == nil {
		return false
	}
	for _, mine := range []string{"/mcp", bearer.MetadataPath, strings.TrimSuffix(approve.PagePath, "/"), strings.TrimSuffix(credential.ConsentPath, "/")} {
		if path == mine || strings.HasPrefix(path, mine+"/") {
			return true
		}
	}
	return false
}

// ServeHTTP serves what Serves names.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	switch {
	case strings.HasPrefix(path, credential.ConsentPath):
		g.consents.ServeHTTP(w, r)
	case strings.HasPrefix(path, approve.PagePath):
		g.page.ServeHTTP(w, r)
	case strings.HasPrefix(path, bearer.MetadataPath):
		g.callers.bearer.ServeMetadata(w, r, g.base(), func(path string) bool { return g.ends.Load().at(path) != nil })
	default:
		g.serveMCP(w, r)
	}
}

func (g *Gateway) serveMCP(w http.ResponseWriter, r *http.Request) {
	e := g.ends.Load().at(r.URL.Path)
	if e == nil || e.face == nil {
		g.nobody.ServeHTTP(w, r)
		return
	}
	if r.Method == http.MethodGet { // a stream may outlive the time that a request has to come in
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	e.face.ServeHTTP(w, r)
}

// unknown lets nobody in to a server that is not there, or can't be reached the way it is
// configured: its face answers as one that is there answers a token that is not its own.
// Who holds no token of a server must not learn which there are.
func (g *Gateway) unknown(r *http.Request) (exchange.Caller, error) {
	server := ""
	if broken := g.ends.Load().at(r.URL.Path); broken != nil {
		server = broken.record.ID
	}
	_, err := g.callers.of(server, r.URL.Path)(r)
	if err == nil {
		err = &exchange.Error{Code: exchange.Unreachable, Message: "the server can't be reached the way it is configured", Fix: "the gateway's log says why; `sluice server check` too"}
	}
	return exchange.Caller{}, err
}

// Families are the gateway's metrics.
func (g *Gateway) Families() []obs.Family {
	if g == nil {
		return nil
	}
	streams := obs.Family{Name: "mcp_streams", Help: "open streams of clients: GET and subscriptions", Kind: obs.Gauge}
	refused := obs.Family{Name: "mcp_refused_total", Help: "requests refused before any server saw them", Kind: obs.Counter}
	for _, e := range g.ends.Load().all {
		if e.face != nil {
			s := e.face.Stats()
			streams.Add(float64(s.Streams), "server", e.name)
			refused.Add(float64(s.Refused), "server", e.name)
		}
	}
	return append(append(g.metrics.Families(), g.decisions.Families()...), streams, refused)
}

// Drain takes no new calls, ends streams in order, lets calls under way finish until
// ctx ends and closes the sessions.
func (g *Gateway) Drain(ctx context.Context) {
	if g == nil {
		return
	}
	g.building.Lock()
	g.closed = true
	g.building.Unlock()
	var wg sync.WaitGroup
	for _, e := range g.ends.Load().all {
		if e.face != nil {
			wg.Go(func() {
				if e.face.Shutdown(ctx) != nil {
					g.o.Log.Warn("calls under way were cancelled at the end", "server", e.name)
				}
			})
		}
	}
	wg.Wait()
}

// Close ends connections and child processes.
func (g *Gateway) Close(ctx context.Context) error {
	if g == nil {
		return nil
	}
	g.building.Lock()
	g.closed = true
	ends := g.ends.Load()
	g.building.Unlock()
	var mu sync.Mutex
	var errs []error
	closing := func(list []*endpoint) {
		var wg sync.WaitGroup
		for _, e := range list {
			wg.Go(func() {
				err := e.close(ctx)
				mu.Lock()
				defer mu.Unlock()
				errs = append(errs, err)
			})
		}
		wg.Wait()
	}
	aggregates, servers := ends.apart()
	closing(aggregates) // before what they stand on
	closing(servers)
	g.retiring.Wait()
	return errors.Join(errs...)
}
