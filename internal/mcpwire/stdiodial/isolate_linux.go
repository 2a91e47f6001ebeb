package stdiodial

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// isolate puts the stage before a command.
func isolate(w wrapped, o *Options) (wrapped, error) {
	self, err := selfPath()
	if err != nil {
		return w, err
	}
	if landlockVersion() < oldestLandlock {
		return w, errors.New("this kernel has no Landlock, or an old one (Linux 6.2 or later has what is needed)")
	}
	protect, err := resolved(o.Protect)
	if err != nil {
		return w, err
	}
	spec := stageSpec{Protect: protect, Hide: !o.noMounts && exist(protect) && mayMount(), Required: o.Isolation == IsolateRequired}
	if !spec.Hide {
		if err := makeRoom(&w, protect); err != nil {
			return w, err
		}
	}
	text, err := json.Marshal(spec)
	if err != nil {
		return w, err
	}
	w.args = append([]string{self, stageName, string(text), w.path}, w.args...)
	w.path, w.staged = self, true
	return w, nil
}

// resolved makes paths absolute and free of links.
func resolved(paths []string) ([]string, error) {
	var all []string
	for _, p := range paths {
		abs, err := filepath.Abs(p)
		if err != nil {
			return nil, err
		}
		// What does not exist yet is protected by where it will stand.
		rest := ""
		for {
			real, err := filepath.EvalSymlinks(abs)
			if err == nil {
				all = append(all, filepath.Join(real, rest))
				break
			}
			if !errors.Is(err, os.ErrNotExist) {
				return nil, err
			}
			rest = filepath.Join(filepath.Base(abs), rest)
			abs = filepath.Dir(abs)
		}
	}
	return all, nil
}

// mayMount reports whether this process may make mounts of its own.
func mayMount() bool {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	return unix.Capget(&header, &data[0]) == nil && data[0].Effective&(1<<unix.CAP_SYS_ADMIN) != 0
}

// exist reports whether something can be put over each path.
func exist(paths []string) bool {
	for _, p := range paths {
		if _, err := os.Stat(p); err != nil {
			return false
		}
	}
	return true
}

// above reports whether dir is a directory above one of the paths.
func above(dir string, paths []string) bool {
	for _, p := range paths {
		if dir == "/" || strings.HasPrefix(p, dir+"/") {
			return true
		}
	}
	return false
}

// usual lists directories that programs make at home at their first run. With
// Landlock, none can be made in a directory above a protected one afterwards.
var usual = []string{".cache", ".config", ".local/share"}

// usualOf are those of the programs that start most servers.
var usualOf = map[string]string{"npx": ".npm", "npm": ".npm", "bunx": ".bun", "bun": ".bun", "docker": ".docker", "dnx": ".nuget"}

// makeRoom gives a child the directories it needs where Landlock will let it make
// none: a temporary one of its own, and the usual ones at home.
func makeRoom(w *wrapped, protect []string) error {
	tmp := variable(w.env, "TMPDIR")
	if tmp == "" {
		tmp = "/tmp"
	}
	if above(filepath.Clean(tmp), protect) {
		own, err := os.MkdirTemp(tmp, "sluice-child-")
		if err != nil {
			return err
		}
		w.env = with(w.env, "TMPDIR="+own, runtime.GOOS)
		w.cleanup = func() { _ = os.RemoveAll(own) }
	}
	home := variable(w.env, "HOME")
	if home == "" || !filepath.IsAbs(home) || !above(filepath.Clean(home), protect) {
		return nil
	}
	for _, name := range append(usual, usualOf[filepath.Base(w.args[0])]) {
		if name != "" {
			_ = os.MkdirAll(filepath.Join(home, name), 0o700) // a home that can't be written to is the child's problem
		}
	}
	return nil
}

// become restricts this process and turns it into the command. It returns an error or
// not at all.
func become(spec stageSpec, path string, args []string, report *os.File) error {
	if report != nil {
		syscall.CloseOnExec(int(report.Fd()))
	}
	// Mounts and Landlock domains belong to one thread, which is then the one that stays.
	runtime.LockOSThread()
	// So does the wish to end with Sluice: of a process started by Sluice it is that of the
	// first thread, and this may be another.
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(unix.SIGKILL), 0, 0, 0)
	hidden := spec.Hide && hide(spec.Protect) == nil
	dropCapabilities()
	if err := restrict(spec.Protect, hidden); err != nil {
		err = fmt.Errorf("restricting the process with Landlock: %w", err)
		if spec.Required || report == nil {
			return err
		}
		_, _ = report.WriteString(reportWarning + "\n" + err.Error())
	}
	if err := syscall.Exec(path, args, os.Environ()); err != nil {
		return fmt.Errorf("%s: %w", filepath.Base(path), err)
	}
	return nil // never
}

// overriding are capabilities that reach around the isolation: into other processes,
// other mounts, the kernel, raw devices. Only root has them to lose.
var overriding = []uintptr{unix.CAP_SYS_ADMIN, unix.CAP_SYS_PTRACE, unix.CAP_PERFMON, unix.CAP_BPF, unix.CAP_SYS_MODULE,
	unix.CAP_SYS_RAWIO, unix.CAP_MKNOD, unix.CAP_DAC_READ_SEARCH}

// dropCapabilities has the command start without them. Who may not drop them does not
// have them either.
func dropCapabilities() {
	for _, c := range overriding {
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, c, 0, 0, 0)
	}
}

// hide puts something empty over each protected path, in a mount namespace of the
// child's own. Unlike Landlock it leaves the directories above as they are.
func hide(paths []string) error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return err
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_SLAVE, ""); err != nil {
		return err
	}
	for _, p := range paths {
		info, err := os.Stat(p)
		switch {
		case err != nil:
			return err
		case info.IsDir():
			err = unix.Mount("none", p, "tmpfs", unix.MS_RDONLY|unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NOEXEC, "size=4k,mode=0555")
		default:
			err = unix.Mount("/dev/null", p, "", unix.MS_BIND, "")
		}
		if err != nil {
			return err
		}
	}
	return nil
}
