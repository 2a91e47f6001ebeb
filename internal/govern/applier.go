package govern

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// applier applies one manifest inside one transaction.
type applier struct {
	s      *Service
	m      *Manifest
	prune  bool
	owner  string
	tx     ledger.Tx
	book   func(audit.Record) error
	out    *Application
	cancel []enforce.Cancellation
	err    error
}

func (a *applier) run(ctx context.Context, tx ledger.Tx, book func(audit.Record) error) error {
	a.tx, a.book, a.owner = tx, book, applyOwner+a.m.Name
	a.out = &Application{Name: a.m.Name, Prune: a.prune, Changes: []ApplyChange{}, Left: []string{}}
	a.err = a.steps(ctx)
	if a.err == nil && len(a.out.Changes) > 0 {
		a.out.Confirm = a.confirm()
	}
	return a.err
}

func (a *applier) steps(ctx context.Context) error {
	for i := range a.m.Servers { // those that aggregates name come before them
		if len(a.m.Servers[i].Members) == 0 {
			if err := a.server(ctx, &a.m.Servers[i]); err != nil {
				return err
			}
		}
	}
	for i := range a.m.Servers {
		if len(a.m.Servers[i].Members) > 0 {
			if err := a.server(ctx, &a.m.Servers[i]); err != nil {
				return err
			}
		}
	}
	for i := range a.m.Policies {
		if err := a.policy(ctx, &a.m.Policies[i]); err != nil {
			return err
		}
	}
	for i := range a.m.Servers {
		if err := a.serverPolicy(ctx, &a.m.Servers[i]); err != nil {
			return err
		}
	}
	for i := range a.m.Grants {
		if err := a.grant(ctx, &a.m.Grants[i]); err != nil {
			return err
		}
	}
	return a.leftover(ctx)
}

// confirm is the hash over everything that would change, by name: ids are made anew at
// each run.
func (a *applier) confirm() string {
	all := []any{"apply", a.s.o.Caller.Workspace, a.owner, a.prune}
	for i := range a.out.Changes {
		c := &a.out.Changes[i]
		all = append(all, c.Action, c.Kind, c.Object, c.Version, c.Mode, c.Before, c.After)
	}
	return digest(all)
}

func (a *applier) summary() string {
	count := map[string]int{}
	for i := range a.out.Changes {
		count[a.out.Changes[i].Action]++
	}
	var parts []string
	for _, action := range []string{created, altered, adopted, dropt} {
		if count[action] > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", action, count[action]))
		}
	}
	return strings.Join(parts, ", ")
}

// action is what happens to an object that is there, or why nothing may.
func (a *applier) action(managedBy, what string, differs bool) (string, error) {
	switch {
	case managedBy == a.owner && !differs:
		a.out.Unchanged++
		return "", nil
	case managedBy == a.owner:
		return altered, nil
	case managedBy == "":
		return adopted, nil
	default:
		return "", writable(managedBy, what)
	}
}

func (a *applier) server(ctx context.Context, d *ServerSpec) error {
	r, err := a.s.record(*d)
	if err != nil {
		return err
	}
	r.ManagedBy = a.owner
	if err := knownMembers(ctx, a.tx, r); err != nil {
		return err
	}
	change := ApplyChange{Kind: "server", Object: r.Name, After: serverDigest(r)}
	old, err := a.tx.Registry().ServerNamed(ctx, r.Workspace, r.Name)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		change.Action, change.Differences = created, serverDiff(nil, r)
		err = a.s.addServer(ctx, a.tx, r, a.book)
	case err != nil:
		return err
	default:
		change.Before, change.Differences = serverDigest(old), serverDiff(old, r)
		if change.Action, err = a.action(old.ManagedBy, "server "+old.Name, change.Before != change.After); err != nil || change.Action == "" {
			return err
		}
		err = a.s.setServer(ctx, a.tx, old, r, a.book)
	}
	a.out.Changes = append(a.out.Changes, change)
	return err
}

// serverDiff compares two servers by key. Values of keys that may hold a secret are left
// out.
func serverDiff(old, r *registry.Server) []Difference {
	text := func(r *registry.Server) json.RawMessage {
		if r == nil {
			return nil
		}
		spec := r.Spec
		if len(spec) == 0 {
			spec = json.RawMessage(`{}`)
		}
		raw, err := serverText(spec, r.Settings)
		if err != nil {
			return nil
		}
		if len(r.Members) > 0 {
			m := members(raw)
			m["members"], _ = json.Marshal(r.Members) // strings
			raw, _ = json.Marshal(m)
		}
		return raw
	}
	list := Diff(text(old), text(r))
	for i := range list {
		if slices.Contains([]string{"/command", "/headers", "/env", "/oauth", "/approvals"}, list[i].Place) {
			for _, side := range []*json.RawMessage{&list[i].Before, &list[i].After} {
				if *side != nil {
					*side = json.RawMessage(`"…"`)
				}
			}
		}
	}
	return list
}

