package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/ledger"
)

// session is one transaction on one connection.
type session struct {
	store  *Store
	tx     pgx.Tx
	active *stream // its rows may still be on the wire
	clock  time.Time
	broken error // of asking the clock, which can't report it
}

// ready makes the connection free for the next statement.
func (s *session) ready(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.active != nil {
		s.active.drain()
	}
	return s.broken
}

// now is the database's clock, asked once per transaction when somebody needs it.
func (s *session) now() time.Time {
	if s.store.now != nil {
		return s.store.now()
	}
	if s.clock.IsZero() && s.broken == nil {
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		var ms int64
		if err := s.Get(ctx, []any{&ms}, `SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint`); err != nil {
			s.broken = err
			return time.Time{}
		}
		s.clock = time.UnixMilli(ms).UTC()
	}
	return s.clock
}

// Exec implements sqlrepo.Session.
func (s *session) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	text, args, err := s.store.statements.translate(query, args)
	if err != nil {
		return 0, err
	}
	tag, err := s.tx.Exec(ctx, text, args...)
	return tag.RowsAffected(), unavailable(ctx, err)
}

// ExecAll implements sqlrepo.Session: the statements travel together.
func (s *session) ExecAll(ctx context.Context, query string, rows [][]any) (int64, error) {
	if err := s.ready(ctx); err != nil {
		return 0, err
	}
	var batch pgx.Batch
	for _, row := range rows {
		text, args, err := s.store.statements.translate(query, row)
		if err != nil {
			return 0, err
		}
		batch.Queue(text, args...)
	}
	results := s.tx.SendBatch(ctx, &batch)
	var n int64
	var err error
	for range rows {
		tag, bad := results.Exec()
		if bad != nil {
			err = bad
			break
		}
		n += tag.RowsAffected()
	}
	if bad := results.Close(); err == nil {
		err = bad
	}
	return n, unavailable(ctx, err)
}

func (s *session) open(ctx context.Context, query string, args []any) (*stream, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	text, args, err := s.store.statements.translate(query, args)
	if err != nil {
		return nil, err
	}
	rows, err := s.tx.Query(ctx, text, args...)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	return &stream{rows: rows}, nil
}

// Get implements sqlrepo.Session.
func (s *session) Get(ctx context.Context, dest []any, query string, args ...any) error {
	found := false
	err := s.Each(ctx, func(scan func(...any) error) error {
		if found {
			return nil
		}
		found = true
		return scan(dest...)
	}, query, args...)
	if err == nil && !found {
		err = ledger.ErrNotFound
	}
	return err
}

// Each implements sqlrepo.Session.
func (s *session) Each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	st, err := s.open(ctx, query, args)
	if err != nil {
		return err
	}
	outer := s.active // drained, so it does not matter which ends first
	s.active = st
	defer func() {
		st.rows.Close()
		s.active = outer
	}()
	for st.next() {
		if err := fn(st.scan); err != nil {
			return err
		}
	}
	st.rows.Close()
	return unavailable(ctx, st.rows.Err())
}

// ForUpdate implements sqlrepo.Session. Nobody changes a key, so rows that refer to
// a locked one can still be written.
func (s *session) ForUpdate() string { return " FOR NO KEY UPDATE" }

// SkipLocked implements sqlrepo.Session.
func (s *session) SkipLocked() string { return " FOR NO KEY UPDATE SKIP LOCKED" }
