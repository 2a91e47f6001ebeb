package journal

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"time"

	"sluice/internal/enforce"
	"sluice/internal/ids"
)

// Park implements enforce.Store.
func (s *Store) Park(ctx context.Context, p *enforce.Parking) (a *enforce.Approval, err error) {
	stored := false
	err = s.do(ctx, func(g *group) error {
		if g.behind.Load() {
			return errBehind
		}
		if !storable(&p.Approval) {
			return errTooLong
		}
		light := *p
		light.Approval.Arguments = nil // they are kept in a file of their own
		var err error
		a, stored, err = g.st.book.Park(g.at, ids.New("apr", g.at), &light)
		if err != nil || !stored {
			return err
		}
		if err := g.sealed(a.ID, p.Approval.Arguments); err != nil {
			g.broken = err // the book holds it already
			return err
		}
		call := p.Call
		call.Approval = a.ID
		start := g.emit(kindPark)
		g.buf = appendCall(g.buf, &call)
		return g.approval(start, a)
	})
	switch {
	case err != nil:
		return nil, err
	case stored:
		a.Arguments = bytes.Clone(p.Approval.Arguments)
	default:
		s.attach(a)
	}
	return a, nil
}

// approval ends a record with an approval as it now stands.
func (g *group) approval(start int, a *enforce.Approval) error {
	b, err := appendApproval(g.buf, a)
	if err != nil {
		g.broken = err
		return err
	}
	g.buf = b
	g.done(start)
	g.st.moves++
	if a.State.Terminal() {
		g.ended(a.ID)
	}
	return nil
}

func (g *group) ended(id string) {
	g.st.moves++
	g.wipes = append(g.wipes, id)
}

func (g *group) move(list []enforce.Approval) error {
	for i := range list {
		if err := g.approval(g.emit(kindMove), &list[i]); err != nil {
			return err
		}
	}
	return nil
}

// Decide implements enforce.Store.
func (s *Store) Decide(ctx context.Context, d enforce.Decision) (a *enforce.Approval, err error) {
	err = s.do(ctx, func(g *group) error {
		var err error
		if a, err = g.st.book.Decide(g.at, &d); err != nil {
			return err
		}
		return g.move([]enforce.Approval{*a})
	})
	if err == nil {
		s.attach(a)
	}
	return a, err
}

// Cancel implements enforce.Store.
func (s *Store) Cancel(ctx context.Context, c enforce.Cancellation) (int, error) {
	list, err := s.moved(ctx, func(g *group) []enforce.Approval { return g.st.book.Cancel(g.at, &c) })
	return len(list), err
}

// Escalate implements enforce.Store.
func (s *Store) Escalate(ctx context.Context) ([]enforce.Approval, error) {
	return s.moved(ctx, func(g *group) []enforce.Approval { return g.st.book.Escalate(g.at) })
}

// Expire implements enforce.Store.
func (s *Store) Expire(ctx context.Context) ([]enforce.Approval, error) {
	return s.moved(ctx, func(g *group) []enforce.Approval { return g.st.book.Expire(g.at) })
}

func (s *Store) moved(ctx context.Context, change func(*group) []enforce.Approval) (list []enforce.Approval, err error) {
	err = s.do(ctx, func(g *group) error {
		list = change(g)
		return g.move(list)
	})
	if err != nil {
		return nil, err
	}
	return list, nil
}

// Approval implements enforce.Store.
func (s *Store) Approval(ctx context.Context, id string) (*enforce.Approval, error) {
	a, err := s.approval(ctx, id)
	if err == nil {
		s.attach(a)
	}
	return a, err
}

// approval is one without its arguments, which may be long.
func (s *Store) approval(ctx context.Context, id string) (a *enforce.Approval, err error) {
	err = s.do(ctx, func(g *group) error {
		if a = g.st.book.Approval(id); a == nil {
			return enforce.ErrNotFound
		}
		return nil
	})
	return a, err
}

// Approvals implements enforce.Store.
func (s *Store) Approvals(ctx context.Context, f enforce.ApprovalFilter) (list []enforce.Approval, err error) {
	err = s.do(ctx, func(g *group) error {
		list = g.st.book.Approvals(&f)
		return nil
	})
	return list, err
}

// watchEvery is how often somebody who waits looks whether another process wrote.
const watchEvery = 75 * time.Millisecond

// Await implements enforce.Store.
func (s *Store) Await(ctx context.Context, id string) (*enforce.Approval, error) {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		s.mu.Lock()
		changed := s.changed
		s.mu.Unlock()
		a, err := s.approval(ctx, id)
		if err != nil {
			return nil, err
		}
		if a.State != enforce.Pending {
			s.attach(a)
			return a, nil
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-s.ctx.Done():
				return nil, errClosed
			case <-changed:
				waiting = false
			case <-tick.C:
				waiting = !s.grown()
			}
		}
	}
}

// grown reports whether the journal is longer than it was when it was last read.
func (s *Store) grown() bool {
	info, err := os.Stat(journalPath(s.o.Dir, s.seenGen.Load()))
	return err != nil || info.Size() != s.seenEnd.Load()
}

// sealed stores the sealed arguments of a call that waits.
func (g *group) sealed(id string, arguments []byte) error {
	if len(arguments) == 0 {
		return nil
	}
	return os.WriteFile(filepath.Join(g.o.Dir, approvalDir, id), arguments, 0o600)
}

// attach reads the sealed arguments of an approval that has not ended.
func (s *Store) attach(a *enforce.Approval) {
	if a.State.Terminal() {
		return
	}
	if b, err := s.read(filepath.Join(s.o.Dir, approvalDir, a.ID)); err == nil && len(b) > 0 {
		a.Arguments = b
	}
}

func wipe(dir, id string) { _ = os.Remove(filepath.Join(dir, approvalDir, id)) }

// unwiped removes sealed arguments that nothing waits for any more: their process died
// before it could. What is a minute young may belong to a call that is just being parked.
func (s *Store) unwiped(ctx context.Context) error {
	list, err := os.ReadDir(filepath.Join(s.o.Dir, approvalDir))
	if err != nil || len(list) == 0 {
		return err
	}
	live := map[string]bool{}
	err = s.do(ctx, func(g *group) error {
		for id, a := range g.st.book.AllApprovals() {
			if !a.State.Terminal() {
				live[id] = true
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, e := range list {
		if info, err := e.Info(); err == nil && !live[e.Name()] && time.Since(info.ModTime()) > time.Minute {
			wipe(s.o.Dir, e.Name())
		}
	}
	return nil
}
