package writeback

import (
	"context"
	"time"

	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/schedule"
	"sluice/internal/tenant"
)

// BackfillRequest sends old days with a schedule's source, one day at a time.
type BackfillRequest struct {
	Schedule string
	Window   string        // 2026-10-01..2026-11-20
	Pause    time.Duration // between two days that sent something
	Confirm  bool          // false: previews alone
	Progress func(Progress)
	Day      func(BackfillDay) // told of every day once it is through
}

// BackfillDay is one day of it.
type BackfillDay struct {
	Day       string `json:"day"`
	Plan      string `json:"plan_id,omitempty"`
	Rows      int    `json:"rows"`
	Planned   int    `json:"planned"`
	Held      int    `json:"held"`
	Rejected  int    `json:"rejected"`
	Skipped   int    `json:"skipped"`
	Expired   int    `json:"expired"`
	Over7     int    `json:"over_7_days"`  // planned store events that Meta takes, and that a website event would not be
	Over62    int    `json:"over_62_days"` // of the day, by its date: nothing older is taken
	Delivered int    `json:"delivered"`
	Run       string `json:"run_id,omitempty"`
	Code      string `json:"code,omitempty"` // why the day was not sent
}

// Backfill is what a backfill found and did.
type Backfill struct {
	Schedule  string        `json:"schedule"`
	Window    string        `json:"window"`
	Days      []BackfillDay `json:"days"`
	Total     BackfillDay   `json:"total"`
	Confirmed bool          `json:"confirmed"`
}

func (d *BackfillDay) add(o BackfillDay) {
	d.Rows, d.Planned, d.Held, d.Rejected = d.Rows+o.Rows, d.Planned+o.Planned, d.Held+o.Held, d.Rejected+o.Rejected
	d.Skipped, d.Expired, d.Over7, d.Over62, d.Delivered = d.Skipped+o.Skipped, d.Expired+o.Expired, d.Over7+o.Over7, d.Over62+o.Over62, d.Delivered+o.Delivered
}

// Backfill previews every day of the window, oldest first, and, when it is asked to
// confirm, sends each before the next. A day's key is its own, so that a backfill
// that was interrupted is simply run again.
func (s *Service) Backfill(ctx context.Context, req BackfillRequest) (*Backfill, error) {
	least := tenant.Operator
	if req.Confirm {
		least = tenant.Admin
	}
	if err := s.may(least); err != nil {
		return nil, err
	}
	w, err := schedule.ParseWindow(req.Window)
	if err != nil {
		return nil, err
	}
	days := w.Days()
	if last := days[len(days)-1]; last != w.To {
		return nil, fault.New(fault.Usage, "a backfill is at most %d days long; nothing older than 62 days can be sent", len(days))
	}
	v, err := s.Schedule(ctx, req.Schedule, 1)
	if err != nil {
		return nil, err
	}
	out := &Backfill{Schedule: req.Schedule, Window: w.String(), Days: []BackfillDay{}, Confirmed: req.Confirm}
	for i, day := range days {
		if err := ctx.Err(); err != nil {
			return out, err
		}
		d, err := s.backfillDay(ctx, &v.Schedule, day, req)
		if err != nil {
			return out, err
		}
		out.Days = append(out.Days, d)
		out.Total.add(d)
		if req.Day != nil {
			req.Day(d)
		}
		if d.Delivered > 0 && i < len(days)-1 && req.Pause > 0 {
			if err := s.sleep(ctx, req.Pause); err != nil {
				return out, err
			}
		}
	}
	return out, nil
}

func (s *Service) backfillDay(ctx context.Context, sc *schedule.Schedule, day string, req BackfillRequest) (BackfillDay, error) {
	d := BackfillDay{Day: day}
	one := schedule.Window{From: day, To: day}
	var view *PlanView
	var files *windowFiles
	var err error
	if len(sc.Spec.Files) > 0 {
		view, files, err = s.previewFiles(ctx, sc, one, req.Progress)
	} else {
		view, err = s.previewStored(ctx, sc, one, req.Progress)
	}
	switch fault.CodeOf(err) {
	case fault.SourceUnavailable, fault.SourceEmpty:
		d.Code = string(fault.CodeOf(err))
		return d, nil
	}
	if err != nil {
		return d, err
	}
	n := view.Summary.Counts
	d.Plan, d.Rows, d.Planned, d.Held, d.Rejected, d.Skipped, d.Expired = view.ID, n.Rows, n.Planned, n.Held, n.Rejected, n.Skipped, n.Expired
	d.Over7 = view.Summary.Ages["under_28d"] + view.Summary.Ages["under_62d"] + view.Summary.Ages["over_62d"]
	if loc, err := schedule.Zone(sc.Spec.Zone); err == nil {
		if _, end := one.Bounds(loc); s.now().Sub(end) > 62*24*time.Hour {
			d.Over62 = n.Rows
		}
	}
	if !req.Confirm || view.Events == 0 {
		return d, nil
	}
	work := &windowWork{Service: s, sc: sc, run: &schedule.Run{}, progress: req.Progress}
	if err := work.rehearsed(ctx, view); err != nil {
		return d, err
	}
	receipt, err := s.Confirm(ctx, ConfirmRequest{
		PlanID: view.ID, Hash: view.Hash, Key: "backfill:" + sc.ID + ":" + view.ID, AcceptRejects: sc.Spec.AcceptRejects, Progress: quiet(req.Progress),
	})
	if receipt != nil {
		d.Run, d.Delivered = receipt.RunID, receipt.Counts[ledger.Delivered]
	}
	if fault.CodeOf(err) == fault.NothingToSend {
		err = nil
	}
	if err == nil && files != nil { // what is usual is known from here on
		err = s.store.Do(ctx, func(tx ledger.Tx) error { return files.remember(ctx, tx) })
	}
	if err != nil {
		d.Code = string(fault.CodeOf(err))
	}
	return d, err
}
