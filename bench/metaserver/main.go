// Command metaserver measures the MCP server for Meta's platform, `sluice mcp`, and beside
// it the best-known one of the npm registry, against one `sluice sandbox`:
//
//	go run ./bench/metaserver [-rounds N] [-calls N] [-sluice PROGRAM] [-npm DIR]
//
// Start-up is from starting the process until initialize is answered; the list from its
// request to the last byte of the answer; a call goes through the official client, one
// after the other, into the sandbox, which is a process of its own. All servers take turns
// in one run. Beside each time stands the processor time that the server took for it, which
// other work on the machine does not change.
//
// The npm server is installed with npm into DIR (by default in the user's cache) without
// running its scripts; where that fails the others are measured without it. It has no
// setting for the address of the Graph API, so that the one line of its installed copy that
// holds the address is made to read it from the environment.
//
// Limits: client, server and sandbox share the machine's cores, and the garbage collectors
// run when they like. Ratios carry over to other machines, single numbers do not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"

	"sluice/internal/testkit/proc"
)

func main() {
	var o options
	flag.IntVar(&o.rounds, "rounds", 9, "starts of each server")
	flag.IntVar(&o.calls, "calls", 1000, "calls of each kind")
	flag.StringVar(&o.program, "sluice", "", "the sluice program; empty builds it")
	flag.StringVar(&o.npm, "npm", "", "folder of the npm server; empty: in the user's cache; - leaves it out")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Stdout, o); err != nil {
		fmt.Fprintln(os.Stderr, "metaserver:", err)
		os.Exit(1)
	}
}

type options struct {
	rounds, calls int
	program, npm  string
}

func run(ctx context.Context, out io.Writer, o options) (err error) {
	dir, err := os.MkdirTemp("", "metaserver-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if o.program == "" {
		o.program = filepath.Join(dir, "sluice")
		build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-ldflags=-s -w", "-o", o.program, "./cmd/sluice")
		build.Env, build.Stderr = append(os.Environ(), "CGO_ENABLED=0"), os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building sluice: %w", err)
		}
	}
	box, err := proc.Start(ctx, nil, o.program, "sandbox", "--addr", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer box.Kill()

	servers := ours(o.program, dir, box.URL)
	other, err := npmServer(ctx, o.npm, box.URL)
	switch {
	case err != nil:
		fmt.Fprintln(os.Stderr, "metaserver: without the npm server:", err)
	case other != nil:
		servers = append(servers, other)
	}
	for range o.rounds {
		for _, s := range servers {
			if err := s.start(ctx); err != nil {
				return fmt.Errorf("%s: %w", s.name, err)
			}
		}
	}
	for _, s := range servers {
		if err := s.call(ctx, o.calls); err != nil {
			return fmt.Errorf("%s: %w", s.name, err)
		}
	}
	fmt.Fprintf(out, "%s/%s, %d cores, %s\n\n", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())
	table(out, servers)
	return nil
}
