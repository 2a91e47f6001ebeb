package api

import (
	"context"
	"net/http"

	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

type reconcileQuery struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
	Days    int    `query:"days" json:"-" doc:"whole days up to today, in the profile's zone; default 7"`
	From    string `query:"from" json:"-" doc:"with to, instead of days: first and last day, such as 2026-11-01"`
	To      string `query:"to" json:"-"`
	Dataset string `query:"dataset" json:"-" doc:"every one the profile sends to when absent"`
	By      string `query:"by" json:"-" doc:"a label of the mapping"`
	Offline bool   `query:"offline" json:"-" doc:"do not ask the dataset what it has received"`
}

type coverageQuery struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
	Days    int    `query:"days" json:"-" doc:"whole days up to today, in the profile's zone; default 7"`
	Dataset string `query:"dataset" json:"-" doc:"every one the profile sends to when absent"`
	By      string `query:"by" json:"-" doc:"a label of the mapping"`
}

type alertQuery struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
	Limit   int    `query:"limit" json:"-" doc:"1 to 1000, default 100"`
}

// defaultDays is how many days a report is about that names none.
const defaultDays = 7

func reports() []operation {
	const tag = "reports"
	return []operation{
		op(http.MethodGet, "/reconciliation", "reconcile", tag, "Receipts beside what became of them and what the dataset reports, day by day", looks,
			func(ctx context.Context, c *call, in *reconcileQuery) (*writeback.Reconciliation, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				req := writeback.ReconcileRequest{Days: in.Days, From: in.From, To: in.To, Dataset: in.Dataset, By: in.By, Offline: in.Offline}
				if req.Days == 0 && req.From == "" {
					req.Days = defaultDays
				}
				if req.Dataset != "" {
					if req.Realm, err = c.api.o.Realm(); err != nil {
						return nil, err
					}
				}
				return s.Reconcile(ctx, req)
			}),
		op(http.MethodGet, "/coverage", "coverage", tag, "How much was sent, how fresh and how good it was, by label", looks,
			func(ctx context.Context, c *call, in *coverageQuery) (*writeback.Coverage, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				req := writeback.CoverageRequest{Days: in.Days, Dataset: in.Dataset, By: in.By}
				if req.Days == 0 {
					req.Days = defaultDays
				}
				if req.Dataset != "" {
					if req.Realm, err = c.api.o.Realm(); err != nil {
						return nil, err
					}
				}
				return s.Coverage(ctx, req)
			}),
		op(http.MethodGet, "/alerts", "listAlerts", tag, "Alerts, newest first, ended ones too", looks,
			func(ctx context.Context, c *call, in *alertQuery) (listing[ledger.Alert], error) {
				limit, err := pageSize(in.Limit)
				if err != nil {
					return listing[ledger.Alert]{}, err
				}
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return listing[ledger.Alert]{}, err
				}
				return list(s.RecentAlerts(ctx, limit))
			}),
	}
}
