//go:build unix

package writeback

import (
	"errors"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"sluice/internal/fault"
)

// lock is held by the one process that works on a run. The kernel lets go of it
// when the process ends, however it ends, so a crash never blocks a resume.
type lock struct{ file *os.File }

// lock takes a lock of the state directory, or says that the work is under way.
func (s *Service) lock(name string) (*lock, error) {
	if err := os.MkdirAll(s.dir("locks"), 0o700); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	f, err := os.OpenFile(filepath.Join(s.dir("locks"), name), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be written").Wrap(err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = f.Close()
		if errors.Is(err, unix.EWOULDBLOCK) {
			busy := fault.New(fault.IdempotencyInProgress, "another process is sending this plan")
			busy.RetryAfter = 5
			return nil, busy
		}
		return nil, fault.New(fault.StoreUnavailable, "the state directory can't be locked").Wrap(err)
	}
	return &lock{f}, nil
}

// release lets go. The file stays: removing it would let two processes hold locks
// on two files of one name.
func (l *lock) release() { _ = l.file.Close() }

// Busy reports whether a process is sending the plan now.
func (s *Service) Busy(planID string) (bool, error) {
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
