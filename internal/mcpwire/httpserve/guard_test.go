package httpserve

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/mcpwire"
)

func TestWhoMayCall(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{call: echo}, AllowedHosts: []string{"relay.example.com", "Exact.example.com:8443"},
		AllowedOrigins: []string{"https://app.example.com"}})
	host := strings.TrimPrefix(url, "http://")
	body := modernCall("1", "tools/list", "")
	tests := []struct {
		name    string
		headers pairs
		status  int
	}{
		{"no origin", nil, 200},
		{"localhost", pairs{"Host", "localhost:1"}, 200},
		{"localhost in capitals", pairs{"Host", "LOCALHOST"}, 200},
		{"loopback v6", pairs{"Host", "[::1]:80"}, 200},
		{"loopback v6 without port", pairs{"Host", "[::1]"}, 200},
		{"another loopback address", pairs{"Host", "127.1.2.3:80"}, 200},
		{"rebound name", pairs{"Host", "evil.example.com"}, 403},
		{"name that begins like localhost", pairs{"Host", "localhost.evil.example.com"}, 403},
		{"name that begins like an address", pairs{"Host", "127.0.0.1.evil.example.com"}, 403},
		{"private address", pairs{"Host", "192.168.0.1"}, 403},
		{"allowed host", pairs{"Host", "relay.example.com"}, 200},
		{"allowed host, any port", pairs{"Host", "relay.example.com:99"}, 200},
		{"allowed host and port", pairs{"Host", "exact.example.com:8443"}, 200},
		{"allowed host, other port", pairs{"Host", "exact.example.com:99"}, 403},
		{"own origin", pairs{"Origin", "http://" + host}, 200},
		{"foreign origin", pairs{"Origin", "https://evil.example.com"}, 403},
		{"other port of this machine", pairs{"Origin", "http://localhost:1"}, 403},
		{"opaque origin", pairs{"Origin", "null"}, 403},
		{"allowed origin", pairs{"Origin", "https://app.example.com"}, 200},
		{"allowed origin, other scheme", pairs{"Origin", "http://app.example.com"}, 403},
		{"rebound name and its own origin", pairs{"Host", "evil.example.com", "Origin", "http://evil.example.com"}, 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, answer := post(t, url, body, append(modernHeaders("tools/list"), tt.headers...))
			if resp.StatusCode != tt.status {
				t.Errorf("got %d %s, want %d", resp.StatusCode, answer, tt.status)
			}
		})
	}
}

func TestPagesOfOtherOriginsGetNoCORS(t *testing.T) {
	t.Parallel()
	ask := pairs{"Origin", "https://app.example.com", "Access-Control-Request-Method", "POST",
		"Access-Control-Request-Headers", "Content-Type, Mcp-Method, X-Other"}
	url, _ := endpoint(t, Options{Upstream: &fake{}})
	if resp := send(context.Background(), t, http.MethodOptions, url, "", ask); resp.StatusCode != 403 || resp.Header.Get("Access-Control-Allow-Origin") != "" {
		t.Errorf("nothing configured: %d, %v", resp.StatusCode, resp.Header)
	}
	url, _ = endpoint(t, Options{Upstream: &fake{call: echo}, AllowedOrigins: []string{"https://app.example.com/"}})
	resp := send(context.Background(), t, http.MethodOptions, url, "", ask)
	if got := resp.Header.Get("Access-Control-Allow-Headers"); resp.StatusCode != 204 || got != "content-type, mcp-method" {
		t.Errorf("configured: %d, allowed headers %q", resp.StatusCode, got)
	}
	resp, _ = post(t, url, modernCall("1", "tools/list", ""), modernHeaders("tools/list", "Origin", "https://app.example.com"))
	if resp.Header.Get("Access-Control-Allow-Origin") != "https://app.example.com" || resp.Header.Get("Vary") != "Origin" {
		t.Errorf("the page can't read its answer: %v", resp.Header)
	}
}

