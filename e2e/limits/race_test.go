package limits

import (
	"testing"
	"time"

	"sluice/internal/testkit/mcptest"
)

// TestProcessesRaceForOneLimit has sixteen clients at every process race for one limit:
// as many calls reach the server as it has room for, whichever process let them through.
// SLUICE_LIMITS_CALLS sets how many; 100 000 are `make limits`.
func TestProcessesRaceForOneLimit(t *testing.T) {
	t.Parallel()
	calls := fromEnv("SLUICE_LIMITS_CALLS", 5000)
	most := calls / 5
	for _, store := range stores {
		t.Run(store.name, func(t *testing.T) {
			t.Parallel()
			how, _ := store.begin(t)
			s := proxies(t, store.processes, how, limit(most))
			begun := time.Now()
			n := s.storm(t, "call", 16, calls, mcptest.Modern, mcptest.Legacy)
			took := time.Since(begun)
			if got := n.allowed.Load(); got != int64(most) || n.denied.Load() != int64(calls-most) || n.lost.Load() != 0 {
				t.Errorf("clients were told %d yes, %d no, %d nothing; want %d yes", got, n.denied.Load(), n.lost.Load(), most)
			}
			arrived := s.up.arrived(t)
			if len(arrived) != most {
				t.Errorf("%d calls reached the server, want %d", len(arrived), most)
			}
			s.end(t)
			l := readLog(t, s.gates[0].Run)
			l.covers(t, arrived)
			if len(l.admitted) != most || len(l.denied) != calls-most || len(l.ambiguous()) != 0 {
				t.Errorf("the log has %d admitted, %d denied, %d ambiguous", len(l.admitted), len(l.denied), len(l.ambiguous()))
			}
			report(t, "race", store.name, store.processes, 16*store.processes, calls, 0, most, len(l.admitted), len(arrived), 0, took)
		})
	}
}
