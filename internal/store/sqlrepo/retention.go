package sqlrepo

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

type retention struct {
	s     Session
	plans plans
}

// Retention serves ledger.Retention.
func (r *Repos) Retention() ledger.Retention { return retention{r.S, plans{r.S}} }

func (r plans) Shred(ctx context.Context, no int64, summary []byte, at time.Time) error {
	err := Lost(r.s.Exec(ctx, `UPDATE plan SET wrapped_key = ?, summary = ?, shredded_at = ? WHERE no = ? AND shredded_at = 0`,
		[]byte{}, summary, Millis(at), no))
	if err != nil {
		return err
	}
	_, err = r.s.Exec(ctx, `DELETE FROM subject WHERE plan = ?`, no)
	return err
}

func (r plans) SetSummary(ctx context.Context, no int64, summary []byte) error {
	return Lost(r.s.Exec(ctx, `UPDATE plan SET summary = ? WHERE no = ?`, summary, no))
}

func (r retention) Payloads(ctx context.Context) ([]ledger.Plan, error) {
	return r.plans.many(ctx, "WHERE shredded_at = 0 AND id IS NOT NULL ORDER BY no")
}

func (r retention) LastAttempt(ctx context.Context, plan int64) (time.Time, error) {
	var last int64
	err := r.s.Get(ctx, []any{&last}, `SELECT coalesce(max(a.started_at), 0) FROM attempt a JOIN run r ON r.id = a.run WHERE r.plan = ?`, plan)
	return FromMillis(last), err
}

func (r retention) numbers(ctx context.Context, query string, args ...any) (out []int64, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var no int64
		if err := scan(&no); err != nil {
			return err
		}
		out = append(out, no)
		return nil
	}, query, args...)
	return out, err
}

func (r retention) WithRejects(ctx context.Context, profile string, before time.Time) ([]int64, error) {
	return r.numbers(ctx, `SELECT no FROM plan WHERE profile = ? AND created_at < ?
		AND EXISTS (SELECT 1 FROM reject WHERE reject.plan = plan.no) ORDER BY no`, profile, Millis(before))
}

func (r retention) DeleteRejects(ctx context.Context, plan int64) (bool, int, error) {
	n, err := r.s.Exec(ctx, `DELETE FROM reject WHERE plan = ?1 AND seq IN (SELECT seq FROM reject WHERE plan = ?1 LIMIT ?2)`, plan, deleteRows)
	return n < deleteRows, int(n), err
}

func (r retention) Older(ctx context.Context, profile string, before time.Time) ([]int64, error) {
	return r.numbers(ctx, `SELECT no FROM plan WHERE profile = ? AND created_at < ? AND shredded_at > 0 ORDER BY no`, profile, Millis(before))
}

func (r retention) Purge(ctx context.Context, plan int64) (done bool, events int, err error) {
	low, end := int64(ledger.RefOf(plan, 0)), int64(ledger.RefOf(plan+1, 0))
	var high int64
	err = r.s.Get(ctx, []any{&high}, `SELECT coalesce(max(ref), 0) FROM (SELECT ref FROM event WHERE ref >= ? AND ref < ? ORDER BY ref LIMIT ?) AS few`, low, end, deleteRows)
	if err != nil {
		return false, 0, err
	}
	if high > 0 {
		for _, q := range []string{
			`DELETE FROM claim WHERE ref >= ?1 AND ref <= ?2 AND key IN (SELECT key FROM event WHERE ref >= ?1 AND ref <= ?2)`,
			`DELETE FROM claim WHERE ref >= ?1 AND ref <= ?2 AND key IN (SELECT sale FROM event_sale WHERE ref >= ?1 AND ref <= ?2)`,
			`DELETE FROM event_sale WHERE ref >= ?1 AND ref <= ?2`,
		} {
			if _, err := r.s.Exec(ctx, q, low, high); err != nil {
				return false, 0, err
			}
		}
		n, err := r.s.Exec(ctx, `DELETE FROM event WHERE ref >= ? AND ref <= ?`, low, high)
		return false, int(n), err
	}
	for _, q := range []string{
		`DELETE FROM attempt WHERE run IN (SELECT id FROM run WHERE plan = ?)`,
		`DELETE FROM idempotency WHERE run IN (SELECT id FROM run WHERE plan = ?)`,
		`DELETE FROM run WHERE plan = ?`,
		`DELETE FROM reject WHERE plan = ?`,
		`DELETE FROM batch WHERE plan = ?`,
		`DELETE FROM kind WHERE plan = ?`,
		`DELETE FROM subject WHERE plan = ?`,
		`DELETE FROM leftover WHERE plan = ?`,
		`DELETE FROM plan WHERE no = ?`,
	} {
		if _, err := r.s.Exec(ctx, q, plan); err != nil {
			return false, 0, err
		}
	}
	return true, 0, nil
}

func (r retention) DeleteKeys(ctx context.Context, before time.Time) (int, error) {
	n, err := r.s.Exec(ctx, `DELETE FROM idempotency WHERE created_at < ? AND result IS NOT NULL`, Millis(before))
	return int(n), err
}
