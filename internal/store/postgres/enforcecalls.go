package postgres

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// query gathers conditions and their parameters.
type query struct {
	conditions []string
	args       []any
}

func (q *query) arg(v any) string {
	q.args = append(q.args, v)
	return fmt.Sprintf("$%d", len(q.args))
}

// equal asks for a value; an empty one is not asked for.
func (q *query) equal(column, value string) {
	if value != "" {
		q.conditions = append(q.conditions, column+" = "+q.arg(storable(value)))
	}
}

func (q *query) add(format string, v any) {
	q.conditions = append(q.conditions, fmt.Sprintf(format, q.arg(v)))
}

func (q *query) where() string {
	if len(q.conditions) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.conditions, " AND ")
}

// Settle implements enforce.Store. What only ends goes with the next group; what gives
// back or leaves marks is waited for.
func (e *Enforcement) Settle(ctx context.Context, s *enforce.Settlement) error {
	own := *s
	own.Marks, own.Keep = slices.Clone(s.Marks), slices.Clone(s.Keep)
	o := &op{settle: &own}
	if s.Outcome == enforce.Rollback || s.Outcome == enforce.Commit && len(s.Marks) > 0 {
		return e.line.ask(ctx, o).err
	}
	if !e.line.put(o) {
		return errClosed
	}
	return nil
}

// Record implements enforce.Store.
func (e *Enforcement) Record(ctx context.Context, calls ...audit.Call) error {
	if len(calls) == 0 {
		return nil
	}
	return e.line.ask(ctx, &op{record: slices.Clone(calls)}).err
}

// Release implements enforce.Store.
func (e *Enforcement) Release(ctx context.Context, request, by, reason string) error {
	return e.line.ask(ctx, &op{release: &release{request, by, reason}}).err
}

// Usage implements enforce.Store.
func (e *Enforcement) Usage(ctx context.Context, counters []enforce.Charge) ([]int64, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	now, err := e.clock(ctx)
	if err != nil {
		return nil, err
	}
	keys := make([][]byte, len(counters))
	for i := range counters {
		keys[i] = counters[i].Counter[:]
	}
	rows, err := e.pool.Query(ctx, `SELECT counter, parts FROM gate_counter WHERE counter = ANY($1)`, keys)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	defer rows.Close()
	tallies := map[enforce.Counter]*enforce.Tally{}
	for rows.Next() {
		var key, parts []byte
		if err := rows.Scan(&key, &parts); err != nil {
			return nil, unavailable(ctx, err)
		}
		t, err := decodeTally(parts)
		if err != nil {
			return nil, err
		}
		tallies[enforce.Counter(key)] = &t
	}
	if err := rows.Err(); err != nil {
		return nil, unavailable(ctx, err)
	}
	used := make([]int64, len(counters))
	for i := range counters {
		if c := &counters[i]; c.Window > 0 && !c.After {
			used[i] = tallies[c.Counter].Used(c, now)
		}
	}
	return used, nil
}

// Ambiguous implements enforce.Store.
func (e *Enforcement) Ambiguous(ctx context.Context, limit int) ([]enforce.Reservation, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if err := e.sweep(ctx); err != nil {
		return nil, err
	}
	if limit <= 0 {
		limit = 100
	}
	rows, err := e.pool.Query(ctx, `SELECT request, grant_id, server, tool, at, taken FROM gate_held WHERE ended <> 0 ORDER BY at DESC, request DESC LIMIT $1`, limit)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (r enforce.Reservation, err error) {
		var at int64
		var raw []byte
		if err := row.Scan(&r.Request, &r.Grant, &r.Server, &r.Tool, &at, &raw); err != nil {
			return r, err
		}
		r.At = moment(at)
		taken, err := decodeTaken(raw)
		for _, p := range taken {
			r.Charges = append(r.Charges, enforce.Charge{Counter: p.counter, Amount: p.part.Used, Rule: p.rule})
			r.Rules = append(r.Rules, p.rule)
		}
		return r, err
	})
	return list, unavailable(ctx, err)
}

