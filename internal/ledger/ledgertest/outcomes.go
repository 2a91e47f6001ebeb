package ledgertest

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

func idOf(n int) (id outcome.ID) {
	copy(id[:], fmt.Sprintf("%016d", n))
	return id
}

// happened is a stored outcome whose content follows from version.
func happened(n, version int) outcome.Row {
	return outcome.Row{
		ID: idOf(n), Profile: "default", Outcome: "order_placed", Time: at.Unix() + int64(n), ArrivedAt: at, ChangedAt: at, EventID: fmt.Sprintf("e%d", n),
		EventName: "Purchase", ActionSource: "physical_store", Value: int64(version) * 10000, Currency: "GBP", Keys: 3, Hold: -1, State: outcome.Open,
		Lines: 2, LabelNames: []string{"store"}, Labels: []string{"LDN"}, MetaTouch: n%2 == 0, File: "a.csv", Line: int64(n), Consent: "granted",
		Digest: idOf(1000*version + n), Day: (at.Unix() + int64(n)) / 86400, Payload: []byte{1, 2, byte(version)},
	}
}

func listOutcomes(t *testing.T, s ledger.Store, q outcome.Query) []outcome.Row {
	t.Helper()
	var out []outcome.Row
	err := s.View(t.Context(), func(tx ledger.Tx) error {
		return tx.Outcomes().Each(t.Context(), q, func(o *outcome.Row) error {
			out = append(out, *o)
			return nil
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func testOutcomesPut(t *testing.T, s ledger.Store) {
	const n = 120 // more than one statement takes
	var rows []outcome.Row
	for i := range n {
		rows = append(rows, happened(i, 1))
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Outcomes().Put(ctx, rows)
		for i, a := range got {
			if a.Old != nil || a.Changed {
				t.Errorf("row %d was there", i)
			}
		}
		return err
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		got, err := tx.Outcomes().Put(ctx, []outcome.Row{happened(7, 1), happened(500, 1), happened(3, 2)})
		if err != nil {
			return err
		}
		if got[0].Old == nil || got[0].Changed || got[1].Old != nil || got[2].Old == nil || !got[2].Changed {
			t.Errorf("arrivals %+v", got)
		}
		return nil
	})
	all := listOutcomes(t, s, outcome.Query{Profile: "default"})
	if len(all) != n+1 {
		t.Fatalf("%d rows", len(all))
	}
	want := happened(3, 2)
	want.Changes = 1
	if diff := cmp.Diff(want, all[3]); diff != "" {
		t.Error(diff)
	}
	q := outcome.Query{Profile: "default", Outcomes: []string{"order_placed", "search"}, From: at.Unix() + 10, To: at.Unix() + 13}
	if some := listOutcomes(t, s, q); len(some) != 3 || some[0].ID != idOf(10) {
		t.Errorf("a window has %d rows", len(some))
	}
	if none := listOutcomes(t, s, outcome.Query{Profile: "other"}); len(none) != 0 {
		t.Errorf("another profile sees %d rows", len(none))
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		stats, err := tx.Outcomes().Stats(ctx, outcome.Query{Profile: "default"})
		if err == nil && (len(stats) != 1 || stats[0].Count != n+1 || stats[0].Value != (n+2)*10000 || stats[0].NoSale != n+1) {
			t.Errorf("stats %+v", stats)
		}
		labels, err2 := tx.Outcomes().Labels(ctx, outcome.Query{Profile: "default"})
		if len(labels) != 1 || labels[0][0] != "store" {
			t.Errorf("labels %v", labels)
		}
		if err == nil {
			err = err2
		}
		return err
	})
}

func testOutcomesCancel(t *testing.T, s ledger.Store) {
	line := func(n int) outcome.ID { return idOf(900000 + n) }
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		r := tx.Outcomes()
		if _, err := r.Put(ctx, []outcome.Row{happened(1, 1), happened(2, 1), happened(3, 1)}); err != nil {
			return err
		}
		return r.PutLines(ctx, []outcome.Line{
			{Line: line(1), Order: idOf(1), At: 100, Ord: 0}, {Line: line(1), Order: idOf(1), At: 100, Ord: 1},
			{Line: line(1), Order: idOf(2), At: 200, Ord: 0}, {Line: line(2), Order: idOf(2), At: 200, Ord: 1},
		})
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		r := tx.Outcomes()
		take := func(lines []outcome.ID, at int64, want ...outcome.ID) {
			t.Helper()
			got, err := r.TakeBack(ctx, lines, at)
			if diff := cmp.Diff(want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
		}
		take([]outcome.ID{line(1)}, 50)                                      // before any order
		take([]outcome.ID{line(1), line(2), line(2)}, 250, idOf(2), idOf(2)) // the newest first, each line once
		take([]outcome.ID{line(1), line(1), line(1)}, 250, idOf(1), idOf(1)) // then the one before
		for i, want := range []bool{false, true} {
			if is, err := r.Cancel(ctx, idOf(1), 1, int64(300+i), at); err != nil || is != want {
				t.Errorf("line %d: cancelled %v, %v", i, is, err)
			}
		}
		if is, err := r.Cancel(ctx, idOf(2), -1, 400, at); err != nil || !is {
			t.Errorf("as a whole: %v, %v", is, err)
		}
		if is, err := r.Cancel(ctx, idOf(77), -1, 400, at); err != nil || is {
			t.Errorf("an order that is not there: %v, %v", is, err)
		}
		c := outcome.Cancellation{ID: idOf(50), Profile: "default", Target: idOf(60), At: 5, ArrivedAt: at}
		for i, want := range []bool{true, false} {
			if fresh, err := r.Remember(ctx, &c); err != nil || fresh != want {
				t.Errorf("cancellation seen %d times: new %v, %v", i, fresh, err)
			}
		}
		early, err := r.CancelledTargets(ctx, "default", []outcome.ID{idOf(60), idOf(61)})
		if diff := cmp.Diff(map[outcome.ID]int64{idOf(60): 5}, early); diff != "" {
			t.Error(diff)
		}
		return err
	})
	all := listOutcomes(t, s, outcome.Query{Profile: "default", State: outcome.Cancelled})
	if len(all) != 2 || all[0].CancelledAt != 301 || all[1].CancelledAt != 400 {
		t.Errorf("cancelled %+v", all)
	}
	// What was cancelled stays so, whatever comes of it later.
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		_, err := tx.Outcomes().Put(ctx, []outcome.Row{happened(1, 2)})
		return err
	})
	if all := listOutcomes(t, s, outcome.Query{Profile: "default", State: outcome.Cancelled}); len(all) != 2 || all[0].Changes != 1 {
		t.Errorf("after a change %+v", all)
	}
	var gone []outcome.ID
	err := s.View(t.Context(), func(tx ledger.Tx) error {
		return tx.Outcomes().Gone(t.Context(), "default", at, func(o *outcome.Row) error {
			gone = append(gone, o.ID)
			return nil
		})
	})
	if err != nil || len(gone) != 2 {
		t.Errorf("gone %v, %v", gone, err)
	}
}

