package govern

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"sluice/internal/audit"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/policy"
)

// PolicyChange is what to make of a policy.
type PolicyChange struct {
	Server string `json:"server"`
	Name   string `json:"name"`
	// Document replaces the one in force; empty: it stays.
	Document json.RawMessage `json:"document,omitempty"`
	// Rollback makes a new version with the document of an old one.
	Rollback int `json:"rollback,omitempty"`
	// Mode is enforce or observe; empty: it stays (a new policy enforces).
	Mode registry.Mode `json:"mode,omitempty"`
}

// PolicyPreview is what a change would do.
type PolicyPreview struct {
	Server string `json:"server"`
	Name   string `json:"name"`
	// Confirm is what Set asks for; empty when the document has errors, or when there is
	// nothing to change.
	Confirm   string          `json:"confirm,omitempty"`
	New       bool            `json:"new"`
	Unchanged bool            `json:"unchanged"`
	Version   int             `json:"version"` // in force; 0: none
	Next      int             `json:"next"`    // that would be
	Mode      registry.Mode   `json:"mode"`    // that would be
	OldMode   registry.Mode   `json:"old_mode,omitempty"`
	Hash      string          `json:"hash,omitempty"` // of the document that would be
	Document  json.RawMessage `json:"document,omitempty"`
	Portable  bool            `json:"portable"`
	Faults    []policy.Fault  `json:"faults"`
	// Differences are those to the version in force.
	Differences []Difference `json:"differences"`
	Grants      []string     `json:"grants"` // names of the live grants whose calls it judges
	Replay      *Replayed    `json:"replay,omitempty"`
}

