package capi

import (
	"fmt"
	"maps"
	"time"
)

// Options sets an Encoder. The zero value follows Meta's documents and our
// choices where they are silent.
type Options struct {
	// Hashed says, per field, whether values arrive hashed. Fields that are not
	// named are HashAuto. Only hashed fields may be named.
	Hashed map[Field]HashMode
	// DefaultCountry completes national phone numbers and chooses state and zip
	// rules when the event names no country: an ISO code or a name.
	DefaultCountry string
	ExternalID     ExternalIDMode
	// Now is asked once per event; nil means time.Now.
	Now           func() time.Time
	OfflineWindow OfflineWindow
	// Margin is taken off every window, for events that wait before they are sent.
	Margin time.Duration
	// AllowMissingUserAgent accepts website events without client_user_agent. Meta
	// documents it as required; its live API has been seen to accept such events.
	AllowMissingUserAgent bool
}

// NewEncoder checks the options and returns an encoder. They are copied.
func NewEncoder(opts Options) (*Encoder, error) {
	e := &Encoder{opts: opts, norm: newNormalizer(opts.ExternalID), now: opts.Now}
	if e.now == nil {
		e.now = time.Now
	}
	e.opts.Hashed = maps.Clone(opts.Hashed)
	for f, mode := range opts.Hashed {
		if !f.Hashed() {
			return nil, fmt.Errorf("capi: hash mode for %s, which is never hashed", f)
		}
		if mode > HashYes {
			return nil, fmt.Errorf("capi: unknown hash mode %d for %s", mode, f)
		}
		e.modes[f] = mode
	}
	if opts.DefaultCountry != "" {
		cc, ok := e.norm.country(opts.DefaultCountry)
		if !ok {
			return nil, fmt.Errorf("capi: default country %q is not an ISO 3166-1 country", opts.DefaultCountry)
		}
		e.defaultCountry = cc
	}
	if opts.ExternalID > ExternalIDRaw {
		return nil, fmt.Errorf("capi: unknown external id mode %d", opts.ExternalID)
	}
	if opts.OfflineWindow > OfflineStrict7 {
		return nil, fmt.Errorf("capi: unknown offline window %d", opts.OfflineWindow)
	}
	if opts.Margin < 0 || opts.Margin >= onlineWindow {
		return nil, fmt.Errorf("capi: margin %s is outside 0 to %s", opts.Margin, onlineWindow)
	}
	return e, nil
}
