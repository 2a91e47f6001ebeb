// Package limits tests what several processes of the built program promise together:
// limits that are exact whoever races for them and whoever is killed, on a shared state
// directory and on a shared database, and nodes behind one address.
package limits

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/audit"
	"sluice/internal/testkit"
	"sluice/internal/testkit/mcptest"
)

func TestMain(m *testing.M) { mcptest.Main(m) }

// head is printed before the first row of figures.
var head sync.Once

// patience is how long is waited for what has to come.
const patience = time.Minute

// report prints what a test found, as a row of a table, where a make target asked for one.
func report(t *testing.T, test, store string, processes, clients, calls, killed, most, admitted, reached, ambiguous int, took time.Duration) {
	t.Helper()
	if os.Getenv("SLUICE_LIMITS_CALLS") == "" {
		return
	}
	head.Do(func() {
		fmt.Println("test   store       processes  clients    calls  killed     room  admitted   reached  ambiguous  calls/s")
	})
	fmt.Printf("%-6s %-11s %9d %8d %8d %7d %8d %9d %9d %10d %8.0f\n", test, store, processes, clients, calls, killed, most, admitted, reached, ambiguous,
		float64(calls)/took.Seconds())
}

// fromEnv is a size that a make target sets.
func fromEnv(name string, otherwise int) int {
	if n, err := strconv.Atoi(os.Getenv(name)); err == nil && n > 0 {
		return n
	}
	return otherwise
}

// limit is a policy that allows this many calls in all. A window that slides has no edge
// that a test could run across.
func limit(most int) string {
	return fmt.Sprintf(`{"version":"1","default":"allow","all_tools":{"limits":[
		{"counter":"all","window":"day","algorithm":"sliding","max":%d,"scope":"grant"}]}}`, most)
}

// server is the upstream. Every call has a tool name of its own, by which it is found
// again in the audit log.
type server struct {
	*mcptest.Server
	mu   sync.Mutex
	got  map[string]time.Time // when a call came, by tool
	more []string             // that came twice
	news chan struct{}        // closed when one comes

	held    chan string // gets the names of calls that are held, before they are
	release chan struct{}
}

// newServer starts one that holds calls of tools whose name begins with "held".
func newServer(t *testing.T) *server {
	s := &server{Server: mcptest.NewServer(t), got: map[string]time.Time{}, news: make(chan struct{}), held: make(chan string, 1024), release: make(chan struct{})}
	s.Answer(func(_ http.ResponseWriter, r *http.Request, m mcptest.Message) bool {
		s.mu.Lock()
		if _, twice := s.got[m.Params.Name]; twice {
			s.more = append(s.more, m.Params.Name)
		}
		s.got[m.Params.Name] = time.Now()
		close(s.news)
		s.news = make(chan struct{})
		s.mu.Unlock()
		if strings.HasPrefix(m.Params.Name, "held") {
			s.held <- m.Params.Name
			select {
			case <-s.release:
			case <-r.Context().Done():
				return true
			}
		}
		return false
	})
	return s
}

// arrived are the calls that came, and when.
func (s *server) arrived(t *testing.T) map[string]time.Time {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.more) > 0 {
		t.Errorf("%d calls came twice: %v", len(s.more), s.more)
	}
	return s.got
}

// await waits until this many more calls came than had before.
func (s *server) await(t *testing.T, before, n int) {
	t.Helper()
	late := time.After(patience)
	for {
		s.mu.Lock()
		have, news := len(s.got), s.news
		s.mu.Unlock()
		if have >= before+n {
			return
		}
		select {
		case <-news:
		case <-late:
			t.Fatalf("%d calls came, in vain waited for %d", have-before, n)
		}
	}
}

func (s *server) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.got)
}

// site are processes that share one installation in front of one server.
type site struct {
	up     *server
	starts []mcptest.Start // how each is started
	mu     sync.Mutex
	gates  []*mcptest.Gate
	change chan struct{} // closed when a gate is replaced
}

