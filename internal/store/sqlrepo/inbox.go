package sqlrepo

import (
	"context"
	"time"

	"sluice/internal/inbox"
	"sluice/internal/ledger"
)

// Inbox serves inbox.Repo.
func (r *Repos) Inbox() inbox.Repo { return inboxRepo{r.S} }

type inboxRepo struct{ s Session }

func (r inboxRepo) hooks(ctx context.Context, where string, args ...any) (out []inbox.Hook, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var h inbox.Hook
		var created, last int64
		if err := scan(&h.Name, &h.Profile, &h.Outcome, &h.Scheme, &h.Mapping, &h.Secret, &h.Disabled, &created, &last); err != nil {
			return err
		}
		h.Mapped, h.CreatedAt, h.LastAt = h.Mapping != "", FromMillis(created), FromMillis(last)
		out = append(out, h)
		return nil
	}, `SELECT name, profile, outcome, scheme, mapping, secret, disabled, created_at, last_at FROM hook `+where, args...)
	return out, err
}

func (r inboxRepo) Hook(ctx context.Context, name string) (*inbox.Hook, error) {
	return one(r.hooks(ctx, "WHERE name = ?", name))
}

func (r inboxRepo) Hooks(ctx context.Context) ([]inbox.Hook, error) {
	return r.hooks(ctx, "ORDER BY name")
}

func (r inboxRepo) PutHook(ctx context.Context, h *inbox.Hook) error {
	_, err := r.s.Exec(ctx, `INSERT INTO hook (name, profile, outcome, scheme, mapping, secret, disabled, created_at, last_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (name) DO UPDATE SET profile = excluded.profile, outcome = excluded.outcome, scheme = excluded.scheme,
		mapping = excluded.mapping, secret = excluded.secret, disabled = excluded.disabled`,
		h.Name, h.Profile, h.Outcome, h.Scheme, h.Mapping, h.Secret, number(h.Disabled), Millis(h.CreatedAt), Millis(h.LastAt))
	return err
}

func (r inboxRepo) DeleteHook(ctx context.Context, name string) error {
	return Lost(r.s.Exec(ctx, `DELETE FROM hook WHERE name = ?`, name))
}

func (r inboxRepo) deliveries(ctx context.Context, body, rest string, args ...any) (out []inbox.Delivery, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var d inbox.Delivery
		var state string
		var received, next, attempts int64
		if err := scan(&d.ID, &d.Hook, &d.Sender, &d.Digest, &d.Body, &d.Size, &received, &state, &attempts, &next, &d.Code); err != nil {
			return err
		}
		d.ReceivedAt, d.NextAt, d.State, d.Attempts = FromMillis(received), FromMillis(next), inbox.State(state), int(attempts)
		out = append(out, d)
		return nil
	}, `SELECT id, hook, sender, digest, `+body+`, size, received_at, state, attempts, next_at, code FROM delivery `+rest, args...)
	return out, err
}

func (r inboxRepo) Put(ctx context.Context, d *inbox.Delivery) (*inbox.Delivery, error) {
	n, err := r.s.Exec(ctx, `INSERT INTO delivery (id, hook, sender, digest, body, size, received_at, state, attempts, next_at, code)
		VALUES (?, ?, ?, ?, ?, ?, ?, 'waiting', 0, ?, '') ON CONFLICT (hook, sender) DO NOTHING`,
		d.ID, d.Hook, d.Sender, d.Digest, d.Body, d.Size, Millis(d.ReceivedAt), Millis(d.ReceivedAt))
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return r.Find(ctx, d.Hook, d.Sender)
	}
	_, err = r.s.Exec(ctx, `UPDATE hook SET last_at = ?1 WHERE name = ?2 AND last_at < ?1 - 60000`, Millis(d.ReceivedAt), d.Hook)
	return nil, err
}

func (r inboxRepo) Find(ctx context.Context, hook, sender string) (*inbox.Delivery, error) {
	return one(r.deliveries(ctx, "NULL", "WHERE hook = ? AND sender = ?", hook, sender))
}

func (r inboxRepo) Level(ctx context.Context) (l inbox.Level, err error) {
	err = r.s.Get(ctx, []any{&l.Rows, &l.Bytes}, `SELECT count(*), CAST(coalesce(sum(size), 0) AS INTEGER) FROM delivery WHERE state = 'waiting'`)
	return l, err
}

