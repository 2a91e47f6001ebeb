package audit

// Call is what the log says of one call of an agent: once when it was decided, before
// anything was forwarded, and once when its outcome is known. It names the arguments'
// keys, never their values.
type Call struct {
	Request   string // id of the call: both records of one call have it
	Phase     string // PhaseDecision or PhaseOutcome
	Workspace string
	Grant     string // id
	Server    string // id, or the configured name where there are no accounts
	Session   string // digest of the client's session id; empty without one
	Client    string // name the client gave itself
	Method    string
	Tool      string
	ToolHash  string // of the definition last seen
	// Policy and PolicyVersion are the ones decided by; version 0 is a file's, whose
	// digest PolicyHash is.
	Policy        string
	PolicyVersion int
	PolicyHash    string
	Decision      string // allow, deny, park, observe (would have been denied or parked)
	Code          string
	Rule          string
	ArgKeys       []string // top level, sorted
	ArgsHMAC      string   // keyed with the installation's key
	Approval      string
	// Of the outcome.
	Settlement     string // commit, rollback, ambiguous
	UpstreamStatus int    // HTTP status; 0 where there was none
	Outcome        string // ok, tool_error, rpc_error, or the code of the relay's own failure
	LatencyUS      int64  // from the decision to the answer
}

// The phases of a call.
const (
	PhaseDecision = "decision"
	PhaseOutcome  = "outcome"
)
