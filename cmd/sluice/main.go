// Command sluice is the gate between business data, agents and Meta.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime"
	"syscall"

	"sluice/internal/cli"
	"sluice/internal/mcpwire/stdiodial"
)

func main() {
	stdiodial.MaybeChild()
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		got := <-signals
		cancel(cli.Signal{Signal: got})
		// The first asks for an orderly end; a second one does not wait for it.
		signal.Reset(os.Interrupt, syscall.SIGTERM)
	}()
	os.Exit(cli.Main(ctx, cli.Process{
		Args: os.Args[1:], Env: os.Environ(), Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Threads: runtime.GOMAXPROCS,
	}))
}
