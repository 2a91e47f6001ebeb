//go:build unix

package credential

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// tryLock locks a whole file without waiting; errBusy when somebody else has it.
func tryLock(f *os.File) error {
	err := unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return errBusy
	}
	return err
}
