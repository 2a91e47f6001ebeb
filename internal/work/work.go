// Package work runs what is due: schedules, open runs, alerts and whatever else a
// process keeps going without anybody at the keyboard.
//
// Its guarantee: every task gets its turn in order, a task that fails does not keep
// the others back, and a pass ends. Its limit: it decides nothing about when
// something is due; the tasks do, by the store's clock.
package work

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"
)

// Task is one kind of work. Run does what is due and returns whether it did
// anything and when the next of it is due (zero: not known).
type Task struct {
	Name string
	Run  func(ctx context.Context) (busy bool, next time.Time, err error)
}

// Runner runs tasks.
type Runner struct {
	Tasks []Task
	// Lock is held for one pass; nil where processes may work side by side.
	Lock  func(ctx context.Context) (release func(), err error)
	Now   func() time.Time
	Sleep func(context.Context, time.Duration) error
	Log   *slog.Logger
}

// Report is what a call did.
type Report struct {
	Tasks []Done    `json:"tasks"`
	Next  time.Time `json:"next,omitzero"` // when something is due again
}

// Done is what one task did.
type Done struct {
	Name   string `json:"name"`
	Passes int    `json:"passes"` // in which it found something to do
	Error  string `json:"error,omitempty"`
	Err    error  `json:"-"`
}

// maxPasses bounds a call, should tasks keep each other busy.
const maxPasses = 1000

// UntilIdle passes over the tasks until none finds anything to do. A task that
// failed is left out of the passes after that. The error joins those of the tasks.
func (r *Runner) UntilIdle(ctx context.Context) (*Report, error) {
	out := &Report{Tasks: make([]Done, len(r.Tasks))}
	for i, t := range r.Tasks {
		out.Tasks[i].Name = t.Name
	}
	if r.Lock != nil {
		release, err := r.Lock(ctx)
		if err != nil {
			return out, err
		}
		defer release()
	}
	next := make([]time.Time, len(r.Tasks))
	for busy, pass := true, 0; busy && pass < maxPasses; pass++ {
		busy = false
		for i, t := range r.Tasks {
			d := &out.Tasks[i]
			if d.Err != nil {
				continue
			}
			if err := ctx.Err(); err != nil {
				return out, err
			}
			worked, at, err := t.Run(ctx)
			if ctx.Err() != nil {
				return out, errors.Join(ctx.Err(), err)
			}
			if next[i] = at; worked {
				d.Passes++
				busy = true
			}
			if err != nil {
				d.Err, d.Error = err, err.Error()
				r.log(t.Name, err)
			}
		}
	}
	var failed []error
	for i := range out.Tasks {
		if at := next[i]; !at.IsZero() && (out.Next.IsZero() || at.Before(out.Next)) {
			out.Next = at
		}
		if out.Tasks[i].Err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", out.Tasks[i].Name, out.Tasks[i].Err))
		}
	}
	return out, errors.Join(failed...)
}

// How long Loop rests between passes.
const (
	shortRest = 200 * time.Millisecond // after one that found work
	longRest  = 5 * time.Second        // at most: others may have put something in
)

// Loop works until the context ends. Errors of tasks are logged and tried again.
func (r *Runner) Loop(ctx context.Context) error {
	for {
		report, err := r.UntilIdle(ctx)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil && report.Next.IsZero() {
			r.log("pass", err)
		}
		rest := longRest
		if wait := report.Next.Sub(r.Now()); !report.Next.IsZero() && wait < rest {
			rest = max(shortRest, wait)
		}
		if err := r.Sleep(ctx, rest); err != nil {
			return nil //nolint:nilerr // the context ended, which is how a loop ends
		}
	}
}

func (r *Runner) log(task string, err error) {
	if r.Log != nil {
		r.Log.Warn("work failed; it is tried again", "task", task, "error", err.Error())
	}
}
