package postgres_test

import (
	"context"
	"io"
	"net"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ledger"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
)

// wire stands between a node and the database's socket, and fails as wires do.
type wire struct {
	url    string
	server string // socket
	ln     net.Listener
	broken atomic.Bool   // nobody gets through
	left   atomic.Int64  // bytes of answers until the wire is cut; negative: never
	hung   chan struct{} // closed: answers come
	mu     sync.Mutex
	open   map[net.Conn]bool
	wg     sync.WaitGroup
}

const socket = ".s.PGSQL.5432"

func newWire(t testing.TB, database string) *wire {
	t.Helper()
	u, err := url.Parse(database)
	if err != nil {
		t.Fatal(err)
	}
	q := u.Query()
	// The path of a socket has room for about a hundred bytes.
	dir := t.TempDir()
	if len(dir) > 80 {
		t.Fatalf("the temporary directory's name is too long for a socket: %s", dir)
	}
	w := &wire{server: filepath.Join(q.Get("host"), socket), open: map[net.Conn]bool{}, hung: make(chan struct{})}
	close(w.hung)
	w.left.Store(-1)
	q.Set("host", dir)
	u.RawQuery = q.Encode()
	w.url = u.String()
	if w.ln, err = net.Listen("unix", filepath.Join(dir, socket)); err != nil {
		t.Fatal(err)
	}
	w.wg.Go(w.accept)
	t.Cleanup(func() {
		_ = w.ln.Close()
		w.cut()
		w.wg.Wait()
	})
	return w
}

func (w *wire) accept() {
	for {
		client, err := w.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("unix", w.server)
		w.mu.Lock()
		if err != nil || w.broken.Load() {
			w.mu.Unlock()
			_ = client.Close()
			if err == nil {
				_ = server.Close()
			}
			continue
		}
		w.open[client], w.open[server] = true, true
		w.mu.Unlock()
		end := func() { _, _ = client.Close(), server.Close() }
		w.wg.Go(func() {
			defer end()
			_, _ = io.Copy(server, client)
		})
		w.wg.Go(func() {
			defer end()
			buf := make([]byte, 1<<12)
			for {
				n, err := server.Read(buf)
				if err != nil {
					return
				}
				w.mu.Lock()
				hung := w.hung
				w.mu.Unlock()
				<-hung
				left := w.left.Load()
				if left >= 0 && int64(n) >= left {
					_, _ = client.Write(buf[:left])
					w.left.Store(0)
					return
				}
				if left >= 0 {
					w.left.Add(-int64(n))
				}
				if _, err := client.Write(buf[:n]); err != nil {
					return
				}
			}
		})
	}
}

// cut ends every connection.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for c := range w.open {
		_ = c.Close()
		delete(w.open, c)
	}
}

// hang holds all answers back until the returned function is called.
func (w *wire) hang() (release func()) {
	gate := make(chan struct{})
	w.mu.Lock()
	w.hung = gate
	w.mu.Unlock()
	return sync.OnceFunc(func() { close(gate) })
}

func aCall(id string) audit.Call {
	return audit.Call{Request: id, Phase: audit.PhaseDecision, Workspace: "wks_1", Grant: "grt_1", Server: "srv_1", Method: "tools/call", Tool: "send", Decision: "allow"}
}

func aLimit(most int64) enforce.Charge {
	return enforce.Charge{Counter: enforce.Counter{7}, Window: 24 * time.Hour, Amount: 1, Max: most, Rule: "/tools/send/limits/sends-per-day"}
}

// within waits for what has to come by itself.
func within(t testing.TB, d time.Duration, what string, done func() bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			t.Fatalf("it never came: %s", what)
		}
	}
}

// chainsHold checks every link of every chain.
func chainsHold(t testing.TB, s *postgres.Store) {
	t.Helper()
	err := s.View(t.Context(), func(tx ledger.Tx) error {
		v, err := audit.Verify(t.Context(), s.ID(), tx.Audit())
		if err == nil && !v.OK {
			t.Errorf("the audit log does not verify: %+v", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestADatabaseThatIsGoneDeniesAtOnceAndComesBack(t *testing.T) {
	t.Parallel()
	w := newWire(t, ledgertest.PostgresURL(t))
	e := openEnforcement(t, w.url, postgres.EnforceOptions{})
	charge := aLimit(1000)
	if reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("before"), Charges: []enforce.Charge{charge}}); err != nil || !reply.Admitted {
		t.Fatalf("%+v %v", reply, err)
	}
	open := &enforce.Settlement{Call: aCall("before"), Outcome: enforce.Commit}
	open.Call.Phase, open.Call.Settlement = audit.PhaseOutcome, "commit"
	w.broken.Store(true)
	w.cut()
	for i := range 20 {
		start := time.Now()
		reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("while gone"), Charges: []enforce.Charge{charge}})
		if err == nil || reply.Admitted {
			t.Fatalf("attempt %d was admitted without a database", i)
		}
		if d := time.Since(start); d > 2*time.Second {
			t.Errorf("the denial took %s", d)
		}
		if strings.Contains(err.Error(), "/") {
			t.Errorf("the error tells where the database is: %v", err)
		}
	}
	if e.Health(t.Context()) == nil {
		t.Error("a store without a database is well")
	}
	if err := e.Settle(t.Context(), open); err != nil { // it is kept until it can be written
		t.Error(err)
	}
	w.broken.Store(false)
	within(t, 20*time.Second, "the store is well again", func() bool { return e.Health(t.Context()) == nil })
	within(t, 20*time.Second, "the outcome is recorded", func() bool {
		calls, err := e.Calls(t.Context(), enforce.CallFilter{Request: "before"})
		return err == nil && len(calls) == 1 && calls[0].Ended
	})
	if reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("after"), Charges: []enforce.Charge{charge}}); err != nil || !reply.Admitted {
		t.Fatalf("%+v %v", reply, err)
	}
	if used, err := e.Usage(t.Context(), []enforce.Charge{charge}); err != nil || used[0] != 2 {
		t.Errorf("%v are used, want 2: %v", used, err)
	}
}

func TestADatabaseThatHangsIsGivenUp(t *testing.T) {
	t.Parallel()
	w := newWire(t, ledgertest.PostgresURL(t))
	e := openEnforcement(t, w.url, postgres.EnforceOptions{})
	charge := aLimit(1000)
	release := w.hang()
	defer release()
	start := time.Now()
	if reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("hung"), Charges: []enforce.Charge{charge}}); err == nil || reply.Admitted {
		t.Fatal("admitted without an answer")
	}
	if d := time.Since(start); d > 3*time.Second {
		t.Errorf("the denial took %s", d)
	}
	release()
	within(t, 20*time.Second, "calls are admitted again, and the lost one counts nothing", func() bool {
		used, err := e.Usage(t.Context(), []enforce.Charge{charge})
		return err == nil && used[0] == 0 && e.Health(t.Context()) == nil
	})
}

// TestACutAnywhereCountsNothingTwice cuts the wire after every few bytes of the answers
// to one decision: before, inside and after its commit.
func TestACutAnywhereCountsNothingTwice(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	w := newWire(t, url)
	log := open(t, url)
	e := openEnforcement(t, w.url, postgres.EnforceOptions{})
	charge := aLimit(1 << 40)
	var admitted, denied int64
	for n := int64(0); ; n += 41 {
		within(t, 20*time.Second, "the store is well", func() bool { return e.Health(t.Context()) == nil })
		w.left.Store(n)
		reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("call_" + time.Duration(n).String()), Charges: []enforce.Charge{charge}})
		rest := w.left.Load()
		w.left.Store(-1)
		w.cut()
		if err == nil && reply.Admitted {
			admitted++
		} else {
			denied++
		}
		if rest > 0 && admitted > 0 {
			break // the answers were shorter than that
		}
	}
	if denied < 10 {
		t.Errorf("only %d cuts hit a decision", denied)
	}
	within(t, 20*time.Second, "what callers were not told of is given back", func() bool {
		used, err := e.Usage(t.Context(), []enforce.Charge{charge})
		return err == nil && used[0] == admitted && e.Health(t.Context()) == nil
	})
	chainsHold(t, log)
}

func TestTwoWritersOfOneChainFollowEachOther(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	a := openEnforcement(t, url, postgres.EnforceOptions{Chain: "node/gateway", Patience: patient})
	b := openEnforcement(t, url, postgres.EnforceOptions{Chain: "node/gateway", Patience: patient})
	var wg sync.WaitGroup
	for i, e := range []*postgres.Enforcement{a, b} {
		wg.Go(func() {
			for j := range 50 {
				id := string(rune('a'+i)) + time.Duration(j).String()
				if reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall(id), Charges: []enforce.Charge{aLimit(1000)}}); err != nil || !reply.Admitted {
					t.Errorf("%+v %v", reply, err)
				}
			}
		})
	}
	wg.Wait()
	chainsHold(t, open(t, url))
	if used, err := a.Usage(t.Context(), []enforce.Charge{aLimit(0)}); err != nil || used[0] != 100 {
		t.Errorf("%v are used, want 100: %v", used, err)
	}
}

func TestTextThatADatabaseCantHoldDeniesNobody(t *testing.T) {
	t.Parallel()
	e := openEnforcement(t, ledgertest.PostgresURL(t), postgres.EnforceOptions{Patience: patient})
	c := aCall("odd")
	c.Tool, c.Rule, c.Client, c.ArgKeys = "a\x00b\xff", "\x00", "\xc3(", []string{"\x00"}
	reply, err := e.Reserve(t.Context(), &enforce.Request{Call: c, Charges: []enforce.Charge{{Counter: enforce.Counter{1}, Window: time.Minute, Amount: 1, Max: 1, Rule: "\x00\xff"}}})
	if err != nil || !reply.Admitted {
		t.Fatalf("%+v %v", reply, err)
	}
	p := &enforce.Parking{Approval: enforce.Approval{Workspace: "w", Grant: "g", Tool: c.Tool, Message: "\x00", ArgKeys: c.ArgKeys}, TTL: time.Minute, Call: c}
	p.Call.Request = "odd too"
	if _, err := e.Park(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	if calls, err := e.Calls(t.Context(), enforce.CallFilter{Tool: c.Tool}); err != nil || len(calls) != 2 {
		t.Errorf("found %+v, %v", calls, err)
	}
}

func TestWhatIsOverIsPurged(t *testing.T) {
	t.Parallel()
	url := ledgertest.PostgresURL(t)
	var now atomic.Int64
	now.Store(time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC).UnixNano())
	e := openEnforcement(t, url, postgres.EnforceOptions{Patience: patient, Now: func() time.Time { return time.Unix(0, now.Load()) }})
	minute, year := aLimit(5), aLimit(5)
	minute.Counter, minute.Window = enforce.Counter{1}, time.Minute
	year.Counter, year.Window = enforce.Counter{2}, 365*24*time.Hour
	r := &enforce.Request{Call: aCall("settled"), Charges: []enforce.Charge{minute, year}, Arguments: []byte("sealed")}
	if reply, err := e.Reserve(t.Context(), r); err != nil || !reply.Admitted {
		t.Fatalf("%+v %v", reply, err)
	}
	if err := e.Settle(t.Context(), &enforce.Settlement{Call: aCall("settled"), Outcome: enforce.Commit}); err != nil {
		t.Fatal(err)
	}
	if reply, err := e.Reserve(t.Context(), &enforce.Request{Call: aCall("open")}); err != nil || !reply.Admitted {
		t.Fatalf("%+v %v", reply, err)
	}
	counts := func(counters, calls, arguments int) {
		t.Helper()
		if err := e.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := e.Purge(t.Context()); err != nil {
			t.Fatal(err)
		}
		var got [3]int
		err := direct(t, url).QueryRow(t.Context(), `SELECT (SELECT count(*) FROM gate_counter), (SELECT count(*) FROM gate_call), (SELECT count(arguments) FROM gate_call)`).
			Scan(&got[0], &got[1], &got[2])
		if err != nil || got != [3]int{counters, calls, arguments} {
			t.Errorf("%v are left: %v", got, err)
		}
	}
	counts(2, 2, 1)
	now.Add(int64(15 * 24 * time.Hour))
	counts(1, 2, 0)
	now.Add(int64(80 * 24 * time.Hour))
	counts(1, 1, 0)
	if used, err := e.Usage(t.Context(), []enforce.Charge{year}); err != nil || used[0] > 1 {
		t.Errorf("%v are used: %v", used, err)
	}
}
