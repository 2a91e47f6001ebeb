package postgres

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"sluice/internal/enforce"
)

const (
	approvalColumns = `id, state, workspace, grant_id, server, tool, fingerprint, arguments, ` + approvalRest
	listedColumns   = `id, state, workspace, grant_id, server, tool, fingerprint, NULL::bytea, ` + approvalRest
	approvalRest    = `body, created_at, expires_at, escalate_at, escalated, decider, via, reason, decided_at, consumed_at, request`
)

// approvalBody is what of an approval never changes and nobody searches for.
type approvalBody struct {
	GrantName  string   `json:"grant_name,omitempty"`
	MintedBy   string   `json:"minted_by,omitempty"`
	ArgKeys    []string `json:"arg_keys,omitempty"`
	Rule       string   `json:"rule,omitempty"`
	Message    string   `json:"message,omitempty"`
	Policy     string   `json:"policy,omitempty"`
	Version    int      `json:"policy_version,omitempty"`
	PolicyHash string   `json:"policy_hash,omitempty"`
	Approvers  []string `json:"approvers,omitempty"`
	EscalateTo []string `json:"escalate_to,omitempty"`
	FourEyes   bool     `json:"four_eyes,omitempty"`
}

func bodyOf(a *enforce.Approval) string {
	raw, err := json.Marshal(approvalBody{
		GrantName: a.GrantName, MintedBy: a.MintedBy, ArgKeys: a.ArgKeys, Rule: a.Rule, Message: a.Message, Policy: a.Policy,
		Version: a.Version, PolicyHash: a.PolicyHash, Approvers: a.Approvers, EscalateTo: a.EscalateTo, FourEyes: a.FourEyes,
	})
	if err != nil {
		panic(err) // texts, a number and a truth always encode
	}
	return string(raw)
}

func scanApproval(row pgx.CollectableRow) (a enforce.Approval, err error) {
	var fingerprint []byte
	var text string
	var created, expires, escalates, decided, consumed int64
	err = row.Scan(&a.ID, &a.State, &a.Workspace, &a.Grant, &a.Server, &a.Tool, &fingerprint, &a.Arguments, &text, &created, &expires, &escalates,
		&a.Escalated, &a.Decider, &a.Via, &a.Reason, &decided, &consumed, &a.Request)
	if err != nil {
		return a, err
	}
	var body approvalBody
	if err := json.Unmarshal([]byte(text), &body); err != nil || len(fingerprint) != len(a.Fingerprint) {
		return a, errors.New("a stored approval is damaged")
	}
	a.Fingerprint = [32]byte(fingerprint)
	a.GrantName, a.MintedBy, a.ArgKeys, a.Rule, a.Message, a.Policy = body.GrantName, body.MintedBy, body.ArgKeys, body.Rule, body.Message, body.Policy
	a.Version, a.PolicyHash, a.Approvers, a.EscalateTo, a.FourEyes = body.Version, body.PolicyHash, body.Approvers, body.EscalateTo, body.FourEyes
	a.CreatedAt, a.ExpiresAt, a.EscalateAt, a.DecidedAt, a.ConsumedAt = moment(created), moment(expires), moment(escalates), moment(decided), moment(consumed)
	return a, nil
}

// many runs a statement that returns approvals.
func (e *Enforcement) many(ctx context.Context, query string, args ...any) ([]enforce.Approval, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	rows, err := e.pool.Query(ctx, query, args...)
	if err != nil {
		return nil, unavailable(ctx, err)
	}
	list, err := pgx.CollectRows(rows, scanApproval)
	return list, unavailable(ctx, err)
}

// Park implements enforce.Store.
func (e *Enforcement) Park(ctx context.Context, p *enforce.Parking) (*enforce.Approval, error) {
	own := *p
	got := e.line.ask(ctx, &op{park: &own})
	return got.approval, got.err
}

// Approval implements enforce.Store.
func (e *Enforcement) Approval(ctx context.Context, id string) (*enforce.Approval, error) {
	list, err := e.many(ctx, `SELECT `+approvalColumns+` FROM gate_approval WHERE id = $1`, id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, enforce.ErrNotFound
	}
	return &list[0], nil
}

// Decide implements enforce.Store. A person's decision is on disk before it is told,
// whatever the durability of calls.
func (e *Enforcement) Decide(ctx context.Context, d enforce.Decision) (*enforce.Approval, error) {
	now, err := e.clock(ctx)
	if err != nil {
		return nil, err
	}
	set := `state = 'denied', arguments = NULL`
	if d.Approve {
		set = fmt.Sprintf(`state = 'approved', expires_at = $2::bigint + %d`, enforce.UnusedApproval)
	}
	list, err := e.many(ctx, `UPDATE gate_approval SET `+set+`, decided_at = $2::bigint, decider = $3, via = $4, reason = $5
		WHERE id = $1 AND state = 'pending' AND expires_at > $2::bigint RETURNING `+approvalColumns,
		d.ID, now.UnixNano(), storable(d.By), storable(d.Via), storable(d.Reason))
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		a, err := e.Approval(ctx, d.ID)
		if err == nil {
			err = enforce.ErrDecided
		}
		return a, err
	}
	wake(e.wait.nudge)
	return &list[0], nil
}

