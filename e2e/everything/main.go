// Command everything serves internal/testkit/everything: over HTTP with --listen, else
// on standard input and output. Tests start it as the upstream of a relay.
package main

import (
	"context"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"sluice/internal/testkit/everything"
)

func main() {
	listen := flag.String("listen", "", "serve HTTP on this address and print the URL; without it, stdio")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, *listen); err != nil {
		fmt.Fprintln(os.Stderr, "everything:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, listen string) error {
	server := everything.New()
	defer server.Close()
	if listen == "" {
		return server.Stdio(ctx, os.Stdin, os.Stdout)
	}
	listener, err := net.Listen("tcp", listen)
	if err != nil {
		return err
	}
	fmt.Printf("listening on http://%s/mcp\n", listener.Addr())
	web := &http.Server{Handler: server.Handler(), ReadHeaderTimeout: 10 * time.Second}
	go func() {
		<-ctx.Done()
		_ = web.Close()
	}()
	if err := web.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}
