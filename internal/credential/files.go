package credential

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/internal/filelock"
	"sluice/internal/secret"
)

// errUnreadable is a record that does not open with this master key.
var errUnreadable = errors.New("the record does not open with this master key")

// NewFiles returns a store in a directory: one sealed file per record, under names
// that say nothing to those who lack the master key. Several processes may share it.
// The key is asked for when there is something to read or to keep, so that a Sluice
// that needs no tokens makes no files.
func NewFiles(dir string, keys func() (*secret.Keyring, error)) Store {
	return &files{dir: dir, keys: sync.OnceValues(keys)}
}

type files struct {
	dir  string
	keys func() (*secret.Keyring, error)
}

// open makes the directory and returns the key.
func (f *files) open() (*secret.Keyring, error) {
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return nil, err
	}
	return f.keys()
}

func (f *files) path(keys *secret.Keyring, k Key, suffix string) string {
	name := keys.MAC("gateway credential name", []byte(k.text()))
	return filepath.Join(f.dir, hex.EncodeToString(name[:16])+suffix)
}

// purpose binds a sealed record to its key: a file that is moved to another caller's
// name does not open.
func purpose(k Key) string { return "gateway credential " + k.text() }

func (f *files) Load(k Key) ([]byte, error) {
	if _, err := os.Stat(f.dir); errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	sealed, err := os.ReadFile(f.path(keys, k, ".sealed"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	plain, err := keys.Open(sealed, purpose(k))
	if err != nil {
		return nil, errUnreadable
	}
	return plain, nil
}

// Save replaces the file at once, so that a crash leaves the old record or the new.
func (f *files) Save(k Key, b []byte) (err error) {
	keys, err := f.open()
	if err != nil {
		return err
	}
	tmp, err := os.CreateTemp(f.dir, ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(tmp.Name())
		}
	}()
	if _, err = tmp.Write(keys.Seal(b, purpose(k))); err != nil {
		_ = tmp.Close()
		return err
	}
	if err = tmp.Sync(); err != nil {
		_ = tmp.Close()
		return err
	}
	if err = tmp.Close(); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), f.path(keys, k, ".sealed"))
}

func (f *files) Delete(k Key) error {
	keys, err := f.open()
	if err != nil {
		return err
	}
	if err := os.Remove(f.path(keys, k, ".sealed")); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// lockEvery is how often a busy lock is tried again.
const lockEvery = 20 * time.Millisecond

func (f *files) Lock(ctx context.Context, k Key) (func(), error) {
	keys, err := f.open()
	if err != nil {
		return nil, err
	}
	file, err := os.OpenFile(f.path(keys, k, ".lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	for {
		err = filelock.Try(file)
		if err == nil {
			return func() { _ = file.Close() }, nil // closing unlocks
		}
		if !errors.Is(err, filelock.ErrBusy) {
			break
		}
		select {
		case <-time.After(lockEvery):
			continue
		case <-ctx.Done():
			err = ctx.Err()
		}
		break
	}
	_ = file.Close()
	return nil, err
}
