package tenant

import (
	"sluice/internal/fault"
)

// Need is what an operation asks of its caller; zero fields ask nothing.
type Need struct {
	Scope      Scope
	Switch     bool // the workspace's write-back switch is on
	Role       Role
	Connection bool // an active connection to the dataset
}

// Facts are what the preconditions are judged by, besides the caller. A missing row
// is nil.
type Facts struct {
	Workspace  *Workspace
	Connection *Connection
}

// Trusted reports whether the caller acts for the machine that holds the state
// directory, or under an authorisation that an admin signed: such a caller names no
// idempotency key and may send with the environment's token.
func (c Caller) Trusted() bool { return c.Type == LocalCaller || c.Type == ScheduleCaller }

// Permit checks an operation's preconditions in their one order, scope, workspace
// switch, role, connection, and names the first that is missing.
//
// A local caller is the owner with write-back on. A local caller and a schedule may
// work without a stored connection, with the environment's token; one that is
// stored and inactive stops them too.
func Permit(c Caller, need Need, f Facts) error {
	if need.Scope != "" && !c.Has(need.Scope) {
		return fault.New(fault.InsufficientScope, "this token has no scope %s", need.Scope).
			WithFix("make a token that has it: `sluice token add --scope %s`", need.Scope).With("scope", string(need.Scope))
	}
	if need.Switch && c.Type != LocalCaller && (f.Workspace == nil || !f.Workspace.Writeback) {
		return fault.New(fault.WritebackDisabled, "write-back is switched off in this workspace").
			WithFix("an owner or admin switches it on: `sluice workspace set --write-back on`")
	}
	if need.Role != "" && !c.Role.Covers(need.Role) {
		return fault.New(fault.RoleRequired, "this needs the role %s or one above it", need.Role).
			WithFix("ask somebody with the role %s", need.Role).With("role", string(need.Role))
	}
	if c.Agent && need.Role.administers() {
		return AgentRefused()
	}
	switch {
	case !need.Connection:
		return nil
	case f.Connection == nil && c.Trusted():
		return nil
	case f.Connection == nil:
		return fault.New(fault.ConnectionInactive, "this profile has no connection to the dataset").
			WithFix("connect it: `sluice connect DATASET --profile PROFILE`")
	case f.Connection.State != ConnActive:
		return fault.New(fault.ConnectionInactive, "the connection to dataset %s is inactive", f.Connection.Dataset).
			WithFix("see why and check it again: `sluice connect check %s`", f.Connection.Dataset)
	case f.Connection.CheckedAt.IsZero() && !c.Trusted():
		return fault.New(fault.ConnectionInactive, "the connection to dataset %s was never checked", f.Connection.Dataset).
			WithFix("check it: `sluice connect check %s`", f.Connection.Dataset)
	}
	return nil
}

// administers reports a role whose acts change what the rules are or decided.
func (r Role) administers() bool { return r.Covers(Admin) }

// Administers reports whether the caller may do what takes an admin: a person with
// that role. An agent's token can't, whoever its member is, for it could lift its
// own limits.
func (c Caller) Administers() bool { return c.Role.Covers(Admin) && !c.Agent }

// AgentRefused is the answer to an agent that asks for what only a person may do.
func AgentRefused() error {
	return fault.New(fault.RoleRequired, "an agent's token can't do this").WithFix("an admin does it, with a token of their own").With("role", string(Admin))
}
