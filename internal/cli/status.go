package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"sluice/internal/app"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

// statusJSON is the document of `sluice --json`.
type statusJSON struct {
	Version  string             `json:"version"`
	StateDir string             `json:"state_dir"`
	Store    string             `json:"store"` // sqlite or postgresql
	Plans    int                `json:"plans"`
	Running  []string           `json:"running"` // plans another process is sending now
	Stopped  []writeback.RunRow `json:"stopped"` // runs that wait to be resumed
	Next     []string           `json:"next"`
}

// recent is how many plans the status looks at.
const recent = 50

// ledgerFile is in every state directory that has been used.
const ledgerFile = "writeback.db"

// status answers `sluice` alone: where the state is, what runs, what to do next.
func (c *command) status(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	s := statusJSON{Version: app.Version(), StateDir: cfg.StateDir, Store: app.Engine(cfg), Running: []string{}, Stopped: []writeback.RunRow{}}
	// Looking must not create a state directory.
	if _, err := os.Stat(filepath.Join(cfg.StateDir, ledgerFile)); cfg.DatabaseURL == "" && errors.Is(err, fs.ErrNotExist) {
		s.Next = []string{"sluice demo", "sluice mapping init ORDERS.csv", "sluice --help"}
		return c.print(s, func(w io.Writer) { c.writeStatus(w, s) })
	}
	err = c.with(ctx, func(a *app.App) error { return c.lookAround(ctx, a, &s) })
	if err != nil {
		return err
	}
	s.Next = append(s.Next, "sluice runs", "sluice preview INPUT -m mapping.yaml --dataset ID", "sluice --help")[:3]
	return c.print(s, func(w io.Writer) { c.writeStatus(w, s) })
}

// lookAround fills in what runs, what waits, and what a person would do about it: a
// stopped run comes first, then the newest plan that can still be confirmed.
func (c *command) lookAround(ctx context.Context, a *app.App, s *statusJSON) error {
	runs, err := runsOf(ctx, a, recent)
	if err != nil {
		return err
	}
	s.Plans = len(runs)
	var resume, begin []string
	for i := range runs {
		r := &runs[i]
		switch {
		case r.busy:
			s.Running = append(s.Running, r.PlanID)
		case r.RunID != "" && r.State == string(ledger.RunStopped):
			s.Stopped = append(s.Stopped, r.RunRow)
			resume = append(resume, "sluice confirm "+r.PlanID)
		case r.State == string(ledger.PlanReady) && r.Planned > 0 && len(begin) == 0:
			plan, err := a.Writeback.Plan(ctx, r.PlanID)
			if err != nil {
				return err
			}
			if c.clock().Before(plan.ExpiresAt) {
				begin = append(begin, "sluice confirm "+r.PlanID)
			}
		}
	}
	s.Next = append(resume, begin...)
	return nil
}

// clock is the time of this process.
func (c *command) clock() time.Time {
	if c.Now != nil {
		return c.Now()
	}
	return time.Now()
}

func (c *command) writeStatus(w io.Writer, s statusJSON) {
	line(w, "%s %s", c.bold("sluice"), s.Version)
	field(w, "state", "%s", s.StateDir)
	field(w, "store", "%s", s.Store)
	field(w, "plans", "%s", thousands(s.Plans))
	if len(s.Running) == 0 {
		field(w, "running", "nothing")
	}
	for _, id := range s.Running {
		field(w, "running", "%s", id)
	}
	for _, r := range s.Stopped {
		field(w, "stopped", "%s  %s left  %s", r.PlanID, plural(int64(r.Open()), "event"), c.notice(r.Error))
	}
	line(w, "\nnext:")
	for _, n := range s.Next {
		line(w, "  %s", c.bold(n))
	}
}
