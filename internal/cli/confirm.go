package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

// confirmFlags are the flags of every command that sends.
type confirmFlags struct {
	hash          string
	key           string
	acceptRejects bool
	concurrency   int
}

func (f *confirmFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key (default plan:<id>)")
	cmd.Flags().BoolVar(&f.acceptRejects, "accept-rejects", false, "send although more than 20 % of the rows were rejected")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 4, "requests under way at once, 1 to 16")
}

// check refuses values before anything is opened or asked.
func (f *confirmFlags) check() error {
	if f.concurrency < 1 || f.concurrency > 16 {
		return fault.New(fault.Usage, "--concurrency must be 1 to 16")
	}
	return nil
}

func (c *command) confirmCommand() *cobra.Command {
	var flags confirmFlags
	cmd := &cobra.Command{
		Use:     "confirm PLAN",
		Short:   "Send a plan, once; repeating the command sends nothing more",
		GroupID: groupMain,
		Long: "Sends what was previewed, byte for byte. The same command again replays the receipt; after a\n" +
			"crash it goes on where the ledger stands. --hash and --key are for scripts and agents.",
		Args: needPlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error {
				return c.confirm(cmd.Context(), a, args[0], &flags)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.hash, "hash", "", "plan hash the caller has seen; refused when it differs")
	return cmd
}

func (c *command) confirm(ctx context.Context, a *app.App, plan string, flags *confirmFlags) error {
	if err := flags.check(); err != nil {
		return err
	}
	meter, err := c.meter()
	if err != nil {
		return err
	}
	receipt, err := a.Writeback.Confirm(ctx, writeback.ConfirmRequest{
		PlanID: plan, Hash: flags.hash, Key: flags.key, AcceptRejects: flags.acceptRejects,
		Concurrency: flags.concurrency, Progress: meter.show,
	})
	meter.clear()
	if receipt == nil {
		return err
	}
	if err != nil && c.json {
		if f, ok := fault.As(err); ok {
			_ = f.With("run_id", receipt.RunID).With("plan_id", receipt.PlanID).With("counts", receipt.Counts)
		}
		return err
	}
	if perr := c.print(receipt, func(w io.Writer) { c.writeReceipt(w, receipt) }); perr != nil {
		return perr
	}
	if err != nil {
		return err
	}
	if err := receipt.Outcome(); err != nil {
		return reported{err}
	}
	return nil
}

func (c *command) writeReceipt(w io.Writer, r *writeback.Receipt) {
	title := "Confirmed"
	switch {
	case r.Replayed:
		title = "Replayed (nothing was sent)"
	case r.Leftover() > 0:
		title = "Stopped"
	}
	line(w, "%s  run %s  plan %s", c.bold(title), r.RunID, r.PlanID)
	for _, s := range ledger.States {
		if n := r.Counts[s]; n > 0 {
			field(w, string(s), "%11s", thousands(n))
		}
	}
	for _, why := range slices.Sorted(maps.Keys(r.Reasons)) {
		line(w, "    %s", c.dim(fmt.Sprintf("%s %s", why, thousands(r.Reasons[why]))))
	}
	if r.Replayed {
		return
	}
	took := r.FinishedAt.Sub(r.StartedAt)
	line(w, "  %s acknowledged in %s · %s", plural(int64(r.EventsReceived), "event"), plural(int64(r.Requests), "request"), took.Round(1e7))
	if len(r.TraceIDs) > 0 {
		line(w, "  %s", c.dim("first fbtrace_id "+r.TraceIDs[0]))
	}
	line(w, "  %s", c.dim(fmt.Sprintf("audit record %d", r.AuditSeq)))
}
