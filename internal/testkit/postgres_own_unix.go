//go:build unix

package testkit

import (
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// OwnPostgres is a PostgreSQL server of one test, which may end it and start it again.
type OwnPostgres struct {
	bin, dir string
	cred     *syscall.Credential
	life     io.Closer     // the server ends with it
	ended    chan struct{} // the server has ended
}

// serve waits like watch, and runs one server on a directory that is there already.
const serve = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c max_connections=50 -c fsync=off >>"$2/log" 2>&1 </dev/null &
pid=$!
while read -r _; do :; done
kill -INT $pid 2>/dev/null
wait $pid
`

// StartOwnPostgres makes and starts a server that nobody else uses.
func StartOwnPostgres(t testing.TB) *OwnPostgres {
	t.Helper()
	bin := postgresPrograms()
	if bin == "" {
		Unavailable(t, "no PostgreSQL server programs (initdb, postgres); install with: sh scripts/need.sh postgres")
		return nil
	}
	dir, err := os.MkdirTemp("", "sluice-pg-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	p := &OwnPostgres{bin: bin, dir: dir}
	if os.Geteuid() == 0 {
		uid, gid, err := unprivileged()
		if err == nil {
			err = os.Chown(dir, int(uid), int(gid))
		}
		if err != nil {
			t.Fatal(err)
		}
		p.cred = &syscall.Credential{Uid: uid, Gid: gid}
	}
	make := p.command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "sluice", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
	if out, err := make.CombinedOutput(); err != nil {
		t.Fatalf("initdb: %v\n%s", err, out)
	}
	t.Cleanup(func() { p.Stop(t) })
	p.Start(t)
	return p
}

func (p *OwnPostgres) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C", "TZ=UTC"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Credential: p.cred}
	return cmd
}

// URL names the server's one database.
func (p *OwnPostgres) URL() string { return (&postgres{dir: p.dir}).url("postgres") }

// Start starts the server and waits until it answers.
func (p *OwnPostgres) Start(t testing.TB) {
	t.Helper()
	cmd := p.command("/bin/sh", "-c", serve, "sh", p.bin, p.dir)
	life, err := cmd.StdinPipe() // never written to
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait() // the log says why
		close(ended)
	}()
	p.life, p.ended = life, ended
	deadline := time.Now().Add(time.Minute)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		conn, err := pgx.Connect(ctx, p.URL())
		if err == nil {
			_ = conn.Close(ctx)
		}
		cancel()
		if err == nil {
			return
		}
		select {
		case <-ended:
			deadline = time.Now()
		case <-time.After(20 * time.Millisecond):
		}
		if !time.Now().Before(deadline) {
			log, _ := os.ReadFile(filepath.Join(p.dir, "log"))
			t.Fatalf("the test's own PostgreSQL server does not answer: %v\n%s", err, strings.TrimSpace(string(log)))
		}
	}
}

// Crash ends the server without writing down what it has in memory: it recovers from its
// log at the next start.
func (p *OwnPostgres) Crash(t testing.TB) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(p.dir, "data", "postmaster.pid"))
	if err != nil {
		t.Fatal(err)
	}
	pid, err := strconv.Atoi(strings.TrimSpace(strings.SplitN(string(text), "\n", 2)[0]))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Kill(pid, syscall.SIGQUIT); err != nil {
		t.Fatal(err)
	}
	p.Stop(t) // it is told twice, and waited for
}

// Stop ends the server as an administrator would.
func (p *OwnPostgres) Stop(t testing.TB) {
	t.Helper()
	if p.life == nil {
		return
	}
	_ = p.life.Close()
	select {
	case <-p.ended:
		p.life = nil
	case <-time.After(time.Minute):
		t.Error("the test's own PostgreSQL server does not end")
	}
}
