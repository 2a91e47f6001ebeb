// Package govern administers who may call what over the gateway (servers, policies in
// versions, grants) and holds it ready for the gateway to judge by.
//
// Its guarantees: a policy changes only the way a preview showed it, or not at all; a
// version never changes; a grant's token is shown once and stored only as a keyed MAC;
// what files own is read-only elsewhere; every change is in the audit log, in its own
// transaction, with digests of before and after; a change is in force everywhere within
// a second. Agents' tokens change nothing, whoever their member is. Its limit: who can
// read the state directory acts as its owner.
package govern

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/secret"
	"sluice/internal/tenant"
	"sluice/policy"
)

// Options are what a Service works with.
type Options struct {
	Store   ledger.Store
	Keys    *secret.Keyring
	Caller  tenant.Caller
	Version string
	// Approvals cancels what waits for a person when its grant or server goes; nil:
	// nothing can wait here.
	Approvals Canceller
	// Replayer says what a change of a policy would have meant; nil: it is not asked.
	Replayer Replayer
	// Changed is called after a change was stored; nil: the gateway looks by itself.
	Changed func()
}

// Canceller is the part of enforce.Store that ends approvals.
type Canceller interface {
	Cancel(ctx context.Context, c enforce.Cancellation) (int, error)
}

// Replayer judges recorded calls by another policy.
type Replayer interface {
	Replay(ctx context.Context, r Replay) (*Replayed, error)
}

// Replay is what to judge anew.
type Replay struct {
	Workspace string
	Server    string   // id
	Grants    []string // ids; the calls of others don't change
	Policy    string   // id of the policy that is replaced, empty for a new one
	Document  *policy.Document
	Observe   bool // the mode that it would have
}

// Replayed is what would have become of recorded calls.
type Replayed struct {
	Since      time.Time `json:"since,omitzero"`
	Calls      int       `json:"calls"`
	Changed    int       `json:"changed"`     // would have ended otherwise
	Grants     int       `json:"grants"`      // of those calls
	CannotTell int       `json:"cannot_tell"` // their arguments were not recorded
	// Changes counts them by tool and kind ("allow→deny"), most first.
	Changes []ReplayedChange `json:"changes,omitempty"`
}

// ReplayedChange is one kind of change of one tool.
type ReplayedChange struct {
	Tool  string `json:"tool"`
	From  string `json:"from"`
	To    string `json:"to"`
	Calls int    `json:"calls"`
}

// Service administers one store on behalf of one caller.
type Service struct {
	o Options
}

// New returns a service.
func New(o Options) *Service { return &Service{o: o} }

// As returns the service as another caller meets it.
func (s *Service) As(c tenant.Caller) *Service {
	as := *s
	as.o.Caller = c
	return &as
}

// local reports whether the caller is on the machine that holds the state directory.
func (s *Service) local() bool { return s.o.Caller.Type == tenant.LocalCaller }

// looks is what reading needs.
func (s *Service) looks() error {
	return tenant.Permit(s.o.Caller, tenant.Need{Scope: tenant.Read, Role: tenant.Viewer}, tenant.Facts{})
}

// administers is what changing servers needs.
func (s *Service) administers() error {
	return tenant.Permit(s.o.Caller, tenant.Need{Scope: tenant.Write, Role: tenant.Admin}, tenant.Facts{})
}

// governs is what changing policies and grants needs: an owner, an admin, or a member
// with the flag policy, never an agent.
func (s *Service) governs() error {
	c := s.o.Caller
	if c.Policy && c.Role.Covers(tenant.Viewer) {
		if err := tenant.Permit(c, tenant.Need{Scope: tenant.Write}, tenant.Facts{}); err != nil {
			return err
		}
		if c.Agent {
			return tenant.AgentRefused()
		}
		return nil
	}
	err := s.administers()
	if f, ok := fault.As(err); ok && f.Code == fault.RoleRequired && !c.Agent {
		return fault.New(fault.RoleRequired, "changing policies and grants needs the flag policy, or the role admin").With("flag", "policy").
			WithFix("an owner or admin gives it: `sluice member set USER --policy`")
	}
	return err
}

