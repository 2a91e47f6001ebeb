package mcptest

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"sluice/internal/testkit/proc"
)

// Gate is the built program at work: `sluice proxy` or `sluice serve`.
type Gate struct {
	URL   string // of MCP for a proxy, of everything for serve
	State string // its state directory
	Env   []string
	Run   Run // runs a command beside it

	*proc.Process
	policy string
	logs   *lockedBuffer
}

// Start is how a Gate is started. Zero values are the defaults.
type Start struct {
	Policy string   // document of `proxy -p`
	State  string   // default: one of its own
	Env    []string // besides the state directory
	Args   []string
}

// Proxy starts `sluice proxy -p` over HTTP in front of what the last arguments name.
func Proxy(t testing.TB, policy string, args ...string) *Gate {
	t.Helper()
	return Start{Policy: policy, Args: args}.Proxy(t)
}

// Proxy starts `sluice proxy -p` over HTTP.
func (s Start) Proxy(t testing.TB) *Gate {
	t.Helper()
	g := s.gate(t)
	g.policy = filepath.Join(t.TempDir(), "policy.json")
	g.SetPolicy(t, s.Policy)
	g.start(t, append([]string{"proxy", "-p", g.policy, "--listen", "127.0.0.1:0"}, s.Args...))
	return g
}

// Serve starts `sluice serve` with a configuration.
func (s Start) Serve(t testing.TB, configuration string) *Gate {
	t.Helper()
	g := s.gate(t)
	file := filepath.Join(t.TempDir(), "sluice.yaml")
	if err := os.WriteFile(file, []byte(configuration), 0o600); err != nil {
		t.Fatal(err)
	}
	g.Run = RunWith(t, g.Env, "--config", file)
	g.start(t, append([]string{"--config", file, "serve", "--addr", "127.0.0.1:0"}, s.Args...))
	return g
}

func (s Start) gate(t testing.TB) *Gate {
	g := &Gate{State: s.State, logs: &lockedBuffer{}}
	state, env := Environment(t)
	if g.State == "" {
		g.State = state
	}
	g.Env = append(append(env, "SLUICE_STATE_DIR="+g.State), s.Env...)
	g.Run = RunWith(t, g.Env)
	return g
}

func (g *Gate) start(t testing.TB, args []string) {
	t.Helper()
	p, err := proc.StartLogging(context.WithoutCancel(t.Context()), g.logs, g.Env, Program(t), args...)
	if err != nil {
		t.Fatalf("%v\n%s", err, g.Logs())
	}
	g.Process, g.URL = p, p.URL
	t.Cleanup(func() {
		if err := p.Stop(); err != nil && !errors.Is(err, os.ErrProcessDone) {
			t.Errorf("the gateway ended with: %v\n%s", err, g.Logs())
		}
	})
}

// Logs is what the program said of itself so far.
func (g *Gate) Logs() string { return g.logs.String() }

// SetPolicy replaces the document of a proxy, as editors do: whole.
func (g *Gate) SetPolicy(t testing.TB, document string) {
	t.Helper()
	next := g.policy + ".next"
	if err := os.WriteFile(next, []byte(document), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(next, g.policy); err != nil {
		t.Fatal(err)
	}
}

// RunWith runs commands of the built program with an environment and flags. What a command says
// of itself follows what it prints when it fails.
func RunWith(t testing.TB, env []string, flags ...string) Run {
	return func(args ...string) (int, string) {
		cmd := exec.CommandContext(context.WithoutCancel(t.Context()), Program(t), append(slices.Clone(flags), args...)...)
		cmd.Env = append(os.Environ(), env...)
		var out, errs bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &errs
		err := cmd.Run()
		var exit *exec.ExitError
		switch {
		case err == nil:
			return 0, out.String()
		case errors.As(err, &exit):
			return exit.ExitCode(), out.String() + errs.String()
		}
		return -1, err.Error()
	}
}

// lockedBuffer is written by a process and read by a test.
type lockedBuffer struct {
	mu   sync.Mutex
	text strings.Builder
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
