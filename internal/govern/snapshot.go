package govern

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/policy"
)

// snapshot is what was read at one revision.
type snapshot struct {
	revision int64
	grants   map[string]*Entry            // by id
	through  map[string]map[string]*Entry // by id, then by id of a member of its aggregate
	persons  map[person]*Entry
	named    map[name]*Entry
	servers  map[string]*registry.Server // by id, and by name in the directory's workspace
	// expiring holds when grants will be over, ascending.
	expiring []time.Time
}

type (
	person struct{ server, issuer, subject string }
	name   struct{ server, grant string }
)

type parsedKey struct {
	policy  string
	version int
}

type parsedPolicy struct {
	hash   string
	policy *policy.Policy
}

// load reads everything at one revision.
func (d *Directory) load(ctx context.Context, tx ledger.Tx, revision int64) (*snapshot, error) {
	servers, err := tx.Registry().Servers(ctx, "")
	if err != nil {
		return nil, err
	}
	policies, err := tx.Registry().Policies(ctx, "")
	if err != nil {
		return nil, err
	}
	grants, err := tx.Registry().Grants(ctx, "")
	if err != nil {
		return nil, err
	}
	s := &snapshot{
		revision: revision, grants: make(map[string]*Entry, len(grants)), through: map[string]map[string]*Entry{},
		persons: map[person]*Entry{}, named: make(map[name]*Entry, len(grants)), servers: make(map[string]*registry.Server, 2*len(servers)),
	}
	for i := range servers {
		if r := &servers[i]; r.Workspace == d.o.Workspace {
			s.servers[r.Name] = r
		}
	}
	for i := range servers { // after the names, so that none can stand for another's id
		s.servers[servers[i].ID] = &servers[i]
	}
	bound, err := d.bind(ctx, tx, policies)
	if err != nil {
		return nil, err
	}
	own := func(r *registry.Server) []Bound {
		if r.Settings.Policy == "" {
			return nil
		}
		for i := range policies {
			if policies[i].Server == r.ID && policies[i].Name == r.Settings.Policy {
				return []Bound{bound[policies[i].ID]}
			}
		}
		// One that every call has to pass and that is not there can't be passed.
		return []Bound{{Name: r.Settings.Policy, Mode: registry.Enforce}}
	}
	now := d.o.Now()
	for i := range grants {
		g := &grants[i]
		r := s.servers[g.Server]
		if !g.Live(now) || r == nil {
			continue
		}
		e := &Entry{Workspace: g.Workspace, Server: r, Grant: g, Revision: revision}
		if g.Policy != "" {
			mine, ok := bound[g.Policy]
			if !ok || !of(policies, g.Policy, r.ID) {
				mine = Bound{ID: g.Policy, Mode: registry.Enforce}
			}
			e.Policies = own(r)
			if len(e.Policies) == 0 || e.Policies[0].ID != mine.ID {
				e.Policies = append(e.Policies, mine)
			}
		}
		s.grants[g.ID], s.named[name{r.ID, g.Name}] = e, e
		if g.Subject != "" {
			s.persons[person{r.ID, g.Issuer, g.Subject}] = e
		}
		if !g.ExpiresAt.IsZero() {
			s.expiring = append(s.expiring, g.ExpiresAt)
		}
		for _, m := range r.Members {
			member := memberOf(servers, r.Workspace, m.Server)
			if member == nil {
				continue
			}
			if s.through[g.ID] == nil {
				s.through[g.ID] = map[string]*Entry{}
			}
			s.through[g.ID][member.ID] = &Entry{Workspace: g.Workspace, Server: member, Grant: g, Policies: own(member), Through: r, Revision: revision}
		}
	}
	slices.SortFunc(s.expiring, time.Time.Compare)
	return s, nil
}

func of(policies []registry.Policy, id, server string) bool {
	return slices.ContainsFunc(policies, func(p registry.Policy) bool { return p.ID == id && p.Server == server })
}

func memberOf(servers []registry.Server, workspace, name string) *registry.Server {
	for i := range servers {
		if servers[i].Workspace == workspace && servers[i].Name == name {
			return &servers[i]
		}
	}
	return nil
}

// bind compiles the versions in force; those that were before are not parsed again.
func (d *Directory) bind(ctx context.Context, tx ledger.Tx, policies []registry.Policy) (map[string]Bound, error) {
	bound := make(map[string]Bound, len(policies))
	parsed := make(map[parsedKey]parsedPolicy, len(policies))
	for i := range policies {
		p := &policies[i]
		key := parsedKey{p.ID, p.Version}
		known, ok := d.parsed[key]
		if !ok {
			v, err := tx.Registry().Version(ctx, p.ID, p.Version)
			switch {
			case errors.Is(err, ledger.ErrNotFound): // denies
			case err != nil:
				return nil, err
			default:
				known = d.compile(p, v)
			}
		}
		parsed[key] = known
		bound[p.ID] = Bound{ID: p.ID, Name: p.Name, Version: p.Version, Hash: known.hash, Mode: p.Mode, Policy: known.policy}
	}
	d.parsed = parsed
	return bound, nil
}

// compile makes a stored document fit for deciding. One that is not the one whose hash
// was stored, or does not parse any more, denies.
func (d *Directory) compile(p *registry.Policy, v *registry.Version) parsedPolicy {
	out := parsedPolicy{hash: v.Hash}
	if sum := sha256.Sum256(v.Document); hex.EncodeToString(sum[:]) != v.Hash {
		d.o.Log.Error("a stored policy is not what was stored: its hash differs; it denies everything", "policy", p.ID, "version", p.Version)
		return out
	}
	document, faults := policy.Parse(v.Document)
	if document == nil {
		code := ""
		if len(faults) > 0 {
			code = faults[0].Code
		}
		d.o.Log.Error("a stored policy can't be used any more; it denies everything", "policy", p.ID, "version", p.Version, "fault", code)
		return out
	}
	out.policy = document.Compile()
	return out
}
