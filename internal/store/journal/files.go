package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Names in the directory.
const (
	lockFile     = "lock"      // held for every operation
	foldFile     = "fold"      // held while records are handed on; says how far that got
	procDir      = "procs"     // one locked file per process that calls pass through
	approvalDir  = "approvals" // sealed arguments of calls that wait
	journalStart = "journal-"
	keptStart    = "arguments-" // sealed arguments kept for replay, beside each journal
	logEnd       = ".log"
	tmpEnd       = ".tmp"
)

func journalPath(dir string, gen int64) string { return generation(dir, journalStart, gen) }
func keptPath(dir string, gen int64) string    { return generation(dir, keptStart, gen) }

func generation(dir, start string, gen int64) string {
	return filepath.Join(dir, fmt.Sprintf("%s%08d%s", start, gen, logEnd))
}

// generations lists the numbers of files of one kind, ascending.
func generations(dir, start string) ([]int64, error) {
	d, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	names, err := d.Readdirnames(-1)
	if err = errors.Join(err, d.Close()); err != nil {
		return nil, err
	}
	var list []int64
	for _, name := range names {
		rest, isStart := strings.CutPrefix(name, start)
		digits, isEnd := strings.CutSuffix(rest, logEnd)
		if n, err := strconv.ParseInt(digits, 10, 64); isStart && isEnd && err == nil && n > 0 {
			list = append(list, n)
		}
	}
	slices.Sort(list)
	return list, nil
}

// makeDirs makes what is missing of the directory, readable by its owner alone.
func makeDirs(dir string) error {
	for _, d := range []string{dir, filepath.Join(dir, procDir), filepath.Join(dir, approvalDir)} {
		if err := os.MkdirAll(d, 0o700); err != nil {
			return err
		}
	}
	return nil
}

func openFile(path string) (*os.File, error) {
	return os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
}

// replaceFile makes a complete file appear under a name, on the disk.
func replaceFile(path string, text []byte) error {
	err := writeFile(path+tmpEnd, text)
	if err == nil {
		err = os.Rename(path+tmpEnd, path)
	}
	if err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// writeFile writes a whole file and waits for the disk.
func writeFile(path string, text []byte) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(path)
	}
	return err
}

func gone(err error) bool { return errors.Is(err, fs.ErrNotExist) }
