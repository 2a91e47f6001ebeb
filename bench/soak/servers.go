package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"runtime"
	"runtime/pprof"
	"strings"
	"syscall"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/app"
)

// role runs one of the servers that a soak consists of, until it is interrupted:
//
//	-serve legacy|modern ADDR       the upstream, on the official SDK
//	-serve relay UPSTREAM SOCKET    Sluice; what it uses is told on the socket
func role(args []string) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch {
	case len(args) == 2 && (args[0] == "legacy" || args[0] == "modern"):
		return serveUpstream(ctx, args[0] == "modern", args[1])
	case len(args) == 3 && args[0] == "relay":
		return serveRelay(ctx, args[1], args[2])
	}
	return fmt.Errorf("-serve %s: not one of the servers", strings.Join(args, " "))
}

// serveUpstream serves a tool that works for a while and reports its progress.
func serveUpstream(ctx context.Context, stateless bool, addr string) error {
	s := mcp.NewServer(&mcp.Implementation{Name: "soak", Version: "1"}, &mcp.ServerOptions{
		SubscribeHandler:   func(context.Context, *mcp.SubscribeRequest) error { return nil },
		UnsubscribeHandler: func(context.Context, *mcp.UnsubscribeRequest) error { return nil },
	})
	type asked struct {
		Steps  int `json:"steps"`
		StepMS int `json:"step_ms"`
	}
	mcp.AddTool(s, &mcp.Tool{Name: "work", Description: "Works for a while and tells how far it got."},
		func(ctx context.Context, r *mcp.CallToolRequest, in asked) (*mcp.CallToolResult, any, error) {
			for step := range in.Steps {
				select {
				case <-ctx.Done():
					return nil, nil, ctx.Err()
				case <-time.After(time.Duration(in.StepMS) * time.Millisecond):
				}
				if token := r.Params.GetProgressToken(); token != nil {
					_ = r.Session.NotifyProgress(ctx, &mcp.ProgressNotificationParams{ProgressToken: token, Progress: float64(step + 1), Total: float64(in.Steps)})
				}
			}
			return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: strings.Repeat("x", 64)}}}, nil, nil
		})
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s/mcp\n", l.Addr())
	h := mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s },
		&mcp.StreamableHTTPOptions{Stateless: stateless, PropagateRequestCancellation: stateless})
	server := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	defer context.AfterFunc(ctx, func() { _ = server.Close() })()
	if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// usage is what the relay's process holds, after a collection.
type usage struct {
	Heap       uint64 `json:"heap"`
	Goroutines int    `json:"goroutines"`
}

// serveRelay runs the relay as `sluice proxy` does. After its shutdown no goroutine
// may be left: it fails and prints those that are.
func serveRelay(ctx context.Context, upstream, socket string) error {
	told, err := net.Listen("unix", socket)
	if err != nil {
		return err
	}
	teller := &http.Server{ReadHeaderTimeout: time.Second, Handler: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		runtime.GC()
		runtime.GC() // the first only moves what pools hold aside
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		_ = json.NewEncoder(w).Encode(usage{m.HeapAlloc, runtime.NumGoroutine()})
	})}
	telling := make(chan struct{})
	go func() { defer close(telling); _ = teller.Serve(told) }()

	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))
	up, err := app.Upstream(app.UpstreamSpec{Name: "soak", URL: upstream, Log: log})
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s/mcp\n", l.Addr())
	err = (&app.Relay{Upstream: up, Server: "soak", Log: log}).HTTP(ctx, l)
	teller.Close()
	<-telling
	return errors.Join(err, goroutinesLeft())
}

// goroutinesLeft gives what was told to end a moment, and fails when some did not.
// Two are the program's own: main and the one that receives signals.
func goroutinesLeft() error {
	const own = 2
	deadline := time.Now().Add(5 * time.Second)
	for runtime.NumGoroutine() > own {
		if time.Now().After(deadline) {
			_ = pprof.Lookup("goroutine").WriteTo(os.Stderr, 1)
			return fmt.Errorf("%d goroutines are left after the shutdown", runtime.NumGoroutine()-own)
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil
}
