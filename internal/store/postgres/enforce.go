package postgres

import (
	"cmp"
	"context"
	"errors"
	"net"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgconn/ctxwatch"
	"github.com/jackc/pgx/v5/pgxpool"

	"sluice/internal/enforce"
	"sluice/internal/fault"
	"sluice/internal/ids"
	"sluice/internal/mcpwire/socket"
)

// Durability says what a decision survives.
type Durability string

// The durabilities.
const (
	// SurviveProcess: a decision survives the end, however sudden, of every process of
	// ours. A crash of the database server, or a power cut there, can take the decisions
	// of its last moments with it (three times its wal_writer_delay: 0.6 s by default):
	// their calls were forwarded, but neither counted nor recorded.
	SurviveProcess Durability = "process"
	// SurvivePowerLoss: every group of decisions waits until the server has it on disk.
	SurvivePowerLoss Durability = "power_loss"
)

// EnforceOptions are what an Enforcement works with. The zero value is usable.
type EnforceOptions struct {
	Chain      string // of the audit log, this process's own; "<store>/<node>" when empty
	Durability Durability
	// KeepCalls and KeepArguments bound the table of calls; 90 and 14 days when 0.
	KeepCalls, KeepArguments time.Duration
	// Patience bounds how long a decision may take until the call is denied; 1 s when 0.
	Patience time.Duration
	// Now stands in for the database's clock, in tests.
	Now func() time.Time
}

// What bounds waiting.
const (
	askTimeout    = 10 * time.Second      // of a question or a person's decision
	gatherCommits = 25 * time.Millisecond // how long outcomes wait for company
)

// Enforcement is an enforce.Store in a database that several nodes share.
//
// Every node gathers what its callers ask at a time into one transaction: it locks the
// counters' rows in the order of their keys, asks the clock, decides in memory, and
// writes counters, reservations, approvals and the node's own audit chain. So a decision
// costs a part of two round trips, and nodes wait for each other only over counters that
// they share. A group that fails denies everybody in it; when it can't be known whether
// it committed, what it may have reserved is given back as soon as the database answers.
type Enforcement struct {
	o    EnforceOptions
	node string // this process
	pool *pgxpool.Pool
	line *line
	wait *waiters

	stop  context.CancelFunc
	tasks sync.WaitGroup
	once  sync.Once
	ended error
}

var _ enforce.Store = (*Enforcement)(nil)

// errClosed is what a closed store answers.
var errClosed = errors.New("the store is closed")

