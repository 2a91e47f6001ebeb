// Package inbox is the waiting room of webhooks: what a sender delivered is here,
// encrypted and durable, before the sender hears that it was taken.
//
// Its guarantees: a delivery is acknowledged only after its commit; the same
// delivery twice is kept once, and one that comes back with another body is refused;
// a body stays until it is in the outcome store, and no longer than a day after. Its
// limit: above the high-water mark deliveries are turned away, and it is the
// sender's retry that brings them back.
package inbox

import (
	"context"
	"time"
)

// Hook is one source that may deliver.
type Hook struct {
	Name      string    `json:"name"` // the last part of its address
	Profile   string    `json:"profile"`
	Outcome   string    `json:"outcome"`
	Scheme    string    `json:"scheme"`           // how it signs, see Schemes
	Mapping   string    `json:"-"`                // the document; empty: bodies are outcomes as the API takes them
	Secret    []byte    `json:"-"`                // sealed
	Disabled  bool      `json:"disabled"`         // deliveries are refused
	Mapped    bool      `json:"mapped"`           // Mapping is not empty
	CreatedAt time.Time `json:"created_at"`       //
	LastAt    time.Time `json:"last_at,omitzero"` // when it last delivered
}

// State is where a delivery stands.
type State string

// The states of a delivery.
const (
	Waiting State = "waiting"
	Done    State = "done"   // in the outcome store; its body is gone
	Failed  State = "failed" // can't become an outcome; Code says why
)

// Delivery is one body that came.
type Delivery struct {
	ID         string // ours, grows with time
	Hook       string
	Sender     string // the sender's id of it
	Digest     []byte // keyed, of the body
	Body       []byte // sealed; empty once done
	Size       int64  // of the body in the clear
	ReceivedAt time.Time
	State      State
	Attempts   int
	NextAt     time.Time
	Code       string // of the last failure
}

// Level is how full the inbox is.
type Level struct {
	Rows  int64 `json:"rows"`
	Bytes int64 `json:"bytes"`
}

// Repo stores hooks and their deliveries.
type Repo interface {
	Hook(ctx context.Context, name string) (*Hook, error)
	Hooks(ctx context.Context) ([]Hook, error)
	PutHook(ctx context.Context, h *Hook) error
	DeleteHook(ctx context.Context, name string) error

	// Put inserts a delivery; when its hook has delivered the same sender's id
	// before, nothing changes and that one is returned.
	Put(ctx context.Context, d *Delivery) (before *Delivery, err error)
	// Find returns a hook's delivery by the sender's id, without its body.
	Find(ctx context.Context, hook, sender string) (*Delivery, error)
	// Level sums the deliveries that wait.
	Level(ctx context.Context) (Level, error)
	// Due lists up to n deliveries that wait and whose time has come, oldest first.
	// Their rows stay locked until the transaction ends, others pass over them.
	Due(ctx context.Context, now time.Time, n int) ([]Delivery, error)
	// Lease moves the next attempt of deliveries to until, counting this one.
	Lease(ctx context.Context, ids []string, until time.Time) error
	// Settle ends a delivery as done or failed. A body that is done is removed.
	Settle(ctx context.Context, id string, s State, code string) error
	// Again lets a failed delivery wait once more, from now on.
	Again(ctx context.Context, id string, now time.Time) error
	// Sweep removes deliveries that came, and were last worked on, before then and are
	// in a final state.
	Sweep(ctx context.Context, before time.Time) (int64, error)
	// Counts counts the deliveries of a hook by state.
	Counts(ctx context.Context, hook string) (map[State]int, error)
	// Failures lists the newest failed deliveries of a hook, without their bodies.
	Failures(ctx context.Context, hook string, n int) ([]Delivery, error)
}
