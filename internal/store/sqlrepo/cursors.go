package sqlrepo

import (
	"context"
	"errors"
	"time"

	"sluice/internal/ledger"
)

type cursors struct{ s Session }

// Cursors serves ledger.Cursors.
func (r *Repos) Cursors() ledger.Cursors { return cursors{r.S} }

func (r cursors) Get(ctx context.Context, profile, source string) (string, error) {
	var position string
	err := r.s.Get(ctx, []any{&position}, `SELECT position FROM source_cursor WHERE profile = ? AND source = ?`, profile, source)
	if errors.Is(err, ledger.ErrNotFound) {
		return "", nil
	}
	return position, err
}

func (r cursors) Set(ctx context.Context, profile, source, position string, at time.Time) error {
	_, err := r.s.Exec(ctx, `INSERT INTO source_cursor (profile, source, position, moved_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (profile, source) DO UPDATE SET position = excluded.position, moved_at = excluded.moved_at`,
		profile, source, position, Millis(at))
	return err
}
