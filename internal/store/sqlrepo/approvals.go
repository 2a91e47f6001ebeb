package sqlrepo

import (
	"context"

	"sluice/internal/ledger"
)

func (r approvals) Create(ctx context.Context, a *ledger.Approval) error {
	n, err := r.s.Exec(ctx, `INSERT INTO approval (id, profile, plan, plan_id, plan_hash, why, proposer, via, state, decider, reason, run,
		created_at, expires_at, decided_at, consumed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
		a.ID, a.Profile, a.Plan, a.PlanID, a.PlanHash, a.Why, a.Proposer, a.Via, string(a.State), a.Decider, a.Reason, a.Run,
		Millis(a.CreatedAt), Millis(a.ExpiresAt), Millis(a.DecidedAt), Millis(a.ConsumedAt))
	if err == nil && n == 0 {
		err = ledger.ErrTaken
	}
	return err
}

func (r approvals) many(ctx context.Context, where string, args ...any) (out []ledger.Approval, err error) {
	err = r.s.Each(ctx, func(scan func(...any) error) error {
		var a ledger.Approval
		var created, expires, decided, consumed int64
		if err := scan(&a.ID, &a.Profile, &a.Plan, &a.PlanID, &a.PlanHash, &a.Why, &a.Proposer, &a.Via, &a.State, &a.Decider, &a.Reason, &a.Run,
			&created, &expires, &decided, &consumed); err != nil {
			return err
		}
		a.CreatedAt, a.ExpiresAt, a.DecidedAt, a.ConsumedAt = FromMillis(created), FromMillis(expires), FromMillis(decided), FromMillis(consumed)
		out = append(out, a)
		return nil
	}, `SELECT id, profile, plan, plan_id, plan_hash, why, proposer, via, state, decider, reason, run,
		created_at, expires_at, decided_at, consumed_at FROM approval `+where, args...)
	return out, err
}

func (r approvals) ByID(ctx context.Context, id string) (*ledger.Approval, error) {
	return one(r.many(ctx, "WHERE id = ?", id))
}

func (r approvals) List(ctx context.Context, f ledger.ApprovalFilter) ([]ledger.Approval, error) {
	if f.Limit <= 0 {
		f.Limit = 100
	}
	where, args := "WHERE id <> ''", []any{}
	if f.Profile != "" {
		where, args = where+" AND profile = ?", append(args, f.Profile)
	}
	if f.Plan != 0 {
		where, args = where+" AND plan = ?", append(args, f.Plan)
	}
	if f.State != "" {
		where, args = where+" AND state = ?", append(args, string(f.State))
	}
	return r.many(ctx, where+" ORDER BY created_at DESC, id DESC LIMIT ?", append(args, f.Limit)...)
}

func (r approvals) Move(ctx context.Context, a *ledger.Approval, from ledger.ApprovalState) error {
	return Lost(r.s.Exec(ctx, `UPDATE approval SET state = ?, decider = ?, reason = ?, run = ?, decided_at = ?, consumed_at = ?
		WHERE id = ? AND state = ?`,
		string(a.State), a.Decider, a.Reason, a.Run, Millis(a.DecidedAt), Millis(a.ConsumedAt), a.ID, string(from)))
}
