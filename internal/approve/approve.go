package approve

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/registry"
	"sluice/internal/tenant"
)

// Options builds a Service.
type Options struct {
	Store  enforce.Store
	Ledger ledger.Store // members, and the audit log
	Keys   Keys
	Caller tenant.Caller
	// Open decrypts the arguments of an approval, OpenCall those kept of a call. Nil:
	// nobody sees any.
	Open, OpenCall func(sealed []byte) ([]byte, error)
	// Place is the server a call is for: its name and how its calls are approved. Nil, or
	// an error: the id is all there is, and nobody is told.
	Place func(ctx context.Context, workspace, server string) (Place, error)
	// GrantName is how people call a grant; nil, or an error: by its id.
	GrantName func(ctx context.Context, id string) (string, error)
	// Over reports whether an approval can't be used any more, since its grant or its server
	// has ended. Nil: none is looked at.
	Over func(ctx context.Context, a *enforce.Approval) (bool, error)
	// ActsFor is the member that a grant acts for, if any. Nil: none does.
	ActsFor func(ctx context.Context, grant string) (user string, err error)
	// Charges is what a call would take from its limits under the policy in force. Nil:
	// approvers see no headroom.
	Charges func(ctx context.Context, a *enforce.Approval, arguments []byte) ([]enforce.Charge, error)
	// Risk is the kind of risk a tool is known for; nil or empty: unknown.
	Risk func(ctx context.Context, server, tool string) string
	// Link leads to the page of one approval; nil or empty: there is none.
	Link func(approval string) string
	// Variable expands ${NAME} in webhook URLs; nil: none is known.
	Variable func(name string) (string, bool)
	// Private lets webhooks lead into private networks.
	Private bool
	Version string
	Now     func() time.Time                           // nil: time.Now
	Sleep   func(context.Context, time.Duration) error // nil: the machine's clock
	Log     *slog.Logger
}

// Keys is what secret.Keyring offers of it.
type Keys interface {
	Derive(purpose string) []byte
}

// Place is a server as those who decide know it.
type Place struct {
	Name      string
	Approvals registry.Approvals

	known bool
}

// Service is the approvals and calls of one installation.
type Service struct {
	o      Options
	caller tenant.Caller
	queue  *queue
}

// New returns a service.
func New(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = rest
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.OpenCall == nil {
		o.OpenCall = o.Open
	}
	return &Service{o: o, caller: o.Caller, queue: newQueue(o)}
}

// As returns the service as another caller meets it.
func (s *Service) As(c tenant.Caller) *Service {
	as := *s
	as.caller = c
	return &as
}

// workspace is what the caller sees: everything on this machine, the own workspace
// over a token.
func (s *Service) workspace() string {
	if s.caller.Type == tenant.LocalCaller {
		return ""
	}
	return s.caller.Workspace
}

// sees reports whether something of a workspace is there for the caller.
func (s *Service) sees(workspace string) bool {
	return s.caller.Type == tenant.LocalCaller || workspace == s.caller.Workspace
}

// reads checks that the caller may look.
func (s *Service) reads() error {
	return tenant.Permit(s.caller, tenant.Need{Scope: tenant.Read, Role: tenant.Viewer}, tenant.Facts{})
}

// person is the member who acts, also behind a token.
func (s *Service) person() string {
	if s.caller.User != "" {
		return s.caller.User
	}
	return s.caller.Type + ":" + s.caller.ID
}

// book writes one record of its own.
func (s *Service) book(ctx context.Context, r audit.Record) error {
	r.Actor, r.Via, r.AppVersion = audit.Actor{Type: s.caller.Type, ID: s.caller.ID}, s.caller.Via, s.o.Version
	err := s.o.Ledger.Do(ctx, func(tx ledger.Tx) error {
		_, err := tx.Audit().Append(ctx, tx.Now(), r)
		return err
	})
	if err != nil {
		return fault.New(fault.AuditUnavailable, "the audit log can't be written; nothing was changed").Wrap(err)
	}
	return nil
}

// place is a server as far as it is known.
func (s *Service) place(ctx context.Context, workspace, server string) Place {
	if s.o.Place == nil {
		return Place{Name: server}
	}
	p, err := s.o.Place(ctx, workspace, server)
	if err != nil {
		return Place{Name: server}
	}
	p.known = true
	if p.Name == "" {
		p.Name = server
	}
	return p
}

// failed gives what a store said its fault.
func failed(err error, id string) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, enforce.ErrNotFound):
		return fault.New(fault.NotFound, "there is no approval %s in this workspace", printable(id)).WithFix("see `sluice approvals list`")
	case errors.Is(err, enforce.ErrDecided):
		return fault.New(fault.ApprovalDecided, "approval %s was decided meanwhile", printable(id))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	}
	if _, ok := fault.As(err); ok {
		return err
	}
	return fault.New(fault.StoreUnavailable, "the gateway's store does not answer").Wrap(err)
}

// maxReason bounds what a person may say, in bytes.
const maxReason = 500

func checkReason(reason string, needed bool) error {
	switch {
	case reason == "" && !needed:
		return nil
	case reason == "":
		return fault.New(fault.Usage, "a denial needs a reason: the agent reads it, and it goes into the audit log").WithFix("pass --reason TEXT")
	case len(reason) > maxReason:
		return fault.New(fault.Usage, "a reason has at most %d bytes", maxReason)
	case printable(reason) != reason:
		return fault.New(fault.Usage, "a reason has no control or invisible characters")
	}
	return nil
}

func rest(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
