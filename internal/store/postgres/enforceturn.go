package postgres

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// errMissing says that rows of counters had to be made; the turn begins again.
var errMissing = errors.New("new counters")

// turn is one attempt at one group. Locks are taken in one order everywhere: the grant
// that parks, approvals, counters, reservations, the chain; rows of a kind by their keys.
type turn struct {
	g   *group
	ops []*op
	now time.Time
	// careful reads what this node holds too, which nobody else settles unless the node
	// is taken for dead.
	careful bool

	counters  map[enforce.Counter]*counterRow
	held      map[string]*heldRow
	approvals map[string]*consumable
	parked    []enforce.Approval // of the call that parks: with its fingerprint
	waiting   []int64            // when those of its grant expire that wait

	answers []answer
	writes  writes
	doubt   bool // the commit was asked for, and its answer never came
}

// counterRow is one counter, locked.
type counterRow struct {
	tally      enforce.Tally
	mark, keep int64
	changed    bool
}

// heldRow is what one call holds, locked.
type heldRow struct {
	call  audit.Call // what the row knows of it
	taken []taken
	ended int64
	gone  bool // settled in this turn
}

// consumable is an approval, locked.
type consumable struct {
	state            enforce.State
	fingerprint      []byte
	workspace, grant string
	expires          int64
}

// Tally implements enforce.Counted.
func (t *turn) Tally(c enforce.Counter) *enforce.Tally {
	if row := t.counters[c]; row != nil {
		return &row.tally
	}
	return nil
}

// Marked implements enforce.Counted.
func (t *turn) Marked(c enforce.Counter) time.Time {
	if row := t.counters[c]; row != nil && row.mark != 0 {
		return time.Unix(0, row.mark)
	}
	return time.Time{}
}

func (t *turn) do(ctx context.Context) error {
	if err := t.read(ctx); err != nil {
		return err
	}
	t.answers = make([]answer, len(t.ops))
	for i, o := range t.ops {
		t.answers[i] = t.decide(o)
	}
	return t.write(ctx)
}

// wants is what has to be locked before anything can be decided.
type wants struct {
	held, approvals []string
	counters        [][]byte
	made            map[enforce.Counter]bool // must have a row; the others may have one
	park            *enforce.Parking
}

func (t *turn) wants(ctx context.Context) (w wants, err error) {
	w.made = map[enforce.Counter]bool{}
	add := func(c enforce.Counter, made bool) { w.made[c] = w.made[c] || made }
	var foreign []string // whose counters are not known here
	for _, o := range t.ops {
		switch {
		case o.reserve != nil:
			for i := range o.reserve.Charges {
				add(o.reserve.Charges[i].Counter, !o.reserve.Charges[i].After)
			}
			if o.reserve.Approval != "" {
				w.approvals = append(w.approvals, o.reserve.Approval)
			}
		case o.settle != nil:
			taken, known := t.g.mine[o.settle.Call.Request]
			if known && !t.careful && o.settle.Outcome != enforce.Ambiguous {
				t.held[o.settle.Call.Request] = &heldRow{taken: taken}
			} else {
				w.held = append(w.held, o.settle.Call.Request)
			}
			switch o.settle.Outcome {
			case enforce.Commit:
				for _, m := range o.settle.Marks {
					add(m, true)
				}
			case enforce.Rollback:
				if !known {
					foreign = append(foreign, o.settle.Call.Request)
				}
				for _, p := range taken {
					add(p.counter, false)
				}
			}
		case o.release != nil:
			w.held = append(w.held, o.release.request)
			foreign = append(foreign, o.release.request)
		case o.park != nil:
			w.park = o.park
		}
	}
	if len(foreign) > 0 {
		rows, err := t.g.conn.Query(ctx, `SELECT taken FROM gate_held WHERE request = ANY($1)`, foreign)
		if err != nil {
			return w, err
		}
		list, err := pgx.CollectRows(rows, pgx.RowTo[[]byte])
		if err != nil {
			return w, err
		}
		for _, raw := range list {
			taken, err := decodeTaken(raw)
			if err != nil {
				return w, err
			}
			for _, p := range taken {
				add(p.counter, false)
			}
		}
	}
	for c := range w.made {
		w.counters = append(w.counters, bytes.Clone(c[:]))
	}
	slices.SortFunc(w.counters, bytes.Compare)
	return w, nil
}

