package api

import (
	"context"
	"io"
	"net/http"

	"sluice/internal/fault"
	"sluice/internal/privacy"
	"sluice/internal/writeback"
)

type peopleInput struct {
	Profile string              `query:"profile" json:"-" doc:"the only one when absent"`
	People  []writeback.Subject `json:"people"`
	Reason  string              `json:"reason,omitempty" doc:"why they are suppressed: opt_out, withdrawn, …"`
	Request string              `json:"request,omitempty" doc:"reference of the request, such as DSR-2026-017; never the person"`
}

// maxPeople bounds one call; its body is bounded besides.
const maxPeople = 10_000

func (in *peopleInput) check() error {
	if len(in.People) == 0 || len(in.People) > maxPeople {
		return fault.New(fault.Usage, "/people: 1 to %d people", maxPeople)
	}
	return nil
}

// suppression hands the people out one by one.
func (in *peopleInput) suppression() writeback.SuppressRequest {
	i := 0
	return writeback.SuppressRequest{Reason: in.Reason, Request: in.Request, Next: func() (writeback.Subject, error) {
		if i == len(in.People) {
			return writeback.Subject{}, io.EOF
		}
		i++
		return in.People[i-1], nil
	}}
}

func people() []operation {
	const tag = "privacy"
	suppress := func(path, id, summary string, do func(*writeback.Service, context.Context, writeback.SuppressRequest) (*writeback.SuppressResult, error)) operation {
		return op(http.MethodPost, path, id, tag, summary, manages,
			func(ctx context.Context, c *call, in *peopleInput) (*writeback.SuppressResult, error) {
				if err := in.check(); err != nil {
					return nil, err
				}
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return do(s, ctx, in.suppression())
			})
	}
	return []operation{
		op(http.MethodGet, "/suppressions", "countSuppressions", tag, "How many identifiers are suppressed, by reason", looks,
			func(ctx context.Context, c *call, in *profileQuery) (listing[privacy.Count], error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return listing[privacy.Count]{}, err
				}
				return list(s.Suppressions(ctx))
			}),
		suppress("/suppressions", "suppress", "Leave people out of everything from now on", (*writeback.Service).Suppress),
		suppress("/suppressions/lift", "liftSuppressions", "Take people off the list", (*writeback.Service).Lift),
		op(http.MethodPost, "/erasures", "forget", tag, "Erase people: payloads, stored outcomes, what waits", manages,
			func(ctx context.Context, c *call, in *peopleInput) (*writeback.ForgetResult, error) {
				if err := in.check(); err != nil {
					return nil, err
				}
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return s.Forget(ctx, writeback.ForgetRequest{Subjects: in.People, Request: in.Request})
			}),
		op(http.MethodGet, "/retention", "getRetention", tag, "What is kept how long, and what is there now", looks,
			func(ctx context.Context, c *call, in *profileQuery) (*writeback.RetentionView, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return s.Retention(ctx)
			}),
	}
}
