package testkit

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
)

// NodeModules installs the npm packages that dir's package.json and
// package-lock.json pin, and returns the directory that holds node_modules. It
// installs once per lock file, into the user's cache directory, so the source
// tree stays clean and later runs need no network. Install scripts do not run.
//
// Processes may call it at the same time: each installs beside the target and
// renames, the first one wins. An error holds what npm said.
func NodeModules(dir string) (string, error) {
	files := []string{"package.json", "package-lock.json"}
	content := make(map[string][]byte, len(files))
	digest := sha256.New()
	for _, name := range files {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return "", err
		}
		content[name] = b
		fmt.Fprintf(digest, "%s %d\n%s", name, len(b), b)
	}

	cache, err := os.UserCacheDir()
	if err != nil { // no home directory, as in some build sandboxes
		cache = os.TempDir()
	}
	parent := filepath.Join(cache, "sluice", "npm")
	target := filepath.Join(parent, fmt.Sprintf("%x", digest.Sum(nil)[:8]))
	if _, err := os.Stat(target); err == nil {
		return target, nil
	}

	if err := os.MkdirAll(parent, 0o700); err != nil {
		return "", err
	}
	tmp, err := os.MkdirTemp(parent, "installing-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	for _, name := range files {
		if err := os.WriteFile(filepath.Join(tmp, name), content[name], 0o600); err != nil {
			return "", err
		}
	}
	cmd := exec.Command("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	cmd.Dir = tmp
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("npm ci for %s: %w\n%s", filepath.Base(dir), err, out)
	}
	if err := os.Rename(tmp, target); err != nil {
		// Another process was faster: a directory that is not empty can't be replaced.
		if _, statErr := os.Stat(target); errors.Is(statErr, fs.ErrNotExist) {
			return "", err
		}
	}
	return target, nil
}
