// Package postgres keeps the write-back ledger in a PostgreSQL database that several
// machines share.
//
// Do is one READ COMMITTED transaction: what must not happen twice is guarded by
// unique keys, compare-and-set and row locks, never by what was read before. It is
// not repeated on a deadlock, because the function may have acted. View is one
// snapshot (REPEATABLE READ, read only). Payloads are rows. Time is the database's
// clock, so that machines whose clocks differ agree on leases.
//
// Limits: PostgreSQL 13 or newer; a connection that breaks while it commits leaves
// the caller not knowing, which is a typed error and never a silent success.
package postgres

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/ledger"
	"sluice/internal/store/sqlrepo"
)

// patience bounds what must not be cut short by a cancelled caller: commit,
// rollback, the question for the time.
const patience = 30 * time.Second

// maxConns is how many connections one process takes unless pool_max_conns in the
// URL says otherwise: enough for its senders. minConns is the least it gets along
// with: whoever writes a payload holds one, and needs another for the plan's rows.
const (
	maxConns = 16
	minConns = 2
)

// Options is what a test sets and a program leaves empty.
type Options struct {
	Now   func() time.Time // instead of the database's clock
	Chain string           // of the audit log that this process writes; the store's id when empty
}

// Store is a ledger.Store over one database.
type Store struct {
	id         string
	chain      string
	pool       *pgxpool.Pool
	writers    chan struct{}    // a place per payload that may be written at a time
	now        func() time.Time // nil: the database's
	statements translator
}

var _ ledger.Store = (*Store)(nil)

// configure reads the URL of a database into what every connection of ours has.
func configure(url string) (*pgxpool.Config, error) {
	config, err := pgxpool.ParseConfig(url)
	if err != nil {
		// The driver's text repeats the URL.
		return nil, fault.New(fault.Usage, "database_url is no PostgreSQL URL").
			WithFix("write it as postgres://USER:PASSWORD@HOST:5432/DATABASE")
	}
	c := config.ConnConfig
	// The pool's own reading of the URL does not tell a number that was asked for from
	// its default.
	asked, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, fault.New(fault.Usage, "database_url is no PostgreSQL URL")
	}
	if _, set := asked.RuntimeParams["pool_max_conns"]; !set {
		config.MaxConns = maxConns
	}
	config.MaxConns = max(config.MaxConns, minConns)
	if c.ConnectTimeout == 0 {
		c.ConnectTimeout = 10 * time.Second
	}
	// Rows are read in the binary format, which these two don't ask for.
	if m := c.DefaultQueryExecMode; m == pgx.QueryExecModeExec || m == pgx.QueryExecModeSimpleProtocol {
		c.DefaultQueryExecMode = pgx.QueryExecModeCacheDescribe
	}
	// A caller that gives up lets a short statement end by itself; the server is asked
	// to stop a longer one, and a server that does not answer is left.
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.CancelRequestContextWatcherHandler{Conn: conn, CancelRequestDelay: time.Second, DeadlineDelay: 5 * time.Second}
	}
	for name, value := range map[string]string{
		"application_name": "sluice",
		// A process that was stopped in the middle of a transaction must not hold its
		// rows for ever; nobody else waits longer than this either.
		"idle_in_transaction_session_timeout": "60000",
		"lock_timeout":                        "30000",
		"timezone":                            "UTC",
	} {
		if _, set := c.RuntimeParams[name]; !set {
			c.RuntimeParams[name] = value
		}
	}
	return config, nil
}

// Open connects to the database that url names and brings its schema up to date.
func Open(ctx context.Context, url string, o Options) (*Store, error) {
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	// Payload writers hold a connection for long and wait for others meanwhile; were
	// they to take them all, nobody would ever go on.
	s := &Store{pool: pool, now: o.Now, chain: o.Chain, writers: make(chan struct{}, config.MaxConns/2)}
	if err := s.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	return s, nil
}

