package sqlrepo

import (
	"context"
	"errors"

	"sluice/internal/ledger"
)

func (r runs) Any(ctx context.Context, realm, dataset string) (bool, error) {
	var id string
	err := r.s.Get(ctx, []any{&id}, `SELECT run.id FROM run JOIN plan ON plan.no = run.plan WHERE plan.realm = ? AND plan.dataset = ? LIMIT 1`, realm, dataset)
	if errors.Is(err, ledger.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}
