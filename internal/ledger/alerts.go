package ledger

import (
	"context"
	"time"
)

// Alert is a condition that somebody should know of, from when it began to when it
// ended. Subject names it: while it lasts there is one.
type Alert struct {
	ID       string    `json:"id"`
	Subject  string    `json:"-"`
	Profile  string    `json:"profile"`
	Code     string    `json:"code"`
	Label    string    `json:"label,omitempty"`
	Message  string    `json:"message"`
	Fix      string    `json:"fix,omitempty"`
	Opened   time.Time `json:"opened_at"`
	Resolved time.Time `json:"resolved_at,omitzero"`
	ToldOpen time.Time `json:"-"` // when the channels were told of its beginning
	ToldEnd  time.Time `json:"-"`
}

// Channel is where alerts are sent.
type Channel struct {
	ID        string    `json:"id"`
	Profile   string    `json:"profile,omitempty"` // empty: of every profile
	Kind      string    `json:"kind"`              // webhook, command
	Shown     string    `json:"target"`            // without what may be secret
	Target    []byte    `json:"-"`                 // sealed
	CreatedAt time.Time `json:"created_at"`
}

// RequestStat sums the requests with one result.
type RequestStat struct {
	Profile, Dataset, Result string
	Requests, Events         int64
	Took                     time.Duration // of all together
}

// Alerts stores them.
type Alerts interface {
	// Active lists the alerts that last, oldest first; of every profile when empty.
	Active(ctx context.Context, profile string) ([]Alert, error)
	// Recent lists alerts newest first, ended ones too.
	Recent(ctx context.Context, profile string, limit int) ([]Alert, error)
	// Open inserts an alert unless one with its subject lasts.
	Open(ctx context.Context, a *Alert) error
	// Note changes what an alert says; Resolve ends it.
	Note(ctx context.Context, id, message, fix string) error
	Resolve(ctx context.Context, id string, at time.Time) error
	// Untold lists alerts whose beginning was not told, and told ones whose end was not.
	Untold(ctx context.Context, limit int) ([]Alert, error)
	Told(ctx context.Context, id string, end bool, at time.Time) error

	Channels(ctx context.Context) ([]Channel, error)
	PutChannel(ctx context.Context, c *Channel) error
	DeleteChannel(ctx context.Context, id string) error

	// Claim reports whether a check is due, which it is for one caller every so often.
	Claim(ctx context.Context, what string, every time.Duration, now time.Time) (bool, error)
	// Requests sums all requests by profile, dataset and result.
	Requests(ctx context.Context) ([]RequestStat, error)
}
