package enforce

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// Part is what was taken in one part of time.
type Part struct {
	Start int64 // Unix time in nanoseconds
	Width int64 // nanoseconds
	Used  int64 // millionths
}

// Tally is what was taken from one counter: a part for the window, or several where it
// slides. Its zero value is a counter that nothing was taken from. A counter whose rule
// changes between a fixed and a sliding window keeps what it counted: parts of either
// width count wherever they overlap the window that is asked for.
type Tally struct {
	Window int64 // nanoseconds
	Parts  []Part
}

// since is the moment from which on a charge looks at what was taken.
func (c *Charge) since(at time.Time) int64 {
	if c.Sliding {
		return at.UnixNano() - int64(c.Window)
	}
	start, _ := c.Bucket(at)
	return start.UnixNano()
}

// Used is what counts against a charge at a moment.
func (t *Tally) Used(c *Charge, at time.Time) int64 {
	if t == nil {
		return 0
	}
	since, used := c.since(at), int64(0)
	for i := range t.Parts {
		if p := &t.Parts[i]; p.Start+p.Width > since {
			used = saturate(used, p.Used)
		}
	}
	return used
}

// Room reports whether a charge fits beside what is used. An amount that no limit can
// hold, or that would give back, never fits.
func (c *Charge) Room(used int64) bool {
	return c.Amount >= 0 && c.Amount <= c.Max && used <= c.Max-c.Amount
}

// Retry is how long it takes until a charge has room, if nobody else takes any; 0 where
// waiting does not help.
func (t *Tally) Retry(c *Charge, at time.Time) time.Duration {
	switch {
	case c.After || c.Window <= 0 || !c.Room(0):
		return 0
	case !c.Sliding:
		start, width := c.Bucket(at)
		return start.Add(width).Sub(at)
	case t == nil:
		return 0
	}
	used, since := t.Used(c, at), c.since(at)
	parts := slices.Clone(t.Parts)
	slices.SortFunc(parts, func(a, b Part) int { return cmp.Compare(a.Start+a.Width, b.Start+b.Width) })
	for _, p := range parts {
		if p.Start+p.Width <= since {
			continue
		}
		if used -= p.Used; c.Room(used) {
			return time.Duration(p.Start + p.Width - since)
		}
	}
	return 0
}

// Take adds a charge and returns the part that it went to.
func (t *Tally) Take(c *Charge, at time.Time) Part {
	start, width := c.Bucket(at)
	p := Part{Start: start.UnixNano(), Width: int64(width), Used: c.Amount}
	t.Window = int64(c.Window)
	t.Add(p)
	return p
}

// Add adds a part to what is there.
func (t *Tally) Add(p Part) {
	t.drop(p.Start)
	for i := len(t.Parts) - 1; i >= 0; i-- {
		if q := &t.Parts[i]; q.Start == p.Start && q.Width == p.Width {
			q.Used = saturate(q.Used, p.Used)
			return
		}
	}
	t.Parts = append(t.Parts, p)
}

// Give takes a part back, from that part alone: what belongs to a window that is over
// changes nothing in the one that is open.
func (t *Tally) Give(p Part) {
	for i := range t.Parts {
		if q := &t.Parts[i]; q.Start == p.Start && q.Width == p.Width {
			q.Used = max(0, q.Used-p.Used)
			return
		}
	}
}

// drop forgets parts that no window reaches any more, and reports whether none is left.
func (t *Tally) drop(at int64) bool {
	if len(t.Parts) > 0 && t.Parts[0].Start+t.Parts[0].Width+t.Window <= at {
		t.Parts = slices.DeleteFunc(t.Parts, func(p Part) bool { return p.Start+p.Width+t.Window <= at })
	}
	return len(t.Parts) == 0
}

// rebase moves parts that begin after a moment into the part of that moment: the clock
// was ahead and has been set back. What was taken meanwhile counts once more, in the
// window that is open now, and no longer.
func (t *Tally) rebase(at int64) {
	var moved []Part
	t.Parts = slices.DeleteFunc(t.Parts, func(p Part) bool {
		if p.Start <= at {
			return false
		}
		p.Start = at - at%p.Width
		moved = append(moved, p)
		return true
	})
	for _, p := range moved {
		t.Add(p)
	}
}

func saturate(a, b int64) int64 {
	if b > 0 && a > math.MaxInt64-b {
		return math.MaxInt64
	}
	return a + b
}
