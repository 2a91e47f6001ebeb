package writeback

import (
	"context"
	"errors"
	"time"

	"sluice/capi"
	"sluice/internal/audit"
	"sluice/internal/ledger"
)

// RunRow is a plan with its run, if it has one.
type RunRow struct {
	PlanID    string               `json:"plan_id"`
	Dataset   string               `json:"dataset"`
	State     string               `json:"state"` // of the run, else of the plan
	CreatedAt time.Time            `json:"created_at"`
	Planned   int                  `json:"planned"`
	RunID     string               `json:"run_id,omitempty"`
	Error     string               `json:"error,omitempty"`
	Counts    map[ledger.State]int `json:"counts,omitempty"`
}

// Open is the number of confirmed events in no final state.
func (r *RunRow) Open() int {
	if r.RunID == "" {
		return 0
	}
	n := 0
	for s, c := range r.Counts {
		if !s.Terminal() {
			n += c
		}
	}
	return n
}

// Runs lists the newest plans with what became of them.
func (s *Service) Runs(ctx context.Context, limit int) ([]RunRow, error) {
	rows := []RunRow{}
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		plans, err := tx.Plans().List(ctx, limit)
		if err != nil {
			return err
		}
		for _, p := range plans {
			row := RunRow{PlanID: p.ID, Dataset: p.Dataset, State: string(p.State), CreatedAt: p.CreatedAt, Planned: p.Events}
			if row.Counts, err = tx.Events().Counts(ctx, p.No); err != nil {
				return err
			}
			run, err := tx.Runs().OfPlan(ctx, p.No)
			switch {
			case err == nil:
				row.RunID, row.State, row.Error = run.ID, string(run.State), run.Error
			case !errors.Is(err, ledger.ErrNotFound):
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

// OpenRuns lists runs of a dataset that ended early and still have events to send.
func (s *Service) OpenRuns(ctx context.Context, realm, dataset string) ([]RunRow, error) {
	var open []RunRow
	err := s.store.View(ctx, func(tx ledger.Tx) error {
		runs, err := tx.Runs().Open(ctx)
		if err != nil {
			return err
		}
		for _, run := range runs {
			p, err := tx.Plans().ByNo(ctx, run.Plan)
			if err != nil {
				return err
			}
			if p.Realm != realm || p.Dataset != dataset || adopted(&run) {
				continue
			}
			row := RunRow{PlanID: p.ID, Dataset: p.Dataset, State: string(run.State), CreatedAt: p.CreatedAt, Planned: p.Events, RunID: run.ID, Error: run.Error}
			if row.Counts, err = tx.Events().Counts(ctx, p.No); err != nil {
				return err
			}
			open = append(open, row)
		}
		return nil
	})
	return open, err
}

// EventRow is one event as it is listed.
type EventRow struct {
	EventID   string       `json:"event_id"`
	EventName string       `json:"event_name"`
	EventTime int64        `json:"event_time"`
	Outcome   string       `json:"outcome"`
	Source    string       `json:"action_source"`
	Value     string       `json:"value"`
	Currency  string       `json:"currency,omitempty"`
	Tier      string       `json:"tier"`
	State     ledger.State `json:"state"`
	Code      string       `json:"code,omitempty"`
	File      string       `json:"file"`
	Line      int64        `json:"line"`
	Labels    []string     `json:"labels,omitempty"`
}

// Events calls fn for every event of a plan, oldest first.
func (s *Service) Events(ctx context.Context, id string, fn func(*EventRow) error) error {
	p, err := s.plan(ctx, id)
	if err != nil {
		return err
	}
	kinds, files, err := s.lookups(ctx, p.No)
	if err != nil {
		return err
	}
	return s.store.View(ctx, func(tx ledger.Tx) error {
		batches, err := tx.Batches().List(ctx, p.No)
		if err != nil {
			return err
		}
		for _, b := range batches {
			err := tx.Events().Range(ctx, p.No, b.First, b.First+b.Count, func(e *ledger.Event) error {
				k := kinds[e.Kind]
				row := EventRow{
					EventID: e.EventID, EventName: k.EventName, EventTime: e.Time, Outcome: k.Outcome, Source: k.ActionSource,
					Value: capi.Decimal(e.Value).String(), Currency: k.Currency, Tier: k.Tier, State: b.State, Code: e.Code,
					File: files[e.File], Line: e.Line, Labels: k.Labels,
				}
				if e.State != "" {
					row.State = e.State
				}
				return fn(&row)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// AuditRecords calls fn for the canonical JSON of every audit record from number
// from on.
func (s *Service) AuditRecords(ctx context.Context, from int64, fn func([]byte) error) error {
	return s.store.View(ctx, func(tx ledger.Tx) error {
		return tx.Audit().Each(ctx, from, func(l audit.Link) error { return fn(l.Body) })
	})
}
