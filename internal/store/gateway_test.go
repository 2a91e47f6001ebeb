package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
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
	return func(ctx context.Context, source string, from, to int64, calls []audit.TimedCall) error {
		return s.Do(ctx, func(tx ledger.Tx) error { return tx.Audit().AppendCalls(ctx, source, from, to, calls) })
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

// Parts of a state directory that come from different moments, as a copy of a directory
// in use has them, lose no call that is made afterwards, and repeat none.
func TestGatewayCallsAfterARestore(t *testing.T) {
	t.Parallel()
	for name, older := range map[string][]string{
		"the journal is older":              {"gateway"},
		"all but its position is older":     {"gateway/lock", "gateway/journal-00000001.log"},
		"its position is older":             {"gateway/fold"},
		"the audit log is older":            {"writeback.db"},
		"the audit log was never there":     nil,
		"the journal and the log are older": {"gateway", "writeback.db"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir, backup := t.TempDir(), filepath.Join(t.TempDir(), "backup")
			calls := func(from, to int) {
				log, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
				opened(t, log, err)
				s, err := journal.Open(t.Context(), journal.Options{Dir: filepath.Join(dir, "gateway"), Fold: fold(log)})
				if err != nil {
					t.Fatal(err)
				}
				for n := from; n < to; n++ {
					if err := s.Record(t.Context(), gatewayCall(n)); err != nil {
						t.Error(err)
					}
				}
				if err := errors.Join(s.Flush(t.Context()), s.Close(), log.Close()); err != nil {
					t.Fatal(err)
				}
			}
			calls(0, 20)
			if err := os.CopyFS(backup, os.DirFS(dir)); err != nil {
				t.Fatal(err)
			}
			calls(20, 30)
			for _, part := range older {
				if err := os.RemoveAll(filepath.Join(dir, part)); err != nil {
					t.Fatal(err)
				}
				if err := os.CopyFS(filepath.Join(dir, "copied"), os.DirFS(filepath.Join(backup, part))); err != nil { // a file
					text, err := os.ReadFile(filepath.Join(backup, part))
					if err = errors.Join(err, os.WriteFile(filepath.Join(dir, part), text, 0o600)); err != nil {
						t.Fatal(err)
					}
				} else if err := os.Rename(filepath.Join(dir, "copied"), filepath.Join(dir, part)); err != nil {
					t.Fatal(err)
				}
			}
			if older == nil {
				if err := os.Remove(filepath.Join(dir, "writeback.db")); err != nil {
					t.Fatal(err)
				}
			}
			calls(30, 35)
			calls(35, 60)
			log, err := sqlite.Open(t.Context(), filepath.Join(dir, "writeback.db"), time.Now)
			opened(t, log, err)
			seen := map[string]int{}
			err = log.View(t.Context(), func(tx ledger.Tx) error {
				v, err1 := audit.Verify(t.Context(), log.ID(), tx.Audit())
				if !v.OK {
					t.Errorf("verification %+v", v)
				}
				err2 := tx.Audit().Range(t.Context(), log.ID()+"/gateway", 1, 1000, func(l audit.Link) error {
					var r audit.Record
					err := json.Unmarshal(l.Body, &r)
					seen[r.RequestID]++
					return err
				})
				return errors.Join(err1, err2)
			})
			if err != nil {
				t.Fatal(err)
			}
			for n := range 60 {
				lost := len(older) == 2 && older[1] == "writeback.db" && n >= 20 && n < 30 // from before the restore, in neither
				if id, want := gatewayCall(n).Request, 1; seen[id] != want && !lost {
					t.Errorf("call %d is in the log %d times", n, seen[id])
				}
			}
		})
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
