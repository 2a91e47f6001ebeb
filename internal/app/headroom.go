package app

import (
	"context"

	"sluice/internal/enforce"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/policy"
)

// headroom is what a call that waits would take from its limits, under the policies in
// force now, for the person who decides. What can't be told (a limit per session, a
// policy that is gone) is left out: Reserve decides when the call comes.
func (a *App) headroom(ctx context.Context, waiting *enforce.Approval, arguments []byte) (list []enforce.Charge, err error) {
	call := policy.Call{Tool: waiting.Tool, Arguments: arguments}
	err = a.store.View(ctx, func(tx ledger.Tx) error {
		r := tx.Registry()
		grant, err := r.Grant(ctx, waiting.Grant)
		if err != nil {
			return err
		}
		server, err := r.Server(ctx, waiting.Server)
		if err != nil {
			return err
		}
		var bound []*registry.Policy
		if server.Settings.Policy != "" {
			p, err := r.PolicyNamed(ctx, server.ID, server.Settings.Policy)
			if err != nil {
				return err
			}
			bound = append(bound, p)
		}
		if grant.Policy != "" {
			p, err := r.Policy(ctx, grant.Policy)
			if err != nil {
				return err
			}
			bound = append(bound, p)
		}
		for _, b := range bound {
			v, err := r.Version(ctx, b.ID, b.Version)
			if err != nil {
				return err
			}
			document, _ := policy.Parse(v.Document)
			if document == nil || b.Mode == registry.Observe {
				continue
			}
			compiled := document.Compile()
			d := compiled.Decide(call)
			if d.Verdict == policy.Deny {
				continue // it would not come to limits
			}
			charges, _, ok := compiled.Charges(nil, &d, call)
			if !ok {
				continue
			}
			for i := range charges {
				if c, known := chargeOf(waiting, &charges[i], grant.Server != server.ID); known {
					list = append(list, c)
				}
			}
		}
		return nil
	})
	return list, err
}

// chargeOf is one of them with the identity that the gateway counts it under: see
// policy-gateway §5.1. through says that the grant is an aggregate's, and the server one of
// its members.
func chargeOf(waiting *enforce.Approval, c *policy.Charge, through bool) (enforce.Charge, bool) {
	l := c.Limit
	id := enforce.Identity{Org: waiting.Workspace, Scope: string(l.Scope), Section: l.Section, Counter: l.Counter, Window: l.Window, Key: c.Key}
	switch l.Scope {
	case policy.PerSession:
		return enforce.Charge{}, false
	case policy.PerServer:
		id.ScopeID = waiting.Server
	case policy.PerOrg:
		id.ScopeID, id.Section = waiting.Workspace, "org"
	default:
		id.Scope, id.ScopeID = string(policy.PerGrant), waiting.Grant
		if through {
			id.Section = waiting.Server + " " + id.Section
		}
	}
	return enforce.Charge{
		Counter: enforce.CounterOf(id), Window: l.Window, Sliding: l.Sliding, Amount: c.Amount, Max: l.Max, Rule: l.Rule,
	}, l.After == ""
}
