package testkit

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

// Postgres gives the test a database of its own on a private PostgreSQL server and
// returns its URL. One server serves the whole test process: it is started when the
// first test asks, listens on a socket in a directory that only its user can enter,
// and is gone with its files when the process ends, however it ends. It survives
// kill -9 like any other, but a power cut only in benchmarks: fsync is on for them
// alone, because it takes half of the time of tests that prove nothing about it.
func Postgres(t testing.TB) string {
	t.Helper()
	return database(t, nil)
}

// PostgresCopy is Postgres for tests that all begin alike: the first one in the
// process prepares a database, and every test gets a copy of it.
func PostgresCopy(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	return database(t, prepare)
}

func database(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	p, err := server()
	if err != nil {
		t.Fatalf("the private PostgreSQL server: %v", err)
	}
	if p == nil {
		Unavailable(t, "no PostgreSQL server programs (initdb, postgres); install with: sh scripts/need.sh postgres")
		return ""
	}
	create := ""
	if prepare != nil {
		if err := p.template(prepare); err != nil {
			t.Fatalf("the database that tests copy: %v", err)
		}
		create = " TEMPLATE " + prepared
	}
	name := fmt.Sprintf("test_%d", p.databases.Add(1))
	if err := p.exec("CREATE DATABASE " + name + create); err != nil {
		t.Fatalf("a database for the test: %v", err)
	}
	t.Cleanup(func() {
		if err := p.exec("DROP DATABASE " + name + " WITH (FORCE)"); err != nil {
			t.Logf("the test's database stays: %v", err)
		}
	})
	return p.url(name)
}

// postgres is the server of this process.
type postgres struct {
	dir       string
	databases atomic.Int64

	mu    sync.Mutex
	admin *pgx.Conn

	once    sync.Once
	failure error // of preparing
}

// prepared is the name of the database that tests copy.
const prepared = "prepared"

func (p *postgres) template(prepare func(url string) error) error {
	p.once.Do(func() {
		if p.failure = p.exec("CREATE DATABASE " + prepared); p.failure == nil {
			p.failure = prepare(p.url(prepared))
		}
	})
	return p.failure
}

var server = sync.OnceValues(func() (*postgres, error) {
	bin := postgresPrograms()
	if bin == "" {
		return nil, nil
	}
	return startPostgres(bin)
})

// fsync is on where speed is measured.
func fsync() string {
	if f := flag.Lookup("test.bench"); f != nil && f.Value.String() != "" {
		return "on"
	}
	return "off"
}

// postgresPrograms finds the directory of initdb and postgres: PATH first, then
// where Debian, Fedora and Homebrew put them, newest first.
func postgresPrograms() string {
	var dirs []string
	if p, err := exec.LookPath("initdb"); err == nil {
		dirs = append(dirs, filepath.Dir(p))
	}
	for _, pattern := range []string{"/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin", "/usr/local/opt/postgresql@*/bin"} {
		found, _ := filepath.Glob(pattern)
		sort.Sort(sort.Reverse(sort.StringSlice(found)))
		dirs = append(dirs, found...)
	}
	for _, dir := range dirs {
		if _, err := os.Stat(filepath.Join(dir, "initdb")); err != nil {
			continue
		}
		if _, err := os.Stat(filepath.Join(dir, "postgres")); err == nil {
			return dir
		}
	}
	return ""
}

func (p *postgres) url(database string) string {
	q := url.Values{"host": {p.dir}, "user": {"sluice"}, "sslmode": {"disable"}}
	return "postgres:///" + database + "?" + q.Encode()
}

// exec runs a statement of the server's owner; one at a time, because CREATE
// DATABASE copies a template that nobody else may be connected to.
func (p *postgres) exec(statement string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if p.admin == nil || p.admin.IsClosed() {
		conn, err := pgx.Connect(ctx, p.url("postgres"))
		if err != nil {
			return err
		}
		p.admin = conn
	}
	_, err := p.admin.Exec(ctx, statement)
	return err
}

// await waits until the server answers; said is the file with its last words.
func (p *postgres) await(exited <-chan struct{}, said string) error {
	deadline := time.Now().Add(time.Minute)
	for {
		err := p.exec("SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-exited:
		case <-time.After(20 * time.Millisecond):
			if time.Now().Before(deadline) {
				continue
			}
		}
		log, _ := os.ReadFile(said)
		return fmt.Errorf("it does not answer: %w\n%s", err, strings.TrimSpace(string(log)))
	}
}

// Database makes a database on the private server for a program of ours that is no
// test; it goes with the server, at the end of the process.
func Database() (string, error) {
	p, err := server()
	if err != nil {
		return "", err
	}
	if p == nil {
		return "", fmt.Errorf("no PostgreSQL server programs (initdb, postgres); install with: sh scripts/need.sh postgres")
	}
	name := fmt.Sprintf("test_%d", p.databases.Add(1))
	return p.url(name), p.exec("CREATE DATABASE " + name)
}
