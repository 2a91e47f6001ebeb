package approve

import (
	"context"
	"errors"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

// The operations of the audit log.
const (
	opDecide   = "approval.decide"
	opEscalate = "approval.escalate"
	opExpire   = "approval.expire"
)

// Decide approves or denies a call that waits. The record comes first: a decision that
// can't be recorded is not made. When somebody else turns out to have been faster, a
// second record says that this one had no effect.
func (s *Service) Decide(ctx context.Context, id string, approve bool, reason string) (*Item, error) {
	if err := checkReason(reason, !approve); err != nil {
		return nil, err
	}
	a, err := s.get(ctx, id)
	if err != nil {
		return nil, err
	}
	at := s.place(ctx, a.Workspace, a.Server)
	if err := s.may(ctx, a, at); err != nil {
		return nil, err
	}
	switch {
	case a.State == enforce.Expired || a.State == enforce.Pending && !s.o.Now().Before(a.ExpiresAt):
		return nil, fault.New(fault.ApprovalDecided, "approval %s expired at %s", a.ID, a.ExpiresAt.UTC().Format(time.RFC3339)).
			WithFix("the agent may call again, which asks anew")
	case a.State != enforce.Pending:
		return nil, fault.New(fault.ApprovalDecided, "approval %s is %s already", a.ID, a.State).With("state", string(a.State))
	}
	said := enforce.DeniedBy
	if approve {
		said = enforce.Approved
	}
	r := audit.Record{Op: opDecide, Object: a.ID, Result: string(said), Reason: reason}
	if err := s.book(ctx, r); err != nil {
		return nil, err
	}
	decided, err := s.o.Store.Decide(ctx, enforce.Decision{ID: a.ID, Approve: approve, By: s.person(), Via: s.caller.Via, Reason: reason})
	if err != nil {
		r.Result, r.Reason, r.ErrorCode = "no effect", "", string(fault.CodeOf(failed(err, id)))
		// The decision did not happen: that its record can't be corrected changes nothing.
		if berr := s.book(context.WithoutCancel(ctx), r); berr != nil {
			s.o.Log.Error("the audit log says that an approval was decided, which it was not", "approval", a.ID, "error", berr)
		}
		return nil, failed(err, id)
	}
	s.Notify(Decided, decided)
	item := s.item(ctx, decided, at)
	return &item, nil
}

// Ambiguous lists calls whose outcome is not known, newest first: what they took from
// their limits stays used until somebody looked.
func (s *Service) Ambiguous(ctx context.Context, limit int) ([]enforce.Reservation, error) {
	if err := s.reads(); err != nil {
		return nil, err
	}
	most := limit
	if s.workspace() != "" && limit > 0 {
		most = max(limit, maxWaiting) // those of other workspaces among them are left out
	}
	all, err := s.o.Store.Ambiguous(ctx, most)
	if err != nil {
		return nil, failed(err, "")
	}
	list := make([]enforce.Reservation, 0, len(all))
	for i := range all {
		mine, err := s.called(ctx, all[i].Request)
		if err != nil {
			return nil, err
		}
		if mine {
			list = append(list, all[i])
		}
		if limit > 0 && len(list) == limit {
			break
		}
	}
	return list, nil
}

// Release gives back what an ambiguous call took, after an admin found out that it was
// not done.
func (s *Service) Release(ctx context.Context, request, reason string) error {
	if err := s.administers("releasing a limit"); err != nil {
		return err
	}
	if reason == "" {
		return fault.New(fault.Usage, "a release needs a reason: it goes into the audit log").WithFix("say how you know that the call was not done")
	}
	if err := checkReason(reason, true); err != nil {
		return err
	}
	gone := fault.New(fault.NotFound, "no call %s is ambiguous in this workspace", printable(request)).WithFix("see `sluice limits ambiguous`")
	if mine, err := s.called(ctx, request); err != nil || !mine {
		return errors.Join(err, gone)
	}
	// The store records it, in the step that gives it back.
	err := s.o.Store.Release(ctx, request, s.person(), reason)
	if errors.Is(err, enforce.ErrNotFound) {
		return gone
	}
	return failed(err, request)
}

// called reports whether a call belongs to a workspace that the caller sees.
func (s *Service) called(ctx context.Context, request string) (bool, error) {
	if s.workspace() == "" {
		return true, nil
	}
	calls, err := s.o.Store.Calls(ctx, enforce.CallFilter{Workspace: s.workspace(), Request: request, Limit: 1})
	return err == nil && len(calls) > 0, failed(err, request)
}
