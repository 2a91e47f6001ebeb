package policy

import "time"

// Call is what is decided on.
type Call struct {
	Tool string
	// Arguments is the JSON object of the arguments, already known to be well formed and
	// to hold no member twice; nil where the call has none.
	Arguments []byte
}

// Verdict is what becomes of a call.
type Verdict uint8

// The verdicts. The zero value denies.
const (
	Deny Verdict = iota
	Allow
	Approve // a person has to agree first; limits come after that
)

// Code says why a call is not simply allowed. It is stable.
type Code string

// The codes of denials and approvals. Those from store_unavailable on are the
// gateway's, which alone can know.
const (
	NoPolicy        Code = "no_policy"
	Hidden          Code = "hidden"
	DefaultDeny     Code = "default_deny"
	RequireFailed   Code = "require_failed"
	Denied          Code = "denied"
	LimitExceeded   Code = "limit_exceeded"
	ApprovalPending Code = "approval_pending"
	ApprovalDenied  Code = "approval_denied"
	ApprovalExpired Code = "approval_expired"
	Invalid         Code = "policy_invalid"

	StoreUnavailable   Code = "store_unavailable"
	UpstreamAuthFailed Code = "upstream_auth_failed"
	MethodNotAllowed   Code = "method_not_allowed"
)

// Decision is what a policy says of a call, before limits are counted.
type Decision struct {
	Verdict Verdict
	Code    Code   // empty when the verdict is Allow
	Rule    string // label of the rule: a JSON pointer, or "(no policy)", "(hidden)", "(default deny)"; empty when allowed
	Message string // for the agent, without the prefix
	// Approval is the rule that asks for a person, with verdict Approve.
	Approval *Approval

	tool *tool
}

// Approval is one rule of approve_if, compiled.
type Approval struct {
	Rule      string // label
	Message   string
	TTL       time.Duration // how long a decision may take; default 15 min
	Wait      time.Duration // how long the call is held for it, 0 to 25 s
	Approvers []string      // who may decide, as the document names them; empty: as the server has it
}

// Limit is one limit, compiled. It is the same for every call and must not be changed.
type Limit struct {
	Rule    string // label: /tools/<tool>/limits/<counter>-per-<window>
	Section string // "tool:<name>" or "all": what tells counters of one name apart
	Counter string
	Scope   Scope
	Window  time.Duration
	Sliding bool
	Max     int64 // in millionths
	// After makes it a condition on what was done before: the call is admitted only
	// within Window after a call of the tool After by the same scope (and with the same
	// key). Max then means nothing.
	After   string
	Message string // on_deny

	// Where the amount and the key stand in a call, and where the key stands in a call of
	// the tool After.
	increment, key, afterKey *path
	amountAt, keyAt          ref
}

// Scope says whose calls a limit counts together.
type Scope string

// The scopes.
const (
	PerGrant   Scope = "grant"
	PerSession Scope = "session"
	PerServer  Scope = "server"
	PerOrg     Scope = "org"
)

// Charge is what one call takes from one limit.
type Charge struct {
	Limit  *Limit
	Amount int64 // in millionths; 1 call is 1 000 000
	// Key tells the counters of one limit apart by the value of an argument: a digest of
	// its canonical form. Zero where the limit has no key.
	Key [16]byte
}

// Mark is what later calls may ask for with `after`: that this tool was called, with
// this key.
type Mark struct {
	Limit *Limit // the one that asks
	Key   [16]byte
}
