package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"sluice/internal/api"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/mcpwire/socket"
	"sluice/internal/obs"
	"sluice/internal/source"
	"sluice/internal/writeback"
)

// ServeOptions is how a server runs.
type ServeOptions struct {
	Hosts      []string // host names besides loopback's under which it is called
	InboxRows  int64    // high-water mark of webhooks; the default when 0
	InboxBytes int64
	NoWork     bool // API and webhooks only: another process does the work
	Log        *slog.Logger
	// Ready is called once nothing of the configuration can keep the server from
	// serving any more; nil: nothing is.
	Ready func() error

	gateway *Gateway
}

// drainGrace is how long calls under way may go on after a signal: a request to
// Meta takes up to 30 s.
const drainGrace = 40 * time.Second

// closeGrace is how long connections and child processes may take to end.
const closeGrace = 10 * time.Second

// OwnerToken makes sure that the state directory has a token of the owner, and
// returns the file that holds it.
func (a *App) OwnerToken(ctx context.Context) (string, error) {
	path := filepath.Join(a.Config.StateDir, "owner-token")
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	text, err := a.Auth.Owner(ctx)
	if err != nil {
		return "", err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return path, nil // another process was first; this token is never shown
	}
	if err == nil {
		_, err = f.WriteString(text + "\n")
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return "", fault.New(fault.StoreUnavailable, "the owner's token can't be written to the state directory").Wrap(err)
	}
	return path, nil
}

// API returns the JSON API over this state directory.
func (a *App) API(o ServeOptions) *api.Server {
	return api.New(api.Options{
		Writeback: a.Writeback, Auth: a.Auth, Govern: a.Govern, Store: a.store, Keys: a.keys, Hooks: a.Hooks.Limited(o.InboxRows, o.InboxBytes),
		Realm: a.Realm, Hosts: o.Hosts, Log: o.Log, Approve: a.Approve,
		Metrics: func(ctx context.Context) ([]byte, error) {
			text, err := a.Metrics(ctx)
			return append(slices.Clip(text), obs.Text(o.gateway.Families())...), err
		},
		Source: a.named,
		Ready: func(ctx context.Context) error {
			ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
			defer cancel()
			return a.store.View(ctx, func(tx ledger.Tx) error {
				_, err := tx.Tenants().Workspaces(ctx)
				return err
			})
		},
	})
}

// named opens a source by its name in the configuration.
func (a *App) named(ctx context.Context, s *writeback.Service, name string, o source.Options) (source.Reader, error) {
	if _, ok := a.Config.Sources[name]; !ok {
		return nil, fault.New(fault.NotFound, "the server has no source of that name").WithFix("`sources:` of its sluice.yaml names them")
	}
	return a.Source(ctx, s, []string{name}, o)
}

// Serve answers on the listener and does the work that is due, until the context
// ends. Then it takes no new calls, lets requests to Meta that are under way be
// answered and booked, and gives back what its workers held.
func (a *App) Serve(ctx context.Context, l net.Listener, o ServeOptions) error {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	tracer, endTracing, err := Tracing(ctx, a.Config.Env)
	if err != nil {
		return errors.Join(err, l.Close())
	}
	mcp, err := a.Gateway(ctx, GatewayOptions{Hosts: o.Hosts, Address: "http://" + l.Addr().String(), Tracer: tracer, Log: o.Log})
	if err != nil {
		return errors.Join(err, l.Close())
	}
	o.gateway = mcp
	if o.Ready != nil {
		if err := o.Ready(); err != nil {
			ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
			defer cancel()
			return errors.Join(err, l.Close(), mcp.Close(ending), endTracing(ending))
		}
	}
	server := a.API(o)
	hs := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if mcp.Serves(r.URL.Path) {
				mcp.ServeHTTP(w, r)
				return
			}
			server.ServeHTTP(w, r)
		}),
		ReadHeaderTimeout: 10 * time.Second,
		ReadTimeout:       time.Minute,
		WriteTimeout:      4 * time.Minute,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10,
		ErrorLog:          slog.NewLogLogger(o.Log.Handler(), slog.LevelDebug),
	}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error {
		if err := hs.Serve(socket.Listener(l)); !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	})
	g.Go(func() error {
		<-ctx.Done()
		server.Stop()
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainGrace)
		defer cancel()
		mcp.Drain(grace) // its streams would keep the server from ending
		if hs.Shutdown(grace) != nil {
			_ = hs.Close()
		}
		server.Wait()
		return nil
	})
	g.Go(func() error { mcp.Run(ctx); return nil })
	if !o.NoWork {
		g.Go(func() error { return a.takeIn(ctx, o.Log) })
		g.Go(func() error { return a.work(ctx) })
	}
	err = g.Wait()
	ending, cancelClosing := context.WithTimeout(context.WithoutCancel(ctx), closeGrace)
	defer cancelClosing()
	if cerr := errors.Join(mcp.Close(ending), endTracing(ending)); cerr != nil {
		o.Log.Warn("not everything of the gateway ended in order", "error", cerr)
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	if cerr := a.Writeback.Checkpoint(end, true); cerr != nil {
		o.Log.Warn("the audit log was not checkpointed at the end", "error", cerr)
	}
	return err
}

// intakeRest is how long webhooks may lie before they are taken in.
const intakeRest = 500 * time.Millisecond

// takeIn brings webhooks into the outcome store until the context ends. It does not
// wait for the turn of a pass: a full inbox turns senders away.
func (a *App) takeIn(ctx context.Context, log *slog.Logger) error {
	for {
		busy, err := a.Hooks.Drain(ctx)
		if err != nil && ctx.Err() == nil {
			log.Warn("webhooks could not be taken in; the next round tries again", "error", err)
		}
		if busy && err == nil {
			continue
		}
		if rest(ctx, intakeRest) != nil {
			return nil
		}
	}
}

// work runs what is due until the context ends. Between passes it sleeps by the
// machine's clock, whatever clock decides what is due.
func (a *App) work(ctx context.Context) error {
	r := a.Runner(passWait)
	r.Sleep = rest
	return r.Loop(ctx)
}

// passWait is how long a pass waits for that of another process.
const passWait = time.Second

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
