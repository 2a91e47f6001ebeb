package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"

	"sluice/internal/fault"
	"sluice/internal/writeback"
)

// maxOutcomes bounds the body of a push.
const maxOutcomes = 10 << 20

type pushInput struct {
	Profile   string            `query:"profile" json:"-" doc:"the only one when absent"`
	Namespace string            `json:"namespace,omitempty" doc:"of items that name none; api when absent"`
	Source    string            `json:"source,omitempty" doc:"name of where they come from"`
	Items     []json.RawMessage `json:"items" doc:"up to 5000 outcomes, see docs/outcomes.md"`
}

type outcomeList struct {
	Profile string   `query:"profile" json:"-" doc:"the only one when absent"`
	Outcome []string `query:"outcome" json:"-" doc:"only these, separated by commas"`
	Window  string   `query:"window" json:"-" doc:"today, yesterday, last-7-days or 2026-11-01..2026-11-07, in the profile's zone"`
	State   string   `query:"state" json:"-" doc:"open, cancelled, superseded, withdrawn or rejected"`
	Limit   int      `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

func (in *outcomeList) query() writeback.OutcomeQuery {
	return writeback.OutcomeQuery{Outcomes: in.Outcome, Window: in.Window, State: in.State, Limit: in.Limit}
}

func outcomes() []operation {
	const tag = "outcomes"
	push := op(http.MethodPost, "/outcomes", "pushOutcomes", tag, "Push outcomes in; each is judged by itself, and one that says the same again changes nothing", operates,
		func(ctx context.Context, c *call, in *pushInput) (*writeback.IngestResult, error) {
			if len(in.Items) == 0 {
				return nil, fault.New(fault.Usage, "/items: at least one outcome")
			}
			_, s, err := c.in(ctx, in.Profile)
			if err != nil {
				return nil, err
			}
			return s.Ingest(ctx, writeback.IngestRequest{Items: in.Items, Namespace: in.Namespace, Source: in.Source})
		})
	push.max = maxOutcomes
	return []operation{
		push,
		op(http.MethodGet, "/outcomes", "listOutcomes", tag, "List stored outcomes, oldest first", looks,
			func(ctx context.Context, c *call, in *outcomeList) (listing[writeback.StoredOutcome], error) {
				out := listing[writeback.StoredOutcome]{Items: []writeback.StoredOutcome{}}
				limit, err := pageSize(in.Limit)
				if err != nil {
					return out, err
				}
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return out, err
				}
				in.Limit = limit
				err = s.Outcomes(ctx, in.query(), func(o *writeback.StoredOutcome) error {
					if out.Items = append(out.Items, *o); len(out.Items) >= limit {
						return errPage
					}
					return nil
				})
				if errors.Is(err, errPage) {
					err = nil
				}
				return out, err
			}),
		op(http.MethodGet, "/outcomes/stats", "outcomeStats", tag, "Count stored outcomes by outcome, state and currency", looks,
			func(ctx context.Context, c *call, in *outcomeList) (listing[writeback.OutcomeStat], error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return listing[writeback.OutcomeStat]{}, err
				}
				return list(s.OutcomeStats(ctx, in.query()))
			}),
	}
}

// errPage ends a listing that has its page.
var errPage = errors.New("the page is full")
