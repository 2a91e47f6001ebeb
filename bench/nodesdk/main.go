// Command nodesdk measures package capi against Meta's own Node SDK: both turn
// the same events into request bodies, in turns, in one run, on one thread each.
//
//	go run ./bench/nodesdk [-rounds N] [-batches N]
//
// Every event is a Purchase with nine identifiers to normalise and hash (em, ph,
// fn, ln, db, ct, st, zp, country) and two contents; a body holds 1 000 of them.
// Building the events and sending the bodies are not timed, on either side.
// Before anything is timed both sides' bodies of the first batch are compared:
// the run ends when they disagree on one hash or amount.
//
// Limits: JavaScript's engine keeps helper threads for its collector and its
// compiler, which this side does not pay for; Go is held to one thread
// (GOMAXPROCS=1), collector included. Ratios carry over to other machines,
// events per second do not.
package main

import (
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"sluice/capi"
)

const batchSize = 1000

func main() {
	rounds := flag.Int("rounds", 9, "timed rounds per side")
	count := flag.Int("batches", 20, "batches of 1 000 distinct customers")
	flag.Parse()
	runtime.GOMAXPROCS(1)
	if err := run(*rounds, *count); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(rounds, count int) error {
	fmt.Printf("| input | capi, events/s (min–max) | Node SDK, events/s (min–max) | ratio of medians |\n|---|---|---|---|\n")
	for _, kind := range []struct {
		name  string
		clean bool
	}{{"as shops write it", false}, {"already clean", true}} {
		orders := batches(count, batchSize, kind.clean)
		ours, theirs, err := sideBySide(orders, rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", kind.name, err)
		}
		fmt.Printf("| %s | %s | %s | %.1f |\n", kind.name, ours, theirs, ours.median()/theirs.median())
	}
	return nil
}

// speeds are events per second, one per round, in ascending order.
type speeds []float64

func (s speeds) median() float64 { return s[len(s)/2] }

func (s speeds) String() string {
	return fmt.Sprintf("%.0f (%.0f–%.0f)", s.median(), s[0], s[len(s)-1])
}

// sideBySide times both sides in turns. One round of each goes before the clock
// counts, for caches and the other side's compiler.
func sideBySide(orders [][]order, rounds int) (ours, theirs speeds, err error) {
	sdk, err := startSDK(orders)
	if err != nil {
		return nil, nil, err
	}
	defer sdk.stop()
	own, err := newEncoder(orders)
	if err != nil {
		return nil, nil, err
	}
	body, err := sdk.check()
	if err != nil {
		return nil, nil, err
	}
	if err := sameEvents(own.body(0), body); err != nil {
		return nil, nil, err
	}
	debug.FreeOSMemory()

	for round := range rounds + 1 {
		a := own.speed(4)
		b, err := sdk.speed(1)
		if err != nil {
			return nil, nil, err
		}
		if round > 0 {
			ours, theirs = append(ours, a), append(theirs, b)
		}
	}
	slices.Sort(ours)
	slices.Sort(theirs)
	return ours, theirs, nil
}

// encoder is our side.
type encoder struct {
	capi    *capi.Encoder
	batches [][]capi.Event
	buf     []byte
	err     error
}

func newEncoder(orders [][]order) (*encoder, error) {
	// A fixed clock keeps the orders inside the time Meta accepts them for.
	at := time.Unix(firstOrder, 0).Add(24 * time.Hour)
	enc, err := capi.NewEncoder(capi.Options{Now: func() time.Time { return at }})
	if err != nil {
		return nil, err
	}
	e := &encoder{capi: enc, batches: make([][]capi.Event, len(orders))}
	for i, batch := range orders {
		for j := range batch {
			e.batches[i] = append(e.batches[i], batch[j].event())
		}
	}
	return e, nil
}

// body encodes one batch into the encoder's buffer; it is valid until the next call.
func (e *encoder) body(i int) []byte {
	e.buf = append(e.buf[:0], `{"data":[`...)
	for j := range e.batches[i] {
		if j > 0 {
			e.buf = append(e.buf, ',')
		}
		var report *capi.Report
		if e.buf, report = e.capi.Append(e.buf, &e.batches[i][j]); report.Refused() && e.err == nil {
			e.err = fmt.Errorf("capi refused event %d: %v", j, report.Faults)
		}
	}
	e.buf = append(e.buf, `]}`...)
	return e.buf
}

// speed encodes every batch times times and returns events per second.
func (e *encoder) speed(times int) float64 {
	events := 0
	start := time.Now()
	for range times {
		for i := range e.batches {
			e.body(i)
			events += len(e.batches[i])
		}
	}
	return float64(events) / time.Since(start).Seconds()
}
