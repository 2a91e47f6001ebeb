package api

import (
	"context"
	"net/http"

	"sluice/internal/writeback"
)

type profileQuery struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
}

type circuitReset struct {
	Profile string `query:"profile" json:"-" doc:"the only one when absent"`
	Realm   string `json:"realm,omitempty" doc:"all when absent"`
	Reason  string `json:"reason" doc:"goes into the audit log"`
}

type circuitsClosed struct {
	Closed int `json:"closed"`
}

type resolveInput struct {
	Plan   string   `path:"plan" json:"-"`
	As     string   `json:"as" doc:"delivered, resend or rejected"`
	Reason string   `json:"reason" doc:"goes into the audit log"`
	Events []string `json:"events,omitempty" doc:"event ids; every unknown event when absent"`
}

type reasonInput struct {
	Plan   string `path:"plan" json:"-"`
	Reason string `json:"reason" doc:"goes into the audit log"`
}

func gates() []operation {
	const tag = "gates"
	return []operation{
		op(http.MethodGet, "/circuits", "listCircuits", tag, "Circuits that ever moved", looks,
			func(ctx context.Context, c *call, in *profileQuery) (listing[writeback.CircuitView], error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return listing[writeback.CircuitView]{}, err
				}
				return list(s.Circuits(ctx))
			}),
		op(http.MethodPost, "/circuits/reset", "resetCircuits", tag, "Close a profile's circuits", manages,
			func(ctx context.Context, c *call, in *circuitReset) (circuitsClosed, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return circuitsClosed{}, err
				}
				n, err := s.ResetCircuit(ctx, in.Realm, in.Reason)
				return circuitsClosed{n}, err
			}),
		op(http.MethodPost, "/plans/{plan}/resolutions", "resolve", tag, "Say what became of events whose answer was lost", manages,
			func(ctx context.Context, c *call, in *resolveInput) (*writeback.Resolution, error) {
				_, s, err := c.plan(ctx, in.Plan)
				if err != nil {
					return nil, err
				}
				return s.Resolve(ctx, writeback.ResolveRequest{Target: in.Plan, As: in.As, Reason: in.Reason, Events: in.Events})
			}),
		op(http.MethodPost, "/plans/{plan}/cancellations", "cancelRun", tag, "End a run: what was not sent is cancelled", manages,
			func(ctx context.Context, c *call, in *reasonInput) (*writeback.Cancellation, error) {
				_, s, err := c.plan(ctx, in.Plan)
				if err != nil {
					return nil, err
				}
				return s.CancelRun(ctx, in.Plan, in.Reason)
			}),
	}
}
