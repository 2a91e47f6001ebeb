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
	switch c := c.(type) {
	case *net.TCPConn:
		if raw, err := c.SyscallConn(); err == nil {
			return &tcp{c, newStream(c, raw)}
		}
	case *net.UnixConn:
		if raw, err := c.SyscallConn(); err == nil && c.LocalAddr().Network() == "unix" {
			return &unix{c, newStream(c, raw)}
		}
	}
	return c
}

// A connection has what net's has, but for what a stream does itself.
type (
	tcp struct {
		*net.TCPConn
		*stream
	}
	unix struct {
		*net.UnixConn
		*stream
	}
)

func (c *tcp) Read(p []byte) (int, error)   { return c.stream.Read(p) }
func (c *tcp) Write(p []byte) (int, error)  { return c.stream.Write(p) }
func (c *unix) Read(p []byte) (int, error)  { return c.stream.Read(p) }
func (c *unix) Write(p []byte) (int, error) { return c.stream.Write(p) }

// stream reads and writes.
type stream struct {
	of      net.Conn
	raw     syscall.RawConn
	in, out half
	look    func(fd uintptr) bool
}

func newStream(of net.Conn, raw syscall.RawConn) *stream {
	s := &stream{of: of, raw: raw}
	s.in.op, s.in.step = syscall.SYS_READ, s.in.try
	s.out.op, s.out.step = syscall.SYS_WRITE, s.out.try
	s.look = s.in.once
	return s
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
func (c *stream) Quiet() bool {
	h := &c.in
	h.mu.Lock()
	defer h.mu.Unlock()
	h.p, h.n, h.errno = h.one[:], 0, 0
	err := c.raw.Read(c.look)
	h.p = nil
	return err == nil && h.errno == syscall.EAGAIN
}

// Read serves net.Conn.
func (c *stream) Read(p []byte) (int, error) {
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
func (c *stream) Write(p []byte) (n int, err error) {
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

func (c *stream) fault(op string, errno syscall.Errno) error {
	return &net.OpError{Op: op, Net: c.of.LocalAddr().Network(), Source: c.of.LocalAddr(), Addr: c.of.RemoteAddr(), Err: os.NewSyscallError(op, errno)}
}
