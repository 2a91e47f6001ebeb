package world

import (
	"net/url"
	"time"

	"sluice/internal/graphspec"
)

// startReport makes a report in the background. The question is checked at once, so
// that a wrong one fails here and not in the report.
func startReport(c *Call) (any, *Error) {
	r, err := c.report(c.On)
	if err != nil {
		return nil, err
	}
	attrs := Attrs{"question": c.Params.Encode(), "size": r.size(c.World, c.On), "account_id": "", "time_ref": c.Now}
	if r.account != nil {
		attrs["account_id"] = r.account.Str("account_id")
	}
	if len(r.spans) > 0 {
		attrs["date_start"], attrs["date_stop"] = r.spans[0].since.Format(time.DateOnly), r.spans[len(r.spans)-1].until.Format(time.DateOnly)
	}
	o := c.World.Add("AdReportRun", c.On, attrs)
	return map[string]any{"report_run_id": o.ID}, nil
}

// state is how far a report in the background is.
type state struct {
	status  string
	percent int
	running bool
}

// The pace of a report: not started for a second, then ten seconds of work.
const (
	reportStarts = time.Second
	reportTakes  = 10 * time.Second
)

func reportState(now time.Time, o *Object) state {
	age := now.Sub(o.Made)
	size, _ := o.Attrs["size"].(int)
	switch {
	case age < reportStarts:
		return state{"Job Not Started", 0, true}
	case age < reportStarts+reportTakes/5:
		return state{"Job Started", 0, true}
	case size > reportMost:
		return state{"Job Failed", 40, false}
	case age < reportStarts+reportTakes:
		return state{"Job Running", int((age - reportStarts) * 100 / reportTakes), true}
	}
	return state{"Job Completed", 100, false}
}

func reportDone(c *Call, o *Object) any {
	if reportState(c.Now, o).running {
		return nil
	}
	return o.Made.Add(reportStarts + reportTakes)
}

// reportFault are the error members of a failed report, which exist since v25.
func reportFault(what string) fieldOf {
	row := graphspec.ErrorNamed("report_failed")
	return func(c *Call, o *Object) any {
		if reportState(c.Now, o).status != "Job Failed" {
			return nil
		}
		switch what {
		case "code":
			return row.Code
		case "subcode":
			return row.Subcode
		case "title":
			return "Report failed"
		}
		return row.Message
	}
}

// reportRows reads a report that is done.
func reportRows(c *Call) (any, *Error) {
	s := reportState(c.Now, c.On)
	if s.status == "Job Failed" {
		return nil, Fail("report_failed")
	}
	if s.percent != 100 {
		return nil, Bad("The report is not ready: " + s.status)
	}
	question, bad := url.ParseQuery(c.On.Str("question"))
	on := c.World.Get(c.On.Owner)
	if bad != nil || on == nil {
		return nil, c.NoObject(c.On.ID)
	}
	sub := c.derive("GET", on, "insights", question)
	sub.Now = c.On.Made // a report shows what was known when it was started
	r, err := sub.report(on)
	if err != nil {
		return nil, err
	}
	rows, err := r.rows(sub, on)
	if err != nil {
		return nil, err
	}
	if text := c.Param("fields"); text != "" {
		wanted, err := c.columns()
		if err != nil {
			return nil, err
		}
		r.fields = wanted
		for i := range rows {
			rows[i] = r.choose(rows[i])
		}
	}
	return c.reportPage(rows)
}
