package sqlite

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/internal/ledger"
)

// Payloads serves ledger.Store: one file per plan, beside the ledger.
func (s *Store) Payloads() ledger.Payloads { return payloads{s.plans} }

// payloads are files of one directory that only their owner can read.
type payloads struct{ dir string }

func (p payloads) path(name string) (string, error) {
	if name == "" || name != filepath.Base(name) {
		return "", fs.ErrInvalid
	}
	return filepath.Join(p.dir, name), nil
}

func (p payloads) Create(_ context.Context, name string) (ledger.PayloadWriter, error) {
	path, err := p.path(name)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(p.dir, 0o700); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return &payloadFile{File: f}, nil
}

func (p payloads) Open(_ context.Context, name string) (ledger.PayloadReader, error) {
	path, err := p.path(name)
	if err != nil {
		return nil, err
	}
	return os.Open(path)
}

func (p payloads) Remove(_ context.Context, name string) error {
	path, err := p.path(name)
	if err != nil {
		return err
	}
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// payloadFile is complete once it is closed: a plan names it only after that.
type payloadFile struct {
	*os.File
	done bool
}

func (f *payloadFile) Commit() error {
	f.done = true
	err := f.Sync()
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

func (f *payloadFile) Abort() {
	if f.done {
		return
	}
	f.done = true
	_ = f.Close()
	_ = os.Remove(f.Name())
}
