package cli

import (
	"io"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/writeback"
)

func (c *command) resolveCommand() *cobra.Command {
	var req writeback.ResolveRequest
	cmd := &cobra.Command{
		Use:     "resolve PLAN|RUN --as delivered|resend|rejected --reason TEXT",
		Short:   "Decide about events that may have arrived, where only a person can",
		GroupID: groupAdmin,
		Long: "An event is unknown when its request was sent and no answer was read. Inside the guard window it is\n" +
			"sent again by itself; beyond it, compare with Events Manager and say what became of it:\n\n" +
			"  delivered  it arrived; nothing is sent\n" +
			"  resend     send it again, although Meta's deduplication may not absorb the repeat\n" +
			"  rejected   it did not arrive; a new preview may send it\n\n" +
			"The reason goes into the audit log.",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Target = args[0]
			return c.with(cmd.Context(), func(a *app.App) error {
				r, err := a.Writeback.Resolve(cmd.Context(), req)
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) { c.writeResolution(w, r) })
			})
		},
	}
	cmd.Flags().StringVar(&req.As, "as", "", "delivered, resend or rejected (required)")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "why, for the audit log (required)")
	cmd.Flags().StringArrayVar(&req.Events, "event", nil, "event id; may be repeated (default: every unknown event)")
	return cmd
}

func (c *command) writeResolution(w io.Writer, r *writeback.Resolution) {
	line(w, "%s of plan %s resolved as %s", plural(int64(r.Events), "event"), r.PlanID, r.As)
	if r.TooLate > 0 {
		line(w, "  %s left the window and can't be sent again", plural(int64(r.TooLate), "event"))
	}
	switch {
	case r.Receipt != nil:
		c.writeReceipt(w, r.Receipt)
	case r.As == writeback.AsResend:
		line(w, "  Send with %s", c.bold("sluice confirm "+r.PlanID))
	}
}

func (c *command) cancelCommand() *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use:   "cancel RUN|PLAN --reason TEXT",
		Short: "End a run: what was not sent yet is cancelled, what may have arrived stays unknown",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				r, err := a.Writeback.CancelRun(cmd.Context(), args[0], reason)
				if err != nil {
					return err
				}
				return c.print(r, func(w io.Writer) {
					line(w, "Run %s: %s cancelled", r.RunID, plural(int64(r.Cancelled), "event"))
					if r.Unknown > 0 {
						line(w, "  %s may have arrived: %s", plural(int64(r.Unknown), "event"), c.bold("sluice resolve "+r.RunID+" --as delivered|rejected --reason TEXT"))
					}
				})
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, for the audit log (required)")
	return cmd
}
