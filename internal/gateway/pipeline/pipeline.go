package pipeline

import (
	"log/slog"
	"sync"
	"time"

	"sluice/internal/enforce"
)

// Options are what a pipeline works with.
type Options struct {
	Directory Directory
	Store     enforce.Store
	Keys      Keys
	// Server is the name of the upstream, as calls carry it.
	Server string
	// Link is where a person decides an approval: a URL, or a command to type.
	Link func(approval string) string
	// Notify is told of approvals: "parked". It must not block.
	Notify func(event string, a *enforce.Approval)
	Now    Clock // nil: time.Now
	// Metrics are shared by the pipelines of a process; nil: nothing is counted.
	Metrics *Metrics
	Log     *slog.Logger
}

// Keys seal what must not be read and digest what must not be guessed. It is
// secret.Keyring's.
type Keys interface {
	Seal(plain []byte, purpose string) []byte
	Open(sealed []byte, purpose string) ([]byte, error)
	MAC(purpose string, message []byte) []byte
}

// Pipeline stands around one upstream.
type Pipeline struct {
	o       Options
	results results // lists, hidden names, streams
	tasks   tasks
	digests sync.Pool // of *digest
}

// New returns the pipeline of one upstream.
func New(o Options) *Pipeline {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Pipeline{o: o, digests: sync.Pool{New: func() any { return newDigest(o.Keys) }}}
}
