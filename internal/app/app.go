// Package app builds the parts of Sluice from a configuration and wires them
// together. It is the only package that knows them all.
package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync"
	"time"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/sandbox"
	"sluice/internal/secret"
	"sluice/internal/store/sqlite"
	"sluice/internal/tenant"
	"sluice/internal/writeback"
)

// App is one opened state directory.
type App struct {
	Config    *config.Config
	Writeback *writeback.Service
	store     *sqlite.Store
	now       func() time.Time
}

// Options are what a test sets and a program leaves empty.
type Options struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
	Via   string
}

// Open opens the state directory, and makes it when it does not exist.
func Open(ctx context.Context, c *config.Config, o Options) (*App, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory %s can't be made", c.StateDir).Wrap(err)
	}
	path := filepath.Join(c.StateDir, "writeback.db")
	_, err := os.Stat(path)
	keys, err := secret.OpenKeyring(filepath.Join(c.StateDir, "master.key"), errors.Is(err, fs.ErrNotExist))
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "%v", err).WithFix("keep master.key, writeback.db and plans/ together")
	}
	store, err := sqlite.Open(ctx, path, o.Now)
	if err != nil {
		return nil, err
	}
	a := &App{Config: c, store: store, now: o.Now}
	a.Writeback = writeback.New(writeback.Options{
		Connect: a.connect, Store: store, Keys: keys, StateDir: c.StateDir, Now: o.Now, Sleep: o.Sleep, Log: o.Log,
		Caller: tenant.Local(o.Via), Version: Version(),
	})
	return a, nil
}

// Close closes the ledger.
func (a *App) Close() error { return a.store.Close() }

// Graph returns a client for the configured Graph API. A sandbox on loopback needs
// no token of its own: its documented one is used.
func (a *App) Graph(ctx context.Context) (*graph.Client, error) {
	token, err := a.Config.AccessToken(ctx)
	o := graph.Options{Base: a.Config.GraphURL, Version: a.Config.GraphVersion, AppSecret: a.Config.AppSecret()}
	if err != nil {
		probe, bad := graph.New(o)
		if bad != nil {
			return nil, bad
		}
		if probe.Remote() {
			return nil, err
		}
		token = sandbox.Token
	}
	o.Token = token
	return graph.New(o)
}

// connect returns a client for the target of a plan. A Graph URL that was
// configured wins, so that a difference is noticed and not papered over.
func (a *App) connect(ctx context.Context, to writeback.Target) (writeback.Destination, error) {
	if base := graph.RealmBase(to.Realm); base != "" && a.Config.GraphURL == "" {
		at := *a.Config
		at.GraphURL = base
		return (&App{Config: &at}).Graph(ctx)
	}
	return a.Graph(ctx)
}

// Realm names where this configuration sends.
func (a *App) Realm() (string, error) {
	c, err := graph.New(graph.Options{Base: a.Config.GraphURL})
	if err != nil {
		return "", err
	}
	return c.Realm(), nil
}

// Double returns a client of an in-process sandbox that knows the dataset: the
// judge of an offline dry run. No socket is opened.
func (a *App) Double(dataset string) (*graph.Client, error) {
	double := &double{fresh: func() http.RoundTripper {
		return sandbox.New(sandbox.Options{Now: a.now, Keep: sandbox.KeepKeys, Datasets: []string{dataset}}).RoundTripper()
	}}
	return graph.New(graph.Options{Base: "http://127.0.0.1", Token: sandbox.Token, Transport: double})
}

// double is an in-process sandbox that starts over now and then: what it remembers
// for deduplication would grow with the plan, and the ledger has already seen to it
// that no event comes twice.
type double struct {
	fresh    func() http.RoundTripper
	mu       sync.Mutex
	box      http.RoundTripper
	requests int
}

// doubleRequests is how many requests one double remembers, of a thousand events
// each.
const doubleRequests = 100

func (d *double) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	if d.requests%doubleRequests == 0 {
		d.box = d.fresh()
	}
	d.requests++
	box := d.box
	d.mu.Unlock()
	return box.RoundTrip(r)
}

// Version names the build.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" {
		return "devel"
	}
	return info.Main.Version
}
