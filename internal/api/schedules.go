package api

import (
	"context"
	"net/http"

	"sluice/internal/fault"
	"sluice/internal/schedule"
	"sluice/internal/writeback"
)

// shownWindows is how many windows of a schedule are listed with it.
const shownWindows = 20

type schedulePath struct {
	Profile  string `query:"profile" json:"-" doc:"the only one when absent"`
	Schedule string `path:"schedule" json:"-"`
}

type scheduleInput struct {
	Profile  string `query:"profile" json:"-" doc:"the only one when absent"`
	Schedule string `path:"schedule" json:"-"`
	schedule.Spec
}

type authorizeInput struct {
	Profile      string            `query:"profile" json:"-" doc:"the only one when absent"`
	Schedule     string            `path:"schedule" json:"-"`
	Days         int               `json:"days" doc:"1 to 90"`
	Outcomes     []string          `json:"outcomes,omitempty" doc:"all the schedule can make when absent"`
	MaxEvents    int               `json:"max_events"`
	MaxValue     map[string]string `json:"max_value,omitempty"`
	MinGoodShare float64           `json:"min_good_share,omitempty"`
}

func schedules() []operation {
	const tag = "schedules"
	set := func(path, id, summary string, state schedule.State) operation {
		return op(http.MethodPost, path, id, tag, summary, operates,
			func(ctx context.Context, c *call, in *schedulePath) (*schedule.Schedule, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return s.SetSchedule(ctx, in.Schedule, state)
			})
	}
	return []operation{
		op(http.MethodGet, "/schedules", "listSchedules", tag, "List the schedules with their newest windows", looks,
			func(ctx context.Context, c *call, in *profileQuery) (listing[writeback.ScheduleView], error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return listing[writeback.ScheduleView]{}, err
				}
				return list(s.Schedules(ctx, shownWindows))
			}),
		op(http.MethodGet, "/schedules/{schedule}", "getSchedule", tag, "A schedule with its newest windows", looks,
			func(ctx context.Context, c *call, in *schedulePath) (*writeback.ScheduleView, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return s.Schedule(ctx, in.Schedule, shownWindows)
			}),
		op(http.MethodPut, "/schedules/{schedule}", "addSchedule", tag, "Add a schedule over stored outcomes", operates, addSchedule),
		op(http.MethodPost, "/schedules/{schedule}/authorizations", "authorizeSchedule", tag, "Sign a standing authorisation", manages,
			func(ctx context.Context, c *call, in *authorizeInput) (*schedule.Schedule, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return nil, err
				}
				return s.AuthorizeSchedule(ctx, in.Schedule, writeback.Terms{
					Days: in.Days, Outcomes: in.Outcomes, MaxEvents: in.MaxEvents, MaxValue: in.MaxValue, MinGoodShare: in.MinGoodShare,
				})
			}),
		set("/schedules/{schedule}/pause", "pauseSchedule", "Pause a schedule", schedule.Paused),
		set("/schedules/{schedule}/resume", "resumeSchedule", "Let a paused schedule run again", schedule.Active),
		op(http.MethodDelete, "/schedules/{schedule}", "removeSchedule", tag, "Remove a schedule", operates,
			func(ctx context.Context, c *call, in *schedulePath) (removed, error) {
				_, s, err := c.in(ctx, in.Profile)
				if err != nil {
					return removed{}, err
				}
				return removed{in.Schedule}, s.RemoveSchedule(ctx, in.Schedule)
			}),
	}
}

// addSchedule takes schedules over stored outcomes. Paths are the business of those
// who are on the machine: a token must not make the server read files.
func addSchedule(ctx context.Context, c *call, in *scheduleInput) (*schedule.Schedule, error) {
	if len(in.Files) > 0 || in.Mapping != "" {
		return nil, fault.New(fault.Usage, "/files, /mapping: a schedule over files is added on the machine that holds them").
			WithFix("`sluice schedule add` there, or push the records as outcomes")
	}
	_, s, err := c.in(ctx, in.Profile)
	if err != nil {
		return nil, err
	}
	if in.Realm, err = c.api.o.Realm(); err != nil {
		return nil, err
	}
	return s.AddSchedule(ctx, in.Schedule, in.Spec)
}
