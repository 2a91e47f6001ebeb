package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"sluice/internal/sandbox"
	"sluice/internal/testkit"
)

const (
	orders      = 2300 // three requests
	concurrency = 2
	patience    = 90 * time.Second // for one process
)

// options are the flags.
type options struct {
	repeat, workers  int
	stores, policies []string
	only, sender     string
	lease            time.Duration
	log              io.Writer
	dir, bin         string
}

// build makes the binary with the compiled-in points.
func (o *options) build(ctx context.Context) error {
	o.bin = filepath.Join(o.dir, "sluice")
	out, err := exec.CommandContext(ctx, "go", "build", "-tags", "crash", "-o", o.bin, "sluice/cmd/sluice").CombinedOutput()
	if err != nil {
		return fmt.Errorf("%w\n%s", err, out)
	}
	return nil
}

// row is what became of one point on one store under one policy.
type row struct {
	point                  point
	store, policy          string
	kills, events          int
	lost, doubled, outside int
	unresolved             int
}

// matrix runs every trial.
func (o *options) matrix(ctx context.Context) ([]row, error) {
	if o.sender != "" {
		return o.foreign(ctx)
	}
	var rows []row
	for _, store := range o.stores {
		for i, policy := range o.policies {
			s, err := o.newShop(ctx, store, policy, false)
			if err != nil {
				return nil, err
			}
			for j, p := range points {
				if o.only != "" && p.name != o.only {
					continue
				}
				if o.repeat == 0 && (i+j)%len(o.policies) != 0 {
					continue // the short matrix: the policies take turns
				}
				r := row{point: p, store: store, policy: policy}
				for n := range max(1, o.repeat) {
					if err := s.trial(ctx, p, n, &r); err != nil {
						return nil, fmt.Errorf("%s on %s, %s, kill %d: %w", p.name, store, policy, n+1, err)
					}
				}
				_, _ = fmt.Fprintf(o.log, "%-9s %-7s %-12s kills %d lost %d doubled %d outside %d unresolved %d\n", store, policy, p.name, r.kills, r.lost, r.doubled, r.outside, r.unresolved)
				rows = append(rows, r)
			}
		}
	}
	return rows, nil
}

// shop is one state directory, or one database, that lives through many kills, with
// a destination of its own.
type shop struct {
	*options
	srv    *server
	dir    string
	policy string
	env    []string
	trials int
}

func (o *options) newShop(ctx context.Context, store, policy string, dedup bool) (*shop, error) {
	srv, err := newServer(dedup)
	if err != nil {
		return nil, err
	}
	s := &shop{options: o, srv: srv, dir: filepath.Join(o.dir, store+"-"+policy), policy: policy}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return nil, err
	}
	s.env = append(os.Environ(), "SLUICE_LEASE="+o.lease.String(), "SLUICE_CRASH=")
	if store == "postgres" {
		url, err := testkit.Database()
		if err != nil {
			return nil, err
		}
		// A process that is stopped inside a transaction holds its rows until the server
		// ends its session; that time is shortened like the lease.
		s.env = append(s.env, fmt.Sprintf("SLUICE_DATABASE_URL=%s&idle_in_transaction_session_timeout=%d", url, o.lease.Milliseconds()))
	}
	if err := s.write("mapping.yaml", mapping); err != nil {
		return nil, err
	}
	unknown := "resend_within_half_window"
	if policy == "hold" {
		unknown = "hold"
	}
	if err := s.write("policy.json", `{"unknown_policy":"`+unknown+`"}`); err != nil {
		return nil, err
	}
	_, err = s.must(ctx, nil, 0, "profile", "set", "default", "--policy", filepath.Join(s.dir, "policy.json"))
	return s, err
}

func (s *shop) write(name, text string) error {
	return os.WriteFile(filepath.Join(s.dir, name), []byte(text), 0o600)
}

// mapping fits the files that rowsOf writes.
const mapping = `version: 1
namespace: crash/orders
id: [shop, order]
outcome: payment_received
time: {column: sold_at}
value: total
currency: {column: currency}
order_id: {columns: [shop, order], join: "-"}
action_source: physical_store
consent: granted
default_country: GB
labels: {store: shop}
user: {em: email, external_id: customer}
`

func rowsOf(shop string, n int) string {
	var b strings.Builder
	b.WriteString("shop,order,sold_at,total,currency,email,customer\n")
	now := time.Now().UTC()
	for i := 1; i <= n; i++ {
		fmt.Fprintf(&b, "%s,%d,%s,%d.50,GBP,%s.%d@example.com,%s-%d\n", shop, i, now.Add(-time.Duration(60+i%5000)*time.Minute).Format(time.RFC3339), 5+i%90, shop, i, shop, i)
	}
	return b.String()
}

// process is a sender that runs, and can be killed once.
type process struct {
	cmd    *exec.Cmd
	stdout bytes.Buffer
	stderr bytes.Buffer
	once   sync.Once
	killed atomic.Bool
	group  bool // it leads a process group
	done   chan struct{}

	patience time.Duration
}

func (s *shop) start(ctx context.Context, env []string, args ...string) (*process, error) {
	args = append([]string{"--state-dir", filepath.Join(s.dir, "state"), "--graph-url", s.srv.url, "--progress", "off", "--json"}, args...)
	p := &process{cmd: exec.CommandContext(ctx, s.bin, args...), done: make(chan struct{}), patience: patience + time.Duration(s.workers)*time.Millisecond*5}
	p.cmd.Env = append(append([]string{}, s.env...), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// kill is kill -9; it returns when the process is gone.
func (p *process) kill() {
	p.once.Do(func() {
		p.killed.Store(true)
		if p.group {
			_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
			return
		}
		_ = p.cmd.Process.Signal(syscall.SIGKILL)
	})
	<-p.done
}

func (p *process) signal(sig syscall.Signal) { _ = p.cmd.Process.Signal(sig) }

var errSlow = errors.New("a process did not end in time")

// wait returns the exit code, -1 when a signal ended it.
func (p *process) wait() (int, error) {
	select {
	case <-p.done:
		return p.cmd.ProcessState.ExitCode(), nil
	case <-time.After(p.patience):
		p.kill()
		return -1, fmt.Errorf("%w: %v\n%s", errSlow, p.cmd.Args[len(p.cmd.Args)-3:], p.stderr.String())
	}
}

// must runs a command to its end; the exit code has to be ok or also.
func (s *shop) must(ctx context.Context, env []string, also int, args ...string) (string, error) {
	p, err := s.start(ctx, env, args...)
	if err != nil {
		return "", err
	}
	code, err := p.wait()
	if err == nil && code != 0 && code != also {
		err = fmt.Errorf("sluice %s: exit %d\n%s%s", strings.Join(args, " "), code, p.stdout.String(), p.stderr.String())
	}
	return p.stdout.String(), err
}

// ledger reads the states of a plan's events.
func (s *shop) ledger(ctx context.Context, plan string) (map[string]string, error) {
	text, err := s.must(ctx, nil, 0, "events", plan)
	if err != nil {
		return nil, err
	}
	states := map[string]string{}
	for line := range strings.Lines(text) {
		var e struct {
			EventID string `json:"event_id"`
			State   string `json:"state"`
		}
		if err := json.Unmarshal([]byte(line), &e); err != nil {
			return nil, err
		}
		states[e.EventID] = e.State
	}
	return states, nil
}

const dataset = sandbox.Dataset
