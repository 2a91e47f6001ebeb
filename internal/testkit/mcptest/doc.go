// Package mcptest has what tests of the gateway need on both sides of it: the built
// program, MCP servers that keep the very bytes they were sent, over HTTP and as a child
// process, and clients of both eras that send the very bytes they are told to. None of
// it is made with an SDK, which would tidy up what has to be looked at.
package mcptest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
)

var program struct {
	once sync.Once
	dir  string
	path string
	err  error
}

// Main runs the tests of a package that uses Program or Child.
func Main(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == childArgument {
		child(os.Args[2], os.Stdin, os.Stdout)
		return
	}
	code := m.Run()
	if program.dir != "" {
		_ = os.RemoveAll(program.dir)
	}
	os.Exit(code)
}

// Program is the sluice program, built once.
func Program(t testing.TB) string {
	t.Helper()
	program.once.Do(func() {
		if program.dir, program.err = os.MkdirTemp("", "sluice-test-"); program.err != nil {
			return
		}
		program.path = filepath.Join(program.dir, "sluice")
		if out, err := exec.Command("go", "build", "-o", program.path, "sluice/cmd/sluice").CombinedOutput(); err != nil {
			program.err = fmt.Errorf("%w\n%s", err, out)
		}
	})
	if program.err != nil {
		t.Fatal(program.err)
	}
	return program.path
}

// Environment keeps a program off this user's own state. The state directory is the
// first of what is returned.
func Environment(t testing.TB) (state string, env []string) {
	dir := t.TempDir()
	state = filepath.Join(dir, "state")
	return state, []string{"SLUICE_STATE_DIR=" + state, "HOME=" + dir, "XDG_STATE_HOME=" + dir}
}
