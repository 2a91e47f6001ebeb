package httpdial

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/exchange"
)

type drain struct{ buf []byte }

func (*drain) Send(exchange.Event) error { return nil }

func (d *drain) Relay(resp *http.Response) error {
	for {
		if _, err := resp.Body.Read(d.buf); err == io.EOF {
			return resp.Body.Close()
		} else if err != nil {
			return err
		}
	}
}

const benchCall = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"add","_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}},"arguments":{"a":1}}}`

// BenchmarkCall is what a relayed call costs on this side, by who carries it. The
// upstream only writes its answer.
func BenchmarkCall(b *testing.B) {
	for _, size := range []int{64, 64 << 10} {
		up, c := scripted(b, size)
		plain := up.carrier.(*plainCarrier)
		for _, one := range []struct {
			name    string
			carrier carrier
		}{{"own", plain}, {"net-http", plain.large}} {
			up.carrier = one.carrier
			b.Run(fmt.Sprintf("%s/%dB", one.name, size), func(b *testing.B) {
				b.ReportAllocs()
				out := &drain{buf: make([]byte, 32<<10)}
				for b.Loop() {
					if err := up.Call(context.Background(), c, out); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
		up.carrier = plain
	}
}

// scripted is an upstream that answers with a result of that size, and a call to it.
func scripted(t testing.TB, size int) (*Upstream, *exchange.Call) {
	t.Helper()
	body := `{"jsonrpc":"2.0","id":1,"result":{"text":"` + strings.Repeat("x", size) + `"}}`
	up, err := New(Options{URL: script(t, fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nDate: x\r\nContent-Length: %d\r\n\r\n%s", len(body), body))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = up.Close(context.Background()) })
	m, err := mcpwire.Parse([]byte(benchCall), mcpwire.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	return up.(*Upstream), &exchange.Call{Message: &m, Version: mcpwire.Version20260728, Header: http.Header{}}
}

// script answers on a raw connection, so that only the client's side is counted.
func script(t testing.TB, answer string) (url string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				b := make([]byte, 8<<10)
				for {
					if _, err := c.Read(b); err != nil {
						return
					}
					if _, err := io.WriteString(c, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/mcp"
}

// What a relayed call may cost, all told on this side.
func TestAllocations(t *testing.T) {
	up, c := scripted(t, 64)
	out := &drain{buf: make([]byte, 32<<10)}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	n := testing.AllocsPerRun(200, func() {
		if err := up.Call(ctx, c, out); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%.0f allocations per call", n)
	if n > 35 {
		t.Errorf("a relayed call makes %.0f allocations; 35 are allowed", n)
	}
}
