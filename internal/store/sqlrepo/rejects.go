package sqlrepo

import (
	"context"
	"encoding/json"
	"errors"
	"math"

	"sluice/internal/ledger"
)

func (r rejects) Put(ctx context.Context, list []ledger.Reject) error {
	var rows [][]any
	locked := map[int64]bool{}
	for i := range list {
		x := &list[i]
		if !locked[x.Plan] {
			if err := r.lock(ctx, x.Plan); err != nil {
				return err
			}
			locked[x.Plan] = true
		}
		meta, err := json.Marshal(x.Meta)
		if err != nil {
			return err
		}
		labels, err := json.Marshal(x.Labels)
		if err != nil {
			return err
		}
		rows = append(rows, []any{x.Plan, x.File, x.Line, x.Stage, x.Code, x.Field, x.Masked, x.Hint, x.Record, string(meta), string(labels)})
	}
	_, err := r.s.ExecAll(ctx, `INSERT INTO reject (plan, seq, file, line, stage, code, field, masked, hint, record, meta, labels)
		VALUES (?1, coalesce((SELECT max(seq) FROM reject WHERE plan = ?1), 0) + 1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)`, rows)
	return err
}

// lock keeps senders of one plan from giving out the same number.
func (r rejects) lock(ctx context.Context, plan int64) error {
	if r.s.ForUpdate() == "" {
		return nil
	}
	var no int64
	err := r.s.Get(ctx, []any{&no}, `SELECT no FROM plan WHERE no = ?`+r.s.ForUpdate(), plan)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil
	}
	return err
}

func (r rejects) Each(ctx context.Context, f ledger.RejectFilter, fn func(*ledger.Reject) error) error {
	limit := int64(f.Limit)
	if limit <= 0 {
		limit = math.MaxInt64
	}
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var x ledger.Reject
		var meta, labels string
		if err := scan(&x.Plan, &x.Seq, &x.File, &x.Line, &x.Stage, &x.Code, &x.Field, &x.Masked, &x.Hint, &x.Record, &meta, &labels); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(meta), &x.Meta); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(labels), &x.Labels); err != nil {
			return err
		}
		return fn(&x)
	}, `SELECT plan, seq, file, line, stage, code, field, masked, hint, record, meta, labels FROM reject
		WHERE (?1 = 0 OR plan = ?1) AND (?2 = '' OR code = ?2) ORDER BY plan, seq LIMIT ?3`, f.Plan, f.Code, limit)
}

func (r rejects) Counts(ctx context.Context, plan int64) (map[string]int, error) {
	out := map[string]int{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var code string
		var n int
		if err := scan(&code, &n); err != nil {
			return err
		}
		out[code] = n
		return nil
	}, `SELECT code, count(*) FROM reject WHERE plan = ? GROUP BY code`, plan)
	return out, err
}
