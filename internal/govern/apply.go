package govern

import (
	"context"
	"errors"

	"sluice/internal/audit"
	"sluice/internal/ledger"
	"sluice/internal/registry"
)

// Application is what applying a manifest does, or did.
type Application struct {
	Name    string `json:"name"`
	Prune   bool   `json:"prune"`
	Applied bool   `json:"applied"`
	// Confirm is what Apply asks for; empty when nothing would change.
	Confirm   string        `json:"confirm,omitempty"`
	Changes   []ApplyChange `json:"changes"`
	Unchanged int           `json:"unchanged"`
	// Left are objects that the files owned once and don't have any more; they stay until
	// they are pruned.
	Left []string `json:"left"`
	// Tokens are those of new grants, shown this once.
	Tokens []GrantToken `json:"tokens,omitempty"`
}

// ApplyChange is what becomes of one object.
type ApplyChange struct {
	Action string `json:"action"` // create, change, adopt (it was edited elsewhere), remove
	Kind   string `json:"kind"`   // server, policy, grant
	Object string `json:"object"` // NAME or SERVER/NAME
	// Differences are by key; what may hold a secret is named without its value.
	Differences []Difference  `json:"differences,omitempty"`
	Version     int           `json:"version,omitempty"` // of a policy, that it would be at
	Mode        registry.Mode `json:"mode,omitempty"`
	Replay      *Replayed     `json:"replay,omitempty"`
	Before      string        `json:"before,omitempty"` // digests
	After       string        `json:"after,omitempty"`

	plan *policyPlan
}

// GrantToken is the token of a new grant.
type GrantToken struct {
	Grant string `json:"grant"` // SERVER/NAME
	ID    string `json:"id"`
	Token string `json:"token"`
}

// The actions of ApplyChange.
const (
	created = "create"
	altered = "change"
	adopted = "adopt"
	dropt   = "remove"
)

// errPreviewed ends a transaction that was only to show what it would do.
var errPreviewed = errors.New("previewed")

// PreviewApply says what applying a manifest would do. It is found out by doing it, in a
// transaction that is then rolled back: what can't be done fails here.
func (s *Service) PreviewApply(ctx context.Context, m *Manifest, prune bool) (*Application, error) {
	if err := s.mayApply(m); err != nil {
		return nil, err
	}
	a := &applier{s: s, m: m, prune: prune}
	err := s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		return errors.Join(a.run(ctx, tx, book), errPreviewed)
	})
	if a.err != nil {
		return nil, a.err
	}
	if !errors.Is(err, errPreviewed) {
		return nil, err
	}
	a.out.Tokens = nil // of grants that are not there
	if s.o.Replayer == nil {
		return a.out, nil
	}
	for i := range a.out.Changes {
		c := &a.out.Changes[i]
		if c.plan == nil || len(c.plan.affected) == 0 {
			continue
		}
		r := Replay{Workspace: s.o.Caller.Workspace, Server: c.plan.server.ID, Policy: c.plan.old.ID, Document: c.plan.document, Observe: c.Mode == registry.Observe}
		for _, g := range c.plan.affected {
			r.Grants = append(r.Grants, g.ID)
		}
		if c.Replay, err = s.o.Replayer.Replay(ctx, r); err != nil {
			return nil, err
		}
	}
	return a.out, nil
}

// Apply makes the registry what the files say, all of it or nothing, if that is what a
// preview showed.
func (s *Service) Apply(ctx context.Context, m *Manifest, prune bool, confirm string) (*Application, error) {
	if err := s.mayApply(m); err != nil {
		return nil, err
	}
	a := &applier{s: s, m: m, prune: prune}
	err := s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		if err := a.run(ctx, tx, book); err != nil {
			return err
		}
		if len(a.out.Changes) == 0 {
			return errPreviewed // nothing to do, nothing to book
		}
		if err := confirmed(confirm, a.out.Confirm); err != nil {
			return err
		}
		return book(audit.Record{Op: "apply", Object: a.owner, After: a.out.Confirm, Result: a.summary()})
	})
	if errors.Is(err, errPreviewed) {
		return a.out, nil
	}
	if err != nil {
		return nil, err
	}
	a.out.Applied = true
	for _, c := range a.cancel {
		err = errors.Join(err, s.cancel(ctx, c))
	}
	return a.out, err
}

// mayApply asks for what the objects of a manifest ask for one by one.
func (s *Service) mayApply(m *Manifest) error {
	if len(m.Servers) > 0 {
		if err := s.administers(); err != nil {
			return err
		}
	}
	return s.governs()
}
