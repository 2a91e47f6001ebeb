package httpdial

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/mcpwire/socket"
)

// plainCarrier speaks HTTP/1.1 over unencrypted connections of its own, in the
// goroutine of the call: net/http's transport hands each request to two others and
// back, which costs more than all else that a relay does. See bench_test.go for what
// it saves.
//
// Before a connection is used again it is looked at, so that one that the upstream
// closed meanwhile costs no call, and one that it wrote to unasked answers none. Where
// a system can't look, net/http's transport, which reads all the time, carries it all.
type plainCarrier struct {
	address   string
	dialer    *net.Dialer
	maxHeader int64
	large     carrier // takes bodies that the upstream may not want to read

	target atomic.Pointer[plainTarget]

	mu     sync.Mutex
	idle   []*plainConn // the one used last at the end
	reaper *time.Timer
	closed bool
}

// plainTarget is a URL in the form that a request has it in.
type plainTarget struct {
	url       *url.URL
	host, uri string
}

// Limits of plainCarrier.
const (
	maxPlain    = 64 << 10 // bytes of a body that is written in one piece
	maxIdle     = 1024
	idleTimeout = 90 * time.Second
	maxInterim  = 8 // answers of status 1xx before the real one
)

func newPlainCarrier(o Options, u *url.URL, dialer *net.Dialer, large carrier) *plainCarrier {
	port := u.Port()
	if port == "" {
		port = "80"
	}
	return &plainCarrier{address: net.JoinHostPort(u.Hostname(), port), dialer: dialer, maxHeader: o.MaxHeader, large: large}
}

func (c *plainCarrier) send(ctx context.Context, u *url.URL, o *outgoing) (*http.Response, error) {
	if len(o.body) > maxPlain {
		return c.large.send(ctx, u, o)
	}
	target := c.target.Load()
	if target == nil || target.url != u {
		target = &plainTarget{url: u, host: u.Host, uri: u.RequestURI()}
		c.target.Store(target)
	}
	for {
		conn, used, err := c.take(ctx)
		if err != nil {
			return nil, err
		}
		if o.connected != nil {
			o.connected()
		}
		resp, wrote, err := c.exchange(ctx, conn, target, o)
		if err == nil {
			return resp, nil
		}
		_ = conn.Close()
		if !used || wrote || ctx.Err() != nil {
			return nil, err
		}
	}
}

// exchange sends the request over conn and reads the head of the answer. wrote says
// that a part of the request may have arrived.
func (c *plainCarrier) exchange(ctx context.Context, conn *plainConn, target *plainTarget, o *outgoing) (_ *http.Response, wrote bool, err error) {
	stop := context.AfterFunc(ctx, conn.cut)
	defer func() {
		if err != nil {
			stop()
		}
	}()
	p := requests.Get().(*[]byte)
	b := o.append((*p)[:0], target)
	n, err := conn.Write(b)
	*p = b[:0]
	requests.Put(p)
	if err != nil {
		return nil, n > 0, err
	}
	conn.head = c.maxHeader
	var resp *http.Response
	for interim := 0; ; interim++ {
		resp, err = http.ReadResponse(conn.r, stub(o.method))
		switch {
		case err != nil:
			return nil, true, err
		case resp.StatusCode >= 200:
		case resp.StatusCode == http.StatusSwitchingProtocols || interim == maxInterim:
			return nil, true, errors.New("the upstream answers with interim responses only")
		default:
			continue
		}
		break
	}
	conn.head = -1
	resp.Body = &plainBody{inner: resp.Body, carrier: c, conn: conn, stop: stop, last: resp.Close}
	return resp, true, nil
}

var requests = sync.Pool{New: func() any { b := make([]byte, 0, 2<<10); return &b }}

// append writes the request as it goes over the wire. check has seen its fields.
func (o *outgoing) append(b []byte, t *plainTarget) []byte {
	b = append(append(append(append(b, o.method...), ' '), t.uri...), " HTTP/1.1\r\nHost: "...)
	b = append(append(b, t.host...), "\r\n"...)
	for _, f := range o.fields {
		b = append(append(append(append(b, f.name...), ": "...), f.value...), "\r\n"...)
	}
	if o.body != nil {
		b = strconv.AppendInt(append(b, "Content-Length: "...), int64(len(o.body)), 10)
		b = append(b, "\r\n"...)
	}
	return append(append(b, "\r\n"...), o.body...)
}

