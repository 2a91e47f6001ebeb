package socket

import (
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"unsafe"
)

// Conn is a connection that is read and written in the cheapest way that is known here.
func Conn(c net.Conn) net.Conn {
	t, ok := c.(*net.TCPConn)
	if !ok {
		return c
	}
	raw, err := t.SyscallConn()
	if err != nil {
		return c
	}
	conn := &conn{TCPConn: t, raw: raw}
	conn.in.op, conn.in.step = syscall.SYS_READ, conn.in.try
	conn.out.op, conn.out.step = syscall.SYS_WRITE, conn.out.try
	conn.look = conn.in.once
	return conn
}

type conn struct {
	*net.TCPConn
	raw     syscall.RawConn
	in, out half
	look    func(fd uintptr) bool
}

// half is one direction. What a try needs stands here, so that it takes nothing from
// the heap.
type half struct {
	op   uintptr
	step func(fd uintptr) bool

	mu    sync.Mutex
	p     []byte
	n     int
	errno syscall.Errno
	one   [1]byte
}

// most is how much one system call moves: a bound that net has, too.
const most = 1 << 30

// try makes the system call once. The descriptor does not block, so that nobody has to
// watch.
func (h *half) try(fd uintptr) (done bool) {
	p := h.p[:min(len(h.p), most)]
	for {
		n, _, errno := syscall.RawSyscall(h.op, fd, uintptr(unsafe.Pointer(unsafe.SliceData(p))), uintptr(len(p)))
		switch errno {
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
			return false
		case 0:
			h.n = int(n)
		default:
			h.n, h.errno = 0, errno
		}
		return true
	}
}

// once is try for those who don't wait.
func (h *half) once(fd uintptr) bool {
	if !h.try(fd) {
		h.errno = syscall.EAGAIN
	}
	return true
}

// Quiet reports whether a connection that nobody reads is open and has nothing to read.
// Where it has, a byte of it is lost.
func (c *conn) Quiet() bool {
	h := &c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	h.p, h.n, h.errno = h.one[:], 0, 0
	err := c.raw.Read(c.look)
	h.p = nil
	return err == nil && h.errno == syscall.EAGAIN
}

// Read serves net.Conn.
func (c *conn) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	h := &c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	h.p, h.n, h.errno = p, 0, 0
	err := c.raw.Read(h.step)
	h.p = nil
	switch {
	case err != nil:
		return 0, err
	case h.errno != 0:
		return 0, c.fault("read", h.errno)
	case h.n == 0:
		return 0, io.EOF
	}
	return h.n, nil
}

// Write serves net.Conn.
func (c *conn) Write(p []byte) (n int, err error) {
	h := &c.out
	h.mu.Lock()
	defer h.mu.Unlock()
	for n < len(p) {
		h.p, h.n, h.errno = p[n:], 0, 0
		err = c.raw.Write(h.step)
		h.p = nil
		switch {
		case err != nil:
			return n, err
		case h.errno != 0:
			return n, c.fault("write", h.errno)
		case h.n == 0:
			return n, io.ErrUnexpectedEOF
		}
		n += h.n
	}
	return n, nil
}

func (c *conn) fault(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.LocalAddr(), Addr: c.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
