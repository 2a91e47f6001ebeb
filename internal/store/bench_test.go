package store_test

import (
	"context"
	"crypto/rand"
	"slices"
	"testing"
	"time"

	"sluice/internal/ledger"
)

// BenchmarkPlanAndClaim writes the rows of a plan, claims its keys and moves its
// batches, in the sizes that a preview and a confirm use.
func BenchmarkPlanAndClaim(b *testing.B) {
	for name, open := range engines {
		b.Run(name, func(b *testing.B) { planAndClaim(b, open(b)) })
	}
}

func planAndClaim(b *testing.B, s ledger.Store) {
	const n = 200_000
	ctx := context.Background()
	for b.Loop() {
		p := ledger.Plan{Dataset: "1", Realm: "meta", CreatedAt: time.Now(), ExpiresAt: time.Now(), File: "f", WrappedKey: []byte("w")}
		if err := s.Do(ctx, func(tx ledger.Tx) error { return tx.Plans().Create(ctx, &p) }); err != nil {
			b.Fatal(err)
		}
		events := make([]ledger.Event, n)
		for i := range events {
			events[i] = ledger.Event{Ref: ledger.RefOf(p.No, i), EventID: "wb1_6u3wnuiphlyncmqpemde62gz5imsv7e2", Time: 1, Length: 1000, Offset: int64(i) * 1000}
			_, _ = rand.Read(events[i].Key[:])
		}
		start := time.Now()
		for chunk := range slices.Chunk(events, 5000) {
			if err := s.Do(ctx, func(tx ledger.Tx) error { return tx.Events().Put(ctx, chunk) }); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/event-row")
		slices.SortFunc(events, func(x, y ledger.Event) int { return slices.Compare(x.Key[:], y.Key[:]) })
		start = time.Now()
		for chunk := range slices.Chunk(events, 5000) {
			if err := s.Do(ctx, func(tx ledger.Tx) error {
				list := make([]ledger.Claim, len(chunk))
				for i := range chunk {
					list[i] = ledger.Claim{Key: chunk[i].Key, Ref: chunk[i].Ref}
				}
				_, err := tx.Claims().Take(ctx, list)
				return err
			}); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(time.Since(start).Nanoseconds())/n, "ns/claim")
	}
}

// BenchmarkPayload writes and reads the frozen bytes of about a hundred thousand
// events.
func BenchmarkPayload(b *testing.B) {
	block := make([]byte, 1<<20)
	_, _ = rand.Read(block)
	for name, open := range engines {
		b.Run(name, func(b *testing.B) {
			p, ctx := open(b).Payloads(), b.Context()
			const blocks = 96
			b.SetBytes(blocks << 20)
			for b.Loop() {
				start := time.Now()
				w, err := p.Create(ctx, "bench")
				if err != nil {
					b.Fatal(err)
				}
				for range blocks {
					if _, err := w.Write(block); err != nil {
						b.Fatal(err)
					}
				}
				if err := w.Commit(); err != nil {
					b.Fatal(err)
				}
				b.ReportMetric(blocks/time.Since(start).Seconds(), "write-MiB/s")
				start = time.Now()
				r, err := p.Open(ctx, "bench")
				if err != nil {
					b.Fatal(err)
				}
				got := make([]byte, len(block))
				for i := range blocks {
					if _, err := r.ReadAt(got, int64(i)<<20); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(blocks/time.Since(start).Seconds(), "read-MiB/s")
				_ = r.Close()
				if err := p.Remove(ctx, "bench"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