// Cancel implements enforce.Store.
func (e *Enforcement) Cancel(ctx context.Context, c enforce.Cancellation) (int, error) {
	list, err := e.many(ctx, `WITH chosen AS (SELECT id AS chosen_id FROM gate_approval WHERE state IN ('pending', 'approved')
			AND ($1::text = '' OR workspace = $1) AND ($2::text = '' OR grant_id = $2) AND ($3::text = '' OR server = $3) ORDER BY id FOR UPDATE)
		UPDATE gate_approval SET state = 'cancelled', arguments = NULL, reason = CASE WHEN $4::text = '' THEN reason ELSE $4 END
		FROM chosen WHERE id = chosen_id RETURNING `+approvalColumns,
		c.Workspace, c.Grant, c.Server, storable(c.Reason))
	wake(e.wait.nudge)
	return len(list), err
}

// Approvals implements enforce.Store.
func (e *Enforcement) Approvals(ctx context.Context, f enforce.ApprovalFilter) ([]enforce.Approval, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	var q query
	q.equal("workspace", f.Workspace)
	q.equal("grant_id", f.Grant)
	q.equal("server", f.Server)
	q.equal("tool", f.Tool)
	q.equal("state", string(f.State))
	return e.many(ctx, `SELECT `+listedColumns+` FROM gate_approval`+q.where()+` ORDER BY created_at DESC, id DESC LIMIT `+q.arg(f.Limit), q.args...)
}

// Escalate implements enforce.Store: whoever locks a row first has it.
func (e *Enforcement) Escalate(ctx context.Context) ([]enforce.Approval, error) {
	return e.claim(ctx, `escalated = TRUE`, `state = 'pending' AND NOT escalated AND escalate_at <> 0 AND escalate_at <= $1 AND expires_at > $1`)
}

// Expire implements enforce.Store.
func (e *Enforcement) Expire(ctx context.Context) ([]enforce.Approval, error) {
	list, err := e.claim(ctx, `state = 'expired', arguments = NULL`, `state IN ('pending', 'approved') AND expires_at <= $1`)
	if len(list) > 0 {
		wake(e.wait.nudge)
	}
	return list, err
}

func (e *Enforcement) claim(ctx context.Context, set, where string) ([]enforce.Approval, error) {
	now, err := e.clock(ctx)
	if err != nil {
		return nil, err
	}
	return e.many(ctx, `WITH chosen AS (SELECT id AS chosen_id FROM gate_approval WHERE `+where+` ORDER BY id FOR UPDATE SKIP LOCKED)
		UPDATE gate_approval SET `+set+` FROM chosen WHERE id = chosen_id RETURNING `+approvalColumns, now.UnixNano())
}

// Await implements enforce.Store.
func (e *Enforcement) Await(ctx context.Context, id string) (*enforce.Approval, error) {
	for {
		left, leave := e.wait.join(id)
		a, err := e.Approval(ctx, id)
		if err != nil || a.State != enforce.Pending {
			leave()
			return a, err
		}
		select {
		case <-left:
			leave()
		case <-e.wait.over():
			leave()
			return nil, errClosed
		case <-ctx.Done():
			leave()
			return nil, ctx.Err()
		}
	}
}

// left returns which of some approvals are not pending any more.
func (e *Enforcement) left(ctx context.Context, ids []string) ([]string, error) {
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	rows, err := e.pool.Query(ctx, `SELECT id FROM gate_approval WHERE id = ANY($1) AND state <> 'pending'`, ids)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[string])
}

// lookAgain is how often it is asked whether others have decided, while somebody waits.
const lookAgain = 100 * time.Millisecond

// waiters are those who wait for a person. One question serves them all.
type waiters struct {
	nudge chan struct{}
	ended chan struct{}

	mu sync.Mutex
	of map[string]*waiter
}

type waiter struct {
	here int
	left chan struct{}
}

func newWaiters() *waiters {
	return &waiters{nudge: make(chan struct{}, 1), ended: make(chan struct{}), of: map[string]*waiter{}}
}

func (w *waiters) over() <-chan struct{} { return w.ended }

// join waits for one approval; leave must be called.
func (w *waiters) join(id string) (left <-chan struct{}, leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	one := w.of[id]
	if one == nil {
		one = &waiter{left: make(chan struct{})}
		w.of[id] = one
		wake(w.nudge)
	}
	one.here++
	return one.left, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		if one.here--; one.here == 0 && w.of[id] == one {
			delete(w.of, id)
		}
	}
}

// run asks while somebody waits, and ends with ctx.
func (w *waiters) run(ctx context.Context, ask func(context.Context, []string) ([]string, error)) {
	defer close(w.ended)
	tick := time.NewTicker(lookAgain)
	defer tick.Stop()
	for {
		var again <-chan time.Time
		if ids := w.ids(); len(ids) > 0 {
			again = tick.C
			gone, err := ask(ctx, ids)
			if err == nil { // else it is asked again
				w.tell(gone)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-w.nudge:
		case <-again:
		}
	}
}

func (w *waiters) ids() (ids []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for id := range w.of {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

func (w *waiters) tell(gone []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, id := range gone {
		if one := w.of[id]; one != nil {
			close(one.left)
			delete(w.of, id)
		}
	}
}
