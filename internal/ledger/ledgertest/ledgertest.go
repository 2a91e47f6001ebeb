// Package ledgertest is the conformance suite of ledger engines.
package ledgertest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

var at = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

// Exercise runs every case against fresh stores.
func Exercise(t *testing.T, open func(t *testing.T) ledger.Store) {
	for name, test := range map[string]func(*testing.T, ledger.Store){
		"a failed transaction leaves nothing":            testRollback,
		"a cancelled caller leaves the store usable":     testCancel,
		"counts follow batches and deviations":           testCounts,
		"a batch moves by compare and set":               testBatchMoves,
		"batches are leased, lost and released":          testLeases,
		"a batch has one owner under a race":             testLeaseRace,
		"one holder per key under a race":                testClaimRace,
		"a matcher finds what is there in any density":   testFind,
		"a released key can be taken again":              testRelease,
		"plans are found, listed and deleted":            testPlans,
		"a confirmed plan can't be deleted":              testDeleteConfirmed,
		"attempts are answered once":                     testAttempts,
		"idempotency keys are unique and finish once":    testKeys,
		"rejects are numbered, filtered and counted":     testRejects,
		"the audit chain links and verifies":             testAudit,
		"a circuit is locked, counted and cleared":       testCircuits,
		"one open approval per plan, decided once":       testApprovals,
		"plans whose time is over are found":             testExpiredPlans,
		"an event follows its batch again":               testStateOfItsOwn,
		"writers of one audit chain follow each other":   testAuditRace,
		"checkpoints are numbered once":                  testCheckpoints,
		"calls form a chain and are appended once":       testAuditCalls,
		"calls after a restore are appended":             testAuditCallsRestored,
		"connections are replaced and removed":           testConnections,
		"outcomes are put once and replaced on drift":    testOutcomesPut,
		"orders are taken back whole or line by line":    testOutcomesCancel,
		"one outcome of a sale stays open":               testOutcomesSupersede,
		"outcome payloads go with the key of their day":  testOutcomesShred,
		"a sale is free again with its event":            testSaleReleased,
		"a payload comes back byte for byte":             testPayloads,
		"a suppression list is a profile's own":          testSuppression,
		"a profile keeps its first pepper":               testPepper,
		"a subject index goes with its plan":             testSubjects,
		"places of a payload are erased":                 testErase,
		"a delivery is kept once":                        testDeliveryOnce,
		"a delivery races with itself":                   testDeliveryRace,
		"due deliveries are leased and settled":          testDeliveryDrain,
		"webhooks are replaced and removed":              testHooks,
		"an answer belongs to the call that began":       testAnswers,
		"members and tokens are replaced":                testPeople,
		"what is old enough is purged":                   testPurge,
		"schedules keep their windows and files":         testSchedules,
		"a schedule has one owner at a time":             testScheduleLease,
		"what a preview left out is found by time":       testLeftovers,
		"an alert lasts once and is told at both ends":   testAlerts,
		"servers are found by name while they are there": testServers,
		"a policy moves from version to version":         testPolicies,
		"a grant is one of its name and of its person":   testGrants,
		"one writer of the registry at a time":           testRegistryRace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t, open(t))
		})
	}
}

