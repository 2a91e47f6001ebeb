package sqlite

import (
	"context"
	"database/sql"

	"sluice/internal/ledger"
	"sluice/internal/store/sqlrepo"
)

func (r events) Put(ctx context.Context, list []ledger.Event) error {
	st, err := r.s.prepare(ctx, `INSERT INTO event (ref, key, fingerprint, event_id, kind, time, value, file, line, off, len, state, code)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
	if err != nil {
		return err
	}
	for i := range list {
		e := &list[i]
		if _, err := run(ctx, st, int64(e.Ref), e.Key[:], e.Fingerprint, e.EventID, e.Kind, e.Time, e.Value,
			e.File, e.Line, e.Offset, e.Length, sqlrepo.Nullable(string(e.State)), sqlrepo.Nullable(e.Code)); err != nil {
			return err
		}
	}
	return nil
}

const eventColumns = `ref, key, fingerprint, event_id, kind, time, value, file, line, off, len, state, code`

func scanEvent(scan func(...any) error, e *ledger.Event) error {
	var key []byte
	var state, code sql.NullString
	var ref int64
	if err := scan(&ref, &key, &e.Fingerprint, &e.EventID, &e.Kind, &e.Time, &e.Value, &e.File, &e.Line, &e.Offset, &e.Length, &state, &code); err != nil {
		return err
	}
	e.Ref, e.State, e.Code = ledger.EventRef(ref), ledger.State(state.String), code.String
	copy(e.Key[:], key)
	return nil
}

func (r events) Range(ctx context.Context, plan int64, from, to int, fn func(*ledger.Event) error) error {
	var e ledger.Event
	return r.s.Each(ctx, func(scan func(...any) error) error {
		if err := scanEvent(scan, &e); err != nil {
			return err
		}
		return fn(&e)
	}, `SELECT `+eventColumns+` FROM event WHERE ref >= ? AND ref < ? ORDER BY ref`,
		int64(ledger.RefOf(plan, from)), int64(ledger.RefOf(plan, 0))+int64(to))
}

func (r events) Keys(ctx context.Context, plan int64, fn func(ledger.EventRef, ledger.Key, int64) error) error {
	var ref, fingerprint int64
	var raw sql.RawBytes
	var key ledger.Key
	return r.s.Each(ctx, func(scan func(...any) error) error {
		if err := scan(&ref, &raw, &fingerprint); err != nil {
			return err
		}
		copy(key[:], raw)
		return fn(ledger.EventRef(ref), key, fingerprint)
	}, `SELECT e.ref, e.key, e.fingerprint FROM batch b JOIN event e
		ON e.ref >= (b.plan << 32) + b.first AND e.ref < (b.plan << 32) + b.first + b.count
		WHERE b.plan = ? AND b.state = ? AND e.state IS NULL`, plan, ledger.Planned)
}

func (r events) Get(ctx context.Context, ref ledger.EventRef) (*ledger.Event, error) {
	var found *ledger.Event
	err := r.Range(ctx, ref.Plan(), ref.Ord(), ref.Ord()+1, func(e *ledger.Event) error {
		c := *e
		found = &c
		return nil
	})
	if err == nil && found == nil {
		err = ledger.ErrNotFound
	}
	return found, err
}

func (r events) Set(ctx context.Context, refs []ledger.EventRef, state ledger.State, code string) error {
	for _, ref := range refs {
		if err := sqlrepo.Lost(r.s.Exec(ctx, `UPDATE event SET state = ?, code = ? WHERE ref = ?`, sqlrepo.Nullable(string(state)), sqlrepo.Nullable(code), int64(ref))); err != nil {
			return err
		}
	}
	return nil
}

func (r events) Counts(ctx context.Context, plan int64) (map[ledger.State]int, error) {
	counts := map[ledger.State]int{}
	add := func(sign int) func(scan func(...any) error) error {
		return func(scan func(...any) error) error {
			var state ledger.State
			var n int
			if err := scan(&state, &n); err != nil {
				return err
			}
			if counts[state] += sign * n; counts[state] == 0 {
				delete(counts, state)
			}
			return nil
		}
	}
	if err := r.s.Each(ctx, add(1), `SELECT state, sum(count) FROM batch WHERE plan = ? GROUP BY state`, plan); err != nil {
		return nil, err
	}
	low, high := int64(ledger.RefOf(plan, 0)), int64(ledger.RefOf(plan+1, 0))
	if err := r.s.Each(ctx, add(1), `SELECT state, count(*) FROM event INDEXED BY event_own
		WHERE ref >= ? AND ref < ? AND state IS NOT NULL GROUP BY state`, low, high); err != nil {
		return nil, err
	}
	// What deviates was counted in its batch as well.
	err := r.s.Each(ctx, add(-1), `SELECT b.state, count(*) FROM batch b JOIN event e INDEXED BY event_own
		ON e.ref >= (b.plan << 32) + b.first AND e.ref < (b.plan << 32) + b.first + b.count AND e.state IS NOT NULL
		WHERE b.plan = ? GROUP BY b.state`, plan)
	return counts, err
}

func (r events) Codes(ctx context.Context, plan int64) (map[ledger.State]map[string]int, error) {
	out := map[ledger.State]map[string]int{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var state ledger.State
		var code sql.NullString
		var n int
		if err := scan(&state, &code, &n); err != nil {
			return err
		}
		if out[state] == nil {
			out[state] = map[string]int{}
		}
		out[state][code.String] = n
		return nil
	}, `SELECT state, code, count(*) FROM event WHERE ref >= ? AND ref < ? AND state IS NOT NULL GROUP BY state, code`,
		int64(ledger.RefOf(plan, 0)), int64(ledger.RefOf(plan+1, 0)))
	return out, err
}
