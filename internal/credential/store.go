package credential

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
)

// Key names one record. Tokens are apart by server, the server's URL and caller, and
// each says which issuer gave it; registrations are apart by server, issuer and
// redirect URI.
type Key struct {
	Kind     string
	Server   string
	Resource string
	Issuer   string
	Caller   string
	Redirect string
}

// The kinds of records.
const (
	tokenRecord        = "tokens"
	registrationRecord = "registration"
	issuerRecord       = "issuer"
)

// text is unique for the key: JSON quotes what could run into its neighbour.
func (k Key) text() string {
	b, err := json.Marshal([]string{k.Kind, k.Server, k.Resource, k.Issuer, k.Caller, k.Redirect})
	if err != nil {
		panic(err) // strings can be encoded
	}
	return string(b)
}

// Store keeps what an authorization server gave.
type Store interface {
	// Load returns a record, nil when there is none.
	Load(Key) ([]byte, error)
	Save(Key, []byte) error
	Delete(Key) error
	// Lock keeps other processes from changing a record meanwhile.
	Lock(ctx context.Context, k Key) (unlock func(), err error)
}

// NewMemory returns a store that forgets when the process ends.
func NewMemory() Store {
	return &memory{records: map[string][]byte{}, locks: map[string]chan struct{}{}}
}

type memory struct {
	mu      sync.Mutex
	records map[string][]byte
	locks   map[string]chan struct{}
}

func (m *memory) Load(k Key) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.records[k.text()], nil
}

func (m *memory) Save(k Key, b []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.records[k.text()] = b
	return nil
}

func (m *memory) Delete(k Key) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.records, k.text())
	return nil
}

func (m *memory) Lock(ctx context.Context, k Key) (func(), error) {
	m.mu.Lock()
	lock := m.locks[k.text()]
	if lock == nil {
		lock = make(chan struct{}, 1)
		m.locks[k.text()] = lock
	}
	m.mu.Unlock()
	select {
	case lock <- struct{}{}:
		return func() { <-lock }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// load reads a record into a value. One that can't be read counts as absent: it was
// sealed with another key or written by another version, and can be had again.
func load(s Store, k Key, into any) (bool, error) {
	b, err := s.Load(k)
	switch {
	case errors.Is(err, errUnreadable):
		return false, nil
	case err != nil:
		return false, err
	case b == nil || json.Unmarshal(b, into) != nil:
		return false, nil
	}
	return true, nil
}

func save(s Store, k Key, value any) error {
	b, err := json.Marshal(value)
	if err != nil {
		return err
	}
	return s.Save(k, b)
}
