package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"sluice/internal/app"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

// statusJSON is the document of `sluice --json`.
type statusJSON struct {
	Version  string             `json:"version"`
	StateDir string             `json:"state_dir"`
	Plans    int                `json:"plans"`
	Running  []string           `json:"running"` // plans another process is sending now
	Stopped  []writeback.RunRow `json:"stopped"` // runs that wait to be resumed
	Next     []string           `json:"next"`
}

// recent is how many plans the status looks at.
const recent = 50

// status answers `sluice` alone: where the state is, what runs, what to do next.
func (c *command) status(ctx context.Context) error {
	cfg, err := c.load()
	if err != nil {
		return err
	}
	s := statusJSON{Version: app.Version(), StateDir: cfg.StateDir, Running: []string{}, Stopped: []writeback.RunRow{}}
	// Looking must not create a state directory.
	if _, err := os.Stat(filepath.Join(cfg.StateDir, "writeback.db")); errors.Is(err, fs.ErrNotExist) {
		s.Next = []string{"sluice demo", "sluice mapping init ORDERS.csv", "sluice --help"}
		return c.print(s, func(w io.Writer) { c.writeStatus(w, s) })
	}
	err = c.with(ctx, func(a *app.App) error {
		rows, err := a.Writeback.Runs(ctx, recent)
		if err != nil {
			return err
		}
		s.Plans = len(rows)
		for _, r := range rows {
			busy, err := a.Writeback.Busy(r.PlanID)
			switch {
			case err != nil:
				return err
			case busy:
				s.Running = append(s.Running, r.PlanID)
			case r.RunID != "" && r.State != string(ledger.RunFinished):
				s.Stopped = append(s.Stopped, r)
			case r.State == string(ledger.PlanReady) && r.Planned > 0 && len(s.Next) == 0:
				s.Next = append(s.Next, "sluice confirm "+r.PlanID)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	for _, r := range s.Stopped {
		s.Next = append([]string{"sluice confirm " + r.PlanID}, s.Next...)
	}
	s.Next = append(s.Next, "sluice runs", "sluice preview INPUT -m mapping.yaml --dataset ID", "sluice --help")[:3]
	return c.print(s, func(w io.Writer) { c.writeStatus(w, s) })
}

func (c *command) writeStatus(w io.Writer, s statusJSON) {
	line(w, "%s %s", c.bold("sluice"), s.Version)
	field(w, "state", "%s", s.StateDir)
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