// serverPolicy refuses a server that asks for a policy which is not there: nothing could
// be called on it.
func (a *applier) serverPolicy(ctx context.Context, d *ServerSpec) error {
	r, err := a.tx.Registry().ServerNamed(ctx, a.s.o.Caller.Workspace, d.Name)
	if err != nil || r.Settings.Policy == "" {
		return err
	}
	_, err = a.tx.Registry().PolicyNamed(ctx, r.ID, r.Settings.Policy)
	return missing(err, "server %s asks for a policy %s that is not there", r.Name, shownName(r.Settings.Policy))
}

func (a *applier) policy(ctx context.Context, d *ManifestPolicy) error {
	plan, err := a.s.planPolicy(ctx, a.tx, PolicyChange{Server: d.Server, Name: d.Name, Document: d.Document, Mode: d.Mode})
	if err != nil {
		return err
	}
	if err := plan.usable(); err != nil {
		if f, ok := fault.As(err); ok {
			f.Message = d.Place + ": " + f.Message
		}
		return err
	}
	v := plan.view
	change := ApplyChange{
		Kind: "policy", Object: d.Server + "/" + d.Name, Action: created, Differences: v.Differences, Version: v.Next, Mode: v.Mode, plan: plan,
		Before: plan.oldHash + "/" + string(v.OldMode), After: v.Hash + "/" + string(v.Mode),
	}
	if !v.New {
		if change.Action, err = a.action(plan.old.ManagedBy, "policy "+d.Name, !v.Unchanged); err != nil || change.Action == "" {
			return err
		}
		if v.Mode != v.OldMode {
			change.Differences = append([]Difference{{changed, "mode", quoted(string(v.OldMode)), quoted(string(v.Mode))}}, change.Differences...)
		}
	} else {
		change.Before = ""
	}
	before := plan.old
	if err := a.s.storePolicy(ctx, a.tx, plan, "", a.owner, a.book); err != nil {
		return err
	}
	plan.old = before // for the replay: what it replaces
	a.out.Changes = append(a.out.Changes, change)
	return nil
}

func quoted(s string) json.RawMessage {
	raw, _ := json.Marshal(s) // a string always encodes
	return raw
}

func (a *applier) grant(ctx context.Context, d *ManifestGrant) error {
	r, err := a.s.server(ctx, a.tx, d.Server)
	if err != nil {
		return at(d.Place, err)
	}
	old, err := a.tx.Registry().GrantNamed(ctx, r.ID, d.Name)
	if errors.Is(err, ledger.ErrNotFound) {
		g, err := a.s.prepareGrant(ctx, a.tx, r, &d.NewGrant)
		if err != nil {
			return at(d.Place, err)
		}
		g.ManagedBy = a.owner
		token, err := a.s.mint(ctx, a.tx, g, a.book)
		if err != nil {
			return at(d.Place, err)
		}
		if token != "" {
			a.out.Tokens = append(a.out.Tokens, GrantToken{r.Name + "/" + g.Name, g.ID, token})
		}
		doc := said(d)
		a.out.Changes = append(a.out.Changes, ApplyChange{Action: created, Kind: "grant", Object: r.Name + "/" + g.Name, Differences: Diff(nil, doc), After: digest(doc)})
		return nil
	}
	if err != nil {
		return err
	}
	if old.Issuer != d.Issuer || old.Subject != d.Subject {
		return at(d.Place, fault.New(fault.Usage, "a grant can't be given to another person: revoke it, or give the new one another name"))
	}
	return a.changeGrant(ctx, r, old, d)
}

func (a *applier) changeGrant(ctx context.Context, r *registry.Server, g *registry.Grant, d *ManifestGrant) error {
	was, err := a.written(ctx, g)
	if err != nil {
		return err
	}
	change := ApplyChange{Kind: "grant", Object: r.Name + "/" + g.Name, Before: digest(was), After: digest(said(d)), Differences: Diff(was, said(d))}
	if change.Action, err = a.action(g.ManagedBy, "grant "+g.Name, change.Before != change.After); err != nil || change.Action == "" {
		return err
	}
	before := grantDigest(g)
	if change.Before != change.After {
		want, err := a.s.prepareGrant(ctx, a.tx, r, &d.NewGrant)
		if err != nil {
			return at(d.Place, err)
		}
		g.Policy, g.Scopes, g.User, g.ExpiresAt = want.Policy, want.Scopes, want.User, want.ExpiresAt
	}
	g.ManagedBy = a.owner
	a.out.Changes = append(a.out.Changes, change)
	return errors.Join(a.tx.Registry().PutGrant(ctx, g), a.book(audit.Record{Op: "grant.set", Object: g.ID, Before: before, After: grantDigest(g)}))
}

