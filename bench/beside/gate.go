package main

import (
	"context"
	"errors"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/proc"
)

// full is a policy under which the first call takes all there is.
const full = `{"version": "1", "default": "deny", "tools": {"say": {
  "deny_if": [{"conditions": [{"path": "args.label", "op": "regex", "value": "^test"}]}],
  "limits": [{"counter": "say_rate", "window": "day", "max": 1, "scope": "grant"}]}}}
`

// gate is a gateway and one client of it.
type gate struct {
	up      *httptest.Server
	proxy   *proc.Process
	session *mcp.ClientSession
}

func openGate(ctx context.Context, program, dir, state string) (*gate, error) {
	g := &gate{up: upstream()}
	policy := filepath.Join(dir, "policy.json")
	err := os.WriteFile(policy, []byte(full), 0o600)
	if err == nil {
		g.proxy, err = proc.Start(ctx, nil, program, "proxy", "-p", policy, "--state-dir", state, "--upstream", g.up.URL, "--listen", "127.0.0.1:0")
	}
	if err == nil {
		client := mcp.NewClient(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
		g.session, err = client.Connect(ctx, &mcp.StreamableClientTransport{Endpoint: g.proxy.URL}, nil)
	}
	if err == nil {
		_, err = g.call(ctx) // takes what there is
	}
	if err != nil {
		g.close()
		return nil, err
	}
	return g, nil
}

func (g *gate) close() {
	if g.session != nil {
		_ = g.session.Close()
	}
	if g.proxy != nil {
		_ = g.proxy.Stop()
	}
	g.up.Close()
}

func (g *gate) call(ctx context.Context) (denied bool, err error) {
	result, err := g.session.CallTool(ctx, &mcp.CallToolParams{Name: "say", Arguments: map[string]any{}})
	if err != nil {
		return false, err
	}
	return result.IsError, nil
}

// pause is between two decisions, so that the client does not keep a core busy.
const pause = 2 * time.Millisecond

// during makes decisions while work goes on, and tells how long each took, in ascending
// order.
func (g *gate) during(ctx context.Context, work func() error) ([]time.Duration, error) {
	ended := make(chan error, 1)
	go func() { ended <- work() }()
	var all []time.Duration
	for {
		begin := time.Now()
		denied, err := g.call(ctx)
		if err != nil {
			return nil, errors.Join(err, <-ended)
		}
		if !denied {
			return nil, errors.Join(errors.New("a call was let through beyond the limit"), <-ended)
		}
		all = append(all, time.Since(begin))
		select {
		case err := <-ended:
			slices.Sort(all)
			return all, err
		case <-time.After(pause):
		}
	}
}

// keepBusy is the neighbour.
func keepBusy(ctx context.Context, threads int) {
	runtime.GOMAXPROCS(threads)
	var wg sync.WaitGroup
	for range threads {
		wg.Go(func() {
			memory := make([]byte, 8<<20)
			for i := 0; ctx.Err() == nil; i++ {
				for j := range memory {
					memory[j] += byte(i)
				}
			}
		})
	}
	wg.Wait()
}
