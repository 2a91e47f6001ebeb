package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"sluice/internal/testkit/proc"
)

// options of a soak. Idle and busy streams are half legacy, half modern.
type options struct {
	idle, busy int
	length     time.Duration
	kills      int // how often each upstream is killed and started again
	down       time.Duration
	steps      int // of progress in each call
	stepMS     int
}

// side is a relay of one era with its upstream.
type side struct {
	era      string
	upstream *proc.Process
	relay    *proc.Process
	socket   string
}

// run soaks relays of both eras and prints what they used. It fails when memory grew,
// when a call had no answer, or when a goroutine was left.
func run(ctx context.Context, out io.Writer, o options) error {
	dir, err := os.MkdirTemp("", "soak")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	var sides []*side
	for _, era := range []string{"legacy", "modern"} {
		s := &side{era: era, socket: filepath.Join(dir, era+".sock")}
		if err := s.start(ctx); err != nil {
			return err
		}
		defer s.stop()
		sides = append(sides, s)
	}

	t := &tally{errors: map[string]int{}}
	stopping, stop := context.WithCancel(ctx)
	defer stop()
	reading, cut := context.WithCancel(ctx)
	defer cut()
	var idle, busy sync.WaitGroup
	for _, s := range sides {
		for _, c := range clients(o.idle/2, s.relay.URL, s.era == "modern") {
			idle.Go(func() { keepIdle(reading, stopping, c, t) })
		}
		for _, c := range clients(o.busy/2, s.relay.URL, s.era == "modern") {
			busy.Go(func() { keepBusy(reading, stopping, c, t, o.steps, o.stepMS) })
		}
	}

	err = soak(ctx, out, o, sides, t)
	stop()
	busy.Wait()
	fmt.Fprintln(out, t)
	// The relays are asked to end while all idle streams stand; those end then.
	for _, s := range sides {
		err = errors.Join(err, s.end())
	}
	ended := make(chan struct{})
	go func() { idle.Wait(); close(ended) }()
	select {
	case <-ended:
	case <-time.After(15 * time.Second):
		err = errors.Join(err, errors.New("streams stayed open after the shutdown"))
		cut()
		<-ended
	}
	fmt.Fprintf(out, "streams that the shutdown ended as the protocol has it: %d of %d\n", t.graceful.Load(), o.idle/2*2)
	if n := len(t.unanswered); n > 0 {
		err = errors.Join(err, fmt.Errorf("%d calls had no answer, the first: %s", n, t.unanswered[0]))
	}
	if t.results == 0 {
		err = errors.Join(err, errors.New("no call had a result"))
	}
	return err
}

// soak lets the time pass, kills upstreams on the way, and compares what the relays
// hold at the start, in the middle and at the end.
func soak(ctx context.Context, out io.Writer, o options, sides []*side, t *tally) error {
	if err := stand(ctx, t, o); err != nil {
		return err
	}
	// The first part warms up: pools fill, and the heap finds its size.
	part := o.length / time.Duration(2*o.kills+2)
	if !wait(ctx, part) {
		return ctx.Err()
	}
	first, err := read3(out, "start", sides, t)
	if err != nil {
		return err
	}
	for kill := range o.kills {
		for _, s := range sides {
			s.upstream.Kill()
		}
		if !wait(ctx, o.down) {
			return ctx.Err()
		}
		for _, s := range sides {
			if err := s.restart(ctx); err != nil {
				return err
			}
		}
		if !wait(ctx, 2*part-o.down) {
			return ctx.Err()
		}
		if err := stand(ctx, t, o); err != nil {
			return err
		}
		if _, err := read3(out, fmt.Sprintf("after kill %d", kill+1), sides, t); err != nil {
			return err
		}
	}
	if !wait(ctx, part) {
		return ctx.Err()
	}
	last, err := read3(out, "end", sides, t)
	for i, s := range sides {
		// What one busy stream more or less holds at the moment of reading is noise.
		if allowed := first[i].Heap + first[i].Heap/4 + 2<<20; last[i].Heap > allowed {
			err = errors.Join(err, fmt.Errorf("%s: the heap grew from %d to %d kB", s.era, first[i].Heap>>10, last[i].Heap>>10))
		}
		if allowed := first[i].Goroutines + first[i].Goroutines/10 + 20; last[i].Goroutines > allowed {
			err = errors.Join(err, fmt.Errorf("%s: goroutines grew from %d to %d", s.era, first[i].Goroutines, last[i].Goroutines))
		}
	}
	return err
}

// stand waits until all idle streams stand.
func stand(ctx context.Context, t *tally, o options) error {
	for deadline := time.Now().Add(time.Minute); t.open.Load() < int64(o.idle/2*2); {
		if time.Now().After(deadline) {
			return fmt.Errorf("only %d of %d idle streams stand", t.open.Load(), o.idle/2*2)
		}
		if !wait(ctx, 10*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// read3 reads and prints what each relay holds: heap, resident memory, goroutines.
func read3(out io.Writer, when string, sides []*side, t *tally) ([]usage, error) {
	var all []usage
	for _, s := range sides {
		u, err := s.usage()
		if err != nil {
			return all, err
		}
		rss, peak := s.relay.Memory()
		fmt.Fprintf(out, "%s: %s relay: heap %.1f MB, resident %.1f MB (peak %.1f), %d goroutines; %d idle streams on both\n",
			when, s.era, mb(u.Heap), mb(uint64(rss)), mb(uint64(peak)), u.Goroutines, t.open.Load())
		all = append(all, u)
	}
	return all, nil
}

func mb(n uint64) float64 { return float64(n) / (1 << 20) }

func (s *side) start(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if s.upstream, err = proc.Start(ctx, nil, self, "-serve", s.era, "127.0.0.1:0"); err != nil {
		return err
	}
	s.relay, err = proc.Start(ctx, nil, self, "-serve", "relay", s.upstream.URL, s.socket)
	return err
}

// restart starts the upstream again where it was.
func (s *side) restart(ctx context.Context) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	u, err := url.Parse(s.upstream.URL)
	if err != nil {
		return err
	}
	s.upstream, err = proc.Start(ctx, nil, self, "-serve", s.era, u.Host)
	return err
}

// end stops the relay, which fails when goroutines are left.
func (s *side) end() error {
	relay := s.relay
	s.relay = nil
	if err := relay.Stop(); err != nil {
		return fmt.Errorf("the %s relay: %w", s.era, err)
	}
	return nil
}

func (s *side) stop() {
	if s.relay != nil {
		s.relay.Kill()
	}
	s.upstream.Kill()
}

func (s *side) usage() (usage, error) {
	c := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", s.socket)
	}}}
	var u usage
	resp, err := c.Get("http://relay/")
	if err != nil {
		return u, err
	}
	defer resp.Body.Close()
	return u, json.NewDecoder(resp.Body).Decode(&u)
}
