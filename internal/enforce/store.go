package enforce

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
)

// Store is shared by everything that enforces on one installation: several processes
// on one state directory, or several nodes on one database. It is safe for concurrent
// use.
type Store interface {
	// Reserve decides and records in one step. It returns an error only when nothing
	// could be recorded, and then nothing was reserved: the call must be denied.
	Reserve(ctx context.Context, r *Request) (Reply, error)
	// Settle says what became of a call that was admitted. It is idempotent; a call is
	// settled once. It may return before others see it, unless the outcome is a rollback
	// or leaves marks: then what this store is asked next, and what others ask after it
	// returned, sees it.
	Settle(ctx context.Context, s *Settlement) error
	// Record writes decisions that reserve nothing: denials.
	Record(ctx context.Context, calls ...audit.Call) error

	// Park stores a call that waits for a person and records its decision. A pending or
	// approved one with the same fingerprint is returned as it stands, and nothing is
	// stored. One that was stored has the very Arguments that came with it, by which the
	// caller knows that it is new. ErrTooManyParked when the grant has MaxParked pending ones.
	Park(ctx context.Context, p *Parking) (*Approval, error)
	// Decide moves a pending approval to approved or denied, once: ErrDecided when it is
	// not pending any more, ErrNotFound. Who may is for the caller to check.
	Decide(ctx context.Context, d Decision) (*Approval, error)
	// Cancel cancels what is pending or approved of a grant, or of a server; empty fields
	// choose all. It returns how many.
	Cancel(ctx context.Context, c Cancellation) (int, error)
	Approval(ctx context.Context, id string) (*Approval, error)
	// Approvals lists them, newest first, without their arguments.
	Approvals(ctx context.Context, f ApprovalFilter) ([]Approval, error)
	// Await returns when the approval left the state pending, or with ctx's error.
	Await(ctx context.Context, id string) (*Approval, error)
	// Escalate marks pending approvals whose time to escalate has come, each once, and
	// returns them; Expire moves those whose time is over, and returns them. Both are
	// called now and then by every process: each approval is returned to one of them.
	Escalate(ctx context.Context) ([]Approval, error)
	Expire(ctx context.Context) ([]Approval, error)

	// Usage is what is used of counters now, in millionths, in the same order.
	Usage(ctx context.Context, counters []Charge) ([]int64, error)
	// Ambiguous lists reservations that were settled as ambiguous or whose process died,
	// newest first; Release gives back what one of them took, after a person looked.
	Ambiguous(ctx context.Context, limit int) ([]Reservation, error)
	Release(ctx context.Context, request, by, reason string) error

	// Calls lists recorded calls, newest first: both phases joined.
	Calls(ctx context.Context, f CallFilter) ([]RecordedCall, error)

	// Health is nil while decisions can be recorded.
	Health(ctx context.Context) error
	// Flush returns when everything recorded so far is in the audit log.
	Flush(ctx context.Context) error
	Close() error
}

// MaxParked is how many calls of one grant may wait at a time.
const MaxParked = 20

// UnusedApproval is how long an approval that was given may wait for its call.
const UnusedApproval = 10 * time.Minute

// The typed errors of a store; any other one means that it can't be used.
var (
	ErrNotFound      = errors.New("there is no such approval or reservation")
	ErrDecided       = errors.New("the approval is not pending any more")
	ErrTooManyParked = errors.New("too many calls of this grant wait for approval")
)

// Counter names what is counted together: a digest of organisation, scope, section,
// counter, window and key (see CounterOf).
type Counter [16]byte

// Charge is what a call takes from one counter.
type Charge struct {
	Counter Counter
	Window  time.Duration
	Sliding bool
	Amount  int64 // millionths
	Max     int64 // millionths
	// After asks for a mark on the counter not older than Window; Amount and Max then
	// mean nothing.
	After bool
	Rule  string // label, for the record of a denial
}

// Request asks for admission.
type Request struct {
	// Call is the record of the decision, as it stands if the call is admitted. Where it
	// is not, the store writes it with Decision "deny", the code and the rule that failed.
	Call    audit.Call
	Charges []Charge // in document order; a counter may come twice
	// Observe counts and records, and admits whatever the limits say; Reply tells what
	// would have been.
	Observe bool
	// Approval is the approval to consume, with the fingerprint it was given for; empty:
	// none is needed.
	Approval    string
	Fingerprint [32]byte
	// Arguments are sealed arguments to be kept for replay, outside the log; nil: none.
	Arguments []byte
}

// Reply is what became of a Request.
type Reply struct {
	Admitted bool
	// Failed is the index of the first charge without room; -1 where there is none.
	Failed     int
	RetryAfter time.Duration // until the window has room again, at the earliest; 0 where waiting does not help
	// ApprovalGone says that the approval was not there to be consumed: used, expired,
	// cancelled, or given for another call.
	ApprovalGone bool
}

// Outcome is how a reservation ends.
type Outcome uint8

// The outcomes.
const (
	Commit Outcome = iota + 1
	Rollback
	Ambiguous // it may have been done: what it took stays used
)

// Settlement says what became of an admitted call.
type Settlement struct {
	Call    audit.Call // the record of the outcome
	Outcome Outcome
	Marks   []Counter // set when committed
	// Keep is for how long each mark may be asked for, in the same order.
	Keep []time.Duration
}

// Reservation is one admitted call that is open or ambiguous.
type Reservation struct {
	Request string    `json:"request_id"`
	Grant   string    `json:"grant"`
	Server  string    `json:"server"`
	Tool    string    `json:"tool"`
	At      time.Time `json:"at"`
	Charges []Charge  `json:"-"`
	Rules   []string  `json:"limits"` // labels
}

// CallFilter chooses recorded calls; zero fields choose all.
type CallFilter struct {
	Workspace, Grant, Server, Tool string
	Decision, Code, Rule           string
	Request                        string
	Since, Until                   time.Time
	Before                         string // request id: go on from there
	Limit                          int    // default 100
	Arguments                      bool   // with what was kept of them
}

// RecordedCall is one call as it was decided and what became of it.
type RecordedCall struct {
	At        time.Time
	Call      audit.Call // of the decision, with the outcome's members where it is known
	Ended     bool
	Arguments []byte // sealed
}
