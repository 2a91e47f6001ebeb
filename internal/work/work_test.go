package work

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var at = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)

func TestUntilIdleEndsWhenNobodyFindsWork(t *testing.T) {
	t.Parallel()
	left, ran, boom := 3, 0, errors.New("boom")
	r := Runner{Tasks: []Task{
		{"feeder", func(context.Context) (bool, time.Time, error) { left--; return left >= 0, at.Add(time.Hour), nil }},
		{"broken", func(context.Context) (bool, time.Time, error) { ran++; return true, time.Time{}, boom }},
		{"sleeper", func(context.Context) (bool, time.Time, error) { return false, at.Add(time.Minute), nil }},
	}}
	report, err := r.UntilIdle(t.Context())
	if !errors.Is(err, boom) || ran != 1 {
		t.Errorf("error %v after %d runs of the broken task", err, ran)
	}
	passes := []int{report.Tasks[0].Passes, report.Tasks[1].Passes, report.Tasks[2].Passes}
	if diff := cmp.Diff([]int{3, 1, 0}, passes); diff != "" {
		t.Error(diff)
	}
	if !report.Next.Equal(at.Add(time.Minute)) {
		t.Errorf("next %v", report.Next)
	}
}

func TestUntilIdleHoldsItsLockForThePassAndGivesItBack(t *testing.T) {
	t.Parallel()
	held, busy := 0, errors.New("busy")
	r := Runner{
		Tasks: []Task{{"one", func(context.Context) (bool, time.Time, error) {
			if held != 1 {
				t.Error("worked without the lock")
			}
			return false, time.Time{}, nil
		}}},
		Lock: func(context.Context) (func(), error) { held++; return func() { held-- }, nil },
	}
	if _, err := r.UntilIdle(t.Context()); err != nil || held != 0 {
		t.Errorf("error %v, held %d", err, held)
	}
	r.Lock = func(context.Context) (func(), error) { return nil, busy }
	if _, err := r.UntilIdle(t.Context()); !errors.Is(err, busy) {
		t.Errorf("error %v", err)
	}
}

func TestLoopRestsUntilTheNextThingIsDue(t *testing.T) {
	t.Parallel()
	now := at
	var rests []time.Duration
	ctx, cancel := context.WithCancel(t.Context())
	due := []time.Duration{time.Hour, 2 * time.Second, -time.Minute}
	r := Runner{
		Tasks: []Task{{"t", func(context.Context) (bool, time.Time, error) { return false, now.Add(due[len(rests)]), nil }}},
		Now:   func() time.Time { return now },
		Sleep: func(ctx context.Context, d time.Duration) error {
			if rests = append(rests, d); len(rests) == len(due) {
				cancel()
			}
			return ctx.Err()
		},
	}
	if err := r.Loop(ctx); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]time.Duration{5 * time.Second, 2 * time.Second, 200 * time.Millisecond}, rests); diff != "" {
		t.Error(diff)
	}
}
