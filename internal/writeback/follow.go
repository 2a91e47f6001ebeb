package writeback

import (
	"context"
	"slices"
	"strings"

	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// AuditHeads returns how many records each chain has.
func (s *Service) AuditHeads(ctx context.Context) (map[string]int64, error) {
	sizes := map[string]int64{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		heads, err := tx.Audit().Heads(ctx)
		for _, h := range heads {
			sizes[h.Chain] = h.Size
		}
		return err
	})
	return sizes, err
}

// AuditSince returns the records after those sizes, oldest first, and the sizes now.
func (s *Service) AuditSince(ctx context.Context, sizes map[string]int64) (list []audit.Link, now map[string]int64, err error) {
	now = map[string]int64{}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		heads, err := tx.Audit().Heads(ctx)
		if err != nil {
			return err
		}
		for _, h := range heads {
			if err := tx.Audit().Range(ctx, h.Chain, sizes[h.Chain]+1, h.Size, keep(&list)); err != nil {
				return err
			}
			now[h.Chain] = h.Size
		}
		return nil
	})
	slices.SortStableFunc(list, func(a, b audit.Link) int { return strings.Compare(audit.TimeOf(a.Body), audit.TimeOf(b.Body)) })
	return list, now, err
}