func do(t *testing.T, s ledger.Store, fn func(ctx context.Context, tx ledger.Tx) error) {
	t.Helper()
	if err := s.Do(t.Context(), func(tx ledger.Tx) error { return fn(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
}

// plan makes a ready plan with n events in batches of ten.
func plan(t *testing.T, s ledger.Store, id string, n int) ledger.Plan {
	t.Helper()
	p := ledger.Plan{Dataset: "1000000000000001", Realm: "meta", CreatedAt: at, ExpiresAt: at.Add(24 * time.Hour), File: id + ".frozen", WrappedKey: []byte("w")}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Plans().Create(ctx, &p); err != nil {
			return err
		}
		var events []ledger.Event
		var batches []ledger.Batch
		for i := range n {
			eventID := fmt.Sprintf("%s-%d", id, i)
			events = append(events, ledger.Event{
				Ref: ledger.RefOf(p.No, i), Key: ledger.KeyOf(p.Realm, p.Dataset, "Purchase", eventID),
				EventID: eventID, Time: at.Unix() + int64(i), Value: 10000, Offset: int64(i), Length: 10,
			})
			if i%10 == 0 {
				batches = append(batches, ledger.Batch{Plan: p.No, No: i / 10, First: i, Count: min(10, n-i), Class: "physical_store", State: ledger.Planned})
			}
		}
		if err := tx.Events().Put(ctx, events); err != nil {
			return err
		}
		if err := tx.Batches().Put(ctx, batches); err != nil {
			return err
		}
		p.ID, p.Hash, p.Events, p.Summary = id, "hash-"+id, n, []byte(`{}`)
		return tx.Plans().Freeze(ctx, &p, []ledger.Kind{{EventName: "Purchase", Labels: []string{"north"}}}, []string{"a.csv"}, []string{"store"})
	})
	return p
}

func testRollback(t *testing.T, s ledger.Store) {
	boom := errors.New("boom")
	err := s.Do(t.Context(), func(tx ledger.Tx) error {
		p := ledger.Plan{Dataset: "1", CreatedAt: at, ExpiresAt: at, WrappedKey: []byte("w")}
		if err := tx.Plans().Create(t.Context(), &p); err != nil {
			return err
		}
		return boom
	})
	if !errors.Is(err, boom) {
		t.Fatalf("got %v, want the function's own error", err)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		left, err := tx.Plans().Abandoned(ctx, at.Add(time.Hour))
		if len(left) != 0 {
			t.Errorf("%d plans survived the rollback", len(left))
		}
		return err
	})
}

func testCancel(t *testing.T, s ledger.Store) {
	for i := range 200 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		err := s.Do(ctx, func(tx ledger.Tx) error {
			_, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: ledger.Key{byte(i)}, Ref: 1}})
			return err
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
		if err := s.View(ctx, func(ledger.Tx) error { return nil }); err != nil && !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		taken, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: ledger.Key{0xff}, Ref: 1}})
		if len(taken) > 0 {
			t.Error("the store lost a claim")
		}
		return err
	})
}

