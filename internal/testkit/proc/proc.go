// Package proc runs servers as processes of their own for benchmarks and soaks, and
// reads from the system what they use.
//
// A server tells where it listens in the first line of its output, "listening on
// URL". Limits: what a process uses is known on Linux only, elsewhere it is 0.
package proc

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

// Process is a server that was started.
type Process struct {
	URL string
	cmd *exec.Cmd
}

// Start runs a program and waits until it says where it listens. Its errors go to
// this process's.
func Start(ctx context.Context, env []string, program string, args ...string) (*Process, error) {
	return StartLogging(ctx, os.Stderr, env, program, args...)
}

// StartLogging is Start for those who read what the program says of itself.
func StartLogging(ctx context.Context, log io.Writer, env []string, program string, args ...string) (*Process, error) {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Env = append(os.Environ(), env...)
	cmd.Stderr = log
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 10 * time.Second
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{cmd: cmd}
	lines := bufio.NewReader(out)
	line, _ := lines.ReadString('\n')
	at, ok := strings.CutPrefix(strings.TrimSpace(line), "listening on ")
	if !ok {
		p.Kill()
		return nil, fmt.Errorf("%s: its first line is %q, want \"listening on URL\"", program, line)
	}
	p.URL = at
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	return p, nil
}

// Of is a process that somebody else started and waits for.
func Of(cmd *exec.Cmd) *Process { return &Process{cmd: cmd} }

// Stop asks the process to end, and waits until it did.
func (p *Process) Stop() error {
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return p.cmd.Wait()
}

// Kill ends the process as a crash would, and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

// PID is the id of the process.
func (p *Process) PID() int { return p.cmd.Process.Pid }

// CPU is the processor time that the process used so far.
func (p *Process) CPU() time.Duration {
	stat, err := os.ReadFile(p.file("stat"))
	if err != nil {
		return 0
	}
	// The second field, the program's name, may hold blanks; user and system time are
	// the fields 14 and 15, in hundredths of a second.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	var ticks int64
	for _, f := range fields[11:13] {
		n, _ := strconv.ParseInt(f, 10, 64)
		ticks += n
	}
	return time.Duration(ticks) * 10 * time.Millisecond
}

// Memory is the memory of the process that is resident now, and the most that ever
// was, in bytes.
func (p *Process) Memory() (now, peak int64) {
	status, err := os.ReadFile(p.file("status"))
	if err != nil {
		return 0, 0
	}
	for line := range strings.Lines(string(status)) {
		name, value, _ := strings.Cut(line, ":")
		kB, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(value), " kB"), 10, 64)
		switch name {
		case "VmRSS":
			now = kB << 10
		case "VmHWM":
			peak = kB << 10
		}
	}
	return now, peak
}

func (p *Process) file(name string) string {
	return fmt.Sprintf("/proc/%d/%s", p.cmd.Process.Pid, name)
}
