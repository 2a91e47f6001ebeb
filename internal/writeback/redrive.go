package writeback

import (
	"context"

	"sluice/internal/fault"
	"sluice/internal/ledger"
)

// RejectedPlaces are the places of a plan's rejected records in its input. Once the
// rows or the mapping were mended, a plan limited to them sends just what was
// missing.
func (s *Service) RejectedPlaces(ctx context.Context, planID string) (map[Place]bool, error) {
	places := map[Place]bool{}
	err := s.Rejects(ctx, planID, "", func(r *ledger.Reject) error {
		places[Place{r.File, r.Line}] = true
		return nil
	})
	if err == nil && len(places) == 0 {
		err = fault.New(fault.Usage, "plan %s has no rejects", planID).WithFix("preview the whole input instead: what was sent is left out by itself")
	}
	return places, err
}
