package postgres

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"sluice/internal/audit"
	"sluice/internal/enforce"
)

// writes is what a group changes, beside its counters.
type writes struct {
	records  []audit.Call // for the chain, in order
	calls    []callRow
	outcomes []callRow
	holds    []hold
	dropped  []string // settled, or released
	doubtful []string // ended ambiguous
	consumed []consumption
	parked   *enforce.Approval
}

// callRow is a decision, or an outcome, in the table of calls.
type callRow struct {
	record    int // among the records
	arguments []byte
}

type consumption struct{ approval, request string }

// hold is what one admitted call holds.
type hold struct {
	call  audit.Call
	taken []taken
}

// taken is what a call took from one counter.
type taken struct {
	counter enforce.Counter
	part    enforce.Part
	rule    string
}

func (w *writes) decided(c *audit.Call, arguments []byte) {
	if c.Phase == audit.PhaseOutcome {
		w.ended(c)
		return
	}
	if c.Request != "" {
		w.calls = append(w.calls, callRow{len(w.records), arguments})
	}
	w.records = append(w.records, *c)
}

func (w *writes) ended(c *audit.Call) {
	w.outcomes = append(w.outcomes, callRow{record: len(w.records)})
	w.records = append(w.records, *c)
}

// columns gathers values for unnest, a list per column.
type columns struct {
	texts [8][]string
	raws  [2][][]byte
	ints  [3][]int64
}

func (c *columns) text(values ...string) {
	for i, v := range values {
		c.texts[i] = append(c.texts[i], storable(v))
	}
}

// write changes everything and commits, in one round trip.
func (t *turn) write(ctx context.Context) error {
	var b pgx.Batch
	t.queueMost(&b)
	t.queueRest(&b)
	b.Queue(`COMMIT`).Exec(func(tag pgconn.CommandTag) error {
		if tag.String() != "COMMIT" {
			return &pgconn.PgError{Severity: "ERROR", Code: "40000", Message: "the transaction was rolled back"}
		}
		return nil
	})
	err := t.g.conn.SendBatch(ctx, &b).Close()
	var refused *pgconn.PgError
	if err != nil && (!errors.As(err, &refused) || refused.Severity == "FATAL") {
		t.doubt = true
		if refused != nil {
			err = errDoubt
		}
	}
	return err
}

// most is what nearly every group writes, as one statement: what its parts cost lies in
// their beginning more than in their rows. The division fails, and the group with it,
// where the chain's head is not what is remembered of it, or where somebody else has
// settled what this node believes to be open.
const most = `WITH
counters AS (UPDATE gate_counter g SET parts = u.parts, mark = u.mark, keep = u.keep
	FROM unnest($1::bytea[], $2::bytea[], $3::bigint[], $4::bigint[]) u(counter, parts, mark, keep) WHERE g.counter = u.counter),
held AS (INSERT INTO gate_held (request, node, at, workspace, grant_id, server, tool, taken, ended)
	SELECT u.request, $5, $6::bigint, u.workspace, u.grant_id, u.server, u.tool, u.taken, 0
	FROM unnest($7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::bytea[]) u(request, workspace, grant_id, server, tool, taken)
	ON CONFLICT DO NOTHING),
dropped AS (DELETE FROM gate_held WHERE request = ANY($13::text[]) RETURNING 1),
calls AS (INSERT INTO gate_call (request, at, workspace, grant_id, server, tool, decision, code, rule, chain, seq, arguments)
	SELECT u.request, $6::bigint, u.workspace, u.grant_id, u.server, u.tool, u.decision, u.code, u.rule, $14, u.seq, u.arguments
	FROM unnest($15::text[], $16::text[], $17::text[], $18::text[], $19::text[], $20::text[], $21::text[], $22::text[], $23::bigint[], $24::bytea[])
		u(request, workspace, grant_id, server, tool, decision, code, rule, seq, arguments)
	ON CONFLICT (request) DO UPDATE SET decision = excluded.decision, code = excluded.code, rule = excluded.rule,
		chain = excluded.chain, seq = excluded.seq, arguments = coalesce(excluded.arguments, gate_call.arguments)),
outcomes AS (UPDATE gate_call g SET outcome_chain = $14, outcome_seq = u.seq
	FROM unnest($33::text[], $34::bigint[]) u(request, seq) WHERE g.request = u.request),
records AS (INSERT INTO audit_record (chain, seq, body, prev, hash)
	SELECT $14, u.seq, u.body, u.prev, u.hash FROM unnest($25::bigint[], $26::bytea[], $27::bytea[], $28::bytea[]) u(seq, body, prev, hash)),
head AS (UPDATE audit_chain SET size = $29::bigint, hash = $30, frontier = $31 WHERE chain = $14 AND size = $32::bigint RETURNING 1)
SELECT 1 / (CASE WHEN (SELECT count(*) FROM dropped) = cardinality($13::text[]) AND (SELECT count(*) FROM head) = 1 THEN 1 ELSE 0 END)`

