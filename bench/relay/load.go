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
	took    []time.Duration // of each call
	wall    time.Duration
	cpu     time.Duration
}

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
	p.clients, p.took, p.wall, p.cpu = nil, nil, 0, 0
}

// slice has every client call for a while, and keeps how long each call took.
func (p *path) slice(ctx context.Context, size int, d time.Duration, keep bool) error {
	var (
		wg    sync.WaitGroup
		mu    sync.Mutex
		first error
		cpu   time.Duration
	)
	if p.process != nil {
		cpu = p.process.CPU()
	}
	start := time.Now()
	for _, c := range p.clients {
		wg.Go(func() {
			var took []time.Duration
			err := func() error {
				for time.Since(start) < d {
					begin := time.Now()
					result, err := c.CallTool(ctx, &mcp.CallToolParams{Name: "say", Arguments: map[string]any{"bytes": size}})
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
			if keep {
				p.took = append(p.took, took...)
			}
		})
	}
	wg.Wait()
	if keep {
		p.wall += time.Since(start)
		if p.process != nil {
			p.cpu += p.process.CPU() - cpu
		}
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
	slices.Sort(p.took)
	n := len(p.took)
	return figures{
		p50: p.took[n/2], p95: p.took[n*95/100],
		rate: float64(n) / p.wall.Seconds(), cpu: p.cpu / time.Duration(n),
	}
}

// setting is one combination that all paths are measured in.
type setting struct {
	era, version string
	size         int
	clients      int
}

// measure runs the paths in turns, a short slice each, so that whatever the machine
// does besides falls on all alike. The order turns too.
func measure(ctx context.Context, s setting, paths []*path, rounds int, d time.Duration) ([]figures, error) {
	for _, p := range paths {
		defer p.close()
		if err := p.connect(ctx, s.version, s.clients); err != nil {
			return nil, err
		}
		if err := p.slice(ctx, s.size, d/2, false); err != nil {
			return nil, err
		}
	}
	for round := range rounds {
		for i := range paths {
			if err := paths[(i+round)%len(paths)].slice(ctx, s.size, d, true); err != nil {
				return nil, err
			}
		}
	}
	var all []figures
	for _, p := range paths {
		all = append(all, p.figures())
	}
	return all, nil
}
