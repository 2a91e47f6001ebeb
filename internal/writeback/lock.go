package writeback

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"sluice/internal/fault"
	"sluice/internal/filelock"
	"sluice/internal/ledger"
)

// lock is held by the one process that works on a run. The operating system lets
// go of it when the process ends, however it ends, so a crash never blocks a
// resume.
type lock struct{ file *os.File }

// lock takes a lock of the state directory, or says that the work is under way. On
// a shared store nobody owns a plan: its batches are leased one by one, and the lock
// of a plan is there for the asking.
func (s *Service) lock(name string) (*lock, error) {
	if s.store.Shared() && strings.HasPrefix(name, "plan-") {
		return &lock{}, nil
	}
	unusable := func(err error) error {
		return fault.New(fault.StoreUnavailable, "the state directory %s can't be locked", s.state).Wrap(err)
	}
	if err := os.MkdirAll(s.dir("locks"), 0o700); err != nil {
		return nil, unusable(err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir("locks"), name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, unusable(err)
	}
	err = filelock.Try(f)
	if err == nil {
		return &lock{f}, nil
	}
	_ = f.Close()
	if errors.Is(err, filelock.ErrBusy) {
		busy := fault.New(fault.IdempotencyInProgress, "another process is sending this plan")
		busy.RetryAfter = 5
		return nil, busy
	}
	return nil, unusable(err)
}

// release lets go. The file stays: removing it would let two processes hold locks
// on two files of one name.
func (l *lock) release() {
	if l.file != nil {
		_ = l.file.Close()
	}
}

// held reports whether somebody has batches of the plan now.
func (s *Service) held(ctx context.Context, planID string) (held bool, err error) {
	p, err := s.plan(ctx, planID)
	if err != nil {
		return false, err
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		batches, err := tx.Batches().List(ctx, p.No)
		for _, b := range batches {
			held = held || (b.Owner != "" && b.LeaseUntil.After(tx.Now()))
		}
		return err
	})
	return held, err
}

// Busy reports whether a process is sending the plan now.
func (s *Service) Busy(planID string) (bool, error) {
	if s.store.Shared() {
		return s.held(context.Background(), planID)
	}
	if _, err := os.Stat(filepath.Join(s.dir("locks"), "plan-"+planID)); errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	l, err := s.lock("plan-" + planID)
	switch {
	case err == nil:
		l.release()
		return false, nil
	case fault.CodeOf(err) == fault.IdempotencyInProgress:
		return true, nil
	default:
		return false, err
	}
}
