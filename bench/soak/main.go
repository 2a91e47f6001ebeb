// Command soak keeps relays of both eras under many streams for long, kills their
// upstreams under that load, and says whether anything was lost: memory, a goroutine,
// or an answer.
//
//	go run ./bench/soak [-idle N] [-busy N] [-length D] [-kills N]
//
// Each era has a relay, composed as `sluice proxy` is, and an upstream on the official
// SDK, in processes of their own. Half of the idle streams are GET streams of legacy
// sessions, half subscriptions/listen; a busy stream is one call after the other, each
// with progress on its way. It fails when heap or goroutines of a relay grew from
// start to end, when a call ended without an answer, or when a goroutine was left
// after the relay's shutdown.
//
// Limits: the clients are raw HTTP on loopback; a slow network is not part of it.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "-serve" {
		exit(role(os.Args[2:]))
	}
	o := options{steps: 10}
	flag.IntVar(&o.idle, "idle", 1000, "idle streams")
	flag.IntVar(&o.busy, "busy", 200, "busy streams")
	flag.DurationVar(&o.length, "length", 5*time.Minute, "how long")
	flag.IntVar(&o.kills, "kills", 2, "how often the upstreams are killed")
	flag.DurationVar(&o.down, "down", 3*time.Second, "how long they stay down")
	flag.IntVar(&o.stepMS, "step", 100, "milliseconds between the ten steps of a call")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	exit(run(ctx, os.Stdout, o))
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
	os.Exit(0)
}
