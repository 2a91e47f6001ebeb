// Command relay measures what a relay costs a real MCP client and server, both on the
// official Go SDK: direct, through a relay in Go that only copies HTTP, through one that
// copies the bytes of connections and knows no HTTP (the floor for a process in
// between), through `sluice proxy`, and through the gateway with everything on (grant,
// three argument conditions, a durable limit, chained audit) as `sluice proxy -p` on
// SQLite and, where there is a PostgreSQL, on that; in turns, in one run, in both eras.
//
//	go run ./bench/relay [-rounds N] [-slice D] [-sluice PROGRAM] [-era legacy|modern] [-clients N] [-bytes N] [-other PROGRAM]
//
// The upstream, the relays and the clients are processes of their own on loopback;
// each relay has an upstream connection pool of its own to the same upstream. A call
// is tools/call of a tool that answers with as much text as it is asked for.
//
// Limits: client, relay and upstream share the machine's cores, so that with many
// clients what is measured is processor time more than waiting. Ratios carry over to
// other machines, single numbers do not.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/pprof"
	"time"

	"sluice/internal/testkit/proc"
)

func main() {
	serveRole := flag.String("serve", "", "be one of the servers: legacy, modern, forward, copy, parts")
	target := flag.String("upstream", "", "with -serve forward, copy and parts: where to")
	profile := flag.String("profile", "", "with -serve: write a CPU profile to this file at the end")
	rounds := flag.Int("rounds", 7, "slices of each path in each setting")
	slice := flag.Duration("slice", 300*time.Millisecond, "length of a slice")
	program := flag.String("sluice", "", "the sluice program; empty builds it")
	other := flag.String("other", "", "another sluice program, to be compared with the first")
	bare := flag.Bool("bare", false, "leave the paths with a policy out")
	era := flag.String("era", "", "only this era: legacy or modern")
	clients := flag.Int("clients", 0, "only this many clients; 0: 1 and 16")
	size := flag.Int("bytes", 0, "only results of this size; 0: 64 and 65536")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var err error
	if *serveRole != "" {
		err = profiled(*profile, func() error { return role(*serveRole, *target) })
	} else {
		err = run(ctx, os.Stdout, options{*rounds, *slice, *program, *other, *bare, *era, or(*clients, 1, 16), or(*size, 64, 64<<10)})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// profiled runs f, under a CPU profile when it is wanted.
func profiled(file string, f func() error) error {
	if file == "" {
		return f()
	}
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	err = f()
	pprof.StopCPUProfile()
	return errors.Join(err, out.Close())
}

func role(name, target string) error {
	var h http.Handler
	switch name {
	case "legacy", "modern":
		h = upstream(name == "modern")
	case "forward":
		return forward(target)
	case "copy", "parts":
		var err error
		if h, err = copying(target); name == "parts" {
			h, err = parts(target, 0)
		}
		if err != nil {
			return err
		}
	default:
		return fmt.Errorf("-serve %s: it is legacy, modern, forward, copy or parts", name)
	}
	return serve(h)
}

type options struct {
	rounds  int
	slice   time.Duration
	program string
	other   string
	bare    bool
	era     string
	clients []int
	sizes   []int
}

// or is the one that was asked for, or else all.
func or(one int, all ...int) []int {
	if one != 0 {
		return []int{one}
	}
	return all
}

// eras are the two, each with the newest version of it.
var eras = []struct{ name, version string }{{"legacy", "2025-11-25"}, {"modern", "2026-07-28"}}

func run(ctx context.Context, out io.Writer, o options) error {
	if o.program == "" {
		dir, err := os.MkdirTemp("", "relay-bench")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.program = filepath.Join(dir, "sluice")
		build := exec.CommandContext(ctx, "go", "build", "-o", o.program, "./cmd/sluice")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		build.Stderr = os.Stderr
		if err := build.Run(); err != nil {
			return fmt.Errorf("building sluice: %w", err)
		}
	}
	fmt.Fprint(out, head)
	for _, e := range eras {
		if o.era != "" && o.era != e.name {
			continue
		}
		if err := runEra(ctx, out, o, e.name, e.version); err != nil {
			return fmt.Errorf("%s: %w", e.name, err)
		}
	}
	return nil
}

// runEra measures all settings of one era, with servers started for it.
func runEra(ctx context.Context, out io.Writer, o options, era, version string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	up, err := proc.Start(ctx, nil, self, "-serve", era)
	if err != nil {
		return err
	}
	defer up.Kill()
	plain, err := proc.Start(ctx, nil, self, "-serve", "copy", "-upstream", up.URL)
	if err != nil {
		return err
	}
	defer plain.Kill()
	floor, err := proc.Start(ctx, nil, self, "-serve", "forward", "-upstream", up.URL)
	if err != nil {
		return err
	}
	defer floor.Kill()
	sluice, err := proc.Start(ctx, nil, o.program, "proxy", "--upstream", up.URL, "--listen", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer func() { _ = sluice.Stop() }()
	paths := []*path{
		{name: "direct", url: up.URL},
		{name: "copying relay", url: plain.URL, process: plain},
		{name: "TCP forwarder", url: floor.URL, process: floor},
		{name: "sluice proxy", url: sluice.URL, process: sluice},
	}
	if o.other != "" {
		other, err := proc.Start(ctx, nil, o.other, "proxy", "--upstream", up.URL, "--listen", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = other.Stop() }()
		paths = append(paths, &path{name: "the other sluice", url: other.URL, process: other})
	}
	if !o.bare {
		guarded, stop, err := guarded(ctx, o.program, up.URL)
		defer stop()
		if err != nil {
			return err
		}
		paths = append(paths, guarded...)
	}
	for _, clients := range o.clients {
		for _, size := range o.sizes {
			s := setting{era: era, version: version, size: size, clients: clients}
			err := measure(ctx, s, paths, o.rounds, o.slice)
			if err == nil {
				table(out, s, paths)
			}
			for _, p := range paths {
				p.close()
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