// Calls implements enforce.Store.
func (e *Enforcement) Calls(ctx context.Context, f enforce.CallFilter) ([]enforce.RecordedCall, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	if f.Limit <= 0 {
		f.Limit = 100
	}
	var q query
	q.equal("c.workspace", f.Workspace)
	q.equal("c.grant_id", f.Grant)
	q.equal("c.server", f.Server)
	q.equal("c.tool", f.Tool)
	q.equal("c.decision", f.Decision)
	q.equal("c.code", f.Code)
	q.equal("c.rule", f.Rule)
	q.equal("c.request", f.Request)
	if !f.Since.IsZero() {
		q.add("c.at >= %s", f.Since.UnixNano())
	}
	if !f.Until.IsZero() {
		q.add("c.at < %s", f.Until.UnixNano())
	}
	if f.Before != "" {
		q.add("(c.at, c.request) < (SELECT at, request FROM gate_call WHERE request = %s)", f.Before)
	}
	kept := "NULL::bytea"
	if f.Arguments {
		kept = "c.arguments"
	}
	rows, err := e.pool.Query(ctx, `SELECT c.at, d.body, o.body, `+kept+` FROM gate_call c
		LEFT JOIN audit_record d ON d.chain = c.chain AND d.seq = c.seq
		LEFT JOIN audit_record o ON o.chain = c.outcome_chain AND o.seq = c.outcome_seq`+q.where()+
		` ORDER BY c.at DESC, c.request DESC LIMIT `+q.arg(f.Limit), q.args...)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	list, err := pgx.CollectRows(rows, scanCall)
	return list, unavailable(ctx, err)
}

func scanCall(row pgx.CollectableRow) (c enforce.RecordedCall, err error) {
	var at int64
	var decision, outcome []byte
	if err := row.Scan(&at, &decision, &outcome, &c.Arguments); err != nil {
		return c, err
	}
	c.At = moment(at)
	if c.Call, err = callOf(decision); err != nil || outcome == nil {
		return c, err
	}
	end, err := callOf(outcome)
	c.Ended = true
	c.Call.Settlement, c.Call.UpstreamStatus, c.Call.Outcome, c.Call.LatencyUS = end.Settlement, end.UpstreamStatus, end.Outcome, end.LatencyUS
	return c, err
}

// callOf reads a call back from its record; nil is a record that was pruned.
func callOf(body []byte) (c audit.Call, err error) {
	if body == nil {
		return c, nil
	}
	var r audit.Record
	if err := json.Unmarshal(body, &r); err != nil {
		return c, fmt.Errorf("a record of the audit log: %w", err)
	}
	return audit.Call{
		Request: r.RequestID, Phase: r.Phase, Workspace: r.Workspace, Grant: r.Grant, Server: r.Server, Session: r.Session, Client: r.Client,
		Method: r.Method, Tool: r.Tool, ToolHash: r.ToolHash, Policy: r.Policy, PolicyVersion: r.PolicyVersion, PolicyHash: r.PolicyHash,
		Decision: r.Decision, Code: r.Code, Rule: r.Rule, ArgKeys: r.ArgKeys, ArgsHMAC: r.ArgsHMAC, Approval: r.Approval,
		Settlement: r.Settlement, UpstreamStatus: r.UpstreamStatus, Outcome: r.Outcome, LatencyUS: r.LatencyUS,
	}, nil
}

// The times of a node.
const (
	heartbeat = 5 * time.Second
	deadAfter = 30 * time.Second
	cleaning  = time.Hour
)

// beat says that this node is alive.
func (e *Enforcement) beat(ctx context.Context) error {
	_, err := e.pool.Exec(ctx, `INSERT INTO gate_node (node, seen) VALUES ($1, clock_timestamp()) ON CONFLICT (node) DO UPDATE SET seen = clock_timestamp()`, e.node)
	return unavailable(ctx, err)
}

