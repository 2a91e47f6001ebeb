package sqlrepo

import (
	"context"
	"encoding/json"
	"time"

	"sluice/capi"
	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

func (r runs) Create(ctx context.Context, run *ledger.Run) error {
	if run.Profile == "" {
		run.Profile = tenant.Default
	}
	value, err := json.Marshal(run.Value)
	if err != nil {
		return err
	}
	n, err := r.s.Exec(ctx, `INSERT INTO run (id, plan, state, fence, key, tag, started_at, finished_at, error, profile, events, value, canary, paused)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		run.ID, run.Plan, run.State, run.Fence, run.Key, run.Tag, Millis(run.StartedAt), Millis(run.FinishedAt), run.Error, run.Profile, run.Events, string(value), run.Canary, number(run.Paused))
	if err == nil && n == 0 {
		err = ledger.ErrTaken
	}
	return err
}

func (r runs) many(ctx context.Context, where string, args ...any) ([]ledger.Run, error) {
	var out []ledger.Run
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var run ledger.Run
		var started, finished int64
		var value string
		if err := scan(&run.ID, &run.Plan, &run.State, &run.Fence, &run.Key, &run.Tag, &started, &finished, &run.Error,
			&run.Profile, &run.Events, &value, &run.Canary, &run.Paused); err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(value), &run.Value); err != nil {
			return err
		}
		run.StartedAt, run.FinishedAt = FromMillis(started), FromMillis(finished)
		out = append(out, run)
		return nil
	}, `SELECT id, plan, state, fence, key, tag, started_at, finished_at, error, profile, events, value, canary, paused FROM run `+where, args...)
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

func (r runs) ByID(ctx context.Context, id string) (*ledger.Run, error) {
	list, err := r.many(ctx, "WHERE id = ?", id)
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, ledger.ErrNotFound
	}
	return &list[0], nil
}

func (r runs) ConfirmedSince(ctx context.Context, profile string, since time.Time) (int, map[string]int64, error) {
	list, err := r.many(ctx, "WHERE profile = ? AND started_at >= ?", profile, Millis(since))
	events, value := 0, map[string]int64{}
	for _, run := range list {
		events += run.Events
		for currency, text := range run.Value {
			amount, err := capi.ParseDecimal(text)
			if err != nil {
				return 0, nil, err
			}
			value[currency] += int64(amount)
		}
	}
	return events, value, err
}

func (r runs) Open(ctx context.Context) ([]ledger.Run, error) {
	return r.many(ctx, "WHERE state <> ? ORDER BY id", ledger.RunFinished)
}

func (r runs) Move(ctx context.Context, run *ledger.Run, fence int64) error {
	return Lost(r.s.Exec(ctx, `UPDATE run SET state = ?, fence = ?, finished_at = ?, error = ?, canary = ?, paused = ? WHERE id = ? AND fence = ?`,
		run.State, run.Fence, Millis(run.FinishedAt), run.Error, run.Canary, number(run.Paused), run.ID, fence))
}

func (r runs) Key(ctx context.Context, profile, key string) (*ledger.Idempotency, error) {
	k := ledger.Idempotency{Profile: profile, Key: key}
	var created int64
	err := r.s.Get(ctx, []any{&k.Fingerprint, &k.Run, &k.Result, &created},
		`SELECT fingerprint, run, result, created_at FROM idempotency WHERE profile = ? AND key = ?`, profile, key)
	if err != nil {
		return nil, err
	}
	k.CreatedAt = FromMillis(created)
	return &k, nil
}

func (r runs) PutKey(ctx context.Context, k *ledger.Idempotency) error {
	n, err := r.s.Exec(ctx, `INSERT INTO idempotency (profile, key, fingerprint, run, created_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		k.Profile, k.Key, k.Fingerprint, k.Run, Millis(k.CreatedAt))
	if err == nil && n == 0 {
		err = ledger.ErrTaken
	}
	return err
}

func (r runs) FinishKey(ctx context.Context, profile, key string, result []byte) error {
	return Lost(r.s.Exec(ctx, `UPDATE idempotency SET result = ? WHERE profile = ? AND key = ? AND result IS NULL`, result, profile, key))
}

func (r runs) Begin(ctx context.Context, a *ledger.Attempt) error {
	return r.s.Get(ctx, []any{&a.ID}, `INSERT INTO attempt (run, plan, batch, from_ord, to_ord, count, fence, digest, started_at)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
		a.Run, a.Plan, a.Batch, a.From, a.To, a.Count, a.Fence, a.Digest, Millis(a.StartedAt))
}

func (r runs) End(ctx context.Context, a *ledger.Attempt) error {
	return Lost(r.s.Exec(ctx, `UPDATE attempt SET ended_at = ?, result = ?, http = ?, code = ?, subcode = ?, received = ?, trace_id = ?
		WHERE id = ? AND ended_at = 0`,
		Millis(a.EndedAt), a.Result, a.HTTP, a.Code, a.Subcode, a.Received, a.TraceID, a.ID))
}

func (r runs) Attempts(ctx context.Context, run string, fn func(*ledger.Attempt) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var a ledger.Attempt
		var started, ended int64
		if err := scan(&a.ID, &a.Run, &a.Plan, &a.Batch, &a.From, &a.To, &a.Count, &a.Fence, &a.Digest, &started, &ended,
			&a.Result, &a.HTTP, &a.Code, &a.Subcode, &a.Received, &a.TraceID); err != nil {
			return err
		}
		a.StartedAt, a.EndedAt = FromMillis(started), FromMillis(ended)
		return fn(&a)
	}, `SELECT id, run, plan, batch, from_ord, to_ord, count, fence, digest, started_at, ended_at, result, http, code, subcode, received, trace_id
		FROM attempt WHERE run = ? ORDER BY id`, run)
}
