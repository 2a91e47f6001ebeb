//go:build unix

package e2e

import (
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
)

// killed runs the real binary until what arrange set up kills it with SIGKILL.
func (w *world) killed(arrange func(kill func()), args ...string) {
	w.t.Helper()
	bin, err := binary()
	if err != nil {
		w.t.Fatal(err)
	}
	cmd := exec.Command(bin, append([]string{"--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--progress", "off"}, args...)...)
	cmd.Env = w.environ()
	started := make(chan struct{})
	arrange(func() {
		<-started
		_ = cmd.Process.Signal(syscall.SIGKILL)
	})
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	close(started)
	if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
		w.t.Fatalf("the process was not killed: %v", err)
	}
}
