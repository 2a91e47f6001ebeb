//go:build amd64 || arm64

package journal

import (
	"os"
	"runtime"
	"syscall"
	"time"
	"unsafe"
)

// Go's scheduler watches every system call in case it blocks, which costs a process that
// is otherwise idle more than the call: see package socket. The calls of a turn end up in
// the page cache, and are made without, as long as that is quick.

// sizeOf is the length of a file as it is known to the kernel.
func sizeOf(f *os.File) (int64, error) {
	defer runtime.KeepAlive(f)
	var st syscall.Stat_t
	if _, _, errno := syscall.RawSyscall(syscall.SYS_FSTAT, f.Fd(), uintptr(unsafe.Pointer(&st)), 0); errno != 0 {
		return 0, errno
	}
	return st.Size, nil
}

// When a write counts as slow, and for how long later ones are watched then: nothing else
// of the process runs on the same processor meanwhile.
const (
	slowWrite  = 10 * time.Millisecond
	watchAfter = time.Second
)

// quickWriter writes at a place of a file, for one caller at a time.
type quickWriter struct{ watch time.Time }

func (q *quickWriter) writeAt(f *os.File, b []byte, at int64) (int, error) {
	began := time.Now()
	if len(b) == 0 || began.Before(q.watch) {
		return f.WriteAt(b, at)
	}
	n, _, errno := syscall.RawSyscall6(syscall.SYS_PWRITE64, f.Fd(), uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), uintptr(at), 0, 0)
	runtime.KeepAlive(f)
	if time.Since(began) > slowWrite {
		q.watch = began.Add(watchAfter)
	}
	if errno != 0 || int(n) < len(b) { // once more, for the right error
		return f.WriteAt(b, at)
	}
	return len(b), nil
}
