package journal

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

func benchCall(n int64) audit.Call {
	return audit.Call{
		Request: fmt.Sprintf("req_01jc%022d", n), Phase: audit.PhaseDecision, Workspace: "default", Grant: "gr_01jc0000000000000000000000",
		Server: "srv_01jc0000000000000000000000", Client: "agent", Method: "tools/call", Tool: "meta_send_offline_event",
		ToolHash: "3f1c0000000000000000000000000000000000000000000000000000000000aa", Policy: "pol_01jc0000000000000000000000", PolicyVersion: 3,
		Decision: "allow", ArgKeys: []string{"currency", "event_name", "value"}, ArgsHMAC: "9f1c0000000000000000000000000000000000000000000000000000000000bb",
	}
}

func benchCharge() enforce.Charge {
	return enforce.Charge{Counter: enforce.Counter{1}, Window: time.Minute, Amount: 1_000_000, Max: 1 << 60, Rule: "/tools/meta_send_offline_event/limits/rate-per-minute"}
}

func benchPair(b *testing.B, s *Store, n *atomic.Int64) {
	call := benchCall(n.Add(1))
	r := enforce.Request{Call: call, Charges: []enforce.Charge{benchCharge()}}
	reply, err := s.Reserve(b.Context(), &r)
	if err != nil || !reply.Admitted {
		b.Errorf("%+v %v", reply, err)
	}
	end := enforce.Settlement{Call: call, Outcome: enforce.Commit}
	end.Call.Phase, end.Call.Settlement, end.Call.Outcome, end.Call.UpstreamStatus, end.Call.LatencyUS = audit.PhaseOutcome, "commit", "ok", 200, 812
	end.Call.ArgKeys = nil
	if err := s.Settle(b.Context(), &end); err != nil {
		b.Error(err)
	}
}

// BenchmarkReserveSettle is what one call costs: its reservation and its settlement.
func BenchmarkReserveSettle(b *testing.B) {
	for _, clients := range []int{1, 16} {
		for _, d := range []Durability{Process, PowerLoss} {
			b.Run(fmt.Sprintf("%s/%d", d, clients), func(b *testing.B) {
				log := &counting{}
				s := open(b, Options{Dir: b.TempDir(), Fold: log.fold, Durability: d})
				var n atomic.Int64
				b.ReportAllocs()
				b.SetParallelism(max(1, clients/2))
				if clients == 1 {
					for b.Loop() {
						benchPair(b, s, &n)
					}
				} else {
					b.RunParallel(func(pb *testing.PB) {
						for pb.Next() {
							benchPair(b, s, &n)
						}
					})
				}
				b.StopTimer()
				if err := s.Flush(b.Context()); err != nil {
					b.Error(err)
				}
				if got, want := log.n.Load(), 2*n.Load(); got != want {
					b.Errorf("%d records were handed on, want %d", got, want)
				}
			})
		}
	}
}

// counting is a log that encodes and links what it is given, and forgets it.
type counting struct {
	n    atomic.Int64
	head audit.Hash
	tree audit.Tree
	buf  []byte
}

func (l *counting) fold(_ context.Context, _ string, _, _ int64, calls []audit.TimedCall) error {
	for i := range calls {
		l.buf = audit.AppendCall(l.buf[:0], "st_1/gateway", l.n.Add(1), calls[i].At, &calls[i].Call)
		l.head = audit.Next(l.head, l.buf)
		l.tree.Add(audit.Leaf(l.buf))
	}
	return nil
}

// BenchmarkOpen is what a process that starts waits for: the directory, and what its
// newest file holds.
func BenchmarkOpen(b *testing.B) {
	dir := b.TempDir()
	s := open(b, Options{Dir: dir})
	var n atomic.Int64
	end := int64(0)
	for end < turnBytes {
		benchPair(b, s, &n)
		end = s.seenEnd.Load()
	}
	for b.Loop() {
		again, err := Open(b.Context(), Options{Dir: dir})
		if err != nil {
			b.Fatal(err)
		}
		if used, err := again.Usage(b.Context(), []enforce.Charge{benchCharge()}); err != nil || used[0] == 0 {
			b.Fatal(used, err)
		}
		again.die()
	}
}

// BenchmarkCalls looks for what is not there, in as many calls as one file holds.
func BenchmarkCalls(b *testing.B) {
	s := open(b, Options{Dir: b.TempDir()})
	var n atomic.Int64
	for range 5000 {
		benchPair(b, s, &n)
	}
	for name, f := range map[string]enforce.CallFilter{"grant": {Grant: "gr_none"}, "denied": {Decision: "deny"}, "newest": {}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := s.Calls(b.Context(), f); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/5000, "ns/call")
		})
	}
}
