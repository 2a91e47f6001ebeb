package sqlrepo

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/outcome"
)

// Outcomes serves outcome.Repo.
func (r *Repos) Outcomes() outcome.Repo { return outcomes{r.S} }

type outcomes struct{ s Session }

// outcomeColumns are the columns of a row in the order of outcomeArgs.
var outcomeColumns = []string{
	"id", "profile", "outcome", "event_time", "arrived_at", "changed_at", "changes", "event_id", "event_name", "action_source", "value", "currency",
	"keys", "hold", "sale", "rank", "consent", "state", "cancelled_at", "lines", "taken_back", "label_names", "labels", "touches", "meta_touch",
	"source", "file", "line", "code", "field", "hint", "digest", "day", "subjects", "payload", "trail",
}

// insertRows is how many rows one statement inserts: a round trip each would be
// what bounds an import.
const insertRows = 50

// insertOutcomes returns the statement for n rows.
func insertOutcomes(n int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?, ", len(outcomeColumns)), ", ") + ")"
	return "INSERT INTO outcome (" + strings.Join(outcomeColumns, ", ") + ") VALUES " +
		strings.TrimSuffix(strings.Repeat(row+", ", n), ", ") + " ON CONFLICT (id) DO NOTHING RETURNING id"
}

// skippedCode begins the code of a row in state skipped, which the table keeps as
// rejected: its states were settled before there was this one.
const skippedCode = "skipped:"

// kept is how a state and its code are stored.
func kept(o *outcome.Row) (state, code string) {
	if o.State == outcome.Skipped {
		return string(outcome.Rejected), skippedCode + o.Code
	}
	return string(o.State), o.Code
}

func stateOf(o *outcome.Row) string {
	state, _ := kept(o)
	return state
}

// stateKept reads a state back in a statement.
const stateKept = `CASE WHEN code LIKE 'skipped:%' THEN 'skipped' ELSE state END`

func idOrNull(id outcome.ID) any {
	if id == (outcome.ID{}) {
		return nil
	}
	return id[:]
}

// bytesOrNull keeps an empty blob from being stored as one.
func bytesOrNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

func outcomeArgs(args []any, o *outcome.Row) ([]any, error) {
	names, err := json.Marshal(o.LabelNames)
	if err != nil {
		return nil, err
	}
	labels, err := json.Marshal(o.Labels)
	if err != nil {
		return nil, err
	}
	state, code := kept(o)
	return append(args,
		o.ID[:], o.Profile, o.Outcome, o.Time, Millis(o.ArrivedAt), Millis(o.ChangedAt), int64(o.Changes), o.EventID, o.EventName, o.ActionSource, o.Value, o.Currency,
		int64(o.Keys), o.Hold, idOrNull(o.Sale), int64(o.Rank), o.Consent, state, o.CancelledAt, int64(o.Lines), int64(o.TakenBack), string(names), string(labels),
		int64(o.Touches), number(o.MetaTouch), o.Source, o.File, o.Line, code, o.Field, o.Hint, o.Digest[:], o.Day, bytesOrNull(o.Subjects), bytesOrNull(o.Payload), bytesOrNull(o.Trail),
	), nil
}

func scanOutcome(scan func(...any) error) (*outcome.Row, error) {
	var o outcome.Row
	var id, sale, digest []byte
	var names, labels, state string
	var arrived, changed, keys int64
	err := scan(&id, &o.Profile, &o.Outcome, &o.Time, &arrived, &changed, &o.Changes, &o.EventID, &o.EventName, &o.ActionSource, &o.Value, &o.Currency,
		&keys, &o.Hold, &sale, &o.Rank, &o.Consent, &state, &o.CancelledAt, &o.Lines, &o.TakenBack, &names, &labels,
		&o.Touches, &o.MetaTouch, &o.Source, &o.File, &o.Line, &o.Code, &o.Field, &o.Hint, &digest, &o.Day, &o.Subjects, &o.Payload, &o.Trail)
	if err != nil {
		return nil, err
	}
	copy(o.ID[:], id)
	copy(o.Sale[:], sale)
	copy(o.Digest[:], digest)
	o.Keys, o.State = uint64(keys), outcome.State(state)
	if code, is := strings.CutPrefix(o.Code, skippedCode); is {
		o.State, o.Code = outcome.Skipped, code
	}
	o.ArrivedAt, o.ChangedAt = FromMillis(arrived), FromMillis(changed)
	if names == "null" { // most rows have no labels
		return &o, nil
	}
	if err := json.Unmarshal([]byte(names), &o.LabelNames); err != nil {
		return nil, err
	}
	return &o, json.Unmarshal([]byte(labels), &o.Labels)
}

