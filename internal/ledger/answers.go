package ledger

import (
	"context"
	"time"
)

// Answer is what a call with an idempotency key was answered, for its repetition.
// Confirms have keys of their own, see Runs.
type Answer struct {
	Workspace   string
	Key         string
	Fingerprint string // of operation and body
	Status      int    // 0: the first call is under way
	Body        []byte // sealed
	Request     string // id of the call that owns the row
	CreatedAt   time.Time
}

// Answers stores them.
type Answers interface {
	// Find locks the row until the transaction ends.
	Find(ctx context.Context, workspace, key string) (*Answer, error)
	// Begin inserts a call that is under way; ErrTaken when the key is there.
	Begin(ctx context.Context, a *Answer) error
	// Finish stores the answer; ErrLost when the row belongs to another request.
	Finish(ctx context.Context, a *Answer) error
	// Drop forgets a call that was not answered: its key is free again.
	Drop(ctx context.Context, a *Answer) error
	// Sweep forgets what is older than before.
	Sweep(ctx context.Context, before time.Time) error
}
