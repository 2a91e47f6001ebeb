package filelock

import (
	"os"
	"runtime"
	"syscall"
)

// Try locks a whole file without waiting; ErrBusy when somebody else has it.
func Try(f *os.File) error {
	switch errno := flock(f, syscall.LOCK_EX|syscall.LOCK_NB); errno {
	case 0:
		return nil
	case syscall.EWOULDBLOCK:
		return ErrBusy
	default:
		return errno
	}
}

// Unlock gives a lock back without closing the file.
func Unlock(f *os.File) error {
	if errno := flock(f, syscall.LOCK_UN); errno != 0 {
		return errno
	}
	return nil
}

// flock does not wait, so that Go's scheduler need not watch over it, which costs more
// than the call: see package socket.
func flock(f *os.File, how int) syscall.Errno {
	defer runtime.KeepAlive(f)
	for {
		if _, _, errno := syscall.RawSyscall(syscall.SYS_FLOCK, f.Fd(), uintptr(how), 0); errno != syscall.EINTR {
			return errno
		}
	}
}
