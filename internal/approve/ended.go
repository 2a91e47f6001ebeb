package approve

import (
	"context"

	"sluice/internal/enforce"
)

// sweepEvery is how many rounds of Run lie between two looks for approvals that nobody
// can use any more.
const sweepEvery = 5

// sweep cancels what waits for a grant that has ended or a server that is gone. Revoking
// does that itself; a call that came before every process knew of it, and a grant whose
// time is over, leave something.
func (s *Service) sweep(ctx context.Context) {
	if s.o.Over == nil {
		return
	}
	known := map[[2]string]bool{}
	for _, state := range []enforce.State{enforce.Pending, enforce.Approved} {
		list, err := s.o.Store.Approvals(ctx, enforce.ApprovalFilter{State: state, Limit: maxSwept})
		for i := range list {
			a := &list[i]
			of := [2]string{a.Grant, a.Server}
			if known[of] {
				continue
			}
			known[of] = true
			over := false
			if over, err = s.o.Over(ctx, a); err == nil && over {
				_, err = s.o.Store.Cancel(ctx, enforce.Cancellation{Workspace: a.Workspace, Grant: a.Grant, Server: a.Server, Reason: "the grant or its server has ended"})
			}
			if err != nil {
				break
			}
		}
		if err != nil {
			if ctx.Err() == nil {
				s.o.Log.Warn("approvals of grants that ended were not looked for; a later round tries again", "error", err)
			}
			return
		}
	}
}

// maxSwept bounds one look; what is older than that many comes when those are over.
const maxSwept = 1000
