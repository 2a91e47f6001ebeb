package ledger

import (
	"context"
	"time"
)

// CircuitState is where a profile's circuit breaker stands.
type CircuitState string

// The states of a circuit.
const (
	CircuitClosed   CircuitState = "closed"
	CircuitOpen     CircuitState = "open"      // confirms are refused until a time
	CircuitHalfOpen CircuitState = "half_open" // one confirm at a time may try
)

// Circuit is the breaker of one profile in one realm: what failed at a sandbox says
// nothing about Meta.
type Circuit struct {
	Profile  string
	Realm    string
	State    CircuitState
	Dataset  string // of the run that changed it last
	OpenedAt time.Time
	Until    time.Time // when an open one may be probed
	Reopened int       // times in a row; doubles the cool-down
	Probe    string    // the run that tries in half_open; empty: the slot is free
}

// Failure is one failed run, counted once however often it is resumed.
type Failure struct {
	Run     string
	Dataset string
	Code    string
	At      time.Time
}

// Circuits stores breakers and the failures they count.
type Circuits interface {
	// Lock returns the circuit, closed when there was none, and holds its row until
	// the transaction ends: whoever decides by it decides alone.
	Lock(ctx context.Context, profile, realm string) (*Circuit, error)
	// Get reads it without a lock.
	Get(ctx context.Context, profile, realm string) (*Circuit, error)
	List(ctx context.Context, profile string) ([]Circuit, error) // all when empty
	Put(ctx context.Context, c *Circuit) error
	// Fail counts a run's failure; the first one of a run stays.
	Fail(ctx context.Context, profile, realm string, f Failure) error
	// Failures lists those at or after since, oldest first.
	Failures(ctx context.Context, profile, realm string, since time.Time) ([]Failure, error)
	// Clear forgets the failures.
	Clear(ctx context.Context, profile, realm string) error
}

// ApprovalState is where a request for approval stands.
type ApprovalState string

// The states of an approval.
const (
	ApprovalPending  ApprovalState = "pending"
	ApprovalApproved ApprovalState = "approved"
	ApprovalRejected ApprovalState = "rejected"
	ApprovalExpired  ApprovalState = "expired"
	ApprovalConsumed ApprovalState = "consumed" // a confirm went through with it
)

// Approval is a confirm that waits for somebody else's yes. It stands for one plan
// hash and goes through once.
type Approval struct {
	ID         string        `json:"approval_id"`
	Profile    string        `json:"profile"`
	Plan       int64         `json:"-"`
	PlanID     string        `json:"plan_id"`
	PlanHash   string        `json:"plan_hash"`
	Why        string        `json:"why"`      // what made the confirm park
	Proposer   string        `json:"proposer"` // the member, also behind an agent's token
	Via        string        `json:"via"`
	State      ApprovalState `json:"state"`
	Decider    string        `json:"decider,omitempty"`
	Reason     string        `json:"reason,omitempty"`
	Run        string        `json:"run_id,omitempty"`
	CreatedAt  time.Time     `json:"created_at"`
	ExpiresAt  time.Time     `json:"expires_at"`
	DecidedAt  time.Time     `json:"decided_at,omitzero"`
	ConsumedAt time.Time     `json:"consumed_at,omitzero"`
}

// ApprovalFilter chooses approvals; zero fields choose all.
type ApprovalFilter struct {
	Profile string
	Plan    int64
	State   ApprovalState
	Limit   int // 100 when zero
}

// Approvals stores them.
type Approvals interface {
	// Create inserts one; ErrTaken when the plan has one that is pending or approved.
	Create(ctx context.Context, a *Approval) error
	ByID(ctx context.Context, id string) (*Approval, error)
	List(ctx context.Context, f ApprovalFilter) ([]Approval, error) // newest first
	// Move is a compare-and-set on the state; it writes the decision.
	Move(ctx context.Context, a *Approval, from ApprovalState) error
}
