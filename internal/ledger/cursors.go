package ledger

import (
	"context"
	"time"
)

// Cursors remember how far the named sources of a profile were read.
type Cursors interface {
	// Get returns "" for a source that was never read.
	Get(ctx context.Context, profile, source string) (string, error)
	Set(ctx context.Context, profile, source, position string, at time.Time) error
}
