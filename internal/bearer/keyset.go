package bearer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// keySet is the keys of one issuer. Keys that it doesn't hold are fetched, at most once in
// fetchPause: who fetches holds the lock, so that nobody is answered by a fetch that is
// over already, and whoever waited looks at what it brought first.
type keySet struct {
	now   func() time.Time
	fetch func(context.Context) (jose.JSONWebKeySet, error)

	keys atomic.Pointer[[]jose.JSONWebKey]

	mu   sync.Mutex // held during a fetch
	last time.Time  // of the last fetch
	down atomic.Bool
}

var errUnknownKey = errors.New("no key of the issuer verifies the signature")

// VerifySignature implements oidc.KeySet, which has checked the algorithm.
func (s *keySet) VerifySignature(ctx context.Context, token string) ([]byte, error) {
	jws, err := jose.ParseSigned(token, algorithms)
	if err != nil || len(jws.Signatures) != 1 {
		return nil, errUnknownKey
	}
	if payload := s.verified(jws); payload != nil {
		return payload, nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if payload := s.verified(jws); payload != nil {
		return payload, nil
	}
	now := s.now()
	if !s.last.IsZero() && now.Sub(s.last) < fetchPause {
		return nil, errUnknownKey
	}
	s.last = now
	// Whoever asked may go away; the keys are for everybody.
	set, err := s.fetch(context.WithoutCancel(ctx))
	if s.down.Store(err != nil); err != nil {
		return nil, ErrUnavailable
	}
	s.keys.Store(&set.Keys)
	if payload := s.verified(jws); payload != nil {
		return payload, nil
	}
	return nil, errUnknownKey
}

func (s *keySet) verified(jws *jose.JSONWebSignature) []byte {
	keys := s.keys.Load()
	if keys == nil {
		return nil
	}
	id := jws.Signatures[0].Header.KeyID
	for i := range *keys {
		key := &(*keys)[i]
		if id != "" && key.KeyID != id {
			continue
		}
		if payload, err := jws.Verify(key); err == nil && payload != nil {
			return payload
		}
	}
	return nil
}

// unreachable reports whether keys could not be had, rather than were not there.
func (s *keySet) unreachable() bool { return s.down.Load() }
