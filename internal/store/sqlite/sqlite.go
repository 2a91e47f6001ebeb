// Package sqlite keeps the write-back ledger in one SQLite file.
//
// Durability: WAL with synchronous=FULL, so a committed transaction survives a
// power cut. One connection writes (BEGIN IMMEDIATE, serialised in the process,
// ten seconds of patience with other processes); a few others read snapshots.
// Limits: one machine; the file must be on a local disk.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"time"

	"modernc.org/sqlite" // registers the driver
	sqlite3 "modernc.org/sqlite/lib"

	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
)

// Store is a ledger.Store over one file.
type Store struct {
	id      string
	now     func() time.Time
	writing sync.Mutex // held for a whole write transaction
	writer  *session
	readers *sql.DB
	db      *sql.DB
	plans   string // directory of payload files
}

var _ ledger.Store = (*Store)(nil)

const readerCount = 4

// Open opens the ledger at path and brings its schema up to date. now is the
// store's clock: on one machine the database has none of its own.
func Open(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	return open(ctx, path, now, cacheKiB)
}

// OpenSmall is Open for a process that only adds a little now and then, such as a relay,
// and should not need the memory of one that reads and writes a million events.
func OpenSmall(ctx context.Context, path string, now func() time.Time) (*Store, error) {
	return open(ctx, path, now, smallCacheKiB)
}

// What a connection keeps of the file in memory.
const (
	cacheKiB      = 8 << 10
	smallCacheKiB = 512
)

func open(ctx context.Context, path string, now func() time.Time, cache int) (*Store, error) {
	// The engine would create the file readable by everybody; its journals take
	// their mode from it.
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the ledger %s can't be opened for writing", path).Wrap(err)
	}
	if err := f.Close(); err != nil {
		return nil, fault.New(fault.StoreUnavailable, "the ledger %s can't be opened for writing", path).Wrap(err)
	}
	db, err := sql.Open("sqlite", dsn(path, "rwc", cache))
	if err != nil {
		return nil, unavailable(err)
	}
	db.SetMaxOpenConns(1)
	if err := first(ctx, db); err != nil {
		_ = db.Close()
		return nil, unavailable(err)
	}
	conn, err := db.Conn(ctx)
	if err != nil {
		_ = db.Close()
		return nil, unavailable(err)
	}
	s := &Store{db: db, writer: newSession(conn), now: now, plans: filepath.Join(filepath.Dir(path), "plans")}
	if err := s.name(ctx, now()); err != nil {
		_ = s.Close()
		return nil, unavailable(err)
	}
	if s.readers, err = sql.Open("sqlite", dsn(path, "ro", cache)); err != nil {
		_ = s.Close()
		return nil, unavailable(err)
	}
	s.readers.SetMaxOpenConns(readerCount)
	return s, nil
}

// patience is how long another process is waited for.
const patience = 10 * time.Second

