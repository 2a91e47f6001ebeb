//go:build unix

package stdiodial

import (
	"os"
	"syscall"
)

// killGroup signals the process and everything it started, unless that left the group.
func killGroup(p *os.Process, hard bool) {
	sig := syscall.SIGTERM
	if hard {
		sig = syscall.SIGKILL
	}
	_ = syscall.Kill(-p.Pid, sig)
}

// confine has nothing to do: the group was made with the process.
func confine(*os.Process) {}
