//go:build unix

package e2e

import (
	"bufio"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestKilledInACanary kills the process while its canary is on the wire: only the
// canary is in doubt, and nothing follows it without a yes.
func TestKilledInACanary(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	w := begin(t)
	p := w.previewed("soho", 120)
	cmd := exec.Command(bin, "confirm", p.ID, "--canary", "10", "--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--json")
	started := make(chan struct{})
	w.intercept(func(_ int, serve func(), _ http.ResponseWriter) {
		serve()
		<-started
		_ = cmd.Process.Signal(syscall.SIGKILL)
		panic(http.ErrAbortHandler)
	}, nil)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	close(started)
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the process was not killed: %v", err)
	}
	w.intercept(nil, nil)
	code, _, counts := w.tries(p.ID)
	if s := w.stored(); code != 5 || counts["unknown"] != 10 || counts["queued"] != 110 || s.Received != 10 {
		t.Fatalf("exit %d, %v, sandbox %+v", code, counts, s)
	}
	w.ok(nil, "resolve", p.ID, "--as", "resend", "--reason", "not in Events Manager")
	w.ok(nil, "confirm", p.ID, "--continue")
	if s := w.stored(); s.Kept != 120 {
		t.Errorf("sandbox %+v", s)
	}
	w.agree(p.ID, 120)
}

// TestKilledInTheMiddle kills the real binary with SIGKILL at named points and
// lets it finish afterwards: nothing may be lost, and nothing stored twice.
func TestKilledInTheMiddle(t *testing.T) {
	t.Parallel()
	bin, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]func(w *world, kill func()){
		"before anything is claimed": func(w *world, kill func()) { w.intercept(nil, kill) },
		"before the first request is stored": func(w *world, kill func()) {
			w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
				if n == 1 {
					kill()
					panic(http.ErrAbortHandler)
				}
				serve()
			}, nil)
		},
		"after a request was stored, before its answer": func(w *world, kill func()) {
			w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
				serve()
				if n == 3 {
					kill()
					panic(http.ErrAbortHandler)
				}
			}, nil)
		},
		"while keys are being claimed": nil, // by what the process says of itself
		"after many answers": func(w *world, kill func()) {
			w.intercept(func(n int, serve func(), _ http.ResponseWriter) {
				if serve(); n == 8 {
					kill()
				}
			}, nil)
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := begin(t)
			m, in := w.file("mapping.yaml", mappingText), w.file("orders.csv", w.orders("soho", 12_000))
			var p plan
			w.ok(&p, "preview", in, "-m", m, "--dataset", dataset)
			cmd := exec.Command(bin, "confirm", p.ID, "--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--progress", "json", "--json")
			said, err := cmd.StderrPipe()
			if err != nil {
				t.Fatal(err)
			}
			started := make(chan struct{})
			kill := func() {
				<-started
				_ = cmd.Process.Signal(syscall.SIGKILL)
			}
			if arrange != nil {
				arrange(w, kill)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			close(started)
			for lines := bufio.NewScanner(said); lines.Scan(); {
				if arrange == nil && strings.Contains(lines.Text(), `"phase":"claiming"`) {
					kill()
				}
			}
			if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the process was not killed: %v", err)
			}
			w.intercept(nil, nil)

			var r receipt
			w.ok(&r, "confirm", p.ID)
			if r.Replayed || r.Counts["delivered"] != 12_000 || len(r.Counts) != 1 {
				t.Errorf("receipt %+v", r.Counts)
			}
			w.agree(p.ID, 12_000)
			if s := w.stored(); s.Kept != 12_000 {
				t.Errorf("sandbox %+v", s)
			}
			var v struct{ OK bool }
			w.ok(&v, "audit", "verify")
			if !v.OK {
				t.Error("the audit chain broke")
			}
		})
	}
}
