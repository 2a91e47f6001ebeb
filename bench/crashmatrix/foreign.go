package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// foreign puts another sender through the points that the destination sees. There
// is no ledger to ask: an order of which no event was ever stored is lost, one that
// is there more than once is doubled.
func (o *options) foreign(ctx context.Context) ([]row, error) {
	srv, err := newServer(false)
	if err != nil {
		return nil, err
	}
	var rows []row
	file := filepath.Join(o.dir, "orders.csv")
	for i, p := range points {
		if !p.outside() || (o.only != "" && p.name != o.only) {
			continue
		}
		r := row{point: p, store: "–", policy: "–"}
		for n := range max(1, o.repeat) {
			srv.forget()
			if err := os.WriteFile(file, []byte(rowsOf(fmt.Sprintf("f%d-%d", i, n), orders)), 0o600); err != nil {
				return nil, err
			}
			nth := 1 + n%3
			ready := make(chan *process, 1)
			srv.arm(func(i int, x *exchange) bool {
				if i != nth {
					return false
				}
				p.act(x, (<-ready).kill)
				return true
			})
			killed := false
			for try := range 6 {
				sender, err := o.startForeign(ctx, file, srv.url)
				if err != nil {
					return nil, err
				}
				if try == 0 {
					ready <- sender
				}
				code, err := sender.wait()
				if err != nil {
					return nil, err
				}
				if killed = killed || sender.killed.Load(); code == 0 {
					break
				}
			}
			srv.arm(nil)
			if !killed {
				return nil, fmt.Errorf("%s, request %d: %w", p.name, nth, errAlive)
			}
			srv.freeze(0)
			all, doubled := srv.distinct()
			r.kills, r.events, r.doubled, r.outside = r.kills+1, r.events+orders, r.doubled+doubled, r.outside+doubled
			r.lost += max(0, orders-all)
		}
		_, _ = fmt.Fprintf(o.log, "%-12s kills %d lost %d doubled %d\n", p.name, r.kills, r.lost, r.doubled)
		rows = append(rows, r)
	}
	return rows, nil
}

// startForeign starts the sender in a process group of its own, so that a shell and
// what it started die together.
func (o *options) startForeign(ctx context.Context, file, url string) (*process, error) {
	line := strings.NewReplacer("{file}", file, "{url}", url).Replace(o.sender)
	p := &process{cmd: exec.CommandContext(ctx, "/bin/sh", "-c", "exec "+line), done: make(chan struct{}), patience: patience}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	p.group = true
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}
