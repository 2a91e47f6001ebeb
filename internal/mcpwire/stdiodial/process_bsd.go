//go:build unix && !linux

package stdiodial

import (
	"os/exec"
	"syscall"
)

// processAttributes puts a child into a group of its own.
func processAttributes() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }

// wait waits for the process, and ends what it left in its group.
func wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	killGroup(cmd.Process, true)
	return err
}
