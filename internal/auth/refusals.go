package auth

import (
	"context"
	"encoding/hex"
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"sluice/internal/audit"
	"sluice/internal/ledger"
	"sluice/internal/secret"
)

// Refusals counts tokens that were refused, by where they came from: per minute, in
// bounded memory. The first refusal of a source in a minute is in the audit log, under a
// keyed digest of the address; neither the log nor the program's keeps the address or any
// part of a token.
//
// Whoever shows a valid token should be let in whatever is counted here: behind a proxy
// all callers have one address, and one agent with an old token must not lock out the
// others.
type Refusals struct {
	o RefusalOptions

	mu     sync.Mutex
	minute int64
	counts map[string]int
	others int // of sources that found no room
	booked int
}

// RefusalOptions builds Refusals.
type RefusalOptions struct {
	Store   ledger.Store
	Keys    *secret.Keyring
	Op      string // of the record: gateway.refused, web.refused
	Most    int    // refusals per source and minute before it has to wait; 20 when 0
	Version string
	Now     func() time.Time
	Log     *slog.Logger
}

const (
	refusalsMost    = 20
	refusalsSources = 4096
	// refusalsBooked is how many records one minute can cause: an attacker with many
	// addresses fills no disk.
	refusalsBooked = 60
)

// NewRefusals returns an empty count.
func NewRefusals(o RefusalOptions) *Refusals {
	if o.Most <= 0 {
		o.Most = refusalsMost
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Refusals{o: o, counts: map[string]int{}}
}

// turn begins a new minute. The caller holds the lock.
func (r *Refusals) turn(now time.Time) {
	if m := now.Unix() / 60; m != r.minute {
		r.minute, r.others, r.booked = m, 0, 0
		clear(r.counts)
	}
}

// left is what remains of the minute.
func left(now time.Time) time.Duration {
	return now.Truncate(time.Minute).Add(time.Minute).Sub(now)
}

// Blocked is how long a source has to wait before its next try; 0 when it may go on.
func (r *Refusals) Blocked(source string) time.Duration {
	now := r.o.Now()
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turn(now)
	n, known := r.counts[network(source)]
	if !known && len(r.counts) >= refusalsSources {
		n = r.others
	}
	if n < r.o.Most {
		return 0
	}
	return left(now)
}

// Refused counts one refusal.
func (r *Refusals) Refused(ctx context.Context, source string) {
	key := network(source)
	r.mu.Lock()
	r.turn(r.o.Now())
	n, known := r.counts[key]
	first := false
	if known || len(r.counts) < refusalsSources {
		r.counts[key] = n + 1
		first = !known
	} else {
		r.others++
		first = r.others == 1
	}
	if first {
		first = r.booked < refusalsBooked
		r.booked++
	}
	r.mu.Unlock()
	if !first {
		return
	}
	digest := hex.EncodeToString(r.o.Keys.MAC("refused source", []byte(key))[:8])
	r.o.Log.Warn("a token was refused; more of this minute and source are counted only", "op", r.o.Op, "source", digest)
	ctx = context.WithoutCancel(ctx) // whoever hangs up is in the log all the same
	err := r.o.Store.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Audit().Append(ctx, tx.Now(), audit.Record{
			Actor: audit.Actor{Type: "unknown", ID: digest}, Via: "mcp", Op: r.o.Op, Object: digest, Result: "refused", AppVersion: r.o.Version,
		})
		return err
	})
	if err != nil {
		r.o.Log.Error("a refused token is not in the audit log", "op", r.o.Op, "error", err)
	}
}

// network is what counts as one source: an IPv4 address, or the /64 that one customer
// of a provider has.
func network(source string) string {
	a, err := netip.ParseAddr(source)
	if err != nil {
		return source
	}
	a = a.Unmap().WithZone("")
	if a.Is4() {
		return a.String()
	}
	p, err := a.Prefix(64)
	if err != nil {
		return a.String()
	}
	return p.String()
}
