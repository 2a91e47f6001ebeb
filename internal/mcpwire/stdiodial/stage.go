package stdiodial

import (
	"encoding/json"
	"errors"
	"os"
	"sync/atomic"
)

// stageName is the hidden command with which Sluice starts itself to become a child.
const stageName = "__child"

// staging says that this program answers to stageName. A program that does not would
// run as something else.
var staging atomic.Bool

// stageSpec is what the stage has to do before it becomes the command.
type stageSpec struct {
	Protect  []string `json:"protect,omitempty"`
	Hide     bool     `json:"hide,omitempty"` // by mounts, where the process may make them
	Required bool     `json:"required,omitempty"`
}

// What the stage reports before it becomes the command, on a line before the reason.
const (
	reportWarning = "not isolated"
	reportFailure = "failed"
)

// MaybeChild has to be the first thing that main does, and TestMain of a package
// whose tests start isolated children. In a process that was started to become a
// child it restricts that process, runs the command in its place and does not return.
func MaybeChild() {
	staging.Store(true)
	if len(os.Args) < 5 || os.Args[1] != stageName {
		return
	}
	report := os.NewFile(3, "report")
	err := func() error {
		var spec stageSpec
		if err := json.Unmarshal([]byte(os.Args[2]), &spec); err != nil {
			return err
		}
		return become(spec, os.Args[3], os.Args[4:], report)
	}()
	if report != nil {
		_, _ = report.WriteString(reportFailure + "\n" + err.Error())
	}
	os.Exit(126)
}

// selfPath is this program, where it can be its own stage.
func selfPath() (string, error) {
	if !staging.Load() {
		return "", errors.New("this program can't start itself as a child")
	}
	return os.Executable()
}