// stores are the ways to share an installation: one state directory, or one database.
var stores = []struct {
	name      string
	processes int
	// begin says how processes are started, and how it is made known that killed ones are
	// dead, where the others would wait for that.
	begin func(*testing.T) (how starter, buried func())
}{
	{"sqlite", 4, func(t *testing.T) (starter, func()) {
		state := filepath.Join(t.TempDir(), "state")
		return func(int, *mcptest.Gate) mcptest.Start { return mcptest.Start{State: state} }, func() {}
	}},
	{"postgresql", 2, func(t *testing.T) (starter, func()) {
		url := testkit.Postgres(t)
		return onDatabase(url), func() {
			t.Helper()
			conn, err := pgx.Connect(t.Context(), url)
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Exec(t.Context(), `UPDATE gate_node SET seen = seen - interval '31 seconds'`)
			if err = errors.Join(err, conn.Close(t.Context())); err != nil {
				t.Fatal(err)
			}
		}
	}},
}

// starter is how the process with a number is started; first is the one with number 0.
type starter func(i int, first *mcptest.Gate) mcptest.Start

// onDatabase has every process its own state directory, and all of them the first one's key.
func onDatabase(url string) starter {
	return func(_ int, first *mcptest.Gate) mcptest.Start {
		s := mcptest.Start{Env: []string{"SLUICE_DATABASE_URL=" + url}}
		if first != nil {
			s.Env = append(s.Env, "SLUICE_MASTER_KEY_FILE="+filepath.Join(first.State, "master.key"))
		}
		return s
	}
}

// proxies starts relays with a policy, and with further flags.
func proxies(t *testing.T, n int, begin starter, policy string, more ...string) *site {
	t.Helper()
	s := &site{up: newServer(t), change: make(chan struct{})}
	for i := range n {
		var first *mcptest.Gate
		if i > 0 {
			first = s.gates[0]
		}
		start := begin(i, first)
		start.Policy, start.Args = policy, append([]string{"--upstream", s.up.URL}, more...)
		g := start.Proxy(t)
		start.State = g.State
		s.starts, s.gates = append(s.starts, start), append(s.gates, g)
	}
	return s
}

func (s *site) gate(i int) *mcptest.Gate {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.gates[i]
}