func (r inboxRepo) Due(ctx context.Context, now time.Time, n int) ([]inbox.Delivery, error) {
	return r.deliveries(ctx, "body", "WHERE state = 'waiting' AND next_at <= ? ORDER BY next_at, id LIMIT ? "+r.s.SkipLocked(), Millis(now), n)
}

func (r inboxRepo) Lease(ctx context.Context, ids []string, until time.Time) error {
	for _, id := range ids {
		if _, err := r.s.Exec(ctx, `UPDATE delivery SET next_at = ?, attempts = attempts + 1 WHERE id = ? AND state = 'waiting'`, Millis(until), id); err != nil {
			return err
		}
	}
	return nil
}

func (r inboxRepo) Settle(ctx context.Context, id string, s inbox.State, code string) error {
	_, err := r.s.Exec(ctx, `UPDATE delivery SET state = ?1, code = ?2, body = CASE WHEN ?1 = 'done' THEN NULL ELSE body END WHERE id = ?3 AND state = 'waiting'`,
		string(s), code, id)
	return err
}

func (r inboxRepo) Again(ctx context.Context, id string, now time.Time) error {
	_, err := r.s.Exec(ctx, `UPDATE delivery SET state = 'waiting', code = '', attempts = 0, next_at = ? WHERE id = ? AND state = 'failed'`, Millis(now), id)
	return err
}

func (r inboxRepo) Sweep(ctx context.Context, before time.Time) (int64, error) {
	return r.s.Exec(ctx, `DELETE FROM delivery WHERE state <> 'waiting' AND received_at < ?1 AND next_at < ?1`, Millis(before))
}

func (r inboxRepo) Counts(ctx context.Context, hook string) (map[inbox.State]int, error) {
	out := map[inbox.State]int{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var state string
		var n int64
		if err := scan(&state, &n); err != nil {
			return err
		}
		out[inbox.State(state)] = int(n)
		return nil
	}, `SELECT state, count(*) FROM delivery WHERE hook = ? GROUP BY state`, hook)
	return out, err
}

func (r inboxRepo) Failures(ctx context.Context, hook string, n int) ([]inbox.Delivery, error) {
	return r.deliveries(ctx, "NULL", "WHERE hook = ? AND state = 'failed' ORDER BY received_at DESC LIMIT ?", hook, n)
}

// Answers serves ledger.Answers.
func (r *Repos) Answers() ledger.Answers { return answers{r.S} }

type answers struct{ s Session }

func (r answers) Find(ctx context.Context, workspace, key string) (*ledger.Answer, error) {
	a := ledger.Answer{Workspace: workspace, Key: key}
	var status, created int64
	err := r.s.Get(ctx, []any{&a.Fingerprint, &status, &a.Body, &a.Request, &created},
		`SELECT fingerprint, status, body, request, created_at FROM answer WHERE workspace = ? AND key = ? `+r.s.ForUpdate(), workspace, key)
	if err != nil {
		return nil, err
	}
	a.Status, a.CreatedAt = int(status), FromMillis(created)
	return &a, nil
}

func (r answers) Begin(ctx context.Context, a *ledger.Answer) error {
	n, err := r.s.Exec(ctx, `INSERT INTO answer (workspace, key, fingerprint, status, body, request, created_at) VALUES (?, ?, ?, 0, NULL, ?, ?)
		ON CONFLICT (workspace, key) DO NOTHING`, a.Workspace, a.Key, a.Fingerprint, a.Request, Millis(a.CreatedAt))
	if err == nil && n == 0 {
		return ledger.ErrTaken
	}
	return err
}

func (r answers) Finish(ctx context.Context, a *ledger.Answer) error {
	return Lost(r.s.Exec(ctx, `UPDATE answer SET status = ?, body = ? WHERE workspace = ? AND key = ? AND request = ?`,
		a.Status, a.Body, a.Workspace, a.Key, a.Request))
}

func (r answers) Drop(ctx context.Context, a *ledger.Answer) error {
	_, err := r.s.Exec(ctx, `DELETE FROM answer WHERE workspace = ? AND key = ? AND request = ? AND status = 0`, a.Workspace, a.Key, a.Request)
	return err
}

func (r answers) Sweep(ctx context.Context, before time.Time) error {
	_, err := r.s.Exec(ctx, `DELETE FROM answer WHERE created_at < ?`, Millis(before))
	return err
}
