package cli

import (
	"context"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/writeback"
)

func (c *command) dryRunCommand() *cobra.Command {
	var req writeback.RehearseRequest
	var level string
	cmd := &cobra.Command{
		Use:     "dry-run PLAN",
		Short:   "Rehearse a plan: the exact request bytes against the built-in rules and a sandbox",
		GroupID: groupMain,
		Long: "Builds the exact requests of a plan and has them judged, at one of four levels:\n\n" +
			"  offline       the default; no connection: built-in rules, and a sandbox inside the process\n" +
			"  sandbox       sends to a running `sluice sandbox` (--graph-url)\n" +
			"  test_dataset  sends to a separate dataset at Meta, with invented identities in place of the real\n" +
			"  live_test     sends up to 25 real events to the real dataset with a test code. Meta COUNTS them:\n" +
			"                they are in the ledger as delivered(test), and the later confirm leaves them out.\n" +
			"                Not for store events, which Meta's test view does not show.",
		Example: "  sluice dry-run pl_…\n" +
			"  sluice dry-run pl_… --level test_dataset --test-dataset 1000000000000002\n" +
			"  sluice dry-run pl_… --level live_test --test-event-code TEST123 --events 2 --acknowledge-live-test",
		Args: needPlan,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.PlanID, req.Level = args[0], writeback.Level(level)
			if !slices.Contains(writeback.Levels, req.Level) {
				return fault.New(fault.Usage, "--level must be offline, sandbox, test_dataset or live_test")
			}
			return c.with(cmd.Context(), func(a *app.App) error {
				r, err := c.rehearse(cmd.Context(), a, req)
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
	f := cmd.Flags()
	f.StringVar(&level, "level", string(writeback.Offline), "offline, sandbox, test_dataset or live_test")
	f.StringVar(&req.TestDataset, "test-dataset", "", "dataset of level test_dataset (default: the connection's)")
	f.BoolVar(&req.Probe, "probe-circuit", false, "let a test_dataset run that passes close a circuit whose cool-down is over")
	f.StringVar(&req.TestCode, "test-event-code", "", "code from Events Manager, for levels test_dataset and live_test")
	f.BoolVar(&req.Acknowledged, "acknowledge-live-test", false, "yes, the events of a live test count at Meta")
	f.IntVar(&req.Events, "events", 0, "how many of the oldest events a live test sends, at most 25 (default: all)")
	return cmd
}

func (c *command) rehearse(ctx context.Context, a *app.App, req writeback.RehearseRequest) (r *writeback.Rehearsal, err error) {
	if req.Level == writeback.Sandbox {
		if req.Destination, err = a.Graph(ctx); err != nil {
			return nil, err
		}
	}
	meter, err := c.meter()
	if err != nil {
		return nil, err
	}
	defer meter.clear()
	req.Progress = meter.show
	return a.Writeback.Rehearse(ctx, req)
}

func (c *command) writeRehearsal(w io.Writer, r *writeback.Rehearsal) {
	verdict := c.good("passed")
	if !r.OK {
		verdict = c.bad("failed")
	}
	line(w, "%s %s (level %s): %s of %s in %s, %.1f MB", c.bold("Dry run"), verdict, r.Level,
		plural(int64(r.EventsReceived), "event"), thousands(r.Events), plural(int64(r.Requests), "request"), float64(r.Bytes)/1e6)
	if r.Expired > 0 {
		line(w, "  %s left out: they are outside the window in which Meta takes them", plural(int64(r.Expired), "event"))
	}
	if r.Level == writeback.LiveTest && r.OK {
		line(w, "  Meta counts these events; the confirm of the plan leaves them out. fbtrace_id %s", strings.Join(r.TraceIDs, " "))
	}
	for _, f := range r.Findings {
		at := ""
		if f.File != "" {
			at = f.File + ":" + thousands(f.Line) + " "
		}
		line(w, "  %s %s%s %s", c.bad(f.Code), at, f.Path, f.Message)
	}
}
