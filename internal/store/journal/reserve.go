package journal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/filelock"
)

// errBehind denies while the audit log takes nothing.
var errBehind = errors.New("the audit log has taken nothing from the gateway's journal for too long")

// Reserve implements enforce.Store.
func (s *Store) Reserve(ctx context.Context, r *enforce.Request) (enforce.Reply, error) {
	o := s.newOp()
	defer s.put(o)
	o.request = r
	err := s.submit(ctx, o)
	if err != nil {
		return enforce.Reply{Failed: -1}, err
	}
	return o.reply, nil
}

func (g *group) reserve(r *enforce.Request) (enforce.Reply, error) {
	none := enforce.Reply{Failed: -1}
	if g.behind.Load() {
		return none, errBehind
	}
	book := g.st.book
	if r.Call.Request == "" || book.Open(r.Call.Request) != nil {
		return none, errors.New("a call needs a request id that no other call has")
	}
	for i := range r.Charges {
		if r.Charges[i].Window <= 0 {
			return none, errors.New("a charge needs a window")
		}
	}
	if err := g.join(); err != nil {
		return none, err
	}
	reply := book.Judge(g.at, r)
	call := r.Recorded(&reply)
	if !reply.Admitted {
		start := g.emit(kindCall)
		g.buf = appendCall(g.buf, &call)
		g.done(start)
	} else {
		start := g.emit(kindAdmit)
		g.buf = appendAdmit(g.buf, &call, r.Charges, r.Approval, g.id)
		g.done(start)
		book.Take(g.at, call, r.Charges, r.Approval, g.id)
		if r.Approval != "" {
			g.ended(r.Approval)
		}
	}
	if len(r.Arguments) > 0 {
		g.kept = append(g.kept, kept{g.seq, call.Request, r.Arguments})
	}
	return reply, nil
}

// join makes the file that shows, while it is locked, that this process lives.
func (s *Store) join() error {
	if s.proc != nil {
		return nil
	}
	f, err := openFile(procPath(s.o.Dir, s.id))
	if err != nil {
		return err
	}
	if err := filelock.Try(f); err != nil {
		return errors.Join(fmt.Errorf("lock %s: %w", filepath.Base(f.Name()), err), f.Close())
	}
	s.proc = f
	return nil
}

func procPath(dir string, id uint64) string {
	return filepath.Join(dir, procDir, fmt.Sprintf("%016x", id))
}

// dead reports whether nobody holds the file of a process any more, and removes it.
func dead(dir string, id uint64) bool { return removeFree(procPath(dir, id)) }

func removeFree(path string) bool {
	f, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		return gone(err)
	}
	defer func() { _ = f.Close() }()
	if filelock.Try(f) != nil {
		return false
	}
	_ = os.Remove(f.Name())
	return true
}

// bury settles the calls of processes that died: they may have been done.
func (s *Store) bury(ctx context.Context) error {
	owners := map[uint64]bool{}
	err := s.do(ctx, func(g *group) error {
		for _, h := range g.st.book.OpenCalls() {
			if h.Owner != s.id {
				owners[h.Owner] = true
			}
		}
		return nil
	})
	for id := range owners {
		if !dead(s.o.Dir, id) {
			delete(owners, id)
		}
	}
	if err != nil || len(owners) == 0 {
		return err
	}
	n := 0
	err = s.do(ctx, func(g *group) error {
		var lost []*enforce.Held
		for _, h := range g.st.book.OpenCalls() {
			if owners[h.Owner] {
				lost = append(lost, h)
			}
		}
		for _, h := range lost {
			c := h.Call
			c.Phase, c.Settlement, c.Outcome = audit.PhaseOutcome, "ambiguous", "gateway_died"
			g.settleAs(c.Request, enforce.Ambiguous, &enforce.Settlement{Call: c, Outcome: enforce.Ambiguous}, nil)
		}
		n = len(lost)
		return nil
	})
	if err == nil && n > 0 {
		s.o.Log.Warn("calls of a process that died end ambiguous; what they took stays used", "calls", n)
	}
	return err
}

// Record implements enforce.Store.
func (s *Store) Record(ctx context.Context, calls ...audit.Call) error {
	if len(calls) == 0 {
		return nil
	}
	o := s.newOp()
	defer s.put(o)
	o.calls = calls
	return s.submit(ctx, o)
}

func (g *group) record(calls []audit.Call) error {
	if g.behind.Load() {
		return errBehind
	}
	for i := range calls {
		start := g.emit(kindCall)
		g.buf = appendCall(g.buf, &calls[i])
		g.done(start)
		if len(calls[i].Sealed) > 0 {
			g.kept = append(g.kept, kept{g.seq, calls[i].Request, calls[i].Sealed})
		}
	}
	return nil
}
