package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// threeWorkers sends one plan through three processes on one PostgreSQL. One is
// killed when a fifth of the requests has arrived, one is paused at two fifths for
// longer than its lease and then wakes up. Afterwards every event is looked up on
// both sides.
func (o *options) threeWorkers(ctx context.Context) (string, error) {
	s, err := o.newShop(ctx, "postgres", "resend", true)
	if err != nil {
		return "", err
	}
	if err := s.write("orders.csv", rowsOf("w", o.workers)); err != nil {
		return "", err
	}
	text, err := s.must(ctx, nil, 0, "preview", filepath.Join(s.dir, "orders.csv"), "-m", filepath.Join(s.dir, "mapping.yaml"), "--dataset", dataset)
	if err != nil {
		return "", err
	}
	var plan struct {
		ID string `json:"plan_id"`
	}
	if err := json.Unmarshal([]byte(text), &plan); err != nil {
		return "", err
	}
	if _, err := s.must(ctx, nil, 0, "dry-run", plan.ID); err != nil {
		return "", err
	}
	began := time.Now()
	took, requests, err := s.race(ctx, plan.ID, (o.workers+999)/1000)
	if err != nil {
		return "", err
	}
	states, err := s.ledger(ctx, plan.ID)
	if err != nil {
		return "", err
	}
	delivered, differ := 0, 0
	var ids []string
	for id, state := range states {
		if state == "delivered" {
			delivered++
		}
		ids = append(ids, id)
	}
	kept, err := s.kept(ctx, ids)
	if err != nil {
		return "", err
	}
	for id, state := range states {
		if (state == "delivered") != (kept[id] == 1) || kept[id] > 1 {
			differ++
		}
	}
	var totals struct{ Received, Kept, Duplicates int }
	if err := s.ask(ctx, http.MethodGet, "/_emulator/events?limit=1&dataset="+dataset, nil, &totals); err != nil {
		return "", err
	}
	var b strings.Builder
	fmt.Fprintf(&b, "%s, %d CPUs, lease %v.\n\n", time.Now().UTC().Format("2006-01-02"), runtime.NumCPU(), o.lease)
	b.WriteString("| Events | Requests | Delivered (ledger) | Kept (destination) | Repeats it absorbed | Events that differ | Time |\n|---:|---:|---:|---:|---:|---:|---:|\n")
	fmt.Fprintf(&b, "| %d | %d | %d | %d | %d | %d | %v |\n", len(states), requests, delivered, totals.Kept, totals.Duplicates, differ, took.Round(100*time.Millisecond))
	_, _ = fmt.Fprintf(o.log, "three workers: %v in all\n", time.Since(began).Round(time.Second))
	if differ > 0 || delivered != o.workers || totals.Kept != o.workers {
		return "", fmt.Errorf("sandbox and ledger disagree:\n%s", b.String())
	}
	return b.String(), nil
}

// race runs the three until the plan is finished.
func (s *shop) race(ctx context.Context, plan string, batches int) (time.Duration, int, error) {
	reached := map[int]chan struct{}{}
	for _, share := range []int{1, 2} {
		reached[max(1, batches*share/5)] = make(chan struct{})
	}
	total := 0
	s.srv.arm(func(n int, _ *exchange) bool {
		s.srv.mu.Lock()
		total = n
		s.srv.mu.Unlock()
		if c := reached[n]; c != nil {
			close(c)
		}
		return false
	})
	args := []string{"confirm", plan, "--first-upload", "--concurrency", "2"}
	began := time.Now()
	var workers []*process
	for range 3 {
		p, err := s.start(ctx, nil, args...)
		if err != nil {
			return 0, 0, err
		}
		defer p.kill()
		workers = append(workers, p)
	}
	for i, n := range []int{max(1, batches/5), max(1, 2*batches/5)} {
		select {
		case <-reached[n]:
		case <-time.After(workers[2].patience):
			return 0, 0, fmt.Errorf("request %d never came: %s", n, workers[2].stderr.String())
		}
		if i == 0 {
			workers[0].kill()
		} else {
			workers[1].signal(syscall.SIGSTOP)
		}
	}
	time.Sleep(2 * s.lease)
	workers[1].signal(syscall.SIGCONT)
	for _, p := range workers[1:] {
		code, err := p.wait()
		if err == nil && code != 0 {
			err = fmt.Errorf("a worker ended with exit code %d\n%s%s", code, p.stdout.String(), p.stderr.String())
		}
		if err != nil {
			return 0, 0, err
		}
	}
	s.srv.mu.Lock()
	defer s.srv.mu.Unlock()
	return time.Since(began), total, nil
}

// kept asks the destination how often it holds each event.
func (s *shop) kept(ctx context.Context, ids []string) (map[string]int, error) {
	out := make(map[string]int, len(ids))
	for len(ids) > 0 {
		n := min(1000, len(ids))
		body, err := json.Marshal(map[string]any{"dataset": dataset, "event_name": "Purchase", "event_ids": ids[:n]})
		if err != nil {
			return nil, err
		}
		var answer struct {
			IDs []struct {
				EventID string `json:"event_id"`
				Kept    int    `json:"kept"`
			} `json:"ids"`
		}
		if err := s.ask(ctx, http.MethodPost, "/_emulator/events/lookup", body, &answer); err != nil {
			return nil, err
		}
		for _, e := range answer.IDs {
			out[e.EventID] = e.Kept
		}
		ids = ids[n:]
	}
	return out, nil
}

func (s *shop) ask(ctx context.Context, method, path string, body []byte, into any) error {
	req, err := http.NewRequestWithContext(ctx, method, s.srv.url+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	return json.NewDecoder(res.Body).Decode(into)
}
