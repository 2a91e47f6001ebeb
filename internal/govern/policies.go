package govern

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// PolicyView is a policy as it is shown.
type PolicyView struct {
	registry.Policy
	ServerName string `json:"server_name"`
	// Hash is that of the document in force.
	Hash     string          `json:"hash"`
	Document json.RawMessage `json:"document,omitempty"`
	Grants   []string        `json:"grants"` // names of the live grants that have it
	// Whole says that every call on the server has to pass it.
	Whole bool `json:"server_policy"`
}

// Policies lists those of a server, or of all when it is empty, without documents.
func (s *Service) Policies(ctx context.Context, server string) (list []PolicyView, err error) {
	list = []PolicyView{}
	err = s.view(ctx, func(tx ledger.Tx) error {
		id, all, err := s.of(ctx, tx, server)
		if err != nil {
			return err
		}
		for i := range all.policies {
			p := &all.policies[i]
			if id != "" && p.Server != id {
				continue
			}
			v, err := all.viewOf(ctx, tx, p)
			if err != nil {
				return err
			}
			v.Document = nil
			list = append(list, *v)
		}
		return nil
	})
	return list, err
}

// Policy returns one with its document.
func (s *Service) Policy(ctx context.Context, server, name string) (v *PolicyView, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		_, p, err := s.policy(ctx, tx, server, name)
		if err != nil {
			return err
		}
		all, err := s.all(ctx, tx)
		if err != nil {
			return err
		}
		v, err = all.viewOf(ctx, tx, p)
		return err
	})
	return v, err
}

// policy finds a policy and its server by name.
func (s *Service) policy(ctx context.Context, tx ledger.Tx, server, name string) (*registry.Server, *registry.Policy, error) {
	r, err := s.server(ctx, tx, server)
	if err != nil {
		return nil, nil, err
	}
	p, err := tx.Registry().PolicyNamed(ctx, r.ID, name)
	if errors.Is(err, ledger.ErrNotFound) {
		return r, nil, fault.New(fault.NotFound, "server %s has no policy %s", r.Name, shownName(name)).WithFix("`sluice policy list %s` names them", r.Name)
	}
	return r, p, err
}

// everything of a workspace, as one transaction sees it.
type everything struct {
	servers  []registry.Server
	policies []registry.Policy
	grants   []registry.Grant
	members  []tenant.Member
}

func (s *Service) all(ctx context.Context, tx ledger.Tx) (*everything, error) {
	var e everything
	var errs [4]error
	e.servers, errs[0] = tx.Registry().Servers(ctx, s.o.Caller.Workspace)
	e.policies, errs[1] = tx.Registry().Policies(ctx, s.o.Caller.Workspace)
	e.grants, errs[2] = tx.Registry().Grants(ctx, s.o.Caller.Workspace)
	e.members, errs[3] = tx.Tenants().Members(ctx, s.o.Caller.Workspace)
	return &e, errors.Join(errs[:]...)
}

// of reads everything, and the id of a server by its name or id; no server is all of
// them.
func (s *Service) of(ctx context.Context, tx ledger.Tx, server string) (id string, e *everything, err error) {
	if server != "" {
		r, err := s.server(ctx, tx, server)
		if err != nil {
			return "", nil, err
		}
		id = r.ID
	}
	e, err = s.all(ctx, tx)
	return id, e, err
}

func (e *everything) server(id string) *registry.Server {
	if i := slices.IndexFunc(e.servers, func(r registry.Server) bool { return r.ID == id }); i >= 0 {
		return &e.servers[i]
	}
	return nil
}

func (e *everything) policy(id string) *registry.Policy {
	if i := slices.IndexFunc(e.policies, func(p registry.Policy) bool { return p.ID == id }); i >= 0 {
		return &e.policies[i]
	}
	return nil
}

// affected are the grants whose calls a policy judges.
func (e *everything) affected(p *registry.Policy) (list []registry.Grant) {
	r := e.server(p.Server)
	whole := r != nil && r.Settings.Policy == p.Name
	for i := range e.grants {
		if g := &e.grants[i]; g.RevokedAt.IsZero() && g.Server == p.Server && (whole && g.Policy != "" || g.Policy == p.ID && p.ID != "") {
			list = append(list, *g)
		}
	}
	return list
}

func (e *everything) viewOf(ctx context.Context, tx ledger.Tx, p *registry.Policy) (*PolicyView, error) {
	v := &PolicyView{Policy: *p, Grants: []string{}}
	if r := e.server(p.Server); r != nil {
		v.ServerName, v.Whole = r.Name, r.Settings.Policy == p.Name
	}
	for i := range e.grants {
		if g := &e.grants[i]; g.Policy == p.ID && g.RevokedAt.IsZero() {
			v.Grants = append(v.Grants, g.Name)
		}
	}
	in, err := tx.Registry().Version(ctx, p.ID, p.Version)
	if err != nil {
		return nil, err
	}
	v.Hash, v.Document = in.Hash, in.Document
	return v, nil
}

