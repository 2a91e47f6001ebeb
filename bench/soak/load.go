package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// tally is what became of the calls and streams of a soak.
type tally struct {
	mu         sync.Mutex
	results    int
	errors     map[string]int // by code
	unanswered []string
	progress   int

	open     atomic.Int64 // idle streams that stand
	reopened atomic.Int64
	graceful atomic.Int64 // ended with the shutdown as the protocol has it
}

func (t *tally) add(a answer, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.progress += a.events
	switch {
	case err != nil:
		t.unanswered = append(t.unanswered, err.Error())
	case a.result:
		t.results++
	default:
		t.errors[a.code]++
	}
}

// String is the tally in one line.
func (t *tally) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	var codes []string
	failed := 0
	for _, code := range slices.Sorted(maps.Keys(t.errors)) {
		codes = append(codes, fmt.Sprintf("%s %d", code, t.errors[code]))
		failed += t.errors[code]
	}
	return fmt.Sprintf("calls: %d, results: %d, clear errors: %d (%s), unanswered: %d, progress events: %d, tries to open a stream again: %d",
		t.results+failed+len(t.unanswered), t.results, failed, strings.Join(codes, ", "), len(t.unanswered), t.progress, t.reopened.Load())
}

// pause between tries of a client that was turned away.
const pause = 100 * time.Millisecond

// wait is false when the context ends first.
func wait(ctx context.Context, d time.Duration) bool {
	select {
	case <-ctx.Done():
		return false
	case <-time.After(d):
		return true
	}
}

// keepIdle keeps one stream open, again and again when it ends, until stopping ends;
// the stream that stands then is read to its end, which the relay's shutdown brings.
func keepIdle(ctx, stopping context.Context, c *client, t *tally) {
	for first := true; stopping.Err() == nil; first = false {
		if !first {
			t.reopened.Add(1)
			if !wait(stopping, pause) {
				return
			}
		}
		if err := c.open(stopping); err != nil {
			continue
		}
		stood := false
		graceful, _ := c.idle(ctx, func() { stood = true; t.open.Add(1) })
		if stood {
			t.open.Add(-1)
		}
		if graceful && stopping.Err() != nil {
			t.graceful.Add(1)
		}
	}
}

// keepBusy calls one after the other until stopping ends; the last call is waited for.
func keepBusy(ctx, stopping context.Context, c *client, t *tally, steps, stepMS int) {
	opened := false
	for stopping.Err() == nil {
		if !opened {
			if err := c.open(ctx); err != nil {
				wait(stopping, pause)
				continue
			}
			opened = true
		}
		a, err := c.call(ctx, steps, stepMS)
		t.add(a, err)
		if !a.result {
			// A client whose session is lost begins anew; one that is turned away waits.
			opened = c.modern || a.code != "upstream_session_lost" && !errors.Is(err, errUnanswered)
			wait(stopping, pause)
		}
	}
}

// clients makes n clients of one relay with connections of their own.
func clients(n int, url string, modern bool) []*client {
	all := make([]*client, n)
	transport := &http.Transport{MaxIdleConnsPerHost: n}
	for i := range all {
		all[i] = &client{http: &http.Client{Transport: transport}, url: url, modern: modern}
	}
	return all
}