// sweep settles as ambiguous what nodes that are not seen any more have left open.
func (e *Enforcement) sweep(ctx context.Context) error {
	if err := e.beat(ctx); err != nil {
		return err
	}
	rows, err := e.pool.Query(ctx, openCalls+` AND NOT EXISTS
		(SELECT 1 FROM gate_node n WHERE n.node = h.node AND n.seen > clock_timestamp() - $1::interval) ORDER BY h.at LIMIT 1000`, deadAfter)
	if err != nil {
		return unavailable(ctx, err)
	}
	open, err := pgx.CollectRows(rows, ambiguousOf)
	if err != nil {
		return unavailable(ctx, err)
	}
	for _, s := range open {
		e.line.put(&op{settle: s})
	}
	return e.Flush(ctx)
}

// openCalls are open calls with the records of their decisions.
const openCalls = `SELECT h.request, d.body FROM gate_held h LEFT JOIN gate_call c ON c.request = h.request
	LEFT JOIN audit_record d ON d.chain = c.chain AND d.seq = c.seq WHERE h.ended = 0`

// ambiguousOf is how such a call ends that nobody can say anything of.
func ambiguousOf(row pgx.CollectableRow) (*enforce.Settlement, error) {
	var request string
	var body []byte
	if err := row.Scan(&request, &body); err != nil {
		return nil, err
	}
	call, err := callOf(body)
	call.Request, call.Phase, call.Settlement, call.Outcome = request, audit.PhaseOutcome, "ambiguous", "gateway_stopped"
	return &enforce.Settlement{Call: call, Outcome: enforce.Ambiguous}, err
}

// keepHouse runs until ctx ends. What fails is done the next time.
func (e *Enforcement) keepHouse(ctx context.Context) {
	tick := time.NewTicker(heartbeat)
	defer tick.Stop()
	cleaned := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		func() {
			ctx, cancel := context.WithTimeout(ctx, askTimeout)
			defer cancel()
			_ = e.sweep(ctx)
		}()
		if time.Since(cleaned) >= cleaning {
			cleaned = time.Now()
			_ = e.Purge(ctx)
		}
	}
}

// Purge deletes what is over: counters whose windows are, calls, their kept arguments
// and approvals beyond their time. What is open stays.
func (e *Enforcement) Purge(ctx context.Context) error {
	now, err := e.clock(ctx)
	if err != nil {
		return err
	}
	calls, arguments := now.Add(-e.o.KeepCalls).UnixNano(), now.Add(-e.o.KeepArguments).UnixNano()
	for _, q := range []struct {
		statement string
		before    int64
	}{
		{`DELETE FROM gate_counter WHERE counter IN (SELECT counter FROM gate_counter WHERE keep < $1 ORDER BY counter LIMIT 1000 FOR UPDATE SKIP LOCKED) AND keep < $1`, now.UnixNano()},
		{`UPDATE gate_call SET arguments = NULL WHERE request IN (SELECT request FROM gate_call WHERE arguments IS NOT NULL AND at < $1 ORDER BY at LIMIT 1000)`, arguments},
		{`DELETE FROM gate_call WHERE request IN (SELECT c.request FROM gate_call c WHERE c.at < $1
			AND NOT EXISTS (SELECT 1 FROM gate_held h WHERE h.request = c.request) ORDER BY c.at LIMIT 1000)`, calls},
		{`DELETE FROM gate_held WHERE request IN (SELECT request FROM gate_held WHERE ended <> 0 AND at < $1 LIMIT 1000)`, calls},
		{`DELETE FROM gate_approval WHERE id IN (SELECT id FROM gate_approval WHERE state NOT IN ('pending', 'approved') AND created_at < $1 LIMIT 1000)`, calls},
		{`DELETE FROM gate_node WHERE seen < clock_timestamp() - interval '1 day' AND $1::bigint > 0`, 1},
	} {
		for n := int64(1000); n == 1000; {
			tag, err := e.pool.Exec(ctx, q.statement, q.before)
			if err != nil {
				return unavailable(ctx, err)
			}
			n = tag.RowsAffected()
		}
	}
	return nil
}
