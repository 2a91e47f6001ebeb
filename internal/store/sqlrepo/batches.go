package sqlrepo

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

func (r batches) Put(ctx context.Context, list []ledger.Batch) error {
	rows := make([][]any, len(list))
	for i := range list {
		b := &list[i]
		rows[i] = []any{b.Plan, b.No, b.First, b.Count, b.Class, b.State, b.Fence, b.Attempts, Millis(b.FirstAttempt), Millis(b.NextAt), b.Owner, Millis(b.LeaseUntil)}
	}
	_, err := r.s.ExecAll(ctx, `INSERT INTO batch (plan, no, first, count, class, state, fence, attempts, first_attempt, next_at, owner, lease_until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`, rows)
	return err
}

func (r batches) scanAll(ctx context.Context, where string, args ...any) ([]ledger.Batch, error) {
	var out []ledger.Batch
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var b ledger.Batch
		var first, next, lease int64
		if err := scan(&b.Plan, &b.No, &b.First, &b.Count, &b.Class, &b.State, &b.Fence, &b.Attempts, &first, &next, &b.Owner, &lease); err != nil {
			return err
		}
		b.FirstAttempt, b.NextAt, b.LeaseUntil = FromMillis(first), FromMillis(next), FromMillis(lease)
		out = append(out, b)
		return nil
	}, `SELECT plan, no, first, count, class, state, fence, attempts, first_attempt, next_at, owner, lease_until FROM batch WHERE `+where, args...)
	return out, err
}

func (r batches) Get(ctx context.Context, plan int64, no int) (*ledger.Batch, error) {
	list, err := r.scanAll(ctx, "plan = ? AND no = ?", plan, no)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ledger.ErrNotFound
	}
	return &list[0], nil
}

func (r batches) List(ctx context.Context, plan int64) ([]ledger.Batch, error) {
	return r.scanAll(ctx, "plan = ? ORDER BY no", plan)
}

func (r batches) Move(ctx context.Context, b *ledger.Batch, from ledger.State, fence int64) error {
	return Lost(r.s.Exec(ctx, `UPDATE batch SET state = ?, fence = ?, attempts = ?, first_attempt = ?, next_at = ?, owner = ?, lease_until = ?
		WHERE plan = ? AND no = ? AND state = ? AND fence = ?`,
		b.State, b.Fence, b.Attempts, Millis(b.FirstAttempt), Millis(b.NextAt), b.Owner, Millis(b.LeaseUntil), b.Plan, b.No, from, fence))
}

func (r batches) Lease(ctx context.Context, plan int64, owner string, d time.Duration, n int) ([]ledger.Batch, error) {
	now := r.now()
	// Written before the clock went back: nobody holds a lease for longer than this.
	if _, err := r.s.Exec(ctx, `UPDATE batch SET lease_until = ? WHERE plan = ? AND lease_until > ?`,
		Millis(now.Add(d)), plan, Millis(now.Add(2*d))); err != nil {
		return nil, err
	}
	// The states are literals: the planner uses the queue's index only when it sees them.
	list, err := r.scanAll(ctx, `plan = ? AND owner <> ? AND lease_until <= ? AND (next_at <= ? OR (next_at > ? AND next_at < ?))
		AND state IN ('queued', 'retry_wait', 'unknown', 'in_flight') ORDER BY no LIMIT ?`+r.s.SkipLocked(),
		plan, owner, Millis(now), Millis(now), Millis(now.Add(ledger.MaxWait)), Millis(ledger.Never), n)
	if err != nil {
		return nil, err
	}
	for i := range list {
		b := &list[i]
		fence := b.Fence
		b.Fence, b.Owner, b.LeaseUntil = fence+1, owner, now.Add(d)
		if err := r.Move(ctx, b, b.State, fence); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (r batches) Release(ctx context.Context, plan int64, owner string) error {
	_, err := r.s.Exec(ctx, `UPDATE batch SET owner = '', lease_until = 0 WHERE plan = ?1 AND owner <> '' AND (?2 = '' OR owner = ?2)`, plan, owner)
	return err
}

func (r batches) MoveAll(ctx context.Context, plan int64, from, to ledger.State, fence int64) (int, error) {
	n, err := r.s.Exec(ctx, `UPDATE batch SET state = ?, fence = ? WHERE plan = ? AND state = ? AND fence <= ?`, to, fence, plan, from, fence)
	return int(n), err
}
