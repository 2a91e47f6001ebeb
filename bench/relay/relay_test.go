package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"

	"sluice/internal/mcpwire"
)

// A call of the modern era as a client sends it, on one connection.
func request(host string) []byte {
	const body = `{"jsonrpc":"2.0","id":17,"method":"tools/call","params":{"_meta":{"io.modelcontextprotocol/clientCapabilities":{},"io.modelcontextprotocol/clientInfo":{"name":"bench","version":"1"},"io.modelcontextprotocol/protocolVersion":"2026-07-28"},"name":"say","arguments":{"bytes":64,"label":"orders"}}}`
	return fmt.Appendf(nil, "POST /mcp HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"+
		"MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/call\r\nMcp-Name: say\r\nContent-Length: %d\r\n\r\n%s", host, len(body), body)
}

// answers are the same result in the two forms that an upstream may choose.
func answers(size int) map[string][]byte {
	message := `{"jsonrpc":"2.0","id":17,"result":{"resultType":"complete","content":[{"type":"text","text":"` + strings.Repeat("x", size) + `"}]}}`
	event := "event: message\ndata: " + message + "\n\n"
	return map[string][]byte{
		"JSON": fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(message), message),
		"SSE":  fmt.Appendf(nil, "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n", len(event), event),
	}
}

// canned answers every request on every connection with the same bytes, and takes
// nothing from the heap for it.
func canned(b *testing.B, answer []byte) string {
	b.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for r := bufio.NewReader(conn); readMessage(r) == nil; {
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l.Addr().String()
}

// readMessage reads one HTTP message and drops it, without allocating.
func readMessage(r *bufio.Reader) error {
	length, chunked := 0, false
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		line = bytes.TrimRight(line, "\r\n")
		if len(line) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok {
			switch {
			case bytes.EqualFold(name, []byte("Content-Length")):
				length, _ = strconv.Atoi(string(value))
			case bytes.EqualFold(name, []byte("Transfer-Encoding")):
				chunked = true
			}
		}
	}
	if !chunked {
		_, err := r.Discard(length)
		return err
	}
	for {
		line, err := r.ReadSlice('\n')
		if err != nil {
			return err
		}
		n := 0
		for _, c := range bytes.TrimRight(line, "\r\n") {
			if n *= 16; c >= 'a' {
				n += int(c-'a') + 10
			} else {
				n += int(c - '0')
			}
		}
		if _, err := r.Discard(n + 2); err != nil || n == 0 {
			return err
		}
	}
}

// BenchmarkCall is one call over sockets, one after the other. Client and upstream
// take nothing from the heap: the allocations are the relay's.
func BenchmarkCall(b *testing.B) {
	relays := []struct {
		name string
		make func(string) (http.Handler, error)
	}{{"direct", nil}, {"copying", copying}, {"sluice", func(to string) (http.Handler, error) { return parts(to, mcpwire.Modern) }}}
	for _, size := range []int{64, 64 << 10} {
		for form, answer := range answers(size) {
			for _, relay := range relays {
				b.Run(fmt.Sprintf("%s/%dB/%s", form, size, relay.name), func(b *testing.B) {
					addr := canned(b, answer)
					if relay.make != nil {
						h, err := relay.make("http://" + addr + "/mcp")
						if err != nil {
							b.Fatal(err)
						}
						server := httptest.NewServer(h)
						b.Cleanup(server.Close)
						addr = server.Listener.Addr().String()
					}
					conn, err := net.Dial("tcp", addr)
					if err != nil {
						b.Fatal(err)
					}
					defer conn.Close()
					call, r := request(addr), bufio.NewReaderSize(conn, 128<<10)
					if _, err := conn.Write(call); err != nil {
						b.Fatal(err)
					}
					head, err := r.Peek(15)
					if err != nil || string(head) != "HTTP/1.1 200 OK" {
						all, _ := io.ReadAll(r)
						b.Fatalf("the answer is %s%s", head, all)
					}
					if err := readMessage(r); err != nil {
						b.Fatal(err)
					}
					b.ReportAllocs()
					for b.Loop() {
						if _, err := conn.Write(call); err != nil {
							b.Fatal(err)
						}
						if err := readMessage(r); err != nil {
							b.Fatal(err)
						}
					}
				})
			}
		}
	}
}