// Versions lists the versions of a policy, newest first, without documents.
func (s *Service) Versions(ctx context.Context, server, name string) (list []registry.Version, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		_, p, err := s.policy(ctx, tx, server, name)
		if err != nil {
			return err
		}
		list, err = tx.Registry().Versions(ctx, p.ID)
		return err
	})
	return list, err
}

// Version returns one version with its document; the one in force for 0.
func (s *Service) Version(ctx context.Context, server, name string, version int) (v *registry.Version, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		_, p, err := s.policy(ctx, tx, server, name)
		if err != nil {
			return err
		}
		v, err = version1(ctx, tx, p, version)
		return err
	})
	return v, err
}

func version1(ctx context.Context, tx ledger.Tx, p *registry.Policy, version int) (*registry.Version, error) {
	if version == 0 {
		version = p.Version
	}
	v, err := tx.Registry().Version(ctx, p.ID, version)
	return v, listed(missing(err, "policy %s has no version %d: it is at %d", p.Name, version, p.Version), "`sluice policy versions SERVER %s` lists them", p.Name)
}

// Compared is what differs between two versions.
type Compared struct {
	From        int          `json:"from"`
	To          int          `json:"to"`
	Differences []Difference `json:"differences"`
}

// Compare says what differs between two versions; 0 is the one in force, and for from
// the one before it.
func (s *Service) Compare(ctx context.Context, server, name string, from, to int) (c *Compared, err error) {
	err = s.view(ctx, func(tx ledger.Tx) error {
		_, p, err := s.policy(ctx, tx, server, name)
		if err != nil {
			return err
		}
		b, err := version1(ctx, tx, p, to)
		if err != nil {
			return err
		}
		if from == 0 {
			if from = b.Version - 1; from == 0 {
				c = &Compared{0, b.Version, Diff(nil, b.Document)}
				return nil
			}
		}
		a, err := version1(ctx, tx, p, from)
		if err != nil {
			return err
		}
		c = &Compared{a.Version, b.Version, Diff(a.Document, b.Document)}
		return nil
	})
	if c != nil && c.Differences == nil {
		c.Differences = []Difference{}
	}
	return c, err
}

// RemovePolicy removes a policy that no live grant has and the server does not ask for.
func (s *Service) RemovePolicy(ctx context.Context, server, name string) (p *registry.Policy, err error) {
	if err := s.governs(); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		var r *registry.Server
		if r, p, err = s.policy(ctx, tx, server, name); err != nil {
			return err
		}
		if err := writable(p.ManagedBy, "policy "+p.Name); err != nil {
			return err
		}
		return s.removePolicy(ctx, tx, r, p, book)
	})
	return p, err
}

func (s *Service) removePolicy(ctx context.Context, tx ledger.Tx, r *registry.Server, p *registry.Policy, book func(audit.Record) error) error {
	all, err := s.all(ctx, tx)
	if err != nil {
		return err
	}
	if now := all.server(p.Server); now != nil {
		r = now
	}
	var names []string
	for i := range all.grants {
		if g := &all.grants[i]; g.Policy == p.ID && g.RevokedAt.IsZero() {
			names = append(names, g.Name)
		}
	}
	if len(names) > 0 {
		return fault.New(fault.InUse, "policy %s still decides for %s", p.Name, few(names)).With("grants", names).
			WithFix("attach another policy to them: `sluice grant attach %s/NAME POLICY`", r.Name)
	}
	if r.Settings.Policy == p.Name {
		return fault.New(fault.InUse, "every call on server %s has to pass policy %s", r.Name, p.Name).WithFix("take `policy` out of the server's settings first")
	}
	v, err := tx.Registry().Version(ctx, p.ID, p.Version)
	if err != nil {
		return err
	}
	p.DeletedAt, p.UpdatedAt = moment(tx), moment(tx)
	if err := tx.Registry().PutPolicy(ctx, p, p.Version); err != nil {
		return err
	}
	return book(audit.Record{Op: "policy.remove", Object: p.ID, Before: policyDigest(p, v.Hash)})
}

// policyDigest is what the log says of a policy as it was or is: version, mode, and the
// beginning of the hash of the document.
func policyDigest(p *registry.Policy, hash string) string {
	return digest([]any{p.Name, p.Version, p.Mode, hash})
}
