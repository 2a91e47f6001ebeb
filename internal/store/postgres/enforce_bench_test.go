package postgres_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ledger/ledgertest"
	"sluice/internal/store/postgres"
)

// BenchmarkReserveAndSettle is one admitted call: a limit of the grant, both records.
func BenchmarkReserveAndSettle(b *testing.B) {
	for _, durability := range []postgres.Durability{postgres.SurviveProcess, postgres.SurvivePowerLoss} {
		for _, callers := range []int{1, 16, 64} {
			b.Run(fmt.Sprintf("%s/callers=%d", durability, callers), func(b *testing.B) {
				e := openEnforcement(b, ledgertest.PostgresURL(b), postgres.EnforceOptions{Durability: durability})
				charge := enforce.Charge{Counter: enforce.Counter{1}, Window: 24 * time.Hour, Amount: 1_000_000, Max: 1 << 60, Rule: "/tools/send/limits/sends-per-day"}
				var left atomic.Int64
				left.Store(int64(b.N))
				b.ReportAllocs()
				b.ResetTimer()
				var wg sync.WaitGroup
				for range callers {
					wg.Go(func() {
						for n := left.Add(-1); n >= 0; n = left.Add(-1) {
							c := audit.Call{Request: fmt.Sprintf("call_%012d", n), Phase: audit.PhaseDecision, Workspace: "wks_1", Grant: "grt_1", Server: "srv_1",
								Method: "tools/call", Tool: "send", ToolHash: "0123456789abcdef", Policy: "pol_1", PolicyVersion: 3, Decision: "allow",
								ArgKeys: []string{"amount", "recipient_id", "text"}, ArgsHMAC: "0123456789abcdef0123456789abcdef"}
							reply, err := e.Reserve(b.Context(), &enforce.Request{Call: c, Charges: []enforce.Charge{charge}})
							if err != nil || !reply.Admitted {
								b.Errorf("%+v %v", reply, err)
								return
							}
							c.Phase, c.Settlement, c.Outcome, c.LatencyUS = audit.PhaseOutcome, "commit", "ok", 1200
							if err := e.Settle(b.Context(), &enforce.Settlement{Call: c, Outcome: enforce.Commit}); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
				if err := e.Flush(b.Context()); err != nil {
					b.Error(err)
				}
				b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "calls/s")
			})
		}
	}
}
