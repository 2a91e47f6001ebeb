package writeback

import (
	"context"
	"errors"
	"math"

	"sluice/capi"
	"sluice/internal/ledger"
)

// errEnough ends a listing that has its page.
var errEnough = errors.New("enough")

// Browse lists the service's profile's plans with what became of them, newest
// first: up to limit of them, from the one after the named plan on.
func (s *Service) Browse(ctx context.Context, after string, limit int) ([]RunRow, error) {
	var before int64
	if after != "" {
		p, err := s.plan(ctx, after)
		if err != nil {
			return nil, err
		}
		before = p.No
	}
	rows := []RunRow{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		plans, err := tx.Plans().ListOf(ctx, s.profile, before, limit)
		if err != nil {
			return err
		}
		for i := range plans {
			row, err := s.row(ctx, tx, &plans[i])
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// RunOf returns a plan with what became of it.
func (s *Service) RunOf(ctx context.Context, planID string) (row RunRow, err error) {
	p, err := s.plan(ctx, planID)
	if err != nil {
		return row, err
	}
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		row, err = s.row(ctx, tx, p)
		return err
	})
	return row, err
}

// PlanOfRun returns the plan's id of a run.
func (s *Service) PlanOfRun(ctx context.Context, run string) (id string, err error) {
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		r, err := tx.Runs().ByID(ctx, run)
		if err != nil {
			return err
		}
		p, err := tx.Plans().ByNo(ctx, r.Plan)
		if err == nil {
			id = p.ID
		}
		return err
	})
	return id, err
}

func (s *Service) row(ctx context.Context, tx ledger.Tx, p *ledger.Plan) (RunRow, error) {
	row := RunRow{PlanID: p.ID, Dataset: p.Dataset, State: string(p.State), CreatedAt: p.CreatedAt, Planned: p.Events}
	var err error
	if row.Counts, err = tx.Events().Counts(ctx, p.No); err != nil {
		return row, err
	}
	run, err := tx.Runs().OfPlan(ctx, p.No)
	switch {
	case err == nil:
		row.RunID, row.State, row.Error = run.ID, string(run.State), run.Error
	case !errors.Is(err, ledger.ErrNotFound):
		return row, err
	}
	return row, nil
}

// RejectPage lists up to limit rejects of a plan whose number is above after.
func (s *Service) RejectPage(ctx context.Context, plan, code string, after int64, limit int) ([]ledger.Reject, error) {
	var out []ledger.Reject
	err := s.Rejects(ctx, plan, code, func(r *ledger.Reject) error {
		if r.Seq <= after {
			return nil
		}
		if out = append(out, *r); len(out) >= limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}

// EventPage lists up to limit events of a plan from place from on, oldest first,
// and the place after the last; -1 when there are no more.
func (s *Service) EventPage(ctx context.Context, plan string, from, limit int) (rows []EventRow, next int, err error) {
	p, err := s.plan(ctx, plan)
	if err != nil {
		return nil, 0, err
	}
	if from >= p.Events || from < 0 {
		return []EventRow{}, -1, nil
	}
	kinds, files, err := s.lookups(ctx, p.No)
	if err != nil {
		return nil, 0, err
	}
	to := min(int64(from)+int64(limit), int64(p.Events), math.MaxInt32)
	err = s.store.View(ctx, func(tx ledger.Tx) error {
		batches, err := tx.Batches().List(ctx, p.No)
		if err != nil {
			return err
		}
		at := 0
		return tx.Events().Range(ctx, p.No, from, int(to), func(e *ledger.Event) error {
			for at < len(batches) && e.Ref.Ord() >= batches[at].First+batches[at].Count {
				at++
			}
			state := e.State
			if state == "" && at < len(batches) {
				state = batches[at].State
			}
			k := kinds[e.Kind]
			rows = append(rows, EventRow{
				EventID: e.EventID, EventName: k.EventName, EventTime: e.Time, Outcome: k.Outcome, Source: k.ActionSource,
				Value: capi.Decimal(e.Value).String(), Currency: k.Currency, Tier: k.Tier, State: state, Code: e.Code,
				File: files[e.File], Line: e.Line, Labels: k.Labels,
			})
			return nil
		})
	})
	if next = int(to); next >= p.Events {
		next = -1
	}
	return rows, next, err
}

// AuditPage returns up to limit audit records from number from on.
func (s *Service) AuditPage(ctx context.Context, from int64, limit int) ([][]byte, error) {
	var out [][]byte
	err := s.AuditRecords(ctx, from, func(body []byte) error {
		if out = append(out, append([]byte(nil), body...)); len(out) >= limit {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return out, err
}
