package mcptest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Stdio is `sluice proxy -p` as a client has it that starts servers as commands: it
// writes the very bytes that it is told to.
type Stdio struct {
	in    io.WriteCloser
	lines chan string
	cmd   *exec.Cmd
	logs  *lockedBuffer
}

// NewStdio starts a proxy in front of what the last arguments name.
func NewStdio(t testing.TB, policy string, args ...string) *Stdio {
	t.Helper()
	file := filepath.Join(t.TempDir(), "policy.json")
	if err := os.WriteFile(file, []byte(policy), 0o600); err != nil {
		t.Fatal(err)
	}
	_, env := Environment(t)
	s := &Stdio{lines: make(chan string, 4096), logs: &lockedBuffer{}}
	s.cmd = exec.CommandContext(context.WithoutCancel(t.Context()), Program(t), append([]string{"proxy", "-p", file}, args...)...)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = s.logs
	var err error
	if s.in, err = s.cmd.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(s.lines)
		r := bufio.NewReaderSize(out, 1<<20)
		for {
			line, err := r.ReadString('\n')
			if line != "" {
				s.lines <- strings.TrimSuffix(line, "\n")
			}
			if err != nil {
				return
			}
		}
	}()
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _ = s.cmd.Wait() })
	return s
}

// Write writes bytes as they are.
func (s *Stdio) Write(t testing.TB, raw string) {
	t.Helper()
	if _, err := io.WriteString(s.in, raw); err != nil {
		t.Fatalf("%v\n%s", err, s.logs)
	}
}

// Until reads lines up to the first that has this text.
func (s *Stdio) Until(t testing.TB, text string) string {
	t.Helper()
	limit := time.NewTimer(time.Minute)
	defer limit.Stop()
	var seen []string
	for {
		select {
		case line, ok := <-s.lines:
			if !ok {
				t.Fatalf("it ended before %s; it said\n%s\n%s", text, strings.Join(seen, "\n"), s.logs)
			}
			if strings.Contains(line, text) {
				return line
			}
			seen = append(seen, line)
		case <-limit.C:
			t.Fatalf("in vain waited for %s; it said\n%s\n%s", text, strings.Join(seen, "\n"), s.logs)
		}
	}
}

// End closes the input, waits until the program has ended, and returns what was left to
// read.
func (s *Stdio) End(t testing.TB) (rest []string) {
	t.Helper()
	if err := s.in.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
		t.Fatal(err)
	}
	for line := range s.lines {
		rest = append(rest, line)
	}
	if err := s.cmd.Wait(); err != nil {
		t.Errorf("the proxy ended with: %v\n%s", err, s.logs)
	}
	return rest
}

// Open shakes hands as a legacy client.
func (s *Stdio) Open(t testing.TB) {
	t.Helper()
	s.Write(t, `{"jsonrpc":"2.0","id":"hello","method":"initialize","params":{"protocolVersion":"2025-11-25","capabilities":{},"clientInfo":{"name":"raw","version":"1"}}}`+"\n")
	s.Until(t, `"id":"hello"`)
	s.Write(t, `{"jsonrpc":"2.0","method":"notifications/initialized"}`+"\n")
}
