package postgres

import (
	"bytes"
	"context"
	"database/sql"

	"sluice/internal/ledger"
	"sluice/internal/store/sqlrepo"
)

const eventColumns = `ref, key, fingerprint, event_id, kind, time, value, file, line, off, len, state, code`

func (r events) Put(ctx context.Context, list []ledger.Event) error {
	if err := r.s.ready(ctx); err != nil {
		return err
	}
	rows := append(make(copyData, 0, len(list)*220), copyHead...)
	for i := range list {
		e := &list[i]
		rows = rows.row(13).number(int64(e.Ref)).bytes(e.Key[:]).number(e.Fingerprint).text(storable(e.EventID)).number(int64(e.Kind)).
			number(e.Time).number(e.Value).number(int64(e.File)).number(e.Line).number(e.Offset).number(int64(e.Length)).
			optional(string(e.State)).optional(e.Code)
	}
	_, err := r.s.tx.Conn().PgConn().CopyFrom(ctx, bytes.NewReader(rows.end()), `COPY event (`+eventColumns+`) FROM STDIN BINARY`)
	return unavailable(ctx, err)
}

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

// span is a run of events whose batches follow one another.
type span struct{ from, to int64 }

func (r events) Keys(ctx context.Context, plan int64, fn func(ledger.EventRef, ledger.Key, int64) error) error {
	var spans []span
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var first, count int64
		if err := scan(&first, &count); err != nil {
			return err
		}
		if n := len(spans); n > 0 && spans[n-1].to == first {
			spans[n-1].to += count
		} else {
			spans = append(spans, span{first, first + count})
		}
		return nil
	}, `SELECT first, count FROM batch WHERE plan = ? AND state = ? ORDER BY first`, plan, ledger.Planned)
	if err != nil {
		return err
	}
	base := int64(ledger.RefOf(plan, 0))
	for _, s := range spans {
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			var ref, fingerprint int64
			var raw []byte
			if err := scan(&ref, &raw, &fingerprint); err != nil {
				return err
			}
			var key ledger.Key
			copy(key[:], raw)
			return fn(ledger.EventRef(ref), key, fingerprint)
		}, `SELECT ref, key, fingerprint FROM event WHERE ref >= ? AND ref < ? AND state IS NULL`, base+s.from, base+s.to)
		if err != nil {
			return err
		}
	}
	return nil
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
	if len(refs) == 0 {
		return nil
	}
	list := make([]int64, len(refs))
	for i, ref := range refs {
		list[i] = int64(ref)
	}
	n, err := r.s.Exec(ctx, `UPDATE event SET state = ?, code = ? WHERE ref = ANY(?)`, sqlrepo.Nullable(string(state)), sqlrepo.Nullable(code), list)
	if err == nil && n != int64(len(refs)) {
		err = ledger.ErrLost
	}
	return err
}

// Counts sorts the events that deviate into their batches: those were counted with
// their batch as well.
func (r events) Counts(ctx context.Context, plan int64) (map[ledger.State]int, error) {
	counts := map[ledger.State]int{}
	add := func(state ledger.State, n int) {
		if counts[state] += n; counts[state] == 0 {
			delete(counts, state)
		}
	}
	var firsts []int64
	var states []ledger.State
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var first int64
		var count int
		var state ledger.State
		if err := scan(&first, &count, &state); err != nil {
			return err
		}
		firsts, states = append(firsts, first), append(states, state)
		add(state, count)
		return nil
	}, `SELECT first, count, state FROM batch WHERE plan = ? ORDER BY first`, plan)
	if err != nil || len(firsts) == 0 {
		return counts, err
	}
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var bucket, n int
		var state ledger.State
		if err := scan(&bucket, &state, &n); err != nil {
			return err
		}
		add(state, n)
		if bucket > 0 {
			add(states[bucket-1], -n)
		}
		return nil
	}, `SELECT width_bucket(ref & 4294967295, ?), state, count(*) FROM event
		WHERE ref >= ? AND ref < ? AND state IS NOT NULL GROUP BY 1, 2`, firsts, int64(ledger.RefOf(plan, 0)), int64(ledger.RefOf(plan+1, 0)))
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
