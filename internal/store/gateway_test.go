package store_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"syscall"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/ledger"
	"sluice/internal/store/journal"
	"sluice/internal/store/sqlite"
)

// fold hands calls on to a ledger's audit log.
func fold(s ledger.Store) func(context.Context, string, int64, int64, []audit.TimedCall) error {
	return func(ctx context.Context, source string, _, to int64, calls []audit.TimedCall) error {
		return s.Do(ctx, func(tx ledger.Tx) error { return tx.Audit().AppendCalls(ctx, source, to, calls) })
	}
}

func gatewayCall(n int) audit.Call {
	return audit.Call{
		Request: fmt.Sprintf("req_01jc%022d", n), Phase: audit.PhaseDecision, Workspace: "default", Grant: "gr_01jc0000000000000000000000",
		Server: "srv_01jc0000000000000000000000", Client: "agent", Method: "tools/call", Tool: "meta_send_offline_event",
		ToolHash: "3f1c0000000000000000000000000000000000000000000000000000000000aa", Policy: "pol_01jc0000000000000000000000", PolicyVersion: 3,
		Decision: "allow", ArgKeys: []string{"currency", "event_name", "value"}, ArgsHMAC: "9f1c0000000000000000000000000000000000000000000000000000000000bb",
	}
}

func gatewayOutcome(c audit.Call) *enforce.Settlement {
	c.Phase, c.Settlement, c.Outcome, c.UpstreamStatus, c.LatencyUS, c.ArgKeys = audit.PhaseOutcome, "commit", "ok", 200, 812, nil
	return &enforce.Settlement{Call: c, Outcome: enforce.Commit}
}

// What the gateway's processes record in their journal is in the audit log a second
// later, once and in order, and the log verifies.
func TestGatewayCallsReachTheAuditLog(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const processes, callers, each = 3, 4, 50
	var group sync.WaitGroup
	for p := range processes {
		log, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
		opened(t, log, err)
		s, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(dir, "gateway"), Fold: fold(log)})
		if err != nil {
			t.Fatal(err)
		}
		group.Go(func() {
			var calling sync.WaitGroup
			for c := range callers {
				calling.Go(func() {
					for i := range each {
						call := gatewayCall((p*callers+c)*each + i)
						reply, err := s.Reserve(t.Context(), &enforce.Request{Call: call})
						if err != nil || !reply.Admitted {
							t.Errorf("%+v %v", reply, err)
						}
						if err := s.Settle(t.Context(), gatewayOutcome(call)); err != nil {
							t.Error(err)
						}
						if i == each/2 {
							if err := s.Flush(t.Context()); err != nil {
								t.Error(err)
							}
						}
					}
				})
			}
			calling.Wait()
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	log, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
	opened(t, log, err)
	err = log.View(t.Context(), func(tx ledger.Tx) error {
		v, err := audit.Verify(t.Context(), log.ID(), tx.Audit())
		if !v.OK || v.Records != 2*processes*callers*each || len(v.Warnings) > 0 {
			t.Errorf("verification %+v", v)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// BenchmarkGatewayCall is all that a call's limits and records cost: reservation,
// settlement, and their way into the chained audit log.
func BenchmarkGatewayCall(b *testing.B) {
	dir := b.TempDir()
	log, err := sqlite.Open(b.Context(), filepath.Join(dir, "writeback.db"), time.Now)
	opened(b, log, err)
	s, err := journal.Open(b.Context(), journal.Options{Dir: filepath.Join(dir, "gateway"), Fold: fold(log)})
	if err != nil {
		b.Fatal(err)
	}
	charges := []enforce.Charge{{Counter: enforce.Counter{1}, Window: time.Minute, Amount: 1_000_000, Max: 1 << 60, Rule: "/tools/meta_send_offline_event/limits/rate-per-minute"}}
	n := 0
	start := cpu()
	for b.Loop() {
		n++
		call := gatewayCall(n)
		if reply, err := s.Reserve(b.Context(), &enforce.Request{Call: call, Charges: charges}); err != nil || !reply.Admitted {
			b.Fatalf("%+v %v", reply, err)
		}
		if err := s.Settle(b.Context(), gatewayOutcome(call)); err != nil {
			b.Fatal(err)
		}
	}
	if err := s.Flush(b.Context()); err != nil {
		b.Fatal(err)
	}
	if err := s.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64((cpu()-start).Microseconds())/float64(n), "cpu-µs/call")
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkAppendCalls is what the audit log itself takes for a record.
func BenchmarkAppendCalls(b *testing.B) {
	log, err := sqlite.Open(b.Context(), filepath.Join(b.TempDir(), "writeback.db"), time.Now)
	opened(b, log, err)
	hand := fold(log)
	calls := make([]audit.TimedCall, 1000)
	n, start := 0, cpu()
	for b.Loop() {
		for i := range calls {
			calls[i] = audit.TimedCall{Seq: int64(n + i + 1), At: time.Now(), Call: gatewayCall(n + i)}
		}
		n += len(calls)
		if err := hand(b.Context(), "bench", 0, int64(n), calls); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((cpu()-start).Nanoseconds())/1000/float64(n), "cpu-µs/record")
}
