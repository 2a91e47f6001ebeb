package main

import (
	"bufio"
	"bytes"
	"context"
	"embed"
	"encoding/csv"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"
)

//go:embed policy.json sluice.yaml mapping.yaml orders.csv
var files embed.FS

// stage is everything that a session needs beside its agent.
type stage struct {
	program string // sluice
	dir     string
	gate    string // state of the gateway: policy decisions, approvals, audit
	// ledger is the state of the server: outcomes, plans, what was sent. In a directory of
	// its own: a child can make no files beside the state that it is kept from.
	ledger  string
	sandbox string // its URL

	double *exec.Cmd
	log    lockedBuffer // what all processes say on stderr
}

// setStage builds the program, starts the sandbox, and imports the shop's orders. What it
// returns is to be closed, also beside an error.
func setStage(ctx context.Context, o options) (*stage, error) {
	dir, err := os.MkdirTemp("", "agent-session-")
	if err != nil {
		return nil, err
	}
	s := &stage{program: o.program, dir: dir, gate: filepath.Join(dir, "gateway"), ledger: filepath.Join(dir, "server", "state")}
	for _, d := range []string{s.gate, s.ledger, s.path("uploads")} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return s, err
		}
	}
	if s.program, err = filepath.Abs(s.program); err != nil {
		return s, err
	}
	if o.program == "" {
		s.program = s.path("sluice")
		build := exec.CommandContext(ctx, "go", "build", "-o", s.program, "sluice/cmd/sluice")
		if out, err := build.CombinedOutput(); err != nil {
			return s, fmt.Errorf("building sluice: %w\n%s", err, out)
		}
	}
	if err := s.write(time.Now()); err != nil {
		return s, err
	}
	if o.policy != "" {
		b, err := os.ReadFile(o.policy)
		if err == nil {
			err = os.WriteFile(s.path("policy.json"), b, 0o600)
		}
		if err != nil {
			return s, err
		}
	}
	if err := s.startSandbox(ctx); err != nil {
		return s, err
	}
	_, err = s.sluice(ctx, s.ledger, "outcomes", "import", s.path("orders.csv"), "-m", s.path("mapping.yaml"))
	return s, err
}

func (s *stage) path(name string) string { return filepath.Join(s.dir, name) }

// write puts the files of this example, and a picture, into the directory.
func (s *stage) write(now time.Time) error {
	for _, name := range []string{"policy.json", "sluice.yaml", "mapping.yaml", "orders.csv"} {
		b, err := files.ReadFile(name)
		if err == nil && name == "orders.csv" {
			b, err = recent(b, now)
		}
		if err == nil {
			err = os.WriteFile(s.path(name), b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	picture := image.NewRGBA(image.Rect(0, 0, 600, 600))
	for i := range 600 * 600 {
		picture.Set(i%600, i/600, color.RGBA{R: uint8(i % 600 / 3), G: 120, B: uint8(i / 600 / 3), A: 255})
	}
	var b bytes.Buffer
	if err := png.Encode(&b, picture); err != nil {
		return err
	}
	return os.WriteFile(s.path("uploads/autumn.png"), b.Bytes(), 0o600)
}

// recent moves all orders by whole days, so that the last ones are yesterday's: Meta takes
// store sales of the last days only.
func recent(orders []byte, now time.Time) ([]byte, error) {
	rows, err := csv.NewReader(bytes.NewReader(orders)).ReadAll()
	if err != nil {
		return nil, err
	}
	const soldAt = 1
	var last time.Time
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[soldAt])
		if err != nil {
			return nil, err
		}
		if at.After(last) {
			last = at
		}
	}
	const day = 24 * time.Hour
	moved := now.UTC().Truncate(day).Add(-day).Sub(last.Truncate(day))
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[soldAt])
		if err != nil {
			return nil, err
		}
		row[soldAt] = at.Add(moved).Format(time.RFC3339)
	}
	var b bytes.Buffer
	err = csv.NewWriter(&b).WriteAll(rows)
	return b.Bytes(), err
}

// startSandbox starts Meta's double and reads where it listens.
func (s *stage) startSandbox(ctx context.Context) error {
	s.double = s.command(ctx, "sandbox")
	s.double.Cancel = func() error { return s.double.Process.Signal(os.Interrupt) }
	s.double.WaitDelay = 10 * time.Second
	out, err := s.double.StdoutPipe()
	if err != nil {
		return err
	}
	if err := s.double.Start(); err != nil {
		s.double = nil
		return err
	}
	lines := bufio.NewReader(out)
	line, err := lines.ReadString('\n')
	url, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		return errors.Join(fmt.Errorf("the sandbox began with %q", line), err)
	}
	s.sandbox = url
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return nil
}

// proxy is the command that stands in the agent's configuration. The server is its child:
// a clean environment, no way to the gateway's state.
func (s *stage) proxy(ctx context.Context) *exec.Cmd {
	return s.command(ctx, "proxy", "--state-dir", s.gate, "-p", s.path("policy.json"), "--",
		s.program, "mcp", "--sets", "all", "--write-back", "--config", s.path("sluice.yaml"),
		"--state-dir", s.ledger, "--graph-url", s.sandbox, "--upload-dir", s.path("uploads"))
}

// sluice runs a command on a state directory and returns what it printed.
func (s *stage) sluice(ctx context.Context, state string, args ...string) (string, error) {
	cmd := s.command(ctx, append([]string{"--state-dir", state}, args...)...)
	out, err := cmd.Output()
	if err != nil {
		return string(out), errors.Join(fmt.Errorf("sluice %s: %w", strings.Join(args, " "), err), s.said())
	}
	return string(out), nil
}

// command is sluice without this machine's settings and tokens, which have no business
// in an example.
func (s *stage) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, s.program, args...)
	cmd.Dir, cmd.Stderr = s.dir, &s.log
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "SLUICE_") && !strings.HasPrefix(kv, "META_") && !strings.HasPrefix(kv, "THREADS_") {
			cmd.Env = append(cmd.Env, kv)
		}
	}
	return cmd
}

// said is what the processes wrote to stderr, as an error.
func (s *stage) said() error {
	if text := strings.TrimSpace(s.log.String()); text != "" {
		return errors.New(text)
	}
	return nil
}

func (s *stage) close(keep bool) (err error) {
	if s.double != nil {
		_ = s.double.Process.Signal(os.Interrupt)
		_ = s.double.Wait()
	}
	if !keep {
		err = os.RemoveAll(s.dir)
	}
	return err
}

// lockedBuffer takes what several processes write.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lockedBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lockedBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
