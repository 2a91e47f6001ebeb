package sqlite_test

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// BenchmarkVerifyAudit verifies a log of SLUICE_AUDIT_RECORDS records (20 000 when
// unset; the goal is a million in ten seconds) and reports the heap it took.
func BenchmarkVerifyAudit(b *testing.B) {
	n := 20_000
	if text := os.Getenv("SLUICE_AUDIT_RECORDS"); text != "" {
		var err error
		if n, err = strconv.Atoi(text); err != nil {
			b.Fatal(err)
		}
	}
	s := open(b, filepath.Join(b.TempDir(), "writeback.db"))
	ctx := b.Context()
	at := time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	start := time.Now()
	for from := 0; from < n; from += 5000 {
		err := s.Do(ctx, func(tx ledger.Tx) error {
			for i := from; i < min(n, from+5000); i++ {
				_, err := tx.Audit().Append(ctx, at.Add(time.Duration(i)*time.Second), audit.Record{
					Actor: audit.Actor{Type: "local", ID: "owner"}, Via: "cli", Op: "confirm.finished", Profile: "default", Dataset: "1000000000000001", Realm: "meta",
					Plan: fmt.Sprintf("pl_%020d", i), PlanHash: strings.Repeat("a", 64), Run: fmt.Sprintf("run_%020d", i), Idempotency: "0123456789ab", EventCount: 1000,
					ValueBy: map[string]string{"GBP": "12345.67"}, CountsByState: map[string]int{"delivered": 998, "rejected": 2}, SubmissionIDs: []string{"AbCdEfGhIjKlMnOpQrStUv"}, Result: "ok",
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)/time.Since(start).Seconds(), "appends/s")
	b.ResetTimer()
	for b.Loop() {
		done, peak := make(chan struct{}), make(chan uint64)
		go func() {
			var most uint64
			for {
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapInuse)
				select {
				case <-done:
					peak <- most
					return
				case <-time.After(50 * time.Millisecond):
				}
			}
		}()
		err := s.View(ctx, func(tx ledger.Tx) error {
			v, err := audit.Verify(ctx, s.ID(), tx.Audit())
			if err == nil && (!v.OK || v.Records != int64(n)) {
				b.Fatalf("%+v", v)
			}
			return err
		})
		close(done)
		b.ReportMetric(float64(<-peak)/(1<<20), "MiB-heap")
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
