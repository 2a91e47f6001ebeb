package ledgertest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"sluice/internal/ledger"
	"sluice/internal/schedule"
)

func aSchedule(id, name string) *schedule.Schedule {
	return &schedule.Schedule{
		ID: id, Profile: "default", Name: name, State: schedule.Active, NextAt: at.Add(time.Hour), CreatedAt: at,
		Spec: schedule.Spec{Cron: "0 6 * * *", Zone: "UTC", Overlap: schedule.Skip, Files: []string{"a-{date}.csv"}, Dataset: "1", Realm: "meta", WindowDays: 1, LagDays: 1},
	}
}

func testSchedules(t *testing.T, s ledger.Store) {
	a := aSchedule("sc_a", "alpha")
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return errors.Join(tx.Schedules().Put(ctx, a), tx.Schedules().Put(ctx, aSchedule("sc_b", "beta")))
	})
	a.Signed = &schedule.Authorization{By: "owner", At: at, Expires: at.Add(time.Hour), MaxEvents: 5, MaxValue: map[string]string{"GBP": "1.00"}}
	a.Completed, a.State = "2026-11-20", schedule.Paused
	r := &schedule.Run{Schedule: a.ID, Window: "2026-11-20..2026-11-20", State: schedule.Previewed, Plan: "pl_1", StartedAt: at}
	f := &schedule.File{Schedule: a.ID, Digest: "d1", Member: "soho", Day: "2026-11-20", Name: "a.csv", Rows: 7, Window: r.Window, SeenAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		repo := tx.Schedules()
		if err := errors.Join(repo.Put(ctx, a), repo.PutRun(ctx, r), repo.PutFile(ctx, f), repo.PutFile(ctx, f)); err != nil {
			return err
		}
		r.State = schedule.Completed
		return repo.PutRun(ctx, r)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		repo := tx.Schedules()
		got, err := repo.Get(ctx, "default", "alpha")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(a, got); diff != "" {
			t.Errorf("schedule (-want +got):\n%s", diff)
		}
		list, err := repo.List(ctx, "default")
		if err != nil || len(list) != 2 || list[0].Name != "alpha" {
			t.Errorf("list %v %v", list, err)
		}
		run, err := repo.Run(ctx, a.ID, r.Window)
		if err != nil || run.State != schedule.Completed || run.Plan != "pl_1" {
			t.Errorf("run %+v %v", run, err)
		}
		seen, err := repo.FileSeen(ctx, a.ID, "d1")
		if err != nil {
			return err
		}
		if diff := cmp.Diff(f, seen); diff != "" {
			t.Errorf("file (-want +got):\n%s", diff)
		}
		files, err := repo.Files(ctx, a.ID, 10)
		if err != nil || len(files) != 1 {
			t.Errorf("%d files, %v", len(files), err)
		}
		return repo.Delete(ctx, a.ID)
	})
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if _, err := tx.Schedules().Get(ctx, "default", "alpha"); !errors.Is(err, ledger.ErrNotFound) {
			t.Errorf("a deleted schedule: %v", err)
		}
		runs, err := tx.Schedules().Runs(ctx, a.ID, 10)
		if len(runs) != 0 {
			t.Error("its windows are still there")
		}
		return err
	})
}

func testScheduleLease(t *testing.T, s ledger.Store) {
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return tx.Schedules().Put(ctx, aSchedule("sc_l", "leased"))
	})
	lease := func(owner string, now time.Time) error {
		return s.Do(t.Context(), func(tx ledger.Tx) error {
			return tx.Schedules().Lease(t.Context(), "sc_l", owner, now, now.Add(time.Minute))
		})
	}
	var won atomic.Int32
	var all sync.WaitGroup
	for _, owner := range []string{"a", "b", "c", "d"} {
		all.Go(func() {
			if lease(owner, at) == nil {
				won.Add(1)
			}
		})
	}
	all.Wait()
	if won.Load() != 1 {
		t.Fatalf("%d owners", won.Load())
	}
	if err := lease("e", at.Add(59*time.Second)); !errors.Is(err, ledger.ErrLost) {
		t.Errorf("a lease that lasts was taken: %v", err)
	}
	if err := lease("e", at.Add(time.Minute)); err != nil {
		t.Errorf("a lease that ran out was kept: %v", err)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Schedules().Release(ctx, "sc_l", "e") })
	if err := lease("f", at); err != nil {
		t.Errorf("a lease that was given back was kept: %v", err)
	}
}

