package sqlrepo

import (
	"context"
	"time"

	"sluice/internal/ledger"
)

func (r plans) Expired(ctx context.Context, at time.Time, limit int) ([]ledger.Plan, error) {
	return r.many(ctx, "WHERE state = ? AND expires_at < ? ORDER BY no LIMIT ?"+r.s.SkipLocked(), string(ledger.PlanReady), Millis(at), limit)
}
