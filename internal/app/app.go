// Package app builds the parts of Sluice from a configuration and wires them
// together. It is the only package that knows them all.
package app

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"os"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"sluice/internal/auth"
	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/govern"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/sandbox"
	"sluice/internal/secret"
	"sluice/internal/tenant"
	"sluice/internal/webhook"
	"sluice/internal/writeback"
)

// App is one opened state directory.
type App struct {
	Config    *config.Config
	Writeback *writeback.Service
	Auth      *auth.Service
	Hooks     *webhook.Service
	Govern    *govern.Service
	keys      *secret.Keyring
	store     ledger.Store
	now       func() time.Time
	log       *slog.Logger
	metrics   metrics
	approvals approvals

	following atomic.Pointer[govern.Directory] // the gateway's, where one runs
	guarding  sync.Mutex
	guarded   *Guard // opened when it is first asked for
}

// Options are what a test sets and a program leaves empty.
type Options struct {
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
	Via   string
	Small bool // the process has little to do with the ledger, and should need little memory for it
}

// Open opens the state directory, and makes it when it does not exist.
func Open(ctx context.Context, c *config.Config, o Options) (*App, error) {
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory %s can't be made", c.StateDir).Wrap(err)
	}
	store, keys, err := openStore(ctx, c, o.Now, o.Small)
	if err != nil {
		return nil, err
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	a := &App{Config: c, store: store, now: o.Now, log: o.Log}
	a.Writeback = writeback.New(writeback.Options{
		Connect: a.connect, Store: store, Keys: keys, StateDir: c.StateDir, Now: o.Now, Sleep: o.Sleep, Log: o.Log,
		Caller: tenant.Local(o.Via), Version: Version(),
		Double:  func(dataset string) (writeback.Destination, error) { return a.Double(dataset) },
		Anchors: writeback.Anchors{File: c.CheckpointFile(), Command: c.Audit.CheckpointCommand},
		Lease:   leaseTime(c),
	})
	a.keys = keys
	a.Hooks = webhook.New(webhook.Options{
		Store: store, Keys: keys, Caller: tenant.Local(o.Via), Version: Version(), Log: o.Log, Ingest: a.ingest, Prepare: prepareMapping,
	})
	a.Auth = auth.New(store, keys, tenant.Local(o.Via), Version())
	a.Govern = govern.New(govern.Options{
		Store: store, Keys: keys, Caller: tenant.Local(o.Via), Version: Version(), Approvals: waiting{a}, Replayer: a.Replayer(), Changed: a.changed,
	})
	return a, nil
}

// changed tells the gateway of this process that who may call what has changed; others
// look by themselves.
func (a *App) changed() {
	if d := a.following.Load(); d != nil {
		d.Poke()
	}
}

// leaseTime is how long a batch is one worker's own. The variable is for tests: a
// lease must outlive the longest request.
func leaseTime(c *config.Config) time.Duration {
	d, err := time.ParseDuration(c.Env("SLUICE_LEASE"))
	if err != nil {
		return 0
	}
	return d
}

// closing bounds what closing may wait for.
const closing = 30 * time.Second

// Close signs a checkpoint of the audit log when one is due, and closes the ledger.
func (a *App) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), closing)
	defer cancel()
	a.guarding.Lock()
	guardErr := a.guarded.Close()
	a.guarding.Unlock()
	// What fails here is made up for by the next checkpoint.
	_ = a.Writeback.Checkpoint(ctx, false)
	return errors.Join(guardErr, a.store.Close())
}

// Graph returns a client for the configured Graph API. A sandbox on loopback needs
// no token of its own: its documented one is used.
func (a *App) Graph(ctx context.Context) (*graph.Client, error) {
	o := graph.Options{Base: a.Config.GraphURL, Version: a.Config.GraphVersion, AppSecret: a.Config.AppSecret()}
	var err error
	if o.Token, err = a.environment(ctx, o); err != nil {
		return nil, err
	}
	return graph.New(o)
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