// read begins the transaction, locks and reads, and takes the time, in one round trip.
func (t *turn) read(ctx context.Context) error {
	t.counters, t.held, t.approvals = map[enforce.Counter]*counterRow{}, map[string]*heldRow{}, map[string]*consumable{}
	w, err := t.wants(ctx)
	if err != nil {
		return err
	}
	var b pgx.Batch
	b.Queue(`BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE`)
	if p := w.park; p != nil {
		a := &p.Approval
		b.Queue(`SELECT pg_advisory_xact_lock($1, hashtext($2))`, parkLock, a.Workspace+" "+a.Grant)
		b.Queue(`SELECT `+approvalColumns+` FROM gate_approval
			WHERE workspace = $1 AND grant_id = $2 AND fingerprint = $3 AND state IN ('pending', 'approved') ORDER BY created_at DESC, id DESC`,
			a.Workspace, a.Grant, a.Fingerprint[:]).Query(func(rows pgx.Rows) (err error) {
			t.parked, err = pgx.CollectRows(rows, scanApproval)
			return err
		})
		b.Queue(`SELECT expires_at FROM gate_approval WHERE workspace = $1 AND grant_id = $2 AND state = 'pending'`, a.Workspace, a.Grant).
			Query(func(rows pgx.Rows) (err error) {
				t.waiting, err = pgx.CollectRows(rows, pgx.RowTo[int64])
				return err
			})
	}
	if len(w.approvals) > 0 {
		b.Queue(`SELECT id, state, fingerprint, workspace, grant_id, expires_at FROM gate_approval WHERE id = ANY($1) ORDER BY id FOR UPDATE`, w.approvals).
			Query(t.readApprovals)
	}
	if len(w.counters) > 0 {
		// The clock is asked row by row, each locked by then: the last answer is the time.
		b.Queue(`WITH locked AS MATERIALIZED (SELECT counter, parts, mark, keep FROM gate_counter WHERE counter = ANY($1) ORDER BY counter FOR UPDATE)
			SELECT counter, parts, mark, keep, clock_timestamp() FROM locked`, w.counters).
			Query(t.readCounters)
	}
	if len(w.held) > 0 {
		b.Queue(`SELECT request, workspace, grant_id, server, tool, taken, ended FROM gate_held WHERE request = ANY($1) ORDER BY request FOR UPDATE`, w.held).
			Query(t.readHeld)
	}
	if t.g.head == nil {
		b.Queue(`SELECT size, hash, frontier FROM audit_chain WHERE chain = $1 FOR NO KEY UPDATE`, t.g.chain).QueryRow(func(row pgx.Row) (err error) {
			t.g.head, err = readHead(row, t.g.chain)
			return err
		})
	}
	clock := func(row pgx.Row) error { return row.Scan(&t.now) }
	if len(w.counters) == 0 {
		b.Queue(askClock).QueryRow(clock)
	}
	if err := t.g.conn.SendBatch(ctx, &b).Close(); err != nil {
		return err
	}
	if t.now.IsZero() { // of the counters asked for, none is there
		if err := clock(t.g.conn.QueryRow(ctx, askClock)); err != nil {
			return err
		}
	}
	t.now = t.g.tick(t.now)
	var missing [][]byte
	for _, c := range w.counters {
		if key := enforce.Counter(c); w.made[key] && t.counters[key] == nil {
			missing = append(missing, c)
		}
	}
	if len(missing) == 0 {
		return nil
	}
	// Rows are made in a transaction of their own, which holds nothing that somebody
	// else waits for while it waits itself.
	if _, err := t.g.conn.Exec(ctx, `ROLLBACK`); err != nil {
		return err
	}
	if _, err := t.g.conn.Exec(ctx, `INSERT INTO gate_counter (counter) SELECT unnest($1::bytea[]) ON CONFLICT DO NOTHING`, missing); err != nil {
		return err
	}
	return errMissing
}

const askClock = `SELECT clock_timestamp()`

// parkLock is the first half of the advisory lock under which calls of a grant are parked.
const parkLock = 0x67617465

func (t *turn) readHeld(rows pgx.Rows) error {
	for rows.Next() {
		var h heldRow
		var raw []byte
		if err := rows.Scan(&h.call.Request, &h.call.Workspace, &h.call.Grant, &h.call.Server, &h.call.Tool, &raw, &h.ended); err != nil {
			return err
		}
		var err error
		if h.taken, err = decodeTaken(raw); err != nil {
			return err
		}
		t.held[h.call.Request] = &h
	}
	return rows.Err()
}

func (t *turn) readApprovals(rows pgx.Rows) error {
	for rows.Next() {
		var id string
		var a consumable
		if err := rows.Scan(&id, &a.state, &a.fingerprint, &a.workspace, &a.grant, &a.expires); err != nil {
			return err
		}
		t.approvals[id] = &a
	}
	return rows.Err()
}

func (t *turn) readCounters(rows pgx.Rows) error {
	for rows.Next() {
		var key, parts []byte
		var row counterRow
		if err := rows.Scan(&key, &parts, &row.mark, &row.keep, &t.now); err != nil {
			return err
		}
		var err error
		if row.tally, err = decodeTally(parts); err != nil {
			return err
		}
		t.counters[enforce.Counter(key)] = &row
	}
	return rows.Err()
}
