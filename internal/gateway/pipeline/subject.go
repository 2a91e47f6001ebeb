package pipeline

import (
	"time"

	"sluice/internal/mcpwire/exchange"
	"sluice/internal/registry"
	"sluice/policy"
)

// Subject is on whose behalf a call is made and by what it is judged: one immutable
// snapshot for the whole call.
type Subject struct {
	Workspace string // org of counters
	Server    string // id of the server record, or its configured name without accounts
	Grant     string // id; "local" without accounts
	GrantName string
	MintedBy  string // member who made the grant
	ReadOnly  bool   // scope mcp:read without mcp:write
	// Policies are what the call has to pass, all of them: the server's own, if it has
	// one, and then the grant's. None is a grant without policy, which denies.
	Policies []Bound
	// Through says that the call comes through an aggregate, whose own pipeline has asked
	// the grant's policies: Policies are the member's alone then, and none allows.
	Through  bool
	Settings registry.Settings
	// Revision changes when anything of the subject does.
	Revision int64
	// Expires is from when on the caller may not call any more, though nothing is
	// changed; zero: that is not known. Streams and held calls end then.
	Expires time.Time
}

// Bound is a policy as it is in force.
type Bound struct {
	ID      string
	Name    string
	Version int
	Hash    string
	Mode    registry.Mode
	Policy  *policy.Policy // nil: the stored document does not parse, and denies
}

// Directory knows the subjects.
type Directory interface {
	// Subject is the caller's snapshot as of now. nil says that the caller may not call
	// this server any more: revoked, expired, or never allowed. A directory that can fail
	// to know says so by a method Available() error.
	Subject(c exchange.Caller, server string) *Subject
	// Changed is closed when some subject may have changed; ask anew then, for another
	// channel too.
	Changed() <-chan struct{}
}

// Clock is time.Now outside tests.
type Clock func() time.Time
