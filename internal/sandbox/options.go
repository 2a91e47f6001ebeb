package sandbox

import (
	"fmt"
	"log/slog"
	"time"
)

// Keep says what stays of stored events.
type Keep int

const (
	// KeepAll keeps every event for inspection. Memory grows with the events' size.
	KeepAll Keep = iota
	// KeepKeys keeps deduplication keys and totals only, about 130 bytes per event,
	// for runs of millions.
	KeepKeys
)

// ParseKeep reads "all" or "keys".
func ParseKeep(s string) (Keep, error) {
	switch s {
	case "", "all":
		return KeepAll, nil
	case "keys":
		return KeepKeys, nil
	}
	return 0, fmt.Errorf("keep %q is neither all nor keys", s)
}

func (k Keep) String() string {
	if k == KeepKeys {
		return "keys"
	}
	return "all"
}

// Options set up a Server. The zero value is ready to use.
type Options struct {
	// Seed makes trace ids repeatable.
	Seed int64
	// Now is the base of the sandbox's clock; nil means time.Now.
	Now func() time.Time
	// Keep says what stays of stored events.
	Keep Keep
	// RequireProof makes the app ask for appsecret_proof on every call.
	RequireProof bool
	// StrictUserAgent refuses website events without URL or user agent. Meta
	// documents both as required, but the live API was seen to accept their absence.
	StrictUserAgent bool
	// StrictPageID refuses WhatsApp events without page_id. One report says Meta does;
	// Meta's own sample has none.
	StrictPageID bool
	// Exposed answers callers from other machines, and web pages of any origin, on
	// both surfaces; the inspection surface has no password. Without it they are
	// refused before anything is read.
	Exposed bool
	// NoDedup keeps every event that is accepted, repeats too, as a destination
	// without deduplication would: what a sender does twice then shows.
	NoDedup bool
	// Datasets are the ids of consolidated datasets that exist beside the documented
	// ones, so that requests made for a real one can be rehearsed unchanged.
	Datasets []string
	// Log gets one debug record per request, without query and token; nil is silent.
	Log *slog.Logger
}
