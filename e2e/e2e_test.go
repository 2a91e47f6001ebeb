// Package e2e drives the whole product through its command line, against the
// sandbox on loopback.
package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sluice/internal/cli"
	"sluice/internal/sandbox"
)

const dataset = sandbox.Dataset

// world is one state directory and one sandbox.
type world struct {
	t       *testing.T
	dir     string
	box     *sandbox.Server
	url     string
	env     []string // of every command, KEY=value
	now     time.Time
	passing bool // time passes by itself, see timePasses
	mu      sync.Mutex
	posts   int                                              // requests at the events edge
	around  func(n int, serve func(), w http.ResponseWriter) // wraps the n-th of them
	preface func()                                           // runs at each read of the dataset
}

// begin starts a world whose clock stands still.
func begin(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), now: time.Now().UTC().Truncate(time.Second)}
	w.box = sandbox.New(sandbox.Options{Now: w.clock})
	srv := httptest.NewServer(http.HandlerFunc(w.serve))
	t.Cleanup(srv.Close)
	w.url = srv.URL
	return w
}

func (w *world) clock() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.passing {
		return time.Now().UTC()
	}
	return w.now
}

// timePasses makes whoever waits really wait: where several work at once, the sleep
// of one must not use up the others' leases.
func (w *world) timePasses() { w.passing = true }

func (w *world) sleep(ctx context.Context, d time.Duration) error {
	if !w.passing {
		w.advance(d)
		return ctx.Err()
	}
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (w *world) advance(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.now = w.now.Add(d)
}

// intercept sets what happens around requests at the events edge and after reads
// of the dataset; nil is nothing.
func (w *world) intercept(around func(n int, serve func(), w http.ResponseWriter), preface func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.around, w.preface = around, preface
}

func (w *world) serve(rw http.ResponseWriter, r *http.Request) {
	isEvents := r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/events") && !strings.HasPrefix(r.URL.Path, "/_emulator")
	isPreface := r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/"+dataset)
	w.mu.Lock()
	around, preface := w.around, w.preface
	if isEvents {
		w.posts++
	}
	n := w.posts
	w.mu.Unlock()
	serve := func() { w.box.Handler().ServeHTTP(rw, r) }
	switch {
	case isEvents && around != nil:
		around(n, serve, rw)
	case isPreface && preface != nil:
		serve()
		preface()
	default:
		serve()
	}
}

func (w *world) requests() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.posts
}

// outcome is what a command left behind.
type outcome struct {
	code   int
	stdout string
	stderr string
}

// run runs a command in this process.
func (w *world) run(args ...string) outcome {
	w.t.Helper()
	return w.runWith("", nil, args...)
}

func (w *world) runWith(stdin string, env []string, args ...string) outcome {
	w.t.Helper()
	return w.runAs(w.t.Context(), stdin, env, args...)
}

func (w *world) runAs(ctx context.Context, stdin string, env []string, args ...string) outcome {
	w.t.Helper()
	var out, errs bytes.Buffer
	code := cli.Main(ctx, cli.Process{
		Args: append([]string{"--state-dir", filepath.Join(w.dir, "state"), "--graph-url", w.url, "--progress", "off"}, args...),
		Env:  append(slices.Clone(w.env), env...), Stdin: strings.NewReader(stdin), Stdout: &out, Stderr: &errs,
		Now: w.clock, Sleep: w.sleep,
	})
	return outcome{code, out.String(), errs.String()}
}

// ok runs a command that must succeed and decodes its document.
func (w *world) ok(into any, args ...string) outcome {
	w.t.Helper()
	o := w.run(append(args, "--json")...)
	if o.code != 0 {
		w.t.Fatalf("sluice %s: exit %d\n%s%s", strings.Join(args, " "), o.code, o.stdout, o.stderr)
	}
	decode(w.t, o.stdout, into)
	return o
}

func decode(t *testing.T, text string, into any) {
	t.Helper()
	if into == nil {
		return
	}
	if err := json.Unmarshal([]byte(text), into); err != nil {
		t.Fatalf("not one JSON document: %v\n%s", err, text)
	}
}

// file writes a file below the world's directory.
func (w *world) file(name, text string) string {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
	return path
}

