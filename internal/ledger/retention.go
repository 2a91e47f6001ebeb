package ledger

import (
	"context"
	"time"
)

// Retention finds and deletes what has been kept long enough. What deletes rows does
// so some thousand at a time and is called until it is done.
type Retention interface {
	// Payloads lists the finished plans whose payload is there, oldest first.
	Payloads(ctx context.Context) ([]Plan, error)
	// LastAttempt is when the last request of a plan was begun; zero: never.
	LastAttempt(ctx context.Context, plan int64) (time.Time, error)
	// WithRejects lists a profile's plans older than before that have rejects.
	WithRejects(ctx context.Context, profile string, before time.Time) ([]int64, error)
	DeleteRejects(ctx context.Context, plan int64) (done bool, n int, err error)
	// Older lists a profile's shredded plans that were made before.
	Older(ctx context.Context, profile string, before time.Time) ([]int64, error)
	// Purge deletes a plan with its run, events and claims.
	Purge(ctx context.Context, plan int64) (done bool, events int, err error)
	// DeleteKeys deletes answered idempotency keys that are older than before.
	DeleteKeys(ctx context.Context, before time.Time) (int, error)
}