// ends is outcomes of calls that were decided in the same group, which a part of most
// would not see.
const ends = `UPDATE gate_call g SET outcome_chain = $1, outcome_seq = u.seq FROM unnest($2::text[], $3::bigint[]) u(request, seq) WHERE g.request = u.request`

func (t *turn) queueMost(b *pgx.Batch) {
	w, first := &t.writes, t.g.head.size+1
	var counters, held, calls columns
	for key, row := range t.counters {
		if row.changed {
			counters.raws[0], counters.raws[1] = append(counters.raws[0], key[:]), append(counters.raws[1], encodeTally(&row.tally))
			counters.ints[0], counters.ints[1] = append(counters.ints[0], row.mark), append(counters.ints[1], row.keep)
		}
	}
	for i := range w.holds {
		if h := &w.holds[i]; h.call.Request != "" {
			held.text(h.call.Request, h.call.Workspace, h.call.Grant, h.call.Server, h.call.Tool)
			held.raws[0] = append(held.raws[0], encodeTaken(h.taken))
		}
	}
	newest := map[string]int{} // a call is decided once; should it be twice, the last stands
	for i, r := range w.calls {
		newest[w.records[r.record].Request] = i
	}
	for i, r := range w.calls {
		call := &w.records[r.record]
		if newest[call.Request] != i {
			continue
		}
		calls.text(call.Request, call.Workspace, call.Grant, call.Server, call.Tool, call.Decision, call.Code, call.Rule)
		calls.ints[0], calls.raws[0] = append(calls.ints[0], first+int64(r.record)), append(calls.raws[0], r.arguments)
	}
	var outcomes, late columns
	for _, r := range w.outcomes {
		c := &outcomes
		if _, now := newest[w.records[r.record].Request]; now {
			c = &late
		}
		c.text(w.records[r.record].Request)
		c.ints[0] = append(c.ints[0], first+int64(r.record))
	}
	l := t.link()
	h := t.g.head
	if len(w.records)+len(w.dropped)+len(counters.raws[0]) == 0 {
		return // a group that only waited, or changed something rare
	}
	b.Queue(most,
		counters.raws[0], counters.raws[1], counters.ints[0], counters.ints[1],
		t.g.node, t.now.UnixNano(), held.texts[0], held.texts[1], held.texts[2], held.texts[3], held.texts[4], held.raws[0],
		some(w.dropped), t.g.chain,
		calls.texts[0], calls.texts[1], calls.texts[2], calls.texts[3], calls.texts[4], calls.texts[5], calls.texts[6], calls.texts[7], calls.ints[0], calls.raws[0],
		l.seqs, l.bodies, l.prevs, l.hashes, h.size, h.hash[:], h.tree.Frontier(), first-1,
		outcomes.texts[0], outcomes.ints[0])
	if late.ints[0] != nil {
		b.Queue(ends, t.g.chain, late.texts[0], late.ints[0])
	}
}

// some is a list that is not NULL.
func some(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}

// queueRest is what few groups write.
func (t *turn) queueRest(b *pgx.Batch) {
	if len(t.writes.doubtful) > 0 {
		b.Queue(`UPDATE gate_held SET ended = $2 WHERE request = ANY($1)`, t.writes.doubtful, t.now.UnixNano())
	}
	t.queueApprovals(b)
}