// plan is the part of `preview --json` that tests look at.
type plan struct {
	ID      string            `json:"plan_id"`
	Hash    string            `json:"plan_hash"`
	Counts  counts            `json:"counts"`
	Value   map[string]string `json:"value"`
	Rejects map[string]int    `json:"rejects"`
	Summary struct {
		Skips map[string]int `json:"skips"`
		Lines int            `json:"lines"`
	} `json:"summary"`
}

type counts struct{ Rows, Planned, Held, Rejected, Skipped, Expired int }

func (c counts) add() int { return c.Planned + c.Held + c.Rejected + c.Skipped + c.Expired }

type receipt struct {
	RunID    string         `json:"run_id"`
	Replayed bool           `json:"replayed"`
	Counts   map[string]int `json:"counts"`
	Received int            `json:"events_received"`
	Requests int            `json:"requests"`
	Traces   []string       `json:"fbtrace_ids"`
	AuditSeq int            `json:"audit_seq"`
}

// stored asks the sandbox what it holds.
func (w *world) stored() (s struct{ Received, Kept, Duplicates int }) {
	w.t.Helper()
	w.inspect("/_emulator/events?limit=1&dataset="+dataset, &s)
	return s
}

func (w *world) inspect(path string, into any) {
	w.t.Helper()
	res, err := http.Get(w.url + path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(into); err != nil {
		w.t.Fatal(err)
	}
}

// agree compares ledger and sandbox event by event.
func (w *world) agree(planID string, delivered int) {
	w.t.Helper()
	var ids []string
	for line := range strings.Lines(w.run("events", planID, "--json").stdout) {
		var e struct {
			EventID string `json:"event_id"`
			State   string `json:"state"`
		}
		decode(w.t, line, &e)
		if e.State == "delivered" {
			ids = append(ids, e.EventID)
		}
	}
	if len(ids) != delivered {
		w.t.Errorf("the ledger lists %d delivered events, want %d", len(ids), delivered)
	}
	for len(ids) > 0 {
		n := min(1000, len(ids))
		body, err := json.Marshal(map[string]any{"dataset": dataset, "event_name": "Purchase", "event_ids": ids[:n]})
		if err != nil {
			w.t.Fatal(err)
		}
		res, err := http.Post(w.url+"/_emulator/events/lookup", "application/json", bytes.NewReader(body))
		if err != nil {
			w.t.Fatal(err)
		}
		var answer struct {
			IDs []struct {
				EventID string `json:"event_id"`
				Kept    int    `json:"kept"`
			} `json:"ids"`
		}
		err = json.NewDecoder(res.Body).Decode(&answer)
		_ = res.Body.Close()
		if err != nil || len(answer.IDs) != n {
			w.t.Fatalf("lookup: %v, %d answers for %d ids", err, len(answer.IDs), n)
		}
		for _, e := range answer.IDs {
			if e.Kept != 1 {
				w.t.Fatalf("event %s is stored %d times", e.EventID, e.Kept)
			}
		}
		ids = ids[n:]
	}
}

// binary builds the product once per test run, into a directory that TestMain removes.
var binary = sync.OnceValues(func() (string, error) {
	path := filepath.Join(scratch, "sluice")
	out, err := exec.Command("go", "build", "-o", path, "../cmd/sluice").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%w\n%s", err, out)
	}
	return path, nil
})

var scratch string

func TestMain(m *testing.M) {
	var err error
	if scratch, err = os.MkdirTemp("", "sluice-e2e-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	_ = os.RemoveAll(scratch)
	os.Exit(code)
}

// mappingText is the mapping of the small files that tests write.
const mappingText = `version: 1
namespace: e2e/orders
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
user: {em: email, ph: phone, external_id: customer}
`

// orders writes n clean orders of one shop.
func (w *world) orders(shop string, n int) string {
	var b strings.Builder
	b.WriteString("shop,order,sold_at,total,currency,email,phone,customer\n")
	for i := 1; i <= n; i++ {
		at := w.now.Add(-time.Duration(1+i%100) * time.Hour)
		fmt.Fprintf(&b, "%s,%d,%s,%d.50,GBP,buyer%d@example.com,07700 900%03d,C%d\n", shop, i, at.Format(time.RFC3339), 5+i%90, i, i%1000, i)
	}
	return b.String()
}
