package ledgertest

import (
	"context"
	"errors"
	"testing"
	"time"

	"sluice/internal/ledger"
)

func testCircuits(t *testing.T, s ledger.Store) {
	var before *ledger.Circuit
	do(t, s, func(ctx context.Context, tx ledger.Tx) (err error) {
		if before, err = tx.Circuits().Get(ctx, "p", "meta"); err != nil {
			return err
		}
		c, err := tx.Circuits().Lock(ctx, "p", "meta")
		if err != nil {
			return err
		}
		if c.State != ledger.CircuitClosed || before.State != ledger.CircuitClosed {
			t.Errorf("a circuit that never moved is %s and %s", before.State, c.State)
		}
		c.State, c.Dataset, c.OpenedAt, c.Until, c.Reopened, c.Probe = ledger.CircuitOpen, "7", at, at.Add(time.Hour), 2, "run_1"
		if err := tx.Circuits().Put(ctx, c); err != nil {
			return err
		}
		for i, run := range []string{"run_1", "run_2", "run_1"} { // one run fails once
			f := ledger.Failure{Run: run, Dataset: "7", Code: "x", At: at.Add(time.Duration(i) * time.Minute)}
			if err := tx.Circuits().Fail(ctx, "p", "meta", f); err != nil {
				return err
			}
		}
		return tx.Circuits().Fail(ctx, "p", "sandbox", ledger.Failure{Run: "run_3", At: at})
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		c, err := tx.Circuits().Lock(ctx, "p", "meta")
		if err != nil {
			return err
		}
		if c.State != ledger.CircuitOpen || !c.Until.Equal(at.Add(time.Hour)) || c.Reopened != 2 || c.Probe != "run_1" {
			t.Errorf("circuit %+v", c)
		}
		all, err := tx.Circuits().Failures(ctx, "p", "meta", at)
		if err != nil {
			return err
		}
		late, err := tx.Circuits().Failures(ctx, "p", "meta", at.Add(time.Second))
		if err != nil {
			return err
		}
		if len(all) != 2 || len(late) != 1 || late[0].Run != "run_2" {
			t.Errorf("failures %+v, later ones %+v", all, late)
		}
		list, err := tx.Circuits().List(ctx, "")
		if err != nil || len(list) != 1 {
			t.Errorf("circuits %+v", list)
		}
		if err := tx.Circuits().Clear(ctx, "p", "meta"); err != nil {
			return err
		}
		if all, err = tx.Circuits().Failures(ctx, "p", "meta", at); len(all) != 0 {
			t.Errorf("cleared failures %+v", all)
		}
		if other, _ := tx.Circuits().Failures(ctx, "p", "sandbox", at); len(other) != 1 {
			t.Error("another realm was cleared as well")
		}
		return err
	})
}

func testApprovals(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_a", 1)
	ask := func(id string) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error {
			return tx.Approvals().Create(t.Context(), &ledger.Approval{
				ID: id, Profile: "default", Plan: p.No, PlanID: p.ID, PlanHash: p.Hash, Proposer: "bo", State: ledger.ApprovalPending, CreatedAt: at, ExpiresAt: at.Add(time.Hour),
			})
		})
	}
	if err := ask("ap_1"); err != nil {
		t.Fatal(err)
	}
	if err := ask("ap_2"); !errors.Is(err, ledger.ErrTaken) {
		t.Errorf("a second open approval of one plan: %v", err)
	}
	move := func(from, to ledger.ApprovalState) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error {
			a, err := tx.Approvals().ByID(t.Context(), "ap_1")
			if err != nil {
				return err
			}
			a.State, a.Decider, a.Reason, a.DecidedAt = to, "ada", "fine", at
			return tx.Approvals().Move(t.Context(), a, from)
		})
	}
	if err := move(ledger.ApprovalPending, ledger.ApprovalRejected); err != nil {
		t.Fatal(err)
	}
	if err := move(ledger.ApprovalPending, ledger.ApprovalApproved); !errors.Is(err, ledger.ErrLost) {
		t.Errorf("deciding twice: %v", err)
	}
	if err := ask("ap_2"); err != nil {
		t.Errorf("a new approval after the old one was decided: %v", err)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		for want, f := range map[int]ledger.ApprovalFilter{
			2: {Plan: p.No}, 1: {Profile: "default", State: ledger.ApprovalRejected}, 0: {Profile: "other"},
		} {
			list, err := tx.Approvals().List(ctx, f)
			if err != nil {
				return err
			}
			if len(list) != want {
				t.Errorf("%+v lists %d, want %d", f, len(list), want)
			}
		}
		_, err := tx.Approvals().ByID(ctx, "ap_9")
		if !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("an approval that is not there: %v", err)
		}
		return nil
	})
}

func testExpiredPlans(t *testing.T, s ledger.Store) {
	early, confirmed := plan(t, s, "pl_e", 1), plan(t, s, "pl_c", 1)
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Plans().Move(ctx, confirmed.No, ledger.PlanReady, ledger.PlanConfirmed); err != nil {
			return err
		}
		none, err := tx.Plans().Expired(ctx, early.ExpiresAt, 10)
		if err != nil {
			return err
		}
		over, err := tx.Plans().Expired(ctx, early.ExpiresAt.Add(time.Second), 10)
		if err != nil {
			return err
		}
		if len(none) != 0 || len(over) != 1 || over[0].No != early.No {
			t.Errorf("%d plans are over in time, %d after it", len(none), len(over))
		}
		return nil
	})
}

// testStateOfItsOwn takes a state of an event's own back.
func testStateOfItsOwn(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_s", 3)
	refs := []ledger.EventRef{ledger.RefOf(p.No, 1)}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Events().Set(ctx, refs, ledger.Unknown, "live_test"); err != nil {
			return err
		}
		if err := tx.Events().Set(ctx, refs, "", ""); err != nil {
			return err
		}
		counts, err := tx.Events().Counts(ctx, p.No)
		if err != nil || counts[ledger.Planned] != 3 || len(counts) != 1 {
			t.Errorf("counts %v", counts)
		}
		e, err := tx.Events().Get(ctx, refs[0])
		if err == nil && (e.State != "" || e.Code != "") {
			t.Errorf("event %+v", e)
		}
		return err
	})
}
