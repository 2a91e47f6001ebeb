//go:build unix

package limits

import (
	"fmt"
	"net/http"
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
