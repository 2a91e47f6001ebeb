//go:build unix

package testkit

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// watch runs the server and waits for the end of its own standard input, which the
// test process holds: it ends with that process even when nothing could be tidied
// up. Signals of the terminal don't reach it, it is a session of its own.
const watch = `"$1/initdb" -D "$2/data" -U sluice -A trust -E UTF8 --locale=C --no-sync >"$2/log" 2>&1 || exit 1
"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=200 -c fsync="$3" -c max_wal_size=4GB >>"$2/log" 2>&1 </dev/null &
pid=$!
while read -r _; do :; done
kill -INT $pid 2>/dev/null
wait $pid 2>/dev/null
cd / && rm -rf "$2"
`

func startPostgres(bin string) (*postgres, error) {
	dir, err := os.MkdirTemp("", "sluice-pg-")
	if err != nil {
		return nil, err
	}
	// A socket's path has room for about a hundred bytes.
	if len(dir) > 80 {
		_ = os.Remove(dir)
		if dir, err = os.MkdirTemp("/tmp", "sluice-pg-"); err != nil {
			return nil, err
		}
	}
	cmd := exec.Command("/bin/sh", "-c", watch, "sh", bin, dir, fsync())
	cmd.Dir = dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if os.Geteuid() == 0 {
		uid, gid, err := unprivileged()
		if err != nil {
			return nil, err
		}
		if err := os.Chown(dir, int(uid), int(gid)); err != nil {
			return nil, err
		}
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: gid}
	}
	// Never written to: the kernel closes it with this process.
	if _, err := cmd.StdinPipe(); err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the log says why
		close(exited)
	}()
	p := &postgres{dir: dir}
	return p, p.await(exited, filepath.Join(dir, "log"))
}

// unprivileged finds a user that the server, which refuses to be root, can run as.
func unprivileged() (uid, gid uint32, err error) {
	var tried []string
	for _, name := range []string{"postgres", "nobody"} {
		tried = append(tried, name)
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		a, errA := strconv.ParseUint(u.Uid, 10, 32)
		b, errB := strconv.ParseUint(u.Gid, 10, 32)
		if errA == nil && errB == nil && a != 0 {
			return uint32(a), uint32(b), nil
		}
	}
	return 0, 0, fmt.Errorf("no user %s to run it as", strings.Join(tried, " or "))
}
