package app

import (
	"context"
	"time"

	"sluice/internal/work"
	"sluice/internal/writeback"
)

// Tasks is what a process works on without anybody asking: first what is confirmed,
// then what becomes due, then what keeps the house in order.
func (a *App) Tasks() []work.Task {
	return []work.Task{
		{Name: "inbox", Run: a.workInbox},
		{Name: "runs", Run: a.workRuns},
		{Name: "schedules", Run: a.Writeback.RunSchedules},
		{Name: "expiry", Run: a.workExpiry},
		{Name: "alerts", Run: a.workAlerts},
		{Name: "retention", Run: a.workRetention()},
		{Name: "checkpoints", Run: a.workCheckpoints},
	}
}

// Runner runs them. Where the state directory is one machine's, one process at a
// time makes a pass, and another waits for it as long as wait.
func (a *App) Runner(wait time.Duration) *work.Runner {
	return &work.Runner{
		Tasks: a.Tasks(), Now: a.now, Sleep: a.Writeback.Sleep, Log: a.log,
		Lock: func(ctx context.Context) (func(), error) { return a.Writeback.Exclusive(ctx, "work", wait) },
	}
}

func (a *App) workRuns(ctx context.Context) (bool, time.Time, error) {
	done, err := a.Writeback.Work(ctx, writeback.WorkOptions{})
	if err != nil {
		return false, time.Time{}, err
	}
	for _, r := range done.Runs {
		if r.Err != nil {
			err = r.Err // the others went on
		}
	}
	return len(done.Runs) > 0, done.Next, err
}

func (a *App) workExpiry(ctx context.Context) (bool, time.Time, error) {
	_, err := a.Writeback.ExpirePlans(ctx)
	return false, time.Time{}, err
}

// workRetention looks once per hour of a process, not at every pass.
func (a *App) workRetention() func(context.Context) (bool, time.Time, error) {
	var due time.Time
	return func(ctx context.Context) (bool, time.Time, error) {
		if now := a.now(); now.Before(due) && due.Sub(now) <= time.Hour {
			return false, due, nil
		}
		_, next, err := a.Writeback.Retain(ctx)
		due = next
		return false, next, err
	}
}

func (a *App) workCheckpoints(ctx context.Context) (bool, time.Time, error) {
	return false, time.Time{}, a.Writeback.Checkpoint(ctx, false)
}

func (a *App) workInbox(ctx context.Context) (bool, time.Time, error) {
	busy, err := a.Hooks.Drain(ctx)
	return busy, time.Time{}, err
}

func (a *App) workAlerts(ctx context.Context) (bool, time.Time, error) {
	next, err := a.Writeback.TellAlerts(ctx)
	return false, next, err
}
