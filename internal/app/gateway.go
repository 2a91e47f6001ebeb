package app

import (
	"context"
	"crypto/sha256"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"go.opentelemetry.io/otel/trace"

	"sluice/internal/config"
	"sluice/internal/credential"
	"sluice/internal/fault"
	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/mcpwire/stdiodial"
	"sluice/internal/obs"
	"sluice/internal/tenant"
)

// aggregateName is how the endpoint of several servers is called in metrics and logs.
const aggregateName = "(aggregate)"

// Gateway serves the configured MCP servers: each at /mcp/{server}, and the members of
// the aggregate as one at /mcp.
type Gateway struct {
	faces     map[string]*httpserve.Handler // by server; the aggregate's is ""
	upstreams map[string]exchange.Upstream
	aggregate exchange.Upstream // nil: none
	closers   []io.Closer
	consents  *credential.Consents
	callers   *callers
	metrics   *gateway.Metrics
	log       *slog.Logger
}

// GatewayOptions is how a gateway runs.
type GatewayOptions struct {
	Hosts   []string // host names besides loopback's under which it is called
	Address string   // http://HOST:PORT of the listener, where public_url says nothing
	Tracer  trace.Tracer
	Log     *slog.Logger
}

// Gateway builds the gateway of the configuration; nil when it names no servers.
func (a *App) Gateway(o GatewayOptions) (g *Gateway, err error) {
	c := a.Config
	if len(c.MCP.Servers) == 0 {
		return nil, nil
	}
	if err := c.MayServe(); err != nil {
		return nil, err
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	g = &Gateway{
		faces: map[string]*httpserve.Handler{}, upstreams: map[string]exchange.Upstream{}, metrics: gateway.NewMetrics(), log: o.Log,
		callers: newCallers(a.Auth.Resolve, c.MCP.Workspace()),
	}
	defer func() {
		if err != nil {
			_ = g.Close(context.Background())
			g = nil
		}
	}()
	if g.consents, err = a.consents(o.Address); err != nil {
		return g, err
	}
	for _, name := range c.MCP.Names() {
		for _, m := range c.MissingSecrets(name) {
			o.Log.Warn("a configured secret of a server is missing", "server", name, "for", m.For, "looked_for", m.Place())
		}
		if err := a.addServer(g, name, o); err != nil {
			return g, err
		}
	}
	return g, a.addAggregate(g, o)
}

// consents are the pages for those servers that every user agrees to alone.
func (a *App) consents(address string) (*credential.Consents, error) {
	needed := false
	for _, s := range a.Config.MCP.Servers {
		needed = needed || s.OAuth != nil && s.OAuth.PerUser
	}
	if !needed {
		return nil, nil
	}
	public := a.Config.MCP.PublicURL
	if public == "" {
		public = address
	}
	return credential.NewConsents(credential.ConsentOptions{PublicURL: public, Now: a.now})
}

// ServerSpec is how a configured server is reached. What it returns beside is to be
// closed with the upstream; it may be nil.
func ServerSpec(c *config.Config, name string, consents *credential.Consents, open func(string) error, log *slog.Logger) (UpstreamSpec, io.Closer, error) {
	s, ok := c.MCP.Servers[name]
	if !ok {
		return UpstreamSpec{}, nil, fault.New(fault.NotFound, "there is no MCP server %q in the configuration", name).WithFix("`mcp.servers` of sluice.yaml names them")
	}
	spec := UpstreamSpec{
		Name: name, URL: s.URL, Command: s.Command, Env: c.Environment(&s), Dir: s.Dir, Shared: s.Shared,
		Isolation: stdiodial.Isolation(s.Isolation), AllowPrivate: s.AllowPrivate, Timeout: duration(s.Timeout),
		Era: map[string]mcpwire.Era{"legacy": mcpwire.Legacy, "modern": mcpwire.Modern}[s.Era],
		Log: log,
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

func (a *App) addServer(g *Gateway, name string, o GatewayOptions) error {
	spec, closer, err := ServerSpec(a.Config, name, g.consents, nil, o.Log)
	if closer != nil {
		g.closers = append(g.closers, closer)
	}
	if err != nil {
		return err
	}
	spec.Metrics, spec.Tracer = g.metrics, o.Tracer
	s := a.Config.MCP.Servers[name]
	spec.Interceptor = exchange.Chain(gateway.ReadOnly, gateway.Bound(gateway.Bounds{Calls: s.MaxCalls}))
	up, err := Upstream(spec)
	if err != nil {
		return fault.New(fault.Usage, "mcp.servers.%s: %v", name, err).WithFix("see docs/gateway.md")
	}
	g.upstreams[name] = up
	g.faces[name] = a.face(g, name, up, o)
	return nil
}

func (a *App) addAggregate(g *Gateway, o GatewayOptions) error {
	var members []gateway.Member
	for _, name := range a.Config.MCP.Aggregate {
		members = append(members, gateway.Member{Name: name, Prefix: a.Config.MCP.PrefixOf(name), Upstream: shared{g.upstreams[name]}})
	}
	if len(members) == 0 {
		return nil
	}
	up, err := gateway.Aggregate(members, gateway.AggregateOptions{Name: "sluice", Version: Version(), Log: o.Log})
	if err != nil {
		return fault.New(fault.Usage, "mcp.aggregate: %v", err).WithFix("see docs/gateway.md")
	}
	up = gateway.Observe(up, gateway.Observation{Server: aggregateName, Metrics: g.metrics, Tracer: o.Tracer})
	g.aggregate = up
	g.faces[""] = a.face(g, aggregateName, up, o)
	return nil
}

// shared is an upstream that somebody else closes.
type shared struct{ exchange.Upstream }

func (shared) Close(context.Context) error { return nil }

func (a *App) face(g *Gateway, name string, up exchange.Upstream, o GatewayOptions) *httpserve.Handler {
	return httpserve.New(httpserve.Options{
		Upstream: up, Server: name, Authenticate: g.callers.authenticate, Log: o.Log,
		AllowedHosts: slices.Concat(o.Hosts, a.Config.MCP.AllowedHosts), AllowedOrigins: a.Config.MCP.AllowedOrigins,
	})
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

// Serves reports whether a path is the gateway's.
func (g *Gateway) Serves(path string) bool {
	return g != nil && (path == "/mcp" || strings.HasPrefix(path, "/mcp/") || g.consents != nil && strings.HasPrefix(path, credential.ConsentPath))
}

// ServeHTTP serves what Serves names.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if strings.HasPrefix(r.URL.Path, credential.ConsentPath) {
		g.consents.ServeHTTP(w, r)
		return
	}
	name := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, "/mcp"), "/")
	face := g.faces[name]
	if face == nil {
		g.unknown(w, r)
		return
	}
	if r.Method == http.MethodGet { // a stream may outlive the time that a request has to come in
		_ = http.NewResponseController(w).SetReadDeadline(time.Time{})
	}
	face.ServeHTTP(w, r)
}

