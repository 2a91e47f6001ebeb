// Package writeback turns records into plans and plans into deliveries: preview,
// dry run, confirm.
//
// Its guarantees: preview sends nothing; confirm sends a subset of what was
// previewed, byte for byte, and never an event that the ledger already holds; the
// same confirm, repeated, sends nothing more; every record of the input ends in
// exactly one visible state. Its limit: Meta has no idempotency for requests, so an
// answer that is lost is followed by the same bytes again inside Meta's own
// deduplication window, and by a person's decision outside it.
package writeback

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"path/filepath"
	"time"

	"sluice/internal/audit"
	"sluice/internal/deliver"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/tenant"
)

// Options builds a Service.
type Options struct {
	Store    ledger.Store
	Keys     *secret.Keyring
	StateDir string
	Now      func() time.Time                           // time.Now when nil
	Sleep    func(context.Context, time.Duration) error // a timer when nil
	Connect  Connector
	Double   func(dataset string) (Destination, error) // the in-process sandbox of an offline dry run
	Caller   tenant.Caller
	Profile  string // tenant.Default when empty
	Version  string // of the program, for the audit log
	Anchors  Anchors
	Log      *slog.Logger
	Lease    time.Duration // of a batch, on a shared store; deliver.LeaseTime when zero
}

// Target is where a plan goes.
type Target struct{ Profile, Realm, Dataset string }

// Connector opens the way to a target, with the credential that belongs to it.
type Connector func(context.Context, Target) (Destination, error)

// Service runs the three steps over one state directory.
type Service struct {
	store   ledger.Store
	keys    *secret.Keyring
	state   string
	now     func() time.Time
	sleep   func(context.Context, time.Duration) error
	connect Connector
	double  func(string) (Destination, error)
	caller  tenant.Caller
	profile string
	version string
	anchors Anchors
	log     *slog.Logger
	lease   time.Duration
	hosts   *deliver.Hosts
	waiting *waiting // what Work remembers between calls
}

// New returns a service.
func New(o Options) *Service {
	s := &Service{store: o.Store, keys: o.Keys, state: o.StateDir, now: o.Now, sleep: o.Sleep, connect: o.Connect, double: o.Double, caller: o.Caller, profile: o.Profile, version: o.Version, log: o.Log, lease: o.Lease, hosts: deliver.NewHosts(), waiting: newWaiting()}
	s.anchors = o.Anchors
	if s.now == nil {
		s.now = time.Now
	}
	if s.profile == "" {
		s.profile = tenant.Default
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.sleep == nil {
		s.sleep = func(ctx context.Context, d time.Duration) error {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	return s
}

// As returns the service as another caller meets it.
func (s *Service) As(c tenant.Caller) *Service {
	as := *s
	as.caller = c
	return &as
}

// In returns the service of another profile.
func (s *Service) In(profile string) *Service {
	in := *s
	if in.profile = profile; profile == "" {
		in.profile = tenant.Default
	}
	return &in
}

// Through returns the service with another way to Meta.
func (s *Service) Through(connect Connector) *Service {
	through := *s
	through.connect = connect
	return &through
}

// actor is the caller as the audit log names it.
func (s *Service) actor() audit.Actor { return audit.Actor{Type: s.caller.Type, ID: s.caller.ID} }

func (s *Service) dir(name string) string { return filepath.Join(s.state, name) }

// PlanView is a plan as it is shown.
type PlanView struct {
	ID        string           `json:"plan_id"`
	Hash      string           `json:"plan_hash"`
	Profile   string           `json:"profile"`
	Dataset   string           `json:"dataset"`
	Realm     string           `json:"realm"` // meta, or one sandbox
	State     ledger.PlanState `json:"state"`
	CreatedAt time.Time        `json:"created_at"`
	ExpiresAt time.Time        `json:"expires_at"`
	Rehearsed time.Time        `json:"rehearsed_at,omitzero"`
	Events    int              `json:"events"`
	Summary   *Summary         `json:"summary"`
}

// Plan returns a plan by id.
func (s *Service) Plan(ctx context.Context, id string) (*PlanView, error) {
	p, err := s.plan(ctx, id)
	if err != nil {
		return nil, err
	}
	return viewOf(p)
}

func viewOf(p *ledger.Plan) (*PlanView, error) {
	v := &PlanView{
		ID: p.ID, Hash: p.Hash, Profile: p.Profile, Dataset: p.Dataset, Realm: p.Realm, State: p.State, CreatedAt: p.CreatedAt,
		ExpiresAt: p.ExpiresAt, Rehearsed: p.RehearsedAt, Events: p.Events, Summary: newSummary(),
	}
	if err := json.Unmarshal(p.Summary, v.Summary); err != nil {
		return nil, err
	}
	return v, nil
}

func (s *Service) plan(ctx context.Context, id string) (*ledger.Plan, error) {
	var p *ledger.Plan
	err := s.store.View(ctx, func(tx ledger.Tx) (err error) {
		p, err = tx.Plans().ByID(ctx, id)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, fault.New(fault.PlanNotFound, "no plan %s in %s", id, s.state)
	}
	return p, err
}

// Plans lists the newest plans.
func (s *Service) Plans(ctx context.Context, limit int) ([]PlanView, error) {
	var views []PlanView
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		list, err := tx.Plans().List(ctx, limit)
		if err != nil {
			return err
		}
		for i := range list {
			v, err := viewOf(&list[i])
			if err != nil {
				return err
			}
			views = append(views, *v)
		}
		return nil
	})
	return views, err
}

// Rejects calls fn for the rejects of a plan (all plans when id is empty).
func (s *Service) Rejects(ctx context.Context, id, code string, fn func(*ledger.Reject) error) error {
	f := ledger.RejectFilter{Code: code}
	if id != "" {
		p, err := s.plan(ctx, id)
		if err != nil {
			return err
		}
		f.Plan = p.No
	}
	return s.store.View(ctx, func(tx ledger.Tx) error { return tx.Rejects().Each(ctx, f, fn) })
}