func (r outcomes) Keys(ctx context.Context, profile string, from, to int64) (map[int64][]byte, error) {
	keys := map[int64][]byte{}
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var day int64
		var wrapped []byte
		if err := scan(&day, &wrapped); err != nil {
			return err
		}
		keys[day] = wrapped
		return nil
	}, `SELECT day, wrapped FROM outcome_key WHERE profile = ? AND day >= ? AND day < ?`, profile, from, to)
	return keys, err
}

func (r outcomes) PutKey(ctx context.Context, profile string, day int64, wrapped []byte, now time.Time) ([]byte, error) {
	_, err := r.s.Exec(ctx, `INSERT INTO outcome_key (profile, day, wrapped, created_at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		profile, day, wrapped, Millis(now))
	if err != nil {
		return nil, err
	}
	var held []byte
	return held, r.s.Get(ctx, []any{&held}, `SELECT wrapped FROM outcome_key WHERE profile = ? AND day = ?`, profile, day)
}

func (r outcomes) Put(ctx context.Context, rows []outcome.Row) ([]outcome.Arrival, error) {
	place := make(map[outcome.ID]int, len(rows))
	order := make([]int, len(rows))
	for i := range rows {
		place[rows[i].ID], order[i] = i, i
	}
	// In the order of their ids, so that two writers never wait for each other in a
	// circle, and neighbours in the index are written together.
	slices.SortFunc(order, func(a, b int) int { return bytes.Compare(rows[a].ID[:], rows[b].ID[:]) })
	fresh := make([]bool, len(rows))
	var args []any
	for chunk := range slices.Chunk(order, insertRows) {
		args = args[:0]
		for _, i := range chunk {
			var err error
			if args, err = outcomeArgs(args, &rows[i]); err != nil {
				return nil, err
			}
		}
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			var id []byte
			if err := scan(&id); err != nil {
				return err
			}
			fresh[place[outcome.ID(id)]] = true
			return nil
		}, insertOutcomes(len(chunk)), args...)
		if err != nil {
			return nil, err
		}
	}
	arrivals := make([]outcome.Arrival, len(rows))
	for _, i := range order {
		if fresh[i] {
			continue
		}
		a, err := r.meet(ctx, &rows[i])
		if err != nil {
			return nil, err
		}
		arrivals[i] = a
	}
	return arrivals, nil
}

// meet lays a row over the one with the same id.
func (r outcomes) meet(ctx context.Context, o *outcome.Row) (outcome.Arrival, error) {
	old, err := r.get(ctx, o.ID)
	if err != nil || old.Digest == o.Digest {
		return outcome.Arrival{Old: old}, err
	}
	if o.State == outcome.Skipped && old.State != outcome.Skipped && old.State != outcome.Rejected {
		return outcome.Arrival{Old: old}, nil
	}
	state, code := kept(o)
	if old.State == outcome.Cancelled {
		state = string(old.State)
	}
	names, err := json.Marshal(o.LabelNames)
	if err != nil {
		return outcome.Arrival{}, err
	}
	labels, err := json.Marshal(o.Labels)
	if err != nil {
		return outcome.Arrival{}, err
	}
	_, err = r.s.Exec(ctx, `UPDATE outcome SET event_time = ?, changed_at = ?, changes = ?, event_id = ?, event_name = ?, action_source = ?, value = ?, currency = ?,
		keys = ?, hold = ?, sale = ?, rank = ?, consent = ?, state = ?, lines = ?, label_names = ?, labels = ?, touches = ?, meta_touch = ?,
		source = ?, file = ?, line = ?, code = ?, field = ?, hint = ?, digest = ?, day = ?, subjects = ?, payload = ?, trail = ? WHERE id = ?`,
		o.Time, Millis(o.ChangedAt), int64(old.Changes+1), o.EventID, o.EventName, o.ActionSource, o.Value, o.Currency,
		int64(o.Keys), o.Hold, idOrNull(o.Sale), int64(o.Rank), o.Consent, state, int64(o.Lines), string(names), string(labels), int64(o.Touches), number(o.MetaTouch),
		o.Source, o.File, o.Line, code, o.Field, o.Hint, o.Digest[:], o.Day, bytesOrNull(o.Subjects), bytesOrNull(o.Payload), bytesOrNull(o.Trail), o.ID[:])
	if err == nil && old.State == outcome.Open && old.Sale != (outcome.ID{}) && (state != string(outcome.Open) || o.Sale != old.Sale) {
		err = r.Supersede(ctx, old.Profile, []outcome.ID{old.Sale}, o.ChangedAt)
	}
	return outcome.Arrival{Old: old, Changed: true}, err
}

// get reads one row and locks it; ledger.ErrNotFound when it is not there.
func (r outcomes) get(ctx context.Context, id outcome.ID) (*outcome.Row, error) {
	var found *outcome.Row
	err := r.s.Each(ctx, func(scan func(...any) error) (err error) {
		found, err = scanOutcome(scan)
		return err
	}, `SELECT `+strings.Join(outcomeColumns, ", ")+` FROM outcome WHERE id = ?`+r.s.ForUpdate(), id[:])
	if err == nil && found == nil {
		err = ledger.ErrNotFound
	}
	return found, err
}

func (r outcomes) PutLines(ctx context.Context, lines []outcome.Line) error {
	var args []any
	for chunk := range slices.Chunk(lines, 4*insertRows) {
		args = args[:0]
		for i := range chunk {
			l := &chunk[i]
			args = append(args, l.Line[:], l.At, l.Order[:], int64(l.Ord))
		}
		_, err := r.s.Exec(ctx, `INSERT INTO outcome_line (line, at, outcome, ord) VALUES `+
			strings.TrimSuffix(strings.Repeat("(?, ?, ?, ?), ", len(chunk)), ", ")+` ON CONFLICT DO NOTHING`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r outcomes) Remember(ctx context.Context, c *outcome.Cancellation) (bool, error) {
	n, err := r.s.Exec(ctx, `INSERT INTO outcome_cancellation (id, profile, target, at, arrived_at) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		c.ID[:], c.Profile, idOrNull(c.Target), c.At, Millis(c.ArrivedAt))
	return n == 1, err
}

