package sqlrepo

import (
	"context"
	"encoding/json"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/schedule"
)

// Schedules serves schedule.Repo.
func (r *Repos) Schedules() schedule.Repo { return schedules{r.S} }

type schedules struct{ s Session }

func (r schedules) list(ctx context.Context, where string, args ...any) (out []schedule.Schedule, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var s schedule.Schedule
		var spec, state, signed string
		var next, created, lease int64
		if err := scan(&s.ID, &s.Profile, &s.Name, &spec, &state, &signed, &next, &s.Completed, &created, &s.Owner, &lease); err != nil {
			return err
		}
		s.State, s.NextAt, s.CreatedAt, s.LeaseUntil = schedule.State(state), FromMillis(next), FromMillis(created), FromMillis(lease)
		if signed != "" {
			s.Signed = new(schedule.Authorization)
			if err := json.Unmarshal([]byte(signed), s.Signed); err != nil {
				return err
			}
		}
		if err := json.Unmarshal([]byte(spec), &s.Spec); err != nil {
			return err
		}
		out = append(out, s)
		return nil
	}, `SELECT id, profile, name, spec, state, signed, next_at, completed, created_at, owner, lease_until FROM schedule `+where, args...)
	return out, err
}

func (r schedules) Get(ctx context.Context, profile, name string) (*schedule.Schedule, error) {
	return one(r.list(ctx, "WHERE profile = ? AND name = ?", profile, name))
}

func (r schedules) List(ctx context.Context, profile string) ([]schedule.Schedule, error) {
	return r.list(ctx, "WHERE (?1 = '' OR profile = ?1) ORDER BY profile, name", profile)
}

func (r schedules) Put(ctx context.Context, s *schedule.Schedule) error {
	spec, err := json.Marshal(s.Spec)
	if err != nil {
		return err
	}
	signed := ""
	if s.Signed != nil {
		raw, err := json.Marshal(s.Signed)
		if err != nil {
			return err
		}
		signed = string(raw)
	}
	_, err = r.s.Exec(ctx, `INSERT INTO schedule (id, profile, name, spec, state, signed, next_at, completed, created_at, owner, lease_until)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, '', 0)
		ON CONFLICT (id) DO UPDATE SET name = excluded.name, spec = excluded.spec, state = excluded.state, signed = excluded.signed,
		next_at = excluded.next_at, completed = excluded.completed`,
		s.ID, s.Profile, s.Name, string(spec), string(s.State), signed, Millis(s.NextAt), s.Completed, Millis(s.CreatedAt))
	return err
}

func (r schedules) Delete(ctx context.Context, id string) error {
	for _, table := range []string{"schedule_file", "schedule_run"} {
		if _, err := r.s.Exec(ctx, `DELETE FROM `+table+` WHERE schedule = ?`, id); err != nil {
			return err
		}
	}
	return Lost(r.s.Exec(ctx, `DELETE FROM schedule WHERE id = ?`, id))
}

func (r schedules) Lease(ctx context.Context, id, owner string, now, until time.Time) error {
	return Lost(r.s.Exec(ctx, `UPDATE schedule SET owner = ?, lease_until = ? WHERE id = ? AND (owner = '' OR owner = ? OR lease_until <= ?)`,
		owner, Millis(until), id, owner, Millis(now)))
}

func (r schedules) Release(ctx context.Context, id, owner string) error {
	_, err := r.s.Exec(ctx, `UPDATE schedule SET owner = '', lease_until = 0 WHERE id = ? AND owner = ?`, id, owner)
	return err
}

func (r schedules) runs(ctx context.Context, where string, args ...any) (out []schedule.Run, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var body string
		if err := scan(&body); err != nil {
			return err
		}
		var run schedule.Run
		if err := json.Unmarshal([]byte(body), &run); err != nil {
			return err
		}
		out = append(out, run)
		return nil
	}, `SELECT body FROM schedule_run `+where, args...)
	return out, err
}

func (r schedules) Run(ctx context.Context, id, window string) (*schedule.Run, error) {
	return one(r.runs(ctx, "WHERE schedule = ? AND period = ?", id, window))
}

func (r schedules) Runs(ctx context.Context, id string, limit int) ([]schedule.Run, error) {
	return r.runs(ctx, "WHERE schedule = ? ORDER BY started_at DESC, period DESC LIMIT ?", id, int64(max(1, limit)))
}

func (r schedules) PutRun(ctx context.Context, run *schedule.Run) error {
	body, err := json.Marshal(run)
	if err != nil {
		return err
	}
	_, err = r.s.Exec(ctx, `INSERT INTO schedule_run (schedule, period, state, body, started_at) VALUES (?, ?, ?, ?, ?)
		ON CONFLICT (schedule, period) DO UPDATE SET state = excluded.state, body = excluded.body`,
		run.Schedule, run.Window, string(run.State), string(body), Millis(run.StartedAt))
	return err
}

func (r schedules) files(ctx context.Context, where string, args ...any) (out []schedule.File, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var f schedule.File
		var seen int64
		if err := scan(&f.Schedule, &f.Member, &f.Day, &f.Digest, &f.Name, &f.Rows, &f.Window, &seen); err != nil {
			return err
		}
		f.SeenAt = FromMillis(seen)
		out = append(out, f)
		return nil
	}, `SELECT schedule, member, day, digest, name, lines, period, seen_at FROM schedule_file `+where, args...)
	return out, err
}

func (r schedules) Files(ctx context.Context, id string, limit int) ([]schedule.File, error) {
	return r.files(ctx, "WHERE schedule = ? ORDER BY seen_at DESC, day DESC, member LIMIT ?", id, int64(max(1, limit)))
}

func (r schedules) FileSeen(ctx context.Context, id, digest string) (*schedule.File, error) {
	return one(r.files(ctx, "WHERE schedule = ? AND digest = ? ORDER BY seen_at, day, member LIMIT 1", id, digest))
}

func (r schedules) PutFile(ctx context.Context, f *schedule.File) error {
	_, err := r.s.Exec(ctx, `INSERT INTO schedule_file (schedule, member, day, digest, name, lines, period, seen_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
		ON CONFLICT (schedule, member, day, digest) DO NOTHING`,
		f.Schedule, f.Member, f.Day, f.Digest, f.Name, int64(f.Rows), f.Window, Millis(f.SeenAt))
	return err
}

// Leftovers serves ledger.Leftovers.
func (r *Repos) Leftovers() ledger.Leftovers { return leftovers{r.S} }

type leftovers struct{ s Session }

func (r leftovers) Put(ctx context.Context, c *ledger.Leftover) error {
	_, err := r.s.Exec(ctx, `INSERT INTO leftover (plan, no, oldest, newest, count, body) VALUES (?, ?, ?, ?, ?, ?)`,
		c.Plan, int64(c.No), c.Oldest, c.Newest, int64(c.Count), c.Body)
	return err
}

func (r leftovers) Each(ctx context.Context, plan, from, to int64, fn func(*ledger.Leftover) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var c ledger.Leftover
		if err := scan(&c.Plan, &c.No, &c.Oldest, &c.Newest, &c.Count, &c.Body); err != nil {
			return err
		}
		return fn(&c)
	}, `SELECT plan, no, oldest, newest, count, body FROM leftover WHERE plan = ? AND newest >= ? AND oldest < ? ORDER BY no`, plan, from, to)
}

func (r leftovers) Delete(ctx context.Context, plan int64) error {
	_, err := r.s.Exec(ctx, `DELETE FROM leftover WHERE plan = ?`, plan)
	return err
}
