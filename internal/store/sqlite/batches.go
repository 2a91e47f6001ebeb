package sqlite

import (
	"context"

	"sluice/internal/ledger"
)

func (r batches) Put(ctx context.Context, list []ledger.Batch) error {
	for i := range list {
		b := &list[i]
		if _, err := r.s.exec(ctx, `INSERT INTO batch (plan, no, first, count, class, state, fence, attempts, first_attempt, next_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			b.Plan, b.No, b.First, b.Count, b.Class, b.State, b.Fence, b.Attempts, millis(b.FirstAttempt), millis(b.NextAt)); err != nil {
			return err
		}
	}
	return nil
}

func (r batches) scanAll(ctx context.Context, where string, args ...any) ([]ledger.Batch, error) {
	var out []ledger.Batch
	err := r.s.each(ctx, func(scan func(...any) error) error {
		var b ledger.Batch
		var first, next int64
		if err := scan(&b.Plan, &b.No, &b.First, &b.Count, &b.Class, &b.State, &b.Fence, &b.Attempts, &first, &next); err != nil {
			return err
		}
		b.FirstAttempt, b.NextAt = fromMillis(first), fromMillis(next)
		out = append(out, b)
		return nil
	}, `SELECT plan, no, first, count, class, state, fence, attempts, first_attempt, next_at FROM batch WHERE `+where+` ORDER BY no`, args...)
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
	return r.scanAll(ctx, "plan = ?", plan)
}

func (r batches) Move(ctx context.Context, b *ledger.Batch, from ledger.State, fence int64) error {
	return lost(r.s.exec(ctx, `UPDATE batch SET state = ?, fence = ?, attempts = ?, first_attempt = ?, next_at = ?
		WHERE plan = ? AND no = ? AND state = ? AND fence = ?`,
		b.State, b.Fence, b.Attempts, millis(b.FirstAttempt), millis(b.NextAt), b.Plan, b.No, from, fence))
}

func (r batches) MoveAll(ctx context.Context, plan int64, from, to ledger.State, fence int64) (int, error) {
	n, err := r.s.exec(ctx, `UPDATE batch SET state = ?, fence = ? WHERE plan = ? AND state = ? AND fence <= ?`, to, fence, plan, from, fence)
	return int(n), err
}
