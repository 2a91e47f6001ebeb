package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

func (c *command) runsCommand() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use:     "runs",
		Short:   "List plans and runs, newest first",
		GroupID: groupLook,
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if limit < 1 {
				return fault.New(fault.Usage, "--limit must be 1 or more")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				runs, err := runsOf(cmd.Context(), a, limit)
				if err != nil {
					return err
				}
				rows := make([]writeback.RunRow, len(runs))
				for i := range runs {
					rows[i] = runs[i].RunRow
				}
				return c.print(rows, func(w io.Writer) { c.writeRuns(w, rows) })
			})
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "how many, 1 or more")
	cmd.AddCommand(c.cancelCommand())
	return cmd
}

func (c *command) writeRuns(w io.Writer, rows []writeback.RunRow) {
	if len(rows) == 0 {
		line(w, "No plans yet. Begin with %s", c.bold("sluice preview INPUT -m mapping.yaml --dataset ID"))
		return
	}
	line(w, "%-24s %-10s %-17s %10s %10s %10s  %s", "plan", "state", "made", "planned", "delivered", "open", "run")
	for i := range rows {
		r := &rows[i]
		line(w, "%-24s %-10s %-17s %10s %10s %10s  %s", r.PlanID, r.State, r.CreatedAt.UTC().Format("2006-01-02 15:04Z"),
			thousands(r.Planned), thousands(r.Counts[ledger.Delivered]), thousands(r.Open()), r.RunID)
	}
}

// plannedRun is a plan with its run as it stands now.
type plannedRun struct {
	writeback.RunRow
	busy bool // a process is at work on it
}

// runsOf lists plans with the state people should see: a run that the ledger holds
// for under way, but whose process is gone, is stopped.
func runsOf(ctx context.Context, a *app.App, limit int) ([]plannedRun, error) {
	rows, err := a.Writeback.Runs(ctx, limit)
	if err != nil {
		return nil, err
	}
	runs := make([]plannedRun, len(rows))
	for i, r := range rows {
		runs[i].RunRow = r
		if runs[i].busy, err = a.Writeback.Busy(r.PlanID); err != nil {
			return nil, err
		}
		if r.RunID != "" && !runs[i].busy && r.State != string(ledger.RunFinished) {
			runs[i].State = string(ledger.RunStopped)
		}
	}
	return runs, nil
}
