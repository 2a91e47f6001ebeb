package audit

import "time"

// Call is what the log says of one call of an agent: once when it was decided, before
// anything was forwarded, and once when its outcome is known, without what the decision's
// record said. It names the arguments' keys, never their values.
type Call struct {
	Request   string // id of the call: both records of one call have it
	Phase     string // PhaseDecision, PhaseOutcome or PhaseReview
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
	// Of what a person did about it: PhaseReview.
	By     string // member
	Reason string

	// Sealed are the arguments of a call that was denied, to be kept beside the log for a
	// replay; of one that was admitted the request has them. They are no part of the record.
	Sealed []byte
}

// TimedCall is one call record as a store hands it to the log.
type TimedCall struct {
	Seq  int64 // of the store that kept it: ascending
	At   time.Time
	Call Call
}

// The phases of a call.
const (
	PhaseDecision = "decision"
	PhaseOutcome  = "outcome"
	PhaseReview   = "review" // an ambiguous reservation was released by a person
)

// told is what the log says in this phase. What the decision's record has said of a call
// is not said again: a log that says everything twice costs every call twice.
func (c *Call) told() Call {
	if c.Phase != PhaseOutcome && c.Phase != PhaseReview {
		return *c
	}
	return Call{
		Request: c.Request, Phase: c.Phase, Workspace: c.Workspace, Grant: c.Grant, Server: c.Server, Tool: c.Tool, Approval: c.Approval,
		Settlement: c.Settlement, UpstreamStatus: c.UpstreamStatus, Outcome: c.Outcome, LatencyUS: c.LatencyUS, By: c.By, Reason: c.Reason,
	}
}

// Record is the call as the log has it: the members of a call beside the common ones.
func (c *Call) Record() Record {
	told := c.told()
	c = &told
	return Record{
		Kind: "call", Actor: c.actor(), Via: "mcp", Op: "call", RequestID: c.Request, Reason: c.Reason,
		Phase: c.Phase, Workspace: c.Workspace, Grant: c.Grant, Server: c.Server, Session: c.Session, Client: c.Client, Method: c.Method,
		Tool: c.Tool, ToolHash: c.ToolHash, Policy: c.Policy, PolicyVersion: c.PolicyVersion, PolicyHash: c.PolicyHash,
		Decision: c.Decision, Code: c.Code, Rule: c.Rule, ArgKeys: c.ArgKeys, ArgsHMAC: c.ArgsHMAC, Approval: c.Approval,
		Settlement: c.Settlement, UpstreamStatus: c.UpstreamStatus, Outcome: c.Outcome, LatencyUS: c.LatencyUS,
	}
}

// actor is the grant that calls, or the member who reviewed.
func (c *Call) actor() Actor {
	if c.By != "" {
		return Actor{Type: "user", ID: c.By}
	}
	return Actor{Type: "grant", ID: c.Grant}
}
