package writeback

import (
	"context"
	"encoding/json"
	"errors"

	"sluice/internal/ledger"
)

// Answered finds what became of a confirm by its key, in the service's profile: the
// receipt of a finished one, or the plan of one that has not ended. Both are empty where
// the key was never used.
func (s *Service) Answered(ctx context.Context, key string) (r *Receipt, plan string, err error) {
	var known *ledger.Idempotency
	err = s.store.View(ctx, func(tx ledger.Tx) (err error) {
		known, err = tx.Runs().Key(ctx, s.profile, key)
		return err
	})
	if errors.Is(err, ledger.ErrNotFound) {
		return nil, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if len(known.Result) > 0 {
		r = new(Receipt)
		if err := json.Unmarshal(known.Result, r); err != nil {
			return nil, "", err
		}
		r.Replayed = true
		return r, r.PlanID, nil
	}
	plan, err = s.PlanOfRun(ctx, known.Run)
	return nil, plan, err
}
