package sqlrepo

import (
	"context"
	"errors"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/privacy"
)

type privates struct{ s Session }

// Privacy serves privacy.Repo.
func (r *Repos) Privacy() privacy.Repo { return privates{r.S} }

func (r privates) Pepper(ctx context.Context, profile string) ([]byte, error) {
	var sealed []byte
	err := r.s.Get(ctx, []any{&sealed}, `SELECT sealed FROM pepper WHERE profile = ?`, profile)
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, nil
	}
	return sealed, err
}

func (r privates) PutPepper(ctx context.Context, profile string, sealed []byte, at time.Time) error {
	_, err := r.s.Exec(ctx, `INSERT INTO pepper (profile, sealed, created_at) VALUES (?, ?, ?) ON CONFLICT (profile) DO NOTHING`,
		profile, sealed, Millis(at))
	return err
}

func (r privates) Suppress(ctx context.Context, profile string, list []privacy.Suppression) (int, error) {
	added := 0
	for _, s := range list {
		n, err := r.s.Exec(ctx, `INSERT INTO suppression (profile, tag, field, reason, request, created_at) VALUES (?, ?, ?, ?, ?, ?)
			ON CONFLICT (profile, tag) DO NOTHING`, profile, s.Tag[:], s.Field, s.Reason, s.Request, Millis(s.CreatedAt))
		if err != nil {
			return added, err
		}
		added += int(n)
	}
	return added, nil
}

func (r privates) Lift(ctx context.Context, profile string, tags []privacy.Tag) (int, error) {
	gone := 0
	for _, t := range tags {
		n, err := r.s.Exec(ctx, `DELETE FROM suppression WHERE profile = ? AND tag = ?`, profile, t[:])
		if err != nil {
			return gone, err
		}
		gone += int(n)
	}
	return gone, nil
}

func (r privates) Contains(ctx context.Context, profile string, tag privacy.Tag) (bool, error) {
	var n int
	err := r.s.Get(ctx, []any{&n}, `SELECT count(*) FROM suppression WHERE profile = ? AND tag = ?`, profile, tag[:])
	return n > 0, err
}

func (r privates) Each(ctx context.Context, profile string, since time.Time, fn func(privacy.Tag) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var raw []byte
		if err := scan(&raw); err != nil {
			return err
		}
		var tag privacy.Tag
		copy(tag[:], raw)
		return fn(tag)
	}, `SELECT tag FROM suppression WHERE profile = ? AND created_at >= ? ORDER BY tag`, profile, Millis(since))
}

func (r privates) Count(ctx context.Context, profile string) ([]privacy.Count, error) {
	out := []privacy.Count{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var c privacy.Count
		if err := scan(&c.Field, &c.Reason, &c.Count); err != nil {
			return err
		}
		out = append(out, c)
		return nil
	}, `SELECT field, reason, count(*) FROM suppression WHERE profile = ? GROUP BY field, reason ORDER BY field, reason`, profile)
	return out, err
}

func (r privates) PutSubjects(ctx context.Context, plan int64, parts []privacy.Part) error {
	for _, p := range parts {
		if _, err := r.s.Exec(ctx, `INSERT INTO subject (plan, part, body) VALUES (?, ?, ?)
			ON CONFLICT (plan, part) DO UPDATE SET body = excluded.body`, plan, p.No, p.Body); err != nil {
			return err
		}
	}
	return nil
}

func (r privates) SubjectParts(ctx context.Context, plan int64, fn func(privacy.Part) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var p privacy.Part
		if err := scan(&p.No, &p.Body); err != nil {
			return err
		}
		return fn(p)
	}, `SELECT part, body FROM subject WHERE plan = ? ORDER BY part`, plan)
}

func (r privates) DropSubjects(ctx context.Context, plan int64) error {
	_, err := r.s.Exec(ctx, `DELETE FROM subject WHERE plan = ?`, plan)
	return err
}