// kill kills a process and starts another in its place.
func (s *site) kill(t *testing.T, i int) {
	t.Helper()
	s.gate(i).Kill()
	g := s.starts[i].Proxy(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.gates[i] = g
	close(s.change)
	s.change = make(chan struct{})
}

// instead is the process that takes the place of one that was killed.
func (s *site) instead(ctx context.Context, i int, of *mcptest.Gate) *mcptest.Gate {
	for {
		s.mu.Lock()
		g, change := s.gates[i], s.change
		s.mu.Unlock()
		if g != of {
			return g
		}
		select {
		case <-change:
		case <-ctx.Done():
			return of
		}
	}
}

// tally is what clients were told.
type tally struct {
	allowed, denied, lost atomic.Int64
	wrong                 atomic.Pointer[mcptest.Answer] // any other answer
}

func (n *tally) add(a *mcptest.Answer, err error) {
	switch {
	case err != nil: // the process was killed
		n.lost.Add(1)
	case a.Allowed():
		n.allowed.Add(1)
	case a.Policy.Code == "limit_exceeded":
		n.denied.Add(1)
	default:
		n.wrong.CompareAndSwap(nil, a)
	}
}

// storm has clients of these versions call through every process until calls is spent.
// Names of tools begin with prefix. A client whose process is killed goes on with the one
// that takes its place, which a session does not survive.
func (s *site) storm(t *testing.T, prefix string, clients, calls int, versions ...string) *tally {
	t.Helper()
	var n tally
	var next atomic.Int64
	var wg sync.WaitGroup
	for i := range s.starts {
		for k := range clients {
			g := s.gate(i)
			c := mcptest.NewClient(t, g.URL, "", versions[k%len(versions)])
			wg.Go(func() {
				for {
					number := next.Add(1)
					if number > int64(calls) || t.Context().Err() != nil {
						return
					}
					a, err := call(t.Context(), c, fmt.Sprintf("%s-%d", prefix, number))
					if n.add(a, err); err != nil {
						g = s.instead(t.Context(), i, g)
						c.URL = g.URL
					}
				}
			})
		}
	}
	wg.Wait()
	if a := n.wrong.Load(); a != nil {
		t.Errorf("an answer that is neither yes nor no: %v", a)
	}
	return &n
}

// call calls a tool, and tells when that failed.
func call(ctx context.Context, c *mcptest.Client, tool string) (*mcptest.Answer, error) {
	return c.Try(ctx, c.Request("tools/call", `"name":"`+tool+`","arguments":{}`), c.Headers("tools/call", tool))
}

// record is one of the audit log about a call.
type record struct {
	audit.Record
	at time.Time
}

// trail is what the audit log says of calls, by tool.
type trail struct {
	admitted, denied map[string]record
	outcomes         map[string]record
}

// end ends all processes, so that everything is in the log.
func (s *site) end(t *testing.T) {
	t.Helper()
	for i := range s.gates {
		if err := s.gate(i).Stop(); err != nil {
			t.Errorf("process %d ended with %v\n%s", i, err, s.gate(i).Logs())
		}
	}
}

// readLog reads the log, which has to verify.
func readLog(t *testing.T, run mcptest.Run) *trail {
	t.Helper()
	if code, out := run("audit", "verify"); code != 0 {
		t.Errorf("audit verify: exit %d: %s", code, out)
	}
	code, out := run("audit", "export")
	if code != 0 {
		t.Fatalf("audit export: exit %d: %s", code, out)
	}
	l := &trail{admitted: map[string]record{}, denied: map[string]record{}, outcomes: map[string]record{}}
	for line := range bytes.Lines([]byte(out)) {
		var in audit.Line
		var r record
		if json.Unmarshal(line, &in) != nil || len(in.Record) == 0 {
			continue // a checkpoint
		}
		if err := json.Unmarshal(in.Record, &r.Record); err != nil {
			t.Fatal(err)
		}
		if r.Kind != "call" || r.Tool == "" {
			continue
		}
		var err error
		if r.at, err = time.Parse(time.RFC3339Nano, r.TS); err != nil {
			t.Fatal(err)
		}
		of := l.outcomes
		switch {
		case r.Phase == audit.PhaseDecision && r.Decision == "allow":
			of = l.admitted
		case r.Phase == audit.PhaseDecision:
			of = l.denied
		}
		if _, twice := of[r.Tool]; twice {
			t.Errorf("the log says the same of %s twice: %s", r.Tool, in.Record)
		}
		of[r.Tool] = r
	}
	return l
}

// covers checks that every call that arrived was decided before, and that every admitted
// one has an outcome.
func (l *trail) covers(t *testing.T, arrived map[string]time.Time) {
	t.Helper()
	for tool, at := range arrived {
		d, ok := l.admitted[tool]
		switch {
		case !ok:
			t.Errorf("%s reached the server and no record says that it might", tool)
		case d.at.After(at):
			t.Errorf("%s reached the server at %v and was decided at %v", tool, at.UTC(), d.at)
		}
	}
	for tool := range l.admitted {
		if _, ok := l.outcomes[tool]; !ok {
			t.Errorf("%s was admitted, and no record says what became of it", tool)
		}
	}
}

// ambiguous are the tools of calls whose outcome nobody knows.
func (l *trail) ambiguous() (tools []string) {
	for tool, r := range l.outcomes {
		if r.Settlement == "ambiguous" {
			tools = append(tools, tool)
		}
	}
	return tools
}
