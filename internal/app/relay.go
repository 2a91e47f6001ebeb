package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"time"

	"go.opentelemetry.io/otel/trace"

	"sluice/internal/config"
	"sluice/internal/gateway"
	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/mcpwire/socket"
	"sluice/internal/mcpwire/stdiodial"
	"sluice/internal/mcpwire/stdioserve"
)

// UpstreamSpec is one MCP server as somebody configured it: a URL or a command.
type UpstreamSpec struct {
	Name    string
	URL     string
	Command []string
	// Local makes a server of this process, in place of both.
	Local  func() (exchange.Upstream, error)
	Env    []string // KEY=value, on top of the clean environment of a child
	Dir    string
	Shared bool
	// Isolation is how a child is kept from Protect; empty: as well as this system can.
	Isolation stdiodial.Isolation
	// Protect are paths that a child can't read.
	Protect    []string
	Credential exchange.Credential
	// AllowPrivate lets the URL name a private address.
	AllowPrivate bool
	Era          mcpwire.Era   // 0: found out
	Timeout      time.Duration // of one call without progress; 0: the default
	Stderr       io.Writer     // of the child; nil: the log
	Log          *slog.Logger

	Interceptor exchange.Interceptor // nil: none
	// Wrap stands around the upstream and its interceptor: the pipeline. Nil: nothing.
	Wrap    func(exchange.Upstream) exchange.Upstream
	Metrics *gateway.Metrics // nil: none
	Tracer  trace.Tracer     // nil: no spans
}

// slowProbe is how long a server at a URL may take to say which era it speaks.
const slowProbe = 30 * time.Second

// Upstream builds the way to one MCP server: its transport, and the adapters that let
// clients of both eras use it.
func Upstream(s UpstreamSpec) (exchange.Upstream, error) {
	var up exchange.Upstream
	var err error
	if s.Local != nil {
		if up, err = s.Local(); err != nil {
			return nil, err
		}
		return s.around(up, up), nil // it speaks both eras itself
	}
	if len(s.Command) > 0 {
		up, err = stdiodial.New(stdiodial.Options{
			Server: s.Name, Command: s.Command, Env: s.Env, Dir: s.Dir, Shared: s.Shared, Protect: s.Protect, Isolation: s.Isolation,
			Timeout: s.Timeout, Stderr: s.Stderr, Log: s.Log,
		})
	} else {
		up, err = httpdial.New(httpdial.Options{
			Server: s.Name, URL: s.URL, Credential: s.Credential, AllowPrivate: s.AllowPrivate, CallTimeout: s.Timeout, Log: s.Log,
		})
	}
	if err != nil {
		return nil, err
	}
	o := era.Options{Server: s.Name, Force: s.Era}
	if s.URL != "" {
		o.ProbeTimeout, o.AnswersAlways = slowProbe, true
	}
	return s.around(era.New(up, o), up), nil
}

// Relay is a relay in front of one upstream, for the one caller at this machine.
type Relay struct {
	Upstream exchange.Upstream
	Server   string
	Log      *slog.Logger
}

// localCaller is the one caller of a relay without accounts.
var localCaller = exchange.Caller{ID: "local", Name: "local"}

// relayGrace is how long calls under way may go on after a signal.
const relayGrace = 10 * time.Second

// Stdio serves one client over a pair of streams, until it closes its side or the
// context ends.
func (r *Relay) Stdio(ctx context.Context, in io.Reader, out io.Writer) error {
	err := stdioserve.Serve(ctx, in, out, stdioserve.Options{
		Upstream: r.Upstream, Server: r.Server, Caller: localCaller, Log: r.Log,
	})
	if ctx.Err() != nil && errors.Is(err, context.Cause(ctx)) {
		err = nil // it was asked to end, and did
	}
	return errors.Join(err, r.close(ctx))
}

// HTTP serves clients at /mcp until the context ends; then it takes no new calls and
// lets those under way finish.
func (r *Relay) HTTP(ctx context.Context, l net.Listener) error {
	face := httpserve.New(httpserve.Options{
		Upstream: r.Upstream, Server: r.Server, Log: r.Log,
		Authenticate: func(*http.Request) (exchange.Caller, error) { return localCaller, nil },
		// The one caller is everybody at this machine.
		MaxStreams: 4096, MaxSessions: 4096,
	})
	mux := http.NewServeMux()
	mux.Handle("/mcp", face)
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "There is nothing at this path: the MCP endpoint is /mcp.", http.StatusNotFound)
	})
	hs := &http.Server{
		Handler: mux, ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: slog.NewLogLogger(r.Log.Handler(), slog.LevelDebug),
	}
	ended := make(chan error, 1)
	go func() { ended <- hs.Serve(socket.Listener(l)) }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), relayGrace)
		defer cancel()
		_ = face.Shutdown(grace)
		if hs.Shutdown(grace) != nil {
			_ = hs.Close()
		}
		if end := <-ended; !errors.Is(end, http.ErrServerClosed) {
			err = end
		}
	}
	return errors.Join(err, r.close(ctx))
}

func (r *Relay) close(ctx context.Context) error {
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), relayGrace)
	defer cancel()
	return r.Upstream.Close(grace)
}

// ProtectedPaths are what no child may read: the state directory and the secrets
// beside it.
func ProtectedPaths(c *config.Config) []string {
	paths := []string{c.StateDir}
	for _, p := range []string{c.MasterKeyFile, c.Token.File} {
		if p != "" {
			paths = append(paths, p)
		}
	}
	return paths
}

func loopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
