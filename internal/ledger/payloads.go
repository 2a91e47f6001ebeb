package ledger

import (
	"context"
	"io"

	"sluice/internal/privacy"
)

// Payloads stores the frozen bytes of plans by name: files in the state directory,
// or rows where several machines share a database. The bytes arrive encrypted.
type Payloads interface {
	// Create starts a payload; fs.ErrExist, there or at Commit, when the name is
	// taken. Nobody can open it before Commit.
	Create(ctx context.Context, name string) (PayloadWriter, error)
	// Open returns fs.ErrNotExist when there is no such payload. The context bounds
	// every read.
	Open(ctx context.Context, name string) (PayloadReader, error)
	// Remove forgets a payload; one that is not there is no error.
	Remove(ctx context.Context, name string) error
	// Erase overwrites places of a payload with zeros; the rest stays where it is.
	// fs.ErrNotExist when there is no such payload.
	Erase(ctx context.Context, name string, places []privacy.Span) error
}

// PayloadWriter takes the bytes of one payload in order.
type PayloadWriter interface {
	io.Writer
	// Commit makes the payload durable.
	Commit() error
	// Abort leaves nothing behind. After Commit it does nothing.
	Abort()
}

// PayloadReader reads at any place; it is safe for concurrent use.
type PayloadReader interface {
	io.ReaderAt
	io.Closer
}
