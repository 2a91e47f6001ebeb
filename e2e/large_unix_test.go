//go:build unix

package e2e

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/internal/sandbox"
)

// memoryLimit is what a process may take at most, however long the input is.
const memoryLimit = 256 << 20

// TestVector35_a_large_file_flat_memory_monotone_progress_resumable sends a file with
// the real binary and kills it half way. SLUICE_VECTOR35_ROWS sets the size; the full
// million is `make bench-large`.
func TestVector35_a_large_file_flat_memory_monotone_progress_resumable(t *testing.T) {
	t.Parallel()
	rows := fromEnv("SLUICE_VECTOR35_ROWS", 100_000)
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	eachStore(t, func(t *testing.T, w *world) {
		w.box = sandbox.New(sandbox.Options{Now: w.clock, Keep: sandbox.KeepKeys})
		in := filepath.Join(w.dir, "orders.csv")
		writeOrders(t, in, 1, rows)
		preview := w.process(bin, "preview", in, "-m", "../bench/orders/mapping.yaml", "--dataset", dataset)
		if preview.err != nil {
			t.Fatalf("preview: %v\n%s", preview.err, preview.stderr)
		}
		var p plan
		decode(t, preview.stdout, &p)
		if p.Counts.Planned != rows || p.Counts.add() != rows {
			t.Fatalf("counts %+v", p.Counts)
		}

		half := max(1, rows/2000)
		var once sync.Once
		var confirm *process
		started := make(chan struct{})
		w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
			serve()
			if n == half {
				once.Do(func() {
					<-started
					_ = confirm.cmd.Process.Signal(syscall.SIGKILL)
				})
				panic(http.ErrAbortHandler)
			}
		}, nil)
		confirm = w.start(bin, "confirm", p.ID)
		close(started)
		if confirm.wait(); confirm.err == nil || !strings.Contains(confirm.err.Error(), "killed") {
			t.Fatalf("the process was not killed: %v\n%s", confirm.err, confirm.stderr)
		}
		w.intercept(nil, nil)
		resumed := w.process(bin, "confirm", p.ID)
		if resumed.err != nil {
			t.Fatalf("the second confirm: %v\n%s", resumed.err, resumed.stderr)
		}
		var r receipt
		decode(t, resumed.stdout, &r)
		if r.Counts["delivered"] != rows || len(r.Counts) != 1 {
			t.Errorf("receipt %+v", r.Counts)
		}
		if s := w.stored(); s.Kept != rows {
			t.Errorf("the sandbox holds %d of %d", s.Kept, rows)
		}
		for name, p := range map[string]*process{"preview": preview, "confirm": resumed} {
			p.monotone(t, name)
			switch {
			case runtime.GOOS == "linux" && p.peak == 0:
				t.Errorf("%s: its memory was not seen", name)
			case p.peak > memoryLimit:
				t.Errorf("%s of %d rows took %d MB at its peak", name, rows, p.peak>>20)
			default:
				t.Logf("%s of %d rows: %d MB at its peak", name, rows, p.peak>>20)
			}
		}
	})
}

// process is one run of the binary.
type process struct {
	cmd            *exec.Cmd
	out, errs      bytes.Buffer
	stdout, stderr string
	err            error
	peak           int64 // most memory it had, in bytes; 0 where the kernel does not say
}

func (w *world) start(bin string, args ...string) *process {
	w.t.Helper()
	p := &process{cmd: exec.Command(bin, append(args, "--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--progress", "json", "--json")...)}
	p.cmd.Env, p.cmd.Stdout, p.cmd.Stderr = w.environ(), &p.out, &p.errs
	if err := p.cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	return p
}

// wait waits for the end and watches the memory meanwhile: what the kernel says
// afterwards includes the process that started it.
func (p *process) wait() {
	ended := make(chan struct{})
	go func() {
		p.err = p.cmd.Wait()
		close(ended)
	}()
	for tick := time.NewTicker(20 * time.Millisecond); ; {
		select {
		case <-tick.C:
			p.look()
		case <-ended:
			tick.Stop()
			p.stdout, p.stderr = p.out.String(), p.errs.String()
			return
		}
	}
}

func (p *process) look() {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	_, after, _ := strings.Cut(string(text), "VmHWM:")
	if fields := strings.Fields(after); len(fields) > 0 {
		if kb, err := strconv.ParseInt(fields[0], 10, 64); err == nil {
			p.peak = max(p.peak, kb<<10)
		}
	}
}

func (w *world) process(bin string, args ...string) *process {
	w.t.Helper()
	p := w.start(bin, args...)
	p.wait()
	return p
}

// monotone checks that progress never goes back, and that there is some.
func (p *process) monotone(t *testing.T, name string) {
	t.Helper()
	seen, last := 0, map[string]int64{}
	for lines := bufio.NewScanner(strings.NewReader(p.stderr)); lines.Scan(); {
		var at struct {
			Phase       string `json:"phase"`
			Done, Total int64
		}
		if json.Unmarshal(lines.Bytes(), &at) != nil || at.Phase == "" {
			continue
		}
		seen++
		if at.Done < last[at.Phase] || (at.Total > 0 && at.Done > at.Total) {
			t.Errorf("%s: progress went from %d to %s", name, last[at.Phase], fmt.Sprint(at))
		}
		last[at.Phase] = at.Done
	}
	if seen == 0 {
		t.Errorf("%s showed no progress:\n%s", name, p.stderr)
	}
}
