package writeback

import (
	"context"
	"time"

	"sluice/internal/fault"
)

// Sleep waits as the service does, with the clock it was given.
func (s *Service) Sleep(ctx context.Context, d time.Duration) error { return s.sleep(ctx, d) }

// exclusiveStep is how often somebody who waits looks again.
const exclusiveStep = 200 * time.Millisecond

// Exclusive keeps a kind of work to one process of this state directory; others wait
// for it, as long as wait. Where several machines share the store nobody waits: the
// work itself is leased.
func (s *Service) Exclusive(ctx context.Context, name string, wait time.Duration) (release func(), err error) {
	if s.store.Shared() {
		return func() {}, nil
	}
	for waited := time.Duration(0); ; waited += exclusiveStep {
		l, err := s.lock(name)
		if err == nil {
			return l.release, nil
		}
		if fault.CodeOf(err) != fault.IdempotencyInProgress {
			return nil, err
		}
		if waited >= wait {
			busy := fault.New(fault.IdempotencyInProgress, "another process is at work on this state directory").WithFix("it does what is due; run this again when it is through")
			busy.RetryAfter = 30
			return nil, busy
		}
		if err := s.sleep(ctx, exclusiveStep); err != nil {
			return nil, err
		}
	}
}