func testLeftovers(t *testing.T, s ledger.Store) {
	p := plan(t, s, "pl_left", 1)
	want := ledger.Leftover{Plan: p.No, No: 1, Oldest: 200, Newest: 300, Count: 2, Body: []byte{0, 1, 2, 255}}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return errors.Join(
			tx.Leftovers().Put(ctx, &ledger.Leftover{Plan: p.No, Oldest: 100, Newest: 150, Count: 1, Body: []byte("x")}), tx.Leftovers().Put(ctx, &want),
		)
	})
	chunks := func(from, to int64) (got []ledger.Leftover) {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error {
			return tx.Leftovers().Each(ctx, p.No, from, to, func(c *ledger.Leftover) error {
				got = append(got, *c)
				return nil
			})
		})
		return got
	}
	if diff := cmp.Diff([]ledger.Leftover{want}, chunks(151, 301)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if n := len(chunks(0, 1000)); n != 2 {
		t.Errorf("%d chunks", n)
	}
	if n := len(chunks(301, 1000)); n != 0 {
		t.Errorf("%d chunks of another time", n)
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error { return tx.Leftovers().Delete(ctx, p.No) })
	if len(chunks(0, 1000)) != 0 {
		t.Error("chunks of a deleted plan")
	}
}

func testAlerts(t *testing.T, s ledger.Store) {
	a := ledger.Alert{ID: "al_1", Subject: "coverage_low default ", Profile: "default", Code: "coverage_low", Message: "low", Opened: at}
	again := a
	again.ID = "al_2"
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		return errors.Join(tx.Alerts().Open(ctx, &a), tx.Alerts().Open(ctx, &again))
	})
	list := func(of func(context.Context, ledger.Alerts) ([]ledger.Alert, error)) (ids []string) {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error {
			found, err := of(ctx, tx.Alerts())
			for _, f := range found {
				ids = append(ids, f.ID)
			}
			return err
		})
		return ids
	}
	active := func(ctx context.Context, r ledger.Alerts) ([]ledger.Alert, error) { return r.Active(ctx, "default") }
	untold := func(ctx context.Context, r ledger.Alerts) ([]ledger.Alert, error) { return r.Untold(ctx, 9) }
	for i, step := range []struct {
		do             func(context.Context, ledger.Alerts) error
		active, untold []string
	}{
		{func(context.Context, ledger.Alerts) error { return nil }, []string{"al_1"}, []string{"al_1"}},
		{func(ctx context.Context, r ledger.Alerts) error { return r.Told(ctx, "al_1", false, at) }, []string{"al_1"}, nil},
		{func(ctx context.Context, r ledger.Alerts) error { return r.Resolve(ctx, "al_1", at) }, nil, []string{"al_1"}},
		{func(ctx context.Context, r ledger.Alerts) error { return r.Told(ctx, "al_1", true, at) }, nil, nil},
		{func(ctx context.Context, r ledger.Alerts) error { return r.Open(ctx, &again) }, []string{"al_2"}, []string{"al_2"}},
		{func(ctx context.Context, r ledger.Alerts) error { return r.Resolve(ctx, "al_2", at) }, nil, nil},
	} {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error { return step.do(ctx, tx.Alerts()) })
		if diff := cmp.Diff([][]string{step.active, step.untold}, [][]string{list(active), list(untold)}); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
	}
	c := ledger.Channel{ID: "ch_1", Kind: "webhook", Shown: "https://hooks.example.com/…", Target: []byte{1, 2}, CreatedAt: at}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		if err := tx.Alerts().PutChannel(ctx, &c); err != nil {
			return err
		}
		got, err := tx.Alerts().Channels(ctx)
		if diff := cmp.Diff([]ledger.Channel{c}, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
		return errors.Join(err, tx.Alerts().DeleteChannel(ctx, c.ID))
	})
	for i, step := range []struct {
		after time.Duration
		due   bool
	}{{0, true}, {30 * time.Second, false}, {time.Minute, true}, {-time.Hour, true}, {-59 * time.Minute, true}} {
		do(t, s, func(ctx context.Context, tx ledger.Tx) error {
			due, err := tx.Alerts().Claim(ctx, "check", time.Minute, at.Add(step.after))
			if due != step.due {
				t.Errorf("check %d: due %v", i, due)
			}
			return err
		})
	}
	do(t, s, func(ctx context.Context, tx ledger.Tx) error {
		_, err := tx.Alerts().Requests(ctx)
		return err
	})
}
