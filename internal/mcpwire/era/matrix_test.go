package era_test

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/mcpwire"
	"sluice/internal/mcpwire/era"
	"sluice/internal/mcpwire/exchange"
	"sluice/internal/mcpwire/httpdial"
	"sluice/internal/mcpwire/httpserve"
	"sluice/internal/mcpwire/stdiodial"
)

var update = flag.Bool("update", false, "write the matrix in docs/mcp.md anew")

const works = "works"

// crossing is a client of one era in front of a server of another, with the relay's
// own faces between them.
type crossing struct {
	client, server mcpwire.Era
	stdio          bool
	url            string // of the relay
}

func (x crossing) String() string {
	over := "http"
	if x.stdio {
		over = "stdio"
	}
	return fmt.Sprintf("%s to %s over %s", x.client, x.server, over)
}

func (x crossing) peer(t *testing.T) *peer {
	t.Helper()
	return newPeer(t, x.url, x.client)
}

// same reports whether nothing has to be translated.
func (x crossing) same() bool { return x.client == x.server }

// modernOn reports which adapter stands in between.
func (x crossing) modernOnLegacy() bool {
	return x.client == mcpwire.Modern && x.server == mcpwire.Legacy
}

// crossings are the four combinations, in the order of the table.
var crossings = []struct{ client, server mcpwire.Era }{
	{mcpwire.Legacy, mcpwire.Legacy}, {mcpwire.Modern, mcpwire.Modern},
	{mcpwire.Modern, mcpwire.Legacy}, {mcpwire.Legacy, mcpwire.Modern},
}

// relay puts the relay in front of a server.
func relay(t *testing.T, x *crossing) {
	t.Helper()
	var up exchange.Upstream
	var err error
	opt := era.Options{Server: "everything"}
	if x.stdio {
		opt.Force = x.server // this server speaks both on stdio
		var program string
		if program, err = os.Executable(); err != nil {
			t.Fatal(err)
		}
		up, err = stdiodial.New(stdiodial.Options{Server: "everything", Command: []string{program},
			// The race detector, where it is on, lets every process sleep before it ends.
			Env: []string{childVariable + "=1", "GORACE=atexit_sleep_ms=0"}})
	} else {
		s := matrixServer()
		server := httptest.NewServer(only(x.server, s))
		t.Cleanup(func() { s.Close(); server.Close() })
		up, err = httpdial.New(httpdial.Options{URL: server.URL, Server: "everything"})
	}
	if err != nil {
		t.Fatal(err)
	}
	up = era.New(up, opt)
	face := httpserve.New(httpserve.Options{Upstream: up, Server: "everything"})
	front := httptest.NewServer(face)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		if err := face.Shutdown(ctx); err != nil {
			t.Errorf("shutdown: %v", err)
		}
		front.Close()
		if err := up.Close(ctx); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	x.url = front.URL
}

// TestCrossEraMatrix runs every feature in every combination and compares what came of
// it with the table in docs/mcp.md.
func TestCrossEraMatrix(t *testing.T) {
	t.Parallel()
	outcomes := map[string]string{}
	var mu sync.Mutex
	ok := t.Run("all", func(t *testing.T) {
		for _, c := range crossings {
			for _, stdio := range []bool{false, true} {
				x := crossing{client: c.client, server: c.server, stdio: stdio}
				t.Run(x.String(), func(t *testing.T) {
					t.Parallel()
					relay(t, &x)
					for _, r := range rows {
						t.Run(r.feature, func(t *testing.T) {
							got := r.run(t, x)
							mu.Lock()
							outcomes[r.feature+x.String()] = got
							mu.Unlock()
						})
					}
				})
			}
		}
	})
	if !ok {
		return
	}
	table := matrix(outcomes)
	file := filepath.Join("..", "..", "..", "docs", "mcp.md")
	page, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	const begin, end = "<!-- matrix: begin, written by go test ./internal/mcpwire/era -update -->\n", "<!-- matrix: end -->"
	head, rest, found := strings.Cut(string(page), begin)
	_, tail, closed := strings.Cut(rest, end)
	if !found || !closed {
		t.Fatalf("%s has lost the marks of the matrix", file)
	}
	want := head + begin + table + end + tail
	switch {
	case want == string(page):
	case *update:
		if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("the matrix in docs/mcp.md is not what happens; go test ./internal/mcpwire/era -update writes:\n%s", table)
	}
}

// matrix is the table. A cell says more where stdio differs from HTTP.
func matrix(outcomes map[string]string) string {
	var b bytes.Buffer
	b.WriteString("| feature |")
	for _, c := range crossings {
		fmt.Fprintf(&b, " %s client, %s server |", c.client, c.server)
	}
	b.WriteString("\n| --- | --- | --- | --- | --- |\n")
	for _, r := range rows {
		fmt.Fprintf(&b, "| %s |", r.feature)
		for _, c := range crossings {
			over := func(stdio bool) string {
				return outcomes[r.feature+crossing{client: c.client, server: c.server, stdio: stdio}.String()]
			}
			cell := over(false)
			if stdio := over(true); stdio != cell {
				cell += "; stdio server: " + stdio
			}
			fmt.Fprintf(&b, " %s |", cell)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// soon waits until something holds.
func soon(t *testing.T, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within %s", what, patience)
		}
	}
}