func (s *Store) prepare(ctx context.Context) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unavailable(ctx, err)
	}
	defer conn.Release()
	if err := migrate(ctx, conn.Conn()); err != nil {
		return err
	}
	const ask = `SELECT store_id FROM meta`
	err = conn.QueryRow(ctx, ask).Scan(&s.id)
	if !errors.Is(err, pgx.ErrNoRows) {
		return unavailable(ctx, err)
	}
	if _, err := conn.Exec(ctx, `INSERT INTO meta (one, store_id) VALUES (1, $1) ON CONFLICT DO NOTHING`, ids.New("st", time.Now())); err != nil {
		return unavailable(ctx, err)
	}
	return unavailable(ctx, conn.QueryRow(ctx, ask).Scan(&s.id))
}

// ID names the store: one per database.
func (s *Store) ID() string { return s.id }

// KeyBound reports whether a master key was bound to the database.
func (s *Store) KeyBound(ctx context.Context) (bound bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT key_check IS NOT NULL FROM meta`).Scan(&bound)
	return bound, unavailable(ctx, err)
}

// BindKey binds the first master key to the database, by a check value that says
// nothing about it, and reports whether this one is it.
func (s *Store) BindKey(ctx context.Context, check []byte) (same bool, err error) {
	var bound []byte
	if err := s.pool.QueryRow(ctx, `SELECT key_check FROM meta`).Scan(&bound); err != nil || bound != nil {
		return bytes.Equal(bound, check), unavailable(ctx, err)
	}
	err = s.pool.QueryRow(ctx, `UPDATE meta SET key_check = coalesce(key_check, $1) RETURNING key_check`, check).Scan(&bound)
	return bytes.Equal(bound, check), unavailable(ctx, err)
}

// Shared reports that processes of several machines may work on one run.
func (s *Store) Shared() bool { return true }

// Scrub lets the server reuse the space of what was deleted. Row versions that an
// open snapshot may still read stay until it ends; the write-ahead log and backups
// are the server's.
func (s *Store) Scrub(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `VACUUM`, pgx.QueryExecModeSimpleProtocol)
	return unavailable(ctx, err)
}

// Close waits for what is running and closes the connections.
func (s *Store) Close() error {
	s.pool.Close()
	return nil
}

// Do runs fn in one read-write transaction.
func (s *Store) Do(ctx context.Context, fn func(ledger.Tx) error) error {
	return s.transact(ctx, pgx.TxOptions{IsoLevel: pgx.ReadCommitted, AccessMode: pgx.ReadWrite}, fn)
}

// View runs fn over one snapshot.
func (s *Store) View(ctx context.Context, fn func(ledger.Tx) error) error {
	return s.transact(ctx, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, fn)
}

func (s *Store) transact(ctx context.Context, o pgx.TxOptions, fn func(ledger.Tx) error) (err error) {
	if err := ctx.Err(); err != nil {
		return err
	}
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return unavailable(ctx, err)
	}
	defer conn.Release()
	begun, err := conn.BeginTx(ctx, o)
	if err != nil {
		return unavailable(ctx, err)
	}
	// What is over must be ended even when nobody waits for it any more.
	ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
	defer cancel()
	done := false
	defer func() {
		if !done { // an error, or a panic on its way
			_ = begun.Rollback(ending)
		}
	}()
	session := &session{store: s, tx: begun}
	if err := fn(s.tx(session)); err != nil {
		return err
	}
	if session.broken != nil {
		return session.broken
	}
	if o.AccessMode == pgx.ReadOnly {
		return nil
	}
	done = true
	err = begun.Commit(ending)
	var refused *pgconn.PgError
	if err == nil || errors.As(err, &refused) {
		return unavailable(ending, err)
	}
	if errors.Is(err, pgx.ErrTxCommitRollback) {
		return fault.New(fault.StoreUnavailable, "the database rolled a transaction back").Wrap(err)
	}
	return fault.New(fault.StoreUnavailable, "the connection to the database was lost while it committed; what it kept is read when the command runs again").Wrap(err)
}

// tx is the view of one transaction.
type tx struct {
	sqlrepo.Repos
	session *session
}

func (s *Store) tx(session *session) *tx {
	return &tx{Repos: sqlrepo.Repos{S: session, Clock: session.now, Chain: cmp.Or(s.chain, s.id)}, session: session}
}

func (t *tx) Events() ledger.Events { return events{t.session} }
func (t *tx) Claims() ledger.Claims { return claims{t.session} }

type (
	events struct{ s *session }
	claims struct{ s *session }
)
