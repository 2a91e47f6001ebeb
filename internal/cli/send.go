package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"sluice/internal/app"
	"sluice/internal/fault"
	"sluice/internal/graph"
	"sluice/internal/ledger"
	"sluice/internal/writeback"
)

func (c *command) sendCommand() *cobra.Command {
	var plan planFlags
	var flags confirmFlags
	var yes bool
	cmd := &cobra.Command{
		Use:     "send INPUT… -m mapping.yaml --dataset ID",
		Short:   "Preview, dry run, a question, confirm: the whole way in one command",
		GroupID: groupMain,
		Example: "  sluice send orders.csv -m mapping.yaml --dataset 1000000000000001\n" +
			"  sluice send exports/ -m mapping.yaml --yes     # for cron; safe to repeat\n" +
			"  sluice send --outcome payment_received --window last-7-days --yes",
		Args: plan.inputs,
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd.Context(), func(a *app.App) error { return c.send(cmd.Context(), a, args, &plan, &flags, yes) })
		},
	}
	plan.add(cmd)
	flags.add(cmd)
	cmd.Flags().BoolVar(&yes, "yes", false, "do not ask before sending")
	return cmd
}

// send walks through the three steps. Everything but the receipt goes to stderr
// under --json, so that stdout stays one document.
func (c *command) send(ctx context.Context, a *app.App, inputs []string, plan *planFlags, flags *confirmFlags, yes bool) error {
	out := c.Stdout
	if c.json {
		out = c.Stderr
	}
	if err := flags.check(); err != nil {
		return err
	}
	a.Writeback = a.Writeback.In(plan.stored.profile)
	// Where it goes, and with what, is settled before anybody waits for a preview.
	to, err := a.Graph(ctx)
	if err != nil {
		return err
	}
	if !yes && !c.interactive() {
		return fault.New(fault.ConfirmationNeeded, "sending needs a yes, and this is not a terminal")
	}
	if err := c.finishOpen(ctx, a, to, plan, yes, flags); err != nil {
		return err
	}
	view, err := c.preview(ctx, a, plan, inputs)
	if err != nil {
		return err
	}
	c.writePlan(out, view)
	if view.Events == 0 {
		if c.json {
			return c.print(previewDocument(view), nil)
		}
		c.writeNext(out, view)
		return nil
	}
	rehearsal, err := c.rehearse(ctx, a, writeback.RehearseRequest{PlanID: view.ID, Level: writeback.Offline})
	if err != nil {
		return err
	}
	line(out, "")
	c.writeRehearsal(out, rehearsal)
	if !rehearsal.OK {
		return fault.New(fault.DryRunFailed, "the dry run found faults; nothing was sent")
	}
	if !yes {
		where := "Meta"
		if !to.Remote() {
			where = "the sandbox at " + a.Config.GraphURL
		}
		ok, err := c.ask(ctx, fmt.Sprintf("\nSend %s (%s) to dataset %s at %s? A sent event can't be recalled. [y/N] ",
			plural(int64(view.Events), "event"), values(view.Summary.Value), view.Dataset, where))
		if err != nil {
			return err
		}
		if !ok {
			line(out, "Nothing was sent. The plan stays valid until %s: %s", stamp(view.ExpiresAt), c.bold("sluice confirm "+view.ID))
			return nil
		}
	}
	line(out, "")
	return c.confirm(ctx, a, view.ID, flags)
}

// finishOpen goes on with what an earlier send left unsent: its events are claimed,
// so a preview alone would call them duplicates and they would never go.
func (c *command) finishOpen(ctx context.Context, a *app.App, to *graph.Client, plan *planFlags, yes bool, flags *confirmFlags) error {
	ofMapping := ""
	if !plan.overStore() {
		m, err := c.loadMapping(a, plan.mapping)
		if err != nil {
			return err
		}
		ofMapping = m.Dataset()
	}
	dataset, err := pickDataset(plan.dataset, ofMapping, a.Config.Dataset)
	if err != nil {
		return err
	}
	open, err := a.Writeback.OpenRuns(ctx, to.Realm(), dataset)
	if err != nil {
		return err
	}
	for _, r := range open {
		_, _ = fmt.Fprintf(c.Stderr, "Plan %s was interrupted with %s left.\n", r.PlanID, plural(int64(r.Open()), "event"))
		if !yes {
			ok, err := c.ask(ctx, "Send them first? [y/N] ")
			if err != nil {
				return err
			}
			if !ok {
				continue // its keys stay taken: nothing of it is sent by accident
			}
		}
		meter, err := c.meter()
		if err != nil {
			return err
		}
		receipt, err := a.Writeback.Confirm(ctx, writeback.ConfirmRequest{PlanID: r.PlanID, Concurrency: flags.concurrency, Progress: meter.show})
		meter.clear()
		if fault.CodeOf(err) == fault.RunPaused { // its canary waits for a person; nobody said yes to the rest here
			_, _ = fmt.Fprintf(c.Stderr, "Plan %s: %v\n", r.PlanID, err)
			continue
		}
		// What was lost beyond the guard window is for a person to decide, and must not
		// keep today's orders back.
		lost := receipt != nil && fault.CodeOf(err) == fault.OutcomeUnknown && receipt.Leftover() == receipt.Counts[ledger.Unknown]
		if err != nil && !lost {
			return err
		}
		_, _ = fmt.Fprintf(c.Stderr, "Plan %s: %s delivered in all.\n", r.PlanID, thousands(receipt.Counts[ledger.Delivered]))
	}
	return nil
}

// interactive reports whether a person is at the other end of stdin.
func (c *command) interactive() bool {
	f, ok := c.Stdin.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

func (c *command) ask(ctx context.Context, question string) (bool, error) {
	_, _ = fmt.Fprint(c.Stderr, question)
	answer, err := c.readLine(ctx)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		return false, fault.New(fault.ConfirmationNeeded, "no answer was given; nothing was sent").Wrap(err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return true, nil
	default:
		return false, nil
	}
}
