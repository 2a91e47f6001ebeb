//go:build unix

package httpdial

import "syscall"

// looks says that quiet can look.
const looks = true

// quiet reports whether an idle connection is still open and has nothing to read. An
// upstream that closed it, or that speaks without being asked, makes it useless.
func quiet(raw syscall.RawConn) bool {
	if raw == nil {
		return true
	}
	open := false
	err := raw.Read(func(fd uintptr) bool {
		var b [1]byte // one byte is as good as many: the connection is given up for it
		_, err := syscall.Read(int(fd), b[:])
		open = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
		return true
	})
	return err == nil && open
}
