//go:build unix

package postgres_test

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/store/postgres"
	"sluice/internal/testkit"
)

// TestAServerThatRestartsOrCrashesLosesNothingItConfirmed restarts the server, and then
// crashes it, while calls are made: denials meanwhile, no call too many, chains that
// hold. With power_loss a crash takes nothing that was admitted; without, what it takes
// it takes from the end of every table and chain alike.
func TestAServerThatRestartsOrCrashesLosesNothingItConfirmed(t *testing.T) {
	t.Parallel()
	for _, durability := range []postgres.Durability{postgres.SurviveProcess, postgres.SurvivePowerLoss} {
		t.Run(string(durability), func(t *testing.T) {
			t.Parallel()
			server := testkit.StartOwnPostgres(t)
			e := openEnforcement(t, server.URL(), postgres.EnforceOptions{Durability: durability})
			charge := aLimit(1 << 40)
			var admitted, denied, unexpected atomic.Int64
			stop, done := make(chan struct{}), make(chan struct{})
			go func() {
				defer close(done)
				for n := 0; ; n++ {
					select {
					case <-stop:
						return
					default:
					}
					c := aCall(fmt.Sprintf("call_%07d", n))
					reply, err := e.Reserve(t.Context(), &enforce.Request{Call: c, Charges: []enforce.Charge{charge}})
					switch {
					case err != nil:
						denied.Add(1)
					case reply.Admitted:
						admitted.Add(1)
						c.Phase, c.Settlement = audit.PhaseOutcome, "commit"
						if err := e.Settle(t.Context(), &enforce.Settlement{Call: c, Outcome: enforce.Commit}); err != nil {
							unexpected.Add(1)
						}
					default:
						unexpected.Add(1)
					}
				}
			}()
			more := func(of *atomic.Int64, n int64) {
				t.Helper()
				want := of.Load() + n
				within(t, time.Minute, "more calls are decided", func() bool { return of.Load() >= want })
			}
			more(&admitted, 50)
			server.Stop(t)
			more(&denied, 5)
			server.Start(t)
			more(&admitted, 50)
			server.Crash(t)
			more(&denied, 5)
			server.Start(t)
			more(&admitted, 50)
			close(stop)
			<-done
			within(t, time.Minute, "everything is written", func() bool { return e.Flush(t.Context()) == nil })
			if n := unexpected.Load(); n != 0 {
				t.Errorf("%d calls got another answer than room or an error", n)
			}
			chainsHold(t, open(t, server.URL()))
			var used []int64
			within(t, time.Minute, "an answer, though connections are dead", func() (there bool) {
				var err error
				used, err = e.Usage(t.Context(), []enforce.Charge{charge})
				return err == nil
			})
			conn := direct(t, server.URL())
			within(t, time.Minute, "no call stays open", func() bool {
				var held int64
				err := conn.QueryRow(t.Context(), `SELECT count(*) FROM gate_held WHERE ended = 0`).Scan(&held)
				return err == nil && held == 0
			})
			if durability == postgres.SurvivePowerLoss && used[0] < admitted.Load() {
				t.Errorf("%d calls are counted of %d that were admitted", used[0], admitted.Load())
			}
			if used[0] > admitted.Load() {
				t.Errorf("%d calls are counted, more than the %d that were admitted", used[0], admitted.Load())
			}
		})
	}
}
