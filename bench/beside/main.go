// Command beside measures how long the gateway takes to decide while write-back works on
// the same state directory: `sluice proxy -p` decides calls that a limit denies (judged,
// counted, recorded and answered, without an upstream in the figure), one after the
// other, while `sluice preview` and `sluice confirm` take a large order export to
// `sluice sandbox`. Beside each figure stands one with a neighbour that takes as much
// processor time and touches no file, which tells waiting for the store from waiting for
// a core.
//
//	go run ./bench/beside [-n ORDERS] [-sluice PROGRAM] [-idle D]
//
// Limits: clients, gateway, write-back and sandbox share the machine's cores. Ratios carry
// over to other machines, single numbers do not.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"time"

	"github.com/modelcontextprotocol/go-sdk/mcp"

	"sluice/internal/testkit/proc"
)

func main() {
	n := flag.Int("n", 1_000_000, "orders")
	program := flag.String("sluice", "", "the sluice program; empty builds it")
	idle := flag.Duration("idle", 10*time.Second, "how long is measured with nothing beside")
	burn := flag.Int("burn", 0, "be the neighbour: keep so many threads busy")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if *burn > 0 {
		keepBusy(ctx, *burn)
		return
	}
	if err := run(ctx, os.Stdout, *program, *n, *idle); err != nil {
		fmt.Fprintln(os.Stderr, "beside:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, out io.Writer, program string, n int, idle time.Duration) (err error) {
	dir, err := os.MkdirTemp("", "beside-bench")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if program == "" {
		program = filepath.Join(dir, "sluice")
		if err := command(ctx, []string{"CGO_ENABLED=0"}, "go", "build", "-o", program, "./cmd/sluice").Run(); err != nil {
			return fmt.Errorf("building sluice: %w", err)
		}
	}
	state := filepath.Join(dir, "state")
	box, err := proc.Start(ctx, nil, program, "sandbox", "--keep", "keys", "--addr", "127.0.0.1:0")
	if err != nil {
		return err
	}
	defer box.Kill()
	g, err := openGate(ctx, program, dir, state)
	if err != nil {
		return err
	}
	defer g.close()

	fmt.Fprint(out, "| beside | for | decisions | p50 | p95 | p99 | p95 : idle |\n|---|---|---|---|---|---|---|\n")
	var quiet time.Duration
	row := func(name string, work func() error) error {
		start := time.Now()
		took, err := g.during(ctx, work)
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p95 := took[len(took)*95/100]
		if quiet == 0 {
			quiet = p95
		}
		fmt.Fprintf(out, "| %s | %.1f s | %d | %d µs | %d µs | %d µs | %.2f |\n", name, time.Since(start).Seconds(), len(took),
			took[len(took)/2].Microseconds(), p95.Microseconds(), took[len(took)*99/100].Microseconds(), float64(p95)/float64(quiet))
		return nil
	}
	rest := func() error {
		select {
		case <-time.After(idle):
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	if err := row("nothing", rest); err != nil {
		return err
	}

	orders := filepath.Join(dir, "orders.csv")
	file, err := os.Create(orders)
	if err != nil {
		return err
	}
	write := command(ctx, nil, "go", "run", "./bench/orders", "-n", strconv.Itoa(n))
	write.Stdout = file
	if err := errors.Join(write.Run(), file.Close()); err != nil {
		return err
	}
	var used, took time.Duration // of write-back
	sluice := func(into any, args ...string) func() error {
		return func() error {
			start := time.Now()
			cmd := command(ctx, nil, program, append(args, "--state-dir", state, "--graph-url", box.URL, "--progress", "off", "--json")...)
			cmd.Stdout = nil
			text, err := cmd.Output()
			if err != nil {
				return fmt.Errorf("%s: %w", args[0], err)
			}
			took += time.Since(start)
			used += cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			return json.Unmarshal(text, into)
		}
	}
	var plan struct {
		ID string `json:"plan_id"`
	}
	var receipt struct {
		Counts map[string]int `json:"counts"`
	}
	before := box.CPU()
	if err := row(fmt.Sprintf("preview of %d", n), sluice(&plan, "preview", orders, "-m", "bench/orders/mapping.yaml", "--dataset", "1000000000000001")); err != nil {
		return err
	}
	if err := row(fmt.Sprintf("confirm of %d", n), sluice(&receipt, "confirm", plan.ID)); err != nil {
		return err
	}
	if receipt.Counts["delivered"] != n {
		return fmt.Errorf("%v was delivered of %d", receipt.Counts, n)
	}
	used += box.CPU() - before
	threads := max(1, int(float64(used)/float64(took)+0.5))
	self, err := os.Executable()
	if err != nil {
		return err
	}
	neighbour := command(ctx, nil, self, "-burn", strconv.Itoa(threads))
	if err := neighbour.Start(); err != nil {
		return err
	}
	err = row(fmt.Sprintf("%d busy threads (write-back and sandbox took %.1f)", threads, float64(used)/float64(took)), rest)
	_ = neighbour.Process.Kill()
	_ = neighbour.Wait()
	if err != nil {
		return err
	}
	return row("nothing, again", rest)
}

func command(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = os.Stderr
	return cmd
}

// upstream has the one tool that is called.
func upstream() *httptest.Server {
	s := mcp.NewServer(&mcp.Implementation{Name: "bench", Version: "1"}, nil)
	mcp.AddTool(s, &mcp.Tool{Name: "say"}, func(context.Context, *mcp.CallToolRequest, struct{}) (*mcp.CallToolResult, any, error) {
		return &mcp.CallToolResult{Content: []mcp.Content{&mcp.TextContent{Text: "done"}}}, nil, nil
	})
	return httptest.NewServer(mcp.NewStreamableHTTPHandler(func(*http.Request) *mcp.Server { return s }, nil))
}
