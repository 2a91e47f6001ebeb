package writeback

import (
	"context"
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"

	"sluice/internal/fault"
	"sluice/internal/frozen"
	"sluice/internal/ledger"
	"sluice/internal/outcome"
	"sluice/internal/secret"
)

// vault seals and opens the events of stored outcomes. Every profile has a data key
// per day of the event, so that an age group is shredded by deleting one key. It is
// safe for concurrent use.
type vault struct {
	s    *Service
	mu   sync.Mutex
	days map[int64]cipher.AEAD
}

func (s *Service) vault() *vault { return &vault{s: s, days: map[int64]cipher.AEAD{}} }

const secondsPerDay = 24 * 60 * 60

// dayOf is the day of a time, in days since 1970.
func dayOf(unix int64) int64 {
	d := unix / secondsPerDay
	if unix%secondsPerDay < 0 {
		d--
	}
	return d
}

func (v *vault) purpose(day int64) string {
	return fmt.Sprintf("outcomes of %s, day %d", v.s.profile, day)
}

// load brings the keys of a span of days into memory.
func (v *vault) load(ctx context.Context, tx ledger.Tx, from, to int64) error {
	wrapped, err := tx.Outcomes().Keys(ctx, v.s.profile, from, to)
	if err != nil {
		return err
	}
	for day, w := range wrapped {
		if err := v.open(day, w); err != nil {
			return err
		}
	}
	return nil
}

func (v *vault) open(day int64, wrapped []byte) error {
	key, err := v.s.keys.Unwrap(wrapped, v.purpose(day))
	if err != nil {
		return fault.New(fault.StoreUnavailable, "the stored outcomes can't be read: %v", err)
	}
	aead, err := secret.NewAEAD(key)
	if err != nil {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.days[day] = aead
	return nil
}

func (v *vault) known(day int64) cipher.AEAD {
	v.mu.Lock()
	defer v.mu.Unlock()
	return v.days[day]
}

// key returns the cipher of a day and makes its key where there is none.
func (v *vault) key(ctx context.Context, day int64) (cipher.AEAD, error) {
	if aead := v.known(day); aead != nil {
		return aead, nil
	}
	err := v.s.store.Do(ctx, func(tx ledger.Tx) error {
		wrapped, err := tx.Outcomes().PutKey(ctx, v.s.profile, day, v.s.keys.Wrap(secret.NewDataKey(), v.purpose(day)), tx.Now())
		if err != nil {
			return err
		}
		return v.open(day, wrapped)
	})
	return v.known(day), err
}

// seal encrypts what belongs to one outcome; it opens for no other.
func (v *vault) seal(ctx context.Context, day int64, id outcome.ID, plain []byte) ([]byte, error) {
	aead, err := v.key(ctx, day)
	if err != nil {
		return nil, err
	}
	sealed := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	_, _ = rand.Read(sealed) // never fails: crypto/rand aborts the process instead
	return aead.Seal(sealed, sealed, plain, id[:]), nil
}

// errShredded says that a payload was removed with its key.
var errShredded = errors.New("the payload was removed")

// unseal opens what seal made; errShredded when the key of the day is gone.
func (v *vault) unseal(dst []byte, day int64, id outcome.ID, sealed []byte) ([]byte, error) {
	aead := v.known(day)
	if aead == nil || len(sealed) < aead.NonceSize() {
		return dst, errShredded
	}
	n := aead.NonceSize()
	out, err := aead.Open(dst, sealed[:n], sealed[n:], id[:])
	if err != nil {
		return dst, frozen.ErrDamaged
	}
	return out, nil
}
