package policytool

import (
	"sluice/internal/enforce"
	"sluice/policy"
)

// identity is whose counter a limit means for a caller. A caller without a session
// counts for its grant.
func identity(w Who, l *policy.Limit, key [16]byte) enforce.Identity {
	id := enforce.Identity{Org: w.Workspace, Scope: string(l.Scope), Section: l.Section, Counter: l.Counter, Window: l.Window, Key: key}
	switch l.Scope {
	case policy.PerOrg:
		id.Section = "org"
	case policy.PerServer:
		id.ScopeID = w.Server
	case policy.PerSession:
		if id.ScopeID = w.Session; w.Session == "" {
			id.Scope, id.ScopeID = string(policy.PerGrant), w.Grant
		}
	default:
		id.ScopeID = w.Grant
	}
	if l.After != "" {
		id.Mark, id.Counter, id.Window = l.After, "", 0
	}
	return id
}

func chargeOf(w Who, c *policy.Charge) enforce.Charge {
	return enforce.Charge{
		Counter: enforce.CounterOf(identity(w, c.Limit, c.Key)), Window: c.Limit.Window, Sliding: c.Limit.Sliding,
		Amount: c.Amount, Max: c.Limit.Max, After: c.Limit.After != "", Rule: c.Limit.Rule,
	}
}

func markOf(w Who, m *policy.Mark) enforce.Counter {
	return enforce.CounterOf(identity(w, m.Limit, m.Key))
}