func testCounts(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_counts", 25)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		b, err := tx.Batches().Get(ctx, p.No, 1)
		if err != nil {
			return err
		}
		b.State, b.Fence = ledger.Queued, 1
		if err := tx.Batches().Move(ctx, b, ledger.Planned, 0); err != nil {
			return err
		}
		if err := tx.Events().Set(ctx, []ledger.EventRef{ledger.RefOf(p.No, 12)}, ledger.Skipped, "duplicate"); err != nil {
			return err
		}
		return tx.Events().Set(ctx, []ledger.EventRef{ledger.RefOf(p.No, 24)}, ledger.Rejected, "meta_invalid")
	})
	err := s.View(t.Context(), func(tx ledger.Tx) error {
		got, err := tx.Events().Counts(t.Context(), p.No)
		want := map[ledger.State]int{ledger.Planned: 14, ledger.Queued: 9, ledger.Skipped: 1, ledger.Rejected: 1}
		if !maps.Equal(got, want) {
			t.Errorf("counts %v, want %v", got, want)
		}
		keys := 0
		if err := tx.Events().Keys(t.Context(), p.No, func(ledger.EventRef, ledger.Key, int64) error { keys++; return nil }); err != nil {
			return err
		}
		if keys != 14 {
			t.Errorf("%d events follow a planned batch, want 14", keys)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

func testBatchMoves(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_moves", 10)
	move := func(from ledger.State, fence int64, to ledger.State, next int64) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error {
			b := ledger.Batch{Plan: p.No, No: 0, State: to, Fence: next}
			return tx.Batches().Move(t.Context(), &b, from, fence)
		})
	}
	if err := move(ledger.Planned, 0, ledger.Queued, 3); err != nil {
		t.Fatal(err)
	}
	for name, err := range map[string]error{
		"another state": move(ledger.Planned, 3, ledger.InFlight, 3),
		"an old fence":  move(ledger.Queued, 2, ledger.InFlight, 2),
	} {
		if !errors.Is(err, ledger.ErrLost) {
			t.Errorf("%s: got %v, want ErrLost", name, err)
		}
	}
}

func testClaimRace(t *testing.T, s ledger.Store) {
	const keys, workers = 50, 4
	var won [keys]atomic.Int32
	var wg sync.WaitGroup
	for w := range workers {
		wg.Go(func() {
			for k := range keys {
				err := s.Do(context.Background(), func(tx ledger.Tx) error {
					taken, err := tx.Claims().Take(context.Background(), []ledger.Claim{{Key: ledger.Key{byte(k)}, Ref: ledger.RefOf(int64(w+1), k)}})
					if err == nil && len(taken) == 0 {
						won[k].Add(1)
					}
					return err
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for k := range won {
		if n := won[k].Load(); n != 1 {
			t.Errorf("key %d was taken %d times", k, n)
		}
	}
}

func testFind(t *testing.T, s ledger.Store) {
	key := func(i int) ledger.Key { return ledger.KeyOf("meta", "d", "Purchase", fmt.Sprint(i)) }
	sorted := func(step int) []ledger.Key {
		var out []ledger.Key
		for i := 0; i < 3000; i += step {
			out = append(out, key(i))
		}
		sortKeys(out)
		return out
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		var list []ledger.Claim
		for i := 0; i < 3000; i += 2 {
			list = append(list, ledger.Claim{Key: key(i), Ref: ledger.EventRef(i + 1), Fingerprint: int64(i)})
		}
		slices.SortFunc(list, func(a, b ledger.Claim) int { return bytes.Compare(a.Key[:], b.Key[:]) })
		_, err := tx.Claims().Take(ctx, list)
		return err
	})
	taken := map[ledger.Key]int{}
	for i := 0; i < 3000; i += 2 {
		taken[key(i)] = i
	}
	for _, step := range []int{1, 7, 500} {
		err := s.View(t.Context(), func(tx ledger.Tx) error {
			keys := sorted(step)
			found, err := tx.Claims().Find(t.Context(), keys)
			if err != nil {
				return err
			}
			for _, k := range keys {
				i, want := taken[k]
				switch {
				case !want:
				case len(found) == 0 || found[0].Key != k || found[0].Fingerprint != int64(i) || found[0].Ref != ledger.EventRef(i+1):
					return fmt.Errorf("step %d: claim of %d is missing or out of order", step, i)
				default:
					found = found[1:]
				}
			}
			if len(found) > 0 {
				return fmt.Errorf("step %d: %d claims that nobody made", step, len(found))
			}
			return nil
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func sortKeys(keys []ledger.Key) {
	slices.SortFunc(keys, func(a, b ledger.Key) int { return bytes.Compare(a[:], b[:]) })
}

func testRelease(t *testing.T, s ledger.Store) {
	k := ledger.Key{1}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		take := func(ref ledger.EventRef) []ledger.Conflict {
			taken, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: k, Ref: ref}})
			if err != nil {
				t.Error(err)
			}
			return taken
		}
		if len(take(1)) > 0 {
			t.Error("a free key was not given")
		}
		if len(take(1)) > 0 {
			t.Error("a key that its event holds is not its own")
		}
		if err := tx.Claims().Release(ctx, []ledger.Claim{{Key: k, Ref: 2}}); err != nil {
			return err
		}
		if taken := take(2); len(taken) != 1 || taken[0].Holder.Ref != 1 || taken[0].Mine.Ref != 2 {
			t.Errorf("a stranger released the key: %v", taken)
		}
		if err := tx.Claims().Release(ctx, []ledger.Claim{{Key: k, Ref: 1}}); err != nil {
			return err
		}
		if len(take(2)) > 0 {
			t.Error("a released key was not given")
		}
		return nil
	})
}

func testPlans(t *testing.T, s ledger.Store) {
	first, second := plan(t, s, "pl_first", 3), plan(t, s, "pl_second", 12)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		p, err := tx.Plans().ByID(ctx, "pl_second")
		if err != nil {
			return err
		}
		if p.No != second.No || p.Events != 12 || p.State != ledger.PlanReady || !p.CreatedAt.Equal(at) {
			t.Errorf("found %+v", p)
		}
		if _, err := tx.Plans().ByID(ctx, "pl_none"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("unknown plan: %v", err)
		}
		list, err := tx.Plans().List(ctx, 10)
		if err != nil || len(list) != 2 || list[0].ID != "pl_second" {
			t.Errorf("list %v %v", list, err)
		}
		names, err := tx.Plans().LabelNames(ctx, first.No)
		if err != nil || len(names) != 1 || names[0] != "store" {
			t.Errorf("label names %v %v", names, err)
		}
		if done, err := tx.Plans().Delete(ctx, first.No); err != nil || !done {
			return fmt.Errorf("delete: %v %w", done, err)
		}
		if _, err := tx.Events().Get(ctx, ledger.RefOf(first.No, 0)); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("an event of a deleted plan: %v", err)
		}
		_, err = tx.Events().Get(ctx, ledger.RefOf(second.No, 0))
		return err
	})
}

func testDeleteConfirmed(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_kept", 1)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Runs().Create(ctx, &ledger.Run{ID: "run_1", Plan: p.No, State: ledger.RunClaiming, StartedAt: at})
	})
	err := s.Do(t.Context(), func(tx ledger.Tx) error {
		_, err := tx.Plans().Delete(t.Context(), p.No)
		return err
	})
	if !errors.Is(err, ledger.ErrLost) {
		t.Errorf("got %v, want ErrLost", err)
	}
}