func (r outcomes) Dismiss(ctx context.Context, id outcome.ID) error {
	_, err := r.s.Exec(ctx, `DELETE FROM outcome_cancellation WHERE id = ?`, id[:])
	return err
}

func (r outcomes) CancelledTargets(ctx context.Context, profile string, targets []outcome.ID) (map[outcome.ID]int64, error) {
	found := map[outcome.ID]int64{}
	for chunk := range slices.Chunk(targets, 500) {
		args := []any{profile}
		for i := range chunk {
			args = append(args, chunk[i][:])
		}
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			var target []byte
			var at int64
			if err := scan(&target, &at); err != nil {
				return err
			}
			found[outcome.ID(target)] = max(found[outcome.ID(target)], at)
			return nil
		}, `SELECT target, at FROM outcome_cancellation WHERE profile = ? AND target IN (`+marks(len(chunk))+`)`, args...)
		if err != nil {
			return nil, err
		}
	}
	return found, nil
}

// marks returns n parameters.
func marks(n int) string { return strings.TrimSuffix(strings.Repeat("?, ", n), ", ") }

func (r outcomes) TakeBack(ctx context.Context, lines []outcome.ID, at int64) ([]outcome.ID, error) {
	var orders []outcome.ID
	for i := range lines {
		err := r.s.Each(ctx, func(scan func(...any) error) error {
			var order []byte
			if err := scan(&order); err != nil {
				return err
			}
			orders = append(orders, outcome.ID(order))
			return nil
		}, `DELETE FROM outcome_line WHERE (line, at, outcome, ord) IN (SELECT line, at, outcome, ord FROM outcome_line
			WHERE line = ? AND at <= ? ORDER BY at DESC, outcome, ord LIMIT 1`+r.s.SkipLocked()+`) RETURNING outcome`, lines[i][:], at)
		if err != nil {
			return nil, err
		}
	}
	return orders, nil
}

