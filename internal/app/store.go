package app

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/internal/audit"
	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/store/postgres"
	"sluice/internal/store/sqlite"
)

// The engines as they are shown.
const (
	EngineSQLite   = "sqlite"
	EnginePostgres = "postgresql"
)

// Engine names the engine that a configuration asks for.
func Engine(c *config.Config) string {
	if c.DatabaseURL != "" {
		return EnginePostgres
	}
	return EngineSQLite
}

// openStore opens the ledger and the master key that belongs to it. now is nil
// outside tests; small says that the process has little to do with the ledger.
func openStore(ctx context.Context, c *config.Config, now func() time.Time, small bool) (ledger.Store, *secret.Keyring, error) {
	if c.DatabaseURL != "" {
		return openShared(ctx, c, now)
	}
	if now == nil {
		now = time.Now
	}
	path := filepath.Join(c.StateDir, "writeback.db")
	_, err := os.Stat(path)
	keys, err := secret.OpenKeyring(keyFile(c), errors.Is(err, fs.ErrNotExist))
	if err != nil {
		return nil, nil, fault.New(fault.StoreUnavailable, "%v", err).WithFix("keep master.key, writeback.db and plans/ together")
	}
	open := sqlite.Open
	if small {
		open = sqlite.OpenSmall
	}
	store, err := open(ctx, path, now)
	if err != nil {
		return nil, nil, err
	}
	return store, keys, nil
}

func keyFile(c *config.Config) string {
	if c.MasterKeyFile != "" {
		return c.MasterKeyFile
	}
	return filepath.Join(c.StateDir, "master.key")
}

// openShared opens a database that other machines may use too: they must all have
// the same master key, or one could not read what another wrote.
func openShared(ctx context.Context, c *config.Config, now func() time.Time) (_ ledger.Store, _ *secret.Keyring, err error) {
	// Every state directory writes an audit chain of its own, so that no machine waits
	// for another's record.
	node, err := audit.Node(c.StateDir, time.Now())
	if err != nil {
		return nil, nil, fault.New(fault.StoreUnavailable, "the state directory %s can't be written", c.StateDir).Wrap(err)
	}
	store, err := postgres.Open(ctx, c.DatabaseURL, postgres.Options{Now: now, Chain: node})
	if err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil {
			_ = store.Close()
		}
	}()
	bound, err := store.KeyBound(ctx)
	if err != nil {
		return nil, nil, err
	}
	const fix = "copy master.key from the machine that used the database first, and name it: master_key_file or SLUICE_MASTER_KEY_FILE"
	keys, err := secret.OpenKeyring(keyFile(c), !bound)
	if err != nil {
		return nil, nil, fault.New(fault.StoreUnavailable, "%v", err).WithFix(fix)
	}
	same, err := store.BindKey(ctx, keys.MAC("database", []byte(store.ID())))
	if err != nil {
		return nil, nil, err
	}
	if !same {
		return nil, nil, fault.New(fault.StoreUnavailable, "the database was written under another master key than %s", keyFile(c)).WithFix(fix)
	}
	return store, keys, nil
}
