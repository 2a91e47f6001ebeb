package writeback

import (
	"context"

	"sluice/internal/ledger"
)

// sourceCursors serves source.Cursors for one profile.
type sourceCursors struct{ s *Service }

// SourceCursors remember how far the named sources of the service's profile were
// read. A cursor moves once the outcome store owns what was read; a preview moves
// none, for its plan may never be confirmed.
func (s *Service) SourceCursors() interface {
	Cursor(ctx context.Context, source string) (string, error)
	SetCursor(ctx context.Context, source, position string) error
} {
	return sourceCursors{s}
}

func (c sourceCursors) Cursor(ctx context.Context, source string) (position string, err error) {
	err = c.s.store.View(ctx, func(tx ledger.Tx) (err error) {
		position, err = tx.Cursors().Get(ctx, c.s.profile, source)
		return err
	})
	return position, err
}

func (c sourceCursors) SetCursor(ctx context.Context, source, position string) error {
	return c.s.store.Do(ctx, func(tx ledger.Tx) error { return tx.Cursors().Set(ctx, c.s.profile, source, position, tx.Now()) })
}