func testOutcomesSupersede(t *testing.T, s ledger.Store) {
	sold := func(n, rank, sale int) outcome.Row {
		o := happened(n, 1)
		o.Rank, o.Sale = rank, idOf(sale)
		return o
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		r := tx.Outcomes()
		if _, err := r.Put(ctx, []outcome.Row{sold(1, 1, 700), sold(2, 0, 700), sold(3, 0, 700), sold(4, 1, 701), happened(5, 1)}); err != nil {
			return err
		}
		if err := r.Supersede(ctx, "default", []outcome.ID{idOf(700), idOf(701)}, at); err != nil {
			return err
		}
		was, err := r.Withdraw(ctx, idOf(5), "denied", at)
		if !was {
			t.Error("nothing was withdrawn")
		}
		return err
	})
	states := ""
	for _, o := range listOutcomes(t, s, outcome.Query{Profile: "default"}) {
		states += string(o.State) + " "
	}
	if states != "superseded open superseded open withdrawn " {
		t.Errorf("states %s", states)
	}
}

func testOutcomesShred(t *testing.T, s ledger.Store) {
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		r := tx.Outcomes()
		for _, key := range []string{"first", "second"} {
			held, err := r.PutKey(ctx, "default", 5, []byte(key), at)
			if err != nil {
				return err
			}
			if string(held) != "first" {
				t.Errorf("the key of the day is %q", held)
			}
		}
		if _, err := r.PutKey(ctx, "default", 6, []byte("next"), at); err != nil {
			return err
		}
		old, young := happened(1, 1), happened(2, 1)
		old.Day, young.Day = 5, 6
		if _, err := r.Put(ctx, []outcome.Row{old, young}); err != nil {
			return err
		}
		if n, err := r.Shred(ctx, "default", 6); err != nil || n != 1 {
			t.Errorf("%d rows shredded, %v", n, err)
		}
		keys, err := r.Keys(ctx, "default", 0, 10)
		if len(keys) != 1 || !bytes.Equal(keys[6], []byte("next")) {
			t.Errorf("keys left %v", keys)
		}
		return err
	})
	all := listOutcomes(t, s, outcome.Query{Profile: "default"})
	if len(all[0].Payload) != 0 || len(all[1].Payload) == 0 {
		t.Errorf("payloads %v %v", all[0].Payload, all[1].Payload)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		n, err := tx.Outcomes().Delete(ctx, []outcome.ID{idOf(1), idOf(9)})
		if n != 1 {
			t.Errorf("%d rows deleted", n)
		}
		return err
	})
}

// A sale's claim goes with the event that holds it.
func testSaleReleased(t *testing.T, s ledger.Store) {
	p := plan(t, s, "sales", 2)
	sale := ledger.KeyOf("meta", "1000000000000001", "sale", "S1")
	own := ledger.KeyOf(p.Realm, p.Dataset, "Purchase", "sales-0")
	ref := ledger.RefOf(p.No, 0)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Outcomes().PutSales(ctx, []outcome.EventSale{{Ref: int64(ref), Sale: sale, Event: 42}}); err != nil {
			return err
		}
		for _, k := range []ledger.Key{own, sale} {
			if taken, err := tx.Claims().Take(ctx, []ledger.Claim{{Key: k, Ref: ref, Fingerprint: 42}}); err != nil || len(taken) > 0 {
				t.Errorf("taken %v, %v", taken, err)
			}
		}
		return nil
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		var seen []outcome.EventSale
		err := tx.Outcomes().EachSale(ctx, int64(ref), int64(ref)+2, func(e outcome.EventSale) error {
			seen = append(seen, e)
			return nil
		})
		if len(seen) != 1 || seen[0].Sale != sale || seen[0].Event != 42 {
			t.Errorf("sales %v", seen)
		}
		if err != nil {
			return err
		}
		return tx.Claims().Release(ctx, []ledger.Claim{{Key: own, Ref: ref}})
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		for _, k := range []ledger.Key{own, sale} {
			found, err := tx.Claims().Find(ctx, []ledger.Key{k})
			if err != nil || len(found) > 0 {
				t.Errorf("still claimed: %v, %v", found, err)
			}
		}
		return nil
	})
}