// first connects for the first time, and brings the schema up to date. Of two processes
// that switch a new file to WAL at the same moment, or of which one comes while the last
// one leaves, the engine turns one away at once, whatever patience it was told to have.
func first(ctx context.Context, db *sql.DB) error {
	began := time.Now()
	for {
		err := migrate(ctx, db)
		if !busy(err) || time.Since(began) > patience {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// dsn sets the pragmas on every connection of the pool.
func dsn(path, mode string, cache int) string {
	q := url.Values{}
	q.Set("mode", mode)
	for _, p := range []string{
		fmt.Sprintf("busy_timeout(%d)", patience.Milliseconds()), "journal_mode(WAL)", "synchronous(FULL)",
		"foreign_keys(ON)", fmt.Sprintf("cache_size(-%d)", cache), "temp_store(MEMORY)",
		"journal_size_limit(67108864)",
		"secure_delete(ON)", // what is deleted is overwritten
	} {
		if mode == "ro" && p == "journal_mode(WAL)" {
			continue
		}
		q.Add("_pragma", p)
	}
	return "file:" + (&url.URL{Path: path}).EscapedPath() + "?" + q.Encode()
}

func (s *Store) name(ctx context.Context, now time.Time) error {
	c := s.writer.conn
	if err := c.QueryRowContext(ctx, `SELECT store_id FROM meta`).Scan(&s.id); !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	if _, err := c.ExecContext(ctx, `INSERT INTO meta (one, store_id) VALUES (1, ?) ON CONFLICT DO NOTHING`, ids.New("st", now)); err != nil {
		return err
	}
	return c.QueryRowContext(ctx, `SELECT store_id FROM meta`).Scan(&s.id)
}

// ID names the store.
func (s *Store) ID() string { return s.id }

// Shared reports that one process at a time works on a run.
func (s *Store) Shared() bool { return false }

// Do runs fn in one write transaction.
func (s *Store) Do(ctx context.Context, fn func(ledger.Tx) error) error {
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	// The driver reports a cancelled BEGIN as failed although it may have begun; the
	// statements that open and close a transaction are never cancelled.
	ctx = context.WithoutCancel(ctx)
	if _, err := s.writer.conn.ExecContext(ctx, "BEGIN IMMEDIATE"); err != nil {
		return unavailable(err)
	}
	if err := s.run(fn); err != nil {
		if _, rb := s.writer.conn.ExecContext(ctx, "ROLLBACK"); rb != nil {
			err = errors.Join(err, rb)
		}
		return unavailable(err)
	}
	if _, err := s.writer.conn.ExecContext(ctx, "COMMIT"); err != nil {
		_, _ = s.writer.conn.ExecContext(ctx, "ROLLBACK")
		return unavailable(err)
	}
	return nil
}

// run turns a panic into a rollback before it goes on.
func (s *Store) run(fn func(ledger.Tx) error) (err error) {
	done := false
	defer func() {
		if !done {
			_, _ = s.writer.conn.ExecContext(context.Background(), "ROLLBACK")
		}
	}()
	err = fn(s.tx(s.writer))
	done = true
	return err
}

// View runs fn over one snapshot.
func (s *Store) View(ctx context.Context, fn func(ledger.Tx) error) error {
	conn, err := s.readers.Conn(ctx)
	if err != nil {
		return unavailable(err)
	}
	session := newSession(conn)
	defer session.close()
	ctx = context.WithoutCancel(ctx) // as in Do
	if _, err := conn.ExecContext(ctx, "BEGIN"); err != nil {
		return unavailable(err)
	}
	err = fn(s.tx(session))
	_, rb := conn.ExecContext(ctx, "ROLLBACK")
	return unavailable(errors.Join(err, rb))
}

// Close waits for a running write and closes the file.
func (s *Store) Close() error {
	s.writing.Lock()
	defer s.writing.Unlock()
	var err error
	if s.readers != nil {
		err = s.readers.Close()
	}
	s.writer.close()
	return errors.Join(err, s.db.Close())
}

// unavailable turns what the engine reports into the store's typed error and
// leaves every other error as it is.
func unavailable(err error) error {
	var e *sqlite.Error
	if err == nil || !errors.As(err, &e) {
		return err
	}
	if _, typed := fault.As(err); typed {
		return err
	}
	f := fault.New(fault.StoreUnavailable, "the ledger can't be used: %v", e).Wrap(err)
	switch {
	case busy(err):
		f.Message = "the ledger is busy: another process has been writing for more than 10 s"
	case e.Code()&0xff == sqlite3.SQLITE_FULL:
		f.Message = "the disk of the state directory is full"
	}
	return f
}

// busy reports whether another process was in the way.
func busy(err error) bool {
	var e *sqlite.Error
	if !errors.As(err, &e) {
		return false
	}
	code := e.Code() & 0xff
	return code == sqlite3.SQLITE_BUSY || code == sqlite3.SQLITE_LOCKED
}

// session is one connection with its prepared statements.
type session struct {
	conn  *sql.Conn
	stmts map[string]*sql.Stmt
}

func newSession(conn *sql.Conn) *session {
	return &session{conn: conn, stmts: map[string]*sql.Stmt{}}
}

func (s *session) prepare(ctx context.Context, query string) (*sql.Stmt, error) {
	if st, ok := s.stmts[query]; ok {
		return st, nil
	}
	// A statement outlives the call that first needed it.
	st, err := s.conn.PrepareContext(context.WithoutCancel(ctx), query)
	if err != nil {
		return nil, fmt.Errorf("prepare: %w", err)
	}
	s.stmts[query] = st
	return st, nil
}

// Exec implements sqlrepo.Session.
func (s *session) Exec(ctx context.Context, query string, args ...any) (int64, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	return run(ctx, st, args...)
}

// ExecAll implements sqlrepo.Session.
func (s *session) ExecAll(ctx context.Context, query string, rows [][]any) (int64, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return 0, err
	}
	var total int64
	for _, args := range rows {
		n, err := run(ctx, st, args...)
		if err != nil {
			return total, err
		}
		total += n
	}
	return total, nil
}

// run executes a statement. The driver watches a context that can be cancelled
// with a goroutine per statement, which costs as much as the statement: so the
// context is looked at between statements instead.
func run(ctx context.Context, st *sql.Stmt, args ...any) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	res, err := st.ExecContext(context.Background(), args...)
	if err != nil {
		return 0, err
	}
	return res.RowsAffected()
}

func (s *session) query(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	return st.QueryContext(context.Background(), args...)
}

// Get implements sqlrepo.Session.
func (s *session) Get(ctx context.Context, dest []any, query string, args ...any) error {
	st, err := s.prepare(ctx, query)
	if err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	err = st.QueryRowContext(context.Background(), args...).Scan(dest...)
	if errors.Is(err, sql.ErrNoRows) {
		return ledger.ErrNotFound
	}
	return err
}

// Each implements sqlrepo.Session.
func (s *session) Each(ctx context.Context, fn func(scan func(...any) error) error, query string, args ...any) error {
	rows, err := s.query(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := fn(rows.Scan); err != nil {
			return err
		}
	}
	return rows.Err()
}

// ForUpdate implements sqlrepo.Session: the one writer needs no locks.
func (s *session) ForUpdate() string { return "" }

// SkipLocked implements sqlrepo.Session.
func (s *session) SkipLocked() string { return "" }

func (s *session) close() {
	for _, st := range s.stmts {
		_ = st.Close()
	}
	_ = s.conn.Close()
}
