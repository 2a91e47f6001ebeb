package app

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/internal/config"
	"sluice/internal/fault"
	"sluice/internal/graphspec"
)

// pins are the Graph versions that were chosen, by the address they were chosen for.
type pins map[string]string

// pinnedVersion is the Graph version for tools: what is configured, else what was pinned
// when this address was first used. An upgrade of Sluice never changes it.
func pinnedVersion(c *config.Config) (string, error) {
	if c.GraphVersion != "" {
		return c.GraphVersion, nil
	}
	at := c.GraphURL
	if at == "" {
		at = "meta"
	}
	file := filepath.Join(c.StateDir, "graph-versions.json")
	p := pins{}
	text, err := os.ReadFile(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return "", unpinned(file, "read", err)
	default:
		if err := json.Unmarshal(text, &p); err != nil {
			return "", fault.New(fault.StoreUnavailable, "%s is damaged", file).WithFix("remove it, or set graph_version").Wrap(err)
		}
	}
	if v := p[at]; graphspec.ValidVersion(v) {
		return v, nil
	}
	if c.GraphURL != "" { // a sandbox: what it serves is no promise to anybody
		return graphspec.Newest, nil
	}
	p[at] = graphspec.Newest
	text, err = json.MarshalIndent(p, "", "  ")
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(c.StateDir, 0o700); err != nil {
		return "", fault.New(fault.StoreUnavailable, "the state directory %s can't be made", c.StateDir).Wrap(err)
	}
	return graphspec.Newest, replaceFile(file, append(text, '\n'))
}

// replaceFile writes a file beside its place and moves it there: another process may read
// it, or write it, at the same moment.
func replaceFile(file string, text []byte) error {
	failed := func(err error) error {
		return fault.New(fault.StoreUnavailable, "%s can't be written", file).Wrap(err)
	}
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*")
	if err != nil {
		return failed(err)
	}
	_, err = part.Write(text)
	if err = errors.Join(err, part.Close()); err == nil {
		err = os.Rename(part.Name(), file)
	}
	if err != nil {
		return failed(errors.Join(err, os.Remove(part.Name())))
	}
	return nil
}

// unpinned says why a version can't be pinned. A relay keeps its children out of its own
// state directory.
func unpinned(file, what string, err error) error {
	f := fault.New(fault.StoreUnavailable, "%s can't be %s", file, what).Wrap(err)
	if errors.Is(err, fs.ErrPermission) {
		return f.WithFix("as the child of a relay, `sluice mcp` needs a --state-dir of its own; or let it decide itself: sluice mcp -p policy.json")
	}
	return f
}