// unknown answers for a server that is not configured, to those who may know.
func (g *Gateway) unknown(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if _, err := g.callers.authenticate(r); err != nil {
		var no *httpserve.Refusal
		status := http.StatusUnauthorized
		if errors.As(err, &no) {
			status = no.Status
			w.Header().Set("WWW-Authenticate", no.WWWAuthenticate)
		}
		w.WriteHeader(status)
		_, _ = w.Write(mcpwire.BuildError(nil, mcpwire.CodeInvalidRequest, err.Error(), nil))
		return
	}
	e := &exchange.Error{Code: exchange.UnknownServer, Message: "there is no MCP server at this path", Fix: "servers are at /mcp/NAME; `sluice server list` names them"}
	w.WriteHeader(e.Status())
	_, _ = w.Write(e.Response(nil))
}

// Families are the gateway's metrics.
func (g *Gateway) Families() []obs.Family {
	if g == nil {
		return nil
	}
	streams := obs.Family{Name: "mcp_streams", Help: "open streams of clients: GET and subscriptions", Kind: obs.Gauge}
	refused := obs.Family{Name: "mcp_refused_total", Help: "requests refused before any server saw them", Kind: obs.Counter}
	for name, face := range g.faces {
		if name == "" {
			name = aggregateName
		}
		s := face.Stats()
		streams.Add(float64(s.Streams), "server", name)
		refused.Add(float64(s.Refused), "server", name)
	}
	return append(g.metrics.Families(), streams, refused)
}

