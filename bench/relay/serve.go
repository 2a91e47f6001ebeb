package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"
)

// serve runs one of this program's servers until it is interrupted.
func serve(h http.Handler) error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s/mcp\n", l.Addr())
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		s.Close()
	}()
	if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// upstream is a server on the official SDK with one tool, which answers with as much
// text as it is asked for.
func upstream(stateless bool) http.Handler {
	s := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
	type asked struct {
		Bytes int    `json:"bytes"`
		Label string `json:"label,omitempty"`
	}
	mcp.AddTool(s, &mcp.Tool{Name: "say", Description: "Says as much as it is asked for."},
		func(_ context.Context, _ *mcp.CallToolRequest, in asked) (*mcp.CallToolResult, any, error) {
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.Repeat("x", in.Bytes)}}}, nil, nil
		})
	return mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s },
		&mcp.StreamableHTTPOptions{Stateless: stateless, PropagateRequestCancellation: stateless})
}

// forward is the floor: it moves the bytes of connections and knows no HTTP. What it
// costs is what any further process in between costs.
func forward(target string) error {
	to, err := url.Parse(target)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s%s\n", l.Addr(), to.Path)
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go func() {
			defer conn.Close()
			up, err := net.Dial("tcp", to.Host)
			if err != nil {
				return
			}
			go func() {
				// The types hide that both are sockets, which the kernel could couple.
				_, _ = io.Copy(struct{ io.Writer }{up}, struct{ io.Reader }{conn})
				up.Close()
			}()
			_, _ = io.Copy(struct{ io.Writer }{conn}, struct{ io.Reader }{up})
		}()
	}
}

// copying is the least that a relay of HTTP in Go can do: it moves bytes and headers,
// and flushes after every read.
func copying(target string) (http.Handler, error) {
	to, err := url.Parse(target)
	if err != nil {
		return nil, err
	}
	client := &http.Transport{MaxIdleConns: 1024, MaxIdleConnsPerHost: 1024, DisableCompression: true}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The body is read first: a server that begins to answer closes it, and a
		// transport that has not seen its end by then gives up the connection.
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, "the body broke off", http.StatusBadRequest)
			return
		}
		up := r.Clone(r.Context())
		up.URL, up.Host, up.RequestURI = to, "", ""
		if up.Body = http.NoBody; len(body) > 0 {
			up.Body = io.NopCloser(bytes.NewReader(body))
		}
		resp, err := client.RoundTrip(up)
		if err != nil {
			http.Error(w, "the upstream failed", http.StatusBadGateway)
			return
		}
		defer resp.Body.Close()
		for name, values := range resp.Header {
			w.Header()[name] = values
		}
		w.WriteHeader(resp.StatusCode)
		flush := http.NewResponseController(w).Flush
		buf := make([]byte, 32<<10)
		for {
			n, err := resp.Body.Read(buf)
			if n > 0 {
				if _, err := w.Write(buf[:n]); err != nil {
					return
				}
				_ = flush()
			}
			if err != nil {
				if !errors.Is(err, io.EOF) {
					panic(http.ErrAbortHandler)
				}
				return
			}
		}
	}), nil
}
