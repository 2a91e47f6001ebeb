package stdiodial

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

// launch starts the process. Nothing runs for the child yet.
func (c *child) launch(spawn *spawner) error {
	o := &c.d.o
	env := environment(o.Environ, o.Env, runtime.GOOS)
	program, err := find(o.Command[0], o.Dir, env)
	if err != nil {
		return err
	}
	w, err := c.d.wrap(program, o.Command, env)
	if err != nil {
		return err
	}
	c.cleanup = w.cleanup
	defer func() {
		if err != nil && w.cleanup != nil {
			w.cleanup()
		}
	}()

	var theirs, ours []*os.File
	defer func() {
		closeAll(theirs)
		if err != nil {
			closeAll(ours)
		}
	}()
	pipe := func(toChild bool) *os.File {
		r, w, perr := os.Pipe()
		if perr != nil {
			err = errors.Join(err, perr)
			return nil
		}
		if toChild {
			r, w = w, r
		}
		ours, theirs = append(ours, r), append(theirs, w)
		return r
	}
	c.stdin, c.stdout, c.stderr = pipe(true), pipe(false), pipe(false)
	var report *os.File
	if w.staged {
		report = pipe(false)
	}
	if err != nil {
		return err
	}
	c.cmd = &exec.Cmd{Path: w.path, Args: w.args, Dir: o.Dir, Env: w.env,
		Stdin: theirs[0], Stdout: theirs[1], Stderr: theirs[2], SysProcAttr: processAttributes()}
	if w.staged {
		c.cmd.ExtraFiles = theirs[3:]
	}
	if err = spawn.do(c.cmd.Start); err != nil {
		return err
	}
	confine(c.cmd.Process)
	closeAll(theirs)
	theirs = nil
	if report != nil {
		err = c.d.staged(report)
		_ = report.Close()
	}
	if err != nil {
		killGroup(c.cmd.Process, true)
		_ = wait(c.cmd)
	}
	return err
}

// staged waits until the stage has become the command, or says why it could not.
func (d *Dialer) staged(report *os.File) error {
	_ = report.SetReadDeadline(time.Now().Add(20 * time.Second))
	text, err := io.ReadAll(io.LimitReader(report, 4096))
	if err != nil {
		return fmt.Errorf("its isolation was not ready in time: %w", err)
	}
	kind, text, _ := bytes.Cut(text, []byte("\n"))
	switch string(kind) {
	case "":
		return nil
	case reportWarning:
		d.notIsolated(string(text))
		return nil
	default:
		return errors.New(string(text))
	}
}

// notIsolated says once that children are not isolated, and why.
func (d *Dialer) notIsolated(reason string) {
	d.warn.Do(func() {
		d.o.Log.Warn("the server's process is not isolated: it can read what Sluice can read",
			"reason", reason, "protected", strings.Join(d.o.Protect, ", "))
	})
}

func closeAll(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// find is the program that a command names, sought as the child itself would: on the
// PATH it is given, or from its directory.
func find(name, dir string, env []string) (string, error) {
	if filepath.Base(name) != name {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		path, err := filepath.Abs(name)
		if err != nil {
			return "", err
		}
		return exec.LookPath(path)
	}
	if runtime.GOOS == "windows" {
		return exec.LookPath(name)
	}
	for _, d := range filepath.SplitList(variable(env, "PATH")) {
		if !filepath.IsAbs(d) {
			continue // a program of that name in whatever directory we are in is not meant
		}
		if path, err := exec.LookPath(filepath.Join(d, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("%q: %w on the PATH", name, fs.ErrNotExist)
}

// spawner starts processes from one thread that lives as long as they do: on Linux a
// child is told of the death of the thread that started it, not of the process.
type spawner struct{ jobs chan func() }

func newSpawner() *spawner {
	s := &spawner{jobs: make(chan func())}
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		for job := range s.jobs {
			job()
		}
	}()
	return s
}

func (s *spawner) do(job func() error) error {
	done := make(chan error, 1)
	s.jobs <- func() { done <- job() }
	return <-done
}

func (s *spawner) close() { close(s.jobs) }

// wrapped is a command as it is started.
type wrapped struct {
	path    string
	args    []string
	env     []string
	staged  bool // it reports on descriptor 3 before it becomes the command
	cleanup func()
}

// wrap puts the isolation around a command.
func (d *Dialer) wrap(program string, args, env []string) (wrapped, error) {
	plain := wrapped{path: program, args: args, env: env}
	if d.o.Isolation == IsolateOff {
		return plain, nil
	}
	w, err := isolate(plain, &d.o)
	if err == nil {
		return w, nil
	}
	if d.o.Isolation == IsolateRequired {
		return w, fmt.Errorf("isolation is required: %w", err)
	}
	d.notIsolated(err.Error())
	return plain, nil
}
