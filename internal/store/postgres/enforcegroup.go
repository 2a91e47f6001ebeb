package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/audit"
	"sluice/internal/enforce"
	"sluice/internal/fault"
)

// errSlow and errDoubt are what callers are denied with when the database does not
// answer in time, or breaks off while it commits.
var (
	errSlow = fault.New(fault.StoreUnavailable, "the database did not answer in time, so the call was not admitted").
		WithFix("check the PostgreSQL server; calls are admitted again when it answers")
	errDoubt = fault.New(fault.StoreUnavailable, "the connection to the database was lost, so the call was not admitted").
			WithFix("check the PostgreSQL server; calls are admitted again when it answers")
)

// The waits of the circuit: while it is open, decisions fail at once.
const (
	shortestWait = 100 * time.Millisecond
	longestWait  = 2 * time.Second
)

// mostRefusals is how often a settlement is tried again in groups that the database
// refuses: one that can never be written must not deny everybody else's calls for long.
// What it would have settled stays open until this node ends, and is then ambiguous.
const mostRefusals = 20

// group writes what many asked in one transaction. The line's writer alone uses it.
type group struct {
	connect   func(context.Context) (*pgx.Conn, error)
	recovered func() // the database is back: what was connected to it before is not
	chain     string
	node      string
	now       func() time.Time // nil: the database's
	timeout   time.Duration    // of one group
	last      time.Time
	mine      map[string][]taken // what this node's open calls hold, so that their counters are known

	conn    *pgx.Conn
	head    *chainHead // nil: not known
	lost    []*op      // what a crash of the server left open
	broken  error
	wait    time.Duration
	retryAt time.Time
}

// run does what was asked and answers everybody. It returns the settlements that have to
// be tried again: they must happen, whoever is still there to hear of it.
func (g *group) run(ops []*op) (again []*op) {
	if len(ops) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), g.timeout)
	defer cancel()
	t, err := g.try(ctx, ops)
	if err != nil {
		doubt := t != nil && t.doubt
		for _, o := range ops {
			o.say(answer{err: err})
			switch {
			case o.settle != nil:
				failed := o.failed
				if g.conn != nil { // it was refused, and may be what is refused
					failed++
				}
				if failed < mostRefusals {
					again = append(again, &op{settle: o.settle, failed: failed})
				}
			case o.reserve != nil && doubt:
				again = append(again, giveBack(&o.reserve.Call))
			}
		}
		return again
	}
	again, g.lost = append(again, g.lost...), nil
	for i, o := range ops {
		if !o.say(t.answers[i]) && o.reserve != nil && t.answers[i].reply.Admitted {
			again = append(again, giveBack(&o.reserve.Call))
		}
	}
	return again
}

// giveBack ends what may have been reserved for a caller that was told otherwise and
// forwarded nothing.
func giveBack(c *audit.Call) *op {
	ended := *c
	ended.Phase, ended.Settlement, ended.Outcome = audit.PhaseOutcome, "rollback", "store_unavailable"
	return &op{settle: &enforce.Settlement{Call: ended, Outcome: enforce.Rollback}}
}

// try repeats what the database undid for a reason that passes.
func (g *group) try(ctx context.Context, ops []*op) (*turn, error) {
	if err := g.dial(ctx, ops); err != nil {
		return nil, err
	}
	for tries := 0; ; tries++ {
		t := &turn{g: g, ops: ops, careful: tries > 0}
		err := t.do(ctx)
		if err == nil {
			g.broken, g.wait = nil, 0
			t.keep()
			return t, nil
		}
		g.head = nil
		g.tidy(ctx, err)
		if g.conn != nil && tries < 3 && ctx.Err() == nil && (errors.Is(err, errMissing) || passes(err)) {
			continue
		}
		return t, g.fail(ctx, err)
	}
}

// passes reports whether the database undid a transaction because of others.
func passes(err error) bool {
	var refused *pgconn.PgError
	if !errors.As(err, &refused) {
		return false
	}
	switch refused.Code {
	case "40P01", "40001", "23505", "22012": // deadlock, serialization, another writer of the chain; see most
		return true
	}
	return false
}

// dial has a connection, or fails at once while the circuit is open.
func (g *group) dial(ctx context.Context, ops []*op) error {
	if g.conn != nil {
		return nil
	}
	if time.Now().Before(g.retryAt) {
		return g.broken
	}
	conn, err := g.connect(ctx)
	if err != nil {
		return g.fail(ctx, err)
	}
	g.conn, g.head = conn, nil
	if g.broken == nil { // the first one
		return nil
	}
	g.recovered()
	if err := g.missing(ctx, ops); err != nil {
		g.hangUp()
		return g.fail(ctx, err)
	}
	return nil
}

// missing finds calls of this node that are open in the database and nowhere else: the
// server crashed, and had not written down yet how they ended.
func (g *group) missing(ctx context.Context, ops []*op) error {
	known := map[string]bool{}
	for _, o := range ops {
		if o.settle != nil {
			known[o.settle.Call.Request] = true
		}
	}
	rows, err := g.conn.Query(ctx, openCalls+` AND h.node = $1 ORDER BY h.at LIMIT 10000`, g.node)
	if err != nil {
		return err
	}
	open, err := pgx.CollectRows(rows, ambiguousOf)
	if err != nil {
		return err
	}
	g.lost = nil
	for _, s := range open {
		if id := s.Call.Request; !known[id] && g.mine[id] == nil {
			g.lost = append(g.lost, &op{settle: s})
		}
	}
	return nil
}

// tidy ends a transaction that failed, or the connection with it.
func (g *group) tidy(ctx context.Context, err error) {
	var refused *pgconn.PgError
	if ctx.Err() == nil && !g.conn.IsClosed() && (errors.Is(err, errMissing) || errors.As(err, &refused) && refused.Severity != "FATAL") {
		if g.conn.PgConn().TxStatus() == 'I' {
			return
		}
		if _, err := g.conn.Exec(ctx, `ROLLBACK`); err == nil {
			return
		}
	}
	g.hangUp()
}

func (g *group) hangUp() {
	if g.conn != nil {
		abandon(g.conn)
		g.conn = nil
	}
}

// fail opens the circuit when the connection is gone.
func (g *group) fail(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		err = errSlow
	} else {
		err = unavailable(ctx, err)
	}
	if g.conn == nil {
		g.wait = min(max(2*g.wait, shortestWait), longestWait)
		g.retryAt, g.broken = time.Now().Add(g.wait), err
	}
	return err
}

// tick is the group's moment. It does not run backwards by the little that servers
// correct their clocks by.
func (g *group) tick(at time.Time) time.Time {
	if g.now != nil {
		at = g.now()
	}
	at = at.UTC()
	if d := g.last.Sub(at); d > 0 && d < time.Second {
		at = g.last
	}
	g.last = at
	return at
}
