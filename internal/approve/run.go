package approve

import (
	"context"
	"time"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/tenant"
)

// tick is how often silence is looked at.
const tick = time.Second

// Run escalates and expires what nobody decided, and tells people, until the context
// ends. Every process that serves may run it: each approval comes to one of them.
func (s *Service) Run(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.deliver(ctx)
	}()
	defer func() { <-done }()
	for round := 0; ; round++ {
		s.Step(ctx)
		if round%sweepEvery == 0 {
			s.sweep(ctx)
		}
		if s.o.Sleep(ctx, tick) != nil {
			return nil
		}
	}
}

// Step does once what Run does every second.
func (s *Service) Step(ctx context.Context) {
	clock := s.As(tenant.Caller{Type: tenant.ScheduleCaller, ID: "approvals", Workspace: s.caller.Workspace, Via: tenant.ScheduleCaller})
	moved := func(list []enforce.Approval, err error, event, op string) {
		if err != nil && ctx.Err() == nil {
			s.o.Log.Warn("approvals were not looked at; the next round tries again", "op", op, "error", err)
		}
		for i := range list {
			a := &list[i]
			// The store has moved it; a record that fails is made up for by the log's next
			// state of the same approval, and nobody waits for it.
			if err := clock.book(ctx, audit.Record{Op: op, Object: a.ID, Result: string(a.State)}); err != nil {
				s.o.Log.Error("the audit log lacks a step of an approval", "op", op, "approval", a.ID, "error", err)
			}
			s.Notify(event, a)
		}
	}
	list, err := s.o.Store.Expire(ctx)
	moved(list, err, Decided, opExpire)
	list, err = s.o.Store.Escalate(ctx)
	moved(list, err, Escalated, opEscalate)
}