// Requests that answers are read for: what counts is the method.
var (
	stubPost   = &http.Request{Method: http.MethodPost}
	stubGet    = &http.Request{Method: http.MethodGet}
	stubDelete = &http.Request{Method: http.MethodDelete}
)

func stub(method string) *http.Request {
	switch method {
	case http.MethodGet:
		return stubGet
	case http.MethodDelete:
		return stubDelete
	}
	return stubPost
}

// plainConn is one connection.
type plainConn struct {
	net.Conn
	raw   syscall.RawConn
	r     *bufio.Reader
	head  int64     // bytes that the head of an answer may still have; -1: not reading one
	since time.Time // idle
}

var errHead = errors.New("the head of the answer is too large")

// Read limits what the head of an answer may take.
func (c *plainConn) Read(p []byte) (int, error) {
	if c.head < 0 {
		return c.Conn.Read(p)
	}
	if c.head == 0 {
		return 0, errHead
	}
	n, err := c.Conn.Read(p)
	c.head = max(c.head-int64(n), 0)
	return n, err
}

// quiet reports whether an idle connection is still open and has nothing to read.
func (c *plainConn) quiet() bool {
	if q, ok := c.Conn.(interface{ Quiet() bool }); ok {
		return q.Quiet()
	}
	return quiet(c.raw)
}

// cut ends whatever is going on.
func (c *plainConn) cut() { _ = c.Conn.Close() }

// take is a connection, and whether it was used before.
func (c *plainCarrier) take(ctx context.Context) (conn *plainConn, used bool, err error) {
	for {
		c.mu.Lock()
		n := len(c.idle)
		if n == 0 {
			c.mu.Unlock()
			break
		}
		conn, c.idle[n-1] = c.idle[n-1], nil
		c.idle = c.idle[:n-1]
		c.mu.Unlock()
		if conn.quiet() {
			return conn, true, nil
		}
		_ = conn.Close()
	}
	plain, err := c.dialer.DialContext(ctx, "tcp", c.address)
	if err != nil {
		return nil, false, err
	}
	conn = &plainConn{Conn: socket.Conn(plain), head: -1}
	conn.r = bufio.NewReaderSize(conn, 4<<10)
	if sc, ok := plain.(syscall.Conn); ok {
		conn.raw, _ = sc.SyscallConn() // without it the connection is taken to be good
	}
	return conn, false, nil
}

// put keeps a connection for later.
func (c *plainCarrier) put(conn *plainConn) {
	conn.since = time.Now()
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed || len(c.idle) >= maxIdle {
		_ = conn.Close()
		return
	}
	c.idle = append(c.idle, conn)
	if c.reaper == nil {
		c.reaper = time.AfterFunc(idleTimeout, c.reap)
	}
}

// reap closes what was idle for too long.
func (c *plainCarrier) reap() {
	c.mu.Lock()
	defer c.mu.Unlock()
	old := 0
	for old < len(c.idle) && time.Since(c.idle[old].since) >= idleTimeout {
		_ = c.idle[old].Close()
		old++
	}
	c.idle = append(c.idle[:0], c.idle[old:]...)
	if c.reaper = nil; len(c.idle) > 0 && !c.closed {
		c.reaper = time.AfterFunc(idleTimeout-time.Since(c.idle[0].since), c.reap)
	}
}

func (c *plainCarrier) close() {
	c.large.close()
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for _, conn := range c.idle {
		_ = conn.Close()
	}
	c.idle = nil
	if c.reaper != nil {
		c.reaper.Stop()
	}
}

// plainBody is the body of an answer. Its connection is used again once it was read to
// its end, and closed otherwise. Close may come while a Read waits.
type plainBody struct {
	inner   io.ReadCloser
	carrier *plainCarrier
	conn    *plainConn
	stop    func() bool // detaches the context; false: it has ended
	last    bool        // the upstream closes the connection
	over    atomic.Bool
}

func (b *plainBody) Read(p []byte) (int, error) {
	n, err := b.inner.Read(p) // after its end it leaves the connection alone
	if err != nil {
		b.finish(err == io.EOF)
	}
	return n, err
}

func (b *plainBody) Close() error {
	b.finish(b.inner == http.NoBody)
	return nil
}

func (b *plainBody) finish(whole bool) {
	if b.over.Swap(true) {
		return
	}
	if b.stop() && whole && !b.last && b.conn.r.Buffered() == 0 {
		b.carrier.put(b.conn)
		return
	}
	_ = b.conn.Close()
}
