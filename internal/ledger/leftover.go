package ledger

import "context"

// Leftover is a chunk of what a preview left out of its plan: held, rejected,
// skipped and expired records. The body is the planner's own encoding and holds
// keys, times, codes and labels, no identifier of a person.
type Leftover struct {
	Plan           int64
	No             int
	Oldest, Newest int64 // event_time, Unix seconds
	Count          int
	Body           []byte
}

// Leftovers stores them.
type Leftovers interface {
	Put(ctx context.Context, c *Leftover) error
	// Each calls fn for the chunks of a plan that overlap a span of time, half open.
	Each(ctx context.Context, plan, from, to int64, fn func(*Leftover) error) error
	Delete(ctx context.Context, plan int64) error
}