// said is what a grant of a manifest says, by name.
func said(d *ManifestGrant) json.RawMessage {
	return grantText(d.Policy, d.Scopes, d.User, d.Issuer, d.Subject, d.Until)
}

// written is what a grant that is there would say in a file.
func (a *applier) written(ctx context.Context, g *registry.Grant) (json.RawMessage, error) {
	policy := ""
	if g.Policy != "" {
		p, err := a.tx.Registry().Policy(ctx, g.Policy)
		if err != nil {
			return nil, err
		}
		policy = p.Name
	}
	return grantText(policy, g.Scopes, g.User, g.Issuer, g.Subject, g.ExpiresAt), nil
}

func grantText(policy string, scopes []string, user, issuer, subject string, until time.Time) json.RawMessage {
	doc := map[string]any{"expires": "never"}
	if !until.IsZero() {
		doc["expires"] = until.UTC().Format(time.RFC3339)
	}
	if policy != "" {
		doc["policy"] = policy
	}
	if len(scopes) > 0 {
		doc["scopes"] = scopes
	}
	if user != "" {
		doc["user"] = user
	}
	if subject != "" { // whom it lets in is confirmed like the rest
		doc["issuer"], doc["subject"] = issuer, subject
	}
	raw, _ := json.Marshal(doc) // strings always encode
	return raw
}

// at puts the place of an object before what is wrong with it.
func at(place string, err error) error {
	if f, ok := fault.As(err); ok {
		f.Message = place + ": " + f.Message
	}
	return err
}

// leftover finds what the files owned once, and removes it when that is asked for:
// grants first, then policies, then servers.
func (a *applier) leftover(ctx context.Context) error {
	all, err := a.s.all(ctx, a.tx)
	if err != nil {
		return err
	}
	left := func(kind, object, before string, fn func() error) error {
		if !a.prune {
			a.out.Left = append(a.out.Left, kind+" "+object)
			return nil
		}
		a.out.Changes = append(a.out.Changes, ApplyChange{Action: dropt, Kind: kind, Object: object, Before: before})
		return fn()
	}
	for i := range all.grants {
		g := &all.grants[i]
		r := all.server(g.Server)
		if r == nil || g.ManagedBy != a.owner || !g.RevokedAt.IsZero() || a.has("grant", r.Name+"/"+g.Name) {
			continue
		}
		if err := left("grant", r.Name+"/"+g.Name, grantDigest(g), func() error {
			a.cancel = append(a.cancel, enforce.Cancellation{Workspace: g.Workspace, Grant: g.ID, Reason: "the grant was revoked"})
			return a.s.revoke(ctx, a.tx, g, "it is not in the files any more", a.book)
		}); err != nil {
			return err
		}
	}
	for i := range all.policies {
		p := &all.policies[i]
		r := all.server(p.Server)
		if r == nil || p.ManagedBy != a.owner || a.has("policy", r.Name+"/"+p.Name) {
			continue
		}
		if err := left("policy", r.Name+"/"+p.Name, policyDigest(p, ""), func() error { return a.s.removePolicy(ctx, a.tx, r, p, a.book) }); err != nil {
			return err
		}
	}
	slices.SortStableFunc(all.servers, func(x, y registry.Server) int { return len(y.Members) - len(x.Members) }) // aggregates before their members
	for i := range all.servers {
		r := &all.servers[i]
		if r.ManagedBy != a.owner || a.has("server", r.Name) {
			continue
		}
		if err := left("server", r.Name, serverDigest(r), func() error {
			if err := a.s.administers(); err != nil {
				return err
			}
			a.cancel = append(a.cancel, enforce.Cancellation{Workspace: r.Workspace, Server: r.ID, Reason: "the server was removed"})
			return a.s.removeServer(ctx, a.tx, r, a.book)
		}); err != nil {
			return err
		}
	}
	return nil
}

func (a *applier) has(kind, object string) bool {
	switch kind {
	case "server":
		return slices.ContainsFunc(a.m.Servers, func(d ServerSpec) bool { return d.Name == object })
	case "policy":
		return slices.ContainsFunc(a.m.Policies, func(d ManifestPolicy) bool { return d.Server+"/"+d.Name == object })
	default:
		return slices.ContainsFunc(a.m.Grants, func(d ManifestGrant) bool { return d.Server+"/"+d.Name == object })
	}
}
