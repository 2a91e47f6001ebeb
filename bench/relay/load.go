package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/proc"
)

// path is one way from the clients to the upstream.
type path struct {
	name    string
	url     string
	process *proc.Process // of the relay; nil without one

	clients []*mcp.ClientSession
	slices  []slice
	cpu     time.Duration
}

// slice is what a path did in one round.
type slice struct {
	took []time.Duration // each call, in ascending order
	wall time.Duration
}

func (s slice) p50() float64  { return float64(s.took[len(s.took)/2]) }
func (s slice) rate() float64 { return float64(len(s.took)) / s.wall.Seconds() }

// connect opens n sessions of their own, each with connections of its own.
func (p *path) connect(ctx context.Context, version string, n int) error {
	for range n {
		client := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
		transport := &mcp.StreamableClientTransport{Endpoint: p.url, HTTPClient: &http.Client{Transport: &http.Transport{}}}
		session, err := client.Connect(ctx, transport, &mcp.ClientSessionOptions{ProtocolVersion: version})
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		p.clients = append(p.clients, session)
		if got := session.InitializeResult().ProtocolVersion; got != version {
			return fmt.Errorf("%s: the version is %q, want %q", p.name, got, version)
		}
	}
	return nil
}

func (p *path) close() {
	for _, c := range p.clients {
		c.Close()
	}
	p.clients, p.slices, p.cpu = nil, nil, 0
}

// run has every client call for a while, and keeps how long each call took.
func (p *path) run(ctx context.Context, size int, d time.Duration, keep bool) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		all   slice
	)
	start := time.Now()
	for _, c := range p.clients {
		wg.Go(func() {
			var took []time.Duration
			err := func() error {
				for time.Since(start) < d {
					begin := time.Now()
					result, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "say", Arguments: map[string]any{"bytes": size, "label": "orders"}})
					if err != nil {
						return err
					}
					if text, ok := result.Content[0].(*mcp.TextContent); !ok || len(text.Text) != size {
						return fmt.Errorf("the result is not %d bytes of text", size)
					}
					took = append(took, time.Since(begin))
				}
				return nil
			}()
			mu.Lock()
			defer mu.Unlock()
			if first == nil && err != nil {
				first = fmt.Errorf("%s: %w", p.name, err)
			}
			all.took = append(all.took, took...)
		})
	}
	wg.Wait()
	all.wall = time.Since(start)
	if first == nil && len(all.took) == 0 {
		first = fmt.Errorf("%s: no call ended within %v", p.name, d)
	}
	if keep {
		slices.Sort(all.took)
		p.slices = append(p.slices, all)
	}
	return first
}

// figures are what a path did in one setting.
type figures struct {
	p50, p95 time.Duration
	rate     float64 // calls a second
	cpu      time.Duration
}

func (p *path) figures() figures {
	var all slice
	for _, s := range p.slices {
		all.took = append(all.took, s.took...)
		all.wall += s.wall
	}
	slices.Sort(all.took)
	n := len(all.took)
	return figures{p50: all.took[n/2], p95: all.took[n*95/100], rate: all.rate(), cpu: p.cpu / time.Duration(n)}
}

// against is how p compares with another path: the medians, over the rounds, of the
// ratios within a round, so that a burst of other work on the machine falls out.
func (p *path) against(other *path) (p50, rate float64) {
	var p50s, rates []float64
	for i, s := range p.slices {
		p50s = append(p50s, s.p50()/other.slices[i].p50())
		rates = append(rates, s.rate()/other.slices[i].rate())
	}
	slices.Sort(p50s)
	slices.Sort(rates)
	return p50s[len(p50s)/2], rates[len(rates)/2]
}

// setting is one combination that all paths are measured in.
type setting struct {
	era, version string
	size         int
	clients      int
}

// measure runs the paths in turns, a short slice each, so that whatever the machine
// does besides falls on all alike. The order turns too.
func measure(ctx context.Context, s setting, paths []*path, rounds int, d time.Duration) error {
	for _, p := range paths {
		if err := p.connect(ctx, s.version, s.clients); err != nil {
			return err
		}
		if err := p.run(ctx, s.size, d/2, false); err != nil {
			return err
		}
	}
	time.Sleep(afterwork)
	for _, p := range paths {
		p.cpu = -p.used()
	}
	for round := range rounds {
		for i := range paths {
			if err := paths[(i+round)%len(paths)].run(ctx, s.size, d, true); err != nil {
				return err
			}
		}
	}
	time.Sleep(afterwork)
	for _, p := range paths {
		p.cpu += p.used()
	}
	return nil
}

// afterwork is how long a relay may work on what a call left it to do, such as handing
// its record on to the audit log. That is counted, though it falls into other slices.
const afterwork = 1500 * time.Millisecond

// used is the processor time of the path's relay so far.
func (p *path) used() time.Duration {
	if p.process == nil {
		return 0
	}
	return p.process.CPU()
}