// view runs fn over one snapshot.
func (s *Service) view(ctx context.Context, fn func(tx ledger.Tx) error) error {
	if err := s.looks(); err != nil {
		return err
	}
	return s.o.Store.View(ctx, fn)
}

// change runs fn in one transaction that no other change of the registry overlaps. What
// fn says was done is booked in it.
func (s *Service) change(ctx context.Context, fn func(tx ledger.Tx, book func(audit.Record) error) error) error {
	err := s.o.Store.Do(ctx, func(tx ledger.Tx) error {
		if err := tx.Registry().Lock(ctx); err != nil {
			return err
		}
		return fn(tx, func(r audit.Record) error { return s.book(ctx, tx, r) })
	})
	if err == nil && s.o.Changed != nil {
		s.o.Changed()
	}
	return err
}

func (s *Service) book(ctx context.Context, tx ledger.Tx, r audit.Record) error {
	r.Actor, r.Via, r.AppVersion = audit.Actor{Type: s.o.Caller.Type, ID: s.o.Caller.ID}, s.o.Caller.Via, s.o.Version
	if r.Result == "" {
		r.Result = "ok"
	}
	_, err := tx.Audit().Append(ctx, tx.Now(), r)
	return err
}

// digest names a value without saying it: the first half of the SHA-256 of its JSON.
func digest(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		panic(err) // records of the registry always encode
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:16])
}

// moment is now as it is stored, so that a digest says the same before and after.
func moment(tx ledger.Tx) time.Time { return tx.Now().UTC().Truncate(time.Millisecond) }

// missing gives a row that is not there its fault.
func missing(err error, format string, args ...any) error {
	if errors.Is(err, ledger.ErrNotFound) {
		return fault.New(fault.NotFound, format, args...)
	}
	return err
}

// listed adds where to see what there is to the fault of something that is missing.
func listed(err error, format string, args ...any) error {
	if f, ok := fault.As(err); ok && f.Code == fault.NotFound {
		return f.WithFix(format, args...)
	}
	return err
}

// taken gives a name that is not free its fault.
func taken(err error, format string, args ...any) error {
	if errors.Is(err, ledger.ErrTaken) {
		return fault.New(fault.NameTaken, format, args...)
	}
	return err
}

// checkName accepts what can stand in a path, a file name and an audit record: no
// addresses of people.
func checkName(kind, name string) error {
	ok := len(name) >= 1 && len(name) <= 64
	for i, r := range name {
		letter := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		ok = ok && (letter || i > 0 && (r == '-' || r == '_' || r == '.'))
	}
	if !ok {
		return fault.New(fault.Usage, "the name of a %s is 1 to 64 of a-z, 0-9, `-`, `_` and `.`, beginning with a letter or digit", kind)
	}
	return nil
}

// checkReason bounds what a person says about a change; it goes into the audit log.
func checkReason(text string) error {
	if len(text) > 500 {
		return fault.New(fault.Usage, "a reason has at most 500 bytes")
	}
	for _, r := range text {
		if r < ' ' || r == 0x7f {
			return fault.New(fault.Usage, "a reason is one line")
		}
	}
	return nil
}

// The owners of objects that files manage.
const (
	byConfig   = "config"
	applyOwner = "apply:"
)

// writable refuses to change what files own.
func writable(managedBy, what string) error {
	switch {
	case managedBy == "":
		return nil
	case managedBy == byConfig:
		return fault.New(fault.ManagedByFiles, "%s is owned by the configuration file and is read-only here", what).
			WithFix("change it under `mcp.servers` of sluice.yaml, and restart `sluice serve`").With("managed_by", managedBy)
	default:
		return fault.New(fault.ManagedByFiles, "%s is owned by the files of %q and is read-only here", what, managedBy[len(applyOwner):]).
			WithFix("change its file, then `sluice apply -f DIR`").With("managed_by", managedBy)
	}
}
