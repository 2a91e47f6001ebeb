package app

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/internal/audit"
	"sluice/internal/config"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/store/journal"
	"sluice/internal/store/postgres"
)

// Guard is what the calls of agents are counted and recorded with: the store that all
// processes of a state directory, or all nodes of a database, share.
type Guard struct {
	Store enforce.Store
	Keys  *secret.Keyring
	close func() error
}

// Close ends the store; what was recorded is in the audit log then.
func (g *Guard) Close() error {
	if g == nil {
		return nil
	}
	return errors.Join(g.Store.Close(), g.close())
}

// GuardOptions is how a guard is opened.
type GuardOptions struct {
	PowerLoss bool // decisions survive a power failure, for a disk sync per group of calls
	Now       func() time.Time
	Log       *slog.Logger
}

// OpenGuard opens the store of a process that has not opened the state directory
// otherwise: a relay starts often and has little to do with the ledger. On SQLite the
// ledger is opened when first something is to be written into its audit log.
func OpenGuard(ctx context.Context, c *config.Config, o GuardOptions) (*Guard, error) {
	if c.DatabaseURL != "" {
		a, err := Open(ctx, c, Options{Now: o.Now, Log: o.Log, Via: "mcp"})
		if err != nil {
			return nil, err
		}
		g, err := a.guard(ctx, o)
		if err != nil {
			return nil, errors.Join(err, a.Close())
		}
		own := g.close
		g.close = func() error { return errors.Join(own(), a.Close()) }
		return g, nil
	}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory %s can't be made", c.StateDir).Wrap(err)
	}
	_, err := os.Stat(filepath.Join(c.StateDir, "writeback.db"))
	keys, err := secret.OpenKeyring(keyFile(c), errors.Is(err, fs.ErrNotExist))
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "%v", err).WithFix("keep master.key and writeback.db together")
	}
	later := &lateLedger{config: c, options: Options{Now: o.Now, Log: o.Log, Via: "mcp", Small: true}}
	store, err := openJournal(ctx, c, o, later.fold)
	if err != nil {
		return nil, err
	}
	return &Guard{Store: store, Keys: keys, close: later.close}, nil
}

// guard opens the store beside an opened state directory.
func (a *App) guard(ctx context.Context, o GuardOptions) (*Guard, error) {
	none := func() error { return nil }
	if a.Config.DatabaseURL != "" {
		node, err := audit.Node(a.Config.StateDir, time.Now())
		if err != nil {
			return nil, fault.New(fault.StoreUnavailable, "the state directory %s can't be written", a.Config.StateDir).Wrap(err)
		}
		durability := postgres.SurviveProcess
		if o.PowerLoss {
			durability = postgres.SurvivePowerLoss
		}
		store, err := postgres.OpenEnforcement(ctx, a.Config.DatabaseURL, postgres.EnforceOptions{Chain: node + "/gateway", Durability: durability, Now: o.Now})
		if err != nil {
			return nil, err
		}
		return &Guard{Store: store, Keys: a.keys, close: none}, nil
	}
	store, err := openJournal(ctx, a.Config, o, foldInto(a))
	if err != nil {
		return nil, err
	}
	return &Guard{Store: store, Keys: a.keys, close: none}, nil
}

// Enforce is the enforcement store of this state directory, opened once.
func (a *App) Enforce(ctx context.Context) (enforce.Store, error) {
	a.guarding.Lock()
	defer a.guarding.Unlock()
	if a.guarded == nil {
		g, err := a.guard(ctx, GuardOptions{PowerLoss: a.Config.MCP.Durability == "power_loss", Log: a.log})
		if err != nil {
			return nil, err
		}
		a.guarded = g
	}
	return a.guarded.Store, nil
}

// waiting ends what waits for a person when its grant or server goes.
type waiting struct{ a *App }

func (w waiting) Cancel(ctx context.Context, c enforce.Cancellation) (int, error) {
	store, err := w.a.Enforce(ctx)
	if err != nil {
		return 0, err
	}
	return store.Cancel(ctx, c)
}

type foldFunc = func(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error

func openJournal(ctx context.Context, c *config.Config, o GuardOptions, fold foldFunc) (enforce.Store, error) {
	durability := journal.Process
	if o.PowerLoss {
		durability = journal.PowerLoss
	}
	return journal.Open(ctx, journal.Options{
		Dir: filepath.Join(c.StateDir, "gateway"), Now: o.Now, Fold: fold, Durability: durability, Log: o.Log,
	})
}

// foldInto appends calls to the audit log of an opened state directory, and signs a
// checkpoint over all its chains when one is due.
func foldInto(a *App) foldFunc {
	var looked time.Time // one call at a time folds
	since := 0
	return func(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error {
		err := a.store.Do(ctx, func(tx ledger.Tx) error { return tx.Audit().AppendCalls(ctx, source, from, to, calls) })
		if since += len(calls); err != nil || since < audit.CheckpointRecords/8 && time.Since(looked) < lookForCheckpoint {
			return err
		}
		looked, since = time.Now(), 0
		// The records are in the log; a checkpoint that can't be exported now is made up
		// for by the next, and is no reason to let no call pass.
		if err := a.Writeback.Checkpoint(ctx, false); err != nil && ctx.Err() == nil && a.log != nil {
			a.log.Warn("the audit log was not checkpointed", "error", err)
		}
		return nil
	}
}

// lookForCheckpoint is how often it is looked whether a checkpoint is due, where not many
// records come.
const lookForCheckpoint = 2 * time.Second

// lateLedger opens the state directory when it is first needed.
type lateLedger struct {
	config  *config.Config
	options Options

	mu   sync.Mutex
	app  *App
	into foldFunc
}

func (l *lateLedger) fold(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.app == nil {
		Shed() // opening reads much of the program, and once
		defer Shed()
		a, err := Open(ctx, l.config, l.options)
		if err != nil {
			return err
		}
		l.app, l.into = a, foldInto(a)
	}
	return l.into(ctx, source, from, to, calls)
}

func (l *lateLedger) close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.app == nil {
		return nil
	}
	return l.app.Close()
}