func (t *turn) queueApprovals(b *pgx.Batch) {
	var c columns
	for _, used := range t.writes.consumed {
		c.text(used.approval, used.request)
	}
	if c.texts[0] != nil {
		b.Queue(`UPDATE gate_approval g SET state = 'consumed', consumed_at = $1, request = u.request, arguments = NULL
			FROM unnest($2::text[], $3::text[]) u(id, request) WHERE g.id = u.id`, t.now.UnixNano(), c.texts[0], c.texts[1])
	}
	if a := t.writes.parked; a != nil {
		b.Queue(`INSERT INTO gate_approval (id, state, workspace, grant_id, server, tool, fingerprint, arguments, body, created_at, expires_at, escalate_at)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
			a.ID, string(a.State), a.Workspace, a.Grant, a.Server, storable(a.Tool), a.Fingerprint[:], a.Arguments, bodyOf(a),
			nanos(a.CreatedAt), nanos(a.ExpiresAt), nanos(a.EscalateAt))
	}
}

// chainHead is where this node's audit chain stands.
type chainHead struct {
	size int64
	hash audit.Hash
	tree *audit.Tree
}

func readHead(row pgx.Row, chain string) (*chainHead, error) {
	var h chainHead
	var hash, frontier []byte
	if err := row.Scan(&h.size, &hash, &frontier); err != nil {
		return nil, err
	}
	h.hash = audit.Genesis(chain)
	if h.size > 0 {
		if len(hash) != len(h.hash) {
			return nil, errors.New("the head of an audit chain is damaged")
		}
		h.hash = audit.Hash(hash)
	}
	var err error
	h.tree, err = audit.TreeOf(h.size, frontier)
	return &h, err
}

// links are the group's records as they follow each other in the chain.
type links struct {
	seqs                  []int64
	bodies, prevs, hashes [][]byte
}

func (t *turn) link() (l links) {
	n := len(t.writes.records)
	if n == 0 {
		return l
	}
	h := t.g.head
	l = links{make([]int64, n), make([][]byte, n), make([][]byte, n), make([][]byte, n)}
	hashes := make([]audit.Hash, n+1)
	hashes[0] = h.hash
	all := make([]byte, 0, 600*n)
	for i := range t.writes.records {
		h.size++
		start := len(all)
		all = audit.AppendCall(all, t.g.chain, h.size, t.now, &t.writes.records[i])
		body := all[start:len(all):len(all)]
		hashes[i+1] = audit.Next(hashes[i], body)
		h.tree.Add(audit.Leaf(body))
		l.seqs[i], l.bodies[i], l.prevs[i], l.hashes[i] = h.size, body, hashes[i][:], hashes[i+1][:]
	}
	h.hash = hashes[n]
	return l
}

// The bytes of a tally: its window, then start, width and use of each part.
func encodeTally(t *enforce.Tally) []byte {
	out := make([]byte, 0, 8+24*len(t.Parts))
	out = binary.BigEndian.AppendUint64(out, uint64(t.Window))
	for _, p := range t.Parts {
		out = appendPart(out, p)
	}
	return out
}

func decodeTally(raw []byte) (t enforce.Tally, err error) {
	if len(raw) == 0 {
		return t, nil
	}
	if len(raw)%24 != 8 {
		return t, errors.New("a stored counter is damaged")
	}
	t.Window = int64(binary.BigEndian.Uint64(raw))
	for raw = raw[8:]; len(raw) > 0; raw = raw[24:] {
		t.Parts = append(t.Parts, partOf(raw))
	}
	return t, nil
}

func appendPart(out []byte, p enforce.Part) []byte {
	out = binary.BigEndian.AppendUint64(out, uint64(p.Start))
	out = binary.BigEndian.AppendUint64(out, uint64(p.Width))
	return binary.BigEndian.AppendUint64(out, uint64(p.Used))
}

func partOf(raw []byte) enforce.Part {
	return enforce.Part{
		Start: int64(binary.BigEndian.Uint64(raw)),
		Width: int64(binary.BigEndian.Uint64(raw[8:])),
		Used:  int64(binary.BigEndian.Uint64(raw[16:])),
	}
}

// The bytes of what a call took: counter, part and rule of each, the rule with its length.
func encodeTaken(list []taken) []byte {
	out := []byte{}
	for _, p := range list {
		out = appendPart(append(out, p.counter[:]...), p.part)
		out = binary.AppendUvarint(out, uint64(len(p.rule)))
		out = append(out, p.rule...)
	}
	return out
}

func decodeTaken(raw []byte) (list []taken, err error) {
	for len(raw) > 0 {
		if len(raw) < 41 {
			return nil, errors.New("a stored reservation is damaged")
		}
		p := taken{counter: enforce.Counter(raw[:16]), part: partOf(raw[16:])}
		n, size := binary.Uvarint(raw[40:])
		if size <= 0 || n > uint64(len(raw)-40-size) {
			return nil, fmt.Errorf("a stored reservation is damaged")
		}
		p.rule = string(raw[40+size : 40+size+int(n)])
		list, raw = append(list, p), raw[40+size+int(n):]
	}
	return list, nil
}

// nanos is a moment as the tables of enforcement hold it; moment is its inverse.
func nanos(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixNano()
}

func moment(ns int64) time.Time {
	if ns == 0 {
		return time.Time{}
	}
	return time.Unix(0, ns).UTC()
}
