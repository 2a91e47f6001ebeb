package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// syncData waits until what was written is on the disk; times and the like may wait.
func syncData(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }
