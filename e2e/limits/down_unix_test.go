//go:build unix

package limits

import (
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/testkit"
	"sluice/internal/testkit/mcptest"
)

// soon is as long as a call may take while the store is down.
const soon = 5 * time.Second

// TestPostgreSQLIsRestarted ends the database under three nodes: calls are denied at once,
// none reaches the server, and when it is back so are all, sessions included. The second
// time it crashes, which a record survives with durability power_loss.
func TestPostgreSQLIsRestarted(t *testing.T) {
	t.Parallel()
	database := testkit.StartOwnPostgres(t)
	up := newServer(t)
	c := nodes(t, 3, onDatabase(database.URL()), "mcp:\n  durability: power_loss\n  servers:\n    crm: {url: \""+up.URL+"\"}\n")
	token := c.admit(t, "crm", limit(1_000_000))
	var clients []*mcptest.Client
	for i := range c.starts {
		for _, version := range []string{mcptest.Modern, mcptest.Legacy} {
			clients = append(clients, mcptest.NewClient(t, c.gate(i).URL+"/mcp/crm", token, version))
		}
	}
	made := 0
	next := func() string { made++; return fmt.Sprintf("call-%d", made) }
	for _, crash := range []bool{false, true} {
		for i, client := range clients {
			if a := client.Call(t.Context(), t, next(), "{}"); !a.Allowed() {
				t.Errorf("client %d, before: %v", i, a)
			}
		}
		before := up.count()
		if crash {
			database.Crash(t)
		} else {
			database.Stop(t)
		}
		for round := range 3 {
			for i, client := range clients {
				begun := time.Now()
				a := client.Call(t.Context(), t, next(), "{}")
				took := time.Since(begun)
				// Who may call is known for a while; then nobody is let in.
				if denied := a.Policy.Code == "store_unavailable" || a.Status == http.StatusServiceUnavailable; !denied || took > soon {
					t.Errorf("client %d, without the database, round %d, after %v: %v", i, round, took, a)
				}
			}
		}
		if n := up.count() - before; n != 0 {
			t.Errorf("%d calls reached the server without the database", n)
		}
		database.Start(t)
		for i, client := range clients {
			until(t, fmt.Sprintf("client %d is served again", i), func() bool { return client.Call(t.Context(), t, next(), "{}").Allowed() })
		}
	}
	for i := range c.starts {
		if err := c.gate(i).Stop(); err != nil {
			t.Errorf("node %d ended with %v\n%s", i, err, c.gate(i).Logs())
		}
	}
	readLog(t, c.gate(0).Run).covers(t, up.arrived(t))
}

// TestTheDatabaseDiesUnderRacingCalls ends the database, in order and by a crash, while
// clients race through two processes: exactly as many calls reach the server as the limit
// has room for, and all of them are in the log.
func TestTheDatabaseDiesUnderRacingCalls(t *testing.T) {
	t.Parallel()
	const most, chunk = 600, 100
	database := testkit.StartOwnPostgres(t)
	s := proxies(t, 2, onDatabase(database.URL()), limit(most), "--durability", "power_loss")
	var number, down atomic.Int64
	var wg sync.WaitGroup
	for i := range s.starts {
		for range 8 {
			c := mcptest.NewClient(t, s.gate(i).URL, "", mcptest.Modern)
			wg.Go(func() { // until the limit is used up
				again := time.NewTicker(20 * time.Millisecond) // without the database denials cost next to nothing
				defer again.Stop()
				for t.Context().Err() == nil {
					a, err := call(t.Context(), c, fmt.Sprintf("call-%d", number.Add(1)))
					switch {
					case err == nil && a.Allowed():
					case err == nil && a.Policy.Code == "store_unavailable":
						down.Add(1)
						<-again.C
					case err == nil && a.Policy.Code == "limit_exceeded":
						return
					default:
						t.Errorf("%v %v", a, err)
						return
					}
				}
			})
		}
	}
	for _, end := range []func(testing.TB){database.Stop, database.Crash, database.Crash} {
		s.up.await(t, s.up.count(), chunk)
		end(t)
		before := down.Load()
		until(t, "calls are denied", func() bool { return down.Load() > before })
		database.Start(t)
	}
	wg.Wait()
	arrived := s.up.arrived(t)
	if len(arrived) != most {
		t.Errorf("%d calls reached the server, want %d", len(arrived), most)
	}
	s.end(t)
	readLog(t, s.gates[0].Run).covers(t, arrived)
}
