package enforce

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Identity is everything that tells counters apart.
type Identity struct {
	Org     string // workspace
	Scope   string // grant, session, server, org
	ScopeID string
	Section string // "tool:<name>" or "all"; "org" for scope org
	Counter string
	Window  time.Duration
	Key     [16]byte
	Mark    string // of a condition `after`: the tool that leaves the mark; Counter and Window are then empty
}

// CounterOf digests an identity. Each part is prefixed with its length, so that no two
// identities are written the same.
func CounterOf(id Identity) Counter {
	buf := make([]byte, 0, 256)
	for _, s := range []string{id.Org, id.Scope, id.ScopeID, id.Section, id.Counter, id.Mark} {
		buf = binary.AppendUvarint(buf, uint64(len(s)))
		buf = append(buf, s...)
	}
	buf = binary.BigEndian.AppendUint64(buf, uint64(id.Window))
	buf = append(buf, id.Key[:]...)
	sum := sha256.Sum256(buf)
	return Counter(sum[:16])
}

// SlidingBuckets is how many parts a sliding window is counted in. What is counted is
// the sum of the parts that overlap the window: never less than what happened in it, and
// at most one part more.
const SlidingBuckets = 60

// Bucket is the part of time that a charge at a moment falls into: the start of the
// window, aligned to UTC, or of its part where it slides.
func (c *Charge) Bucket(at time.Time) (start time.Time, width time.Duration) {
	width = c.Window
	if c.Sliding {
		width = max(c.Window/SlidingBuckets, time.Second)
	}
	ns := at.UnixNano()
	return time.Unix(0, ns-ns%int64(width)).UTC(), width
}
