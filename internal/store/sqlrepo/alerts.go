package sqlrepo

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

// Alerts serves ledger.Alerts.
func (r *Repos) Alerts() ledger.Alerts { return alerts{r.S} }

type alerts struct{ s Session }

func (r alerts) list(ctx context.Context, where string, args ...any) (out []ledger.Alert, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var a ledger.Alert
		var opened, resolved, toldOpen, toldEnd int64
		if err := scan(&a.ID, &a.Subject, &a.Profile, &a.Code, &a.Label, &a.Message, &a.Fix, &opened, &resolved, &toldOpen, &toldEnd); err != nil {
			return err
		}
		a.Opened, a.Resolved, a.ToldOpen, a.ToldEnd = FromMillis(opened), FromMillis(resolved), FromMillis(toldOpen), FromMillis(toldEnd)
		out = append(out, a)
		return nil
	}, `SELECT id, subject, profile, code, label, message, fix, opened_at, resolved_at, told_open, told_end FROM alert `+where, args...)
	return out, err
}

func (r alerts) Active(ctx context.Context, profile string) ([]ledger.Alert, error) {
	return r.list(ctx, "WHERE resolved_at = 0 AND (?1 = '' OR profile = ?1) ORDER BY opened_at, subject", profile)
}

func (r alerts) Recent(ctx context.Context, profile string, limit int) ([]ledger.Alert, error) {
	return r.list(ctx, "WHERE (?1 = '' OR profile = ?1) ORDER BY opened_at DESC, subject LIMIT ?2", profile, int64(max(1, limit)))
}

func (r alerts) Open(ctx context.Context, a *ledger.Alert) error {
	_, err := r.s.Exec(ctx, `INSERT INTO alert (id, subject, profile, code, label, message, fix, opened_at, resolved_at, told_open, told_end)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, 0, 0, 0) ON CONFLICT DO NOTHING`,
		a.ID, a.Subject, a.Profile, a.Code, a.Label, a.Message, a.Fix, Millis(a.Opened))
	return err
}

func (r alerts) Note(ctx context.Context, id, message, fix string) error {
	_, err := r.s.Exec(ctx, `UPDATE alert SET message = ?, fix = ? WHERE id = ?`, message, fix, id)
	return err
}

func (r alerts) Resolve(ctx context.Context, id string, at time.Time) error {
	_, err := r.s.Exec(ctx, `UPDATE alert SET resolved_at = ? WHERE id = ? AND resolved_at = 0`, Millis(at), id)
	return err
}

func (r alerts) Untold(ctx context.Context, limit int) ([]ledger.Alert, error) {
	return r.list(ctx, `WHERE (told_open = 0 AND resolved_at = 0) OR (told_open <> 0 AND resolved_at <> 0 AND told_end = 0)
		ORDER BY opened_at, subject LIMIT ?`, int64(max(1, limit)))
}

func (r alerts) Told(ctx context.Context, id string, end bool, at time.Time) error {
	column := "told_open"
	if end {
		column = "told_end"
	}
	_, err := r.s.Exec(ctx, `UPDATE alert SET `+column+` = ? WHERE id = ?`, Millis(at), id)
	return err
}

func (r alerts) Channels(ctx context.Context) (out []ledger.Channel, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var c ledger.Channel
		var created int64
		if err := scan(&c.ID, &c.Profile, &c.Kind, &c.Shown, &c.Target, &created); err != nil {
			return err
		}
		c.CreatedAt = FromMillis(created)
		out = append(out, c)
		return nil
	}, `SELECT id, profile, kind, shown, target, created_at FROM alert_channel ORDER BY created_at, id`)
	return out, err
}

func (r alerts) PutChannel(ctx context.Context, c *ledger.Channel) error {
	_, err := r.s.Exec(ctx, `INSERT INTO alert_channel (id, profile, kind, shown, target, created_at) VALUES (?, ?, ?, ?, ?, ?)`,
		c.ID, c.Profile, c.Kind, c.Shown, c.Target, Millis(c.CreatedAt))
	return err
}

func (r alerts) DeleteChannel(ctx context.Context, id string) error {
	n, err := r.s.Exec(ctx, `DELETE FROM alert_channel WHERE id = ?`, id)
	if err == nil && n == 0 {
		err = ledger.ErrNotFound
	}
	return err
}

func (r alerts) Claim(ctx context.Context, what string, every time.Duration, now time.Time) (bool, error) {
	// A clock that was put back must not stop the checks.
	n, err := r.s.Exec(ctx, `INSERT INTO alert_check (what, checked_at) VALUES (?1, ?2)
		ON CONFLICT (what) DO UPDATE SET checked_at = excluded.checked_at WHERE alert_check.checked_at <= ?3 OR alert_check.checked_at > ?2`,
		what, Millis(now), Millis(now.Add(-every)))
	return n > 0, err
}

func (r alerts) Requests(ctx context.Context) (out []ledger.RequestStat, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var s ledger.RequestStat
		var took int64
		if err := scan(&s.Profile, &s.Dataset, &s.Result, &s.Requests, &s.Events, &took); err != nil {
			return err
		}
		s.Took = time.Duration(took) * time.Millisecond
		out = append(out, s)
		return nil
	}, `SELECT p.profile, p.dataset, a.result, count(*), CAST(sum(a.count) AS BIGINT), CAST(sum(CASE WHEN a.ended_at > a.started_at THEN a.ended_at - a.started_at ELSE 0 END) AS BIGINT)
		FROM attempt a JOIN plan p ON p.no = a.plan GROUP BY p.profile, p.dataset, a.result ORDER BY p.profile, p.dataset, a.result`)
	return out, err
}
