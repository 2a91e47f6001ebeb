package sqlite

import (
	"context"

	"sluice/internal/ledger"
)

func (r runs) Create(ctx context.Context, run *ledger.Run) error {
	_, err := r.s.exec(ctx, `INSERT INTO run (id, plan, state, fence, key, tag, started_at, finished_at, error) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		run.ID, run.Plan, run.State, run.Fence, run.Key, run.Tag, millis(run.StartedAt), millis(run.FinishedAt), run.Error)
	return err
}

func (r runs) many(ctx context.Context, where string, args ...any) ([]ledger.Run, error) {
	var out []ledger.Run
	err := r.s.each(ctx, func(scan func(...any) error) error {
		var run ledger.Run
		var started, finished int64
		if err := scan(&run.ID, &run.Plan, &run.State, &run.Fence, &run.Key, &run.Tag, &started, &finished, &run.Error); err != nil {
			return err
		}
		run.StartedAt, run.FinishedAt = fromMillis(started), fromMillis(finished)
		out = append(out, run)
		return nil
	}, `SELECT id, plan, state, fence, key, tag, started_at, finished_at, error FROM run `+where, args...)
	return out, err
}

func (r runs) OfPlan(ctx context.Context, plan int64) (*ledger.Run, error) {
	list, err := r.many(ctx, "WHERE plan = ?", plan)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ledger.ErrNotFound
	}
	return &list[0], nil
}

func (r runs) Open(ctx context.Context) ([]ledger.Run, error) {
	return r.many(ctx, "WHERE state <> ? ORDER BY id", ledger.RunFinished)
}

func (r runs) Move(ctx context.Context, run *ledger.Run, fence int64) error {
	return lost(r.s.exec(ctx, `UPDATE run SET state = ?, fence = ?, finished_at = ?, error = ? WHERE id = ? AND fence = ?`,
		run.State, run.Fence, millis(run.FinishedAt), run.Error, run.ID, fence))
}

func (r runs) Key(ctx context.Context, key string) (*ledger.Idempotency, error) {
	k := ledger.Idempotency{Key: key}
	var created int64
	err := r.s.get(ctx, []any{&k.Fingerprint, &k.Run, &k.Result, &created},
		`SELECT fingerprint, run, result, created_at FROM idempotency WHERE key = ?`, key)
	if err != nil {
		return nil, err
	}
	k.CreatedAt = fromMillis(created)
	return &k, nil
}

func (r runs) PutKey(ctx context.Context, k *ledger.Idempotency) error {
	_, err := r.s.exec(ctx, `INSERT INTO idempotency (key, fingerprint, run, created_at) VALUES (?, ?, ?, ?)`,
		k.Key, k.Fingerprint, k.Run, millis(k.CreatedAt))
	return err
}

func (r runs) FinishKey(ctx context.Context, key string, result []byte) error {
	return lost(r.s.exec(ctx, `UPDATE idempotency SET result = ? WHERE key = ? AND result IS NULL`, result, key))
}

func (r runs) Begin(ctx context.Context, a *ledger.Attempt) error {
	return r.s.get(ctx, []any{&a.ID}, `INSERT INTO attempt (run, plan, batch, from_ord, to_ord, count, fence, digest, started_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		a.Run, a.Plan, a.Batch, a.From, a.To, a.Count, a.Fence, a.Digest, millis(a.StartedAt))
}

func (r runs) End(ctx context.Context, a *ledger.Attempt) error {
	return lost(r.s.exec(ctx, `UPDATE attempt SET ended_at = ?, result = ?, http = ?, code = ?, subcode = ?, received = ?, trace_id = ?
		WHERE id = ? AND ended_at = 0`,
		millis(a.EndedAt), a.Result, a.HTTP, a.Code, a.Subcode, a.Received, a.TraceID, a.ID))
}

func (r runs) Attempts(ctx context.Context, run string, fn func(*ledger.Attempt) error) error {
	return r.s.each(ctx, func(scan func(...any) error) error {
		var a ledger.Attempt
		var started, ended int64
		if err := scan(&a.ID, &a.Run, &a.Plan, &a.Batch, &a.From, &a.To, &a.Count, &a.Fence, &a.Digest, &started, &ended,
			&a.Result, &a.HTTP, &a.Code, &a.Subcode, &a.Received, &a.TraceID); err != nil {
			return err
		}
		a.StartedAt, a.EndedAt = fromMillis(started), fromMillis(ended)
		return fn(&a)
	}, `SELECT id, run, plan, batch, from_ord, to_ord, count, fence, digest, started_at, ended_at, result, http, code, subcode, received, trace_id
		FROM attempt WHERE run = ? ORDER BY id`, run)
}
