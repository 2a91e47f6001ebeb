package audit

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"sluice/internal/ids"
)

// Node names the writer of a state directory, for chains of a store that several
// machines share. The name is made once and kept in the file node-id.
func Node(stateDir string, now time.Time) (string, error) {
	path := filepath.Join(stateDir, "node-id")
	for {
		text, err := os.ReadFile(path)
		if name := strings.TrimSpace(string(text)); err == nil && name != "" {
			return name, nil
		}
		if err == nil {
			return "", errors.New("the file node-id of the state directory is empty")
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		tmp, err := os.CreateTemp(stateDir, ".node-*")
		if err != nil {
			return "", err
		}
		_, err = tmp.WriteString(ids.New("node", now) + "\n")
		err = errors.Join(err, tmp.Sync(), tmp.Close())
		if err == nil {
			// Linking makes a complete file appear: of two processes one wins.
			if err = os.Link(tmp.Name(), path); errors.Is(err, fs.ErrExist) {
				err = nil
			}
		}
		_ = os.Remove(tmp.Name())
		if err != nil {
			return "", err
		}
	}
}
