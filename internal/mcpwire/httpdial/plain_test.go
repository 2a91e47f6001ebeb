package httpdial

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire/exchange"
)

func (c *plainCarrier) waiting() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.idle)
}

func TestConnectionsAreUsedAgain(t *testing.T) {
	t.Parallel()
	const head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
	result := `{"jsonrpc":"2.0","id":1,"result":{}}`
	for _, tt := range []struct {
		name, answer string
		idle         int
	}{
		{"a length", head + "Content-Length: 36\r\n\r\n" + result, 1},
		{"chunks", head + "Transfer-Encoding: chunked\r\n\r\n24\r\n" + result + "\r\n0\r\n\r\n", 1},
		{"interim answers first", "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head + "Content-Length: 36\r\n\r\n" + result, 1},
		{"the upstream closes it", head + "Connection: close\r\nContent-Length: 36\r\n\r\n" + result, 0},
		{"something follows the answer", head + "Content-Length: 36\r\n\r\n" + result + "HTTP/1.1 200 OK\r\n", 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			up, c := answering(t, tt.answer)
			for range 3 {
				if err := up.Call(t.Context(), c, &drain{buf: make([]byte, 1024)}); err != nil {
					t.Fatal(err)
				}
				if n := up.carrier.(*plainCarrier).waiting(); n != tt.idle {
					t.Errorf("%d connections wait; want %d", n, tt.idle)
				}
			}
		})
	}
}

func TestWhoCarries(t *testing.T) {
	t.Parallel()
	for url, own := range map[string]bool{
		"http://example.com/mcp": looks, "http://[::1]:80/mcp": looks,
		"https://example.com/mcp": false, "http://b\u00fccher.example.com/mcp": false, "http://[fe80::1%25eth0]/mcp": false,
	} {
		up, err := New(Options{URL: url})
		if err != nil {
			t.Fatal(err)
		}
		if _, got := up.(*Upstream).carrier.(*plainCarrier); got != own {
			t.Errorf("%s by ourselves: %v", url, got)
		}
	}
}

func TestHeadsThatAreNone(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]string{
		"not HTTP":       "SSH-2.0-x\r\n\r\n",
		"too large":      "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n",
		"interim only":   strings.Repeat("HTTP/1.1 102 Processing\r\n\r\n", 20),
		"another tongue": "HTTP/1.1 101 Switching Protocols\r\n\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			up, c := answering(t, answer)
			err := up.Call(t.Context(), c, &drain{})
			if !errors.Is(err, &exchange.Error{Code: exchange.BrokeOff}) {
				t.Errorf("error is %v", err)
			}
		})
	}
}

// A connection that died in a way that shows only when it is written to.
func TestNothingWrittenIsWrittenAgain(t *testing.T) {
	t.Parallel()
	up, c := scripted(t, 64)
	plain := up.carrier.(*plainCarrier)
	near, far := net.Pipe()
	_ = far.Close()
	plain.put(&plainConn{Conn: near, head: -1})
	if err := up.Call(t.Context(), c, &drain{buf: make([]byte, 1024)}); err != nil {
		t.Fatal(err)
	}
}

func TestIdleConnectionsEnd(t *testing.T) {
	t.Parallel()
	plain := &plainCarrier{large: &netCarrier{}}
	var far []net.Conn
	for range 3 {
		a, b := net.Pipe()
		plain.put(&plainConn{Conn: a})
		far = append(far, b)
	}
	plain.idle[0].since = time.Now().Add(-2 * idleTimeout)
	plain.reap()
	if n := plain.waiting(); n != 2 {
		t.Errorf("%d connections wait; want 2", n)
	}
	plain.close()
	a, b := net.Pipe()
	plain.put(&plainConn{Conn: a}) // of a call that outlived the carrier
	for _, c := range append(far, b) {
		if _, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Errorf("reading gave %v; want the end", err)
		}
	}
}

// answering is an upstream that gives the same bytes to whatever comes.
func answering(t *testing.T, answer string) (*Upstream, *exchange.Call) {
	t.Helper()
	up, err := New(Options{URL: script(t, answer)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close(context.Background()) })
	_, c := scripted(t, 1)
	return up.(*Upstream), c
}