func TestBodiesThatAreRefused(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{}, MaxHeaders: 12, Limits: mcpwire.Limits{Size: 1000}})
	ok := modernCall("1", "tools/list", "")
	tests := []struct {
		name    string
		body    string
		headers pairs
		status  int
		part    string
	}{
		{"other content type", ok, pairs{"Content-Type", "text/plain"}, 415, "-32600"},
		{"no content type", ok, pairs{"Content-Type", ""}, 415, "-32600"},
		{"other charset", ok, pairs{"Content-Type", "application/json; charset=utf-16"}, 415, "-32600"},
		{"content encoding", ok, pairs{"Content-Encoding", "gzip"}, 415, "-32600"},
		{"too large", strings.Repeat(" ", 1001) + ok, nil, 413, "-32600"},
		{"nothing", "", nil, 400, "-32700"},
		{"half a message", ok[:30], nil, 400, `"id":1`},
		{"batch", "[" + ok + "]", nil, 400, "-32600"},
		{"member twice", `{"jsonrpc":"2.0","id":7,"method":"ping","method":"tools/call"}`, nil, 400, `"id":7`},
		{"not a message", `{"jsonrpc":"2.0"}`, nil, 400, "-32600"},
		{"many headers", ok, pairs{"A", "1", "B", "1", "C", "1", "D", "1", "E", "1", "F", "1", "G", "1", "I", "1"}, 431, "-32600"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			resp, answer := post(t, url, tt.body, append(modernHeaders("tools/list"), tt.headers...))
			if resp.StatusCode != tt.status || !strings.Contains(answer, tt.part) {
				t.Errorf("got %d %s, want %d and %s", resp.StatusCode, answer, tt.status, tt.part)
			}
		})
	}
	if resp := send(context.Background(), t, http.MethodPut, url, ok, common); resp.StatusCode != 405 {
		t.Errorf("PUT: %d", resp.StatusCode)
	}
}

func TestUTF8IsTheCharsetThatMayBeNamed(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{call: echo}})
	resp, answer := post(t, url, modernCall("1", "tools/list", ""), append(modernHeaders("tools/list"), "Content-Type", "application/json; charset=UTF-8"))
	if resp.StatusCode != 200 {
		t.Errorf("%d %s", resp.StatusCode, answer)
	}
}

func TestSlowSenderIsCutOff(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{}, ReadTimeout: 20 * time.Millisecond})
	const unsent = "Content-Length: 100\r\n\r\n{"
	tests := []struct{ name, head, status string }{
		{"a message", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" + unsent, "408"},
		{"a message in chunks", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{", "408"},
		{"another type", "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: text/plain\r\n" + unsent, "415"},
		{"a foreign host", "POST / HTTP/1.1\r\nHost: example.com\r\n" + unsent, "403"},
		{"a stream", "GET / HTTP/1.1\r\nHost: localhost\r\n" + unsent, "400"},
		{"an end", "DELETE / HTTP/1.1\r\nHost: localhost\r\n" + unsent, "400"},
		{"another method", "PUT / HTTP/1.1\r\nHost: localhost\r\n" + unsent, "405"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if err = c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			if _, err = c.Write([]byte(tt.head)); err != nil {
				t.Fatal(err)
			}
			got, err := io.ReadAll(c) // until the connection is closed
			if err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 "+tt.status) {
				t.Errorf("%q, %v", got, err)
			}
		})
	}
}

func TestClientThatReadsNothingIsCutOff(t *testing.T) {
	t.Parallel()
	call := modernCall("1", "tools/list", "")
	head := "POST / HTTP/1.1\r\nContent-Type: application/json\r\nMCP-Protocol-Version: 2026-07-28\r\nMcp-Method: tools/list\r\n" +
		"Content-Length: " + strconv.Itoa(len(call)) + "\r\n"
	for name, request := range map[string]string{"answered": head + "Host: localhost\r\n\r\n" + call, "refused": head + "Host: example.com\r\n\r\n" + call} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			url, _ := endpoint(t, Options{WriteTimeout: 50 * time.Millisecond, Upstream: &fake{call: echo}})
			c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = c.Close() }()
			if err = c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
				t.Fatal(err)
			}
			many := []byte(strings.Repeat(request, 1000))
			for err == nil { // until the other side gives up
				_, err = c.Write(many)
			}
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the connection is still held")
			}
		})
	}
}

func TestRefusedSenders(t *testing.T) {
	t.Parallel()
	url, _ := endpoint(t, Options{Upstream: &fake{}, Authenticate: authenticate})
	for _, tt := range []struct {
		token, challenge string
		status           int
	}{{"", "Bearer", 401}, {"expired", `Bearer error="invalid_token"`, 401}, {"small", "", 403}} {
		resp, body := post(t, url, modernCall("1", "tools/list", ""), modernHeaders("tools/list", "Authorization", tt.token))
		if resp.StatusCode != tt.status || resp.Header.Get("WWW-Authenticate") != tt.challenge || strings.Contains(body, "expired") {
			t.Errorf("token %q: %d %v %s", tt.token, resp.StatusCode, resp.Header, body)
		}
	}
}
