package enforce

import (
	"time"

	"sluice/internal/audit"
)

// State of an approval.
type State string

// The states: pending → approved | denied | expired | cancelled;
// approved → consumed | expired | cancelled.
const (
	Pending   State = "pending"
	Approved  State = "approved"
	DeniedBy  State = "denied"
	Expired   State = "expired"
	Cancelled State = "cancelled"
	Consumed  State = "consumed"
)

// Terminal reports whether nothing follows the state.
func (s State) Terminal() bool { return s != Pending && s != Approved }

// Approval is one call that waits, or waited, for a person.
type Approval struct {
	ID          string    `json:"id"` // apr_…
	State       State     `json:"state"`
	Workspace   string    `json:"workspace"`
	Server      string    `json:"server"`
	Grant       string    `json:"grant"`
	GrantName   string    `json:"grant_name,omitempty"`
	MintedBy    string    `json:"minted_by,omitempty"` // member who made the grant
	Tool        string    `json:"tool"`
	Fingerprint [32]byte  `json:"-"`
	ArgKeys     []string  `json:"arg_keys"`
	Arguments   []byte    `json:"-"` // sealed; wiped in a terminal state
	Rule        string    `json:"rule"`
	Message     string    `json:"message"`
	Policy      string    `json:"policy"`
	Version     int       `json:"policy_version"`
	PolicyHash  string    `json:"policy_hash"`
	Approvers   []string  `json:"approvers,omitempty"` // who may decide; empty: whoever may at all
	EscalateTo  []string  `json:"escalate_to,omitempty"`
	FourEyes    bool      `json:"four_eyes"`
	CreatedAt   time.Time `json:"created_at"`
	ExpiresAt   time.Time `json:"expires_at"` // of a pending one: when silence denies; of an approved one: when it can't be used any more
	EscalateAt  time.Time `json:"escalate_at,omitzero"`
	Escalated   bool      `json:"escalated"`
	Decider     string    `json:"decider,omitempty"`
	Via         string    `json:"via,omitempty"`
	Reason      string    `json:"reason,omitempty"`
	DecidedAt   time.Time `json:"decided_at,omitzero"`
	ConsumedAt  time.Time `json:"consumed_at,omitzero"`
	Request     string    `json:"request_id,omitempty"` // the call that consumed it
}

// Parking asks for an approval.
type Parking struct {
	Approval Approval      // ID, State, times and what deciding adds are the store's to set
	TTL      time.Duration // until silence denies
	Escalate time.Duration // until it escalates; 0: it does not
	Call     audit.Call    // the record: decision "park"
}

// Decision is what a person said.
type Decision struct {
	ID      string
	Approve bool
	By      string // member
	Via     string // cli, api, web
	Reason  string
}

// Cancellation chooses approvals.
type Cancellation struct {
	Workspace, Grant, Server string
	Reason                   string
}

// ApprovalFilter chooses approvals; zero fields choose all.
type ApprovalFilter struct {
	Workspace, Grant, Server, Tool string
	State                          State
	Limit                          int // default 100
}
