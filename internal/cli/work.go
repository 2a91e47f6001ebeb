package cli

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/work"
)

func (c *command) workCommand() *cobra.Command {
	var untilIdle bool
	var wait time.Duration
	cmd := &cobra.Command{
		Use:     "work",
		Short:   "Do what is due: interrupted runs, schedules, webhooks, alerts, retention",
		GroupID: groupMain,
		Long: "With --until-idle it does what is due and ends, which is what cron wants; without, it goes on until\n" +
			"it is interrupted. A second one on the same state directory waits for the first; on PostgreSQL both\n" +
			"work. It exits 0 when everything due was done, else with the code of what failed first.",
		Example: "  */5 * * * *  sluice work --until-idle",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if wait < 0 {
				return fault.New(fault.Usage, "--wait must not be negative")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				r := a.Runner(wait)
				if !untilIdle {
					err := r.Loop(cmd.Context())
					return firstError(err, a.Writeback.Checkpoint(context.WithoutCancel(cmd.Context()), true))
				}
				report, err := r.UntilIdle(cmd.Context())
				if err != nil && len(failedTasks(report)) == 0 {
					return err
				}
				if perr := c.print(report, func(w io.Writer) { c.writeWork(w, report) }); perr != nil {
					return perr
				}
				if err != nil {
					return reported{err}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&untilIdle, "until-idle", false, "do what is due and end")
	cmd.Flags().DurationVar(&wait, "wait", 10*time.Minute, "how long to wait for another one on the same state directory")
	return cmd
}

func failedTasks(r *work.Report) (failed []string) {
	for _, t := range r.Tasks {
		if t.Error != "" {
			failed = append(failed, t.Name)
		}
	}
	return failed
}

func (c *command) writeWork(w io.Writer, r *work.Report) {
	var did []string
	for _, t := range r.Tasks {
		if t.Passes > 0 && t.Error == "" {
			did = append(did, t.Name)
		}
	}
	switch {
	case len(did) > 0:
		line(w, "%s  %s", c.bold("Worked on"), strings.Join(did, ", "))
	case len(failedTasks(r)) == 0:
		line(w, "Nothing was due.")
	}
	for _, t := range r.Tasks {
		if t.Error != "" {
			field(w, t.Name, "%s", c.bad(shown(t.Error)))
		}
	}
	if !r.Next.IsZero() {
		field(w, "next", "%s", stamp(r.Next))
	}
}
