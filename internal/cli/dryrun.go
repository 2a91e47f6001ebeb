package cli

import (
	"context"
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) dryRunCommand() *cobra.Command {
	var level string
	cmd := &cobra.Command{
		Use:     "dry-run PLAN",
		Short:   "Rehearse a plan: the exact request bytes against the built-in rules and a sandbox",
		GroupID: groupMain,
		Long: "Builds the exact requests of a plan and has them judged. Level offline (the default) opens no\n" +
			"connection: the rules are built in and the sandbox runs inside the process. Level sandbox sends\n" +
			"to a running `sluice sandbox` (--graph-url). Nothing reaches Meta at either level.",
		Args: needPlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				r, err := c.rehearse(cmd.Context(), a, args[0], writeback.Level(level))
				if err != nil {
					return err
				}
				if err := c.print(r, func(w io.Writer) { c.writeRehearsal(w, r) }); err != nil {
					return err
				}
				if !r.OK {
					return reported{fault.New(fault.DryRunFailed, "the dry run found %d kinds of fault", len(r.Rules))}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&level, "level", string(writeback.Offline), "offline or sandbox")
	return cmd
}

func (c *command) rehearse(ctx context.Context, a *app.App, plan string, level writeback.Level) (*writeback.Rehearsal, error) {
	view, err := a.Writeback.Plan(ctx, plan)
	if err != nil {
		return nil, err
	}
	var to writeback.Destination
	switch level {
	case writeback.Offline:
		to, err = a.Double(view.Dataset)
	case writeback.Sandbox:
		to, err = a.Graph(ctx)
	default:
		return nil, fault.New(fault.Usage, "--level must be offline or sandbox")
	}
	if err != nil {
		return nil, err
	}
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	defer meter.clear()
	return a.Writeback.Rehearse(ctx, writeback.RehearseRequest{
		PlanID: plan, Level: level, Destination: to, Progress: meter.show,
	})
}

func (c *command) writeRehearsal(w io.Writer, r *writeback.Rehearsal) {
	verdict := c.good("passed")
	if !r.OK {
		verdict = c.bad("failed")
	}
	line(w, "%s %s (level %s): %s of %s in %s, %.1f MB", c.bold("Dry run"), verdict, r.Level,
		plural(int64(r.EventsReceived), "event"), thousands(r.Events), plural(int64(r.Requests), "request"), float64(r.Bytes)/1e6)
	for _, f := range r.Findings {
		at := ""
		if f.File != "" {
			at = f.File + ":" + thousands(f.Line) + " "
		}
		line(w, "  %s %s%s %s", c.bad(f.Code), at, f.Path, f.Message)
	}
}
