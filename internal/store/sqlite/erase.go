package sqlite

import (
	"context"
	"errors"
	"os"

	"sluice/internal/privacy"
)

// Erase implements ledger.Payloads: the places are overwritten in the file, which
// stays as long as it is, so that no other event moves.
func (p payloads) Erase(ctx context.Context, name string, places []privacy.Span) error {
	path, err := p.path(name)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	for _, at := range places {
		if err = ctx.Err(); err == nil {
			_, err = f.WriteAt(make([]byte, at.Length), at.Offset)
		}
		if err != nil {
			return errors.Join(err, f.Close())
		}
	}
	return errors.Join(f.Sync(), f.Close())
}

// Scrub implements ledger.Store. Deleted rows are overwritten as they go
// (secure_delete); what remains of them is in the journal, which is emptied here.
// It waits for nobody: a reader that still needs the journal keeps it until the
// next call.
func (s *Store) Scrub(ctx context.Context) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var busy, log, moved int
	err := s.writer.conn.QueryRowContext(context.WithoutCancel(ctx), `PRAGMA wal_checkpoint(TRUNCATE)`).Scan(&busy, &log, &moved)
	return unavailable(err)
}
