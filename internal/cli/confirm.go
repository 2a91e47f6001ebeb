package cli

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

// confirmFlags are the flags of every command that sends.
type confirmFlags struct {
	hash              string
	key               string
	acceptRejects     bool
	acceptDoubleCount bool
	firstUpload       bool
	concurrency       int
	wait              time.Duration
	canary            int
	goOn              bool
	resume            bool
}

func (f *confirmFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.key, "key", "", "idempotency key (default plan:<id>)")
	cmd.Flags().BoolVar(&f.acceptRejects, "accept-rejects", false, "send although more than 20 % of the rows were rejected")
	cmd.Flags().BoolVar(&f.acceptDoubleCount, "accept-double-count", false, "send although one sale may be counted twice, see the plan's warnings")
	cmd.Flags().BoolVar(&f.firstUpload, "first-upload", false, "nothing was ever sent to this dataset, by any tool")
	cmd.Flags().IntVar(&f.concurrency, "concurrency", 4, "requests under way at once, 1 to 16")
	cmd.Flags().DurationVar(&f.wait, "wait", 10*time.Minute, "how long to wait for another process that sends the same plan")
}

// check refuses values before anything is opened or asked.
func (f *confirmFlags) check() error {
	switch {
	case f.concurrency < 1 || f.concurrency > 16:
		return fault.New(fault.Usage, "--concurrency must be 1 to 16")
	case f.wait < 0:
		return fault.New(fault.Usage, "--wait must not be negative")
	case f.canary < 0 || f.canary > 1000:
		return fault.New(fault.Usage, "--canary must be 1 to 1000")
	case f.canary > 0 && f.goOn:
		return fault.New(fault.Usage, "--canary begins and --continue ends: they are two commands")
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
			"crash it goes on where the ledger stands. --hash and --key are for scripts and agents.\n" +
			"A plan that no dry run has passed in the last 24 h is rehearsed offline first.",
		Example: "  sluice confirm pl_…\n" +
			"  sluice confirm pl_… --canary 20      # send 20, look at them in Events Manager\n" +
			"  sluice confirm pl_… --continue       # then the rest",
		Args: needPlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := flags.check(); err != nil {
				return err
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				return c.confirm(cmd.Context(), a, args[0], &flags)
			})
		},
	}
	flags.add(cmd)
	cmd.Flags().StringVar(&flags.hash, "hash", "", "plan hash the caller has seen; refused when it differs")
	cmd.Flags().IntVar(&flags.canary, "canary", 0, "send only so many events, the oldest, and wait for --continue")
	cmd.Flags().BoolVar(&flags.goOn, "continue", false, "send the rest after a canary")
	cmd.Flags().BoolVar(&flags.resume, "resume", false, "only go on with a run that ended early, begin none")
	return cmd
}

func (c *command) confirm(ctx context.Context, a *app.App, plan string, flags *confirmFlags) error {
	meter, err := c.meter()
	if err != nil {
		return err
	}
	receipt, err := a.Writeback.Confirm(ctx, writeback.ConfirmRequest{
		PlanID: plan, Hash: flags.hash, Key: flags.key, AcceptRejects: flags.acceptRejects, AcceptDoubleCount: flags.acceptDoubleCount,
		FirstUpload: flags.firstUpload, Concurrency: flags.concurrency, Wait: flags.wait, Canary: flags.canary, Continue: flags.goOn,
		Resume: flags.resume, Progress: meter.show,
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
	case r.Paused:
		title = "Canary sent"
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
	switch {
	case r.Paused:
		for _, id := range r.TraceIDs {
			line(w, "  fbtrace_id %s", id)
		}
		line(w, "  Look at them in Events Manager, then send the rest with %s", c.bold("sluice confirm "+r.PlanID+" --continue"))
	case r.Result != "":
		line(w, "  Nothing was left to send")
	case len(r.TraceIDs) > 0:
		line(w, "  %s", c.dim("first fbtrace_id "+r.TraceIDs[0]))
	}
	line(w, "  %s", c.dim(fmt.Sprintf("audit record %d", r.AuditSeq)))
}
