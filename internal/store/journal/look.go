package journal

import (
	"context"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// Usage implements enforce.Store.
func (s *Store) Usage(ctx context.Context, counters []enforce.Charge) (used []int64, err error) {
	err = s.do(ctx, func(g *group) error {
		used = g.st.book.Usage(g.at, counters)
		return nil
	})
	return used, err
}

// Ambiguous implements enforce.Store.
func (s *Store) Ambiguous(ctx context.Context, limit int) (list []enforce.Reservation, err error) {
	err = s.do(ctx, func(g *group) error {
		list = g.st.book.Ambiguous(limit)
		return nil
	})
	return list, err
}

// Release implements enforce.Store.
func (s *Store) Release(ctx context.Context, request, by, reason string) error {
	return s.do(ctx, func(g *group) error {
		if g.behind.Load() {
			return errBehind
		}
		h := g.st.book.Release(g.at, request)
		if h == nil {
			return enforce.ErrNotFound
		}
		c := h.Call
		c.Phase, c.Settlement, c.By, c.Reason = audit.PhaseReview, "released", by, reason
		start := g.emit(kindRelease)
		g.buf = appendCall(g.buf, &c)
		g.done(start)
		return nil
	})
}

// Health implements enforce.Store. After a write that failed it finds out whether the
// next one works.
func (s *Store) Health(ctx context.Context) error {
	return s.do(ctx, func(g *group) error {
		if g.behind.Load() {
			return errBehind
		}
		if s.failed {
			g.done(g.emit(kindNothing))
		}
		return nil
	})
}

// Flush implements enforce.Store.
func (s *Store) Flush(ctx context.Context) error { return s.foldNow(ctx, true) }