// PreviewPolicy says what a change would do and gives the hash to confirm it with.
func (s *Service) PreviewPolicy(ctx context.Context, c PolicyChange) (*PolicyPreview, error) {
	var plan *policyPlan
	err := s.view(ctx, func(tx ledger.Tx) (err error) {
		plan, err = s.planPolicy(ctx, tx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	v := plan.view
	// A replay is told to those who may make the change alone: by many documents it would
	// tell what was in the arguments of calls.
	if s.o.Replayer != nil && plan.document != nil && !v.Unchanged && len(plan.affected) > 0 && s.governs() == nil {
		r := Replay{Workspace: s.o.Caller.Workspace, Server: plan.server.ID, Policy: plan.old.ID, Document: plan.document, Observe: v.Mode == registry.Observe}
		for i := range plan.affected {
			r.Grants = append(r.Grants, plan.affected[i].ID)
		}
		if v.Replay, err = s.o.Replayer.Replay(ctx, r); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// policyPlan is a change that was looked at inside a transaction.
type policyPlan struct {
	view     *PolicyPreview
	server   *registry.Server
	old      registry.Policy // as it is; without an id when it is new
	oldHash  string
	document *policy.Document // nil when it has errors
	affected []registry.Grant
	rollback int
}

func (s *Service) planPolicy(ctx context.Context, tx ledger.Tx, c PolicyChange) (*policyPlan, error) {
	if err := c.check(); err != nil {
		return nil, err
	}
	r, err := s.server(ctx, tx, c.Server)
	if err != nil {
		return nil, err
	}
	p := &policyPlan{server: r, view: &PolicyPreview{Server: r.Name, Name: c.Name, Faults: []policy.Fault{}, Differences: []Difference{}, Grants: []string{}}}
	v := p.view
	raw, oldDocument := c.Document, json.RawMessage(nil)
	old, err := tx.Registry().PolicyNamed(ctx, r.ID, c.Name)
	switch {
	case errors.Is(err, ledger.ErrNotFound) && len(c.Document) == 0:
		return nil, fault.New(fault.NotFound, "server %s has no policy %s", r.Name, c.Name).WithFix("make it: `sluice policy set %s %s FILE`", r.Name, c.Name)
	case errors.Is(err, ledger.ErrNotFound):
		v.New, v.Mode = true, registry.Enforce
		p.old = registry.Policy{Server: r.ID, Name: c.Name}
	case err != nil:
		return nil, err
	default:
		in, err := tx.Registry().Version(ctx, old.ID, old.Version)
		if err != nil {
			return nil, err
		}
		p.old, p.oldHash, oldDocument = *old, in.Hash, in.Document
		v.Version, v.OldMode, v.Mode = old.Version, old.Mode, old.Mode
		if len(raw) == 0 {
			raw = in.Document
		}
		if c.Rollback > 0 {
			to, err := version1(ctx, tx, old, c.Rollback)
			if err != nil {
				return nil, err
			}
			raw, p.rollback = to.Document, c.Rollback
		}
	}
	if c.Mode != "" {
		v.Mode = c.Mode
	}
	all, err := s.all(ctx, tx)
	if err != nil {
		return nil, err
	}
	p.affected = all.affected(&p.old)
	for i := range p.affected {
		v.Grants = append(v.Grants, p.affected[i].Name)
	}
	p.judge(raw, oldDocument)
	return p, nil
}

// judge fills in what the document makes of the change.
func (p *policyPlan) judge(raw, oldDocument json.RawMessage) {
	v := p.view
	document, faults := policy.Parse(raw)
	if faults != nil {
		v.Faults = faults
	}
	if document == nil {
		v.Next = v.Version + 1
		return
	}
	p.document = document
	v.Document, v.Portable = document.Canonical(), document.Portable()
	sum := sha256.Sum256(v.Document)
	v.Hash = hex.EncodeToString(sum[:])
	v.Next = v.Version
	if v.Hash != p.oldHash {
		v.Next++
		v.Differences = Diff(oldDocument, v.Document)
	}
	v.Unchanged = !v.New && v.Hash == p.oldHash && v.Mode == v.OldMode
	if !v.Unchanged {
		v.Confirm = p.confirm()
	}
}

// confirm is the hash over what is in force and what would be.
func (p *policyPlan) confirm() string {
	v := p.view
	return digest([]any{"policy", p.server.ID, p.old.ID, v.Name, v.Version, p.oldHash, v.OldMode, v.Hash, v.Mode, p.old.ManagedBy})
}

func (c *PolicyChange) check() error {
	if err := checkName("policy", c.Name); err != nil {
		return err
	}
	switch {
	case c.Mode != "" && c.Mode != registry.Enforce && c.Mode != registry.Observe:
		return fault.New(fault.Usage, "the mode of a policy is enforce or observe")
	case c.Rollback < 0 || c.Rollback > 0 && len(c.Document) > 0:
		return fault.New(fault.Usage, "either a document or a version to go back to")
	case len(c.Document) == 0 && c.Rollback == 0 && c.Mode == "":
		return fault.New(fault.Usage, "nothing to change: a document, a version to go back to, or a mode")
	}
	return nil
}

// SetPolicy does what a preview showed. It is refused when something changed since, and
// when confirm is empty.
func (s *Service) SetPolicy(ctx context.Context, c PolicyChange, confirm, reason string) (v *PolicyView, err error) {
	if err := s.governs(); err != nil {
		return nil, err
	}
	if err := checkReason(reason); err != nil {
		return nil, err
	}
	err = s.change(ctx, func(tx ledger.Tx, book func(audit.Record) error) error {
		plan, err := s.planPolicy(ctx, tx, c)
		if err != nil {
			return err
		}
		if err := writable(plan.old.ManagedBy, "policy "+c.Name); err != nil {
			return err
		}
		if err := plan.usable(); err != nil {
			return err
		}
		if !plan.view.Unchanged {
			if err := confirmed(confirm, plan.view.Confirm); err != nil {
				return err
			}
			if err := s.storePolicy(ctx, tx, plan, reason, "", book); err != nil {
				return err
			}
		}
		all, err := s.all(ctx, tx)
		if err != nil {
			return err
		}
		v, err = all.viewOf(ctx, tx, &plan.old)
		return err
	})
	return v, err
}

// usable refuses a document with errors.
func (p *policyPlan) usable() error {
	if p.document != nil {
		return nil
	}
	var all []string
	for _, f := range p.view.Faults {
		if f.Fatal() {
			all = append(all, f.Pointer+": "+f.Message+" ["+f.Code+"]")
		}
	}
	return fault.New(fault.PolicyInvalid, "the document can't be used: %s", strings.Join(all, "; ")).With("faults", p.view.Faults).
		WithFix("`sluice policy validate FILE` shows each place")
}

// confirmed compares what a caller saw with what would be done now.
func confirmed(given, now string) error {
	switch given {
	case now:
		return nil
	case "":
		return fault.New(fault.ConfirmationNeeded, "the change was not confirmed").WithFix("preview it, and pass the hash that the preview shows")
	default:
		return fault.New(fault.ChangeStale, "that hash is not that of this change: something moved since it was previewed").WithFix("preview again, and confirm with the hash it shows")
	}
}

// storePolicy writes the version and puts it in force; plan.old is then what is stored.
func (s *Service) storePolicy(ctx context.Context, tx ledger.Tx, plan *policyPlan, reason, managedBy string, book func(audit.Record) error) error {
	v, now := plan.view, moment(tx)
	p := plan.old
	record := audit.Record{Op: "policy.set", Reason: reason, Result: string(v.Mode)}
	if v.New {
		p.ID, p.Workspace, p.CreatedAt = ids.New("pol", now), s.o.Caller.Workspace, now
	} else {
		record.Before = policyDigest(&p, plan.oldHash)
	}
	p.Mode, p.Version, p.UpdatedAt, p.ManagedBy = v.Mode, v.Next, now, managedBy
	if err := tx.Registry().PutPolicy(ctx, &p, v.Version); err != nil {
		if errors.Is(err, ledger.ErrLost) {
			return fault.New(fault.ChangeStale, "somebody else changed the policy just now")
		}
		return taken(err, "there is a policy %s already", p.Name)
	}
	if v.Next != v.Version {
		err := tx.Registry().AddVersion(ctx, &registry.Version{
			Policy: p.ID, Version: p.Version, Document: v.Document, Hash: v.Hash, Author: s.o.Caller.User, Via: s.o.Caller.Via,
			Reason: reason, Of: plan.rollback, CreatedAt: now,
		})
		if err != nil {
			return err
		}
	}
	plan.old = p
	record.Object, record.After = p.ID, policyDigest(&p, v.Hash)
	return book(record)
}
