package sqlrepo

import (
	"context"
	"encoding/json"
	"time"

	"sluice/internal/ledger"
	"sluice/internal/tenant"
)

func (r plans) Create(ctx context.Context, p *ledger.Plan) error {
	p.State = ledger.PlanBuilding
	if p.Profile == "" {
		p.Profile = tenant.Default
	}
	return r.s.Get(ctx, []any{&p.No}, `INSERT INTO plan (dataset, realm, state, created_at, expires_at, file, wrapped_key, profile, policy_digest, mapping_digest, origin)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING no`,
		p.Dataset, p.Realm, p.State, Millis(p.CreatedAt), Millis(p.ExpiresAt), p.File, p.WrappedKey, p.Profile, p.PolicyDigest, p.MappingDigest, p.Origin)
}

func (r plans) Freeze(ctx context.Context, p *ledger.Plan, kinds []ledger.Kind, files, labelNames []string) error {
	filesJSON, err := json.Marshal(files)
	if err != nil {
		return err
	}
	labelsJSON, err := json.Marshal(labelNames)
	if err != nil {
		return err
	}
	for _, k := range kinds {
		labels, err := json.Marshal(k.Labels)
		if err != nil {
			return err
		}
		if _, err := r.s.Exec(ctx, `INSERT INTO kind (plan, no, event_name, outcome, action_source, currency, tier, keys, labels)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
			p.No, k.No, k.EventName, k.Outcome, k.ActionSource, k.Currency, k.Tier, int64(k.Keys), string(labels)); err != nil {
			return err
		}
	}
	n, err := r.s.Exec(ctx, `UPDATE plan SET id = ?, hash = ?, state = ?, expires_at = ?, events = ?, summary = ?, files = ?, label_names = ?
		WHERE no = ? AND state = ? AND file = ?`,
		p.ID, p.Hash, ledger.PlanReady, Millis(p.ExpiresAt), p.Events, p.Summary, string(filesJSON), string(labelsJSON),
		p.No, ledger.PlanBuilding, p.File)
	if err != nil {
		return err
	}
	if n != 1 {
		return ledger.ErrLost
	}
	p.State = ledger.PlanReady
	return nil
}

const planColumns = `no, coalesce(id, ''), hash, dataset, realm, state, created_at, expires_at, events, file, wrapped_key, summary, rehearsed_at,
	rehearsed_level, profile, policy_digest, mapping_digest, origin, shredded_at`

func scanPlan(scan func(...any) error) (*ledger.Plan, error) {
	var p ledger.Plan
	var created, expires, rehearsed, shredded int64
	err := scan(&p.No, &p.ID, &p.Hash, &p.Dataset, &p.Realm, &p.State, &created, &expires, &p.Events, &p.File, &p.WrappedKey, &p.Summary, &rehearsed,
		&p.Rehearsed, &p.Profile, &p.PolicyDigest, &p.MappingDigest, &p.Origin, &shredded)
	p.ShreddedAt = FromMillis(shredded)
	p.CreatedAt, p.ExpiresAt, p.RehearsedAt = FromMillis(created), FromMillis(expires), FromMillis(rehearsed)
	return &p, err
}

func (r plans) one(ctx context.Context, where string, arg any) (*ledger.Plan, error) {
	var found *ledger.Plan
	err := r.s.Each(ctx, func(scan func(...any) error) (err error) {
		found, err = scanPlan(scan)
		return err
	}, `SELECT `+planColumns+` FROM plan WHERE `+where, arg)
	if err == nil && found == nil {
		err = ledger.ErrNotFound
	}
	return found, err
}

func (r plans) ByID(ctx context.Context, id string) (*ledger.Plan, error) {
	return r.one(ctx, "id = ?", id)
}

func (r plans) ByNo(ctx context.Context, no int64) (*ledger.Plan, error) {
	return r.one(ctx, "no = ?", no)
}

func (r plans) many(ctx context.Context, where string, args ...any) ([]ledger.Plan, error) {
	var out []ledger.Plan
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		p, err := scanPlan(scan)
		if err == nil {
			out = append(out, *p)
		}
		return err
	}, `SELECT `+planColumns+` FROM plan `+where, args...)
	return out, err
}

func (r plans) List(ctx context.Context, limit int) ([]ledger.Plan, error) {
	return r.many(ctx, "WHERE id IS NOT NULL ORDER BY no DESC LIMIT ?", limit)
}

func (r plans) ListOf(ctx context.Context, profile string, before int64, limit int) ([]ledger.Plan, error) {
	return r.many(ctx, "WHERE id IS NOT NULL AND profile = ?1 AND (?2 = 0 OR no < ?2) ORDER BY no DESC LIMIT ?3", profile, before, limit)
}

func (r plans) Abandoned(ctx context.Context, before time.Time) ([]ledger.Plan, error) {
	return r.many(ctx, "WHERE state = ? AND created_at < ?", ledger.PlanBuilding, Millis(before))
}

func (r plans) Kinds(ctx context.Context, no int64) ([]ledger.Kind, error) {
	var out []ledger.Kind
	err := r.s.Each(ctx, func(scan func(...any) error) error {
		var k ledger.Kind
		var labels string
		var keys int64
		if err := scan(&k.No, &k.EventName, &k.Outcome, &k.ActionSource, &k.Currency, &k.Tier, &keys, &labels); err != nil {
			return err
		}
		k.Keys = uint64(keys)
		out = append(out, k)
		return json.Unmarshal([]byte(labels), &out[len(out)-1].Labels)
	}, `SELECT no, event_name, outcome, action_source, currency, tier, keys, labels FROM kind WHERE plan = ? ORDER BY no`, no)
	return out, err
}

func (r plans) list(ctx context.Context, column string, no int64) ([]string, error) {
	var text string
	if err := r.s.Get(ctx, []any{&text}, `SELECT `+column+` FROM plan WHERE no = ?`, no); err != nil {
		return nil, err
	}
	var out []string
	return out, json.Unmarshal([]byte(text), &out)
}

func (r plans) Files(ctx context.Context, no int64) ([]string, error) {
	return r.list(ctx, "files", no)
}

func (r plans) LabelNames(ctx context.Context, no int64) ([]string, error) {
	return r.list(ctx, "label_names", no)
}

func (r plans) Move(ctx context.Context, no int64, from, to ledger.PlanState) error {
	return Lost(r.s.Exec(ctx, `UPDATE plan SET state = ? WHERE no = ? AND state = ?`, to, no, from))
}

func (r plans) SetRehearsed(ctx context.Context, no int64, level string, at time.Time) error {
	return Lost(r.s.Exec(ctx, `UPDATE plan SET rehearsed_at = ?, rehearsed_level = ? WHERE no = ?`, Millis(at), level, no))
}

func (r plans) SetExpires(ctx context.Context, no int64, at time.Time) error {
	return Lost(r.s.Exec(ctx, `UPDATE plan SET expires_at = ? WHERE no = ?`, Millis(at), no))
}

// deleteRows is how many rows one call of Delete removes, so that nobody who has an
// answer to book waits long.
const deleteRows = 5000

func (r plans) Delete(ctx context.Context, no int64) (done bool, err error) {
	// Nothing that was ever confirmed goes.
	var runs int
	if err := r.s.Get(ctx, []any{&runs}, `SELECT count(*) FROM run WHERE plan = ?`, no); err != nil {
		return false, err
	}
	if runs > 0 {
		return false, ledger.ErrLost
	}
	low, high := int64(ledger.RefOf(no, 0)), int64(ledger.RefOf(no+1, 0))
	for _, q := range []struct {
		query string
		args  []any
	}{
		{`DELETE FROM event WHERE ref IN (SELECT ref FROM event WHERE ref >= ? AND ref < ? LIMIT ?)`, []any{low, high, deleteRows}},
		{`DELETE FROM reject WHERE plan = ?1 AND seq IN (SELECT seq FROM reject WHERE plan = ?1 LIMIT ?2)`, []any{no, deleteRows}},
		{`DELETE FROM event_sale WHERE ref >= ? AND ref < ?`, []any{low, high}},
		{`DELETE FROM batch WHERE plan = ?`, []any{no}},
		{`DELETE FROM subject WHERE plan = ?`, []any{no}},
		{`DELETE FROM kind WHERE plan = ?`, []any{no}},
		{`DELETE FROM leftover WHERE plan = ?`, []any{no}},
		{`DELETE FROM plan WHERE no = ?`, []any{no}},
	} {
		n, err := r.s.Exec(ctx, q.query, q.args...)
		if err != nil || n == deleteRows {
			return false, err
		}
	}
	return true, nil
}