func (r outcomes) Cancel(ctx context.Context, id outcome.ID, lines int, at int64, now time.Time) (bool, error) {
	o, err := r.get(ctx, id)
	switch {
	case errors.Is(err, ledger.ErrNotFound):
		return false, nil
	case err != nil:
		return false, err
	}
	o.TakenBack += lines
	if lines < 0 {
		o.TakenBack = o.Lines
	}
	was := o.State
	if o.TakenBack >= o.Lines && o.State != outcome.Rejected && o.State != outcome.Skipped {
		o.State = outcome.Cancelled
	}
	_, err = r.s.Exec(ctx, `UPDATE outcome SET taken_back = ?, cancelled_at = ?, state = ?, changed_at = ? WHERE id = ?`,
		int64(o.TakenBack), max(at, o.CancelledAt), stateOf(o), Millis(now), id[:])
	if err == nil && was == outcome.Open && o.State == outcome.Cancelled && o.Sale != (outcome.ID{}) {
		err = r.Supersede(ctx, o.Profile, []outcome.ID{o.Sale}, now)
	}
	return o.State == outcome.Cancelled, err
}

func (r outcomes) Supersede(ctx context.Context, profile string, sales []outcome.ID, now time.Time) error {
	for chunk := range slices.Chunk(sales, 500) {
		args := []any{Millis(now), profile}
		for i := range chunk {
			args = append(args, chunk[i][:])
		}
		_, err := r.s.Exec(ctx, `UPDATE outcome SET state = 'open', changed_at = ? WHERE profile = ? AND state = 'superseded' AND sale IN (`+marks(len(chunk))+`)
			AND NOT EXISTS (SELECT 1 FROM outcome AS other WHERE other.sale = outcome.sale AND other.profile = outcome.profile AND other.state IN ('open', 'withdrawn')
				AND (other.rank, other.event_time, other.id) < (outcome.rank, outcome.event_time, outcome.id))`, args...)
		if err != nil {
			return err
		}
		// The strongest outcome of a sale finds none above it and stays open, so the
		// order in which rows change does not matter.
		_, err = r.s.Exec(ctx, `UPDATE outcome SET state = 'superseded', changed_at = ? WHERE profile = ? AND state = 'open' AND sale IN (`+marks(len(chunk))+`)
			AND EXISTS (SELECT 1 FROM outcome AS other WHERE other.sale = outcome.sale AND other.profile = outcome.profile AND other.state = 'open'
				AND (other.rank, other.event_time, other.id) < (outcome.rank, outcome.event_time, outcome.id))`, args...)
		if err != nil {
			return err
		}
	}
	return nil
}

func (r outcomes) Withdraw(ctx context.Context, id outcome.ID, consent string, now time.Time) (bool, error) {
	n, err := r.s.Exec(ctx, `UPDATE outcome SET consent = ?, state = 'withdrawn', changed_at = ? WHERE id = ? AND state IN ('open', 'superseded')`,
		consent, Millis(now), id[:])
	return n == 1, err
}

func (r outcomes) PutSales(ctx context.Context, sales []outcome.EventSale) error {
	var args []any
	for chunk := range slices.Chunk(sales, 4*insertRows) {
		args = args[:0]
		for i := range chunk {
			args = append(args, chunk[i].Ref, chunk[i].Sale[:], chunk[i].Event)
		}
		if _, err := r.s.Exec(ctx, `INSERT INTO event_sale (ref, sale, event) VALUES `+
			strings.TrimSuffix(strings.Repeat("(?, ?, ?), ", len(chunk)), ", "), args...); err != nil {
			return err
		}
	}
	return nil
}

func (r outcomes) EachSale(ctx context.Context, low, high int64, fn func(outcome.EventSale) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		var s outcome.EventSale
		var sale []byte
		if err := scan(&s.Ref, &sale, &s.Event); err != nil {
			return err
		}
		copy(s.Sale[:], sale)
		return fn(s)
	}, `SELECT ref, sale, event FROM event_sale WHERE ref >= ? AND ref < ? ORDER BY ref`, low, high)
}

// where turns a query into a condition.
func (r outcomes) where(q *outcome.Query) (string, []any) {
	clause, args := "profile = ?", []any{q.Profile}
	if len(q.Outcomes) > 0 {
		clause += " AND outcome IN (" + marks(len(q.Outcomes)) + ")"
		for _, o := range q.Outcomes {
			args = append(args, o)
		}
	}
	if q.From != 0 {
		clause, args = clause+" AND event_time >= ?", append(args, q.From)
	}
	if q.To != 0 {
		clause, args = clause+" AND event_time < ?", append(args, q.To)
	}
	if q.State != "" {
		clause, args = clause+" AND "+stateKept+" = ?", append(args, string(q.State))
	}
	return clause, args
}

