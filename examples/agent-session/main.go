// Command agent-session plays an agent at work on Meta's platform: through `sluice proxy`
// with a policy, to `sluice mcp`, to `sluice sandbox`, each a process of its own. It
// prints what the agent asked and what it was answered, then what the audit log says of
// it, and ends with status 0 only if every answer was the expected one. README.md beside
// this file explains the scenes.
//
//	go run ./examples/agent-session [-sluice PATH] [-policy FILE] [-keep]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
	"time"
)

func main() {
	var o options
	flag.StringVar(&o.program, "sluice", "", "the sluice program (default: it is built)")
	flag.StringVar(&o.policy, "policy", "", "another policy than policy.json: see what the agent hears then")
	flag.BoolVar(&o.keep, "keep", false, "keep the directory with the state, to look around")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintln(os.Stderr, "usage: agent-session [-sluice PATH] [-policy FILE] [-keep]")
		os.Exit(2)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGPIPE)
	err := run(ctx, os.Stdout, o)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "agent-session:", err)
		os.Exit(1)
	}
}

type options struct {
	program string
	policy  string
	keep    bool
}

// longest is how long a session may take; it takes seconds.
const longest = 5 * time.Minute

func run(ctx context.Context, out io.Writer, o options) (err error) {
	ctx, cancel := context.WithTimeout(ctx, longest)
	defer cancel()
	s, err := setStage(ctx, o)
	if s != nil {
		defer func() { err = errors.Join(err, s.close(o.keep)) }()
	}
	if err != nil {
		return err
	}
	if o.keep {
		fmt.Fprintf(out, "Everything stays in %s: sluice --state-dir %s audit search\n", s.dir, s.gate)
	}
	fmt.Fprintf(out, "An agent of a small shop, through sluice proxy -p policy.json, at a double of Meta (%s)\n", s.sandbox)
	a, err := s.hire(ctx, out)
	if err != nil {
		return err
	}
	if err := a.play(ctx); err != nil {
		return errors.Join(err, a.leave(), s.said())
	}
	// The server is stopped before its ledger is looked at.
	if err := a.leave(); err != nil {
		return errors.Join(err, s.said())
	}
	return s.prove(ctx, out, a.transcript)
}