// OpenEnforcement connects to the database that url names and brings its schema up to
// date. It holds one connection for decisions and up to four for questions.
func OpenEnforcement(ctx context.Context, url string, o EnforceOptions) (*Enforcement, error) {
	o.KeepCalls = cmp.Or(o.KeepCalls, 90*24*time.Hour)
	o.KeepArguments = cmp.Or(o.KeepArguments, 14*24*time.Hour)
	o.Durability = cmp.Or(o.Durability, SurviveProcess)
	o.Patience = cmp.Or(o.Patience, time.Second)
	if o.Durability != SurviveProcess && o.Durability != SurvivePowerLoss {
		return nil, fault.New(fault.Usage, "durability %q is not known", o.Durability).WithFix("write process or power_loss")
	}
	config, err := configure(url)
	if err != nil {
		return nil, err
	}
	config.MaxConns, config.MinConns = 4, 0
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	s := &Store{pool: pool}
	if err := s.prepare(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	e := &Enforcement{o: o, node: ids.New("gw", time.Now()), pool: pool, wait: newWaiters()}
	e.o.Chain = cmp.Or(o.Chain, s.id+"/"+e.node)
	if err := e.beat(ctx); err != nil {
		pool.Close()
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	e.stop = stop
	e.line = newLine(&group{
		connect: e.connector(config.ConnConfig), recovered: pool.Reset, chain: e.o.Chain, node: e.node, now: o.Now,
		timeout: o.Patience * 9 / 10, mine: map[string][]taken{},
	}, o.Patience)
	e.tasks.Go(func() { e.line.run(running) })
	e.tasks.Go(func() { e.keepHouse(running) })
	e.tasks.Go(func() { e.wait.run(running, e.left) })
	return e, nil
}

// connector opens the connection that decides. Its statements are few and always find
// their rows by key, whatever the planner thinks of a young table.
func (e *Enforcement) connector(base *pgx.ConnConfig) func(context.Context) (*pgx.Conn, error) {
	c := base.Copy()
	c.ConnectTimeout = e.o.Patience
	c.DefaultQueryExecMode = pgx.QueryExecModeCacheStatement
	c.BuildContextWatcherHandler = func(conn *pgconn.PgConn) ctxwatch.Handler {
		return &pgconn.DeadlineContextWatcherHandler{Conn: conn.Conn()}
	}
	ms := func(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
	durable := "off"
	if e.o.Durability == SurvivePowerLoss {
		durable = "on"
	}
	for name, value := range map[string]string{
		"synchronous_commit": durable,
		// A node that was stopped inside a transaction holds counters that others need.
		"idle_in_transaction_session_timeout": ms(2 * e.o.Patience),
		"lock_timeout":                        ms(e.o.Patience * 4 / 5),
		"statement_timeout":                   ms(2 * e.o.Patience),
		"plan_cache_mode":                     "force_generic_plan",
		"enable_seqscan":                      "off",
		"enable_hashjoin":                     "off",
		"enable_mergejoin":                    "off",
		"jit":                                 "off",
	} {
		c.RuntimeParams[name] = value
	}
	dial := c.DialFunc
	c.DialFunc = func(ctx context.Context, network, addr string) (net.Conn, error) {
		conn, err := dial(ctx, network, addr)
		if err != nil {
			return nil, err
		}
		return socket.Conn(conn), nil
	}
	return func(ctx context.Context) (*pgx.Conn, error) {
		conn, err := pgx.ConnectConfig(ctx, c)
		if err != nil {
			return nil, err
		}
		_, err = conn.Exec(ctx, `INSERT INTO audit_chain (chain, size) VALUES ($1, 0) ON CONFLICT DO NOTHING`, e.o.Chain)
		if err != nil {
			abandon(conn)
			return nil, err
		}
		return conn, nil
	}
}

// abandon closes a connection that nothing is expected of any more.
func abandon(conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	_ = conn.Close(ctx)
}

// Health implements enforce.Store: it asks for an empty decision.
func (e *Enforcement) Health(ctx context.Context) error { return e.Flush(ctx) }

// Flush implements enforce.Store.
func (e *Enforcement) Flush(ctx context.Context) error {
	return e.line.ask(ctx, &op{}).err
}

// Close settles what was asked for and leaves. What is still open after that was not
// settled by whoever asked for it, and is ambiguous.
func (e *Enforcement) Close() error {
	e.once.Do(func() {
		ctx, cancel := context.WithTimeout(context.Background(), e.o.Patience)
		defer cancel()
		if !e.line.idle() {
			e.ended = e.Flush(ctx)
		}
		e.end()
		if _, err := e.pool.Exec(ctx, `DELETE FROM gate_node WHERE node = $1`, e.node); e.ended == nil {
			e.ended = unavailable(ctx, err)
		}
		e.pool.Close()
	})
	return e.ended
}

// end stops everything that runs, and tells nobody.
func (e *Enforcement) end() {
	e.stop()
	e.tasks.Wait()
}

// clock is the time for a question.
func (e *Enforcement) clock(ctx context.Context) (time.Time, error) {
	if e.o.Now != nil {
		return e.o.Now().UTC(), nil
	}
	var now time.Time
	err := e.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now)
	return now.UTC(), unavailable(ctx, err)
}

// Reserve implements enforce.Store.
func (e *Enforcement) Reserve(ctx context.Context, r *enforce.Request) (enforce.Reply, error) {
	own := *r // the caller may go away before the writer does
	own.Charges = slices.Clone(r.Charges)
	got := e.line.ask(ctx, &op{reserve: &own})
	if got.err != nil {
		return enforce.Reply{Failed: -1}, got.err
	}
	return got.reply, nil
}