func (r outcomes) Each(ctx context.Context, q outcome.Query, fn func(*outcome.Row) error) error {
	clause, args := r.where(&q)
	clause += " ORDER BY event_time, id"
	if q.Limit > 0 {
		clause, args = clause+" LIMIT ?", append(args, int64(q.Limit))
	}
	return r.s.Each(ctx, func(scan func(...any) error) error {
		o, err := scanOutcome(scan)
		if err != nil {
			return err
		}
		return fn(o)
	}, `SELECT `+strings.Join(outcomeColumns, ", ")+` FROM outcome WHERE `+clause, args...)
}

func (r outcomes) Labels(ctx context.Context, q outcome.Query) ([][]string, error) {
	clause, args := r.where(&q)
	var sets [][]string
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var text string
		if err := scan(&text); err != nil {
			return err
		}
		var names []string
		if err := json.Unmarshal([]byte(text), &names); err != nil {
			return err
		}
		sets = append(sets, names)
		return nil
	}, `SELECT DISTINCT label_names FROM outcome WHERE `+clause, args...)
	return sets, err
}

func (r outcomes) Stats(ctx context.Context, q outcome.Query) ([]outcome.Stat, error) {
	clause, args := r.where(&q)
	var out []outcome.Stat
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var s outcome.Stat
		var state string
		if err := scan(&s.Outcome, &state, &s.Currency, &s.Count, &s.Value, &s.Oldest, &s.Newest, &s.NoSale); err != nil {
			return err
		}
		s.State = outcome.State(state)
		out = append(out, s)
		return nil
	}, `SELECT outcome, `+stateKept+`, currency, count(*), CAST(sum(value) AS BIGINT), min(event_time), max(event_time), sum(CASE WHEN sale IS NULL THEN 1 ELSE 0 END)
		FROM outcome WHERE `+clause+` GROUP BY 1, 2, 3 ORDER BY 1, 2, 3`, args...)
	return out, err
}

func (r outcomes) Gone(ctx context.Context, profile string, since time.Time, fn func(*outcome.Row) error) error {
	return r.s.Each(ctx, func(scan func(...any) error) error {
		o, err := scanOutcome(scan)
		if err != nil {
			return err
		}
		return fn(o)
	}, `SELECT `+strings.Join(outcomeColumns, ", ")+` FROM outcome WHERE profile = ? AND changed_at >= ? AND state <> 'open' ORDER BY changed_at, id`,
		profile, Millis(since))
}

func (r outcomes) Shred(ctx context.Context, profile string, day int64) (int64, error) {
	const daySeconds = 24 * 60 * 60
	var n int64
	for i, q := range []struct {
		query string
		args  []any
	}{
		{`UPDATE outcome SET payload = NULL, trail = NULL, subjects = NULL WHERE profile = ? AND day < ? AND payload IS NOT NULL`, []any{profile, day}},
		{`DELETE FROM outcome_key WHERE profile = ? AND day < ?`, []any{profile, day}},
		{`DELETE FROM outcome_line WHERE at < ? AND outcome IN (SELECT id FROM outcome WHERE profile = ? AND day < ?)`, []any{day * daySeconds, profile, day}},
		{`DELETE FROM outcome_cancellation WHERE profile = ? AND at < ?`, []any{profile, day * daySeconds}},
	} {
		changed, err := r.s.Exec(ctx, q.query, q.args...)
		if err != nil {
			return n, err
		}
		if i == 0 {
			n = changed
		}
	}
	return n, nil
}

func (r outcomes) Delete(ctx context.Context, ids []outcome.ID) (int64, error) {
	var n int64
	for chunk := range slices.Chunk(ids, 500) {
		var args []any
		for i := range chunk {
			args = append(args, chunk[i][:])
		}
		if _, err := r.s.Exec(ctx, `DELETE FROM outcome_line WHERE outcome IN (`+marks(len(chunk))+`)`, args...); err != nil {
			return n, err
		}
		gone, err := r.s.Exec(ctx, `DELETE FROM outcome WHERE id IN (`+marks(len(chunk))+`)`, args...)
		if n += gone; err != nil {
			return n, err
		}
	}
	return n, nil
}
