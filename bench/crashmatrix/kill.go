package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"syscall"
	"time"
)

var errAlive = errors.New("the process was not killed: the point was never reached")

// trial kills one confirm, or its preview, at a point, lets it be finished, and
// counts.
func (s *shop) trial(ctx context.Context, p point, n int, r *row) error {
	s.trials++
	s.srv.forget()
	s.srv.arm(nil)
	name := fmt.Sprintf("t%d", s.trials)
	if err := s.write("orders.csv", rowsOf(name, orders)); err != nil {
		return err
	}
	preview := []string{"preview", filepath.Join(s.dir, "orders.csv"), "-m", filepath.Join(s.dir, "mapping.yaml"), "--dataset", dataset}
	crash := []string{fmt.Sprintf("SLUICE_CRASH=%s:%d", p.env, 1+n%max(1, p.passages))}
	if p.preview {
		if err := s.dies(ctx, crash, preview...); err != nil {
			return err
		}
	}
	text, err := s.must(ctx, nil, 0, preview...)
	if err != nil {
		return err
	}
	var plan struct {
		ID     string `json:"plan_id"`
		Counts struct{ Planned int }
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		return err
	}
	if plan.Counts.Planned != orders {
		return fmt.Errorf("%d of %d events were planned", plan.Counts.Planned, orders)
	}
	if _, err := s.must(ctx, nil, 0, "dry-run", plan.ID); err != nil {
		return err
	}
	if err := s.closeCircuit(ctx); err != nil {
		return err
	}
	confirm := []string{"confirm", plan.ID, "--concurrency", fmt.Sprint(concurrency), "--first-upload"}
	switch {
	case p.preview:
	case p.pause:
		err = s.pauses(ctx, r.store, confirm)
	case p.outside():
		err = s.diesAt(ctx, p, n, confirm)
	default:
		err = s.dies(ctx, crash, confirm...)
	}
	if err != nil {
		return err
	}
	r.kills++
	s.srv.freeze(0)
	for range 5 { // as a person or a timer would: the same command again
		if err = s.closeCircuit(ctx); err != nil {
			return err
		}
		if _, err = s.must(ctx, nil, 5, confirm...); err == nil {
			break
		}
		if errors.Is(err, errSlow) {
			return err
		}
	}
	if err != nil {
		return err
	}
	return s.count(ctx, plan.ID, r)
}

// closeCircuit undoes what the kills did to it: runs that end with unknown events
// open the circuit, as they should.
func (s *shop) closeCircuit(ctx context.Context) error {
	if s.policy != "hold" {
		return nil
	}
	_, err := s.must(ctx, nil, 0, "circuit", "reset", "--reason", "crash matrix")
	return err
}

// dies runs a command that has to die at its compiled-in point.
func (s *shop) dies(ctx context.Context, crash []string, args ...string) error {
	p, err := s.start(ctx, crash, args...)
	if err != nil {
		return err
	}
	code, err := p.wait()
	if err == nil && code != -1 {
		err = fmt.Errorf("%w (exit %d)\n%s%s", errAlive, code, p.stdout.String(), p.stderr.String())
	}
	return err
}

// diesAt kills a command when its request is at a point the destination sees.
func (s *shop) diesAt(ctx context.Context, at point, n int, args []string) error {
	nth := 1 + n%3
	ready := make(chan *process, 1)
	s.srv.arm(func(i int, x *exchange) bool {
		if i != nth {
			return false
		}
		p := <-ready
		at.act(x, p.kill)
		return true
	})
	defer s.srv.pass()
	p, err := s.start(ctx, nil, args...)
	if err != nil {
		return err
	}
	ready <- p
	if _, err := p.wait(); err != nil {
		return err
	}
	if !p.killed.Load() {
		return fmt.Errorf("%w\n%s%s", errAlive, p.stdout.String(), p.stderr.String())
	}
	return nil
}

// pauses stops a sender while its request is stored and unanswered, for longer than
// its lease, and kills it at last. Where workers share a run another one takes over
// meanwhile, and the first wakes up to an answer it may not book any more.
func (s *shop) pauses(ctx context.Context, store string, args []string) error {
	ready := make(chan *process, 1)
	stopped, answered := make(chan *process), make(chan struct{})
	s.srv.arm(func(i int, x *exchange) bool {
		if i != 1 {
			return false
		}
		answer := x.store()
		p := <-ready
		p.signal(syscall.SIGSTOP)
		stopped <- p
		<-answered
		x.answer(answer)
		return true
	})
	defer s.srv.pass()
	p, err := s.start(ctx, nil, args...)
	if err != nil {
		return err
	}
	ready <- p
	select {
	case <-stopped:
	case <-p.done:
		return fmt.Errorf("%w\n%s", errAlive, p.stderr.String())
	}
	s.srv.freeze(1) // its other request; this one is open
	// Another worker: on SQLite it is told that the run is under way.
	var other error
	if store == "postgres" {
		_, other = s.must(ctx, nil, 5, args...)
	} else {
		_, other = s.must(ctx, nil, 4, append(args, "--wait", "1s")...)
	}
	p.signal(syscall.SIGCONT)
	close(answered)
	time.Sleep(50 * time.Millisecond) // it may read the answer and try to book it
	p.kill()
	return other
}

// count compares what the ledger says with what the destination has.
func (s *shop) count(ctx context.Context, plan string, r *row) error {
	states, err := s.ledger(ctx, plan)
	if err != nil {
		return err
	}
	if len(states) != orders {
		return fmt.Errorf("the ledger lists %d of %d events", len(states), orders)
	}
	delivered, rest := map[string]bool{}, map[string]bool{}
	for id, state := range states {
		switch state {
		case "delivered":
			delivered[id] = true
		case "unknown":
			rest[id] = true
		default: // in no state that says what happened, or where to go on
			r.lost++
		}
	}
	r.lost += s.srv.missing(delivered) // booked as delivered, and nobody has it
	doubled, outside := s.srv.copies(concurrency)
	r.doubled, r.outside = r.doubled+doubled, r.outside+outside
	r.unresolved += len(rest)
	r.events += orders
	if r.policy == "hold" {
		r.outside = r.doubled // nothing may be sent twice
	}
	return nil
}
