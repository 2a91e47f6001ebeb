// Command crashmatrix kills real senders with SIGKILL between any two things that
// belong together, lets them go on, and counts what became of every event at a
// destination without deduplication.
//
//	go run ./bench/crashmatrix [-repeat N] [-stores sqlite,postgres] [-write docs/reliability.md]
//	go run ./bench/crashmatrix -sender 'prog {file} {url}'
//	go run ./bench/crashmatrix -workers 200000
//
// Points that the destination sees (bytes read, events stored, answer sent) are set
// by the server of this program, which answers through the sandbox's own handler.
// Points inside the process are compiled in with the build tag `crash`; the product
// has none. With -sender any other program is put through the points that the
// destination sees: it gets a CSV file of orders and the URL to which
// /VERSION/DATASET/events belongs, is run again after each kill until it exits with
// 0, and is judged by event_id.
//
// Limits: a killed process is not a lost machine; what the page cache holds survives.
// Loss of power is the database's promise (WAL with synchronous=FULL, PostgreSQL's
// fsync), and is not tested here.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	var o options
	var stores, policies, write string
	flag.IntVar(&o.repeat, "repeat", 4, "kills per point, store and policy")
	flag.StringVar(&stores, "stores", "sqlite,postgres", "which stores")
	flag.StringVar(&policies, "policies", "resend,hold", "what happens to requests whose answer was lost")
	flag.StringVar(&o.only, "point", "", "only this point")
	flag.StringVar(&o.sender, "sender", "", "another sender's command, with {file} and {url}")
	flag.StringVar(&o.bin, "bin", "", "a sluice that was built with -tags crash; built when empty")
	flag.StringVar(&write, "write", "", "document whose table is replaced")
	flag.DurationVar(&o.lease, "lease", 2*time.Second, "lease of a batch on PostgreSQL, instead of 60 s")
	flag.IntVar(&o.workers, "workers", 0, "instead: this many events through three workers on one PostgreSQL, one killed and one paused")
	flag.Parse()
	o.stores, o.policies, o.log = strings.Split(stores, ","), strings.Split(policies, ","), os.Stderr
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := o.run(ctx, write); err != nil {
		fmt.Fprintln(os.Stderr, "crashmatrix:", err)
		os.Exit(1)
	}
}

func (o *options) run(ctx context.Context, write string) error {
	dir, err := os.MkdirTemp("", "sluice-crash-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	o.dir = dir
	if o.sender == "" && o.bin == "" {
		if err := o.build(ctx); err != nil {
			return err
		}
	}
	if o.workers > 0 {
		report, err := o.threeWorkers(ctx)
		if err != nil {
			return err
		}
		return publish(write, "workers-matrix", report)
	}
	rows, err := o.matrix(ctx)
	if err != nil {
		return err
	}
	if err := publish(write, "crash-matrix", table(rows)); err != nil {
		return err
	}
	return verdict(rows)
}

// publish prints a table, or puts it between its markers in a document.
func publish(path, name, text string) error {
	fmt.Println(text)
	if path == "" {
		return nil
	}
	doc, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	begin, end := "<!-- "+name+":begin -->\n", "<!-- "+name+":end -->"
	before, rest, ok := strings.Cut(string(doc), begin)
	_, after, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return fmt.Errorf("%s has no markers for %s", path, name)
	}
	return os.WriteFile(path, []byte(before+begin+text+end+after), 0o644)
}