// Drain takes no new calls, ends streams in order, lets calls under way finish until
// ctx ends and closes the sessions.
func (g *Gateway) Drain(ctx context.Context) {
	if g == nil {
		return
	}
	var wg sync.WaitGroup
	for _, face := range g.faces {
		wg.Go(func() {
			if face.Shutdown(ctx) != nil {
				g.log.Warn("calls under way were cancelled at the end")
			}
		})
	}
	wg.Wait()
}

// Close ends connections and child processes.
func (g *Gateway) Close(ctx context.Context) error {
	if g == nil {
		return nil
	}
	var mu sync.Mutex
	var errs []error
	if g.aggregate != nil {
		errs = append(errs, g.aggregate.Close(ctx))
	}
	var wg sync.WaitGroup
	for _, up := range g.upstreams {
		wg.Go(func() {
			err := up.Close(ctx)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	for _, c := range g.closers {
		errs = append(errs, c.Close())
	}
	return errors.Join(errs...)
}

// callers turns bearer tokens into callers. What a token may do is read anew after a
// second at the latest: a token that was revoked is refused from then on.
type callers struct {
	resolve   func(ctx context.Context, token, via string) (tenant.Caller, error)
	workspace string
	mu        sync.RWMutex
	known     map[[32]byte]knownCaller
}

type knownCaller struct {
	caller exchange.Caller
	until  time.Time
}

const (
	callerAge  = time.Second
	mostCaller = 10_000
)

func newCallers(resolve func(context.Context, string, string) (tenant.Caller, error), workspace string) *callers {
	return &callers{resolve: resolve, workspace: workspace, known: map[[32]byte]knownCaller{}}
}

func (k *callers) authenticate(r *http.Request) (exchange.Caller, error) {
	scheme, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	token = strings.TrimSpace(token)
	if !strings.EqualFold(scheme, "Bearer") || token == "" {
		return exchange.Caller{}, &httpserve.Refusal{Status: http.StatusUnauthorized, WWWAuthenticate: `Bearer realm="sluice"`, Message: "the call carries no API token"}
	}
	key, now := sha256.Sum256([]byte(token)), time.Now()
	k.mu.RLock()
	known, ok := k.known[key]
	k.mu.RUnlock()
	if ok && now.Before(known.until) {
		return known.caller, nil
	}
	who, err := k.resolve(r.Context(), token, "mcp")
	switch {
	case fault.CodeOf(err) == fault.AuthRequired, fault.CodeOf(err) == fault.TokenExpired:
		return exchange.Caller{}, &httpserve.Refusal{Status: http.StatusUnauthorized, WWWAuthenticate: `Bearer realm="sluice", error="invalid_token"`, Message: "the token is not valid, or not any more"}
	case err != nil:
		return exchange.Caller{}, err
	case who.Workspace != k.workspace || !who.Has(tenant.Read) && !who.Has(tenant.Write):
		return exchange.Caller{}, &httpserve.Refusal{Status: http.StatusForbidden, WWWAuthenticate: `Bearer realm="sluice", error="insufficient_scope"`, Message: "the token does not reach these servers"}
	}
	caller := exchange.Caller{ID: who.Workspace + "/" + who.User, Name: who.User, ReadOnly: !who.Has(tenant.Write)}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.known) >= mostCaller {
		clear(k.known)
	}
	k.known[key] = knownCaller{caller, now.Add(callerAge)}
	return caller, nil
}