func testAttempts(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_attempts", 1)
	a := ledger.Attempt{Run: "run_1", Plan: p.No, From: 0, To: 1, Count: 1, Digest: []byte("d"), StartedAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Runs().Create(ctx, &ledger.Run{ID: "run_1", Plan: p.No, State: ledger.RunSending, StartedAt: at}); err != nil {
			return err
		}
		return tx.Runs().Begin(ctx, &a)
	})
	end := func() error {
		a.EndedAt, a.Result, a.TraceID = at.Add(time.Second), "delivered", "Atrace"
		return s.Do(t.Context(), func(tx ledger.Tx) error { return tx.Runs().End(t.Context(), &a) })
	}
	if err := end(); err != nil {
		t.Fatal(err)
	}
	if err := end(); !errors.Is(err, ledger.ErrLost) {
		t.Errorf("a second answer: %v", err)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		n := 0
		err := tx.Runs().Attempts(ctx, "run_1", func(got *ledger.Attempt) error {
			n++
			if got.ID != a.ID || got.TraceID != "Atrace" || !got.EndedAt.Equal(a.EndedAt) {
				t.Errorf("got %+v", got)
			}
			return nil
		})
		if n != 1 {
			t.Errorf("%d attempts", n)
		}
		return err
	})
}

func testKeys(t *testing.T, s ledger.Store) {
	put := func() error {
		return s.Do(t.Context(), func(tx ledger.Tx) error {
			return tx.Runs().PutKey(t.Context(), &ledger.Idempotency{Profile: "default", Key: "k", Fingerprint: "f", Run: "run_1", CreatedAt: at})
		})
	}
	if err := put(); err != nil {
		t.Fatal(err)
	}
	if err := put(); !errors.Is(err, ledger.ErrTaken) {
		t.Errorf("a key was stored twice: %v", err)
	}
	finish := func() error {
		return s.Do(t.Context(), func(tx ledger.Tx) error { return tx.Runs().FinishKey(t.Context(), "default", "k", []byte(`{}`)) })
	}
	if err := finish(); err != nil {
		t.Fatal(err)
	}
	if err := finish(); !errors.Is(err, ledger.ErrLost) {
		t.Errorf("a second result: %v", err)
	}
}

func testRejects(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_rejects", 1)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Rejects().Put(ctx, []ledger.Reject{
			{Plan: p.No, File: "a.csv", Line: 2, Code: "no_identifiers", Labels: []string{"north"}},
			{Plan: p.No, File: "a.csv", Line: 3, Code: "too_old", Meta: ledger.MetaRefusal{Code: 100, Subcode: 2804003}},
			{Plan: p.No, File: "a.csv", Line: 4, Code: "no_identifiers"},
		})
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		var lines []int64
		err := tx.Rejects().Each(ctx, ledger.RejectFilter{Plan: p.No, Code: "no_identifiers"}, func(r *ledger.Reject) error {
			lines = append(lines, r.Line)
			return nil
		})
		if err != nil || len(lines) != 2 || lines[0] != 2 || lines[1] != 4 {
			t.Errorf("lines %v: %v", lines, err)
		}
		counts, err := tx.Rejects().Counts(ctx, p.No)
		if counts["no_identifiers"] != 2 || counts["too_old"] != 1 {
			t.Errorf("counts %v", counts)
		}
		return err
	})
}

func testAudit(t *testing.T, s ledger.Store) {
	for i := range 3 {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error {
			seq, err := tx.Audit().Append(ctx, at, audit.Record{Op: "preview", Actor: audit.Actor{Type: "local", ID: "owner"}})
			if seq != int64(i+1) {
				t.Errorf("record %d got number %d", i+1, seq)
			}
			return err
		})
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		v, err := audit.Verify(ctx, s.ID(), tx.Audit())
		if !v.OK || v.Records != 3 {
			t.Errorf("verification %+v", v)
		}
		return err
	})
}
