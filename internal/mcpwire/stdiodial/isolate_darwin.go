package stdiodial

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
)

const sandboxExec = "/usr/bin/sandbox-exec"

// isolate runs a command under a profile that denies the protected paths.
func isolate(w wrapped, o *Options) (wrapped, error) {
	if len(o.Protect) == 0 {
		return w, nil
	}
	if _, err := os.Stat(sandboxExec); err != nil {
		return w, errors.New("this system has no sandbox-exec")
	}
	var profile strings.Builder
	profile.WriteString("(version 1)\n(allow default)\n")
	for _, p := range o.Protect {
		abs, err := filepath.Abs(p)
		if err != nil {
			return w, err
		}
		if real, err := filepath.EvalSymlinks(abs); err == nil {
			abs = real
		}
		quoted := `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(abs) + `"`
		profile.WriteString("(deny file-read* file-write* (subpath " + quoted + "))\n")
	}
	w.args = append([]string{sandboxExec, "-p", profile.String(), w.path}, w.args[1:]...)
	w.path = sandboxExec
	return w, nil
}

// become is not used here: sandbox-exec is the stage.
func become(stageSpec, string, []string, *os.File) error {
	return errors.New("this system needs no stage")
}
