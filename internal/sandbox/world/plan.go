package world

import (
	"slices"
	"time"
)

// plan is something that happens when the clock gets there.
type plan struct {
	at time.Time
	do func(*World)
}

// At does something before the first call at or after a time: a scheduled post becomes
// published, a job is done. do must look whether its objects are still there.
func (w *World) At(at time.Time, do func(*World)) {
	i, _ := slices.BinarySearchFunc(w.planned, at, func(p plan, at time.Time) int {
		if p.at.After(at) {
			return 1
		}
		return -1
	})
	w.planned = slices.Insert(w.planned, i, plan{at, do})
}

// run does what is due, in the order of time.
func (w *World) run(now time.Time) {
	for len(w.planned) > 0 && !w.planned[0].at.After(now) {
		do := w.planned[0].do
		w.planned = w.planned[1:]
		do(w)
	}
}

// Delete takes an object out of the world with everything that belongs to it: a post
// and its comments.
func (w *World) Delete(o *Object) {
	w.Remove(o)
	for _, other := range w.objects {
		if other.Owner == o.ID {
			w.Delete(other)
		}
	}
}
