// Package secret keeps the local master key and wraps the data keys of plans.
//
// Every plan's payload has a key of its own; the ledger holds it only wrapped.
// Deleting the wrapped key makes the payload unreadable in every backup.
package secret

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// KeySize is the size of every key in bytes (AES-256).
const KeySize = 32

// Keyring wraps data keys with the master key of one state directory.
type Keyring struct {
	aead cipher.AEAD
	key  []byte
}

// OpenKeyring reads the master key at path, and creates it (mode 0600) when there
// is none and create is set. A key file that others may read is refused.
func OpenKeyring(path string, create bool) (*Keyring, error) {
	key, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !create:
		return nil, fmt.Errorf("the master key %s is missing, and the plans beside it need it: restore it from a backup", path)
	case errors.Is(err, fs.ErrNotExist):
		if key, err = createKey(path); err != nil {
			return nil, err
		}
	case err != nil:
		return nil, fmt.Errorf("read the master key: %w", err)
	}
	if info, err := os.Stat(path); err != nil {
		return nil, fmt.Errorf("read the master key: %w", err)
	} else if info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("master key %s is readable by others: run chmod 600 on it", path)
	}
	aead, err := NewAEAD(key)
	if err != nil {
		return nil, fmt.Errorf("master key %s: %w", path, err)
	}
	return &Keyring{aead: aead, key: key}, nil
}

// createKey links a complete file into place, so that two processes starting at
// once agree on one key and none reads half of it.
func createKey(path string) ([]byte, error) {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand aborts the process instead
	tmp, err := os.CreateTemp(filepath.Dir(path), ".key-*")
	if err != nil {
		return nil, fmt.Errorf("create the master key: %w", err)
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := tmp.Write(key); err != nil {
		return nil, fmt.Errorf("create the master key: %w", err)
	}
	if err := tmp.Sync(); err != nil {
		return nil, fmt.Errorf("create the master key: %w", err)
	}
	if err := tmp.Close(); err != nil {
		return nil, fmt.Errorf("create the master key: %w", err)
	}
	if err := os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
		return os.ReadFile(path)
	} else if err != nil {
		return nil, fmt.Errorf("create the master key: %w", err)
	}
	return key, nil
}

// NewAEAD returns AES-256-GCM over a key of KeySize bytes.
func NewAEAD(key []byte) (cipher.AEAD, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("key has %d bytes, want %d", len(key), KeySize)
	}
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// NewDataKey returns a fresh data key.
func NewDataKey() []byte {
	key := make([]byte, KeySize)
	_, _ = rand.Read(key) // never fails: crypto/rand aborts the process instead
	return key
}

// Wrap seals a data key for the named purpose (the plan's id): a wrapped key can't
// be moved to another plan.
func (k *Keyring) Wrap(key []byte, purpose string) []byte {
	nonce := make([]byte, k.aead.NonceSize())
	_, _ = rand.Read(nonce) // never fails: crypto/rand aborts the process instead
	return k.aead.Seal(nonce, nonce, key, []byte(purpose))
}

// Unwrap opens what Wrap sealed.
func (k *Keyring) Unwrap(wrapped []byte, purpose string) ([]byte, error) {
	n := k.aead.NonceSize()
	if len(wrapped) < n {
		return nil, errors.New("wrapped key is too short")
	}
	key, err := k.aead.Open(nil, wrapped[:n], wrapped[n:], []byte(purpose))
	if err != nil {
		return nil, errors.New("the data key does not open with this state directory's master key")
	}
	return key, nil
}
